"""Keras knows mbu_tf's classes by name, without them, or Keras, being imported beforehand."""

import importlib
import importlib.abc
import importlib.util
import sys

# What saved files name, and where it is.
REGISTERED = {
    "AttributeDecoder": "mbu_tf.networks.attribute_decoder",
    "BatchNormalization": "mbu_tf.networks.normalization",
    "CodeDiscriminator": "mbu_tf.networks.discriminator",
    "ContentDisentanglement": "mbu_tf.models.content_disentanglement",
    "Decoder": "mbu_tf.networks.decoder",
    "DomainIntersectionDifference": "mbu_tf.models.domain_intersection",
    "Encoder": "mbu_tf.networks.encoder",
    "FaderNetworks": "mbu_tf.models.fader_networks",
    "FusedAdam": "mbu_tf.optimizers",
    "LatentDiscriminator": "mbu_tf.networks.discriminator",
    "MaskDecoder": "mbu_tf.networks.decoder",
    "MaskedContentTransfer": "mbu_tf.models.content_transfer",
    "MaskedDomainIntersectionDifference": "mbu_tf.models.masked_domain_intersection",
    "PyTorchAdam": "mbu_tf.optimizers",
    "Refiner": "mbu_tf.networks.refiner",
}


class ClassByName:
    """Stands for a class in Keras's registry; its module is imported when a file names it.

    The class itself, once imported, takes its place there.
    """

    def __init__(self, module, name):
        self._module, self._name = module, name

    def from_config(self, config):
        kind = getattr(importlib.import_module(self._module), self._name)
        return kind.from_config(config)


def register_with_keras():
    """Let `keras.saving.load_model` find mbu_tf's classes, now or once Keras is imported."""
    if "keras" in sys.modules:
        _register(sys.modules["keras"])
    else:
        sys.meta_path.insert(0, _KerasFinder())


def _register(keras):
    known = keras.saving.get_custom_objects()
    for name, module in REGISTERED.items():
        known.setdefault(f"mbu_tf>{name}", ClassByName(module, name))


class _KerasFinder(importlib.abc.MetaPathFinder):
    """Finds Keras as the other finders do, and registers when it has been imported."""

    def find_spec(self, name, path=None, target=None):
        if name != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(importlib.abc.Loader):
    """Another loader's module, after whose import the classes are registered."""

    def __init__(self, loader):
        self._loader = loader

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        module.__loader__ = module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _register(module)

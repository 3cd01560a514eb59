"""The trainer that every two-domain method shares: an adversarial step over five-odd networks."""

import os
from typing import Any

import keras

from mbu_tf.faces.framing import Framing
from mbu_tf.models.checked_data import CheckedData
from mbu_tf.models.compilation import Compilation
from mbu_tf.models.constructor import (
    KERAS_ARGUMENTS,
    check_saved,
    given_arguments,
    is_plain,
    saved_arguments,
)
from mbu_tf.models.from_recipes import FromRecipes
from mbu_tf.models.own_networks import OwnNetworks, check_precision
from mbu_tf.networks import blocks
from mbu_tf.system.files import replacing
from mbu_tf.types import Array, FilePath


def training_step():
    """The class with the training step of Keras's backend, which `KERAS_BACKEND` sets.

    Raises:
        ImportError: if there is none for it.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        from mbu_tf.models.tensorflow_step import TensorFlowStep

        return TensorFlowStep
    if backend == "jax":
        from mbu_tf.models.jax_step import JAXStep

        return JAXStep
    raise ImportError(
        "mbu_tf runs on Keras's backends tensorflow and jax; set the environment variable "
        f"KERAS_BACKEND to one of them. Received: {backend}"
    )


class TwoDomainModel(
    FromRecipes, OwnNetworks, CheckedData, Compilation, training_step(), keras.Model
):
    """Base of methods that learn from two image sets A and B by domain confusion.

    One training step (`AdversarialStep`) updates the generator (encoders and
    decoders, all losses plus domain confusion) and then the discriminator. A
    method is a subclass that states

    - `network_names` and for each a method `build_<name>` (`OwnNetworks`), which its
      constructor calls by `_make_networks()`: `common_encoder` Ec, ..., `discriminator`;
    - `generator_losses(a, b, training)`: its unweighted loss terms and what the
      step needs besides (see there);
    - `default_loss_weights`: the weight of each term, `confusion` among them;
    - `call((a, b))`: what `predict` gives of a pair of batches;
    - if wanted, `calibrate(a, b)`, and `presets` and `formulations` (`FromRecipes`).

    Batches are `(a, b)`, or `(a, b, mask_b)` where a true mask of b is known;
    images `(batch, height, width, 3)` float in [-1, 1], masks `(batch, height,
    width, 1)` in [0, 1]. Masks only feed the `iou` metric, no loss sees them.

    Args:
        config: the subclass's constructor arguments, plain values, which
            `get_config` gives back; `depth`, where it is `None`, as the number that it is.
        published_counts: counters of the checkpoint of the published code that
            the model came from; `mbu_tf.interop` sets and explains them.
        framing: how its images are framed, what `Framing.of` takes; edits of photos
            (`mbu_tf.photos`) and exports follow it. `None` is the centre square.
        **kwargs: `name`, `trainable` and `dtype` of `keras.Model`; `dtype` is a
            precision such as `"mixed_bfloat16"`, for all networks.

    Raises:
        ValueError: on an argument that it does not have, or outside its range.
    """

    # Monitors (`monitor_names`) that only batches with true masks have.
    monitors_of_masks = ()

    def __init__(
        self,
        config: dict[str, Any] | None = None,
        published_counts: bool | None = None,
        framing: Framing | dict[str, Any] | str | None = None,
        **kwargs: Any,
    ) -> None:
        unknown = sorted(set(kwargs) - set(KERAS_ARGUMENTS))
        if unknown:
            raise ValueError(
                f"{type(self).__name__} has no argument {', '.join(unknown)}; the size of its "
                f"images is `image_size`. Received: {unknown}"
            )
        # Images keep their float32 under mixed precision: networks cast for themselves.
        super().__init__(**{"autocast": False, **kwargs})
        check_precision(self.dtype_policy)
        self._config = dict(config or {})
        if self._config.get("depth", 0) is None:
            self._config["depth"] = blocks.default_depth(self._config["image_size"])
        self.published_counts = published_counts
        self.framing = Framing.of(framing)
        if "image_size" in self._config:
            self.image_size = self._config["image_size"]

    def __new__(cls, *args, **kwargs):
        model = super().__new__(cls, *args, **kwargs)
        given = given_arguments(cls.__init__, model, args, kwargs)
        object.__setattr__(model, "_given", given)  # Keras would track it.
        return model

    @property
    def arguments(self):
        """The method's constructor arguments by name, as they hold: `depth` is a number."""
        return self._config

    def get_config(self):
        """The constructor's arguments, a subclass's own among them, and what is frozen.

        Raises:
            NotImplementedError: if an argument of a subclass that does not override this
                method is no plain value.
        """
        arguments = saved_arguments(self, self._config, self._given)
        if type(self).get_config is TwoDomainModel.get_config:
            check_saved(type(self), arguments)
        frozen = [path for path, layer in _layers(self) if not layer.trainable]
        return {
            **super().get_config(),
            **{name: value for name, value in arguments.items() if is_plain(value)},
            "published_counts": self.published_counts,
            "framing": self.framing.get_config(),
            **({"frozen": frozen} if frozen else {}),
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        frozen = config.pop("frozen", ())
        model = super().from_config(config)
        if frozen:
            for path, layer in _layers(model):
                layer.trainable = path not in frozen
        return model

    @property
    def monitor_names(self):
        """Names of what `generator_losses` reports beside its losses."""
        return []

    def generator_losses(self, a, b, mask_b=None, training=False):
        """The method's own loss terms on one batch; to be overridden.

        Returns:
            `(terms, code_a, code_b, monitors)`: a dict of unweighted scalar
            losses holding every name in `active_losses` except `confusion`
            (others are left aside), the common codes of a and b, and a dict of
            scalars to show (`monitor_names`, those of `monitors_of_masks` where
            `mask_b` is given), whose mean over an epoch is shown: a weighted one of
            pairs `(scalar, weight)`.
        """
        raise NotImplementedError

    def common_code(self, images, training=False):
        """Ec(images): `(batch, s, s, common_channels)`, the code that the discriminator judges."""
        return self.common_encoder(images, training=training)

    def judged(self, code_a, code_b, training=False):
        """The discriminator's logits of the common codes of a and of b, `(batch, 1)` each."""
        return tuple(self.discriminator(code, training=training) for code in (code_a, code_b))

    def updated_codes(self, a, b):
        """The common codes of a and b for the discriminator's step.

        First b, as MBU's published code, whose running statistics show it.
        """
        code_b = self.common_code(b, training=True)
        return self.common_code(a, training=True), code_b

    def calibrate(self, a: Array, b: Array) -> dict[str, float]:
        """Set what is found without labels once training is over; nothing unless overridden.

        Args:
            a, b: training images of either domain, a few hundred are enough.

        Returns:
            Dict of what was found, by name.
        """
        return {}

    def save(
        self, filepath: FilePath, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
    ) -> None:
        """`keras.Model.save`, but a `.keras` file appears whole or not at all.

        Args:
            filepath, zipped, **kwargs: as Keras has them.
            overwrite: `False` asks before an existing file is replaced.

        Raises:
            FileExistsError: if it may not be replaced and nobody can be asked.
            OSError: if it cannot be written.
            ValueError: on a name that Keras has no format for.
        """
        local = isinstance(filepath, (str, os.PathLike)) and "://" not in str(filepath)
        if local and not overwrite and os.path.exists(filepath) and not _agreed(filepath):
            return
        if local and zipped is not False and str(filepath).endswith(".keras"):
            with replacing(filepath) as beside:
                super().save(beside, zipped=zipped, **kwargs)
        else:  # Keras knows where to, or says what is wrong with the name.
            super().save(filepath, zipped=zipped, **kwargs)

    def export(
        self,
        filepath: FilePath,
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        input_signature: None = None,
        **options: Any,
    ) -> None:
        """`keras.Model.export`, by way of `mbu_tf.exporting`, whose contract it follows.

        Images in [0, 1], one signature for each operation; see `export_model`.

        Args:
            filepath: of `"tf_saved_model"` a folder; of `"litert"` a file ending in
                `.tflite`; of `"onnx"` a folder for one file for each operation, or a file
                ending in `.onnx` for the first.
            format: one of these three.
            verbose: `False` keeps silent about what was written.
            input_signature: not to be given; the operations have their own.
            **options: of `export_saved_model`, `export_tflite`, `export_onnx`.

        Raises:
            ImportError: if Keras's backend is not TensorFlow, or a package is missing.
            OSError: if `filepath` cannot be written to.
            ValueError: on another format, name or signature.
        """
        # Upwards, as Keras's own does, for what is there only when it is called.
        from mbu_tf.exporting.by_format import export_model

        if input_signature is not None:
            raise ValueError(
                "The signatures are those of the model's operations; leave out "
                f"`input_signature`. Received: {input_signature!r}"
            )
        written = export_model(self, filepath, format, **options)
        if verbose is not False:
            print(f"Saved artifact at '{written}'.")


def _layers(parent, path=""):
    """Every layer below `parent` and its path of names, such as `decoder_a/block_1_norm`."""
    for layer in parent._flatten_layers(include_self=False, recursive=False):
        own = f"{path}{layer.name}"
        yield own, layer
        yield from _layers(layer, f"{own}/")


def _agreed(path):
    """Whether the user lets `path` be replaced, asked as Keras asks."""
    answer, question = None, f"[WARNING] {path} already exists - overwrite? [y/n] "
    try:
        while answer not in ("y", "n"):
            answer = input(question).strip().lower()
    except (EOFError, OSError) as error:
        raise FileExistsError(
            f"{path} exists already. Pass overwrite=True or choose another name."
        ) from error
    return answer == "y"

"""The trainer that every two-domain method shares: an adversarial step over five-odd networks."""

import math
import warnings

import keras

from mbu_tf.faces.framing import Framing
from mbu_tf.failures import explaining_tensorflow
from mbu_tf.files import replacing
from mbu_tf.models.from_recipes import FromRecipes
from mbu_tf.models.recipes import default_optimizer
from mbu_tf.networks import blocks

DISCRIMINATOR_CODES = ("updated", "shared")


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


class TwoDomainModel(FromRecipes, training_step(), keras.Model):
    """Base of methods that learn from two image sets A and B by domain confusion.

    One training step (`AdversarialStep`) updates the generator (encoders and
    decoders, all losses plus domain confusion) and then the discriminator. A
    method is a subclass that states

    - `generator_networks`: its networks except the discriminator, as a tuple;
    - `common_encoder` among them, Ec;
    - `discriminator`: the code discriminator;
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
            `get_config` gives back.
        published_counts: counters of the checkpoint of the published code that
            the model came from; `mbu_tf.interop` sets and explains them.
        framing: how its images are framed, what `Framing.of` takes; edits of photos
            (`mbu_tf.photos`) and exports follow it. `None` is the centre square.
        **kwargs: those of `keras.Model`.
    """

    default_loss_weights = {}
    default_confusion_label = 0

    def __init__(self, config=None, published_counts=None, framing=None, **kwargs):
        # Images keep their float32 under mixed precision: networks cast for themselves.
        super().__init__(**{"autocast": False, **kwargs})
        self._config = config or {}
        self.published_counts = published_counts
        self.framing = Framing.of(framing)

    def get_config(self):
        return {
            **super().get_config(),
            **self._config,
            "published_counts": self.published_counts,
            "framing": self.framing.get_config(),
        }

    def compile(
        self,
        optimizer=None,
        discriminator_optimizer=None,
        loss_weights=None,
        generator_clip_norm=5.0,
        discriminator_clip_norm=None,
        confusion_label=None,
        discriminator_codes="updated",
        jit_compile="auto",
        **kwargs,
    ):
        """Set how the model is trained.

        Args:
            optimizer: Keras optimizer of the encoders and decoders; `None` is
                the paper's Adam (2e-4, beta_1 0.5).
            discriminator_optimizer: Keras optimizer of the discriminator, an
                instance of its own; `None` is the paper's Adam again.
            loss_weights: dict from loss name to weight, a number or a
                `keras.optimizers.schedules.LearningRateSchedule` of the
                generator's steps; names left out keep the method's default. A
                term of weight 0 is not computed.
            generator_clip_norm: bound on the global norm of the gradients of
                all encoders and decoders together, or `None`. Published code: 5.
            discriminator_clip_norm: the same for the discriminator. The
                published code asks for 5 but its call has no effect.
            confusion_label: what the generator wants both codes to be called:
                0 (domain A) or 1 (domain B); `None` is the published code's
                choice for the method (equation 3 has 1).
            discriminator_codes: `"updated"` encodes both images anew after
                the generator's update, before the discriminator's step, as
                the published code does; `"shared"` reuses the codes of the
                generator's step, as the paper's text reads, which is quicker.
            jit_compile: whether XLA compiles the step. `"auto"` is yes under
                JAX, which is slow without, and no under TensorFlow. There XLA
                is for GPUs: on a CPU it takes very long to compile the step, and a
                warning says so.
            **kwargs: the rest of `keras.Model.compile`.

        Raises:
            ValueError: on an unknown loss name, an argument outside its range, or an
                optimizer that averages weights (`use_ema`).
        """
        unknown = sorted(set(loss_weights or {}) - set(self.default_loss_weights))
        if unknown:
            raise ValueError(
                f"`loss_weights` has unknown names {unknown}; known are "
                f"{sorted(self.default_loss_weights)}. Received: loss_weights={loss_weights}"
            )
        if discriminator_codes not in DISCRIMINATOR_CODES:
            raise ValueError(
                f"`discriminator_codes` must be one of {list(DISCRIMINATOR_CODES)}. "
                f"Received: discriminator_codes={discriminator_codes!r}"
            )
        if confusion_label is None:
            confusion_label = self.default_confusion_label
        if confusion_label not in (0, 1):
            raise ValueError(
                "`confusion_label` must be 0 (domain A) or 1 (domain B). "
                f"Received: confusion_label={confusion_label!r}"
            )
        optimizer = keras.optimizers.get(optimizer or default_optimizer())
        discriminator_optimizer = keras.optimizers.get(
            discriminator_optimizer or default_optimizer()
        )
        if optimizer is discriminator_optimizer:
            raise ValueError(
                "`optimizer` and `discriminator_optimizer` must be two instances, since each "
                f"keeps the state of its own variables. Received: {optimizer} twice"
            )
        for each in (optimizer, discriminator_optimizer):
            if each.use_ema:
                raise ValueError(
                    "Averaged weights would not fit the running statistics of batch normalisation, "
                    "and Keras averages those of all networks with one optimizer; leave `use_ema` "
                    f"out. Received: {each.name} with use_ema=True"
                )
        compiled = self._checked_jit(jit_compile, kwargs.get("run_eagerly", False))
        super().compile(optimizer=optimizer, jit_compile=compiled, **kwargs)
        self.discriminator_optimizer = self._loss_scaled(discriminator_optimizer)
        self.loss_weights = {
            name: _weight(name, weight)
            for name, weight in {**self.default_loss_weights, **(loss_weights or {})}.items()
        }
        self.generator_clip_norm = generator_clip_norm
        self.discriminator_clip_norm = discriminator_clip_norm
        self.confusion_label = confusion_label
        self.discriminator_codes = discriminator_codes
        self._extra_compile_config = {"jit_compile": jit_compile, **kwargs}
        self._build_optimizers()
        self._build_metrics()

    def _checked_jit(self, jit_compile, run_eagerly):
        if jit_compile == "auto":
            return self.compiled_by_default and not run_eagerly
        if jit_compile and self.xla_takes_long():
            warnings.warn(
                "XLA takes many minutes to compile the training step for a CPU, if it ends at all; "
                "leave out `jit_compile`. Received: jit_compile=True without a GPU",
                stacklevel=3,
            )
        return jit_compile

    def _loss_scaled(self, optimizer):
        """Wrap `optimizer` for float16, as `keras.Model.compile` wraps only the first."""
        scaler = keras.optimizers.LossScaleOptimizer
        if self.dtype_policy.name == "mixed_float16" and not isinstance(optimizer, scaler):
            optimizer = scaler(optimizer, name="discriminator_loss_scale_optimizer")
        return optimizer

    def _build_optimizers(self):
        """Create both optimizers' state now, so that a saved state has a place to go."""
        if not self.optimizer.built:
            self.optimizer.build(self.generator_variables)
        if not self.discriminator_optimizer.built:
            self.discriminator_optimizer.build(self.discriminator.trainable_variables)

    def _build_metrics(self):
        self._trackers = {}
        names = ["loss", *self.active_losses, "discriminator_loss", "discriminator_accuracy"]
        for name in [*names, *self.monitor_names]:
            self._trackers[name] = keras.metrics.Mean(name=name, dtype=blocks.wide_dtype())
        self._trackers["skipped_steps"] = keras.metrics.Sum(name="skipped_steps")

    @property
    def active_losses(self):
        """Names of the loss terms whose weight is not 0."""
        return [name for name, weight in self.loss_weights.items() if weight != 0]

    def loss_weight(self, name):
        """The weight of a loss term at this step."""
        weight = self.loss_weights[name]
        return weight(self.optimizer.iterations) if callable(weight) else weight

    @property
    def monitor_names(self):
        """Names of what `generator_losses` reports beside its losses."""
        return []

    @property
    def generator_variables(self):
        return [v for network in self.generator_networks for v in network.trainable_variables]

    @property
    def metrics(self):
        return list(getattr(self, "_trackers", {}).values())

    def generator_losses(self, a, b, mask_b=None, training=False):
        """The method's own loss terms on one batch; to be overridden.

        Returns:
            `(terms, code_a, code_b, monitors)`: a dict of unweighted scalar
            losses holding every name in `active_losses` except `confusion`
            (others are left aside), the common codes of a and b, and a dict of
            scalars to show (`monitor_names`).
        """
        raise NotImplementedError

    def common_code(self, images, training=False):
        """Ec(images): `(batch, s, s, common_channels)`, the code that the discriminator judges."""
        return self.common_encoder(images, training=training)

    def updated_codes(self, a, b):
        """The common codes of a and b for the discriminator's step.

        First b, as MBU's published code, whose running statistics show it.
        """
        code_b = self.common_code(b, training=True)
        return self.common_code(a, training=True), code_b

    def calibrate(self, a, b):
        """Set what is found without labels once training is over; nothing unless overridden.

        Args:
            a, b: training images of either domain, a few hundred are enough.

        Returns:
            Dict of what was found, by name.
        """
        return {}

    def _update_metrics(self, total, terms, monitors, discriminator_loss, accuracy):
        values = {
            "loss": total,
            **terms,
            **monitors,
            "discriminator_loss": discriminator_loss,
            "discriminator_accuracy": accuracy,
        }
        for name, value in values.items():
            self._trackers[name].update_state(value)
        # What this batch could not measure (iou without masks) is not shown.
        return {name: self._trackers[name].result() for name in values}

    def fit(self, *args, **kwargs):
        """`keras.Model.fit`; errors of its data and exhausted memory name the mend.

        Raises:
            OutOfMemory, ValueError, OSError: see `explaining_tensorflow`.
        """
        with explaining_tensorflow():
            return super().fit(*args, **kwargs)

    def save(self, filepath, *args, **kwargs):
        """`keras.Model.save`, but the file appears whole or not at all."""
        with replacing(filepath) as beside:
            super().save(beside, *args, **kwargs)

    def get_compile_config(self):
        if not self.compiled:
            return {}
        return {
            "optimizer": keras.saving.serialize_keras_object(self.optimizer),
            "discriminator_optimizer": keras.saving.serialize_keras_object(
                self.discriminator_optimizer
            ),
            "loss_weights": {
                name: keras.saving.serialize_keras_object(weight)
                for name, weight in self.loss_weights.items()
            },
            "generator_clip_norm": self.generator_clip_norm,
            "discriminator_clip_norm": self.discriminator_clip_norm,
            "confusion_label": self.confusion_label,
            "discriminator_codes": self.discriminator_codes,
            **self._extra_compile_config,
        }

    def compile_from_config(self, config):
        # Whether XLA compiles is a matter of the machine and backend that a file is loaded on.
        if not config.get("jit_compile") or self.xla_takes_long():
            config = {**config, "jit_compile": "auto"}
        self.compile(**keras.saving.deserialize_keras_object(config))


def _weight(name, weight):
    """A loss weight as given, a serialised schedule revived."""
    if isinstance(weight, dict):
        weight = keras.saving.deserialize_keras_object(weight)
    number = isinstance(weight, (int, float)) and math.isfinite(weight) and weight >= 0
    if not (number or isinstance(weight, keras.optimizers.schedules.LearningRateSchedule)):
        raise ValueError(
            f"The loss weight of {name!r} must be a number of at least 0 or a "
            f"`keras.optimizers.schedules.LearningRateSchedule`. Received: {weight!r}"
        )
    return weight

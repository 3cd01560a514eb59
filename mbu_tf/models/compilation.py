"""How a two-domain model is to be trained: optimizers, loss weights, what else `compile` sets."""

import math
import warnings
from typing import Any

import keras

from mbu_tf.models.learning_rates import RATES, LinkedLearningRates
from mbu_tf.models.recipes import default_optimizer
from mbu_tf.models.steering import AUTO, PREFIX, RULES, Steering
from mbu_tf.models.step_mean import StepMean

DISCRIMINATOR_CODES = ("updated", "shared")
CONFUSION_LABELS = (0, 1, "other")
NO_ADDED_LOSS = (
    "`add_loss` and activity regularisers are not counted: give the term by name from "
    "`generator_losses`, and its weight in `default_loss_weights`."
)


class _Kept:
    """Stands for what the model has, where `None` has a meaning of its own."""

    def __repr__(self):
        return "as it is"


KEPT = _Kept()


class Compilation:
    """`compile` of two optimizers and weighted losses, and its saving; a mixin of `TwoDomainModel`.

    A subclass states `default_loss_weights` and, if it is another than 0,
    `default_confusion_label`; and in `steering_rules` which of `steering.RULES` steer
    weights of its losses, for which it measures what they read.
    """

    default_loss_weights = {}
    default_confusion_label = 0
    steering_rules = ("confusion",)

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.loss_weights = dict(self.default_loss_weights)
        self._steering = None
        self.generator_clip_norm, self.discriminator_clip_norm = 5.0, None
        self.confusion_label = self.default_confusion_label
        self.discriminator_codes = "updated"

    def compile(
        self,
        optimizer: Any = None,
        discriminator_optimizer: Any = None,
        loss_weights: dict[str, float] | None = None,
        generator_clip_norm: Any = KEPT,
        discriminator_clip_norm: Any = KEPT,
        confusion_label: Any = None,
        discriminator_codes: Any = None,
        jit_compile: bool | str = "auto",
        **kwargs: Any,
    ) -> None:
        """Set how the model is trained.

        What is left out stays as it is: in a model from a recipe or a file the
        weights, optimizers and their state of before, in a new one the published
        defaults.

        Args:
            optimizer: Keras optimizer of the encoders and decoders; of a new
                model the paper's Adam (2e-4, beta_1 0.5). Where its learning
                rate is assigned, as `LearningRateScheduler` and `ReduceLROnPlateau`
                do, the discriminator's follows in proportion (`LinkedLearningRates`).
            discriminator_optimizer: Keras optimizer of the discriminator, an
                instance of its own; the paper's Adam again.
            loss_weights: dict from loss name to weight, a number, a
                `keras.optimizers.schedules.LearningRateSchedule` of the
                generator's steps, or `"auto"`: it is then moved by what training
                measures (`mbu_tf.models.steering`) and shown in the logs. A term of
                weight 0 is not computed.
            generator_clip_norm: bound on the global norm of the gradients of
                all encoders and decoders together, or `None`. Published code: 5.
            discriminator_clip_norm: the same for the discriminator, `None` in a
                new model. The published code asks for 5 but its call has no effect.
            confusion_label: what the generator wants both codes to be called:
                0 (domain A), 1 (domain B) or `"other"` (each the domain that it is not
                of); in a new model the published code's choice for the method
                (equation 3 has 1).
            discriminator_codes: `"updated"`, in a new model, encodes both images
                anew after the generator's update, before the discriminator's
                step, as the published code does; `"shared"` reuses the codes of
                the generator's step, as the paper's text reads, which is quicker.
            jit_compile: whether XLA compiles the step. `"auto"` is yes under
                JAX, which is slow without, and no under TensorFlow. There XLA
                is for GPUs: on a CPU it takes very long to compile the step, and a
                warning says so.
            **kwargs: `run_eagerly`, `steps_per_execution` and `auto_scale_loss`
                of `keras.Model.compile`, which have its defaults at every call.

        Weight regularisers of the networks count in `loss` and `discriminator_loss`.

        Raises:
            ValueError: on an unknown loss name, an argument outside its range, an
                optimizer that averages weights (`use_ema`), or what Keras's own
                training has and this one has not: `loss`, `metrics`, an overridden
                `compute_loss` or `compute_metrics`.
        """
        self._refuse_what_is_not_used(kwargs)
        given = loss_weights or {}
        unknown = sorted(set(given) - set(self.default_loss_weights))
        if unknown:
            raise ValueError(
                f"`loss_weights` has unknown names {unknown}; known are "
                f"{sorted(self.default_loss_weights)}. Received: loss_weights={loss_weights}"
            )
        weights = {name: _weight(name, x) for name, x in {**self.loss_weights, **given}.items()}
        rules = self._rules_of(weights)
        codes = self.discriminator_codes if discriminator_codes is None else discriminator_codes
        if codes not in DISCRIMINATOR_CODES:
            raise ValueError(
                f"`discriminator_codes` must be one of {list(DISCRIMINATOR_CODES)}. "
                f"Received: discriminator_codes={discriminator_codes!r}"
            )
        label = self.confusion_label if confusion_label is None else confusion_label
        if label not in CONFUSION_LABELS:
            raise ValueError(
                '`confusion_label` must be 0 (domain A), 1 (domain B) or "other". '
                f"Received: confusion_label={confusion_label!r}"
            )
        for name, bound in (
            ("generator_clip_norm", generator_clip_norm),
            ("discriminator_clip_norm", discriminator_clip_norm),
        ):
            if bound is not KEPT and bound is not None and not (_is_number(bound) and bound > 0):
                raise ValueError(
                    f"`{name}` must be a positive number or None. Received: {name}={bound!r}"
                )
        before = self._both_optimizers()
        optimizers = _checked_optimizers(
            optimizer or before[0], discriminator_optimizer or before[1]
        )
        compiled = self._checked_jit(jit_compile, kwargs.get("run_eagerly", False))
        super().compile(optimizer=optimizers[0], jit_compile=compiled, **kwargs)
        self.discriminator_optimizer = self._loss_scaled(optimizers[1])
        if before != self._both_optimizers():
            self._learning_rates = LinkedLearningRates(*self._both_optimizers())
        self.loss_weights = weights
        if rules != list(self._steering.rules if self._steering else ()):
            self._steering = Steering(rules, self._wide) if rules else None
        if generator_clip_norm is not KEPT:
            self.generator_clip_norm = generator_clip_norm
        if discriminator_clip_norm is not KEPT:
            self.discriminator_clip_norm = discriminator_clip_norm
        self.confusion_label = label
        self.discriminator_codes = codes
        self._extra_compile_config = {"jit_compile": jit_compile, **kwargs}
        self._build_optimizers()
        self._build_metrics()

    def _rules_of(self, weights):
        """Names of the rules that steer what is to be steered.

        Raises:
            ValueError: if there is none for one of the weights.
        """
        steered = {loss for loss, weight in weights.items() if weight == AUTO}
        known = {loss: rule for rule in self.steering_rules for loss in RULES[rule].losses}
        if steered - known.keys():
            raise ValueError(
                f"Of {type(self).__name__}'s loss weights only {sorted(known)} can be {AUTO!r}. "
                f"Received: {AUTO!r} for {sorted(steered - known.keys())}"
            )
        return [rule for rule in self.steering_rules if steered & {*RULES[rule].losses}]

    @property
    def steering(self):
        """The `Steering` of weights that are `"auto"`, or `None`."""
        return self._steering

    @property
    def measured_for_steering(self):
        """Names of what the rules of steered weights read."""
        return self._steering.measured if self._steering else []

    @property
    def _wide(self):
        """What losses are computed in."""
        return "float64" if self.compute_dtype == "float64" else "float32"

    def _refuse_what_is_not_used(self, arguments):
        """Raise `ValueError` for what `keras.Model` would train by."""
        for name in ("loss", "metrics", "weighted_metrics"):
            if arguments.get(name) is not None:
                raise ValueError(
                    f"`{name}` has no meaning here: the losses are the method's own. Weigh them "
                    "with `loss_weights`, or override `generator_losses`, which also names "
                    f"scalars to show. Received: {name}={arguments[name]!r}"
                )
        for name in ("compute_loss", "compute_metrics"):
            if getattr(type(self), name) is not getattr(keras.Model, name):
                raise ValueError(
                    f"`{type(self).__name__}.{name}` would never be called: override "
                    "`generator_losses`, which gives the loss terms and scalars to show."
                )

    def add_loss(self, loss):
        """Not here: `generator_losses` gives every term by name.

        Raises:
            ValueError: always.
        """
        raise ValueError(NO_ADDED_LOSS)

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

    def _both_optimizers(self):
        """The generator's and the discriminator's, `None` before the first `compile`."""
        names = ("optimizer", "discriminator_optimizer")
        return tuple(getattr(self, name, None) for name in names)

    def _build_optimizers(self):
        """Create both optimizers' state now, so that a saved state has a place to go.

        It has a place for frozen weights as well: it fits whatever is frozen later.
        """
        if not self.optimizer.built:
            self.optimizer.build([v for x in self.generator_networks for v in _all_trained(x)])
        if not self.discriminator_optimizer.built:
            self.discriminator_optimizer.build(_all_trained(self.discriminator))

    def _build_metrics(self):
        self._trackers = {}
        names = ["loss", *self.active_losses, "discriminator_loss", "discriminator_accuracy"]
        names += self.monitor_names
        unmeasured = sorted(set(self.measured_for_steering) - set(names))
        if unmeasured:
            raise ValueError(
                f"Weights that are {AUTO!r} are steered by what is not measured here: give "
                f"recon1_a and recon1_b a weight. Received: no {', '.join(unmeasured)}"
            )
        for name in names:
            self._trackers[name] = StepMean(name=name, dtype=self._wide)
        self._trackers["skipped_steps"] = keras.metrics.Sum(name="skipped_steps")

    @property
    def metrics(self):
        """What the last call measures, training at first, in the order of `metrics_names`."""
        without = [] if self._with_masks else [*self.monitors_of_masks]
        without += ["skipped_steps"] if self._evaluates else []
        trackers = getattr(self, "_trackers", {})
        return [tracker for name, tracker in trackers.items() if name not in without]

    @property
    def active_losses(self):
        """Names of the loss terms whose weight is not 0."""
        return [name for name, weight in self.loss_weights.items() if weight != 0]

    def loss_weight(self, name):
        """The weight of a loss term at this step."""
        weight = self.loss_weights[name]
        if weight == AUTO:
            return self._steering.weight(name)
        return weight(self.optimizer.iterations) if callable(weight) else weight

    def save_own_variables(self, store):
        super().save_own_variables(store)
        if self.compiled:
            self._learning_rates.save(store)
            if self._steering:
                self._steering.save(store)

    def load_own_variables(self, store):
        state = {name: store[name] for name in store.keys()}
        steered = {n: x for n, x in state.items() if n.startswith(PREFIX)}
        own = {n: x for n, x in state.items() if n not in (*RATES, *steered)}
        super().load_own_variables(own)
        if self.compiled:
            self._learning_rates.load(state)
            if self._steering:
                self._steering.load(steered)

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


def _checked_optimizers(*given):
    """Both sides' optimizers; the paper's Adam for `None`.

    Raises:
        ValueError: if they are one instance, or one averages weights.
    """
    optimizers = [keras.optimizers.get(x or default_optimizer()) for x in given]
    if optimizers[0] is optimizers[1]:
        raise ValueError(
            "`optimizer` and `discriminator_optimizer` must be two instances, since each "
            f"keeps the state of its own variables. Received: {optimizers[0]} twice"
        )
    for each in optimizers:
        if each.use_ema:
            raise ValueError(
                "Averaged weights would not fit the running statistics of batch normalisation, "
                "and Keras averages those of all networks with one optimizer; leave `use_ema` "
                f"out. Received: {each.name} with use_ema=True"
            )
    return optimizers


def _all_trained(network):
    """The variables of a network that training moves where nothing is frozen, in its order."""
    trained = {id(v) for layer in network._flatten_layers() for v in layer._trainable_variables}
    return [v for v in network.variables if id(v) in trained]


def _is_number(value):
    return isinstance(value, (int, float)) and type(value) is not bool and math.isfinite(value)


def _weight(name, weight):
    """A loss weight as given, a serialised schedule revived."""
    if isinstance(weight, dict):
        weight = keras.saving.deserialize_keras_object(weight)
    number = _is_number(weight) and weight >= 0
    schedule = isinstance(weight, keras.optimizers.schedules.LearningRateSchedule)
    if not (number or schedule or weight == AUTO):
        raise ValueError(
            f"The loss weight of {name!r} must be a number of at least 0, {AUTO!r} or a "
            f"`keras.optimizers.schedules.LearningRateSchedule`. Received: {weight!r}"
        )
    return weight

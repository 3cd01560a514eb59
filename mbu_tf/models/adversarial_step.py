"""The adversarial training step, written once for every backend."""

import keras
from keras import ops

from mbu_tf import losses
from mbu_tf.models.compilation import NO_ADDED_LOSS
from mbu_tf.models.first_batch import check_lengths, pair


class AdversarialStep:
    """A generator's and then a discriminator's update on one batch; a mixin.

    Its way is losses -> gradients -> finite or not -> clipped -> applied, for
    one side after the other. A backend's class (`TensorFlowStep`, `JAXStep`)
    adds what Keras calls, `train_step`, `test_step` and `predict_step`, and states

    - `_gradients(forward, optimizer, variables)`: what `forward()` returns and
      the gradients of its first item, times the loss scale of `optimizer`;
    - `_global_norm(tensors)`: of all of them together;
    - `_values(variables)`: tensors that later assignments leave alone;
    - `_only_if(condition, update, variables)`: run `update()`, which assigns to
      `variables`, where the boolean scalar `condition` holds.

    A step whose gradients are not finite, be it an image, an overflow in
    float16 or a diverging loss, changes no weight, no state of an optimizer and
    no running statistic, in any precision. `skipped_steps` of the logs counts such
    steps since the epoch began. Losses that are not finite are shown in the logs of
    their step alone: an epoch's means are of the other steps. Loss scales alone go on
    adapting, each by its own side's gradients.
    """

    def adversarial_step(self, data):
        """Both updates on a batch, see `TwoDomainModel`; returns the logs."""
        a, b, mask_b = self._pair(data)
        self._learning_rates.follow()
        moving = self._state_moved_before_checks()
        held = self._values(moving)

        variables = self.generator_variables
        (total, terms, codes, monitors), gradients = self._gradients(
            lambda: self._generator_forward(a, b, mask_b, training=True), self.optimizer, variables
        )
        finite = self._update(self.optimizer, gradients, variables, self.generator_clip_norm)

        if self.discriminator_codes == "updated":
            codes = self.updated_codes(a, b)
        codes = [ops.stop_gradient(c) for c in codes]
        variables = self.discriminator.trainable_variables
        (discriminator_loss, accuracy), gradients = self._gradients(
            lambda: self._discriminator_forward(codes, training=True),
            self.discriminator_optimizer,
            variables,
        )
        finite = self._update(
            self.discriminator_optimizer,
            gradients,
            variables,
            self.discriminator_clip_norm,
            provided=finite,
        )

        def take_back():
            for variable, value in zip(moving, held, strict=True):
                variable.assign(value)

        skipped = ops.logical_not(finite)
        self._only_if(skipped, take_back, moving)
        skips = self._trackers["skipped_steps"]
        # Keras adds up what all replicas count.
        skips.update_state(ops.cast(skipped, skips.dtype) / self._replicas())
        measured = self._measured(total, terms, monitors, discriminator_loss, accuracy)
        values = {n: x[0] if isinstance(x, tuple) else x for n, x in measured.items()}
        whole = ops.all(ops.isfinite(ops.stack([ops.cast(x, "float32") for x in values.values()])))
        if self._steering:
            self._steering.follow(measured, ops.logical_and(finite, whole))
        logs = {
            # What was not finite is seen at its step.
            name: ops.where(whole, mean, ops.cast(values[name], mean.dtype))
            for name, mean in self._counted(measured, whole).items()
        }
        steered = self._steering.logs() if self._steering else {}
        return {**logs, **steered, "skipped_steps": skips.result() * self._replicas()}

    def _replicas(self):
        """How many devices share each batch; their `_gradients` are those of all of it."""
        return 1

    def evaluation_step(self, data):
        """All losses of a batch; returns the logs."""
        a, b, mask_b = self._pair(data)
        total, terms, codes, monitors = self._generator_forward(a, b, mask_b, training=False)
        discriminator_loss, accuracy = self._discriminator_forward(codes, training=False)
        return self._counted(self._measured(total, terms, monitors, discriminator_loss, accuracy))

    @staticmethod
    def _measured(total, terms, monitors, discriminator_loss, accuracy):
        """A batch's figures by the names that they are shown under."""
        discriminators = {
            "discriminator_loss": discriminator_loss,
            "discriminator_accuracy": accuracy,
        }
        return {"loss": total, **terms, **monitors, **discriminators}

    def _counted(self, measured, counts=True):
        """The means of the epoch so far."""
        for name, value in measured.items():
            self._trackers[name].update_state(value, counts)
        return {name: self._trackers[name].result() for name in measured}

    def prediction_step(self, data):
        """`call` on a batch `(a, b)`."""
        return self(self._pair(data)[:2], training=False)

    @staticmethod
    def _pair(data):
        """`(a, b, mask_b or None)` of a batch, whose lengths, where known, are equal."""
        batch = pair(data)
        check_lengths(*batch)
        return batch

    def _generator_forward(self, a, b, mask_b, training):
        """The weighted sum of all terms, the terms, both common codes, and what to show."""
        terms, code_a, code_b, monitors = self.generator_losses(a, b, mask_b, training=training)
        missing = set(self.active_losses) - {*terms, "confusion"}
        if missing:
            raise ValueError(
                f"`{type(self).__name__}.generator_losses` must give a term for each loss whose "
                f"weight is not 0. Received: none for {sorted(missing)}"
            )
        terms = {name: term for name, term in terms.items() if name in self.active_losses}
        if "confusion" in self.active_losses:
            logits = self.judged(code_a, code_b, training)
            terms["confusion"] = losses.domain_confusion_loss(*logits, self.confusion_label)
        parts = [self.loss_weight(name) * term for name, term in terms.items()]
        for network in self.generator_networks:
            parts += regularization(network)
        return sum(parts), terms, (code_a, code_b), monitors

    def _discriminator_forward(self, codes, training):
        """The discriminator's loss and accuracy."""
        logits_a, logits_b = self.judged(*codes, training)
        correct = [ops.mean(ops.cast(x, "float32")) for x in (logits_a < 0, logits_b > 0)]
        parts = [losses.discriminator_loss(logits_a, logits_b), *regularization(self.discriminator)]
        return sum(parts), (correct[0] + correct[1]) / 2.0

    def _update(self, optimizer, gradients, variables, clip_norm, provided=True):
        """Clip by the unscaled global norm and let `optimizer` apply it, if it is finite.

        Variables that the loss does not reach (a term of weight 0 may leave a
        network unused) keep their values; with none left, all being frozen, there
        is nothing to do.

        Args:
            provided: a further condition.

        Returns:
            Whether it was applied.
        """
        reached = [(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None]
        if not reached:
            return ops.convert_to_tensor(provided, dtype="bool")
        gradients, variables = zip(*reached, strict=True)
        norm = self._global_norm(gradients)
        scale = optimizer.scale_loss(ops.ones((), dtype=norm.dtype))
        norm = norm / scale
        finite = ops.isfinite(norm)
        applied = ops.logical_and(finite, provided)

        scaler = optimizer if isinstance(optimizer, keras.optimizers.LossScaleOptimizer) else None
        factor = None
        if clip_norm is not None:
            # The published code's rule, whose small constant shows in float64.
            factor = ops.minimum(clip_norm / (norm + 1e-6), 1.0)
        if scaler is not None:
            optimizer = scaler.inner_optimizer
            factor = (1.0 if factor is None else factor) / scale
        if factor is not None:
            gradients = [g * ops.cast(factor, g.dtype) for g in gradients]
        if self._replicas() > 1:  # Keras's optimizers add up those of all, here the same.
            gradients = [g / self._replicas() for g in gradients]
        self._only_if(
            applied,
            lambda: optimizer.apply(gradients, variables),
            [*variables, *optimizer.variables],
        )
        if scaler is not None:
            adapt_loss_scale(scaler, finite)
        return applied

    def _state_moved_before_checks(self):
        """What a step moves before it is known to be finite, and may have to take back.

        Running statistics and singular vectors, which every pass moves; and the
        generator's update, where the discriminator has a loss scale of its own to
        overflow. Without one, what is not finite shows in the generator's gradients
        first, and a copy of all weights and moments is saved.
        """
        networks = (*self.generator_networks, self.discriminator)
        moved = [v for network in networks for v in network.non_trainable_variables]
        if isinstance(self.discriminator_optimizer, keras.optimizers.LossScaleOptimizer):
            inner = getattr(self.optimizer, "inner_optimizer", self.optimizer)
            moved += [*self.generator_variables, *inner.variables]
        return moved


def regularization(network):
    """What the weight regularisers of a network give.

    Raises:
        ValueError: if its layers have losses of another kind, which would not be counted.
    """
    terms = [v.regularizer(v) for v in network.trainable_variables if v.regularizer is not None]
    if len(network.losses) > len(terms):
        raise ValueError(NO_ADDED_LOSS)
    return terms


def adapt_loss_scale(optimizer, finite):
    """Dynamic loss scaling, as a `keras.optimizers.LossScaleOptimizer` has it, down to 1.

    Half the scale after gradients that are not finite, twice the scale after
    `dynamic_growth_steps` finite ones in a row. Keras's own halves without end,
    and a scale of 0 never comes back.

    Args:
        optimizer: the `LossScaleOptimizer`.
        finite: whether this step's gradients were, a boolean scalar.
    """
    scale = ops.convert_to_tensor(optimizer.dynamic_scale)
    steps = ops.convert_to_tensor(optimizer.step_counter) + 1
    due = ops.equal(steps, optimizer.dynamic_growth_steps)
    halved = ops.maximum(scale * 0.5, 1.0)
    optimizer.dynamic_scale.assign(ops.where(finite, ops.where(due, scale * 2.0, scale), halved))
    counting = ops.logical_and(finite, ops.logical_not(due))
    optimizer.step_counter.assign(ops.where(counting, steps, ops.zeros_like(steps)))

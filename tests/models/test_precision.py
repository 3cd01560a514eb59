"""Steps that are not finite, on either side and in any precision, and loss scales."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mbu_tf.models.adversarial_step import adapt_loss_scale
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.loading import load_model

TINY = {"image_size": 8, "width": 0.02, "separate_channels": 1}
SIDES = ("optimizer", "discriminator_optimizer")


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    return tuple(rng.uniform(-1, 1, (2, 4, 8, 8, 3)).astype("float32"))


def new_model(policy, **arguments):
    keras.config.set_dtype_policy(policy)
    keras.utils.set_random_seed(0)
    model = MaskedContentTransfer(**TINY)
    model.compile(keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2), **arguments)
    return model


def state(model):
    """Everything that a skipped step must leave as it is, by path."""
    inner = [getattr(x, "inner_optimizer", x) for x in (getattr(model, s) for s in SIDES)]
    return {
        f"{i}/{j}/{v.path}": keras.ops.convert_to_numpy(v).copy()
        for i, owner in enumerate((model, *inner))
        for j, v in enumerate(owner.variables)
    }


def moved(before, model):
    return {name for name, x in state(model).items() if not np.array_equal(before[name], x)}


def overflow(model, side):
    """A loss scale at which the gradients of one side overflow in float32."""
    getattr(model, side).dynamic_scale.assign(1e38)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_a_batch_that_is_not_finite_changes_nothing_and_is_counted(policy, pair):
    model = new_model(policy)
    a, b = pair
    broken = a.copy()
    broken[2, 3, 4, 1] = np.nan
    model.train_step((a, b))
    before = state(model)
    model.reset_metrics()
    logs = model.train_step((broken, b))
    assert not moved(before, model) and np.isnan(logs["loss"]) and logs["skipped_steps"] == 1
    logs = model.train_step((a, b))
    assert logs["skipped_steps"] == 1
    assert len(moved(before, model)) > len(model.variables)  # And moments.
    assert all(np.isfinite(x).all() for x in state(model).values())
    assert all(getattr(model, side).iterations == 2 for side in SIDES)


@pytest.mark.slow
@pytest.mark.parametrize("codes", ["updated", "shared"])
@pytest.mark.parametrize("side,other", [SIDES, SIDES[::-1]])
def test_an_overflow_on_one_side_skips_both_and_halves_its_own_scale(side, other, codes, pair):
    model = new_model("mixed_float16", discriminator_codes=codes)
    model.train_step(pair)
    overflow(model, side)
    scale, before = float(getattr(model, other).dynamic_scale), state(model)
    logs = model.train_step(pair)
    assert not moved(before, model) and logs["skipped_steps"] == 1
    assert np.isfinite(logs["loss"]) and np.isfinite(logs["discriminator_loss"])
    assert float(getattr(model, side).dynamic_scale) == pytest.approx(0.5e38)
    assert float(getattr(model, other).dynamic_scale) == scale
    assert (getattr(model, side).step_counter, getattr(model, other).step_counter) == (0, 2)


@pytest.mark.slow
def test_fit_counts_the_skipped_steps_of_an_epoch_and_evaluate_has_none(pair):
    model = new_model("float32")
    a, b = (np.concatenate([x, x, x]) for x in pair)
    a[5] = np.inf
    data = tf.data.Dataset.from_tensor_slices((a, b)).batch(4)
    history = model.fit(data, epochs=2, shuffle=False, verbose=0).history
    assert history["skipped_steps"] == [1, 1]
    assert model.optimizer.iterations == model.discriminator_optimizer.iterations == 4
    assert all(np.isfinite(x).all() for x in state(model).values())
    assert "skipped_steps" not in model.evaluate(*pair, return_dict=True, verbose=0)


@pytest.mark.usefixtures("eagerly")
def test_a_skipped_step_does_not_hide_the_epochs_losses(pair):
    """The epoch's means are those of its other steps; the step's own logs show what it was."""
    a, b = (np.concatenate([x, x]) for x in pair)
    a[5] = np.nan
    data = tf.data.Dataset.from_tensor_slices((a, b)).batch(4)
    seen = []
    callback = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(dict(logs))
    )
    model = new_model("float32")
    history = model.fit(data, epochs=1, shuffle=False, verbose=0, callbacks=[callback]).history
    first, second = seen
    for name in ("loss", "recon1_a", "recon1_b", "discriminator_loss"):
        assert history[name] == [pytest.approx(first[name])]
    assert np.isnan(second["loss"]) and np.isnan(second["recon1_a"])
    assert history["skipped_steps"] == [1]
    # With none that is finite there is no mean; in evaluation all count.
    lost = model.fit(data.skip(1), shuffle=False, verbose=0).history
    assert np.isnan(lost["loss"]) and lost["skipped_steps"] == [1]
    assert np.isnan(model.evaluate(data, verbose=0, return_dict=True)["loss"])


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_the_names_of_metrics_are_those_of_what_is_returned(pair):
    model = new_model("float32")
    mask = np.ones((4, 8, 8, 1), "float32")
    for door, data in (
        (model.train_on_batch, pair),
        (model.test_on_batch, (*pair, mask)),
        (model.train_on_batch, (*pair, mask)),
        (model.test_on_batch, pair),
    ):
        by_name = door(*data, return_dict=True)
        assert set(by_name) == set(model.metrics_names)
        in_order = dict(zip(model.metrics_names, door(*data), strict=True))
        assert in_order["mask_coverage"] == pytest.approx(by_name["mask_coverage"], abs=0.1)
        assert in_order["loss"] == pytest.approx(by_name["loss"], rel=0.2)
        assert ("iou" in by_name) == (len(data) == 3)


@pytest.mark.slow
def test_the_step_does_not_depend_on_the_loss_scale(pair):
    """In float32 arithmetic a power of two as a scale changes no digit."""
    weights = []
    for scale in (1.0, 2.0**10):
        keras.utils.set_random_seed(0)
        model = MaskedContentTransfer(**TINY)
        wrapped = [
            keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(1e-2), initial_scale=scale)
            for _ in SIDES
        ]
        model.compile(*wrapped, generator_clip_norm=0.1, discriminator_clip_norm=0.1)
        model.train_step(pair)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-8)


def test_loss_scales_adapt_as_keras_has_it_but_not_below_1():
    variable = keras.Variable(0.0)

    def scaler():
        optimizer = keras.optimizers.LossScaleOptimizer(
            keras.optimizers.SGD(), initial_scale=8.0, dynamic_growth_steps=3
        )
        optimizer.build([variable])
        return optimizer

    ours, keras_own = scaler(), scaler()
    for gradient in (0.0, np.nan, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, np.inf, 0.0):
        adapt_loss_scale(ours, np.isfinite(gradient))
        keras_own.apply([keras.ops.convert_to_tensor(gradient, "float32")], [variable])
        for name in ("dynamic_scale", "step_counter"):
            assert float(getattr(ours, name)) == float(getattr(keras_own, name)), gradient
    for _ in range(9):
        adapt_loss_scale(ours, False)
    assert ours.dynamic_scale == 1.0


@pytest.mark.slow
def test_losses_statistics_and_outputs_are_float32_in_mixed_precision(pair):
    """The loss of a float16 model is that of its float32 copy but for its networks' rounding."""
    model, wide = new_model("mixed_float16"), new_model("float32")
    wide.set_weights(model.get_weights())
    total, terms, codes, _ = model._generator_forward(*pair, None, training=True)
    dtype = keras.backend.standardize_dtype
    assert {dtype(x.dtype) for x in (total, *terms.values())} == {"float32"}
    assert {dtype(x.dtype) for x in codes} == {"float16"}
    exact = wide._generator_forward(*pair, None, training=True)[1]
    for name, term in terms.items():
        assert float(term) == pytest.approx(float(exact[name]), rel=0.01), name
    statistics = [v for v in model.non_trainable_variables if "moving" in v.path]
    exact = [v for v in wide.non_trainable_variables if "moving" in v.path]
    assert statistics and {v.dtype for v in statistics} == {"float32"}
    for v, w in zip(statistics, exact, strict=True):
        np.testing.assert_allclose(v, w, rtol=0.02, atol=0.02, err_msg=v.path)


@pytest.mark.slow
def test_loss_scales_and_counts_are_saved(pair, tmp_path):
    model = new_model("mixed_float16")
    model.train_step(pair)
    model.discriminator_optimizer.dynamic_scale.assign(64.0)
    model.save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    assert again.discriminator_optimizer.dynamic_scale == 64.0
    assert again.optimizer.step_counter == 1


def test_xla_is_warned_of_where_it_takes_long(pair, tmp_path):
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("XLA is sensible here")
    model = MaskedContentTransfer(**TINY)
    with pytest.warns(UserWarning, match="many minutes.*Received: jit_compile=True without a GPU"):
        model.compile(jit_compile=True)
    # Asked for elsewhere, it is not forced on whoever loads the file here.
    model.save(tmp_path / "model.keras")
    assert not load_model(tmp_path / "model.keras").jit_compile

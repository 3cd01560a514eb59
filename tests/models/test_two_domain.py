"""The training step: what it computes, what it may touch, what it saves."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mbu_tf import losses
from mbu_tf.models.content_transfer import MaskedContentTransfer, mask_contrast
from mbu_tf.models.loading import load_model
from tests.models.conftest import TINY

GENERATOR = ("common_encoder", "separate_encoder", "decoder_a", "decoder_b")


@pytest.fixture(autouse=True)
def deterministic():
    tf.config.experimental.enable_op_determinism()


def trainable(model, *names):
    return {
        f"{name}/{i}": v.numpy().copy()
        for name in names
        for i, v in enumerate(getattr(model, name).trainable_variables)
    }


def changed(before, after):
    return {name.split("/")[0] for name in before if not np.array_equal(before[name], after[name])}


class Frozen(keras.optimizers.SGD):
    """An optimizer that changes nothing."""

    def __init__(self):
        super().__init__(learning_rate=0.0)


@pytest.mark.usefixtures("eagerly")
def test_the_generators_step_leaves_the_discriminator_alone(tiny, images):
    tiny.compile(keras.optimizers.SGD(0.1), Frozen())
    before = trainable(tiny, *GENERATOR, "discriminator")
    tiny.fit(*images, batch_size=8, verbose=0)
    after = trainable(tiny, *GENERATOR, "discriminator")
    assert changed(before, after) == set(GENERATOR)


@pytest.mark.usefixtures("eagerly")
def test_the_discriminators_step_leaves_the_generator_alone(tiny, images):
    tiny.compile(Frozen(), keras.optimizers.SGD(0.1))
    before = trainable(tiny, *GENERATOR, "discriminator")
    tiny.fit(*images, batch_size=8, verbose=0)
    after = trainable(tiny, *GENERATOR, "discriminator")
    assert changed(before, after) == {"discriminator"}


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize(
    "name,touched",
    [
        ("recon1_a", {"common_encoder", "decoder_a"}),
        ("recon1_b", set(GENERATOR)),
        ("cycle_common", {"common_encoder", "separate_encoder", "decoder_b"}),
        ("cycle_separate", {"common_encoder", "separate_encoder", "decoder_b"}),
        ("recon2_a", {"common_encoder", "decoder_b"}),
        ("recon2_b", {"common_encoder", "separate_encoder", "decoder_b"}),
        ("confusion", {"common_encoder"}),
        ("mask_size", {"common_encoder", "separate_encoder", "decoder_b"}),
        ("raw_b", {"common_encoder", "separate_encoder", "decoder_b"}),
    ],
)
def test_which_networks_each_loss_moves(tiny, images, name, touched):
    weights = dict.fromkeys(tiny.default_loss_weights, 0.0) | {name: 1.0}
    tiny.compile(keras.optimizers.SGD(0.1), Frozen(), loss_weights=weights)
    before = trainable(tiny, *GENERATOR)
    logs = tiny.fit(*images, batch_size=8, verbose=0).history
    assert changed(before, trainable(tiny, *GENERATOR)) == touched
    assert name in logs and set(logs) & set(tiny.default_loss_weights) == {name}


@pytest.mark.slow
def test_training_decreases_what_it_should(tiny, images):
    tiny.compile(keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2))
    history = tiny.fit(*images, batch_size=8, epochs=40, verbose=0).history
    for name in ("loss", "recon1_a", "recon1_b"):
        assert history[name][1] < history[name][0], name
        assert history[name][-1] < 0.8 * history[name][0], name
    for name in ("recon2_a", "recon2_b"):
        assert history[name][-1] < history[name][0], name


def test_one_step_against_the_losses_written_out(tiny, images):
    """Loss terms and the clipped SGD step, recomputed from the networks alone."""
    a, b = images
    rate, clip = 0.5, 0.3
    tiny.compile(
        keras.optimizers.SGD(rate),
        Frozen(),
        loss_weights={"cycle_common": 0.2},
        generator_clip_norm=clip,
    )
    weights = tiny.loss_weights
    variables = [v.value for n in tiny.generator_networks for v in n.trainable_variables]
    statistics = [v.numpy() for v in tiny.non_trainable_variables]

    def decode_a(code):
        return tiny.decoder_a(tf.concat([code, tf.zeros((*code.shape[:3], 2))], -1), training=True)

    def decode_b(common, separate):
        return tiny.decoder_b(tf.concat([common, separate], -1), training=True)

    with tf.GradientTape() as tape:
        common_a = tiny.common_encoder(a, training=True)
        common_b = tiny.common_encoder(b, training=True)
        separate_b = tiny.separate_encoder(b, training=True)
        mask, raw = decode_b(common_b, separate_b)
        z_prime = mask * raw + (1 - mask) * decode_a(common_b)
        z_bb = mask * raw + (1 - mask) * b
        mask, raw = decode_b(common_a, separate_b)
        z_ab = mask * raw + (1 - mask) * a
        mask, raw = decode_b(common_a, tf.zeros_like(separate_b))
        z_aa = mask * raw + (1 - mask) * a
        logits = [tiny.discriminator(c, training=True) for c in (common_a, common_b)]
        terms = {
            "recon1_a": tf.reduce_mean(tf.abs(decode_a(common_a) - a)),
            "recon1_b": tf.reduce_mean(tf.abs(z_prime - b)),
            "cycle_common": tf.reduce_mean(
                (tiny.common_encoder(z_ab, training=True) - common_a) ** 2
            ),
            "cycle_separate": tf.reduce_mean(
                (tiny.separate_encoder(z_ab, training=True) - separate_b) ** 2
            ),
            "recon2_a": tf.reduce_mean(tf.abs(z_aa - a)),
            "recon2_b": tf.reduce_mean(tf.abs(z_bb - b)),
            "confusion": sum(
                tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(tf.zeros_like(x), x))
                for x in logits
            ),
        }
        total = sum(weights[name] * term for name, term in terms.items())
    gradients = tape.gradient(total, variables)
    norm = np.sqrt(sum(float(tf.reduce_sum(g**2)) for g in gradients))
    assert norm > clip
    expected = [v.numpy() - rate * clip / norm * g for v, g in zip(variables, gradients)]  # noqa: B905

    for variable, value in zip(tiny.non_trainable_variables, statistics, strict=True):
        variable.assign(value)
    logs = tiny.train_step((a, b))
    for name, term in terms.items():
        np.testing.assert_allclose(logs[name], term, rtol=1e-5, err_msg=name)
    np.testing.assert_allclose(logs["loss"], total, rtol=1e-5)
    for variable, value in zip(variables, expected, strict=True):
        np.testing.assert_allclose(variable, value, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("codes,passes", [("updated", 4), ("shared", 2)])
def test_no_network_runs_twice_on_the_same_input(tiny, images, codes, passes):
    tiny.compile(discriminator_codes=codes)
    calls = dict.fromkeys((*GENERATOR, "discriminator"), 0)
    for name in calls:
        network = getattr(tiny, name)

        def counting(*args, _call=network.call, _name=name, **kwargs):
            calls[_name] += 1
            return _call(*args, **kwargs)

        network.call = counting
    tiny.train_step(images)
    assert calls == {
        "common_encoder": passes,  # a, b; once more each with the updated weights
        "separate_encoder": 2,  # b, z(a, b)
        "decoder_a": 2,  # a, b
        "decoder_b": 3,  # (b, b), (a, b), (a, a)
        "discriminator": 4,  # a, b for each side
    }


def test_discriminator_loss_is_of_codes_encoded_anew_or_shared(tiny, images):
    a, b = images
    tiny.compile(keras.optimizers.SGD(0.5), Frozen(), discriminator_codes="updated")
    saved = tiny.get_weights()
    logs = tiny.train_step((a, b))
    codes = [tiny.common_encoder(x, training=True) for x in (a, b)]
    expected = losses.discriminator_loss(*(tiny.discriminator(c) for c in codes))
    np.testing.assert_allclose(logs["discriminator_loss"], expected, rtol=1e-4)

    tiny.set_weights(saved)
    tiny.compile(keras.optimizers.SGD(0.5), Frozen(), discriminator_codes="shared")
    codes = [tiny.common_encoder(x, training=True) for x in (a, b)]
    expected = losses.discriminator_loss(*(tiny.discriminator(c) for c in codes))
    logs = tiny.train_step((a, b))
    np.testing.assert_allclose(logs["discriminator_loss"], expected, rtol=1e-4)


def batches(images, steps):
    data = tf.data.Dataset.from_tensor_slices(images).repeat().batch(4)
    return data.take(steps)


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_save_load_continue_equals_uninterrupted_bit_for_bit(images, tmp_path):
    schedule = keras.optimizers.schedules.PolynomialDecay(0.5, 6, 2.0)

    def fresh():
        keras.utils.set_random_seed(3)
        model = MaskedContentTransfer(**TINY)
        model.compile(
            keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, 6)),
            keras.optimizers.Adam(1e-3, beta_1=0.5),
            loss_weights={"recon2_b": schedule},
            discriminator_clip_norm=1.0,
        )
        return model

    straight = fresh()
    straight.fit(batches(images, 6), verbose=0)
    interrupted = fresh()
    interrupted.fit(batches(images, 4), verbose=0)
    interrupted.mask_threshold = 0.25
    interrupted.save(tmp_path / "model.keras")
    resumed = load_model(tmp_path / "model.keras")
    assert float(resumed.mask_threshold) == 0.25
    assert resumed.optimizer.iterations == resumed.discriminator_optimizer.iterations == 4
    resumed.fit(batches(images, 2), verbose=0)
    resumed.mask_threshold = straight.mask_threshold
    for one, other in ((straight, resumed), (straight.optimizer, resumed.optimizer)):
        for v, w in zip(one.variables, other.variables, strict=True):
            np.testing.assert_array_equal(v.numpy(), w.numpy(), err_msg=v.path)
    for v, w in zip(
        straight.discriminator_optimizer.variables,
        resumed.discriminator_optimizer.variables,
        strict=True,
    ):
        np.testing.assert_array_equal(v.numpy(), w.numpy(), err_msg=v.path)


def test_a_failed_save_leaves_the_old_file(tiny, tmp_path, monkeypatch):
    path = tmp_path / "model.keras"
    tiny.save(path)
    good = path.read_bytes()

    def broken(self, filepath, *args, **kwargs):
        open(filepath, "wb").write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "save", broken)
    with pytest.raises(OSError, match="disk is full"):
        tiny.save(path)
    assert path.read_bytes() == good and list(tmp_path.iterdir()) == [path]


class Pairs(keras.utils.PyDataset):
    def __init__(self, images):
        super().__init__()
        self.images = images

    def __len__(self):
        return 2

    def __getitem__(self, index):
        part = slice(4 * index, 4 * index + 4)
        return tuple(x[part] for x in self.images)


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_tf_data_pydataset_and_arrays_train_alike(images):
    results = []
    for data in (lambda: (batches(images, 2),), lambda: (Pairs(images),), lambda: images):
        keras.utils.set_random_seed(0)
        model = MaskedContentTransfer(**TINY)
        model.compile()
        model.fit(*data(), batch_size=None if len(data()) == 1 else 4, shuffle=False, verbose=0)
        results.append(model.get_weights())
    for other in results[1:]:
        for v, w in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(v, w)


@pytest.mark.usefixtures("eagerly")
def test_evaluate_is_the_test_step_and_changes_nothing(tiny, images):
    before = tiny.get_weights()
    logs = tiny.evaluate(*images, batch_size=8, verbose=0, return_dict=True)
    assert {"loss", "recon1_a", "discriminator_accuracy", "mask_coverage"} <= set(logs)
    for v, w in zip(before, tiny.get_weights(), strict=True):
        np.testing.assert_array_equal(v, w)
    decoded = tiny.decode_a(tiny.common_code(images[0]))
    np.testing.assert_allclose(logs["recon1_a"], np.abs(decoded - images[0]).mean(), rtol=1e-5)


@pytest.mark.usefixtures("eagerly")
def test_masks_feed_the_iou_metric_only(tiny, images):
    a, b = images
    mask = np.zeros((8, 32, 32, 1), "float32")
    mask[:, 12:16] = 1
    tiny.mask_threshold = 0.3
    data = tf.data.Dataset.from_tensor_slices((a, b, mask)).batch(8)
    logs = tiny.evaluate(data, verbose=0, return_dict=True)
    predicted = tiny.segment(b, 0.3) > 0
    expected = [(p & t).sum() / (p | t).sum() for p, t in zip(predicted, mask > 0, strict=True)]
    np.testing.assert_allclose(logs["iou"], np.mean(expected), rtol=1e-5)
    assert "iou" not in tiny.evaluate(a, b, verbose=0, return_dict=True)


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_trains_with_losses_in_float32(policy, images):
    keras.config.set_dtype_policy(policy)
    try:
        model = MaskedContentTransfer(**TINY)
        model.compile()
        history = model.fit(*images, batch_size=4, epochs=2, verbose=0).history
    finally:
        keras.config.set_dtype_policy("float32")
    assert all(np.isfinite(v).all() for v in history.values())
    scaled = isinstance(model.discriminator_optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (policy == "mixed_float16")
    assert model.transfer(*images).image.dtype == np.float32


@pytest.mark.parametrize(
    "arguments,message",
    [
        ({"loss_weights": {"recon3": 1.0}}, "unknown names.*recon3"),
        ({"loss_weights": {"recon1_a": -1.0}}, "'recon1_a' must be a number.*-1.0"),
        ({"discriminator_codes": "old"}, "`discriminator_codes` must be one of.*'old'"),
        ({"confusion_label": 2}, "`confusion_label` must be 0.*2"),
    ],
)
def test_compile_arguments_out_of_range(tiny, arguments, message):
    with pytest.raises(ValueError, match=message):
        tiny.compile(**arguments)


def test_one_optimizer_cannot_serve_both_sides(tiny):
    optimizer = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="two instances"):
        tiny.compile(optimizer, optimizer)


def test_averaged_weights_are_refused_before_training(tiny):
    with pytest.raises(ValueError, match="use_ema` out. Received: mine with use_ema=True"):
        tiny.compile(discriminator_optimizer=keras.optimizers.Adam(use_ema=True, name="mine"))


@pytest.mark.parametrize("data", ["a alone", "four"])
def test_a_batch_that_is_no_pair_is_refused(tiny, images, data):
    batch = images[0] if data == "a alone" else (*images, *images)
    with pytest.raises(ValueError, match=r"tuple \(a, b\)"):
        tiny.fit(tf.data.Dataset.from_tensors(batch), verbose=0)


def test_a_model_that_is_not_compiled_can_be_saved(tmp_path):
    model = MaskedContentTransfer(**TINY)
    model.save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    assert not again.compiled
    for v, w in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(v, w)


def test_the_masks_contrast_tells_where_it_lies(images):
    """Errors inside the mask, written out; 1 where A and B look alike there."""
    rng = np.random.default_rng(1)
    a, b = images
    mask = rng.uniform(0, 1, (8, 32, 32, 1)).astype("float32")
    decoded_a, decoded_b = a + 0.1, b - 0.1
    alike, error = mask_contrast(mask, decoded_a, a, decoded_b, b)
    assert float(alike) == pytest.approx(1, rel=1e-4)
    assert float(error) == pytest.approx(0.1 * mask.mean(), rel=1e-4)
    decoded_b[:, 12:16] += 0.8
    expected = (mask * np.abs(decoded_b - b)).sum() / (mask * np.abs(decoded_a - a)).sum()
    assert expected > 1.2
    found, _ = mask_contrast(mask, decoded_a, a, decoded_b, b)
    assert float(found) == pytest.approx(expected, rel=1e-4)
    bar = np.zeros_like(mask)
    bar[:, 12:16] = 1
    on_the_part, _ = mask_contrast(bar, decoded_a, a, decoded_b, b)
    assert float(on_the_part) == pytest.approx(7, rel=1e-3)


@pytest.mark.usefixtures("eagerly")
def test_the_contrast_of_an_epoch_is_that_of_all_its_batches(tiny, images):
    parts = [[x[i : i + 4] for x in images] for i in (0, 4)]
    errors = []
    for a, b in parts:
        common = tiny.common_code(b)
        mask, _ = tiny.decode_b(common, tiny.separate_code(b))
        pairs = ((tiny.decode_a(common), b), (tiny.decode_a(tiny.common_code(a)), a))
        errors.append([(mask * np.abs(decoded - image)).numpy().sum() for decoded, image in pairs])
    of_b, of_a = np.sum(errors, axis=0)
    logs = tiny.evaluate(*images, batch_size=4, verbose=0, return_dict=True)
    assert logs["mask_contrast"] == pytest.approx(of_b / of_a, rel=1e-4)


@pytest.mark.usefixtures("eagerly")
def test_without_decoder_as_errors_there_is_no_contrast(tiny, images):
    assert "mask_contrast" in tiny.test_on_batch(*images, return_dict=True)
    tiny.compile(loss_weights={"recon1_a": 0.0})
    assert "mask_contrast" not in tiny.test_on_batch(*images, return_dict=True)

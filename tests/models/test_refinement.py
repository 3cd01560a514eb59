"""A refiner learns from the model's own transfers; what it then takes part in, and what not."""

import keras
import numpy as np
import pytest

from mbu_tf import MaskedContentTransfer
from mbu_tf.models.content_disentanglement import ContentDisentanglement
from mbu_tf.models.mask_editing import composite_edit
from mbu_tf.models.refinement import LOSS_WEIGHTS, VISIBLE, Refinement, refinement_losses

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture
def photos(images):
    """The images at twice the model's size."""
    return tuple(x.repeat(2, 1).repeat(2, 2) for x in images)


@pytest.fixture
def refinement(tiny):
    made = Refinement(tiny, channels=4, seed=1)
    made.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    return made


def batches(photos):
    import tensorflow as tf

    return tf.data.Dataset.from_tensors((photos,)).repeat()


def test_losses_are_those_written_out():
    rng = np.random.default_rng(0)
    without, image = rng.uniform(-1, 1, (2, 2, 8, 8, 3)).astype("float32")
    mask = rng.uniform(0.01, 0.99, (2, 8, 8, 1)).astype("float32")
    photo = without + np.where(rng.random((2, 8, 8, 1)) < 0.3, 0.4, 0.01).astype("float32")
    truth = (np.abs(photo - without).max(-1, keepdims=True) >= VISIBLE).astype(float)
    assert 0.1 < truth.mean() < 0.5

    def error(image):
        red, green, blue = np.moveaxis(image - without, -1, 0)
        grey = (red + green + blue) / 3
        return sum(abs(x) + 2 * abs(x - grey) for x in (red, green, blue))[..., None] / 3

    edited = mask * image + (1 - mask) * photo
    expected = {
        "outline": -np.mean(8 * truth * np.log(mask) + (1 - truth) * np.log(1 - mask)),
        "inside": np.sum((truth + 0.02) * error(image)) / np.sum(truth + 0.02),
        "edited": error(edited).mean(),
    }
    found = refinement_losses(mask, image, photo, without)
    assert {k: float(v) for k, v in found.items()} == pytest.approx(expected, rel=1e-4)


@pytest.fixture
def in_the_same_light(monkeypatch):
    for name in ("GAIN", "SATURATION"):
        monkeypatch.setattr(f"mbu_tf.models.refinement.{name}", 0.0)


def test_pairs_are_transfers_of_several_strengths_and_the_targets_themselves(
    tiny, refinement, photos, monkeypatch, in_the_same_light
):
    for name in ("SHARPER", "FADED"):
        monkeypatch.setattr(f"mbu_tf.models.refinement.{name}", 0.0)
    a, b = photos
    photo, without = map(np.asarray, refinement.pairs(a, b))
    np.testing.assert_array_equal(without, a)
    change = np.asarray(composite_edit(tiny.detailed_transfer_layer(a, b), a).image) - a
    free = (np.abs(photo) < 1) & (np.abs(change) > 0.05)
    strengths = np.full((len(a), 3), np.nan)
    for i, channel in np.ndindex(strengths.shape):
        got, before, whole, where = (x[i, ..., channel] for x in (photo, a, change, free))
        if not where.any():  # There is nothing to tell it by.
            continue
        strengths[i, channel] = ((got - before)[where] / whole[where]).mean()
        made = np.clip(before + strengths[i, channel] * whole, -1, 1)
        np.testing.assert_allclose(got, made, atol=1e-3)
    strengths = strengths[np.isfinite(strengths).all(1)]
    assert len(strengths) >= 5
    shown = strengths[np.abs(strengths).max(1) > 1e-3]
    assert len(shown) and shown.min() > np.exp(-0.81) and shown.max() < np.exp(0.81)
    assert np.ptp(shown.mean(1)) > 0.2 and np.ptp(shown, axis=1).max() > 0.1
    again, _ = refinement.pairs(a, b)
    assert np.abs(np.asarray(again) - photo).max() > 1e-3


def test_changes_grow_faint_to_one_side(tiny):
    """A bar from edge to edge, which is left as it is at one end of a direction."""
    change = np.zeros((64, 32, 32, 3), np.float32)
    change[:, 12:20] = 0.8
    faded = np.asarray(Refinement(tiny, channels=4, seed=2)._faded(change))
    np.testing.assert_array_equal(faded[:, :10], 0)  # An 80th of the side is a pixel.
    whole = np.isclose(faded, change, atol=1e-6)[:, 14:18].all((1, 2, 3))
    assert 0.3 < whole.mean() < 0.7
    middle, left = faded[~whole, 15:17, :, 0].mean(1), faded[~whole, 12:20, :, 0]
    # Of the inside of a bar, which has no edges, such a share is left at the faint end.
    ends = np.sort(middle[:, [0, -1]], axis=1)
    assert (ends[:, 0] > 0.8 * -0.3 - 1e-5).all() and (ends[:, 0] < 0.8 - 1e-3).all()
    assert (middle.max(1) <= 0.8 + 1e-5).all()
    assert (np.isclose(ends[:, 1], 0.8, atol=0.01)).mean() > 0.3
    # From end to end it only fades, whichever way.
    steps = np.diff(middle, axis=1)
    assert ((steps <= 1e-5).all(1) | (steps >= -1e-5).all(1)).all()
    # Edges are stronger or weaker than the inside.
    border = left[:, [0, -1]].mean(1) - middle
    assert border.max() > 0.1 and border.min() < -0.1


def test_some_pairs_show_nothing(tiny, images):
    a, b = (x.repeat(2, 1).repeat(2, 2).repeat(16, 0) for x in images)
    photo, without = map(np.asarray, Refinement(tiny, channels=4).pairs(a, b))
    bare = np.mean((photo == without).all((1, 2, 3)))
    assert 0.02 < bare < 0.25


def test_every_other_pair_is_of_a_sharpened_image(tiny, images, in_the_same_light):
    b = images[1].repeat(2, 1).repeat(2, 2).repeat(4, 0)
    a = np.random.default_rng(0).uniform(-0.2, 0.2, b.shape).astype("float32")
    photo, without = map(np.asarray, Refinement(tiny, channels=4).pairs(a, b))
    # The mean of 3 x 3 pixels, of as many as there are.
    inside = np.pad(np.ones_like(a), [(0, 0), (1, 1), (1, 1), (0, 0)])
    padded = np.pad(a, [(0, 0), (1, 1), (1, 1), (0, 0)])
    side = a.shape[1]
    windows = [(slice(None), slice(i, i + side), slice(j, j + side)) for i, j in np.ndindex(3, 3)]
    fine = a - sum(padded[x] for x in windows) / sum(inside[x] for x in windows)
    axes = (1, 2, 3)
    sharper = ((without - a) * fine).sum(axes) / np.square(fine).sum(axes)
    expected = np.clip(a + sharper[:, None, None, None] * fine, -1, 1)
    np.testing.assert_allclose(without, expected, atol=1e-5)
    assert len(sharper) >= 20 and sharper.min() == 0 and 1 < sharper.max() <= 2.001
    assert 0.2 < np.mean(sharper == 0) < 0.8
    assert (photo != without).any()


def test_both_images_of_a_pair_are_seen_in_another_light(tiny, images, monkeypatch):
    monkeypatch.setattr("mbu_tf.models.refinement.SHARPER", 0.0)
    b = images[1].repeat(2, 1).repeat(2, 2).repeat(8, 0)
    a = np.random.default_rng(0).uniform(-0.4, 0.0, b.shape).astype("float32")
    photo, without = map(np.asarray, Refinement(tiny, channels=4).pairs(a, b))
    gains, saturations = [], []
    for before, after in zip(a.reshape(len(a), -1, 3), without.reshape(len(a), -1, 3), strict=True):
        design = np.concatenate([before + 1, np.ones_like(before[:, :1])], axis=1)
        matrix, residual, *_ = np.linalg.lstsq(design, after, rcond=None)
        assert residual.max() < 1e-6
        # s g_k on the diagonal, and a third of (1 - s) g_k everywhere in row k.
        gain = matrix[:3].sum(1)
        saturation = (np.diag(matrix) - matrix[[0, 1, 2], [1, 2, 0]]) / gain
        np.testing.assert_allclose(saturation, saturation[0], atol=1e-3)
        gains.append(gain)
        saturations.append(saturation[0])
    for values, most in ((gains, 0.2), (saturations, 0.6)):
        values = np.log(values)
        assert np.abs(values).max() <= most + 1e-3 and np.ptp(values) > most
    assert np.ptp(gains, axis=1).max() > 0.1
    # Where nothing was put on, both are the same.
    assert 0.05 < (photo == without).all(-1).mean() < 1


@pytest.mark.slow
def test_only_the_refiner_learns(tiny, refinement, photos):
    before = [x.copy() for x in tiny.get_weights()]
    assert all(x.path.startswith("refiner") for x in refinement.trainable_variables)
    history = refinement.fit(
        batches(photos), shuffle=False, steps_per_epoch=5, epochs=9, verbose=0
    ).history
    assert history["loss"][-1] < 0.7 * history["loss"][0]
    total = sum(weight * history[name][-1] for name, weight in LOSS_WEIGHTS.items())
    assert total == pytest.approx(history["loss"][-1], rel=1e-3)
    for now, then in zip(tiny.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_refiner(tiny, photos):
    def trained(seed):
        keras.utils.set_random_seed(0)
        made = Refinement(tiny, channels=4, seed=seed)
        made.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
        made.fit(batches(photos), shuffle=False, steps_per_epoch=3, verbose=0)
        return made.refiner.get_weights()

    first, again, other = trained(1), trained(1), trained(2)
    assert all(np.array_equal(x, y) for x, y in zip(first, again, strict=True))
    assert any(not np.array_equal(x, y) for x, y in zip(first, other, strict=True))


@pytest.mark.parametrize("size, part", [(64, 48), (32, 32)])
def test_squares_of_large_images_are_learned_from(tiny, size, part):
    refinement = Refinement(tiny, channels=4)
    photo = np.arange(size * size, dtype="float32").reshape(1, size, size, 1).repeat(3, -1)
    told = photo[:, ::2, ::2, :1].repeat(7, -1)
    if size == 64:  # 48 px cannot be halved five times.
        cut = list(refinement._cropped(photo, photo, told))
        assert cut[0].shape[1] == size
    photo = np.arange(128 * 128, dtype="float32").reshape(1, 128, 128, 1).repeat(3, -1)
    told = photo[:, ::2, ::2, :1].repeat(7, -1)
    corners = set()
    for _ in range(8):
        one, other, half = map(np.asarray, refinement._cropped(photo, photo, told))
        assert one.shape == (1, 96, 96, 3) and half.shape == (1, 48, 48, 7)
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one[:, ::2, ::2, :1], half[..., :1])
        corners.add(float(one[0, 0, 0, 0]))
    assert len(corners) > 3


@pytest.mark.slow
def test_the_refined_model_edits_larger_images_otherwise_and_small_ones_as_before(
    tiny, refinement, images, photos
):
    tiny.mask_threshold = 0.3
    refinement.fit(batches(photos), shuffle=False, steps_per_epoch=3, verbose=0)
    refined = refinement.refined()
    assert refined.mask_threshold == pytest.approx(0.3)
    for small in (
        lambda m: m.transfer(*images),
        lambda m: m.remove(images[1]),
        lambda m: [m.segment(images[1])],
    ):
        for got, wanted in zip(small(refined), small(tiny), strict=True):
            np.testing.assert_array_equal(got, wanted)
    for factor in (1, 2):
        a, b = (x.repeat(factor, 1).repeat(factor, 2) for x in photos)
        layers = [
            (m.detailed_transfer_layer(a, b), m.detailed_removal_layer(b)) for m in (refined, tiny)
        ]
        for got, plain in zip(*layers, strict=True):
            assert got.mask.shape == plain.mask.shape and np.isfinite(got.image).all()
            assert np.abs(got.image).max() <= 1 and 0 <= got.mask.min() <= got.mask.max() <= 1
            assert np.abs(got.mask - plain.mask).max() > 1e-3
        assert np.abs(refined.detailed_segmentation(b) - tiny.detailed_segmentation(b)).max() > 1e-3


def test_it_is_saved_with_its_refiner(refinement, photos, tmp_path):
    refined = refinement.refined()
    refined.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.refiner.channels == 4
    for got, wanted in zip(
        again.detailed_removal_layer(photos[1]),
        refined.detailed_removal_layer(photos[1]),
        strict=True,
    ):
        np.testing.assert_array_equal(got, wanted)


def test_what_is_trained_further_keeps_its_refiner_and_another_part_has_none(refinement):
    refined = refinement.refined()
    recipe = MaskedContentTransfer.recipe("photos")
    same = MaskedContentTransfer.from_recipe(recipe, 10, base=refined, same_part=True)
    for got, wanted in zip(same.refiner.weights, refined.refiner.weights, strict=True):
        np.testing.assert_array_equal(got, wanted)
    other = MaskedContentTransfer.from_recipe(recipe, 10, base=refined)
    assert other.refiner is None


@pytest.mark.slow
def test_training_leaves_the_refiner_alone(refinement, images):
    refined = refinement.refined()
    refined.compile(keras.optimizers.Adam(2e-3), keras.optimizers.Adam(2e-3))
    before = refined.refiner.get_weights()
    decoder = refined.decoder_a.get_weights()
    refined.fit(*images, batch_size=4, verbose=0)
    assert any(
        not np.array_equal(x, y)
        for x, y in zip(decoder, refined.decoder_a.get_weights(), strict=True)
    )
    for got, wanted in zip(refined.refiner.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.slow
def test_a_refined_model_is_taught_further(refinement, photos):
    refinement.fit(batches(photos), shuffle=False, steps_per_epoch=1, verbose=0)
    refined = refinement.refined()
    further = Refinement(refined, channels=4)
    for got, wanted in zip(further.refiner.weights, refined.refiner.weights, strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert further.refiner is not refined.refiner
    with pytest.raises(ValueError, match="has 4 channels already.*Received: channels=8"):
        Refinement(refined, channels=8)


def test_models_without_masks_have_none():
    model = ContentDisentanglement(image_size=32, depth=4, width=0.03, separate_channels=2)
    with pytest.raises(ValueError, match="MaskedContentTransfer.*Received: ContentDis"):
        Refinement(model)

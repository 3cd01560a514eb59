"""Layers from what a model would say of scenes that are known."""

import numpy as np
import pytest

from mbu_tf.detail.filters import enlarge
from mbu_tf.detail.layers import (
    enlarged_layer,
    explained,
    lighting,
    likeness,
    refined_removal_layer,
    removal_layer,
    straight,
    transfer_layer,
)
from mbu_tf.detail.splitting import (
    Content,
    Split,
    cut_out,
    split_by_refiner,
    split_for_transfer,
)

FRAME = np.full((1, 64, 64, 3), -0.9, np.float32)


def laid(layer, background):
    paint, mask = map(np.asarray, layer)
    assert mask.min() >= 0 and mask.max() <= 1 and np.abs(paint).max() <= 1
    return np.where(mask == 0, background, mask * paint + (1 - mask) * background)


def transferred(reference, target, paint=FRAME):
    return laid(transfer(reference, target, paint), target.without)


def transfer(reference, target, paint=FRAME):
    cutout = cut_out_of(reference.photo, reference.paint, reference.mask)
    return transfer_layer(target.paint, cutout, Content(target.mask, paint))


def cut_out_of(photo, removed, own_mask):
    return cut_out(photo, split_for_transfer(photo, removed, own_mask), own_mask)


def test_the_references_pixels_lie_where_the_target_has_its_mask(scene):
    reference, target = scene(face=0.3), scene(face=0.1)
    error = np.abs(transferred(reference, target) - target.photo).mean(-1, keepdims=True)
    content = target.alpha > 0
    assert error[content].mean() < 0.1
    assert error[~content].mean() < 0.002
    # What is enlarged instead is neither as near nor as sharp.
    plain = laid(enlarged_layer(FRAME, target.mask, 256), target.without)
    enlarged = np.abs(plain - target.photo).mean(-1, keepdims=True)
    assert error[content].mean() < 0.4 * enlarged[content].mean()


def test_where_both_masks_are_sure_the_references_own_colours_stay(scene):
    """The model paints a black frame where the reference has a white one."""
    reference, target = scene(face=0.2, frame=0.9), scene(face=0.1, frame=0.9)
    error = np.abs(transferred(reference, target) - target.photo).mean(-1)
    assert error[target.alpha[..., 0] == 1].mean() < 0.1


@pytest.mark.parametrize("width, takes", [(4, "own"), (24, "paint")])
def test_of_wide_parts_colours_are_judged_and_what_is_fine_is_the_references(width, takes):
    """A striped bar, bright on the reference, which the model paints dark."""
    side, size = 256, 64
    rows = np.abs(np.arange(size) - 31.5) < width / 2
    mask = np.zeros((1, size, size, 1), np.float32)
    mask[:, rows, 8:56] = 1.0
    where = mask.repeat(4, 1).repeat(4, 2)
    stripes = 0.2 * (-1.0) ** (np.arange(side) // 2)[None, None, :, None]
    skin = np.full((1, side, side, 3), 0.1, np.float32)
    photo = np.float32(np.where(where > 0, 0.75 + stripes, skin))
    face, dark = (np.full((1, size, size, 3), x, np.float32) for x in (0.1, -0.6))
    cutout = cut_out(photo, Split(skin, mask, mask), mask)
    result = laid(transfer_layer(face, cutout, Content(mask, dark)), skin)
    inner = result[0, 126:130, 96:160]
    # The stripes are 0.2 to either side whichever colour they lie on.
    assert np.abs(inner - inner.mean()).mean() == pytest.approx(0.2, abs=0.03)
    assert inner.mean() == pytest.approx(0.75 if takes == "own" else -0.6, abs=0.06)


def test_content_that_is_hidden_on_the_target_stays_hidden(scene):
    reference, target = scene(), scene(face=0.0)
    target.mask = target.mask.copy()
    target.mask[:, :, 40:] = 0
    result = transferred(reference, target)
    np.testing.assert_array_equal(result[:, :, 172:], target.without[:, :, 172:])
    assert np.abs(result - target.without)[:, :, :128].max() > 0.5


def test_paint_is_laid_where_the_reference_does_not_fit(scene):
    reference, target = scene(), scene(face=0.0)
    target.mask = np.zeros_like(target.mask)
    target.mask[:, 50:60, 20:40] = 0.8
    layer = transfer(reference, target)
    wanted = [np.asarray(x) for x in enlarged_layer(FRAME, target.mask, 256)]
    seen = wanted[1] > 0.4
    assert seen.any()
    for got, each in zip(layer, wanted, strict=True):
        where = np.broadcast_to(seen, each.shape)
        np.testing.assert_allclose(np.asarray(got)[where], each[where], atol=1e-4)


def test_what_the_reference_lacks_is_painted(scene):
    reference, target = scene(), scene(face=0.3)
    target.mask = target.mask.copy()
    target.mask[:, 44:48, 8:28] = 1.0
    result = transferred(reference, target)
    np.testing.assert_allclose(result[0, 184, 48:96], -0.9, atol=0.1)


def test_removal_leaves_nothing_of_the_content_and_all_else(scene):
    scene = scene()
    layer = removal_layer(scene.photo, scene.paint, Content(scene.mask, FRAME), 0.1)
    error = np.abs(laid(layer, scene.photo) - scene.without)
    assert error[np.broadcast_to(scene.alpha > 0, error.shape)].mean() < 0.03
    np.testing.assert_array_equal(np.asarray(layer[1])[0, :70], 0)
    # Frames and a border of a pixel on each side.
    assert np.mean(layer[1]) < 1.5 * np.mean(scene.alpha)
    nothing = removal_layer(scene.photo, scene.paint, Content(0.5 * scene.mask, FRAME), 0.99)
    np.testing.assert_array_equal(nothing[1], 0)


@pytest.mark.parametrize("factor", [1, 2])
def test_what_a_refiner_gives_is_plate_and_matte(scene, factor):
    scene = scene()
    half = scene.photo.shape[1] // factor
    # It reaches a little beyond the content.
    likely = np.minimum(4 * scene.mask, 1)
    mask, image = (np.asarray(enlarge(x, half)) for x in (likely, scene.paint))
    split = split_by_refiner(scene.photo, mask, image)
    plate = np.asarray(split.plate)
    away = np.broadcast_to(np.asarray(enlarge(mask, 256)) == 0, plate.shape)[:, :70]
    np.testing.assert_array_equal(plate[:, :70][away], scene.photo[:, :70][away])
    inside = np.broadcast_to(scene.alpha >= 0.5, plate.shape)
    assert np.abs(plate - scene.without)[inside].mean() < 0.02
    layer = refined_removal_layer(scene.photo, mask, image, scene.mask, 0.1)
    error = np.abs(laid(layer, scene.photo) - scene.without)
    assert error[np.broadcast_to(scene.alpha > 0, error.shape)].mean() < 0.02
    np.testing.assert_array_equal(np.asarray(layer[1])[0, :70], 0)
    nothing = refined_removal_layer(scene.photo, mask, image, 0.5 * scene.mask, 0.99)
    np.testing.assert_array_equal(nothing[1], 0)


def test_what_a_refiner_cut_out_is_not_judged_by_paint(scene):
    """The model hardly sees the frame's right half, and paints it black where it is white."""
    reference, target = scene(face=0.2, frame=0.9), scene(face=0.1, frame=0.9)
    right = np.arange(64)[:, None] >= 32
    own_mask = np.where(right, 0.2 * reference.mask, reference.mask)
    paint = np.where(right, FRAME, -FRAME)
    of_target = Content(np.where(right, 0.5 * target.mask, target.mask), paint)
    found = (np.asarray(enlarge(x, 128)) for x in (reference.mask, reference.paint))
    cutout = cut_out(reference.photo, split_by_refiner(reference.photo, *found), own_mask)
    errors = []
    for by_refiner in (False, True):
        layer = transfer_layer(target.paint, cutout, of_target, by_refiner)
        error = np.abs(laid(layer, target.without) - target.photo).mean(-1)[:, :, 128:]
        errors.append(error[target.alpha[..., 0][:, :, 128:] == 1].mean())
        # Where the model has no mask nothing is laid.
        np.testing.assert_array_equal(np.asarray(layer[1])[:, :40], 0)
    assert errors[0] > 0.4 and errors[1] < 0.15


def test_light_is_the_square_root_of_the_quotient_of_what_is_under_the_content():
    rng = np.random.default_rng(0)
    weight = rng.random((3, 32, 32, 1)).astype(np.float32)
    before, after = rng.uniform(0, 2, (2, 3, 1, 1, 3)).astype(np.float32)
    gain = np.asarray(lighting(before + 0 * weight, after + 0 * weight, weight))
    expected = np.clip(np.sqrt((after + 0.1) / (before + 0.1)), 1 / 1.2, 1.2)
    assert 1 / 1.2 < np.median(expected) < 1.2 and expected.max() == 1.2
    expected = np.broadcast_to(expected, gain.shape)
    np.testing.assert_allclose(gain, expected, rtol=1e-4)
    # One side's light is not the other's, and what is no content does not count.
    after = np.where(np.arange(32)[:, None] < 16, np.float32(1.0), np.float32(0.7))
    after = np.broadcast_to(after, (3, 32, 32, 3)).copy()
    weight[:, 24:] = 0
    after[:, 24:] = 2.0
    gain = np.asarray(lighting(np.ones_like(after), after, weight))
    np.testing.assert_allclose(gain[:, 5, :8], 1, rtol=0.01)
    np.testing.assert_allclose(gain[:, 5, -8:], np.sqrt(0.8 / 1.1), rtol=0.01)
    np.testing.assert_allclose(gain[:, 20, -8:], np.sqrt(0.8 / 1.1), rtol=0.02)
    # A plate may be darker than black.
    assert np.isfinite(lighting(after - 1.5, after, 0 * weight)).all()


@pytest.mark.parametrize("by_refiner", [False, True])
def test_what_was_cut_out_is_laid_into_the_targets_light(scene, by_refiner):
    reference, target = scene(face=0.5, frame=0.2, slope=0), scene(face=0.2, slope=0)
    if by_refiner:
        found = (np.asarray(enlarge(x, 128)) for x in (reference.mask, reference.paint))
        split = split_by_refiner(reference.photo, *found)
        cutout = cut_out(reference.photo, split, reference.mask)
    else:
        cutout = cut_out_of(reference.photo, reference.paint, reference.mask)
    layer = transfer_layer(target.paint, cutout, Content(target.mask, FRAME), by_refiner)
    core = np.broadcast_to(target.alpha == 1, (1, 256, 256, 3))
    got = laid(layer, target.without)[core]
    expected = 1.2 * np.sqrt((1.2 + 0.1) / (1.5 + 0.1)) - 1
    np.testing.assert_allclose(np.median(got), expected, atol=0.03)


def test_images_of_a_batch_do_not_see_each_other(scene):
    one, other = scene(), scene(face=-0.4, frame=0.9, shift=(0.05, 0.0))

    def layer(references, targets):
        def joined(name, scenes):
            return np.concatenate([getattr(x, name) for x in scenes])

        paint = np.concatenate([FRAME] * len(references))
        names = ("photo", "paint", "mask")
        cutout = cut_out_of(*(joined(name, references) for name in names))
        of_targets = Content(joined("mask", targets), paint)
        return transfer_layer(joined("paint", targets), cutout, of_targets)

    together = layer([one, other], [other, one])
    for i, (a, b) in enumerate(((one, other), (other, one))):
        for got, wanted in zip(together, layer([a], [b]), strict=True):
            np.testing.assert_allclose(got[i], wanted[0], atol=1e-3)


def test_enlarged_paint_is_not_mixed_with_what_lies_outside(scene):
    mask = scene().mask
    paint = np.where(mask > 0, np.float32(0.5), np.float32(-1.0)).repeat(3, -1)
    got, alpha = map(np.asarray, enlarged_layer(paint, mask, 256))
    np.testing.assert_allclose(got[np.broadcast_to(alpha > 0.05, got.shape)], 0.5, atol=1e-4)
    faint = np.asarray(enlarge(mask, 256)) < 0.02
    np.testing.assert_array_equal(alpha[faint], 0)


def test_explained_is_what_brings_nearer():
    wanted = np.zeros((1, 16, 16, 3), np.float32)
    wanted[:, :8] = -0.8
    shares = (1.0, 0.99, 1.0), (0.5, 0.99, 1.0), (0.0, 0.4, 0.7), (-2.0, 0.0, 0.1)
    for share, low, high in shares:
        got = np.asarray(explained(wanted, share * wanted))
        assert low <= got[:, :6].min() and got[:, :6].max() <= high, share
        np.testing.assert_array_equal(got[:, 10:], 0)  # No change is wanted there.
    noise = np.random.default_rng(0).choice([-0.5, 0.5], wanted.shape).astype(np.float32)
    assert np.asarray(explained(0 * wanted, noise)).max() < 0.2


def test_straight():
    laid = np.float32([0.2, -0.4, 0.9, 0.5, 0.01, 0.01, 0.01, 0.015]).reshape(1, 1, 2, 4)
    paint, alpha = straight(laid)
    np.testing.assert_allclose(paint[0, 0], [[0.4, -0.8, 1.0], [0.5] * 3], atol=1e-6)
    np.testing.assert_allclose(alpha[0, 0, :, 0], [(0.5 - 0.02) / 0.98, 0.0], atol=1e-6)


def test_likeness_is_the_cosine_of_masks():
    one, other = np.zeros((2, 1, 32, 32, 1), np.float32)
    one[:, 4:12, 4:12] = other[:, 20:28, 4:12] = 0.5
    both = np.concatenate([one, one, one]), np.concatenate([0.2 * one, other, one + other])
    found = likeness(*both)
    assert found.shape == (3, 1, 1, 1)
    np.testing.assert_allclose(np.ravel(found), [1, 0, np.sqrt(0.5)], atol=1e-4)
    assert np.isfinite(likeness(0 * one, other)).all()

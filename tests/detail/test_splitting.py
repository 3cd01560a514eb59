"""Scenes that are known, taken apart."""

import numpy as np

from mbu_tf.detail.filters import enlarge, shrink
from mbu_tf.detail.matting import matte
from mbu_tf.detail.splitting import (
    Content,
    cut_out_by_refiner,
    image_from_around,
    split_for_removal,
)

FRAME = np.full((1, 64, 64, 3), -0.9, np.float32)


def test_a_refiner_cuts_out_what_stands_out_in_the_models_mask_alone(scene):
    scene = scene()
    # It takes all that is a little beside the frames for content as well, and would draw it anew.
    wide = np.asarray(enlarge(np.ones_like(scene.mask), 128))
    paint = np.asarray(enlarge(np.where(scene.mask > 0, scene.paint, 0.9), 128))
    cutout = cut_out_by_refiner(scene.photo, wide, paint, scene.mask)
    alpha = np.asarray(cutout.own)[..., 3:]
    assert alpha[scene.alpha > 0.5].min() > 0.9
    far = 5 * 4  # A 64th of the side beside the mask, what enlarging spreads, and a border.
    rows, columns = np.nonzero(scene.alpha[0, ..., 0])
    assert alpha[0, : rows.min() - far].max() == alpha[0, rows.max() + far :].max() == 0
    assert alpha[0, :, : columns.min() - far].max() == 0


def test_a_refiner_cuts_out_what_it_draws_anew_within_what_a_mask_covers():
    """Clear lower rims are fainter in a mask than upper ones, and as faint as lenses."""
    mask = np.zeros((1, 64, 64, 1), np.float32)
    mask[0, 20:23, 10:54] = 0.9
    mask[0, 28:31, 10:54] = 0.2
    photo = np.full((1, 128, 128, 3), 0.2, np.float32)
    image, refined = photo - 0.4, np.asarray(enlarge(np.ones_like(mask), 128))
    image[:, 48:52] = 0.2  # As it is.
    cutout = cut_out_by_refiner(photo, refined, image, mask)
    alpha = np.asarray(cutout.own)[0, ..., 3]
    assert alpha[40:46, 20:108].min() == alpha[54:61, 20:108].min() == 1
    assert alpha[48:52].max() == alpha[:30].max() == alpha[70:].max() == alpha[:, :10].max() == 0
    # Colours from black on times the matte: with the plate behind them they are the photo.
    own = np.asarray(cutout.own)[0]
    np.testing.assert_allclose(own[60, 50, :3], 1.2, atol=1e-6)


def test_what_a_refiner_outlines_and_leaves_is_filled_from_around(scene):
    scene = scene(frame=0.32)  # Hardly another colour than the face: a clear rim.
    mask = np.asarray(enlarge(np.minimum(4 * scene.mask, 1), 256))
    filled = np.asarray(image_from_around(scene.photo, mask, scene.photo))
    rim = np.broadcast_to(scene.alpha > 0.5, filled.shape)
    left, now = (np.abs(x - scene.without)[rim].mean() for x in (scene.photo, filled))
    assert now < 0.25 * left
    away = np.broadcast_to(mask < 0.6, filled.shape)
    np.testing.assert_array_equal(filled[away], scene.photo[away])
    # What it draws anew stays as it draws it.
    anew = scene.photo - 0.3
    np.testing.assert_allclose(image_from_around(scene.photo, mask, anew), anew, atol=1e-6)
    # Of a photo of twice its size it sees the half.
    mask, photo, without, rim = (
        np.asarray(shrink(x, 2)) for x in (mask, scene.photo, scene.without, 1.0 * rim)
    )
    filled = np.asarray(image_from_around(scene.photo, mask, photo))
    left, now = (np.abs(x - without)[rim > 0.5].mean() for x in (photo, filled))
    assert now < 0.25 * left


def test_segmentation_is_the_matte(scene):
    scene = scene()
    content = Content(scene.mask, FRAME)
    split = split_for_removal(scene.photo, scene.paint, content, beside=0.0)
    alpha = np.asarray(matte(scene.photo, *split))
    inside, either = (
        f(alpha >= 0.5, scene.alpha >= 0.5).sum() for f in (np.logical_and, np.logical_or)
    )
    assert inside / either > 0.85

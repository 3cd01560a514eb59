"""Mattes and plates of scenes whose coverage and colours are known."""

import numpy as np
import pytest

from mbu_tf.detail.matting import (
    clean_plate,
    covered,
    difference_matte,
    likelihood,
    matte,
    mean_colour,
    prominent,
    relative,
    widened,
)


def found(scene, mask=None):
    mask = scene.mask if mask is None else mask
    likely = relative(mask)
    plate = clean_plate(scene.photo, scene.paint, likely)
    return np.asarray(plate), np.asarray(matte(scene.photo, plate, likely, mask))


@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"frame": 0.95, "face": -0.3},
        {"frame": -0.9, "rim": 0.95},  # Darker and lighter than the face, both.
        {"face": -0.5, "frame": -1.0},
    ],
)
def test_a_known_coverage_is_found(scene, kind):
    scene = scene(**kind)
    _, alpha = found(scene)
    content = scene.alpha > 0
    inside, outside = (np.abs(alpha - scene.alpha)[x].mean() for x in (content, ~content))
    assert inside < 0.12 and outside < 0.002


def test_a_faint_and_noisy_mask_is_enough(scene):
    scene = scene()
    noise = np.random.default_rng(0).uniform(0, 0.02, scene.mask.shape).astype(np.float32)
    _, alpha = found(scene, 0.4 * scene.mask + noise)
    assert np.abs(alpha - scene.alpha)[scene.alpha > 0].mean() < 0.12


def test_nothing_is_content_away_from_the_mask(scene):
    scene = scene()
    photo = scene.photo.copy()
    photo[:, 230:240, 100:150] = -1.0  # As dark as the frame.
    scene.photo = photo
    plate, alpha = found(scene)
    far = np.ones((256, 256), bool)
    far[70:186, 30:226] = False
    np.testing.assert_array_equal(alpha[0, far], 0)
    np.testing.assert_array_equal(plate[0, far], photo[0, far])


def test_what_is_seen_through_clear_lenses_is_no_content(scene):
    scene = scene()
    through = np.zeros((256, 256), bool)
    through[120:136, 75:91] = through[120:136, 165:181] = True  # An eye amid each ring.
    scene.photo = scene.photo.copy()
    scene.photo[0, through] = -0.8
    _, alpha = found(scene)
    np.testing.assert_array_equal(alpha[0, through], 0)


def test_where_both_look_alike_the_mask_decides(scene):
    scene = scene(face=-0.9, frame=-0.9, slope=0.0)
    _, alpha = found(scene)
    assert alpha[scene.alpha == 1].mean() > 0.8
    assert alpha[scene.alpha == 0].mean() < 0.03


def test_the_plate_is_the_paint_in_the_photos_colours(scene):
    scene = scene()
    scene.paint = scene.paint - np.float32([0.2, 0.0, -0.1])
    plate, _ = found(scene)
    error = np.abs(plate - scene.without)
    assert error[(scene.alpha > 0).repeat(3, -1)].max() < 0.05
    assert error.mean() < 0.002


def test_a_mask_that_changes_nothing_is_hardly_content():
    background = np.random.default_rng(0).uniform(-1, 1, (1, 8, 8, 3)).astype(np.float32)
    mask = np.full((1, 8, 8, 1), 0.8, np.float32)
    paint = background.copy()
    paint[:, :2] = np.where(background[:, :2] > 0, -0.5, 0.5)
    got = np.asarray(likelihood(mask, paint, background))
    assert got[:, :2].min() > 0.6 and got[:, 2:].max() < 0.3


def test_relative():
    mask = np.zeros((2, 8, 8, 1), np.float32)
    mask[0, :2], mask[1, :2, :4], mask[1, 4, 4] = 0.4, 0.9, 0.3
    got = np.asarray(relative(mask))
    level = (8 * 0.9**2 + 0.3**2) / (8 * 0.9 + 0.3)
    np.testing.assert_allclose(got[0], mask[0] / 0.4, atol=1e-4)
    np.testing.assert_allclose(got[1], np.minimum(mask[1] / level, 1), atol=1e-4)
    np.testing.assert_array_equal(relative(np.zeros_like(mask)), 0)


def test_mean_colour_is_local_where_there_is_any(scene):
    photo = np.zeros((1, 64, 64, 3), np.float32)
    photo[:, :, :32], photo[:, :, 32:] = -0.5, 0.7
    weight = np.zeros((1, 64, 64, 1), np.float32)
    weight[:, 16:48, 8:24] = weight[:, 16:48, 40:56] = 1
    got = np.asarray(mean_colour(photo, weight, 32))
    # The mean of all, 0.1, counts 0.3 times as much as what is around.
    np.testing.assert_allclose(got[0, 32, 16], (-0.5 + 0.3 * 0.1) / 1.3, atol=0.01)
    np.testing.assert_allclose(got[0, 32, 48], (0.7 + 0.3 * 0.1) / 1.3, atol=0.01)
    np.testing.assert_allclose(got[0, 2, 2], 0.1, atol=0.01)


def test_content_is_looked_for_a_sixty_fourth_of_the_side_around_a_mask():
    for side, reach in ((32, 1), (64, 1), (128, 2), (256, 4)):
        likely = np.zeros((1, side, side, 1), np.float32)
        likely[0, 16, 20] = 0.8
        expected = np.zeros_like(likely)
        rows, columns = (slice(x - reach, x + reach + 1) for x in (16, 20))
        expected[0, rows, columns] = 0.4
        expected[0, 16, 20] = 0.8
        np.testing.assert_allclose(widened(likely), expected, atol=1e-7)


def test_a_frame_that_the_mask_misses_by_a_pixel_is_found(scene):
    scene = scene()
    aside = np.roll(scene.mask, 1, axis=1)
    truth = scene.alpha > 0.5

    def iou(likely):
        plate = clean_plate(scene.photo, scene.paint, likely)
        alpha = np.asarray(matte(scene.photo, plate, likely, aside)) > 0.5
        return (alpha & truth).sum() / (alpha | truth).sum()

    assert iou(widened(relative(aside))) > iou(relative(aside)) + 0.05


def test_what_is_faint_beside_the_rest_does_not_stand_out():
    mask = np.zeros((1, 64, 64, 1), np.float32)
    mask[0, 20, 8:24] = mask[0, 36, 8:24] = 0.6  # A rim, and within it a third of it.
    mask[0, 21:36, 8:24] = 0.2
    mask[0, 50:60, 40:60] = 0.2  # As much, where nothing is more.
    mask[0, 20:36, 40:56] = 0.5  # High, beside what is higher.
    mask[0, 20, 40:56] = 0.95
    got = np.asarray(prominent(mask))[0, ..., 0]
    np.testing.assert_array_equal(got[20, 8:24], 1)
    np.testing.assert_array_equal(got[21:36, 8:24], 0)
    np.testing.assert_array_equal(got[50:60, 40:60], 1)
    np.testing.assert_array_equal(got[20:36, 40:56], 1)
    np.testing.assert_array_equal(got[mask[0, ..., 0] == 0], 0)


def test_what_a_mask_covers_has_no_gaps_and_ends_at_it():
    mask = np.zeros((1, 64, 64, 1), np.float32)
    mask[0, 20, 10:54] = 0.9  # An upper rim, and a faint lower one: 11 px between them.
    mask[0, 32, 12:52] = 0.2
    within = np.asarray(covered(mask))[0, ..., 0]
    assert within[21:32, 14:50].min() > 0.9
    # A 64th of the side around, and what is lost at half the side.
    assert (
        within[:15].max() == within[38:].max() == within[:, :5].max() == within[:, 59:].max() == 0
    )
    # Wider gaps are none: there is nothing between, nor from there to the edge.
    mask[0, 32] = 0
    mask[0, 50, 10:54] = 0.9
    apart = np.asarray(covered(mask))[0, ..., 0]
    assert apart[28:44].max() == apart[56:].max() == 0
    np.testing.assert_array_equal(covered(0 * mask), 0)


def test_faint_content_is_a_shade_and_what_differs_more_is_opaque():
    rng = np.random.default_rng(0)
    plate = rng.uniform(-0.8, 0.8, (4, 16, 16, 3))
    difference = rng.uniform(-1, 1, plate.shape) * rng.uniform(0, 0.25, (4, 16, 16, 1))
    photo = plate + difference
    alpha = np.asarray(difference_matte(photo.astype("float32"), plate.astype("float32")))
    visible = np.abs(difference).max(-1, keepdims=True)
    assert (alpha[visible < 0.02] == 0).all() and (alpha[visible > 0.21] == 1).all()
    # A colour that there is, neither darker than black nor lighter than white, on the plate.
    colours = (photo - (1 - alpha) * plate)[visible[..., 0] > 0.06] / alpha[visible > 0.06][:, None]
    assert np.abs(colours).max() < 1.0001
    # A shade of this colour is one of another colour, and does not bring its own.
    shade = 0.97
    photo, paler = (np.float32([[[[x, 0.4, 0.1]]]]) for x in (0.95, 0.5))
    darker = shade * (photo + 1) - 1
    alpha = np.asarray(difference_matte(darker, photo))
    own = darker + 1 - (1 - alpha) * (photo + 1)
    made = (1 - alpha) * (paler + 1) + own - 1
    np.testing.assert_allclose(made, shade * (paler + 1) - 1, atol=0.03)

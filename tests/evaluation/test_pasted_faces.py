"""Scenes of pasted faces: every face is where it is said to be, whole and uncovered."""

import numpy as np

from mbu_tf.evaluation.pasted_faces import ALIGNED_LEFT_EYE, ALIGNED_RIGHT_EYE, paste_faces


def marked_photo():
    """An aligned photo, grey, with a red left eye and a blue right one, 6 px wide."""
    photo = np.full((218, 178, 3), 128, np.uint8)
    for (x, y), colour in ((ALIGNED_LEFT_EYE, (255, 0, 0)), (ALIGNED_RIGHT_EYE, (0, 0, 255))):
        rows, columns = np.mgrid[:218, :178] + 0.5
        photo[np.hypot(columns - x, rows - y) < 3] = colour
    return photo


def middle_of(weights):
    """The mean (x, y) of a picture's values, pixels' centres at + 0.5."""
    rows, columns = np.mgrid[: weights.shape[0], : weights.shape[1]] + 0.5
    return np.array([(columns * weights).sum(), (rows * weights).sum()]) / weights.sum()


def scene(seed, count=1, **arguments):
    background = np.full((900, 1200, 3), 40, np.uint8)
    rng = np.random.default_rng(seed)
    return paste_faces(background, [marked_photo()] * count, rng, **arguments)


def test_eyes_are_where_they_are_said_to_be():
    for seed in range(6):
        picture, (face,) = scene(seed)
        red, _, blue = np.moveaxis(picture.astype(np.float64), -1, 0)
        for eye, colour in ((face.left_eye, red - blue), (face.right_eye, blue - red)):
            np.testing.assert_allclose(middle_of(np.maximum(colour - 60, 0)), eye, atol=0.2)


def test_height_and_roll():
    _, (face,) = scene(0, heights=(82, 82.001), roll=45)
    across = np.subtract(face.right_eye, face.left_eye)
    np.testing.assert_allclose(np.hypot(*across), 38 * face.height / 82)
    # Clockwise as seen: the right eye sinks.
    np.testing.assert_allclose(np.rad2deg(np.arctan2(across[1], across[0])), face.roll)
    assert abs(face.roll) <= 45 and 82 <= face.height <= 82.001


def test_faces_are_neither_covered_nor_cut_off():
    counts = []
    for seed in range(6):
        picture, faces = scene(seed, count=3)
        counts.append(len(faces))
        for face in faces:
            for (x, y), channel in ((face.left_eye, 0), (face.right_eye, 2)):
                assert picture[int(y), int(x)].argmax() == channel
                assert 0.3 * face.height < x < 1200 - 0.3 * face.height
                assert 0.3 * face.height < y < 900 - 0.3 * face.height
    assert min(counts) >= 1 and max(counts) == 3


def test_the_background_is_kept_and_chance_is_the_generator_s():
    background = np.full((900, 1200, 3), 40, np.uint8)
    first, faces = paste_faces(background, [marked_photo()], np.random.default_rng(3), (40, 60))
    again, _ = scene(3, heights=(40, 60))
    np.testing.assert_array_equal(first, again)
    assert (background == 40).all()
    assert (first == 40).all(axis=-1).mean() > 0.95
    assert len(faces) == 1


def test_a_face_without_room_is_left_out():
    small = np.zeros((100, 100, 3), np.uint8)
    picture, faces = paste_faces(small, [marked_photo()], np.random.default_rng(0), (300, 400))
    assert faces == [] and (picture == 0).all()

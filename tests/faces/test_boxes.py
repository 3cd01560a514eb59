"""Arithmetic on faces, against numbers worked out by hand."""

import numpy as np

from mbu_tf.faces import boxes


def face(left, top, side, shift=0.0):
    """A face with its points at (left, top) + 0, 1, … + shift."""
    points = np.arange(6)[:, None] + np.array([left, top]) + shift
    return np.concatenate([[[left, top], [left + side, top + side]], points])


def test_centers_and_sides():
    faces = np.stack([face(10, 20, 8), face(-4, 0, 2)])
    np.testing.assert_array_equal(boxes.centers(faces), [[14, 24], [-3, 1]])
    np.testing.assert_array_equal(boxes.sides(faces), [8, 2])


def test_overlaps():
    others = np.stack([face(0, 0, 4), face(2, 0, 4), face(1, 1, 2), face(4, 0, 4)])
    np.testing.assert_allclose(boxes.overlaps(face(0, 0, 4), others), [1, 8 / 24, 4 / 16, 0])


def test_blended():
    faces = np.stack([face(0, 0, 10), face(50, 0, 10), face(1, 0, 10), face(51, 0, 10)])
    means = boxes.blended(faces, np.array([0.6, 0.9, 0.2, 0.3]))
    np.testing.assert_allclose(means, [face(50.25, 0, 10), face(0.25, 0, 10)])
    assert boxes.blended(faces[:0], np.zeros(0)).shape == (0, 8, 2)


def test_without_repeats():
    faces = np.stack([face(0, 0, 10), face(2, 2, 4), face(8, 0, 10), face(0, 0, 10)])
    kept, scores = boxes.without_repeats(faces, np.array([0.8, 0.9, 0.7, 0.6]))
    # The largest hides behind the better one in it; the third overlaps neither by half.
    np.testing.assert_array_equal(kept, faces[[1, 2]])
    np.testing.assert_array_equal(scores, [0.9, 0.7])


def test_moved():
    quarter_turn = np.array([[0.0, -2.0, 5.0], [2.0, 0.0, 7.0]])  # Twice as large.
    moved = boxes.moved(face(1, 2, 4)[None], quarter_turn)[0]
    # The middle (3, 4) goes to (5 - 8, 7 + 6); the box is twice as large and upright.
    np.testing.assert_array_equal(moved[:2], [[-7, 9], [1, 17]])
    np.testing.assert_array_equal(moved[2:4], [[1, 9], [-1, 11]])


def test_mirrored():
    faces = face(1, 2, 4)[None]
    there = boxes.mirrored(faces, 20)[0]
    np.testing.assert_array_equal(there[:2], [[15, 2], [19, 6]])
    # What was the right eye at (2, 3) is the left one; the nose stays what it is.
    np.testing.assert_array_equal(there[2:5], [[18, 3], [19, 2], [17, 4]])
    np.testing.assert_array_equal(boxes.mirrored(there[None], 20), faces)

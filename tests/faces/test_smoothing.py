import numpy as np
import pytest

from mbu_tf.faces.smoothing import BIAS, smoothed

TIMES = np.arange(0, 4, 1 / 30)
INNER = slice(10, -10)


def smooth(path, unit=1.0):
    return np.array([smoothed(TIMES, path, time, unit) for time in TIMES])


def noise(seed=0):
    x, y = np.random.default_rng(seed).normal(size=(2, len(TIMES)))
    return x + 1j * y


@pytest.mark.parametrize("path", [np.full(len(TIMES), 3 + 4j), (5 - 2j) * TIMES + 7])
def test_what_rests_or_moves_evenly_stays_as_it_is(path):
    np.testing.assert_allclose(smooth(path), path, atol=1e-12)


@pytest.mark.parametrize("unit", [1.0, 60.0])
def test_of_noise_on_still_eyes_little_is_left(unit):
    measured = 0.005 * unit * noise()
    left = smooth(measured, unit)[INNER]
    assert np.abs(left).std() < 0.4 * np.abs(measured).std()
    steps = np.abs(np.diff(left)).std() / np.abs(np.diff(measured)).std()
    assert steps < 0.08


def test_each_frame_has_its_part_of_the_average_at_rest():
    # Gaussian weights of 0.1 s at 30 frames per second: 1 / sqrt(2 sqrt(pi) 0.1 * 30).
    left = [smoothed(TIMES, 1e-5 * noise(seed), 2.0) for seed in range(1000)]
    assert np.std(left) / (1e-5 * np.sqrt(2)) == pytest.approx(0.307, rel=0.08)


@pytest.mark.parametrize("frequency", [0.5, 1, 2, 3])
def test_a_nod_keeps_its_height_and_does_not_lag(frequency):
    nod = 0.5j * np.sin(2 * np.pi * frequency * TIMES)
    assert np.abs(smooth(nod) - nod)[INNER].max() < 2.5 * BIAS


def test_a_jump_is_followed_at_once_from_both_sides():
    left = smooth((TIMES >= 2) + 0j).real
    jump = int(np.argmax(TIMES >= 2))
    assert (left[: jump - 2] < 0.02).all() and (left[jump + 2 :] > 0.98).all()
    assert left[jump - 1] + left[jump] == pytest.approx(1, abs=1e-3)


def test_evenly_accelerated_motion_is_missed_by_the_bias():
    path = 0.5 * 8 * TIMES**2 + 0j  # a = 8 units / s^2: weights of sqrt(2 BIAS / a) = 0.025 s.
    np.testing.assert_allclose((smooth(path) - path)[INNER], BIAS, rtol=0.02)


def test_frames_may_come_unevenly():
    times = np.sort(np.random.default_rng(1).uniform(0, 2, 50))
    path = (3 + 1j) * times
    for time in (0.0, 0.77, 1.9):
        assert smoothed(times, path, time) == pytest.approx((3 + 1j) * time, abs=1e-9)


def test_of_one_or_two_frames_there_is_nothing_to_smooth():
    assert smoothed([2.0], [5 + 1j], 2.0) == 5 + 1j
    assert smoothed([0.0, 0.2], [0, 1], 0.0) == pytest.approx(0)
    assert smoothed([0.0, 0.2], [0, 1], 0.1) == pytest.approx(0.5)

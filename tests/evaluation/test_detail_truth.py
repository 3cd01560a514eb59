"""Measures of edits at a photo's size."""

import numpy as np
import pytest

from mbu_tf.evaluation.detail_truth import EditMeasures, WithDetail, gradient_magnitude


def test_gradient_magnitude():
    axis = np.arange(8, dtype=np.float64)
    images = (0.3 * axis[None] + 0.4 * axis[:, None])[None, ..., None] * np.ones(3)
    got = gradient_magnitude(images)
    np.testing.assert_allclose(got[0, :-1, :-1], 0.5)
    np.testing.assert_allclose(got[0, -1, :-1], 0.3)  # No pixel below.


def test_errors_are_apart_and_all_pixels_count_alike():
    before = np.zeros((2, 8, 8, 3), np.float32)
    truth = before.copy()
    truth[0, :4], truth[1, :2] = 1.0, 1.0
    edited = truth.copy()
    edited[0, :4] = 0.7
    edited[1, 6:] = 0.5
    measures = EditMeasures()
    for i in range(2):  # One by one or together is the same.
        measures.update(edited[i : i + 1], truth[i : i + 1], before[i : i + 1])
    result = measures.result()
    assert result["inside"] == pytest.approx(0.3 * 32 / 48)
    assert result["outside"] == pytest.approx(0.5 * 16 / 80)
    together = EditMeasures()
    together.update(edited, truth, before)
    assert together.result() == pytest.approx(result)


def test_sharpness_of_blurred_lines():
    before = np.zeros((1, 16, 16, 3), np.float32)
    truth = before.copy()
    truth[:, 4:12:2] = 1.0
    blurred = before.copy()
    blurred[:, 4:12] = 0.5
    measures, exact = EditMeasures(), EditMeasures()
    measures.update(blurred, truth, before)
    exact.update(truth, truth, before)
    assert measures.result()["sharpness"] < 0.3
    assert exact.result() == pytest.approx({"inside": 0, "outside": 0, "sharpness": 1})


@pytest.mark.slow
def test_a_model_with_detail_is_measured_as_one_without(tiny_model):
    model = WithDetail(tiny_model)
    a, b = np.random.default_rng(0).uniform(-1, 1, (2, 2, 64, 64, 3)).astype("float32")
    edits = (
        (model.transfer(a, b), tiny_model.detailed_transfer_layer(a, b), a),
        (model.remove(b), tiny_model.detailed_removal_layer(b), b),
    )
    for edit, layer, before in edits:
        np.testing.assert_allclose(edit.mask, layer.mask, atol=1e-3)
        kept = np.broadcast_to(edit.mask == 0, before.shape)
        np.testing.assert_array_equal(edit.image[kept], before[kept])
        laid = before + edit.mask * (layer.image - before)
        assert np.abs(edit.image - laid).mean() < 1e-3
    np.testing.assert_allclose(model.segment(b), tiny_model.detailed_segmentation(b), atol=1e-3)

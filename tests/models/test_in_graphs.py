"""Inference in graphs gives what it gives outside them."""

import numpy as np
import pytest

RANDOM = np.random.default_rng(0)
A, B = (RANDOM.uniform(-1, 1, (2, 64, 64, 3)).astype(np.float32) for _ in "ab")
SMALL = np.s_[:, ::2, ::2]


@pytest.mark.parametrize(
    "infer",
    [
        lambda model: model.transfer_layer(A[SMALL], B[SMALL]),
        lambda model: model.removal_layer(A[SMALL], 0.3),
        lambda model: model.segment(A[SMALL]),
        lambda model: model.interpolate(A[SMALL], B[SMALL], A[SMALL], 3),
        lambda model: model.detailed_transfer_layer(A, B),
        lambda model: model.detailed_removal_layer(A),
    ],
)
def test_results_are_the_same(tiny_model, infer):
    expected = infer(tiny_model)
    with tiny_model.in_graphs():
        received = infer(tiny_model)
    assert type(received) is type(expected)
    np.testing.assert_allclose(received[0], expected[0], atol=5e-3)
    np.testing.assert_allclose(received[-1], expected[-1], atol=5e-3)


def test_each_computation_is_traced_once(tiny_model, monkeypatch):
    traced = []
    compute = type(tiny_model).compute_removal_layer

    def counted(self, image, threshold):
        traced.append(threshold)
        return compute(self, image, threshold)

    monkeypatch.setattr(type(tiny_model), "compute_removal_layer", counted)
    with tiny_model.in_graphs():
        for threshold in (0.3, 0.4, 0.3, 0.4):
            masks = tiny_model.removal_layer(A[SMALL], threshold).mask
        assert traced == [0.3, 0.4]
    np.testing.assert_array_equal(masks, tiny_model.removal_layer(A[SMALL], 0.4).mask)
    assert traced == [0.3, 0.4, 0.4]

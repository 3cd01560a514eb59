"""The network: the original file's numbers, any size, any graph, nothing else touched."""

import json
import os
import pathlib
import random
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from portraits import astronaut

from mbu_tf.faces import blazeface, boxes
from mbu_tf.faces.blazeface import load_blazeface

# What face_detection_short_range.tflite itself gives under LiteRT 2.3 for the picture
# below, at some of its anchors.
ORIGINAL = json.loads(pathlib.Path(__file__).with_name("blazeface_original.json").read_text())


def picture():
    return np.float32(astronaut()[66:194, 160:288])[None]


def anchor(index):
    """Where an anchor of a 128 x 128 picture lies: 2 at each of 16 x 16, 6 at each of 8 x 8."""
    cell, across, stride = (index // 2, 16, 8) if index < 512 else ((index - 512) // 6, 8, 16)
    return np.array([cell % across + 0.5, cell // across + 0.5]) * stride


def test_the_original_file_s_numbers():
    seen = load_blazeface().predict_on_batch(picture())
    assert seen["faces"].shape == (1, 896, 8, 2) and seen["scores"].shape == (1, 896)
    logits = np.array(ORIGINAL["classificators"])
    scores = seen["scores"][0, ORIGINAL["anchors"]]
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(-logits)), atol=1e-3)
    assert scores.max() > 0.9
    for index, raw in zip(ORIGINAL["anchors"], ORIGINAL["regressors"], strict=True):
        center, size, *points = np.reshape(raw, (8, 2))
        corners = [center - size / 2, center + size / 2]
        # The eyes come 4.8 % nearer to each other, about their middle.
        middle = (points[0] + points[1]) / 2
        points[:2] = [middle + (eye - middle) / 1.048 for eye in points[:2]]
        expected = np.array([*corners, *points]) + anchor(index)
        np.testing.assert_allclose(seen["faces"][0, index], expected, atol=5e-3)


@pytest.mark.slow
def test_the_same_under_jax():
    """Compiled by XLA, which goes wrong where channels of zeros are added to others."""
    pytest.importorskip("jax")
    test = f"{__file__}::test_the_original_file_s_numbers"
    command = [sys.executable, "-m", "pytest", "-q", "-o", "addopts=", "-p", "no:cacheprovider"]
    environment = os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    ran = subprocess.run([*command, test], env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_larger_picture_has_the_face_where_it_was_moved():
    small = load_blazeface().predict_on_batch(picture())
    large = np.full((1, 192, 256, 3), 127.5, np.float32)
    large[:, 48:176, 96:224] = picture()
    large = load_blazeface().predict_on_batch(large)
    assert large["scores"].shape == (1, 192 * 256 // 64 * 2 + 192 * 256 // 256 * 6)
    first, moved = (seen["faces"][0, np.argmax(seen["scores"][0])] for seen in (small, large))
    np.testing.assert_allclose(moved - first, np.tile([96, 48], (8, 1)), atol=3)


def test_in_a_graph_of_any_size():
    function = tf.function(load_blazeface(), input_signature=[tf.TensorSpec((None, None, None, 3))])
    for shape in ((1, 128, 128, 3), (2, 64, 96, 3)):
        pictures = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
        expected = load_blazeface().predict_on_batch(pictures)
        for name, values in function(pictures).items():
            np.testing.assert_allclose(values, expected[name], atol=2e-3)


def test_loading_leaves_precision_and_random_numbers_alone():
    keras.config.set_dtype_policy("mixed_float16")
    keras.utils.set_random_seed(7)
    before = random.getstate(), np.random.get_state()[1].tolist()
    model = blazeface.load_blazeface.__wrapped__()
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before
    assert {weight.dtype for weight in model.weights} == {"float32"}
    seen = model.predict_on_batch(picture())
    assert seen["faces"].dtype == seen["scores"].dtype == np.float32
    np.testing.assert_array_equal(
        seen["scores"], load_blazeface().predict_on_batch(picture())["scores"]
    )


def test_weights_come_with_their_licence():
    folder = blazeface.WEIGHTS.parent
    assert "Apache License" in (folder / "BLAZEFACE_LICENSE").read_text("utf-8")
    setup = (pathlib.Path(__file__).parents[2] / "setup.py").read_text("utf-8")
    assert '"mbu_tf.faces": ["*.npz", "BLAZEFACE_LICENSE"]' in setup


@pytest.mark.parametrize("name", blazeface.POINTS)
def test_mirrored_points_are_pairs(name):
    other = {"left": "right", "right": "left"}
    first, _, rest = name.partition("_")
    expected = f"{other[first]}_{rest}" if rest else name
    index = blazeface.POINTS.index(name)
    assert blazeface.POINTS[boxes.MIRRORED_POINTS[index]] == expected

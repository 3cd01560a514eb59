"""Features against Pillow's filter and against the network itself."""

import keras
import numpy as np
import pytest
from PIL import Image

from mbu_tf.evaluation import FeatureExtractor, InceptionFeatures, WeightsUnavailableError

IMAGES = np.random.default_rng(0).uniform(-1, 1, (3, 24, 36, 3)).astype(np.float32)


def identity(size):
    """A network that gives the images it sees."""
    images = keras.Input((size, size, 3))
    return keras.Model(images, keras.layers.Identity()(images))


@pytest.mark.parametrize("size", [10, 50])
def test_resizing_is_pillows_bicubic_filter(size):
    seen = FeatureExtractor(identity(size), size, average=False)(IMAGES).reshape(3, size, size, 3)
    planes = [[Image.fromarray(image[..., c]) for c in range(3)] for image in IMAGES]
    resized = [[p.resize((size, size), Image.Resampling.BICUBIC) for p in x] for x in planes]
    expected = np.moveaxis(np.array([[np.asarray(p) for p in x] for x in resized]), 1, -1)
    np.testing.assert_allclose(seen, expected.clip(-1, 1), atol=1e-5)


def test_batches_preprocessing_and_averages():
    extractor = FeatureExtractor(identity(24), 24, lambda x: 127.5 * (x + 1.0), batch_size=2)
    features = extractor(IMAGES[:, :, :24])
    assert features.dtype == np.float64 and extractor.dimension == 3
    expected = 127.5 * (IMAGES[:, :, :24].mean(axis=(1, 2)) + 1.0)
    np.testing.assert_allclose(features, expected, rtol=1e-5)


def test_images_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"must lie in \[-1, 1\]"):
        FeatureExtractor(identity(24), 24)(IMAGES * 200)


def test_weights_that_cannot_be_fetched(monkeypatch):
    def refuse(*args, **kwargs):
        raise Exception("URL fetch failure: no route to host")

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", refuse)
    with pytest.raises(WeightsUnavailableError, match="no route.*`weights`.*FeatureExtractor"):
        InceptionFeatures()


def test_weights_from_a_path(monkeypatch, tmp_path):
    def small(include_top, weights, pooling):
        """Takes InceptionV3's place, which takes long to build."""
        assert not include_top and pooling == "avg"
        network = keras.Sequential(
            [
                keras.Input((None, None, 3)),
                keras.layers.Conv2D(4, 3, strides=9),
                keras.layers.GlobalAveragePooling2D(),
            ]
        )
        if weights is not None:
            network.load_weights(weights)
        return network

    monkeypatch.setattr(keras.applications, "InceptionV3", small)
    network, path = small(False, None, "avg"), tmp_path / "small.weights.h5"
    network.save_weights(path)
    images = np.random.default_rng(0).uniform(-1, 1, (2, 299, 299, 3)).astype(np.float32)
    np.testing.assert_allclose(InceptionFeatures(path)(images), network(images), rtol=1e-6)
    with pytest.raises(WeightsUnavailableError, match="cannot be read from .*missing.h5"):
        InceptionFeatures(tmp_path / "missing.h5")

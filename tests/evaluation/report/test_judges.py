import types
import zipfile

import numpy as np
import pytest

from mbu_tf.evaluation.parts import Parts
from mbu_tf.evaluation.report import judges
from mbu_tf.evaluation.report.judges import Judges, UnavailableError

MATERIAL = types.SimpleNamespace(key={}, train_key={})


def test_wrong_features_are_told_at_once():
    with pytest.raises(ValueError, match="Received: --embedding classifier"):
        Judges(MATERIAL, None, embedding="classifier")
    with pytest.raises(FileNotFoundError, match="or a file. Received: incepton"):
        Judges(MATERIAL, None, "incepton")
    assert Judges(MATERIAL, None, "classifier").embedding == "inception"


def test_what_cannot_be_had_is_tried_once(monkeypatch):
    tried = []

    def fetch():
        tried.append(None)
        raise judges.WeightsUnavailableError("offline")

    monkeypatch.setattr(judges, "InceptionFeatures", fetch)
    found = Judges(MATERIAL, None)
    for _ in range(2):
        with pytest.raises(UnavailableError, match="offline.*--features classifier"):
            found.extractor("inception")
    assert len(tried) == 1


def test_features_of_the_same_images_are_computed_once(monkeypatch):
    seen = []

    def fetch():
        return lambda images: seen.append(len(images)) or images.mean((1, 2))

    monkeypatch.setattr(judges, "InceptionFeatures", fetch)
    found, images = Judges(MATERIAL, None), np.arange(96, dtype=np.float32).reshape(2, 4, 4, 3)
    for given in (images, images.copy(), images[:1]):
        features = found.extractor("inception")(given)
        np.testing.assert_array_equal(features, given.mean((1, 2)))
    assert seen == [2, 1]


def test_features_of_a_model_of_the_users_own(tmp_path):
    import keras

    model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.GlobalAveragePooling2D()])
    model.save(tmp_path / "mean.keras")
    name = str(tmp_path / "mean.keras")
    found = Judges(MATERIAL, Parts(tmp_path / "parts"), name)
    images = np.random.default_rng(0).uniform(-1, 1, (2, 4, 4, 3)).astype(np.float32)
    np.testing.assert_allclose(found.extractor(name)(images), images.mean((1, 2)), atol=1e-6)
    key = found.feature_key(name)
    keras.Sequential([keras.Input((4, 4, 3)), keras.layers.GlobalMaxPooling2D()]).save(name)
    assert found.feature_key(name) != key


def test_models_that_give_no_features_of_images(tmp_path):
    import keras

    numbers = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    unknown = keras.Sequential([keras.layers.Dense(1)])
    for name, model in {"numbers": numbers, "unknown": unknown}.items():
        model.save(tmp_path / f"{name}.keras")
    (tmp_path / "text.keras").write_text("none")
    with zipfile.ZipFile(tmp_path / "system.keras", "w") as archive:
        archive.writestr("config.json", '{"module": "os", "class_name": "system", "config": {}}')
        archive.writestr("metadata.json", "{}")
    for path in tmp_path.glob("*.keras"):
        with pytest.raises(UnavailableError, match=f"{path.name} is no Keras model of one RGB"):
            Judges(MATERIAL, None, str(path)).extractor(str(path))

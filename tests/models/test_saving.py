"""Where a model is saved to, and what is there already."""

import keras
import numpy as np
import pytest

from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.loading import load_model

TINY = {"image_size": 8, "width": 0.02, "separate_channels": 1}


@pytest.fixture(scope="module")
def model():
    return MaskedContentTransfer(**TINY)


def test_an_existing_file_is_kept_where_nobody_can_be_asked(model, tmp_path, monkeypatch):
    path = tmp_path / "model.keras"
    path.write_text("something dear")

    def nobody(question):
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    with pytest.raises(FileExistsError, match="model.keras exists already. Pass overwrite=True"):
        model.save(path, overwrite=False)
    assert path.read_text() == "something dear"


@pytest.mark.parametrize("answer", ["y", "n"])
def test_an_existing_file_is_replaced_by_who_agrees(model, tmp_path, monkeypatch, answer):
    path, answers, asked = tmp_path / "model.keras", ["what?", answer], []
    other = MaskedContentTransfer(**TINY)
    other.save(path)
    monkeypatch.setattr("builtins.input", lambda x: asked.append(x) or answers.pop(0))
    model.save(path, overwrite=False)
    assert len(asked) == 2 and str(path) in asked[0]
    saved = (model if answer == "y" else other).get_weights()
    for v, w in zip(load_model(path).get_weights(), saved, strict=True):
        np.testing.assert_array_equal(v, w)


def test_a_new_file_needs_no_agreement(model, tmp_path):
    model.save(tmp_path / "model.keras", overwrite=False)
    assert [x.name for x in tmp_path.iterdir()] == ["model.keras"]


def test_a_folder_in_place_of_a_file(model, tmp_path):
    model.save(tmp_path / "folder", zipped=False)
    for v, w in zip(
        load_model(tmp_path / "folder").get_weights(), model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(v, w)
    assert [x.name for x in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("name", [".keras", "Modèle nº 1.v2.keras", "m" * 249 + ".keras"])
def test_odd_names(model, tmp_path, name):
    model.save(tmp_path / name)
    assert [x.name for x in tmp_path.iterdir()] == [name]
    assert type(load_model(tmp_path / name)) is MaskedContentTransfer


@pytest.mark.parametrize(
    ("name", "options"), [("model", {}), ("model.tf", {}), ("model.keras", {"zipped": False})]
)
def test_names_that_keras_refuses_are_named_as_given(model, tmp_path, name, options):
    with pytest.raises(ValueError, match=f"Received: filepath={tmp_path / name}"):
        model.save(tmp_path / name, **options)
    assert not list(tmp_path.iterdir())


def test_a_remote_path_is_left_to_keras(model, monkeypatch):
    found = []
    monkeypatch.setattr(keras.Model, "save", lambda self, path, **kwargs: found.append(path))
    model.save("gs://bucket/model.keras")
    assert found == ["gs://bucket/model.keras"]

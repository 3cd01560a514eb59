import json
import zipfile

import numpy as np
import pytest

from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.loading import load_editor, load_model, pretrained_presets
from mbu_tf.models.presets import MBU_PRESETS
from mbu_tf.pretrained import about_pretrained, pretrained_names, weights, write_pretrained

FRAMING = {"kind": "face", "left_eye": [0.3, 0.4], "right_eye": [0.7, 0.4]}
SMALL = {"image_size": 16, "width": 0.1, "separate_channels": 3, "framing": FRAMING}


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A model with weights all its own, kept as `small`, which `tiny` is a preset of."""
    model = MaskedContentTransfer(**SMALL, name="of_another_name")
    rng = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(rng.uniform(0.1, 0.9, weight.shape))
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    write_pretrained(model, tmp_path / "small.npz", {"task": "t", "data": "d", "licence": "l"})
    monkeypatch.setitem(MBU_PRESETS, "tiny", {**MBU_PRESETS["photos"], "weights": "small"})
    return model


def test_a_kernel_is_kept_within_half_a_level_of_each_channel():
    rng = np.random.default_rng(1)
    kernel = rng.normal(size=(4, 4, 5, 3)) * [1, 100, 0]
    integers, scale = weights.in_8_bits(kernel)
    assert integers.dtype == np.int8 and scale.shape == (3,)
    largest = np.abs(kernel).reshape(-1, 3).max(axis=0)
    assert (np.abs(integers * scale - kernel) <= largest / 127 / 2 * (1 + 1e-5)).all()


def test_a_preset_with_weights_gives_the_trained_model(own, tmp_path):
    assert pretrained_names() == ["small"]
    assert pretrained_presets()["tiny"] is MaskedContentTransfer
    model = MaskedContentTransfer.from_preset("tiny")
    assert model.compiled and model.arguments == own.arguments and model.framing == own.framing
    assert (
        model.loss_weights["confusion"]
        == MBU_PRESETS["photos"]["compile"]["loss_weights"]["confusion"]
    )
    for found, kept in zip(model.weights, own.weights, strict=True):
        found, kept = np.asarray(found), np.asarray(kept)
        near = np.abs(kept).max() / 127 / 2 if kept.ndim > 1 else 1e-7
        np.testing.assert_allclose(found, kept, atol=near * 1.001)
    assert model.mask_threshold == pytest.approx(own.mask_threshold)

    images = np.random.default_rng(2).uniform(-1, 1, (2, 16, 16, 3)).astype(np.float32)
    model.fit(images, images, verbose=0)  # It can be taught further.
    recipe_alone = MaskedContentTransfer.from_preset("tiny", load_weights=False, image_size=16)
    assert recipe_alone.arguments["width"] == 0.5


def test_its_name_stands_wherever_a_model_file_may(own, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_model("tiny").arguments == load_editor("tiny").arguments == own.arguments
    own.save("tiny.keras")
    assert load_model("tiny.keras").name == "of_another_name"
    with pytest.raises(FileNotFoundError, match="no model file tinny.*tiny"):
        load_model("tinny")


def test_what_is_kept_beside_the_weights(own):
    about = about_pretrained("small")
    assert about["task"] == "t" and about["method"] == "MaskedContentTransfer"
    assert about["arguments"]["framing"] == FRAMING and about["arguments"]["depth"] == 3


def test_other_architectures_and_names_are_refused(own):
    for given in ({"image_size": 16}, {"formulation": "paper"}, {"base": own}):
        with pytest.raises(ValueError, match=f"load_weights=False.*Received: {next(iter(given))}"):
            MaskedContentTransfer.from_preset("tiny", **given)
    other = MaskedContentTransfer(**{**SMALL, "width": 0.2})
    before = [np.asarray(x) for x in other.weights]
    with pytest.raises(ValueError, match="do not fit"):
        weights.restore_pretrained(other, "small")
    for found, kept in zip(other.weights, before, strict=True):
        np.testing.assert_array_equal(found, kept)
    with pytest.raises(ValueError, match="small. Received: 'large'"):
        about_pretrained("large")


def test_a_damaged_file_is_named(own, tmp_path):
    file = tmp_path / "small.npz"
    whole = file.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"no archive"):
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match="'small' in mbu_tf is damaged: install"):
            about_pretrained("small")


def test_nothing_in_the_file_can_run_code(own, tmp_path):
    with zipfile.ZipFile(tmp_path / "small.npz") as archive:
        for name in archive.namelist():
            with archive.open(name) as file:
                assert np.lib.format.read_array(file, allow_pickle=False).dtype != object
    assert json.dumps(about_pretrained("small"))

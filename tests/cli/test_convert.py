"""`mbu-tf convert`: what it says when it cannot; its results are tested in tests/interop."""

import keras
import numpy as np
import pytest

from mbu_tf.models.content_disentanglement import ContentDisentanglement
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.domain_intersection import DomainIntersectionDifference
from mbu_tf.models.loading import load_model

METHODS = (MaskedContentTransfer, ContentDisentanglement, DomainIntersectionDifference)


@pytest.fixture(params=METHODS)
def small_file(request, tmp_path):
    """A model with the published layers at a 32nd of their width."""
    keras.utils.set_random_seed(0)
    model = request.param(image_size=64, depth=6, width=1 / 32, separate_channels=3)
    model.compile()
    model.save(tmp_path / "small.keras")
    return tmp_path / "small.keras"


def test_one_of_the_files_must_be_a_keras_file(mbu_tf):
    for files in (("checkpoint", "--output", "out"), ("m.keras", "--output", "n.keras")):
        status, error = mbu_tf("convert", *files)
        assert status == 1
        assert "One of the two files must be a .keras file, the other a PyTorch" in error


def test_arguments_and_files_that_are_missing(mbu_tf, tmp_path):
    status, error = mbu_tf("convert", tmp_path / "missing.keras", "--output", tmp_path / "out")
    assert status == 1 and "There is no model file" in error
    assert mbu_tf("convert", "checkpoint")[0] == 2
    pytest.importorskip("torch", reason="PyTorch is not installed")
    status, error = mbu_tf("convert", tmp_path / "missing", "--output", tmp_path / "m.keras")
    assert status == 1 and "There is no checkpoint" in error


def test_an_unknown_preset(mbu_tf, tmp_path):
    arguments = (tmp_path / "missing", "--output", tmp_path / "m.keras", "--preset", "hats")
    status, error = mbu_tf("convert", *arguments)
    assert status == 1 and "Presets are" in error and "'hats'" in error


@pytest.mark.slow
def test_another_width_is_converted_with_a_note(mbu_tf, small_file, tmp_path):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    status, error = mbu_tf("convert", small_file, "--output", tmp_path / "checkpoint")
    assert status == 0 and "width 0.03125; the published code as it stands builds" in error
    status, error = mbu_tf("convert", tmp_path / "checkpoint", "--output", tmp_path / "again.keras")
    assert (status, error) == (0, "")
    before, after = load_model(small_file), load_model(tmp_path / "again.keras")
    assert type(after) is type(before)
    for one, other in zip(before.get_weights(), after.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=0)


def test_networks_that_the_published_code_lacks(mbu_tf, model_file, tmp_path):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    status, error = mbu_tf("convert", model_file, "--output", tmp_path / "checkpoint")
    assert status == 1 and "not those of the published code" in error and "depth=4" in error
    assert not (tmp_path / "checkpoint").exists()


def test_a_file_that_is_no_checkpoint(mbu_tf, tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    torch.save({"e1": torch.zeros(3)}, tmp_path / "checkpoint")
    status, error = mbu_tf("convert", tmp_path / "checkpoint", "--output", tmp_path / "m.keras")
    assert status == 1 and "checkpoint: This is no checkpoint of a published code" in error
    assert not (tmp_path / "m.keras").exists()


def test_a_model_is_replaced_only_when_told_to(mbu_tf, small_file, tmp_path):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    output = tmp_path / "checkpoint"
    output.write_text("old")
    status, error = mbu_tf("convert", small_file, "--output", output)
    assert status == 1 and "checkpoint is there already" in error and output.read_text() == "old"
    assert mbu_tf("convert", small_file, "--output", output, "--overwrite")[0] == 0
    assert output.stat().st_size > 10_000

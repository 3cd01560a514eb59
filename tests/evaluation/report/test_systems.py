import numpy as np
import pytest

from mbu_tf.data.domains import to_model_range
from mbu_tf.data.images import write_png
from mbu_tf.evaluation.report import systems
from mbu_tf.evaluation.report.listed_pictures import PictureSystem, read_mask, read_pairs
from mbu_tf.evaluation.report.systems import ModelSystem, open_systems, short_names
from mbu_tf.models.two_way import TwoWayTransfer


def grey(path, value, size=(8, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, np.full((*size, 3), value, np.uint8))


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/x/mbu/b/model.keras", "/x/cd/b/model.keras"], ["mbu/b", "cd/b"]),
        (["/x/run/model.keras"], ["run"]),
        (["/x/first.keras", "/x/second.keras"], ["first", "second"]),
        (["/x/b/model.keras", "/x/a/b/model.keras"], ["x/b", "a/b"]),
    ],
)
def test_names_are_as_short_as_they_tell(paths, names):
    assert short_names(paths) == names


def test_a_model_makes_what_its_methods_make(model_file, tiny_model):
    (system,) = open_systems([f"mine={model_file}"], [])
    a, b = np.random.default_rng(0).uniform(-1, 1, (2, 2, 32, 32, 3)).astype(np.float32)
    made = system.make(a, b)
    assert (system.name, system.method, system.image_size) == ("mine", "mbu", 32)
    assert [*made] == ["transfer", "removal"]
    np.testing.assert_array_equal(made["transfer"].image, tiny_model.transfer(a, b).image)
    np.testing.assert_array_equal(made["removal"].mask, tiny_model.remove(b).mask)
    assert made["removal"].source is b and made["removal"].reference is None


def test_a_translator_makes_transfers_and_removals_without_a_reference(fader_file, tiny_fader):
    (system,) = open_systems([f"fader={fader_file}"], [])
    a, b = np.random.default_rng(0).uniform(-1, 1, (2, 2, 32, 32, 3)).astype(np.float32)
    made = system.make(a, b)
    assert (system.method, system.editor, system.two_way) == ("fader", None, None)
    assert [*made] == ["transfer", "removal"]
    for way, source, expected in (
        ("transfer", a, tiny_fader.translate_to_b(a)),
        ("removal", b, tiny_fader.translate_to_a(b)),
    ):
        np.testing.assert_array_equal(made[way].image, expected.image)
        assert made[way].source is source and made[way].reference is None
        assert made[way].mask.min() == 1


def test_two_models_in_sequence(model_file, tiny_model):
    (system,) = open_systems([f"{model_file}+{model_file}"], [])
    a, b = np.random.default_rng(0).uniform(-1, 1, (2, 2, 32, 32, 3)).astype(np.float32)
    made = system.make(a, b)
    assert [*made] == ["transfer", "transfer_to_a"] and system.method == "mbu, in sequence"
    expected = tiny_model.transfer(tiny_model.remove(a).image, b).image
    np.testing.assert_allclose(made["transfer"].image, expected, atol=1e-6)


def test_what_cannot_be_compared_is_told(model_file, tmp_path):
    with pytest.raises(ValueError, match="The name 'x' is taken"):
        open_systems([f"x={model_file}", f"x={model_file}"], [])
    with pytest.raises(ValueError, match="The name 'targets' is taken"):
        open_systems([f"targets={model_file}"], [])
    with pytest.raises(ValueError, match="one image size.*Received: x 32, --image-size 64"):
        open_systems([f"x={model_file}"], [], 64)
    with pytest.raises(FileNotFoundError, match="no model file"):
        open_systems([str(tmp_path / "none.keras")], [])


def test_a_two_way_model_needs_no_other(model_file, monkeypatch):
    monkeypatch.setattr(systems, "load_model", lambda path: TwoWayTransfer())
    with pytest.raises(ValueError, match="Only one-way models work in sequence"):
        ModelSystem("x", [model_file, model_file])


def test_listed_pictures(tmp_path):
    for i, name in enumerate(["r", "t", "g", "bare", "m"]):
        grey(tmp_path / f"{name}.png", 50 * i)
    (tmp_path / "pairs.csv").write_text(
        "result,target,reference,mask\nr.png,t.png,g.png,m.png\n\nbare.png, g.png\n"
    )
    made = PictureSystem("theirs", tmp_path, 16).make(None, None)
    assert [*made] == ["transfer", "removal"]
    for each, value in zip(made["transfer"][:3], (50, 100, 0), strict=True):
        np.testing.assert_array_equal(each, np.full((1, 16, 16, 3), to_model_range(value)))
    np.testing.assert_allclose(made["transfer"].mask, np.full((1, 16, 16, 1), 200 / 255))
    assert made["removal"].reference is None and made["removal"].mask is None
    np.testing.assert_array_equal(made["removal"].source[0, 0, 0], [to_model_range(100)] * 3)


def test_bad_lists_are_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="result,target,reference"):
        read_pairs(tmp_path)
    for text, message in {
        "": "lists no picture",
        "a.png\n": "Line 1 of",
        "a,,b\n": "Line 1",
    }.items():
        (tmp_path / "pairs.csv").write_text(text)
        with pytest.raises(ValueError, match=message):
            read_pairs(tmp_path)


def test_masks_are_averaged_when_shrunk(tmp_path):
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[:, 0] = 255
    write_png(tmp_path / "m.png", picture)
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png", 2)[..., 0], [[0.5, 0]] * 2)

"""Every example runs as it stands, on few faces and a tiny model."""

import functools
import importlib.util
import json
import pathlib
import runpy

import keras
import numpy as np
import pytest
from PIL import Image

from mbu_tf import load_model
from mbu_tf.data import avatars, read_image
from mbu_tf.data.celeba_rules import ATTRIBUTES
from mbu_tf.exporting import export_saved_model
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.domain_intersection import DomainIntersectionDifference
from mbu_tf.models.methods import METHODS
from tests.portrait_sets import Set

EXAMPLES = pathlib.Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def few_avatars(tmp_path_factory):
    """`load_avatars` with a cache of this file's own, so that each is rendered once."""
    return functools.partial(avatars.load_avatars, data_dir=tmp_path_factory.mktemp("avatars"))


@pytest.fixture
def run(few_avatars, tmp_path, monkeypatch):
    """Runs an example in an empty folder, on few avatars."""
    for split in avatars.SPLITS:
        monkeypatch.setitem(avatars.SPLITS, split, 16)
    monkeypatch.setattr(avatars, "load_avatars", few_avatars)
    monkeypatch.chdir(tmp_path)

    def run(name, *arguments):
        monkeypatch.setattr("sys.argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")

    return run


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "tiny.keras"
    MaskedContentTransfer(image_size=64, width=0.03, separate_channels=2).save(path)
    return path


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_quickstart(run, tmp_path):
    run("quickstart.py", "--steps", 2, "--output", "out")
    assert (tmp_path / "out" / "model.keras").is_file()
    # Six targets beside the references, their segmentation and removal.
    assert read_image(tmp_path / "out" / "transfer.png").shape[1] == 9 * 132 + 4


@pytest.mark.slow
def test_swap(run, model, tmp_path):
    run("swap.py", model)
    assert read_image(tmp_path / "swap.png").shape == (3 * 132 + 4, 8 * 132 + 4, 3)


@pytest.mark.slow
def test_measure_detail(run, model, capsys):
    run("measure_detail.py", model, "--size", 128, "--pairs", 2)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    rows = {(x[0], x[1]): x for x in lines if x and x[0] in ("transfer", "removal", "outline")}
    ways = ("nothing", "enlarged", "detail")
    assert set(rows) == {(k, w) for k in ("transfer", "removal", "outline") for w in ways} - {
        ("outline", "nothing")
    }
    undone = rows["transfer", "nothing"]
    assert float(undone[undone.index("outside") + 1]) == 0


@pytest.mark.slow
def test_measure_portraits(run, tmp_path, capsys):
    model = tmp_path / "framed.keras"
    MaskedContentTransfer(64, width=0.03, separate_channels=2, framing="mouth").save(model)
    portraits = Set(tmp_path)
    for level in (10, 60, 110):
        portraits.add(level, split="heldout")
    portraits.add(200, split="heldout", facial_hair=1)
    bright = keras.Sequential([keras.Input((64, 64, 3)), keras.layers.GlobalAveragePooling2D()])
    # A photo is of B where it is bright.
    bright.add(keras.layers.Dense(1, use_bias=False, kernel_initializer="ones"))
    bright.save("bright.keras")
    arguments = (model, "--portraits", tmp_path, "--classifier", "bright.keras", "--task")
    run("measure_portraits.py", *arguments, "facial_hair")
    first, _, _, *rows = capsys.readouterr().out.splitlines()
    assert first == "facial_hair of 1 photos, each on 8 faces"
    assert rows[0] == "| real | 100.0 % | 100.0 % |"
    assert [row.split(" | ")[0] for row in rows] == ["| real", "| painted", "| with detail"]
    with pytest.raises(SystemExit):
        run("measure_portraits.py", *arguments, "facial_hair", "--groups", "groups.json")
    assert "--groups is for glasses" in capsys.readouterr().err


@pytest.mark.slow
def test_two_attributes(run, model, tmp_path):
    run("two_attributes.py", model, model, "--output", "both.png")
    assert read_image(tmp_path / "both.png").shape == (4 * 132 + 4, 8 * 132 + 4, 3)


@pytest.mark.slow
def test_out_of_domain(run, model, tmp_path, capsys):
    run("out_of_domain.py", model)
    rows = [x for x in capsys.readouterr().out.splitlines() if x.startswith("| avatars:")]
    assert [x.split("|")[1].strip() for x in rows] == ["avatars:glasses", "avatars:lorelei_glasses"]
    pictures = [
        read_image(tmp_path / "out_of_domain" / f"{x}.png") for x in ("trained_on", "other")
    ]
    assert pictures[0].shape == pictures[1].shape and (pictures[0] != pictures[1]).any()


@pytest.fixture
def narrow(monkeypatch):
    """Presets of every method with narrow networks."""
    recipes = [x for method in METHODS.values() for x in method.presets.values()]
    for recipe in recipes:
        monkeypatch.setitem(recipe["architecture"], "width", 0.06)
        monkeypatch.setitem(recipe["architecture"], "separate_channels", 2)


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_compare_methods(run, narrow, tmp_path, capsys):
    chosen = ("--methods", "masked_didd", "cd")  # Two-way, and one-way in sequence.
    run("compare_methods.py", "--output", "all", "--steps", 1, *chosen)
    rows = [x for x in capsys.readouterr().out.splitlines() if x.startswith("|")]
    assert len(rows) == 2 + 2 + 2 * 2
    assert {x.split("|")[1].strip() for x in rows[4:]} == set(chosen[1:])
    for name in chosen[1:]:
        # A head of targets and five rows of translations, both ways.
        assert read_image(tmp_path / "all" / f"{name}.png").shape[0] == 12 * 132 + 4 + 16
    run("compare_methods.py", "--output", "all", "--steps", 1, *chosen)  # Not trained again.
    again = [x for x in capsys.readouterr().out.splitlines() if x.startswith("|")]
    assert again == rows


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_benchmark_gpu(run, narrow, tmp_path, monkeypatch, capsys):
    """All of it on a CPU, to the end; a second call measures nothing again."""
    monkeypatch.syspath_prepend(EXAMPLES)
    if importlib.util.find_spec("torch"):
        for name, channels in {"E1": (3, 4, 4, 4, 4, 7, 7), "E2": (3, 4, 4, 4, 4, 4, 1)}.items():
            monkeypatch.setattr(f"tests.interop.torch_mbu.{name}", channels)
        monkeypatch.setattr("tests.interop.torch_mbu.DECODER", (8, 8, 4, 4, 4, 32))
    sizes = ("--image-size", 64, "--width", 0.06, "--batch-size", 2, "--largest", 4)
    timing = ("--steps", 1, "--turns", 1, "--matrix-side", 64, "--training-minutes", 0.0001)
    chosen = ("--backends", "tensorflow", "--precisions", "float32", "mixed_bfloat16")
    chosen += ("--torch", "eager", "--minutes", 60, "--here")
    run("benchmark_gpu.py", "--output", "gpu", *sizes, *timing, *chosen)
    figures = json.loads((tmp_path / "gpu" / "benchmark.json").read_text())
    assert figures["done"] and figures["training"]["seconds"] > 0
    assert 0 <= figures["training"]["truth"]["segment_iou"] <= 1
    steps = [x for x in figures["parts"] if x["kind"] == "step"]
    # Both precisions at 2, the first at 4 as well, and the second too where that gained 5 %.
    took = {(x["precision"], x["batch"]): x["seconds"] for x in steps}
    gained = 4 / took["float32", 4] >= 1.05 * (2 / took["float32", 2])
    assert ("mixed_bfloat16", 2) in took and (("mixed_bfloat16", 4) in took) == gained
    for x in steps:
        assert x["seconds"] > 0 and x["first_seconds"] > 0 and x["memory"] > 2**20
    (counted,) = (x for x in figures["parts"] if x["kind"] == "flop")
    table = (tmp_path / "gpu" / "benchmark.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table if "|" in line]
    (row,) = (x for x in rows if x[:3] == ["tensorflow: glasses", "float32", "2"])
    seconds = next(x["seconds"] for x in steps if x["batch"] == 2 and x["precision"] == "float32")
    peak = next(x["flop_per_second"] for x in figures["parts"] if "flop_per_second" in x)
    assert row[3:6] == [
        *(f"{1000 * seconds:.1f}", f"{4 / seconds:.0f}"),
        f"{counted['flop'] * 2 / seconds / peak:.0%}",
    ]
    if importlib.util.find_spec("torch"):
        eager = [x[1:3] for x in rows if x[0] == "PyTorch, eager: published code"]
        assert eager[:2] == [["float32", "2"], ["bfloat16", "2"]]
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "gpu" / "parts").iterdir()}
    run("benchmark_gpu.py", "--output", "gpu", *sizes, *timing, *chosen)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    again = json.loads((tmp_path / "gpu" / "benchmark.json").read_text())
    assert again["parts"] == figures["parts"]


@pytest.mark.slow
def test_benchmark_gpu_without_time(run, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    run("benchmark_gpu.py", "--output", "gpu", "--minutes", 0)
    figures = json.loads((tmp_path / "gpu" / "benchmark.json").read_text())
    assert figures == {"parts": [], "training": None, "done": False}
    assert "the same command again goes on" in (tmp_path / "gpu" / "benchmark.md").read_text()


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_compare_precisions(run, narrow, tmp_path, capsys):
    chosen = ("--precisions", "mixed_bfloat16", "--seeds", 1, "--steps", 2, "--width", 0.06)
    run("compare_precisions.py", "--output", "all", *chosen)
    (figures,) = json.loads((tmp_path / "all" / "precisions.json").read_text())["mixed_bfloat16"]
    assert 0 <= figures["segment_iou"] <= 1 and figures["skipped_steps"] == 0
    written = (tmp_path / "all" / "precisions.md").read_text("utf-8")
    assert f"| mixed_bfloat16 | {figures['segment_iou']:.3f} ± 0.000 |" in written
    model = tmp_path / "all" / "mixed_bfloat16-0" / "model.keras"
    made = model.stat().st_mtime_ns
    run("compare_precisions.py", "--output", "all", *chosen)
    assert model.stat().st_mtime_ns == made  # Not trained again.
    assert capsys.readouterr().out.count(written) == 2


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_compare_recipes(run, narrow, tmp_path, capsys):
    chosen = ("--tasks", "avatars:glasses", "--seeds", 2, "--steps", 2, "--width", 0.06)
    run("compare_recipes.py", "--output", "all", *chosen)
    runs = json.loads((tmp_path / "all" / "recipes.json").read_text())
    assert list(runs) == ["avatars:glasses, auto", "avatars:glasses, tuned"]
    for of_seeds in runs.values():
        assert len(of_seeds) == 2 and all(0 <= x["iou"] <= 1 for x in of_seeds)
    removal = [x["removal"] for x in runs["avatars:glasses, auto"]]
    cell = f"{np.mean(removal):.3f} ({max(removal):.3f})"  # The largest error is the worst.
    written = (tmp_path / "all" / "recipes.md").read_text("utf-8")
    assert f"| {cell} |" in written
    model = tmp_path / "all" / "avatars-glasses" / "auto-0" / "model.keras"
    made = model.stat().st_mtime_ns
    run("compare_recipes.py", "--output", "all", *chosen)
    assert model.stat().st_mtime_ns == made  # Not trained again.
    assert capsys.readouterr().out.count(written) == 2


@pytest.mark.slow
def test_custom_method(run, tmp_path):
    run("custom_method.py", "--steps", 1)
    model = load_model(tmp_path / "custom" / "model.keras")
    assert "edges" in model.default_loss_weights
    assert (tmp_path / "custom" / "model.tflite").stat().st_size > 1e6
    assert read_image(tmp_path / "custom" / "transfer.png").std() > 0


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_domain_adaptation(run, narrow, capsys):
    run("domain_adaptation.py", "--steps", 1, "--baseline_steps", 1)
    printed = capsys.readouterr().out
    assert "source: common code" in printed and "target: common code" in printed


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_celeba_two_way(run, tmp_path, monkeypatch, capsys):
    keras.utils.set_random_seed(0)
    DomainIntersectionDifference(image_size=32, width=0.06, separate_channels=2).save("didd.keras")
    folder = tmp_path / "celeba"
    write_celeba(folder)
    run("celeba_two_way.py", "didd.keras", folder, "--steps", 1, "--images", 2)
    printed = capsys.readouterr().out
    assert "smile: balanced accuracy" in printed and "| A translated to B |" in printed


def write_celeba(folder):
    """Every pairing of a smile and glasses, in two partitions, in CelebA's layout."""
    (folder / "img_align_celeba").mkdir(parents=True)
    rows, partitions = [], []
    for i in range(16):
        name = f"{i:06d}.jpg"
        Image.new("RGB", (178, 218), (16 * i, 99, 99)).save(folder / "img_align_celeba" / name)
        values = ["-1"] * len(ATTRIBUTES)
        values[ATTRIBUTES.index("Smiling")] = "1" if i & 1 else "-1"
        values[ATTRIBUTES.index("Eyeglasses")] = "1" if i & 2 else "-1"
        rows.append(" ".join([name, *values]))
        partitions.append(f"{name} {i // 8}")
    header = [str(len(rows)), " ".join(ATTRIBUTES)]
    (folder / "list_attr_celeba.txt").write_text("\n".join(header + rows) + "\n")
    (folder / "list_eval_partition.txt").write_text("\n".join(partitions) + "\n")


@pytest.mark.slow
def test_serve_and_call(run, model, tmp_path):
    version = export_saved_model(load_model(model), tmp_path / "served", warm_up=False)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 70, 90, 3), np.uint8)
    for name, picture in zip(("a.jpg", "b.webp"), pixels, strict=True):
        Image.fromarray(picture).save(tmp_path / name)
    files = ("--target", "a.jpg", "--reference", "b.webp")
    run("serve_and_call.py", version.parent, *files, "--output", "out")
    sizes = {path.stem: read_image(path).shape[:2] for path in (tmp_path / "out").iterdir()}
    names = {"transfer": ("image", "mask"), "remove": ("image", "mask")}
    names = {**names, "segment": ("mask", "binary"), "serving_default": ("image", "mask")}
    expected = {f"{name}.{key}": (64, 64) for name, keys in names.items() for key in keys}
    del names["serving_default"]
    for name, keys in names.items():
        expected |= {f"{name}_encoded.{key}_bytes": (70, 90) for key in keys}
    assert sizes == expected


def test_celebamask_masks(run, tmp_path):
    (tmp_path / "masks").mkdir()
    labels = np.zeros((64, 64), np.uint8)
    labels[20:30, 10:54] = 3
    labels[22:28, 14:24] = 4
    labels[50:52, 14:24] = 5  # outside the frame: no lens
    Image.fromarray(labels).save(tmp_path / "masks" / "face.png")
    (tmp_path / "eyeglasses_worn.txt").write_text("face\n")
    run("celebamask_masks.py", tmp_path, "--output", "found")
    found = read_image(tmp_path / "found" / "face.png")
    expected = np.zeros((64, 64, 3), np.uint8)
    expected[20:30, 10:54] = 255
    np.testing.assert_array_equal(found, expected)


def test_celebamask_masks_of_dark_hair(run, tmp_path, capsys):
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    hair = np.zeros((32, 32), bool)
    hair[:8] = True
    shown = {"black": (30, hair), "fair": (160, hair), "bald": (30, hair & False)}
    for name, (level, where) in shown.items():
        photo = np.where(np.kron(where, np.ones((2, 2), bool))[..., None], level, 200)
        Image.fromarray(np.uint8(photo.repeat(3, -1))).save(tmp_path / "images" / f"{name}.jpg")
        Image.fromarray(np.uint8(13 * where)).save(tmp_path / "masks" / f"{name}.png")
    run("celebamask_masks.py", tmp_path, "--part", "dark_hair", "--output", "found")
    assert [path.name for path in (tmp_path / "found").iterdir()] == ["black.png"]
    found = read_image(tmp_path / "found" / "black.png")
    np.testing.assert_array_equal(found, np.uint8(255 * hair)[..., None].repeat(3, -1))
    (tmp_path / "names.txt").write_text("fair\n")
    chosen = ("--darker-than", 170, "--names", "names.txt", "--output", "chosen")
    run("celebamask_masks.py", tmp_path, "--part", "dark_hair", *chosen)
    assert [path.name for path in (tmp_path / "chosen").iterdir()] == ["fair.png"]
    assert "1 masks in chosen" in capsys.readouterr().out


@pytest.mark.slow
def test_measure_faces(run, tmp_path, capsys):
    """On a portrait in the public domain, as labelled and as aligned as CelebA's."""
    import skimage.data

    portrait = Image.fromarray(skimage.data.astronaut())
    portrait.save(tmp_path / "astronaut.png")
    (tmp_path / "labels.csv").write_text(
        "file,left_eye_x,left_eye_y,right_eye_x,right_eye_y\nastronaut.png,202.5,101.5,247,103.5\n"
    )
    # 0.85 times as large, the middle of the eyes at (88.5, 111.5); they are almost level.
    scale = 44.5 / 38
    matrix = (scale, 0, 225.25 - scale * 88.5, 0, scale, 103 - scale * 111.5)
    aligned = portrait.transform((178, 218), Image.Transform.AFFINE, matrix, Image.BICUBIC)
    (tmp_path / "img_align_celeba").mkdir()
    for i in range(3):
        aligned.save(tmp_path / "img_align_celeba" / f"{i}.png")
    (tmp_path / "list_eval_partition.txt").write_text("0.png 1\n1.png 1\n2.png 1\n")
    run("measure_faces.py", "--public-faces", tmp_path, "--celeba", tmp_path, "--photos", 2)
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines()[2:]]
    kinds, detectors, found, false, errors, _, _ = zip(*rows, strict=True)
    assert [kind.strip() for kind in kinds] == [
        *("portraits", "scenes, 40 to 60 px", "scenes, 60 to 500 px")
    ]
    assert {detector.strip() for detector in detectors} == {"find_faces"}
    assert {share.strip() for share in found} == {"100.0%"}
    assert {finds.strip() for finds in false} == {"0.000"}
    assert all(float(error.strip(" %")) < 8 for error in errors)


@pytest.mark.slow
def test_benchmark_video(run, model, tmp_path, capsys):
    import skimage.data

    Image.fromarray(skimage.data.astronaut()).save(tmp_path / "face.png")
    run("benchmark_video.py", "face.png", "--seconds", 0.5, "--model", model)
    rows = capsys.readouterr().out.splitlines()[1:]
    still = {row[20:30].strip(): float(row.split()[-3]) for row in rows[:3]}
    assert 0 < still["smoothed"] < 0.5 * still["as found"]
    assert len(rows) == 9 and all(row.endswith(" ms") for row in rows[3:])

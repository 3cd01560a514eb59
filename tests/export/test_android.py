"""The Kotlin pre- and post-processing against the Python example, where there is a compiler."""

import io
import json
import pathlib
import shutil
import subprocess

import numpy as np
import pytest
from export_scripts import EXPORT

from mbu_tf.exporting.metadata import append_to_tflite
from mbu_tf.faces import CENTRE, FACE

pytestmark = [
    pytest.mark.slow,  # The compiler.
    pytest.mark.skipif(
        not (shutil.which("kotlinc") and shutil.which("java")),
        reason="Debian's packages kotlin and default-jre-headless are not installed",
    ),
]

# Height, width, the model's size, whether its mask holds 0 and 1 alone, the eyes of a face model.
CASES = [
    (41, 60, 16, 0, None),
    (90, 33, 16, 1, None),
    (7, 9, 16, 0, None),
    (1, 5, 16, 0, None),
    (300, 301, 64, 1, None),
    (41, 60, 16, 0, ((20.5, 18.0), (32.0, 21.5))),
    (41, 60, 16, 1, ((50, 30), (38.2, 14))),  # Rolled over, beyond the edges,
    (41, 60, 16, 0, ((90, 90), (95, 91))),  # outside.
]
TOLD = {"image_size": 64, "framing": FACE.get_config()}


@pytest.fixture(scope="module")
def jar(tmp_path_factory):
    path = tmp_path_factory.mktemp("kotlin") / "photo_edit.jar"
    names = ("PhotoEdit", "Placement", "Metadata")
    sources = [EXPORT / "mobile" / "android" / f"{name}.kt" for name in names]
    sources.append(pathlib.Path(__file__).with_name("PhotoEditMain.kt"))
    subprocess.run(["kotlinc", *sources, "-include-runtime", "-d", path], check=True)
    return path


def test_kotlin_gives_pythons_pictures_to_the_bit(jar, edit_photo, random_photo, tmp_path):
    random = np.random.default_rng(0)
    given, cases = io.BytesIO(), []
    for height, width, size, opaque, eyes in CASES:
        photo = random_photo(height, width)
        image = random.random((1, size, size, 3), np.float32)
        mask = random.uniform(-1, 2, (1, size, size, 1)).clip(0, 1).astype(np.float32)
        mask = np.rint(mask) if opaque else mask
        numbers = np.array([height, width, size, eyes is not None], "<i4")
        points = np.array([eyes, FACE.eyes] if eyes else [], "<f8")
        for array in (numbers, points, photo, image, mask):
            given.write(array.tobytes())
        cases.append((photo, image, mask, size, eyes))
    (tmp_path / "given").write_bytes(given.getvalue())
    subprocess.run(["java", "-jar", jar, tmp_path / "given", tmp_path / "made"], check=True)

    made = (tmp_path / "made").read_bytes()
    at = 0
    for photo, image, mask, size, eyes in cases:
        place = np.frombuffer(made, "<f8", 4, at)
        at += place.nbytes
        framing = FACE if eyes else CENTRE
        np.testing.assert_allclose(place, framing.placement(*photo.shape[:2], eyes), atol=1e-9)
        place = edit_photo.Placement(*place)
        input = edit_photo.model_input(photo, place, size)
        edited, _ = edit_photo.lay_on(photo, place, input, image, mask)
        for expected in (input, edited):
            array = np.frombuffer(made, expected.dtype, expected.size, at)
            np.testing.assert_array_equal(array.reshape(expected.shape), expected)
            at += expected.nbytes
    assert at == len(made)


def test_kotlin_reads_the_metadata(jar, tmp_path):
    contents = [append_to_tflite(bytes(999), TOLD), bytes(999), b""]
    paths = [tmp_path / f"{i}.tflite" for i in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    (tmp_path / "none").write_bytes(b"")
    command = ["java", "-jar", jar, tmp_path / "none", tmp_path / "made", *paths]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    told, *others = printed.splitlines()
    assert json.loads(told) == TOLD and others == ["null", "null"]

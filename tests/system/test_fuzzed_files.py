"""Whatever is in a file, reading it gives what it holds or one error that names it."""

import io
import json
import warnings

import numpy as np
import pytest
from PIL import Image

from mbu_tf.callbacks.backup import STATE
from mbu_tf.data.images import ImageReadError, read_image
from mbu_tf.evaluation.study.tally import tally_study
from mbu_tf.runs.state import read_newest_state, write_state
from mbu_tf.system.reading import DamagedFileError, read_table

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is not installed")
st = hypothesis.strategies

quickly = hypothesis.settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def mutated(draw, content):
    """`content` with some bytes exchanged, cut out or put in."""
    content = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        kind = draw(st.sampled_from(["exchange", "cut", "insert", "end"]))
        if kind == "exchange":
            content[place : place + 1] = draw(st.binary(min_size=1, max_size=4))
        elif kind == "cut":
            del content[place : place + draw(st.integers(1, 40))]
        elif kind == "insert":
            content[place:place] = draw(st.binary(max_size=8))
        else:
            del content[place:]
    return bytes(content)


def replaced(draw, value):
    """A tree with one part of it replaced or left out."""
    if not isinstance(value, (dict, list)) or not value or draw(st.booleans()):
        return draw(PLAIN)
    copy = value.copy()
    key = draw(st.sampled_from(sorted(copy) if isinstance(copy, dict) else range(len(copy))))
    if draw(st.booleans()):
        copy[key] = replaced(draw, copy[key])
    else:
        del copy[key]
    return copy


def image_files():
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8))
    for kind in ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM"):
        file = io.BytesIO()
        picture.save(file, kind)
        yield file.getvalue()


@quickly
@hypothesis.given(st.data(), st.sampled_from(list(image_files())))
def test_images(data, content):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = read_image(mutated(data.draw, content))
        except ImageReadError as error:
            assert str(error).startswith("Cannot read the image given as ")
        else:
            assert image.dtype == np.uint8 and image.shape[-1] == 3


ANSWERS = {
    "study": "s",
    "systems": ["ours", "theirs"],
    "questions": {"real": "Which?"},
    "participant": "p",
    "answers": [{"question": "real", "item": "1", "chosen": "a", "left": "b"}] * 2,
}


@quickly
@hypothesis.given(st.data())
def test_answers(tmp_path, data):
    path = tmp_path / "answers.json"
    if data.draw(st.booleans()):
        path.write_text(json.dumps(replaced(data.draw, ANSWERS)), encoding="utf-8")
    else:
        path.write_bytes(mutated(data.draw, json.dumps(ANSWERS).encode()))
    try:
        found = tally_study([path])
    except DamagedFileError as error:
        assert f"{path} holds no answers" in str(error)
    else:
        assert len(found["systems"]) == 2 and 0 <= found["left"] <= 1


@quickly
@hypothesis.given(st.data())
def test_tables(tmp_path, data):
    path = tmp_path / "table.csv"
    path.write_bytes(mutated(data.draw, b'name,size\n"a, b",1.5\nc,2\n'))
    try:
        table = read_table(path, {"name": None, "size": float}, "table", "Mend it.")
    except DamagedFileError as error:
        assert f"{path} holds no table. Mend it. Received: " in str(error)
    else:
        assert all(isinstance(float(row["size"]), float) for row in table)


TREE = {
    "settings": {"kept": []},
    "epoch": 1,
    "step_in_epoch": 0,
    "seconds": 1.5,
    "variables": [np.arange(3.0)],
    "callbacks": [{"epoch": [0]}],
    "random": {
        "python": [3, [1, 2], None],
        "numpy": ["MT19937", np.arange(4, dtype=np.uint32), 1, 0, 0.0],
    },
}


@quickly
@hypothesis.given(st.data())
def test_states(tmp_path, data):
    """A damaged state never raises anything but the error that tells of it."""
    folder = tmp_path / str(data.draw(st.uuids()))
    write_state(folder, 1, TREE)
    (path,) = folder.iterdir()
    if data.draw(st.booleans()):
        path.write_bytes(mutated(data.draw, path.read_bytes()))
    else:
        with np.load(path) as archive:
            arrays = dict(archive)
        tree = replaced(data.draw, json.loads(arrays["tree"].tobytes()))
        arrays["tree"] = np.frombuffer(json.dumps(tree).encode(), np.uint8)
        np.savez(path, **arrays)
    try:
        state = read_newest_state(folder, STATE)
    except ValueError as error:
        assert f"{path} is damaged" in str(error)
    else:
        assert state["step"] >= 0 and isinstance(state["variables"], list)

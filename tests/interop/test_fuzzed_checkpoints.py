"""Whatever a checkpoint holds, it is taken over whole or refused in one sentence."""

import functools
import io
import zipfile

import numpy as np
import pytest

from mbu_tf.interop import load_published, published
from mbu_tf.models.content_transfer import MaskedContentTransfer
from tests.fuzzing import ARRAYS, PLAIN, hypothesis, mutated, replaced, st
from tests.interop.checkpoints import compiled, random_checkpoint

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

LAYOUTS = ("archive", "as PyTorch wrote before 1.6")


@functools.cache
def template():
    """A checkpoint, a model that it fits, and its file in either layout."""
    checkpoint = random_checkpoint(MaskedContentTransfer)
    files = {}
    for layout in LAYOUTS:
        file = io.BytesIO()
        content = published.torch_files._to_torch(checkpoint, torch)
        torch.save(content, file, _use_new_zipfile_serialization=layout == "archive")
        files[layout] = file.getvalue()
    return checkpoint, compiled(MaskedContentTransfer), files


def with_other_part(draw, content):
    """A PyTorch archive one part of which, with its checksum, is another."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w") as new:
        names = old.namelist()
        # Of all parts the pickle is what is interpreted.
        chosen = draw(st.sampled_from([name for name in names if "/data/" not in name]))
        for name in names:
            part = old.read(name)
            new.writestr(name, mutated(draw, part) if name == chosen else part)
    return file.getvalue()


@pytest.mark.slow
@hypothesis.given(st.data())
def test_files(tmp_path, data):
    _, model, files = template()
    content = files[data.draw(st.sampled_from(LAYOUTS))]
    if content is files["archive"] and data.draw(st.integers(0, 4)):
        content = with_other_part(data.draw, content)
    else:
        content = mutated(data.draw, content)
    path = tmp_path / "checkpoint"
    path.write_bytes(content)
    try:
        load_published(path, model=model)
    except ValueError as error:
        assert str(path) in str(error)


@hypothesis.given(st.data())
def test_contents(data):
    checkpoint, model, _ = template()
    other = replaced(data.draw, checkpoint, PLAIN | ARRAYS)
    try:
        code = published.code_of_checkpoint(other)
        sizes = code.sizes(code.current_names(other))
        published.restore(model, other)
    except ValueError:
        return
    assert min(sizes.values()) > 0
    assert all(np.isfinite(x).all() for x in model.get_weights())

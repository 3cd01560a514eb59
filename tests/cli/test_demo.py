import json

import numpy as np
import pytest
import tensorflow_datasets as tfds

from mbu_tf.cli.demo import FIGURES, KINDS, PRESET, SIDE, TARGETS
from mbu_tf.data import avatars
from mbu_tf.data.images import read_image
from mbu_tf.evaluation.pictures import GAP, LABEL_HEIGHT
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.loading import load_model


@pytest.mark.slow
def test_the_demo_writes_picture_figures_and_model(tmp_path, monkeypatch, mbu_tf):
    # The 500 held-out faces take 20 seconds to render; eight show the same.
    monkeypatch.setattr(avatars, "SPLITS", {"train": 4000, "validation": 1, "test": 8})
    monkeypatch.setitem(MaskedContentTransfer.presets[PRESET]["architecture"], "width", 0.06)
    # TFDS reads TFDS_DATA_DIR once, when it is imported.
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path / "tfds"))
    output = tmp_path / "demo"
    assert mbu_tf("demo", "--faces", "8", "--steps", "2", "--output", output)[0] == 0

    rows, columns = 1 + 2 * len(KINDS), TARGETS + 3
    # Two portraits and three edits of them; the masks outside which nothing changed are small.
    faces = np.split(read_image(output / "faces.png").astype(int), 5, axis=1)
    assert faces[0].shape == (SIDE, SIDE, 3)
    for before, after in ((faces[1], faces[2]), (faces[0], faces[3])):
        changed = (np.abs(before - after).max(axis=-1) > 8).mean()
        assert 0.005 < changed < 0.2
    assert 0.005 < (faces[4] > 127).mean() < 0.2
    picture = read_image(output / "demo.png")
    assert picture.shape == (LABEL_HEIGHT + GAP + rows * 132, GAP + columns * 132, 3)
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["steps"] == 2
    assert set(FIGURES) <= set(metrics["truth"])
    assert metrics["truth"]["remove_change_outside"] == 0
    assert load_model(output / "model.keras").image_size == 64
    assert (tmp_path / "tfds" / "avatars" / "glasses_64_8_1_8_0").is_dir()

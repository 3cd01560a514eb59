import json

import numpy as np
import pytest

from mbu_tf.cli.ablate import read_variations
from mbu_tf.data.images import write_png
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.variations import LISTS
from mbu_tf.runs import ablation

RECIPE = MaskedContentTransfer.recipe("avatars")


@pytest.fixture
def calls(monkeypatch):
    """What the library is called with, instead of training."""
    calls = []
    monkeypatch.setattr(ablation, "ablate", lambda *args, **more: calls.append((args, more)))
    return calls


@pytest.fixture
def data(tmp_path):
    for name in ("trainA", "trainB", "testA", "testB"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(2):
            write_png(tmp_path / "data" / name / f"{i}.png", np.zeros((20, 20, 3), np.uint8))
    return f"folders:{tmp_path / 'data'}"


def test_options_are_passed_on(mbu_tf, tmp_path, calls, data):
    command = ["ablate", "--rows", "table7", "threshold", "--preset", "avatars", "--data", data]
    options = ["--width", 0.06, "--image-size", 32, "--steps", 7, "--batch-size", 3, "--seed", 5]
    options += ["--classifier-steps", 9]
    assert mbu_tf(*command, *options, "--crop", "whole", "--output", tmp_path / "out") == (0, "")
    [((variations, recipe, domains, output), options)] = calls
    assert list(variations) == [*LISTS["table7"](RECIPE), *LISTS["threshold"](RECIPE)]
    assert recipe["architecture"] == {**RECIPE["architecture"], "width": 0.06, "image_size": 32}
    assert domains.image_size == 32 and output == str(tmp_path / "out")
    assert options.pop("held_out").image_size == 32
    assert options == {
        "data": f"{data} None",
        "steps": 7,
        "batch_size": 3,
        "seed": 5,
        "classifier_steps": 9,
    }


def test_a_list_of_ones_own(tmp_path):
    rows = {"mine": {"loss_weights": {"confusion": 1}}, "full": {}}
    (tmp_path / "mine.json").write_text(json.dumps(rows))
    names = ["table7", str(tmp_path / "mine.json")]
    variations = read_variations(names, RECIPE)
    assert variations == {**LISTS["table7"](RECIPE), "mine": rows["mine"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"full": {"mask_threshold": 0.5}}', "one name. Received: 'full'"),
        ('{"full": 3}', "must hold .*Received: .'full'.: 3 is not"),
        ("[]", r"must hold .*Received: the whole: \[\] is not"),
        ("{", "mine.json .*is no JSON"),
    ],
)
def test_lists_that_are_none(tmp_path, text, message):
    (tmp_path / "mine.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_variations(["table7", str(tmp_path / "mine.json")], RECIPE)


def test_an_unknown_list_is_told(mbu_tf, tmp_path, data):
    command = ["ablate", "--rows", "table8", "--preset", "avatars", "--data", data]
    status, error = mbu_tf(*command, "--output", tmp_path / "out")
    assert status == 1 and error.count("\n") == 1
    assert "table7" in error and "Received: table8" in error
    assert not (tmp_path / "out").exists()

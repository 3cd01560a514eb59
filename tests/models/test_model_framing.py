"""The framing of a model's images is a part of the model."""

import json

import pytest

from mbu_tf import InSequence, MaskedContentTransfer, MaskedDomainIntersectionDifference
from mbu_tf.faces import CENTRE, FACE
from mbu_tf.models.loading import load_model
from tests.models.conftest import TINY


@pytest.mark.parametrize("framing", [CENTRE, FACE])
def test_it_is_saved(framing, tmp_path):
    model = MaskedContentTransfer(**TINY, framing=framing)
    model.save(tmp_path / "model.keras")
    assert load_model(tmp_path / "model.keras").framing == framing
    assert json.loads(json.dumps(model.get_config()))["framing"] == framing.get_config()


def test_a_model_saved_before_there_were_framings_looks_at_the_centre():
    config = MaskedContentTransfer(**TINY).get_config()
    del config["framing"]
    assert MaskedContentTransfer.from_config(config).framing == CENTRE


def test_parts_and_sequences_have_their_models():
    model = MaskedDomainIntersectionDifference(**TINY, framing="face")
    assert model.part_a.framing == model.part_b.framing == FACE
    framed, plain = (MaskedContentTransfer(**TINY, framing=name) for name in ("face", "centre"))
    assert InSequence(framed, framed).framing == FACE
    with pytest.raises(ValueError, match="Both models must have one framing"):
        InSequence(framed, plain)


def test_other_framings_are_refused():
    with pytest.raises(ValueError, match="A framing must be one of .*Received: 'faces'"):
        MaskedContentTransfer(**TINY, framing="faces")

import json

import numpy as np
import pytest

from mbu_tf.faces import CENTRE, FACE, Framing


def test_the_centre_is_the_largest_centred_square():
    assert CENTRE.placement(40, 61) == (10, 0, 40, 0)
    assert CENTRE.placement(61, 40) == (0, 10, 40, 0)
    assert CENTRE.placement(1, 1) == (0, 0, 1, 0)
    # Whatever eyes are known.
    assert CENTRE.placement(40, 61, ((1, 2), (3, 4))) == (10, 0, 40, 0)


@pytest.mark.parametrize("roll", [0, 30, -45, 90, 180])
@pytest.mark.parametrize("distance", [12.0, 300.0])
def test_the_eyes_lie_where_the_framing_has_them(roll, distance):
    angle = np.deg2rad(roll)
    middle = np.array([310.5, 207.0])
    half = distance / 2 * np.array([np.cos(angle), np.sin(angle)])
    eyes = (tuple(middle - half), tuple(middle + half))
    placement = FACE.placement(400, 600, eyes)
    np.testing.assert_allclose(placement.to_photo(FACE.eyes), eyes, atol=1e-9)
    assert placement.side == pytest.approx(distance / 0.28)
    # A similarity: the square's lower edge lies where the chin is, turned with the face.
    down = placement.to_photo((0.5, 1.0)) - placement.to_photo((0.5, 0.0))
    np.testing.assert_allclose(down / placement.side, (-np.sin(angle), np.cos(angle)), atol=1e-9)


@pytest.mark.parametrize("framing", [CENTRE, FACE, Framing((0.39, 0.5), (0.6, 0.52))])
def test_a_framing_goes_through_json(framing):
    config = json.loads(json.dumps(framing.get_config()))
    assert Framing.of(config) == framing
    assert config["kind"] == framing.kind


def test_what_stands_for_a_framing():
    assert Framing.of(None) is CENTRE and Framing.of("centre") is CENTRE
    assert Framing.of("face") is FACE and Framing.of(FACE) is FACE


@pytest.mark.parametrize(
    "framing",
    [
        "center",
        7,
        {"kind": "face"},
        {"kind": "centre", "left_eye": [0.3, 0.5], "right_eye": [0.6, 0.5]},
        {"kind": "face", "left_eye": [0.3, 0.5]},
        {"kind": "face", "left_eye": [0.3, 0.5], "right_eye": "x"},
        {"left_eye": [0.3, 0.5], "right_eye": [0.6, 0.5], "kind": "face", "more": 1},
    ],
)
def test_other_things_are_refused(framing):
    with pytest.raises(ValueError, match="A framing .*Received: "):
        Framing.of(framing)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((0.3, 0.5), None),
        ((0.6, 0.5), (0.3, 0.5)),
        ((0.3, np.nan), (0.6, 0.5)),
        ((0.3,), (0.6, 0.5)),
        (0.3, 0.6),
    ],
)
def test_eyes_of_a_framing_are_two_places(left, right):
    with pytest.raises(ValueError, match="two places .*Received: "):
        Framing(left, right)


@pytest.mark.parametrize(
    "eyes", [None, ((1, 2),), ((1, 2), (1, 2)), ((1, 2), (3, np.inf)), ((1, 2), ("a", "b"))]
)
def test_a_face_needs_two_eyes_apart(eyes):
    with pytest.raises(ValueError, match="its two eyes .*Received: eyes="):
        FACE.placement(100, 100, eyes)

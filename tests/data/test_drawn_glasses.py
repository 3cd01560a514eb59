"""What drawing glasses changes, where they lie, and that the same glasses stay the same."""

import dataclasses

import numpy as np
import pytest

from mbu_tf.data.drawn_glasses import VISIBLE, draw_glasses
from mbu_tf.data.glasses_styles import SHAPES, random_glasses

SIZE = 96
# As the framing of faces has them.
EYES = ((0.36 * SIZE, 0.45 * SIZE), (0.64 * SIZE, 0.45 * SIZE))
SKIN = (190, 150, 130)


def plain(size=SIZE):
    return np.full((size, size, 3), SKIN, np.uint8)


def textured(seed=0):
    return np.random.default_rng(seed).integers(60, 200, (SIZE, SIZE, 3), np.uint8)


def even(**changes):
    """Glasses that are the same seen in a mirror: worn straight, lit from above, plain."""
    glasses = random_glasses(3)
    symmetric = {"x": 0.0, "lean": 0.0, "light": 0.0, "reflections": (), "gloss": 0.0}
    fixed = {"mottled": 0.0, "construction": "full", "opacity": 1.0, "over_hair": True}
    below = {"lower_colour": changes.get("colour", glasses.colour), "lower_opacity": 1.0}
    return dataclasses.replace(glasses, **{**symmetric, **fixed, **below, **changes})


def columns(mask):
    """The first and the last column of a mask that is set."""
    found = np.flatnonzero(mask[..., 0].any(axis=0))
    return found[0], found[-1]


def test_the_mask_is_what_changes_visibly_and_the_rest_stays():
    for seed in range(20):
        face = textured(seed)
        kept = face.copy()
        drawn, mask = draw_glasses(face, random_glasses(seed), EYES, softness=0.6)
        np.testing.assert_array_equal(face, kept)
        assert drawn.dtype == mask.dtype == np.uint8
        assert drawn.shape == face.shape and mask.shape == (SIZE, SIZE, 1)
        change = np.abs(drawn.astype(int) - face).max(axis=-1, keepdims=True)
        np.testing.assert_array_equal(mask, np.where(change >= VISIBLE, 255, 0))
        # Above the brows and below the nose there are no glasses.
        assert not change[: SIZE // 5].any() and not change[4 * SIZE // 5 :].any()
        assert 0.002 < (mask > 0).mean() < 0.3


def test_a_seed_is_a_pair_of_glasses():
    assert random_glasses(5) == random_glasses(5) != random_glasses(6)
    first, second = (draw_glasses(textured(), random_glasses((1, 2)), EYES)[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    many = [random_glasses(seed) for seed in range(400)]
    assert {glasses.shape for glasses in many} == set(SHAPES)
    constructions = {"full", "half", "browline", "rimless"}
    assert {glasses.construction for glasses in many} == constructions
    kinds = [glasses.kind for glasses in many]
    assert all(kinds.count(kind) > 20 for kind in ("sunglasses", "rimless", "thin", "thick"))


def test_kinds():
    clear = even(tint=(0.9, 0.9, 0.9), above=0.03, below=0.03)
    assert clear.kind == "thin"
    assert dataclasses.replace(clear, above=0.05).kind == "thick"
    assert dataclasses.replace(clear, construction="rimless").kind == "rimless"
    assert dataclasses.replace(clear, tint=(0.6, 0.5, 0.2)).kind == "sunglasses"


def test_the_rim_lies_where_the_numbers_say():
    """Round lenses, 0.7 wide and 0.3 apart, rims of 0.05: in a picture of 200 pixels a unit."""
    glasses = even(
        shape="round", width=0.7, ratio=1.0, upper=2.0, lower=2.0, taper=0.0, lift=0.0, cut=0.0,
        tilt=0.0, gap=0.3, above=0.05, below=0.05, colour=(20, 20, 20), bridge_height=-0.9,
        arm_height=-0.9, pads=0.0, shadow=0.0, tint=(1, 1, 1), veil=0.0, y=0.0,
    )  # fmt: skip
    face = plain(640)
    drawn, mask = draw_glasses(face, glasses, ((220, 300), (420, 300)))
    on = np.flatnonzero(mask[300, :, 0])
    edges = on[np.flatnonzero(np.diff(on, prepend=-9, append=9999)[:-1] > 1)]
    # Outer left, nasal left, nasal right, outer right: inner and outer edge of each.
    expected = 320 + 200 * np.array([-0.9, -0.15, 0.1, 0.85])
    np.testing.assert_allclose(edges, expected, atol=3)
    assert len(on) == pytest.approx(4 * 0.05 * 200, abs=6)
    rows = np.flatnonzero(mask[:, 320 + 100, 0])
    assert rows[0] == pytest.approx(300 - 0.4 * 200, abs=3)
    assert rows[-1] == pytest.approx(300 + 0.4 * 200, abs=3)
    np.testing.assert_array_equal(drawn[300, 420], SKIN)  # Clear glass.


def test_rims_have_two_colours_and_the_lower_one_lets_light_through():
    """Rims of 0.1, 20 pixels, over and under lenses 0.7 high."""
    glasses = even(
        shape="round", width=0.7, ratio=1.0, upper=2.0, lower=2.0, taper=0.0, lift=0.0, cut=0.0,
        tilt=0.0, gap=0.3, above=0.1, below=0.1, material="acetate", colour=(20, 20, 20),
        lower_colour=(250, 120, 40), lower_opacity=0.5, bridge_height=-0.9, shadow=0.0,
        tint=(1, 1, 1), veil=0.0, y=0.0,
    )  # fmt: skip
    drawn, _ = draw_glasses(plain(640), glasses, ((220, 300), (420, 300)))
    above, below = (drawn[300 + side * 80, 420].astype(int) for side in (-1, 1))
    assert above.max() < 90
    # Shading, and the photo's own light, change the colour a little.
    half = np.mean([SKIN, glasses.lower_colour], axis=0)
    np.testing.assert_allclose(below, half, atol=25)
    many = [random_glasses(seed) for seed in range(400)]
    laminated = [g for g in many if g.lower_colour != g.colour]
    assert 10 < len(laminated) < 60
    assert all(g.material == "acetate" and g.lower_opacity < g.opacity for g in laminated)


def test_lenses_let_through_what_they_say_and_throw_back_the_veil():
    glasses = even(tint=(0.1, 0.2, 0.5), gradient=0.0, veil=0.0, shadow=0.0, y=0.05)
    drawn, mask = draw_glasses(plain(), glasses, EYES)
    for x, y in EYES:
        at = round(y), round(x)
        np.testing.assert_allclose(drawn[at], np.multiply(SKIN, (0.1, 0.2, 0.5)), atol=1)
        assert mask[at] == 255
    clear = even(tint=(1, 1, 1), veil=4.0, shadow=0.0, y=0.05)
    drawn, mask = draw_glasses(plain(), clear, EYES)
    at = round(EYES[0][1]), round(EYES[0][0])
    assert 0 < (drawn[at].astype(int) - SKIN).max() < VISIBLE and mask[at] == 0


def test_the_shadow_darkens_the_skin_below():
    without, _ = draw_glasses(plain(), even(shadow=0.0), EYES)
    shaded, _ = draw_glasses(plain(), even(shadow=0.4), EYES)
    assert (shaded <= without).all()
    lost = (without.astype(int) - shaded).sum(axis=-1)
    rows = np.arange(SIZE) + 0.5
    assert lost.max() > 30 and (lost.sum(axis=1) @ rows) / lost.sum() > EYES[0][1]


@pytest.mark.parametrize("yaw", [0.0, 0.25])
def test_a_mirrored_face_has_mirrored_glasses(yaw):
    glasses = even()
    drawn, mask = draw_glasses(plain(), glasses, EYES, yaw)
    mirrored, mirrored_mask = draw_glasses(plain(), glasses, EYES, -yaw)
    assert np.abs(drawn[:, ::-1].astype(int) - mirrored).mean() < 0.5
    differing = (mask[:, ::-1] != mirrored_mask).sum()
    assert differing < 0.05 * (mask > 0).sum()


def test_a_rolled_face_has_rolled_glasses():
    """A quarter turn to the right takes (x, y) to (size - y, x)."""
    glasses = even()
    drawn, _ = draw_glasses(plain(), glasses, EYES, 0.1)
    eyes = [(SIZE - y, x) for x, y in EYES]
    turned, _ = draw_glasses(plain(), glasses, eyes, 0.1)
    difference = np.abs(np.rot90(drawn, -1).astype(int) - turned)
    assert difference.mean() < 0.5 and difference.max() < 100
    assert (drawn != SKIN).any()


def test_a_turned_head_shows_one_arm_and_its_glasses_move_with_the_nose():
    glasses = even(arm=0.08, arm_end=1.0, arm_drop=0.0, shadow=0.0, end=0.03)
    (left, right), (near, far) = (
        columns(draw_glasses(plain(), glasses, EYES, yaw)[1]) for yaw in (0.0, 0.3)
    )
    middle = (SIZE - 1) / 2
    assert middle - left == pytest.approx(right - middle, abs=1)
    # Turned to the right: the left arm is seen at length, the right one is hidden.
    assert near < left - 5 and far - middle < middle - near
    lenses = {"tint": (0.2, 0.2, 0.2), "gradient": 0.0, "gap": 0.3, "width": 0.7}
    front = even(shadow=0.0, arm_height=-0.9, arm_drop=-0.4, **lenses)
    edges = []
    for yaw in (0.0, 0.3):
        row = draw_glasses(plain(), front, EYES, yaw)[0][round(EYES[0][1])].sum(axis=-1)
        edges.append(np.flatnonzero(np.diff(row < 0.6 * sum(SKIN))))
    # From 0.15 to 0.85, lenses are 0.22 - 0.09 x^2 before the eyes; a nose of 0.5 shows
    # its tip 0.3 aside.
    depth = 0.22 - 0.09 * np.square([0.85, 0.15, 0.15, 0.85])
    moved = np.mean(edges[1]) - np.mean(edges[0])
    assert moved == pytest.approx(0.28 * SIZE * depth.mean() * 0.3 / 0.5, abs=0.5)


def test_arms_go_under_the_hair_unless_they_lie_on_it():
    face = plain()
    face[:, : SIZE // 8] = face[:, -SIZE // 8 :] = (40, 70, 20)
    hair = np.s_[:, : SIZE // 8 - 3]
    for over, seen in ((True, True), (False, False)):
        glasses = even(over_hair=over, arm=0.1, arm_drop=0.0, end=0.02, colour=(200, 30, 30))
        glasses = dataclasses.replace(glasses, second_colour=(200, 30, 30), shadow=0.0)
        drawn, mask = draw_glasses(face, glasses, EYES, yaw=0.3)
        assert (mask[hair] > 0).any() == seen


def test_size_and_softness():
    """Drawn at twice the size and scaled down they are what they are when drawn small."""
    glasses = even(shadow=0.2)
    small, _ = draw_glasses(plain(), glasses, EYES)
    large, _ = draw_glasses(plain(2 * SIZE), glasses, 2 * np.array(EYES))
    large = large.reshape(SIZE, 2, SIZE, 2, 3).mean(axis=(1, 3))
    assert np.abs(small - large).mean() < 0.6
    soft, _ = draw_glasses(plain(), glasses, EYES, softness=1.5)
    # Blurred is not fainter: as much is taken from the skin, spread wider.
    lost, spread = (np.abs(np.subtract(x, SKIN, dtype=int)).sum(axis=-1) for x in (small, soft))
    assert spread.sum() == pytest.approx(lost.sum(), rel=0.05) and spread.max() < lost.max()


def test_beyond_the_edge_and_outside():
    corner, mask = draw_glasses(plain(), random_glasses(2), ((-20, 10), (10, 10)))
    assert mask.any() and corner.shape == (SIZE, SIZE, 3)
    outside, mask = draw_glasses(plain(), random_glasses(2), ((-500, 10), (-470, 10)))
    np.testing.assert_array_equal(outside, plain())
    assert not mask.any()


@pytest.mark.parametrize(
    ("picture", "eyes", "message"),
    [
        (plain().astype(float), EYES, "uint8 picture.*Received: float64"),
        (plain()[..., 0], EYES, r"uint8 picture.*Received: uint8 \(96, 96\)"),
        (plain(), ((1, 2), (1, 2)), "apart from each other.*Received: eyes="),
        (plain(), ((1, 2), (1, float("nan"))), "two points.*Received: eyes="),
        (plain(), (1, 2), "two points.*Received: eyes="),
    ],
)
def test_what_cannot_be_drawn_on(picture, eyes, message):
    with pytest.raises(ValueError, match=message):
        draw_glasses(picture, random_glasses(0), eyes)

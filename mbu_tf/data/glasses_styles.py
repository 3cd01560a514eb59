"""Random pairs of glasses: their outline, rims, colours, lenses and how they sit, as numbers.

Lengths are in eye distances (between the eyes' centres, some 63 mm of a grown
person), x to the right and y down in the picture, of the upright face.
"""

import dataclasses
from typing import NamedTuple

import numpy as np


class Shape(NamedTuple):
    """Ranges that a kind of lens is drawn from; lengths and angles as in `Glasses`.

    Attributes:
        share: of all glasses, how many have it.
    """

    share: float
    width: tuple
    ratio: tuple
    upper: tuple
    lower: tuple
    taper: tuple = (0.02, 0.02)
    lift: tuple = (0.0, 0.0)
    cut: tuple = (0.0, 0.12)


SHAPES = {
    "round": Shape(0.13, (0.66, 0.80), (0.90, 1.02), (2.0, 2.3), (2.0, 2.3)),
    "oval": Shape(0.14, (0.76, 0.88), (0.62, 0.76), (2.0, 2.6), (2.0, 2.4)),
    "panto": Shape(0.13, (0.72, 0.84), (0.78, 0.90), (2.6, 3.4), (2.0, 2.3), (0.04, 0.12)),
    "square": Shape(0.16, (0.78, 0.90), (0.72, 0.86), (3.2, 5.0), (2.8, 4.2), (0.0, 0.08)),
    "rectangle": Shape(0.26, (0.80, 0.92), (0.48, 0.68), (3.2, 6.0), (2.6, 5.0), (0.0, 0.08)),
    "cat_eye": Shape(
        0.10, (0.80, 0.92), (0.58, 0.76), (2.6, 3.6), (2.0, 2.6), (0.06, 0.14), lift=(0.15, 0.5)
    ),
    "aviator": Shape(0.08, (0.86, 1.0), (0.76, 0.90), (2.8, 3.6), (2.0, 2.3), cut=(0.2, 0.36)),
}
# How common each colour is, and the colour, sRGB.
ACETATE = {
    "black": (0.40, (24, 23, 25)),
    "dark_brown": (0.08, (58, 38, 28)),
    "tortoise": (0.16, (88, 52, 26)),
    "honey": (0.04, (150, 98, 48)),
    "navy": (0.05, (30, 38, 70)),
    "burgundy": (0.05, (92, 24, 34)),
    "red": (0.03, (164, 34, 38)),
    "blue": (0.03, (44, 82, 150)),
    "green": (0.02, (44, 74, 56)),
    "violet": (0.02, (82, 52, 96)),
    "grey": (0.04, (96, 98, 102)),
    "white": (0.02, (222, 220, 214)),
    "clear": (0.06, (206, 206, 200)),
}
METAL = {
    "gold": (0.18, (150, 112, 62)),
    "pale_gold": (0.07, (176, 146, 98)),
    "silver": (0.18, (138, 140, 144)),
    "gunmetal": (0.24, (70, 70, 74)),
    "bronze": (0.11, (92, 64, 46)),
    "rose": (0.03, (170, 118, 100)),
    "black": (0.13, (34, 34, 36)),
    "blue": (0.03, (58, 72, 106)),
    "red": (0.03, (120, 42, 44)),
}
# The same of the lower half of rims of two colours, laminated of acetate that lets light through.
LOWER = {
    "crystal": (0.35, (214, 212, 206)),
    "champagne": (0.25, (222, 188, 150)),
    "amber": (0.20, (204, 126, 66)),
    "pink": (0.10, (216, 152, 142)),
    "smoke": (0.10, (120, 118, 120)),
}
# How many of the rims of acetate have two colours.
LAMINATED = 0.3
# The same of dark lenses: the share of the light that they let through.
TINTS = {
    "grey": (0.42, (0.10, 0.10, 0.11)),
    "brown": (0.26, (0.20, 0.11, 0.06)),
    "green": (0.14, (0.10, 0.14, 0.09)),
    "blue": (0.08, (0.12, 0.18, 0.34)),
    "rose": (0.05, (0.55, 0.28, 0.30)),
    "yellow": (0.05, (0.72, 0.58, 0.16)),
}
CONSTRUCTIONS = {"full": (0.62,), "half": (0.17,), "browline": (0.05,), "rimless": (0.16,)}
# Aviators have no others.
AVIATORS = {"full": (0.85,), "rimless": (0.15,)}


class Reflection(NamedTuple):
    """What is mirrored in the lenses.

    Attributes:
        kind: `"streak"`, `"window"`, or `"sky"` above a horizon.
        strength: in [0, 1].
        place: (u, v) on the lens, whose box's edges are at ±1.
        size: half its width, in halves of the lens's.
        slant: how much it leans.
        colour: sRGB.
    """

    kind: str
    strength: float
    place: tuple
    size: float
    slant: float
    colour: tuple


@dataclasses.dataclass(frozen=True)
class Glasses:
    """One pair of glasses and how it is worn; the same values are the same glasses on any face.

    Attributes:
        shape: a key of `SHAPES`.
        construction: `"full"`, `"half"` (a rim above alone), `"browline"` or `"rimless"`.
        material: `"acetate"` or `"metal"`.
        width: of a lens; `ratio`: its height over its width.
        upper, lower: exponents of its superellipse above and below, 2 an ellipse, 5
            nearly a box.
        taper: what it is wider at the top than at the bottom; `lift`: how far its outer
            upper corner is lifted; `cut`: how much of its lower nasal side is away; all
            in halves of its box.
        tilt: how much the outer ends are higher than the inner ones.
        gap: between the lenses, at the bridge.
        above, below: the rim's thickness over and under the lens.
        edge: opacity of a lens's own edge where there is no rim.
        colour, second_colour: sRGB in [0, 255] of the rim and of the arms, pads excepted.
        opacity: of the rims.
        lower_colour, lower_opacity: of their lower half; the same as of the upper one, or clear
            acetate under dark.
        mottled: 0 for one colour, up to 1 for tortoise.
        gloss: how much light the frame's edges throw back.
        bridge: thickness; `bridge_height`: where it begins on the lens, -1 its top
            and 1 its bottom; `bridge_arch`: what it rises between.
        bar: thickness of a second bridge above, 0 for none.
        pads: opacity of the nose pads.
        end: length of the end pieces, between rim and hinge.
        arm, arm_end: the arms' height at the hinge, and at the ear as a share of it; `arm_height`:
            where on the lens they begin; `arm_drop`: what the ear lies lower;
            `over_hair`: whether they lie on the hair.
        tint: share of light let through at the top of the lens, red, green, blue;
            `gradient`: how much clearer it is at the bottom, 1 clear.
        veil: what the lenses throw back evenly, in levels of 255.
        reflections: `Reflection`s.
        light: the direction that light comes from, in radians from above, + right.
        shadow: how dark the shadow on the skin is; `shadow_drop`, `shadow_blur`: lengths.
        x, y: where the bridge's middle lies from the middle of the eyes; `lean`: its
            turn in radians.
        seed: of the mottling.
    """

    shape: str
    construction: str
    material: str
    width: float
    ratio: float
    upper: float
    lower: float
    taper: float
    lift: float
    cut: float
    tilt: float
    gap: float
    above: float
    below: float
    edge: float
    colour: tuple
    second_colour: tuple
    opacity: float
    lower_colour: tuple
    lower_opacity: float
    mottled: float
    gloss: float
    bridge: float
    bridge_height: float
    bridge_arch: float
    bar: float
    pads: float
    end: float
    arm: float
    arm_end: float
    arm_height: float
    arm_drop: float
    over_hair: bool
    tint: tuple
    gradient: float
    veil: float
    reflections: tuple
    light: float
    shadow: float
    shadow_drop: float
    shadow_blur: float
    x: float
    y: float
    lean: float
    seed: int

    @property
    def kind(self):
        """`"sunglasses"`, `"rimless"`, or frames `"thin"` or `"thick"`, from some 3 mm on."""
        if min(self.tint) < 0.5:
            return "sunglasses"
        if self.construction == "rimless":
            return "rimless"
        return "thick" if max(self.above, self.below) >= 0.05 else "thin"


def random_glasses(seed):
    """A pair of glasses, as people wear them.

    Args:
        seed: what `numpy.random.default_rng` takes; the same gives the same glasses.

    Returns:
        `Glasses`.
    """
    rng = np.random.default_rng(seed)
    shape = _choose(rng, SHAPES)
    construction = _choose(rng, AVIATORS if shape == "aviator" else CONSTRUCTIONS)
    width = rng.uniform(*SHAPES[shape].width)
    outline = ("ratio", "upper", "lower", "taper", "lift", "cut")
    numbers = dict(
        shape=shape,
        construction=construction,
        width=width,
        **{name: rng.uniform(*getattr(SHAPES[shape], name)) for name in outline},
        tilt=rng.normal(0.02, 0.02),
        **_frame(rng, shape, construction, width),
        **_lenses(rng, dark=rng.random() < (0.3 if shape == "aviator" else 0.07)),
        light=rng.normal(0.0, 0.6),
        shadow=rng.uniform(0.0, 0.4) * (0.5 if construction == "rimless" else 1.0),
        shadow_drop=rng.uniform(0.02, 0.1),
        shadow_blur=rng.uniform(0.02, 0.07),
        x=rng.normal(0.0, 0.015),
        y=float(np.clip(rng.normal(0.08, 0.06), -0.06, 0.26)),
        lean=float(np.clip(rng.normal(0.0, 0.018), -0.05, 0.05)),
        seed=int(rng.integers(2**31)),
    )
    return Glasses(**numbers, **_lower_half(rng, numbers))


def _lower_half(rng, numbers):
    """Colour and opacity of the rims below; drawn last, so that no other number depends on it."""
    dark = numbers["material"] == "acetate" and numbers["opacity"] >= 0.9
    if rng.random() > LAMINATED or not dark or numbers["construction"] != "full":
        return {"lower_colour": numbers["colour"], "lower_opacity": numbers["opacity"]}
    colour = _varied(rng, LOWER[_choose(rng, LOWER)][1])
    return {"lower_colour": colour, "lower_opacity": rng.uniform(0.3, 0.8)}


def _frame(rng, shape, construction, width):
    """Rims, bridge and arms."""
    uniform = rng.uniform
    metal = construction != "browline" and rng.random() < (
        0.8 if shape == "aviator" or construction != "full" else 0.42
    )
    colours = METAL if metal else ACETATE
    name = _choose(rng, colours)
    colour = _varied(rng, colours[name][1])
    if metal:
        thick = uniform(0.018, 0.038)
    else:
        thick = uniform(0.032, 0.07) if rng.random() < 0.85 else uniform(0.07, 0.11)
    above, below = {
        "full": (thick * uniform(1.0, 1.35), thick),
        "half": (min(thick, 0.06) * uniform(1.0, 1.3), 0.0),
        "browline": (uniform(0.06, 0.11), uniform(0.016, 0.022)),
        "rimless": (0.0, 0.0),
    }[construction]
    # Arms of another colour.
    other = (METAL["silver"], ACETATE["black"])[rng.integers(2)][1]
    second = _varied(rng, other) if rng.random() < 0.15 else colour
    gap = uniform(0.22, 0.34) if width < 0.84 else uniform(0.2, 0.28)
    return {
        "material": "metal" if metal else "acetate",
        # Rims lie around the lenses, and leave room for the nose.
        "gap": max(gap, 2.2 * below),
        "above": above,
        "below": below,
        "edge": uniform(0.15, 0.6),
        "colour": colour,
        "second_colour": second,
        "opacity": uniform(0.35, 0.65) if name == "clear" else uniform(0.9, 1.0),
        "mottled": {"tortoise": uniform(0.5, 1.0), "honey": uniform(0.2, 0.8)}.get(name, 0.0),
        "gloss": uniform(0.25, 0.9) if metal else uniform(0.05, 0.55),
        "bridge": uniform(0.018, 0.034) if metal else max(0.04, above) * uniform(0.7, 1.2),
        "bridge_height": uniform(-0.75, -0.1),
        "bridge_arch": uniform(0.0, 0.09),
        "bar": uniform(0.016, 0.03) if shape == "aviator" and rng.random() < 0.75 else 0.0,
        "pads": uniform(0.1, 0.45) if metal else 0.0,
        "end": uniform(0.04, 0.1) if metal else uniform(0.03, 0.06),
        "arm": uniform(0.02, 0.05) if metal else max(0.05, above) * uniform(0.9, 1.5),
        "arm_end": uniform(0.6, 1.0),
        "arm_height": uniform(-0.5, -0.1) if shape == "oval" else uniform(-0.75, -0.3),
        "arm_drop": rng.normal(0.0, 0.07),
        "over_hair": bool(rng.random() < 0.35),
    }


def _lenses(rng, dark):
    """What the lenses let through and throw back."""
    uniform = rng.uniform
    glass = np.array(TINTS[_choose(rng, TINTS)][1])
    kind = "dark" if dark else ("tinted", "coated", "clear")[rng.choice(3, p=(0.12, 0.44, 0.44))]
    tint, gradients, veil = {
        "dark": (glass ** uniform(0.6, 1.2), 0.4, uniform(3, 22)),
        "tinted": (glass ** uniform(0.1, 0.3), 0.5, uniform(0, 8)),
        "coated": (np.full(3, uniform(0.93, 0.99)), 0.0, uniform(0, 7)),
        "clear": (np.ones(3), 0.0, 0.0),
    }[kind]
    mirrored = rng.integers(1, 3) if rng.random() < (0.75 if dark else 0.5) else 0
    return {
        "tint": tuple(tint.tolist()),
        "gradient": uniform(0.2, 1.0) if rng.random() < gradients else 0.0,
        "veil": veil,
        "reflections": tuple(_reflection(rng) for _ in range(mirrored)),
    }


def _reflection(rng):
    """Soft streaks, windows and lamps, or the sky."""
    kind = ("streak", "window", "sky")[rng.choice(3, p=(0.4, 0.4, 0.2))]
    strength = {
        "streak": rng.uniform(0.06, 0.4),
        "window": 0.85 * rng.uniform(0.1, 1.0) ** 2,
        "sky": rng.uniform(0.06, 0.35),
    }[kind]
    return Reflection(
        kind,
        strength,
        place=(rng.uniform(-0.6, 0.6), rng.uniform(-0.7, 0.5)),
        size=rng.uniform(0.06, 0.3),
        slant=rng.uniform(-0.7, 0.7),
        colour=_varied(rng, (236, 240, 246)),
    )


def _choose(rng, table):
    """A name of a table whose entries begin with how common each is."""
    shares = np.array([entry[0] for entry in table.values()])
    return list(table)[rng.choice(len(shares), p=shares / shares.sum())]


def _varied(rng, colour):
    """A colour like another: lighter or darker, and a little off in hue."""
    colour = np.array(colour) * rng.uniform(0.8, 1.2) + rng.normal(0, 3, 3)
    return tuple(np.clip(colour, 6, 250).tolist())

"""Random pairs of glasses: their outline, rims, colours, lenses and how they sit, as numbers.

Lengths are in eye distances (between the eyes' centres, some 63 mm of a grown
person), x to the right and y down in the picture, of the upright face.
"""

import dataclasses

import numpy as np

# Ranges of a lens's width, of its height over its width, and of the exponents of
# its superellipse above and below (2 is an ellipse, 5 nearly a box); what it is
# wider at the top than at the bottom; how far its outer upper corner is lifted
# and its lower nasal side cut away, as shares of half its height and width.
SHAPES = {
    "round": dict(width=(0.66, 0.80), ratio=(0.90, 1.02), upper=(2.0, 2.3), lower=(2.0, 2.3)),
    "oval": dict(width=(0.74, 0.86), ratio=(0.62, 0.76), upper=(2.0, 2.6), lower=(2.0, 2.4)),
    "panto": dict(
        width=(0.70, 0.82), ratio=(0.80, 0.92), upper=(2.6, 3.4), lower=(2.0, 2.3), taper=(0.04, 0.12)
    ),
    "square": dict(
        width=(0.76, 0.88), ratio=(0.72, 0.88), upper=(3.2, 5.0), lower=(2.8, 4.2), taper=(0.0, 0.08)
    ),
    "rectangle": dict(
        width=(0.78, 0.90), ratio=(0.50, 0.68), upper=(3.2, 6.0), lower=(2.6, 5.0), taper=(0.0, 0.08)
    ),
    "cat_eye": dict(
        width=(0.78, 0.90), ratio=(0.58, 0.76), upper=(2.6, 3.6), lower=(2.0, 2.6),
        taper=(0.06, 0.14), lift=(0.15, 0.5),
    ),
    "aviator": dict(
        width=(0.84, 0.98), ratio=(0.78, 0.92), upper=(2.8, 3.6), lower=(2.0, 2.3), cut=(0.2, 0.36)
    ),
}  # fmt: skip
SHAPE_SHARES = dict(
    round=0.13, oval=0.14, panto=0.13, square=0.16, rectangle=0.26, cat_eye=0.1, aviator=0.08
)

# sRGB. A clear frame shows the face through.
ACETATE = {
    "black": (24, 23, 25),
    "dark_brown": (58, 38, 28),
    "tortoise": (88, 52, 26),
    "honey": (150, 98, 48),
    "navy": (30, 38, 70),
    "burgundy": (92, 24, 34),
    "red": (164, 34, 38),
    "blue": (44, 82, 150),
    "green": (44, 74, 56),
    "violet": (82, 52, 96),
    "grey": (96, 98, 102),
    "white": (222, 220, 214),
    "clear": (206, 206, 200),
}
ACETATE_SHARES = (0.4, 0.08, 0.16, 0.04, 0.05, 0.05, 0.03, 0.03, 0.02, 0.02, 0.04, 0.02, 0.06)
METAL = {
    "gold": (150, 112, 62),
    "pale_gold": (176, 146, 98),
    "silver": (138, 140, 144),
    "gunmetal": (70, 70, 74),
    "bronze": (92, 64, 46),
    "rose": (186, 132, 112),
    "black": (34, 34, 36),
    "blue": (58, 72, 106),
    "red": (120, 42, 44),
}
METAL_SHARES = (0.18, 0.07, 0.18, 0.24, 0.11, 0.03, 0.13, 0.03, 0.03)
# Share of the light that tinted lenses let through, red, green, blue.
TINTS = {
    "grey": (0.10, 0.10, 0.11),
    "brown": (0.20, 0.11, 0.06),
    "green": (0.10, 0.14, 0.09),
    "blue": (0.12, 0.18, 0.34),
    "rose": (0.55, 0.28, 0.30),
    "yellow": (0.72, 0.58, 0.16),
}
TINT_SHARES = (0.42, 0.26, 0.14, 0.08, 0.05, 0.05)


@dataclasses.dataclass(frozen=True)
class Glasses:
    """One pair of glasses and how it is worn; the same values are the same glasses on any face.

    Attributes:
        shape: a key of `SHAPES`, whose ranges `width`, `ratio`, `upper`, `lower`,
            `taper`, `lift` and `cut` are from.
        construction: `"full"`, `"half"` (a rim above alone), `"browline"` or `"rimless"`.
        material: `"acetate"` or `"metal"`.
        tilt: how much the outer ends are higher than the inner ones.
        gap: between the lenses, at the bridge.
        above, below: the rim's thickness over and under the lens.
        edge: opacity of a lens's own edge where there is no rim.
        colour, second_colour: sRGB in [0, 255] of the rim and of the arms, pads excepted.
        opacity: of the rims.
        mottled: 0 for one colour, up to 1 for tortoise.
        gloss: how much light the frame's edges throw back.
        bridge: thickness; `bridge_height`: where it begins on the lens, -1 its top
            and 1 its bottom; `bridge_arch`: what it rises between.
        bar: thickness of a second bridge above, 0 for none.
        pads: opacity of the nose pads.
        arm, arm_end: the arms' height at the hinge and at the ear; `arm_height`:
            where on the lens they begin; `arm_drop`: what the ear lies lower;
            `over_hair`: whether they lie on the hair.
        tint: share of light let through at the top of the lens, red, green, blue;
            `gradient`: how much clearer it is at the bottom, 1 clear.
        veil: what the lenses throw back evenly, in levels of 255.
        reflections: tuples of a kind (`"streak"`, `"window"`, `"sky"`), strength, place
            and size on the lens, slant, and a colour.
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
    mottled: float
    gloss: float
    bridge: float
    bridge_height: float
    bridge_arch: float
    bar: float
    pads: float
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


def random_glasses(seed):
    """A pair of glasses, as people wear them.

    Args:
        seed: what `numpy.random.default_rng` takes; the same gives the same glasses.

    Returns:
        `Glasses`.
    """
    rng = np.random.default_rng(seed)
    uniform = rng.uniform
    shape = _choice(rng, SHAPE_SHARES, SHAPE_SHARES.values())
    kinds = {name: uniform(*bounds) for name, bounds in SHAPES[shape].items()}
    kinds = {"taper": 0.02, "lift": 0.0, "cut": uniform(0.0, 0.12), **kinds}
    dark = rng.random() < (0.3 if shape == "aviator" else 0.07)

    construction = _choice(rng, ("full", "half", "browline", "rimless"), (0.68, 0.14, 0.05, 0.13))
    if shape == "aviator":
        construction = _choice(rng, ("full", "rimless"), (0.85, 0.15))
    metal = construction in ("half", "rimless") and rng.random() < 0.8 or rng.random() < 0.42
    metal = metal or shape == "aviator" and rng.random() < 0.8
    if construction == "browline":
        metal = False
    if metal:
        name = _choice(rng, METAL, METAL_SHARES)
        colour = METAL[name]
        thick = uniform(0.018, 0.038)
    else:
        name = _choice(rng, ACETATE, ACETATE_SHARES)
        colour = ACETATE[name]
        thick = uniform(0.032, 0.07) if rng.random() < 0.85 else uniform(0.07, 0.11)
    above, below = {
        "full": (thick * uniform(1.0, 1.35), thick),
        "half": (min(thick, 0.06) * uniform(1.0, 1.3), 0.0),
        "browline": (uniform(0.06, 0.11), uniform(0.014, 0.022)),
        "rimless": (0.0, 0.0),
    }[construction]
    colour = _varied(rng, colour, 10)
    # Arms, and the rim's other parts, are of another colour now and then.
    other = METAL["silver"] if rng.random() < 0.5 else ACETATE["black"]
    second = _varied(rng, other, 10) if rng.random() < 0.15 else colour

    tint, gradient, veil = (1.0, 1.0, 1.0), 0.0, 0.0
    if dark:
        tint = TINTS[_choice(rng, TINTS, TINT_SHARES)]
        tint = tuple(t ** uniform(0.6, 1.2) for t in tint)
        gradient = uniform(0.2, 0.9) if rng.random() < 0.4 else 0.0
        veil = uniform(3, 22)
    elif rng.random() < 0.12:
        tint = TINTS[_choice(rng, TINTS, TINT_SHARES)]
        tint = tuple(t ** uniform(0.1, 0.3) for t in tint)
        gradient = uniform(0.3, 1.0) if rng.random() < 0.5 else 0.0
        veil = uniform(0, 8)
    elif rng.random() < 0.5:
        tint = (uniform(0.93, 0.99),) * 3
        veil = uniform(0, 7)

    return Glasses(
        shape=shape,
        construction=construction,
        material="metal" if metal else "acetate",
        **kinds,
        tilt=rng.normal(0.02, 0.02),
        # Rims are drawn around the lenses and leave the nose room between them.
        gap=max(uniform(0.22, 0.34) if kinds["width"] < 0.84 else uniform(0.2, 0.28), 2.2 * below),
        above=above,
        below=below,
        edge=uniform(0.15, 0.6),
        colour=colour,
        second_colour=second,
        opacity=uniform(0.35, 0.65) if name == "clear" else uniform(0.9, 1.0),
        mottled={"tortoise": uniform(0.5, 1.0), "honey": uniform(0.2, 0.8)}.get(name, 0.0),
        gloss=uniform(0.25, 0.9) if metal else uniform(0.05, 0.55),
        bridge=uniform(0.018, 0.034) if metal else max(0.04, above) * uniform(0.7, 1.2),
        bridge_height=uniform(-0.75, -0.1),
        bridge_arch=uniform(0.0, 0.09),
        bar=uniform(0.016, 0.03) if shape == "aviator" and rng.random() < 0.75 else 0.0,
        pads=uniform(0.1, 0.45) if metal else 0.0,
        arm=uniform(0.02, 0.05) if metal else max(0.05, above) * uniform(0.9, 1.5),
        arm_end=uniform(0.6, 1.0),
        arm_height=uniform(-0.75, -0.3) if shape != "oval" else uniform(-0.5, -0.1),
        arm_drop=rng.normal(0.0, 0.07),
        over_hair=bool(rng.random() < 0.35),
        tint=tint,
        gradient=gradient,
        veil=veil,
        reflections=_reflections(rng, 0.75 if dark else 0.5),
        light=rng.normal(0.0, 0.6),
        shadow=uniform(0.0, 0.4) * (0.5 if construction == "rimless" else 1.0),
        shadow_drop=uniform(0.02, 0.1),
        shadow_blur=uniform(0.02, 0.07),
        x=rng.normal(0.0, 0.015),
        y=np.clip(rng.normal(0.08, 0.06), -0.06, 0.26),
        lean=np.clip(rng.normal(0.0, 0.018), -0.05, 0.05),
        seed=int(rng.integers(2**31)),
    )


def _reflections(rng, share):
    """Light on the lenses: soft streaks, windows and lamps, the sky."""
    if rng.random() > share:
        return ()
    found = []
    for _ in range(rng.integers(1, 3)):
        kind = _choice(rng, ("streak", "window", "sky"), (0.4, 0.4, 0.2))
        tone = _varied(rng, (236, 240, 246), 12)
        strength = {
            "streak": rng.uniform(0.06, 0.4),
            "window": rng.uniform(0.1, 1.0) ** 2 * 0.85,
            "sky": rng.uniform(0.06, 0.35),
        }[kind]
        place = (rng.uniform(-0.6, 0.6), rng.uniform(-0.7, 0.5))
        size = rng.uniform(0.06, 0.3)
        found.append((kind, strength, place, size, rng.uniform(-0.7, 0.7), tone))
    return tuple(found)


def _choice(rng, names, shares):
    shares = np.fromiter(shares, float)
    return list(names)[rng.choice(len(shares), p=shares / shares.sum())]


def _varied(rng, colour, by):
    """A colour like another: lighter or darker, and a little off in hue."""
    colour = np.array(colour) * rng.uniform(0.8, 1.2) + rng.normal(0, by / 3, 3)
    return tuple(np.clip(colour, 6, 250).tolist())

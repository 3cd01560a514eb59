"""Glasses drawn on photos of faces: the picture, and exactly what they change in it.

The glasses are a thin three-dimensional model (two lenses in a slightly bent
plane, a bridge, two arms to the ears), turned with the head, seen in
perspective, drawn enlarged and scaled down, and laid on the photo as light goes:
a shadow on the skin, what the lenses let through and throw back, the frame.
"""

import math

import numpy as np
from PIL import Image, ImageDraw

from mbu_tf.data.glasses_styles import random_glasses

__all__ = ["draw_glasses", "random_glasses"]

# A pixel belongs to the mask where some channel changes by so many levels of 255:
# what can be seen. A clear lens's faint veil is not in it, nor is a black frame
# on black hair.
VISIBLE = 10
# The nose's tip lies so many eye distances before the eyes, the lenses' plane so
# many, and the camera so many away.
NOSE, PLANE, CAMERA = 0.5, 0.22, 26.0
# Where the arms end: at the ears.
EAR_X, EAR_Z = 1.17, -1.35
CONTOUR = 60
# Width of what is drawn before it is scaled down, in pixels; the glasses take 3/4 of it.
DRAWN = 560


def draw_glasses(picture, glasses, eyes, yaw=0.0, softness=0.0):
    """A face with a pair of glasses on.

    Args:
        picture: uint8 `(height, width, 3)`.
        glasses: `Glasses`; the same on two faces differ in place and turn, in the
            light of the photo, and in what the hair hides of the arms.
        eyes: the eyes' centres ((x, y), (x, y)) in pixels, (0, 0) the outer corner of
            the first pixel; that first which is left when the face is upright.
        yaw: where the nose's tip lies from the middle of the eyes along the line
            through them, in eye distances, + towards the second eye.
        softness: standard deviation in pixels of the photo's own blur.

    Returns:
        `(picture, mask)`: uint8 like `picture`, which stays as it is, and uint8
        `(height, width, 1)`: 255 where the glasses can be seen, that is where a
        channel differs by `VISIBLE` levels or more. Away from the glasses pixels
        are the same.

    Raises:
        ValueError: if `picture` is no uint8 image, or the eyes are no two points.
    """
    picture = np.asarray(picture)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[-1] != 3:
        raise ValueError(
            "Glasses are drawn on a uint8 picture (height, width, 3). "
            f"Received: {picture.dtype} {picture.shape}"
        )
    eyes = np.asarray(eyes, np.float64)
    if eyes.shape != (2, 2) or not np.isfinite(eyes).all() or (eyes[0] == eyes[1]).all():
        raise ValueError(
            "A face's eyes are two points ((x, y), (x, y)) in pixels, apart from each other. "
            f"Received: eyes={eyes.tolist()}"
        )
    model = _Model(glasses, eyes, yaw)
    light = _Light(picture, model)
    drawing = _Drawing(glasses, model, light, picture.shape[:2])
    result = picture.copy()
    if drawing.empty:
        return result, np.zeros((*picture.shape[:2], 1), np.uint8)
    part = result[drawing.rows, drawing.columns]
    part[:] = drawing.laid_on(part, softness)
    difference = np.abs(result.astype(np.int16) - picture).max(axis=-1, keepdims=True)
    return result, np.uint8(255) * (difference >= VISIBLE)


class _Model:
    """The glasses' points, from their own coordinates to the picture's."""

    def __init__(self, glasses, eyes, yaw):
        self._glasses = glasses
        self._middle = eyes.mean(axis=0)
        self.across = eyes[1] - eyes[0]
        self.scale = math.hypot(*self.across)
        self.down = np.array([-self.across[1], self.across[0]])
        # The nose's tip stands out by NOSE times the tangent of the head's turn.
        self.turn = math.atan(np.clip(yaw, -0.6, 0.6) / NOSE)
        self.lenses = [self._outline(side) for side in (-1, 1)]

    def project(self, points):
        """Points `(..., 3)`: x to the right, y down, z to the camera, on an upright face."""
        g = self._glasses
        x, y, z = np.moveaxis(np.asarray(points, np.float64), -1, 0)
        cos, sin = math.cos(g.lean), math.sin(g.lean)
        x, y = g.x + x * cos - y * sin, g.y + x * sin + y * cos
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        # Eyes are as far apart in the picture as they look.
        x, z = (x + z * sin / cos), (z * cos - x * sin) / cos
        near = CAMERA / (CAMERA - (z - PLANE))
        x, y = x * near, y * near
        return self._middle + x[..., None] * self.across + y[..., None] * self.down

    def depth(self, x):
        """z of the lenses' bent plane."""
        return PLANE - 0.09 * np.square(x)

    def _outline(self, side):
        """The edge of a lens `(CONTOUR, 2)`, x outward, from the outer end downward."""
        g = self._glasses
        angle = np.linspace(0, 2 * np.pi, CONTOUR, endpoint=False)
        cos, sin = np.cos(angle), np.sin(angle)
        exponent = g.lower + (g.upper - g.lower) * (0.5 - 0.5 * sin)
        u = np.sign(cos) * np.abs(cos) ** (2 / exponent)
        v = np.sign(sin) * np.abs(sin) ** (2 / exponent)
        outer, above = np.maximum(u, 0) ** 2, (1 - v) / 2
        x = u * (1 - g.taper * v) + g.lift * 0.4 * outer * above + g.cut * v * (1 - u) / 2
        y = v - g.lift * outer * above - g.tilt * u
        x = g.gap / 2 + g.width / 2 * (1 + x)
        return np.stack([side * x, g.width * g.ratio / 2 * y], axis=-1)

    def flat(self, points):
        """Points `(..., 2)` in the lenses' plane, in pixels of the picture."""
        points = np.asarray(points, np.float64)
        return self.project(np.concatenate([points, self.depth(points[..., :1])], axis=-1))

    def on_lens(self, side, u, v):
        """A point inside a lens, (0, 0) its middle and (±1, ±1) its box's corners, u outward."""
        g = self._glasses
        x = g.gap / 2 + g.width / 2 * (1 + np.asarray(u))
        y = g.width * g.ratio / 2 * np.asarray(v) - g.tilt * g.width * g.ratio / 2 * np.asarray(u)
        return np.stack([side * x, y], axis=-1)


class _Light:
    """How bright the photo is, and its skin, from both cheeks."""

    def __init__(self, picture, model):
        cheeks = model.project([(side * 0.52, 0.72, 0.0) for side in (-1, 1)])
        self.cheeks = [colour_near(picture, cheek, 0.14 * model.scale) for cheek in cheeks]
        self.exposure = np.clip(np.mean(self.cheeks) / 150.0, 0.55, 1.15)
        self._picture, self._size = picture, 0.04 * model.scale

    def is_skin(self, side, point):
        """Whether the picture shows at `point` what it shows on that side's cheek."""
        colour, cheek = colour_near(self._picture, point, self._size), self.cheeks[side > 0]
        tone = np.abs(colour / (colour.sum() + 1) - cheek / (cheek.sum() + 1)).max()
        return tone < 0.06 and 0.5 < (colour.sum() + 1) / (cheek.sum() + 1) < 1.7


def colour_near(picture, point, radius):
    """Mean colour, float `(3,)`, of the square around a point; of the nearest pixel beyond."""
    height, width = picture.shape[:2]
    (x0, x1), (y0, y1) = (
        (int(np.clip(c - radius, 0, n - 1)), int(np.clip(c + radius, 0, n - 1)) + 1)
        for c, n in zip(point, (width, height), strict=True)
    )
    return picture[y0:y1, x0:x1].reshape(-1, 3).mean(axis=0)


class _Drawing:
    """The layers of one pair of glasses over the part of a picture that it lies in."""

    def __init__(self, glasses, model, light, shape):
        self.glasses, self.model, self.light = glasses, model, light
        self.rng = np.random.default_rng(glasses.seed)
        rims = [self._rim(side) for side in (-1, 1)]
        arms = [arm for side in (-1, 1) if (arm := self._arm(side))]
        reach = np.concatenate([*rims[0][:2], *rims[1][:2], *(arm[0] for arm in arms)])
        margin = 0.25 * model.scale + 2
        (left, top), (right, bottom) = reach.min(axis=0) - margin, reach.max(axis=0) + margin
        height, width = shape
        left, right = (int(np.clip(v, 0, width)) for v in (left, right))
        top, bottom = (int(np.clip(v, 0, height)) for v in (top, bottom))
        self.rows, self.columns = slice(top, bottom), slice(left, right)
        self.empty = left >= right or top >= bottom
        if self.empty:
            return
        self.origin, self.size = (left, top), (right - left, bottom - top)
        self.enlarged = int(np.clip(round(DRAWN / (3.6 * model.scale)), 1, 8))
        self.frame = Image.new("RGBA", self._drawn_size(), (*self._tone(0), 0))
        self.draw = ImageDraw.Draw(self.frame)
        for arm in arms:
            self._draw_arm(*arm)
        self.lens = self._draw_lenses()
        self._draw_pads()
        for side, rim in zip((-1, 1), rims, strict=True):
            self._draw_rim(side, *rim)
            self._draw_end(side)
        self._draw_bridge()

    def _drawn_size(self):
        return tuple(n * self.enlarged for n in self.size)

    def _at(self, points):
        """Points of the picture as Pillow has them of the enlarged part."""
        points = (np.asarray(points) - self.origin) * self.enlarged - 0.5
        return list(map(tuple, points.reshape(-1, 2).tolist()))

    def _tone(self, shine, colour=None):
        """The frame's colour in the photo's light; `shine` from -1 in shadow to 1, white above."""
        colour = np.array(self.glasses.colour if colour is None else colour)
        colour = colour * self.light.exposure
        if shine < 0:
            return tuple((colour * (1 + 0.6 * shine)).astype(int).tolist())
        white = np.array((250, 250, 252)) * min(1.0, self.light.exposure)
        return tuple((colour + (white - colour) * min(shine, 1)).astype(int).tolist())

    # The frame's parts

    def _rim(self, side):
        """Inner and outer edge of a rim in the picture, its middle, and its normals."""
        g = self.glasses
        inner = self.model.lenses[side > 0]
        ahead = np.roll(inner, -1, axis=0) - np.roll(inner, 1, axis=0)
        normals = side * np.stack([ahead[:, 1], -ahead[:, 0]], axis=-1)
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
        upper = np.clip(0.5 - 1.2 * normals[:, 1:], 0, 1)
        if g.construction == "half":  # The rim ends half way down.
            upper = np.clip(1.5 * upper, 0, 1)
        thick = g.below + (g.above - g.below) * upper
        # Where there is no rim the lens's own edge is seen.
        thick = np.maximum(thick, 0.014)
        middle = inner + thick / 2 * normals
        return (
            self.model.flat(inner),
            self.model.flat(inner + thick * normals),
            self.model.flat(middle),
            normals,
            thick[:, 0],
        )

    def _draw_rim(self, side, inner, outer, middle, normals, thick):
        g = self.glasses
        toward = np.array([math.sin(g.light), -math.cos(g.light)])
        facing = normals @ toward
        # Polished edges throw the light back in a few places.
        glints = np.zeros(CONTOUR)
        for place, strength in zip(
            self.rng.uniform(0, CONTOUR, 4), self.rng.random(4), strict=True
        ):
            away = np.abs((np.arange(CONTOUR) - place + CONTOUR / 2) % CONTOUR - CONTOUR / 2)
            glints += strength * np.exp(-np.square(away / 1.6))
        dark = self._mottle()
        rimmed = thick > 0.0141
        for i in range(CONTOUR):
            j = (i + 1) % CONTOUR
            if not (rimmed[i] or rimmed[j]):
                fill = (*self._tone(0.35 + 0.5 * facing[i], (120, 124, 126)), int(255 * g.edge))
                self.draw.polygon(self._at([inner[i], outer[i], outer[j], inner[j]]), fill)
                continue
            light = g.gloss * (max(facing[i], 0) ** 3 * 0.6 + glints[i] * 0.8)
            shade = 0.25 * facing[i]
            opacity = int(255 * g.opacity)
            strips = ((inner, middle, -shade - 0.15), (middle, outer, shade + light))
            if thick[i] * self.model.scale < 1.5:  # The eye does not tell them apart.
                strips = ((inner, outer, 0.5 * shade + 0.7 * light),)
            for edge, other, shine in strips:
                tone = self._tone(shine - dark[i])
                self.draw.polygon(
                    self._at([edge[i], other[i], other[j], edge[j]]), (*tone, opacity)
                )

    def _mottle(self):
        """How much darker tortoise is along a rim."""
        spots = np.interp(np.arange(CONTOUR), np.linspace(0, CONTOUR, 16), self.rng.random(16))
        return self.glasses.mottled * np.clip(1.8 * spots - 0.4, 0, 1)

    def _stroke(self, points, thick, shine=0.0, opacity=1.0, colour=None):
        """A line through points of the picture, its thickness along the picture's vertical.

        `thick` and `opacity` may be given for each point.
        """
        points = np.asarray(points)
        thick, opacity = (np.broadcast_to(v, len(points)) for v in (thick, opacity))
        half = thick[:, None] / 2 * self.model.down
        for i in range(len(points) - 1):
            j = i + 1
            quad = [
                points[i] - half[i],
                points[j] - half[j],
                points[j] + half[j],
                points[i] + half[i],
            ]
            tone = (*self._tone(shine, colour), int(255 * (opacity[i] + opacity[j]) / 2))
            self.draw.polygon(self._at(quad), tone)
            if thick[i] > 0.045:  # A lit upper edge.
                light = self._tone(shine + 0.08 + 0.3 * self.glasses.gloss, colour)
                quad = [points[i] - half[i], points[j] - half[j], points[j] - 0.5 * half[j]]
                self.draw.polygon(self._at([*quad, points[i] - 0.5 * half[i]]), (*light, tone[-1]))

    def _draw_bridge(self):
        g = self.glasses
        along = np.linspace(-1, 1, 13)
        # From one lens to the other at the same height, rising between.
        lens = self.model.lenses[1]
        y = g.bridge_height * g.width * g.ratio / 2
        inner = lens[lens[:, 0] < np.median(lens[:, 0])]
        x = inner[np.abs(inner[:, 1] - y).argmin(), 0]
        for thick, height, arch in (
            (g.bridge, y, g.bridge_arch),
            (g.bar, lens[:, 1].min() * 0.95, 0.0),
        ):
            if thick:
                reach = x if arch or thick is g.bridge else g.gap / 2 + 0.25 * g.width
                rise = height - arch * (1 - np.square(along))
                points = self.model.flat(np.stack([reach * along, rise], axis=-1))
                wider = 1 + (0.5 * np.square(along) if g.material == "acetate" else 0)
                self._stroke(points, thick * wider, 0.25 * g.gloss * self.rng.random(), g.opacity)

    def _draw_pads(self):
        g = self.glasses
        if not g.pads:
            return
        tone = (*self._tone(0.0, (226, 214, 200)), int(255 * g.pads))
        for side in (-1, 1):
            x, y = side * (g.gap / 2 - 0.035), 0.12 * g.width * g.ratio
            angle = np.linspace(0, 2 * np.pi, 12)
            u, v = 0.028 * np.cos(angle), 0.075 * np.sin(angle)
            points = np.stack([x + u - side * -0.35 * v, y + v], axis=-1)
            self.draw.polygon(self._at(self.model.flat(points)), tone)

    def _hinge(self, side):
        """Where an arm begins, `(x, y)` in the lenses' plane, and the lens's end beside it."""
        g = self.glasses
        lens = self.model.lenses[side > 0]
        y = g.arm_height * g.width * g.ratio / 2
        outer = lens[side * lens[:, 0] > g.gap / 2 + g.width / 2]
        end = outer[np.abs(outer[:, 1] - y).argmin()]
        rim = max(g.below, 0.014)
        return np.array([end[0] + side * (rim + 0.05), end[1]]), end

    def _draw_end(self, side):
        g = self.glasses
        hinge, end = self._hinge(side)
        points = self.model.flat([end, (end + hinge) / 2, hinge])
        thick = np.array([1.0, 0.95, 0.9]) * min(g.arm, 0.075)
        self._stroke(points, thick, 0.3 * g.gloss * self.rng.random(), g.opacity)

    def _arm(self, side):
        """An arm's points, thickness and opacity; `None` where the face hides it."""
        g = self.glasses
        (x, y), _ = self._hinge(side)
        share = np.linspace(0, 1, 14)
        bend = np.clip(4 * share, 0, 1)  # It turns backward behind the hinge.
        xs = x + (side * max(EAR_X, abs(x) + 0.02) - x) * (0.15 * bend + 0.85 * share)
        ys = y + (g.arm_drop - y) * 0.8 * share**2
        zs = self.model.depth(x) + (EAR_Z - self.model.depth(x)) * share
        points = self.model.project(np.stack([xs, ys, zs], axis=-1))
        outward = side * (points - points[0]) @ self.model.across
        if outward[-1] < 0.02 * self.model.scale**2:
            return None
        opacity = np.ones(len(share))
        if not g.over_hair:
            skin = [self.light.is_skin(side, p) for p in points[2:]]
            # Beyond the first two points that show no skin, hair lies over it.
            gone = next((i for i in range(2, len(skin)) if not any(skin[i : i + 2])), len(share))
            opacity = np.clip((gone + 3.0 - np.arange(len(share))) / 2, 0, 1)
        opacity[-2:] *= 0.5, 0.0
        thick = g.arm + (g.arm_end - 1) * g.arm * share
        return points, thick, opacity

    def _draw_arm(self, points, thick, opacity):
        self._stroke(
            points, thick, -0.1, opacity * self.glasses.opacity, self.glasses.second_colour
        )

    def _draw_lenses(self):
        """Where the lenses are, over which light comes back, and its colour."""
        lens = Image.new("L", self._drawn_size())
        for outline in self.model.lenses:
            ImageDraw.Draw(lens).polygon(self._at(self.model.flat(outline)), 255)
        return lens

    # The picture

    def laid_on(self, part, softness):
        """The glasses on their part of the photo, uint8."""
        g = self.glasses
        frame = self._scaled(self.frame, softness, premultiplied=True)
        opacity = frame[..., 3:] / 255.0
        lens = self._scaled(self.lens, softness)[..., None] / 255.0
        part = part.astype(np.float32)

        if g.shadow:
            cast = np.maximum(opacity, 0.25 * lens * (1 - min(g.tint)))[..., 0]
            shift = g.shadow_drop * (self.model.down - math.sin(g.light) * self.model.across)
            cast = _blurred(cast, g.shadow_blur * self.model.scale, shift)[..., None]
            # Light that has been in the skin comes back red.
            part *= 1 - g.shadow * cast * np.float32((0.85, 1.0, 1.0))

        through = np.float32(g.tint)
        if g.gradient:
            through = through + (1 - through) * g.gradient * self._height()
        part *= 1 - lens * (1 - through)
        part += lens * g.veil * self.light.exposure
        for reflection in g.reflections:
            strength, tone = self._reflection(reflection, softness)
            part += (np.float32(tone) - part) * strength * lens
        part = part * (1 - opacity) + frame[..., :3]
        return np.uint8(np.clip(np.rint(part), 0, 255))

    def _scaled(self, layer, softness, premultiplied=False):
        """A layer at the picture's size, float32; colours times their opacity."""
        pixels = np.asarray(layer.resize(self.size, Image.Resampling.BILINEAR), np.float32)
        if premultiplied:
            pixels = np.concatenate(
                [pixels[..., :3] * pixels[..., 3:] / 255.0, pixels[..., 3:]], axis=-1
            )
        # Scaling down has blurred it by 0.4 pixels.
        return _blurred(pixels, math.sqrt(max(softness**2 - 0.17, 0.0)))

    def _height(self):
        """How far down the lenses a pixel lies, 0 at the top to 1 at the bottom."""
        g, model = self.glasses, self.model
        rows, columns = np.indices(self.size[::-1])
        top, bottom = model.flat([(0, -g.width * g.ratio / 2), (0, g.width * g.ratio / 2)])
        along = (bottom - top) / ((bottom - top) @ (bottom - top))
        x, y = columns + 0.5 + self.origin[0] - top[0], rows + 0.5 + self.origin[1] - top[1]
        return np.clip(x * along[0] + y * along[1], 0, 1)[..., None].astype(np.float32)

    def _reflection(self, reflection, softness):
        """How much of a reflection there is at each pixel, float32 `(h, w, 1)`, and its colour."""
        kind, strength, (u, v), size, slant, tone = reflection
        layer = Image.new("L", self._drawn_size())
        draw = ImageDraw.Draw(layer)
        # The light stands in one place: on both lenses to the same side.
        corners = {
            "streak": [(-size, -1.2), (size, -1.2), (size, 1.2), (-size, 1.2)],
            "window": [(-size, -size), (size, -size), (size, 1.3 * size), (-size, 1.3 * size)],
            "sky": [(-3, -2), (3, -2), (3, v), (-3, v)],
        }[kind]
        across, height = np.array(corners).T
        for side in (-1, 1):
            shift = 0 if kind == "sky" else u
            place = 0 if kind == "sky" else v
            x = shift + across + slant * height * (0.25 if kind == "window" else 0.6)
            y = place + height + 0.3 * slant * across * (kind != "streak")
            points = self.model.flat(self.model.on_lens(side, side * x, y))
            draw.polygon(self._at(points), int(255 * strength))
        blur = {"streak": 0.035, "window": 0.012, "sky": 0.05}[kind] * self.model.scale
        spread = self._scaled(layer, math.hypot(blur, softness))
        return spread[..., None] / 255.0, np.array(tone) * min(1.0, self.light.exposure)


def _blurred(pixels, deviation, shift=(0.0, 0.0)):
    """`(h, w)` or `(h, w, c)` under a Gaussian of that standard deviation, moved by `shift`."""
    if deviation < 0.15 and not any(shift):
        return pixels
    for axis, moved in ((1, shift[0]), (0, shift[1])):
        reach = int(math.ceil(3 * deviation + abs(moved) + 0.5))
        offsets = np.arange(-reach, reach + 1)
        weights = np.exp(-0.5 * np.square((offsets - moved) / max(deviation, 0.3)))
        weights = np.float32(weights / weights.sum())
        kept = [(o, w) for o, w in zip(offsets, weights, strict=True) if w > 1e-3]
        width = [(0, 0)] * pixels.ndim
        width[axis] = (reach, reach)
        padded = np.pad(pixels, width)
        n = pixels.shape[axis]
        pixels = sum(
            w * np.take(padded, np.arange(reach - o, reach - o + n), axis=axis) for o, w in kept
        )
    return pixels

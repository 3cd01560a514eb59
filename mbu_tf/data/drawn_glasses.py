"""Glasses drawn on photos of faces: the picture, and exactly what they change in it.

They are drawn enlarged, scaled down, and laid on the photo as light goes: a shadow
on the skin, what the lenses let through and throw back, the frame.
"""

import math

import numpy as np
from PIL import Image, ImageDraw

from mbu_tf.data.glasses_model import ARM, CONTOUR, GlassesModel

# A pixel belongs to the mask where some channel changes by so many levels of 255:
# what can be seen. A clear lens's faint veil is not in it, nor is a black frame
# on black hair.
VISIBLE = 10
# Glasses are drawn so many pixels wide, or up to 8 times as large as in the picture.
DRAWN = 480
# Sides of the picture.
LEFT, RIGHT = -1, 1


def draw_glasses(picture, glasses, eyes, yaw=0.0, softness=0.0):
    """A face with a pair of glasses on.

    Args:
        picture: uint8 `(height, width, 3)`.
        glasses: `Glasses`; the same on two faces differ in place and turn, in the
            photo's light, and in what the hair hides of the arms.
        eyes: the eyes' centres ((x, y), (x, y)) in pixels, (0, 0) the outer corner of
            the first pixel; that first which is left when the face is upright.
        yaw: where the nose's tip lies from the middle of the eyes along the line
            through them, in eye distances, + towards the second eye.
        softness: standard deviation in pixels of the photo's own blur.

    Returns:
        `(picture, mask)`: uint8, a copy of `picture` with the glasses on, and uint8
        `(height, width, 1)`, 255 where they can be seen: where a channel differs by
        `VISIBLE` levels or more, be it by the frame, a tinted lens, a reflection or
        the shadow. Away from the glasses no pixel changes.

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
    result = picture.copy()
    drawing = _Drawing(picture, glasses, GlassesModel(glasses, eyes, yaw))
    if drawing.size[0] > 0 and drawing.size[1] > 0:
        part = result[drawing.rows, drawing.columns]
        part[:] = drawing.laid_on(part, softness)
    difference = np.abs(result.astype(np.int16) - picture).max(axis=-1, keepdims=True)
    return result, np.uint8(255) * (difference >= VISIBLE)


class _Drawing:
    """The layers of one pair of glasses over the part of a picture that it lies in."""

    def __init__(self, picture, glasses, model):
        self._picture, self._glasses, self._model = picture, glasses, model
        cheeks = model.project([(side * 0.52, 0.72, 0.0) for side in (LEFT, RIGHT)])
        cheeks = [_colour_near(picture, point, 0.14 * model.scale) for point in cheeks]
        self._cheeks = dict(zip((LEFT, RIGHT), cheeks, strict=True))
        # How bright the photo is, as skin shows it.
        self._exposure = float(np.clip(np.mean(cheeks) / 150.0, 0.55, 1.15))
        self._rims = {side: model.rim(side) for side in (LEFT, RIGHT)}
        self._arms = {side: arm for side in (LEFT, RIGHT) if (arm := model.arm(side))}
        self._choose_part()

    def _choose_part(self):
        height, width = self._picture.shape[:2]
        points = [rim.outer for rim in self._rims.values()]
        points = np.concatenate([*points, *(points for points, _ in self._arms.values())])
        margin = 0.25 * self._model.scale + 2  # For shadow and blur.
        (left, top), (right, bottom) = points.min(axis=0) - margin, points.max(axis=0) + margin
        left, right = (int(np.clip(x, 0, width)) for x in (left, right))
        top, bottom = (int(np.clip(y, 0, height)) for y in (top, bottom))
        self.rows, self.columns = slice(top, bottom), slice(left, right)
        self._origin, self.size = np.array([left, top]), (right - left, bottom - top)
        self._enlarged = int(np.clip(round(DRAWN / (3 * self._model.scale)), 1, 8))

    def laid_on(self, part, softness):
        """The glasses on their part of the photo, uint8."""
        g, model = self._glasses, self._model
        frame = self._scaled(self._draw_frame(), softness)
        opacity = frame[..., 3:] / 255
        lens = self._layer()
        for side in (LEFT, RIGHT):
            self._fill(ImageDraw.Draw(lens), [model.lens(side)], [255])
        lens = self._scaled(lens, softness) / 255
        part = part.astype(np.float32)

        if g.shadow:
            cast = np.maximum(opacity, 0.25 * lens * (1 - min(g.tint)))
            shift = g.shadow_drop * (model.down - math.sin(g.light) * model.across)
            cast = _blurred(cast, g.shadow_blur * model.scale, shift)
            # Light that has been in the skin comes back red.
            part *= 1 - g.shadow * cast * np.float32((0.85, 1.0, 1.0))

        through = np.float32(g.tint)
        if g.gradient:
            through = through + (1 - through) * g.gradient * self._height_on_lens()
        part *= 1 - lens * (1 - through)
        part += lens * g.veil * self._exposure
        for reflection in g.reflections:
            strength = self._scaled(self._draw_reflection(reflection), softness) / 255
            tone = np.float32(reflection.colour) * min(1.0, self._exposure)
            part += (tone - part) * strength * lens

        part = part * (1 - opacity) + frame[..., :3]
        return np.uint8(np.clip(np.rint(part), 0, 255))

    # Layers, enlarged, as Pillow draws them

    def _layer(self, mode="L", colour=0):
        return Image.new(mode, tuple(n * self._enlarged for n in self.size), colour)

    def _fill(self, draw, shapes, fills):
        """Fills polygons, each given by points of the picture `(count, 2)`.

        `fills` are levels, or RGBA.
        """
        # Pillow counts from pixels' centres, and drops fractions.
        shapes = np.rint((np.asarray(shapes) - self._origin) * self._enlarged - 0.5)
        shapes, fills = shapes.reshape(len(shapes), -1).tolist(), np.asarray(fills).tolist()
        for shape, fill in zip(shapes, fills, strict=True):
            draw.polygon(shape, tuple(fill) if isinstance(fill, list) else fill)

    def _tones(self, shine, opacity, colour=None):
        """The frame's colour in the photo's light, RGBA, for `_fill`.

        Args:
            shine: `(count,)`, from -1 in the dark, 0 as it is, to 1, white.
            opacity: in [0, 1], for all or for each.
            colour: sRGB, for all or for each, or `None` for the rims' own above.

        Returns:
            Integers `(count, 4)`.
        """
        colour = np.array(self._glasses.colour if colour is None else colour) * self._exposure
        white = np.array((250, 250, 252)) * min(1.0, self._exposure)
        shine = np.clip(shine, -1, 1)[:, None]
        tones = colour * (1 + 0.6 * np.minimum(shine, 0))
        tones = tones + (white - tones) * np.maximum(shine, 0)
        opacity = np.broadcast_to(opacity, len(shine))[:, None]
        tones = np.concatenate([tones, 255 * opacity], axis=-1)
        return np.clip(tones, 0, 255).astype(int)

    def _draw_frame(self):
        g, model = self._glasses, self._model
        rng = np.random.default_rng(g.seed)
        (tone,) = self._tones(np.zeros(1), 0)
        # All clear, but of the frame's colour, which the edges then keep.
        layer = self._layer("RGBA", tuple(tone.tolist()))
        draw = ImageDraw.Draw(layer)
        for side, (points, thickness) in self._arms.items():
            opacity = g.opacity * self._seen_of_arm(side, points)
            self._draw_stroke(draw, points, thickness, -0.1, opacity, g.second_colour)
        for side in (LEFT, RIGHT):
            if g.pads:
                pad = self._tones(np.zeros(1), g.pads, (226, 214, 200))
                self._fill(draw, [model.pad(side)], pad)
            self._draw_rim(draw, side, rng)
            self._draw_stroke(draw, *model.end(side), 0.3 * g.gloss * rng.random(), g.opacity)
        for points, thickness in model.bridges():
            self._draw_stroke(draw, points, thickness, 0.25 * g.gloss * rng.random(), g.opacity)
        return layer

    def _draw_rim(self, draw, side, rng):
        g, rim = self._glasses, self._rims[side]
        facing = rim.normals @ (math.sin(g.light), -math.cos(g.light))
        # Polished edges throw the light back in a few places.
        places, strengths = rng.uniform(0, CONTOUR, (4, 1)), rng.random((4, 1))
        away = np.abs((np.arange(CONTOUR) - places + CONTOUR / 2) % CONTOUR - CONTOUR / 2)
        glints = (strengths * np.exp(-np.square(away / 1.6))).sum(axis=0)
        light = g.gloss * (0.6 * np.maximum(facing, 0) ** 3 + 0.8 * glints)
        shade = (0.45 if g.material == "metal" else 0.25) * facing
        spots = np.interp(np.arange(CONTOUR), np.linspace(0, CONTOUR, 16), rng.random(16))
        dark = g.mottled * np.clip(1.8 * spots - 0.4, 0, 1)
        strips = (rim.inner, rim.middle, -shade - 0.15), (rim.middle, rim.outer, shade + light)
        if rim.thickness.max() * self._model.scale < 2:  # Both sides of its edge look one.
            strips = ((rim.inner, rim.outer, 0.7 * (shade + light)),)
        upper = rim.upper[:, None]
        colour = upper * g.colour + (1 - upper) * g.lower_colour
        opacity = rim.upper * g.opacity + (1 - rim.upper) * g.lower_opacity
        # A lens's own edge, where it has no rim, is now bright, now dark.
        bare = self._tones(0.35 + 0.5 * facing, g.edge, (120, 124, 126))
        for edge, other, shine in strips:
            quads = np.stack([edge, other, np.roll(other, -1, 0), np.roll(edge, -1, 0)], axis=1)
            tones = self._tones(shine - dark, opacity, colour)
            self._fill(draw, quads, np.where(rim.rimmed[:, None], tones, bare))

    def _draw_stroke(self, draw, points, thickness, shine, opacity, colour=None):
        """A line through points of the picture, its thickness measured down the face."""
        half = thickness[:, None] / 2 * self._model.down
        count = len(points) - 1
        opacity = np.broadcast_to(opacity, len(points))
        opacity = (opacity[1:] + opacity[:-1]) / 2
        shine = np.full(count, shine)

        def strip(above, below, shine):
            upper, lower = points + above * half, points + below * half
            quads = np.stack([upper[:-1], upper[1:], lower[1:], lower[:-1]], axis=1)
            self._fill(draw, quads, self._tones(shine, opacity, colour))

        strip(-1, 1, shine)
        if thickness.max() > 0.045:  # A lit upper edge.
            strip(-1, -0.5, shine + 0.08 + 0.3 * self._glasses.gloss)

    def _seen_of_arm(self, side, points):
        """How much is seen of an arm, `(ARM,)`: it goes under the hair and behind the ear."""
        seen = np.ones(ARM)
        if not self._glasses.over_hair:
            skin = [self._is_skin(side, point) for point in points[2:]]
            # Two points in a row without skin are under the hair.
            hidden = (i for i in range(2, len(skin)) if not any(skin[i : i + 2]))
            seen = np.clip((next(hidden, ARM) + 3.0 - np.arange(ARM)) / 2, 0, 1)
        seen[-2:] *= 0.5, 0.0
        return seen

    def _is_skin(self, side, point):
        """Whether the picture shows at `point` what it shows on that side's cheek."""
        colour = _colour_near(self._picture, point, 0.04 * self._model.scale) + 0.3
        cheek = self._cheeks[side] + 0.3
        tone = np.abs(colour / colour.sum() - cheek / cheek.sum()).max()
        return tone < 0.06 and 0.5 < colour.sum() / cheek.sum() < 1.7

    def _draw_reflection(self, reflection):
        kind, strength, (u, v), size, slant, _ = reflection
        left, right, top, bottom = {
            "streak": (-size, size, -1.2, 1.2),
            "window": (-size, size, -size, 1.3 * size),
            "sky": (-3.0, 3.0, -3.0, 0.0),
        }[kind]
        across = np.array([left, right, right, left])
        height = np.array([top, top, bottom, bottom])
        # What is mirrored stands in one place: on both lenses to the same side.
        x = (0 if kind == "sky" else u) + across + slant * height * (0.6, 0.25)[kind == "window"]
        y = (0 if kind == "streak" else v) + height + 0.3 * slant * across * (kind != "streak")
        layer = self._layer()
        shapes = [self._model.on_lens(side, x, y) for side in (LEFT, RIGHT)]
        self._fill(ImageDraw.Draw(layer), shapes, [int(255 * strength)] * 2)
        return layer

    # Layers at the picture's size

    def _scaled(self, layer, softness):
        """A layer at the picture's size, float32 `(height, width, channels)` in [0, 255].

        Colours are multiplied by their opacity.
        """
        pixels = np.asarray(layer.resize(self.size, Image.Resampling.BILINEAR), np.float32)
        pixels = pixels.reshape(*pixels.shape[:2], -1)
        if pixels.shape[-1] == 4:
            opacity = pixels[..., 3:]
            pixels = np.concatenate([pixels[..., :3] * (opacity / 255), opacity], axis=-1)
        # Scaling down has blurred by 0.4 pixels.
        return _blurred(pixels, math.sqrt(max(softness**2 - 0.4**2, 0.0)))

    def _height_on_lens(self):
        """How far down the lenses each pixel lies, 0 at their top to 1, `(height, width, 1)`."""
        columns, rows = np.meshgrid(*(np.arange(n) + 0.5 for n in self.size))
        top, bottom = self._model.on_lens(LEFT, [0, 0], [-1, 1])
        along = (bottom - top) / np.square(bottom - top).sum()
        x, y = self._origin - top
        height = (columns + x) * along[0] + (rows + y) * along[1]
        return np.float32(np.clip(height, 0, 1)[..., None])


def _colour_near(picture, point, radius):
    """Mean colour, float `(3,)`, of the square around a point; of the nearest pixel beyond."""
    height, width = picture.shape[:2]
    (left, right), (top, bottom) = (
        (int(np.clip(c - radius, 0, n - 1)), int(np.clip(c + radius, 0, n - 1)) + 1)
        for c, n in zip(point, (width, height), strict=True)
    )
    return picture[top:bottom, left:right].reshape(-1, 3).mean(axis=0)


def _blurred(pixels, deviation, shift=(0.0, 0.0)):
    """`(height, width, channels)` under a Gaussian, moved by `shift` (x, y); beyond is 0."""
    if deviation < 0.15 and not any(shift):
        return pixels
    for axis, moved in ((1, shift[0]), (0, shift[1])):
        reach = math.ceil(3 * deviation + abs(moved) + 0.5)
        offsets = np.arange(-reach, reach + 1)
        weights = np.exp(-0.5 * np.square((offsets - moved) / max(deviation, 0.3)))
        weights = np.float32(weights / weights.sum())
        padded = np.pad(pixels, [(reach, reach) if i == axis else (0, 0) for i in range(3)])
        padded = np.moveaxis(padded, axis, 0)
        count = pixels.shape[axis]
        moved = sum(
            weight * padded[reach - offset : reach - offset + count]
            for offset, weight in zip(offsets, weights, strict=True)
            if weight > 1e-3
        )
        pixels = np.moveaxis(moved, 0, axis)
    return pixels

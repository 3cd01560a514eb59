"""The form of a pair of glasses on a head: its points in space, and where a photo shows them."""

import math
from typing import NamedTuple

import numpy as np

# How many eye distances the nose's tip lies before the eyes, how many the lenses'
# plane does, and how many away the camera is.
NOSE, PLANE, CAMERA = 0.5, 0.22, 26.0
# The lenses' plane is bent: so much further back, times the square of x.
BEND = 0.09
# Where the arms end: at the ears.
EAR_X, EAR_Z = 1.17, -1.35
# Points along the edge of a lens, and along an arm.
CONTOUR, ARM = 60, 14
# Thickness of a lens's own edge, seen where it has no rim.
EDGE = 0.014


class Rim(NamedTuple):
    """The rim around one lens, or the lens's own edge, at `CONTOUR` places.

    Attributes:
        inner, middle, outer: points of the picture `(CONTOUR, 2)`.
        normals: `(CONTOUR, 2)`, of length 1, outward in the lenses' plane.
        thickness: `(CONTOUR,)`, in eye distances.
        rimmed: `(CONTOUR,)`, whether there is a rim.
        upper: `(CONTOUR,)`, how much it is of the upper half, in [0, 1].
    """

    inner: np.ndarray
    middle: np.ndarray
    outer: np.ndarray
    normals: np.ndarray
    thickness: np.ndarray
    rimmed: np.ndarray
    upper: np.ndarray


class GlassesModel:
    """One pair of glasses on a head, seen in a photo.

    The model's own coordinates are eye distances: x to the right, y down, z to the
    camera, from the middle of the eyes, the head upright and facing the camera.
    Sides are -1, left in the picture, and 1.

    Args:
        glasses: `Glasses`.
        eyes, yaw: see `draw_glasses`.

    Attributes:
        across, down: vectors `(2,)` of the picture, one eye distance long, along the
            line of the eyes and down the face.
        scale: an eye distance in pixels.
    """

    def __init__(self, glasses, eyes, yaw):
        self._glasses = glasses
        self._middle = eyes.mean(axis=0)
        self.across = eyes[1] - eyes[0]
        self.scale = math.hypot(*self.across)
        self.down = np.array([-self.across[1], self.across[0]])
        # A turned head shows its nose's tip NOSE times the tangent from the middle.
        self._turn = math.atan(min(max(yaw, -0.6), 0.6) / NOSE)
        self._half_width = glasses.width / 2
        self._half_height = glasses.width * glasses.ratio / 2
        self._centre = glasses.gap / 2 + self._half_width
        right = self._outline()
        self._outlines = {-1: right * (-1, 1), 1: right}

    def project(self, points):
        """Points `(..., 3)` of the model in pixels of the picture, `(..., 2)`."""
        g = self._glasses
        x, y, z = np.moveaxis(np.asarray(points, np.float64), -1, 0)
        cos, sin = math.cos(g.lean), math.sin(g.lean)
        x, y = g.x + x * cos - y * sin, g.y + x * sin + y * cos
        cos, sin = math.cos(self._turn), math.sin(self._turn)
        # The eye distance is the one in the picture, cos times that of the head.
        x, z = x + z * sin / cos, (z * cos - x * sin) / cos
        near = CAMERA / (CAMERA - (z - PLANE))
        return (
            self._middle + (x * near)[..., None] * self.across + (y * near)[..., None] * self.down
        )

    def flat(self, points):
        """Points `(..., 2)` in the lenses' plane, in pixels of the picture."""
        points = np.asarray(points, np.float64)
        depth = PLANE - BEND * np.square(points[..., :1])
        return self.project(np.concatenate([points, depth], axis=-1))

    def on_lens(self, side, u, v):
        """Points of a lens in the picture: (0, 0) its middle, u and v to the right and down.

        They are ±1 at the edges of the lens's box, and may lie beyond.
        """
        x = side * self._centre + self._half_width * np.asarray(u)
        y = self._half_height * (np.asarray(v) - self._glasses.tilt * side * np.asarray(u))
        return self.flat(np.stack([x, y], axis=-1))

    def lens(self, side):
        """The edge of a lens in the picture, `(CONTOUR, 2)`."""
        return self.flat(self._outlines[side])

    def _outline(self):
        """The edge of the right lens `(CONTOUR, 2)` in its plane, from its outer end downward."""
        g = self._glasses
        angle = np.linspace(0, 2 * np.pi, CONTOUR, endpoint=False)
        cos, sin = np.cos(angle), np.sin(angle)
        exponent = g.lower + (g.upper - g.lower) * (0.5 - 0.5 * sin)
        u = np.sign(cos) * np.abs(cos) ** (2 / exponent)
        v = np.sign(sin) * np.abs(sin) ** (2 / exponent)
        lifted = g.lift * np.maximum(u, 0) ** 2 * (1 - v) / 2
        x = u * (1 - g.taper * v) + 0.4 * lifted + g.cut * v * (1 - u) / 2
        y = v - lifted - g.tilt * u
        return np.stack([self._centre + self._half_width * x, self._half_height * y], axis=-1)

    def rim(self, side):
        """The `Rim` of a lens."""
        g = self._glasses
        inner = self._outlines[side]
        ahead = np.roll(inner, -1, axis=0) - np.roll(inner, 1, axis=0)
        normals = side * np.stack([ahead[:, 1], -ahead[:, 0]], axis=-1)
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
        upper = np.clip(0.5 - 1.2 * normals[:, 1], 0, 1)
        if g.construction == "half":  # It ends half way down.
            upper = np.clip(1.5 * upper, 0, 1)
        thickness = g.below + (g.above - g.below) * upper
        rimmed = thickness > EDGE
        thickness = np.maximum(thickness, EDGE)
        outward = thickness[:, None] * normals
        middle, outer = inner + outward / 2, inner + outward
        points = map(self.flat, (inner, middle, outer))
        return Rim(*points, normals, thickness, rimmed, upper)

    def bridges(self):
        """The bridge, and the bar above it if there is one: tuples of points and thickness."""
        g = self._glasses
        along = np.linspace(-1, 1, 13)
        right = self._outlines[1]
        y = g.bridge_height * self._half_height
        nasal = right[right[:, 0] < self._centre]
        reach = nasal[np.abs(nasal[:, 1] - y).argmin(), 0]
        rise = y - g.bridge_arch * (1 - along**2)
        wider = 1 + (0.5 * along**2 if g.material == "acetate" else 0 * along)
        found = [(self.flat(np.stack([reach * along, rise], axis=-1)), g.bridge * wider)]
        if g.bar:
            reach = g.gap / 2 + 0.5 * self._half_width
            level = np.full(len(along), 0.95 * right[:, 1].min())
            bar = np.full(len(along), g.bar)
            found.append((self.flat(np.stack([reach * along, level], axis=-1)), bar))
        return found

    def pad(self, side):
        """The outline of a nose pad in the picture, `(12, 2)`."""
        angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
        u, v = 0.028 * np.cos(angle), 0.075 * np.sin(angle)
        x = self._glasses.gap / 2 - 0.035 + u + 0.35 * v
        return self.flat(np.stack([side * x, 0.24 * self._half_height + v], axis=-1))

    def end(self, side):
        """The end piece from a lens's edge to the hinge: points in the picture and thickness."""
        hinge, edge = self._hinge(side)
        points = self.flat([edge, (edge + hinge) / 2, hinge])
        return points, np.array([1.0, 0.95, 0.9]) * min(self._glasses.arm, 0.075)

    def _hinge(self, side):
        """Where an arm begins, and the lens's edge beside it, `(2,)` in the lenses' plane."""
        g = self._glasses
        y = g.arm_height * self._half_height
        outer = self._outlines[side][self._outlines[side][:, 0] * side > self._centre]
        edge = outer[np.abs(outer[:, 1] - y).argmin()]
        return edge + (side * (max(g.below, EDGE) + g.end), 0), edge

    def arm(self, side):
        """An arm from hinge to ear: points in the picture `(ARM, 2)` and thickness `(ARM,)`.

        `None` where the front of the glasses hides it.
        """
        g = self._glasses
        (x, y), _ = self._hinge(side)
        share = np.linspace(0, 1, ARM)
        ear = side * max(EAR_X, abs(x) + 0.02)
        # It bends backward right behind the hinge.
        xs = x + (ear - x) * (0.15 * np.minimum(4 * share, 1) + 0.85 * share)
        ys = y + (g.arm_drop - y) * 0.8 * share**2
        front = PLANE - BEND * x**2
        zs = front + (EAR_Z - front) * share
        points = self.project(np.stack([xs, ys, zs], axis=-1))
        outward = side * (points[-1] - points[0]) @ self.across / self.scale**2
        if outward < 0.02:
            return None
        return points, g.arm * (1 + (g.arm_end - 1) * share)

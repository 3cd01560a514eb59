"""How a model's images are framed: the centre square, or a face with its eyes at given places."""

from __future__ import annotations

import dataclasses
import math
import numbers
from typing import Any

from mbu_tf.faces.placement import Placement


@dataclasses.dataclass(frozen=True)
class Framing:
    """Which square of a photo a model looks at.

    Without eyes it is the photo's largest centred square; with them, the square
    in which a face has its eyes at these two places: the similarity (turn,
    scale, shift) that takes the one pair to the other.

    Attributes:
        left_eye, right_eye: `(u, v)` as shares of the square's side, u to the
            right and v down, of the eyes that are left and right in the upright
            picture; both or neither.

    Raises:
        ValueError: unless there are none, or two of two numbers each, the left one
            at the left.
    """

    left_eye: tuple | None = None
    right_eye: tuple | None = None

    def __post_init__(self):
        eyes = (self.left_eye, self.right_eye)
        if eyes == (None, None):
            return
        if not all(map(_is_point, eyes)) or not self.left_eye[0] < self.right_eye[0]:
            raise ValueError(
                "A framing has no eyes, or two places (u, v) in shares of the picture, the left "
                f"eye's further to the left. Received: {eyes}"
            )
        for name, eye in zip(("left_eye", "right_eye"), eyes, strict=True):
            object.__setattr__(self, name, tuple(map(float, eye)))

    @property
    def kind(self) -> str:
        """`"face"` or `"centre"`."""
        return "centre" if self.left_eye is None else "face"

    @property
    def eyes(self) -> tuple[Any, Any]:
        """`(left_eye, right_eye)`."""
        return self.left_eye, self.right_eye

    def get_config(self) -> dict[str, Any]:
        """The framing as plain values, such as JSON holds; `Framing.of` reads them."""
        if self.kind == "centre":
            return {"kind": "centre"}
        return {"kind": "face", "left_eye": list(self.left_eye), "right_eye": list(self.right_eye)}

    @classmethod
    def of(cls, framing: Any) -> Framing:
        """A `Framing` from one, its configuration, a name of `NAMED`, or `None` for the centre.

        Raises:
            ValueError: if it is none of these.
        """
        if isinstance(framing, cls):
            return framing
        if framing is None or isinstance(framing, str) and framing in NAMED:
            return NAMED[framing or "centre"]
        if isinstance(framing, dict):
            eyes = {name: value for name, value in framing.items() if name != "kind"}
            if set(eyes) in (set(), {"left_eye", "right_eye"}):
                found = cls(**{name: tuple(eye) for name, eye in eyes.items() if _is_point(eye)})
                if found.kind == framing.get("kind"):
                    return found
        raise ValueError(
            f"A framing must be one of {', '.join(NAMED)}, a `Framing` or what its `get_config` "
            f"gives. Received: {framing!r}"
        )

    def placement(self, height: int, width: int, eyes: Any = None) -> Placement:
        """Where the square lies in a photo.

        Args:
            height, width: of the photo, in pixels.
            eyes: of a `face` framing, the face's eyes ((x, y), (x, y)) in pixels of
                the photo, that first which is left when the face is upright.

        Raises:
            ValueError: if a face framing is given no two eyes apart from each other.
        """
        if self.kind == "centre":
            side = min(height, width)
            return Placement((width - side) // 2, (height - side) // 2, side, 0)
        left, right = eyes if eyes is not None and len(eyes) == 2 else (None, None)
        if not (_is_point(left) and _is_point(right)) or tuple(left) == tuple(right):
            raise ValueError(
                "A face is framed by its two eyes ((x, y), (x, y)) in pixels of the photo, apart "
                f"from each other. Received: eyes={eyes!r}"
            )
        # Of complex numbers a similarity is z -> turn * z + corner.
        left, right = complex(*left), complex(*right)
        turn = (right - left) / (complex(*self.right_eye) - complex(*self.left_eye))
        corner = left - turn * complex(*self.left_eye)
        return Placement(corner.real, corner.imag, turn.real, turn.imag)


def _is_point(value):
    """Whether `value` is two finite numbers."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        return False
    return all(isinstance(x, numbers.Real) and math.isfinite(x) for x in value)


CENTRE = Framing()
# From the forehead to the chin, ear to ear: the eyes at 0.28 of the side from each other.
FACE = Framing((0.36, 0.45), (0.64, 0.45))
# From the eyebrows to the mouth, temple to temple, for glasses: more of their pixels are seen.
EYES = Framing((0.32, 0.45), (0.68, 0.45))
# From the eyebrows to below the chin, for beards and mouths.
MOUTH = Framing((0.33, 0.32), (0.67, 0.32))
NAMED = {"centre": CENTRE, "face": FACE, "eyes": EYES, "mouth": MOUTH}

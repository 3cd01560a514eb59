import numpy as np
import pytest

SIDE, SIZE = 256, 64


class Scene:
    """Faces of slow shading with spectacles of known colours and coverage on them.

    `without`, `photo`: `(1, 256, 256, 3)` in [-1, 1]; `alpha`: exact coverage; `mask`: that
    coverage at 64 px, as a model would know it; `paint`: `without` at 64 px.
    """

    def __init__(self, face=0.3, frame=-0.9, rim=None, shift=(0.0, 0.0), slope=0.2):
        axis = (np.arange(SIDE) + 0.5) * 2 / SIDE - 1
        x, y = axis[None] - shift[0], axis[:, None] - shift[1]
        distance = np.min([np.abs(np.hypot(x - c, y) - 0.25) for c in (-0.35, 0.35)], axis=0)
        distance = np.minimum(distance, np.hypot(np.maximum(np.abs(x) - 0.1, 0), y))

        def coverage(half_width):  # Anti-aliased over one pixel.
            return np.clip((half_width - distance) * SIDE / 2 + 0.5, 0, 1)[..., None]

        shading = face + slope * (axis[None] + axis[:, None])[..., None] * [0.5, 0.4, 0.3]
        content = np.full((SIDE, SIDE, 3), frame)
        if rim is not None:
            content = content + coverage(0.018) * (rim - content)
        alpha = coverage(0.035)
        self.alpha = alpha[None].astype(np.float32)
        self.without = shading[None].astype(np.float32)
        self.photo = (shading + alpha * (content - shading))[None].astype(np.float32)
        self.mask, self.paint = small(self.alpha), small(self.without)


def small(x):
    step = SIDE // SIZE
    return x.reshape(len(x), SIZE, step, SIZE, step, -1).mean((2, 4)).astype(np.float32)


@pytest.fixture(scope="session")
def scene():
    return Scene

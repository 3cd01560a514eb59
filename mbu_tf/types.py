"""Types of what the public functions take and give."""

import os
from typing import Any, BinaryIO, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

FilePath: TypeAlias = str | os.PathLike[str]
ImageFile: TypeAlias = FilePath | bytes | BinaryIO
# What is taken: arrays, tensors that NumPy reads, lists. What is given: float32, uint8.
Array: TypeAlias = npt.ArrayLike
Floats: TypeAlias = npt.NDArray[np.float32]
Pixels: TypeAlias = npt.NDArray[np.uint8]


class ImageCollection(Protocol):
    """Images, wherever they lie, that can be counted and taken."""

    def __len__(self) -> int: ...

    def take(self, indices: Any) -> Pixels:
        """The images at `indices`, uint8 `(len(indices), size, size, channels)`."""

"""Who a face is, as dlib's face recognition network sees it (tables 3 and 6)."""

import importlib.util
import pathlib

import numpy as np
import numpy.typing as npt
from PIL import Image

from mbu_tf.data.domains import to_uint8
from mbu_tf.models.inference import checked_images
from mbu_tf.types import Array

# Where in a picture the face's box is looked for, in shares of width and height:
# the framing of aligned CelebA photos, cropped to their centre square.
CELEBA_BOX = (0.2, 0.3, 0.8, 0.9)
# Landmarks are found in a picture of this size, and the network takes chips of that.
LANDMARK_SIZE, CHIP_SIZE = 256, 150


class FaceEmbedding:
    """128 numbers that are near for one person and far for two; call it on images.

    dlib's network, trained on about 3 million photos of faces (CC0 weights). It says
    nothing of drawn faces. Needs `pip install 'mbu_tf[faces]'`.

    Args:
        box: where the face lies, (left, upper, right, lower) in shares of the
            picture's width and height: from eyebrows to chin. Faces are not searched
            for, so that no edit makes one be missed.

    Raises:
        ImportError: dlib or its weights are not installed.
    """

    def __init__(self, box: tuple[float, float, float, float] = CELEBA_BOX) -> None:
        try:
            import dlib
        except ImportError as error:
            raise _not_installed("dlib-bin") from error
        # Found, not imported: the package imports what newer setuptools lack.
        weights = importlib.util.find_spec("face_recognition_models")
        if weights is None:
            raise _not_installed("face-recognition-models")
        folder = pathlib.Path(weights.submodule_search_locations[0]) / "models"
        self.box = box
        self._dlib = dlib
        self._landmarks = dlib.shape_predictor(str(folder / "shape_predictor_5_face_landmarks.dat"))
        self._network = dlib.face_recognition_model_v1(
            str(folder / "dlib_face_recognition_resnet_model_v1.dat")
        )

    def __call__(self, images: Array) -> npt.NDArray[np.float64]:
        """Embeddings of faces.

        Args:
            images: float `(count, height, width, 3)` in [-1, 1], one face in each.

        Returns:
            float64 array `(count, 128)`.

        Raises:
            ValueError: on a wrong shape, dtype or value range.
        """
        pictures = to_uint8(checked_images("images", images))
        return np.stack([self._embed(picture) for picture in pictures])

    def _embed(self, picture):
        picture = Image.fromarray(picture)
        size = (LANDMARK_SIZE, LANDMARK_SIZE)
        picture = np.array(picture.resize(size, Image.Resampling.BICUBIC))
        box = self._dlib.rectangle(*(round(LANDMARK_SIZE * share) for share in self.box))
        chip = self._dlib.get_face_chip(picture, self._landmarks(picture, box), size=CHIP_SIZE)
        return np.array(self._network.compute_face_descriptor(chip))


def _not_installed(package):
    return ImportError(
        f"Face embeddings need {package}: pip install 'mbu_tf[faces]'. Any other function from "
        "images to embeddings may take their place."
    )

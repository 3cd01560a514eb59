"""Faces in photos: where they are, and how a model's square is laid on them."""

from mbu_tf.faces.detection import Face, NoFaceError, choose_faces, find_faces
from mbu_tf.faces.framing import CENTRE, FACE, Framing
from mbu_tf.faces.placement import Placement

__all__ = [
    "CENTRE",
    "FACE",
    "Face",
    "Framing",
    "NoFaceError",
    "Placement",
    "choose_faces",
    "find_faces",
]

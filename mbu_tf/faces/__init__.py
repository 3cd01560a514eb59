"""Faces in photos: where they are, and how a model's square is laid on them."""

from mbu_tf.faces.framing import CENTRE, FACE, Framing
from mbu_tf.faces.placement import Placement

__all__ = ["CENTRE", "FACE", "Framing", "Placement"]


def find_faces(photo):
    raise NotImplementedError


choose_faces = None


class NoFaceError(ValueError):
    pass

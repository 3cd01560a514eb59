"""Faces in photos: found, and framed as a model wants them."""

from mbu_tf.faces.detection import Face, NoFaceError, choose_faces, find_faces

__all__ = ["Face", "NoFaceError", "choose_faces", "find_faces"]

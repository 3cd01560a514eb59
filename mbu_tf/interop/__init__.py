"""Checkpoints of other frameworks, read and written."""

from mbu_tf.interop.published_mbu import load_published_mbu, save_published_mbu

__all__ = ["load_published_mbu", "save_published_mbu"]

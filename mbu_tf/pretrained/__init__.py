"""Trained models that come with the package, by the names of their presets."""

from mbu_tf.pretrained.weights import (
    SAMPLES,
    about_pretrained,
    pretrained_names,
    restore_pretrained,
    weights_file,
    write_pretrained,
)

__all__ = [
    "SAMPLES",
    "about_pretrained",
    "pretrained_names",
    "restore_pretrained",
    "weights_file",
    "write_pretrained",
]

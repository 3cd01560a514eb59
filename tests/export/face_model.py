"""A model of faces that needs no training, exported, and the two portraits to try it on."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mbu_tf.exporting import saved_model
from mbu_tf.exporting.metadata import append_to_tflite
from mbu_tf.exporting.signatures import Signature
from mbu_tf.faces import FACE

SIZE, DETAIL_SIZE = 64, 256


def woman():
    """uint8 `(512, 512, 3)`."""
    data = pytest.importorskip("skimage.data", reason="scikit-image is not installed")
    return data.astronaut()


def man():
    """uint8 `(600, 512, 3)`."""
    matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    path = f"{matplotlib.get_data_path()}/sample_data/grace_hopper.jpg"
    return np.array(Image.open(path).convert("RGB"))


def write_face_model(path, detailed=False):
    """A .tflite file with `blindfold`'s signatures; `detailed`, with those of detail, too."""
    table = blindfold(SIZE)
    if detailed:
        table |= {f"{name}_detail": x for name, x in blindfold(DETAIL_SIZE).items()}
    saved_model.write(table, path.with_suffix(""))
    folder, keys = str(path.with_suffix("")), list(table)
    content = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=keys).convert()
    told = {"image_size": SIZE, "framing": FACE.get_config()}
    path.write_bytes(append_to_tflite(content, told))


def blindfold(side):
    """Signatures that lay the reference's mean colour over the eyes, and invert what is there."""
    v, u = np.mgrid[:side, :side] / side
    band = np.exp(-(((u - 0.5) / 0.22) ** 4) - ((v - 0.45) / 0.07) ** 4)[None, ..., None]
    soft = tf.constant(np.where(band < 0.01, 0, band), tf.float32)
    hard = tf.cast(soft > 0.5, tf.float32)

    def laid(image, mask, colour):
        return {"image": image + mask * (colour - image), "mask": mask + 0 * image[..., :1]}

    def transfer(target, reference):
        return laid(target, soft, tf.reduce_mean(reference, (1, 2), keepdims=True))

    def remove(image):
        return laid(image, hard, 1 - image)

    def segment(image):
        return {"mask": soft + 0 * image[..., :1], "binary": hard + 0 * image[..., :1]}

    def signature(function, *inputs):
        specs = {name: tf.TensorSpec((1, side, side, 3), tf.float32, name) for name in inputs}
        return Signature(function, specs, ())

    return {
        "transfer": signature(transfer, "target", "reference"),
        "remove": signature(remove, "image"),
        "segment": signature(segment, "image"),
    }


def off(eyes, truth):
    """How far eyes ((x, y), (x, y)) are from the true ones, in eye distances."""
    truth = np.array(truth)
    return np.linalg.norm(eyes - truth, axis=-1).mean() / np.linalg.norm(truth[1] - truth[0])

"""Writes models/faces.tflite, the network that finds faces: python export/web/export_faces.py

It is the library's own (`mbu_tf/faces/blazeface.py`), weights in float16, with one
signature, `find`: `pictures` float32 (1, 128, 128, 3) in [0, 255] to `faces` (1, 896, 8, 2)
and `scores` (1, 896). Its licence lies in the ZIP archive behind it.
"""

import io
import pathlib
import tempfile
import zipfile

import tensorflow as tf

from mbu_tf.exporting import saved_model
from mbu_tf.exporting.signatures import Signature
from mbu_tf.faces import blazeface
from mbu_tf.system.files import replacing

PATH = pathlib.Path(__file__).with_name("models") / "faces.tflite"
LICENSE = pathlib.Path(blazeface.__file__).with_name("BLAZEFACE_LICENSE")


def converted():
    """The file's bytes."""
    network, size = blazeface.load_blazeface(), blazeface.TRAINED_SIZE
    pictures = tf.TensorSpec((1, size, size, 3), tf.float32, "pictures")
    find = Signature(
        lambda pictures: network(pictures), {"pictures": pictures}, ("faces", "scores")
    )
    with tempfile.TemporaryDirectory() as folder:
        saved_model.write({"find": find}, folder)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["find"])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
        file = io.BytesIO(converter.convert())
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(zipfile.ZipInfo(LICENSE.name), LICENSE.read_text("utf-8"))
    return file.getvalue()


if __name__ == "__main__":
    with replacing(PATH) as beside:
        beside.write_bytes(converted())

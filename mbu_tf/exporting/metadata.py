"""What whoever calls an exported model must know of it beside its signatures, in every format.

`mbu_tf.json` says how the model's images are framed in a photo, so that a page, a
phone or a server cuts the square that it was trained on:

    {"image_size": 64, "framing": {"kind": "face", "left_eye": [0.36, 0.45], …}, …}

It lies in a SavedModel's `assets.extra`; in a TFLite file as an associated file, a
ZIP archive behind the model (https://ai.google.dev/edge/litert/conversion/tensorflow/metadata),
which every unzip tool reads; and in an ONNX file under `mbu_tf` of its `metadata_props`.
"""

import io
import json
import zipfile

from mbu_tf.faces.framing import Framing

NAME = "mbu_tf.json"
ONNX_KEY = "mbu_tf"


def metadata(model, detail_size=None):
    """What is told of a model: a dict of plain values.

    Returns:
        `image_size`; `framing`, see `Framing.get_config`, the centre square of a model
        that states none; `detail_size`, the side of the images of the signatures with
        the ending `_detail`, `None` if there are none.
    """
    framing = framing_of(model).get_config()
    return {"image_size": model.image_size, "framing": framing, "detail_size": detail_size}


def framing_of(model):
    """The `Framing` of a model, the centre square's of one that states none."""
    return Framing.of(getattr(model, "framing", None))


def append_to_tflite(content, values):
    """The bytes of a .tflite file with `values` as its associated file `mbu_tf.json`.

    Runtimes read the model as before. The file is stored uncompressed, so that a
    reader needs no inflater.
    """
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a") as archive:
        # An entry of its own making has the same date always, and so has the file.
        archive.writestr(zipfile.ZipInfo(NAME), json.dumps(values))
    return file.getvalue()


def write_to_saved_model(folder, values):
    """Put `values` beside a SavedModel's graph."""
    extra = folder / "assets.extra"
    extra.mkdir(exist_ok=True)
    (extra / NAME).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def add_to_onnx(proto, values):
    """Put `values` into an ONNX `ModelProto`."""
    proto.metadata_props.add(key=ONNX_KEY, value=json.dumps(values))

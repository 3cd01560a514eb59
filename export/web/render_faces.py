"""Makes the sample faces of the page anew: python export/web/render_faces.py

CC0 1.0 avatars (Open Peeps) that no model of this project was trained on; the two
public-domain portraits of the package (mbu_tf/pretrained/samples/SOURCES.md), and one of
them with glasses drawn on.
"""

import io
import pathlib
import shutil

import numpy as np
from PIL import Image

from mbu_tf.data import read_image
from mbu_tf.data.avatar_faces import render_face
from mbu_tf.data.drawn_glasses import draw_glasses
from mbu_tf.data.glasses_styles import random_glasses
from mbu_tf.faces import FACE, find_faces
from mbu_tf.pretrained import SAMPLES
from mbu_tf.system.files import replacing

FOLDER = pathlib.Path(__file__).resolve().parent / "faces"
SIZE = 256
REFERENCES = ["glasses", "glasses2", "glasses3", "glasses5", "sunglasses", "sunglasses2"]
FACES = {
    "target-1": ("page/target/3", None),
    "target-2": ("page/target/1", None),
    "target-3": ("page/target/2", None),
    "target-with-glasses": ("page/target/4", "sunglasses"),
    **{f"reference-{name}": (f"page/reference/{name}", name) for name in REFERENCES},
}
PORTRAITS = ("eileen_collins", "grace_hopper")
# Seeds of `random_glasses`, by what they give.
DRAWN = {"cat-eye": 14, "round": 29, "oval": 25, "square": 39, "sunglasses": 35}


def write_avatars():
    for name, (seed, variant) in FACES.items():
        with replacing(FOLDER / f"{name}.png") as beside:
            worn = {"b": variant} if variant else {}
            beside.write_bytes(render_face("glasses", seed, worn, SIZE))


def write_portraits():
    for name in PORTRAITS:
        with replacing(FOLDER / f"{name}.jpg") as beside:
            shutil.copyfile(SAMPLES / f"{name}.jpg", beside)


def write_drawn_glasses():
    photo = Image.fromarray(read_image(SAMPLES / f"{PORTRAITS[0]}.jpg"))
    # Twice as large, so that glasses are drawn as sharp as a photo shows them.
    photo = np.array(photo.resize((2 * photo.width, 2 * photo.height), Image.Resampling.BICUBIC))
    (face,) = find_faces(photo)
    place = FACE.placement(*photo.shape[:2], face.eyes)
    for name, seed in DRAWN.items():
        picture, _ = draw_glasses(photo, random_glasses(seed), face.eyes)
        square = Image.fromarray(place.upright(picture)).resize((SIZE, SIZE))
        file = io.BytesIO()
        square.save(file, "JPEG", quality=90)
        with replacing(FOLDER / f"drawn-{name}.jpg") as beside:
            beside.write_bytes(file.getvalue())


if __name__ == "__main__":
    write_avatars()
    write_portraits()
    write_drawn_glasses()

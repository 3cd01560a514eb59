"""docs/detail.png: one person's glasses on another, before and after detail.

python examples/detail_picture.py faces_glasses --output docs/detail.png

Both portraits are in the public domain and come with mbu_tf; the model is one of framed faces.
"""

import argparse

import numpy as np
from PIL import Image

from mbu_tf import load_model
from mbu_tf.data import read_image, write_png
from mbu_tf.faces import Framing, find_faces
from mbu_tf.photos import transfer_photo
from mbu_tf.pretrained import SAMPLES

# What is shown of each: the face with some of what is around it.
SHOWN, SIDE = Framing((0.39, 0.42), (0.61, 0.42)), 320

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("--output", required=True)
arguments = parser.parse_args()

reference = read_image(SAMPLES / "grace_hopper.jpg")
target = read_image(SAMPLES / "eileen_collins.jpg")
model = load_model(arguments.model)


def shown(photo, original):
    eyes = find_faces(original)[0].eyes
    square = SHOWN.placement(*photo.shape[:2], eyes).upright(photo)
    return np.asarray(Image.fromarray(square).resize((SIDE, SIDE), Image.Resampling.LANCZOS))


results = [transfer_photo(model, target, reference, detail=detail) for detail in (False, True)]
pictures = [shown(reference, reference), shown(target, target)]
pictures += [shown(result.image, target) for result in results]
write_png(arguments.output, np.concatenate(pictures, axis=1))

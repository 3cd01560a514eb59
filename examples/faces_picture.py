"""docs/faces.png: one person's glasses on another, before and after detail.

python examples/faces_picture.py model.keras --output docs/faces.png

Both portraits are in the public domain and come with packages: Grace Hopper (matplotlib) and
Eileen Collins (scikit-image). The model is one of framed faces, such as
`mbu-tf train --preset photos --data portraits:PATH:mixed_glasses --output run` gives.
"""

import argparse
import pathlib

import matplotlib
import numpy as np
import skimage
from PIL import Image

from mbu_tf import load_model
from mbu_tf.data import read_image, write_png
from mbu_tf.faces import Framing, find_faces
from mbu_tf.photos import transfer_photo

# What is shown of each: the face with some of what is around it.
SHOWN, SIDE = Framing((0.39, 0.42), (0.61, 0.42)), 320

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("--output", required=True)
arguments = parser.parse_args()

hopper = pathlib.Path(matplotlib.__file__).parent / "mpl-data/sample_data/grace_hopper.jpg"
collins = pathlib.Path(skimage.__file__).parent / "data/astronaut.png"
reference, target = read_image(hopper), read_image(collins)
model = load_model(arguments.model)


def shown(photo, original):
    eyes = find_faces(original)[0].eyes
    square = SHOWN.placement(*photo.shape[:2], eyes).upright(photo)
    return np.asarray(Image.fromarray(square).resize((SIDE, SIDE), Image.Resampling.LANCZOS))


results = [transfer_photo(model, target, reference, detail=detail) for detail in (False, True)]
pictures = [shown(reference, reference), shown(target, target)]
pictures += [shown(result.image, target) for result in results]
write_png(arguments.output, np.concatenate(pictures, axis=1))

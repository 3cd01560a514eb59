"""Two models in sequence: glasses from one face, a beard from another (figure 28).

mbu-tf demo --output demo
mbu-tf train --preset avatars_facial_hair --data avatars:facial_hair --output beards
python examples/two_attributes.py demo/model.keras beards/model.keras
"""

import argparse

from mbu_tf import load_model, load_source
from mbu_tf.data import to_uint8, write_png
from mbu_tf.evaluation import labelled_grid

parser = argparse.ArgumentParser()
parser.add_argument("glasses", help="a model of the avatars' glasses")
parser.add_argument("beards", help="a model of the avatars' facial hair")
parser.add_argument("--output", default="two_attributes.png")
arguments = parser.parse_args()

glasses, beards = load_model(arguments.glasses), load_model(arguments.beards)
with_glasses = load_source("avatars:glasses", "test", image_size=glasses.image_size)
with_beards = load_source("avatars:facial_hair", "test", image_size=beards.image_size)
faces, eyewear = with_glasses.arrays(8)
_, hair = with_beards.arrays(8)

both = beards.transfer(glasses.transfer(faces, eyewear).image, hair).image

rows = [to_uint8(images) for images in (faces, eyewear, hair, both)]
write_png(arguments.output, labelled_grid(rows))
print(f"Faces, glasses, beards and both on the faces, row by row: {arguments.output}")

"""Swap glasses: take a face's own off, put another face's on (section 4, figure 32).

mbu-tf demo --output demo && python examples/swap.py demo/model.keras
"""

import argparse

from mbu_tf import load_model, load_source
from mbu_tf.data import to_model_range, to_uint8, write_png
from mbu_tf.evaluation import labelled_grid

parser = argparse.ArgumentParser()
parser.add_argument("model", help="a model of the avatars' glasses")
parser.add_argument("--output", default="swap.png")
arguments = parser.parse_args()

model = load_model(arguments.model)
test = load_source("avatars:glasses", "test", image_size=model.image_size)
worn, wanted = (to_model_range(test.b.take(range(i, i + 8))) for i in (0, 3))

swapped = model.transfer(model.remove(worn).image, wanted).image

rows = [to_uint8(images) for images in (worn, wanted, swapped)]
write_png(arguments.output, labelled_grid(rows))
print(f"Faces, the glasses wanted and the swap, row by row: {arguments.output}")

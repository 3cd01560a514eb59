"""docs/detail.png: one person's glasses on another, before and after detail.

python examples/detail_picture.py faces_glasses --output docs/detail.png

Both portraits are in the public domain and come with mbu_tf; the model is one of framed faces.
"""

import argparse

from mbu_tf import load_model
from mbu_tf.data import read_image, write_png
from mbu_tf.evaluation.pictures import portraits, row_of_squares
from mbu_tf.photos import transfer_photo
from mbu_tf.pretrained import SAMPLES

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("--output", required=True)
arguments = parser.parse_args()

reference = read_image(SAMPLES / "grace_hopper.jpg")
target = read_image(SAMPLES / "eileen_collins.jpg")
model = load_model(arguments.model)
hers, other = portraits(reference, target)
results = [transfer_photo(model, target, reference, detail=detail) for detail in (False, True)]
shown = [(hers, reference), (other, target), *((other, result.image) for result in results)]
write_png(arguments.output, row_of_squares(shown, side=320))

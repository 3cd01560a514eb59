"""What detail is worth: transfer, removal and outlines at a photo's size, against exact truth.

    mbu-tf demo --output demo
    python examples/measure_detail.py demo/model.keras
    python examples/measure_detail.py faces_glasses --portraits PATH --size 256

Of avatars, or of held-out portraits with drawn glasses (docs/faces-data.md).

Three rows for each: nothing done, what the model paints enlarged, and with detail (docs/detail.md).
"""

import argparse

import numpy as np

from mbu_tf import load_model
from mbu_tf.data import to_model_range
from mbu_tf.data.avatars import load_avatars
from mbu_tf.data.portraits import load_portraits
from mbu_tf.evaluation.detail_truth import EditMeasures
from mbu_tf.evaluation.segmentation import mask_iou
from mbu_tf.photos import remove_photo, segment_photo, transfer_photo

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("--size", type=int, default=512, help="side of the faces (default: 512)")
parser.add_argument("--pairs", type=int, default=200, help="test pairs at most (default: 200)")
parser.add_argument("--portraits", metavar="PATH")
arguments = parser.parse_args()

model = load_model(arguments.model)
if arguments.portraits:
    drawn = "drawn_glasses", "test", arguments.size
    faces = load_portraits(arguments.portraits, *drawn, framing=model.framing)
else:
    counts = {"test": arguments.pairs}
    faces = load_avatars("glasses", "test", image_size=arguments.size, counts=counts)
pairs = min(arguments.pairs, len(faces.b))
# They are framed already.
WAYS = {"nothing done": None, "enlarged": {"detail": False}, "detail": {"detail": True}}
transfers, removals = ({way: EditMeasures() for way in WAYS} for _ in range(2))
outlines = {way: [] for way in WAYS if WAYS[way]}

for i in range(pairs):
    a, b, a_with, b_without, b_mask = (
        x.take([i])[0] for x in (faces.a, faces.b, faces.a_with, faces.b_without, faces.b_mask)
    )
    for way, options in WAYS.items():
        transferred, removed = a, b
        if options:
            transferred = transfer_photo(model, a, b, framing="centre", **options).image
            removed = remove_photo(model, b, framing="centre", **options).image
            outline = segment_photo(model, b, framing="centre", **options) > 0
            outlines[way].append(mask_iou(outline[None, ..., None], b_mask[None] > 0))
        transfers[way].update(*(to_model_range(x) for x in (transferred, a_with, a)))
        removals[way].update(*(to_model_range(x) for x in (removed, b_without, b)))

print(f"{pairs} pairs at {arguments.size} px: mean absolute error in [-1, 1] inside and")
print("outside the exact mask, and sharpness inside it (the truth's is 1)")
for name, measured in (("transfer", transfers), ("removal", removals)):
    for way, measures in measured.items():
        figures = "  ".join(f"{key} {value:.4f}" for key, value in measures.result().items())
        print(f"{name:10}{way:14}{figures}")
for way, ious in outlines.items():
    print(f"{'outline':10}{way:14}IoU {np.mean(ious):.4f}")

"""A model on faces of a group that it never saw in training (table 3's right half).

    mbu-tf demo --output demo
    python examples/out_of_domain.py demo/model.keras

    mbu-tf train --preset photos --data celeba:CelebA:male_glasses --output men
    python examples/out_of_domain.py men/model.keras --data celeba:CelebA:male_glasses \
        celeba:CelebA:female_glasses

The first source is the group that the model was trained on, the second another one. References
are the first's domain B; targets the first's domain A, and then the second's.
"""

import argparse
import pathlib

import numpy as np

from mbu_tf import load_model, load_source
from mbu_tf.data import to_model_range, to_uint8, write_png
from mbu_tf.evaluation import transfer_grid

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument(
    "--data",
    nargs=2,
    metavar=("TRAINED_ON", "OTHER"),
    default=["avatars:glasses", "avatars:lorelei_glasses"],
)
parser.add_argument("--split", default="test", help="train, validation or test")
parser.add_argument("--pairs", type=int, default=100)
parser.add_argument("--output", type=pathlib.Path, default="out_of_domain")
arguments = parser.parse_args()

model = load_model(arguments.model)
groups = [load_source(spec, arguments.split, model.image_size) for spec in arguments.data]
count = min(arguments.pairs, len(groups[0].b), *(len(group.a) for group in groups))
references = to_model_range(groups[0].b.take(np.arange(count)))
arguments.output.mkdir(parents=True, exist_ok=True)

print(f"| {count} pairs: targets of | mask | pixels unchanged |\n|---|---|---|")
for name, spec, group in zip(("trained_on", "other"), arguments.data, groups, strict=True):
    targets = to_model_range(group.a.take(np.arange(count)))
    edit = model.transfer(targets, references)
    unchanged = (to_uint8(edit.image) == to_uint8(targets)).all(axis=-1).mean()
    print(f"| {spec} | {edit.mask.mean():.1%} | {unchanged:.1%} |")
    write_png(arguments.output / f"{name}.png", transfer_grid(model, targets[:6], references[:4]))
print(f"Pictures: {arguments.output}")

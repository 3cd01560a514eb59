"""Train on avatars from a few lines of Python, then add, remove and outline glasses.

python examples/quickstart.py [--steps 3000] [--output quickstart]
"""

import argparse
import pathlib

from mbu_tf import MaskedContentTransfer, load_source
from mbu_tf.callbacks import TrainingAdvice
from mbu_tf.data import write_png
from mbu_tf.evaluation import transfer_grid

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=3000)
parser.add_argument("--output", type=pathlib.Path, default="quickstart")
arguments = parser.parse_args()
arguments.output.mkdir(parents=True, exist_ok=True)

train = load_source("avatars:glasses", "train", image_size=64)
test = load_source("avatars:glasses", "test", image_size=64)

model = MaskedContentTransfer.from_preset("avatars", steps=arguments.steps)
model.fit(
    train.batches(batch_size=16, seed=0),
    steps_per_epoch=arguments.steps,
    shuffle=False,  # they are already
    callbacks=[TrainingAdvice()],
)
model.calibrate(*train.arrays(512))
model.save(arguments.output / "model.keras")

faces, with_glasses = test.arrays(6)
write_png(arguments.output / "transfer.png", transfer_grid(model, faces, with_glasses))
print(f"See {arguments.output / 'transfer.png'}")

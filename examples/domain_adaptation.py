"""Unsupervised domain adaptation by the common code, as the DIDD slides claim it.

python examples/domain_adaptation.py [--steps 3000]

The source is one style of avatars (Open Peeps) whose labels are known: glasses or not. The
target is another style (Lorelei), whose labels are never seen in training. DIDD learns from
the images of both, without labels, what the styles have in common; a linear classifier
learns the labels from the source's common codes and is tried on the target's. The baseline
is the library's attribute classifier, which learns them from the source's images.
"""

import argparse

import keras
import numpy as np
from keras import layers

from mbu_tf import DomainIntersectionDifference, TwoDomains, load_source
from mbu_tf.data import ImageArray, to_model_range
from mbu_tf.evaluation import balanced_accuracy, train_attribute_classifier

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=3000)
parser.add_argument("--baseline_steps", type=int, default=300)
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()

STYLES = {"source": "avatars:glasses", "target": "avatars:lorelei_glasses"}
train, test = (
    {name: load_source(style, split, image_size=64) for name, style in STYLES.items()}
    for split in ("train", "test")
)


def without_and_with(faces):
    """All faces without glasses, then all with, uint8."""
    return [images.take(range(len(images))) for images in (faces.a, faces.b)]


keras.utils.set_random_seed(arguments.seed)
styles = [ImageArray(np.concatenate(without_and_with(faces))) for faces in train.values()]
model = DomainIntersectionDifference(image_size=64, width=0.5, separate_channels=8)
rate = keras.optimizers.schedules.CosineDecay(2e-3, arguments.steps)
model.compile(
    keras.optimizers.Adam(rate, beta_1=0.5),
    discriminator_optimizer=keras.optimizers.Adam(rate, beta_1=0.5),
    # Whole styles differ, not one part: more confusion than a preset has.
    loss_weights={"recon_a": 5.0, "recon_b": 5.0, "confusion": 1.0},
    discriminator_codes="shared",
)
batches = TwoDomains(*styles, 64).batches(16, arguments.seed)
model.fit(batches, steps_per_epoch=arguments.steps, shuffle=False)


def common_codes(images):
    parts = np.array_split(to_model_range(images), max(1, len(images) // 100))
    return np.concatenate([model.common_code(x) for x in parts])


def codes_and_labels(faces):
    a, b = without_and_with(faces)
    return common_codes(np.concatenate([a, b])), np.repeat([0.0, 1.0], [len(a), len(b)])


adapted = keras.Sequential([layers.Flatten(), layers.Dense(1, "sigmoid")])
adapted.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy", metrics=["accuracy"])
adapted.fit(*codes_and_labels(train["source"]), batch_size=64, epochs=20, verbose=0)
baseline, _ = train_attribute_classifier(
    train["source"], test["source"], arguments.baseline_steps, seed=arguments.seed
)

for name, faces in test.items():
    found = adapted.evaluate(*codes_and_labels(faces), verbose=0)[1]
    seen = balanced_accuracy(baseline, *map(to_model_range, without_and_with(faces)))
    print(f"{name}: common code {found:.1%}, source-only baseline {seen:.1%}")

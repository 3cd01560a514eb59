"""A method of one's own: content disentanglement that also looks at edges (docs/methods.md).

python examples/custom_method.py [--steps 2000]
"""

import argparse
import pathlib

import keras
from keras import ops

from mbu_tf import ContentDisentanglement, load_model, load_source
from mbu_tf.data import write_png
from mbu_tf.evaluation import model_grid
from mbu_tf.exporting import export_tflite
from mbu_tf.losses import distance
from mbu_tf.networks.encoder import Encoder


def edge_distance(one, other):
    """Mean absolute difference of the images' slopes, down and across."""
    x = one - other
    return ops.mean(ops.abs(x[:, 1:] - x[:, :-1])) + ops.mean(ops.abs(x[:, :, 1:] - x[:, :, :-1]))


@keras.saving.register_keras_serializable("examples")
class EdgeAwareDisentanglement(ContentDisentanglement):
    default_loss_weights = {"recon_a": 5.0, "recon_b": 5.0, "edges": 5.0, "confusion": 0.1}

    def __init__(self, separate_channels=8, **kwargs):
        super().__init__(separate_channels=separate_channels, **kwargs)

    def build_separate_encoder(self):
        channels = self.arguments["separate_channels"]
        return Encoder(channels, self.image_size, filters=(16, 32, 64), name="separate_encoder")

    def generator_losses(self, a, b, mask_b=None, training=False):
        code_a, code_b = self.common_code(a, training), self.common_code(b, training)
        image_a = self.decode_a(code_a, training)
        image_b = self.decode(code_b, self.separate_code(b, training), training)
        edges = edge_distance(image_a, a) + edge_distance(image_b, b)
        terms = {"recon_a": distance(image_a, a), "recon_b": distance(image_b, b), "edges": edges}
        return terms, code_a, code_b, {}


parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=2000)
output, steps = pathlib.Path("custom"), parser.parse_args().steps
output.mkdir(exist_ok=True)

data = load_source("avatars:glasses", "train", image_size=64)
model = EdgeAwareDisentanglement(image_size=64, width=0.5)
model.compile(keras.optimizers.Adam(2e-3, beta_1=0.5), keras.optimizers.Adam(2e-3, beta_1=0.5))
model.fit(data.batches(16), steps_per_epoch=steps, shuffle=False)
model.save(output / "model.keras")

model = load_model(output / "model.keras")
export_tflite(model, output / "model.tflite")
a, b = data.arrays(5)
write_png(output / "transfer.png", model_grid(model, a, b))

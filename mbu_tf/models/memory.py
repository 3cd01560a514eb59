"""Memory that a model takes for images, estimated before it is taken."""

import math

from mbu_tf.system.backend import tensorflow_on_cpu
from mbu_tf.system.memory import check_memory

MEND = "Make batches smaller (batch_size, --batch-size), else images or networks (width)."


def check_batch(model, batch_size, work):
    """Raise `OutOfMemory` if a batch takes more memory than is free.

    Counted are the images of both domains and, where Keras computes on the CPU, what each
    layer of the encoders and decoders makes of one domain's: less than any step takes.

    Args:
        model: a `TwoDomainModel`.
        batch_size: images of each domain.
        work: what is to be done with it, to begin a sentence with.
    """
    numbers = 2 * 3 * model.image_size**2
    if tensorflow_on_cpu():
        networks = getattr(model, "generator_networks", ())
        numbers += sum(_numbers(layer) for x in networks for layer in getattr(x, "layers", ()))
    size = 4 if model.compute_dtype == "float32" else 2
    check_memory(size * numbers * batch_size, f"{work} of {batch_size} images", MEND)


def _numbers(layer):
    """Numbers that a layer makes of one image, or 0 if it does not say."""
    shape = getattr(getattr(layer, "output", None), "shape", (None, None))
    return math.prod(shape[1:]) if None not in shape[1:] else 0

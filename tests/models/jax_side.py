"""What test_jax.py runs in a process of its own, for KERAS_BACKEND holds for a whole one.

python tests/models/jax_side.py FOLDER

Reads `batch.npz` and models from FOLDER; writes what it finds there, each checked by the test.
"""

import json
import pathlib
import sys
import warnings

import keras
import numpy as np
import tensorflow as tf

from mbu_tf import load_model
from mbu_tf.callbacks import Retreat
from mbu_tf.models.content_transfer import MaskedContentTransfer
from mbu_tf.models.domain_intersection import DomainIntersectionDifference

folder = pathlib.Path(sys.argv[1])
batch = np.load(folder / "batch.npz")
a, b = batch["a"], batch["b"]
found = {"backend": keras.backend.backend()}


def said(error, call):
    """What `call` says when it raises `error`."""
    try:
        call()
    except error as raised:
        return str(raised)


for path in sorted(folder.glob("*-float64.keras")):
    keras.config.set_dtype_policy("float64")
    model = load_model(path)
    logs = model.train_on_batch(a, b, return_dict=True)
    model.save(folder / f"{path.stem}-trained.keras")
    found[path.stem] = {"logs": logs, "compiled": model.jit_compile}

keras.config.set_dtype_policy("float32")
model = load_model(folder / "mbu-float32.keras")
results = {
    "transfer": model.transfer(a, b).image,
    "removed": model.remove(b, 0.5).image,
    "mask": model.segment(b),
    "interpolated": model.interpolate(a[:1], b[:1], b[1:2], steps=3).image,
    "predicted": model.predict([a, b], batch_size=2, verbose=0)["image"],
}
np.savez(folder / "inference.npz", **{name: np.asarray(x) for name, x in results.items()})
found["threshold"] = model.find_mask_threshold(b)
found["evaluated"] = model.evaluate(a, b, batch_size=4, return_dict=True, verbose=0)

broken = np.concatenate([a, a])
broken[5] = np.nan
data = tf.data.Dataset.from_tensor_slices((broken, np.concatenate([b, b]))).batch(4)
history = model.fit(data, epochs=2, shuffle=False, verbose=0).history
found["skipped"] = history["skipped_steps"]
found["iterations"] = [int(x.iterations) for x in (model.optimizer, model.discriminator_optimizer)]
found["finite"] = all(np.isfinite(x).all() for x in model.get_weights())

model.save(folder / "mbu-float32-trained.keras")
edit = model.transfer(a, b)
np.savez(folder / "trained.npz", image=edit.image, mask=edit.mask)

keras.config.set_dtype_policy("mixed_float16")
tiny = {"image_size": 8, "width": 0.02, "separate_channels": 1}
model = MaskedContentTransfer(**tiny)
model.compile()
model.discriminator_optimizer.dynamic_scale.assign(1e38)
before = [np.array(x) for x in model.get_weights()]
logs = model.train_on_batch(a, b, return_dict=True)
found["overflow"] = {
    "skipped": logs["skipped_steps"],
    "moved": sum(
        not np.array_equal(x, y) for x, y in zip(before, model.get_weights(), strict=True)
    ),
    "scales": [float(x.dynamic_scale) for x in (model.optimizer, model.discriminator_optimizer)],
}


# Constant learning rates, which follow each other after each `fit` as well.
rates = model._learning_rates
optimizers = [x.inner_optimizer for x in (model.optimizer, model.discriminator_optimizer)]
rates.follow()
buffers = [id(v.value) for v in (*(x._learning_rate for x in optimizers), *rates.variables)]
found["buffers"] = [len(buffers), len(set(buffers))]


def train_at_the_last_pass():
    model = DomainIntersectionDifference(**tiny, spectral_gradient="last_pass")
    model.compile(run_eagerly=True)
    model.train_on_batch(a, b)


keras.config.set_dtype_policy("float32")
model = MaskedContentTransfer(**tiny)
model.compile(loss_weights=model.recipe("auto")["compile"]["loss_weights"])
bias = next(v for v in reversed(model.decoder_b.trainable_variables) if v.shape == (4,))
bias.assign([-20.0, 0.0, 0.0, 0.0])  # The masks are shut.
first = float(model.loss_weight("recon2_a"))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    data = tf.data.Dataset.from_tensor_slices((a, b)).repeat().batch(4)
    callbacks = [Retreat(every=2)]
    history = model.fit(data, steps_per_epoch=2, epochs=2, verbose=0, callbacks=callbacks).history
found["gone_back"] = [str(x.message) for x in caught if "collapsed" in str(x.message)]
found["restarts"] = [int(x) for x in (history["restarts"][-1] + 1, model.steering.restarts)]
found["recon2"] = [first, float(model.loss_weight("recon2_a"))]

found["last_pass"] = said(ValueError, train_at_the_last_pass)
found["exporting"] = said(ImportError, lambda: __import__("mbu_tf.exporting"))
(folder / "found.json").write_text(json.dumps(found))

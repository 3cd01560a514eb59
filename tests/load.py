"""Many requests at once, good and bad, to an exported model, as a server runs it.

    python -m tests.load --requests 10000 --threads 32

Each request is first made alone. Then threads make them again and again, in an order of
chance; each answer must be what it was alone, bit for bit, and each bad request be refused as
it was alone. How many were, and the memory after each fifth, stand at the end.
"""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import random
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from mbu_tf.exporting import export_saved_model
from mbu_tf.models.content_transfer import MaskedContentTransfer
from tests.exporting.test_bombs import BOMBS
from tests.exporting.test_encoded import FILES, MALFORMED, SHAPES, as_bytes, picture
from tests.exporting.test_saved_model import IMAGE, REFUSED, Server

SIZE = IMAGE.shape[1]
PHOTOS = [as_bytes(picture(*shape), "PNG") for shape in [*SHAPES, (1200, 900)]]
BAD_FILES = [*MALFORMED.values(), *(file for file, _ in BOMBS.values())]


def exported(folder):
    """A `Server` of a small untrained model."""
    keras.utils.set_random_seed(0)
    model = MaskedContentTransfer(image_size=SIZE, depth=4, width=0.1, separate_channels=4)
    return Server(export_saved_model(model, folder / "small", warm_up=False))


def requests():
    """`[(signature, inputs)]`: all kinds of good ones, and of bad ones."""
    numbers = np.random.default_rng(0).random((2, 8, SIZE, SIZE, 3), np.float32)
    files = [*FILES.values(), *PHOTOS]
    pairs = [(numbers[0, :n], numbers[1, :n]) for n in (1, 3, 8)]
    pairs += [(IMAGE, image) for image, _ in REFUSED.values()]
    encoded = [([files[i - 1], file], [file, files[i - 2]]) for i, file in enumerate(files)]
    encoded += [([file], [files[0]]) for file in BAD_FILES]
    found = [("transfer", {"target": IMAGE, "reference": numbers[1]})]
    for ending, inputs in (("", pairs), ("_encoded", encoded)):
        for a, b in inputs:
            found.append((f"transfer{ending}", {"target": a, "reference": b}))
            found += [
                (f"{name}{ending}", {"image": x}) for name in ("remove", "segment") for x in (a, b)
            ]
    return found


def answer(server, signature, inputs):
    """The bytes of each output, or what the refusal says."""
    try:
        outputs = server.call(signature, inputs)
    except tf.errors.InvalidArgumentError as error:
        return error.message.splitlines()[0]  # Below: which of its nodes was the first to see it.
    return {
        name: np.asarray(x).tolist() if x.dtype == object else x.tobytes()
        for name, x in outputs.items()
    }


def verdict(alone, got):
    """Whether an answer is "right", a bad request "refused", or either "wrong"."""
    if got != alone:
        return "wrong"
    return "refused" if isinstance(alone, str) else "right"


def difference(alone, got):
    """In words."""
    if isinstance(alone, str) or isinstance(got, str):
        return f"{_said(alone)} alone, {_said(got)} among others"
    return "other " + ", ".join(name for name in alone if alone[name] != got[name])


def _said(answer):
    return repr(answer) if isinstance(answer, str) else "answered"


def memory():
    """What this process holds, in MB."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=32)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = exported(pathlib.Path(folder))
        made = requests()
        alone = [answer(server, *request) for request in made]
        chance = random.Random(0)
        order = [chance.randrange(len(made)) for _ in range(arguments.requests)]
        verdicts, held = collections.Counter(), [memory()]

        def ask(i):
            got = answer(server, *made[i])
            found = verdict(alone[i], got)
            if found == "wrong":
                print(f"Wrong: request {i}, {made[i][0]}: {difference(alone[i], got)}", flush=True)
            return found

        with concurrent.futures.ThreadPoolExecutor(arguments.threads) as threads:
            for fifth in np.array_split(order, 5):
                verdicts.update(threads.map(ask, fifth))
                held.append(memory())
    print(", ".join(f"{verdicts[x]:,} {x}" for x in ("right", "refused", "wrong")))
    print("Memory in MB, at first and after each fifth:", *(f"{x:.0f}" for x in held))
    sys.exit(verdicts["wrong"] > 0)


if __name__ == "__main__":
    main()

"""What TensorFlow raises, as errors that name what is wrong and the mend."""

import builtins
import contextlib
import errno
import re

from mbu_tf.system.backend import tensorflow_in_use
from mbu_tf.system.memory import OutOfMemory

FULL_DISK = "No space left on device"
OUT_OF_MEMORY = (
    "Out of memory{where}. Make batches smaller (batch_size, --batch-size), else images "
    "(image_size) or networks (width)."
)
# What a Python function that reads data raised, within TensorFlow's account of it.
RAISED_BY_PYTHON = re.compile(
    r"(?:^|\s)([A-Za-z.]+(?:Error|Exception)): (.*?)\nTraceback", re.DOTALL
)
TENSOR = re.compile(r"allocating tensor with (shape\[[\d,]*\])")


@contextlib.contextmanager
def explaining_tensorflow():
    """Let errors of the block that a user can mend be Python's own, in one sentence or two.

    Exhausted memory, of TensorFlow, JAX or NumPy, becomes `OutOfMemory`, and a full disk,
    which TensorFlow calls an exhausted resource as well, an `OSError`. What
    reading the data raised, a `ValueError` or `OSError`, comes out as it was
    raised. All other errors stay as they are.
    """
    try:
        yield
    except OutOfMemory:  # Explained already.
        raise
    except Exception as error:
        explained = _explained(error)
        if explained is None:
            raise
        raise explained from error


def first_line(error):
    """What a TensorFlow error says, without the graph's account of itself."""
    text = re.sub(r"\{\{.*?\}\} ", "", str(error)).removeprefix("Graph execution error:").strip()
    return f"{type(error).__name__}: {text.splitlines()[0] if text else ''}"


def _explained(error):
    tf = tensorflow_in_use()
    of_graph = tf is not None and isinstance(error, tf.errors.OpError)
    if not of_graph and not isinstance(error, (RuntimeError, MemoryError)):
        return None
    text = str(error)
    if FULL_DISK in text:
        return OSError(errno.ENOSPC, "Cannot write: the disk is full; free some space")
    exhausted = of_graph and isinstance(error, tf.errors.ResourceExhaustedError)
    if exhausted or isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in text:
        tensor = TENSOR.search(text)
        return OutOfMemory(OUT_OF_MEMORY.format(where=f" for {tensor[1]}" if tensor else ""))
    raised = RAISED_BY_PYTHON.search(text) if of_graph else None
    if raised is None:
        return None
    name, message = raised.groups()
    kind = ValueError if name == "ImageReadError" else getattr(builtins, name, None)
    mendable = kind is not None and issubclass(kind, (ValueError, OSError))
    return kind(message.strip()) if mendable else None

"""Makes the compact form of the parity fixtures, `compact/`, out of the whole ones.

    python -m tests.parity.compact FOLDER_OF_THE_WHOLE

`compact/README.md` says what they are and what is left out.
"""

import functools
import json
import pathlib
import sys

import numpy as np

COMPACT = pathlib.Path(__file__).parent / "compact"
IMPLEMENTATIONS = ("mbu", "cd", "didd")
UNUSED = {"rounding", "bn_updates_in_20_steps", "sha256", "crc32_of_name"}


@functools.cache
def read(folder, implementation):
    """`(numbers, arrays)` of one implementation in a folder of fixtures."""
    numbers = json.loads((folder / f"{implementation}.json").read_text("utf-8"))
    with np.load(folder / f"{implementation}.npz") as arrays:
        return numbers, dict(arrays)


def compact_numbers(whole):
    """All that is said of the networks and the training runs, without what no test reads."""
    if isinstance(whole, list):
        return [compact_numbers(x) for x in whole]
    if isinstance(whole, dict):
        return {name: compact_numbers(x) for name, x in whole.items() if name not in UNUSED}
    return whole


def compact_arrays(whole):
    """Evaluation's codes, and of its images every third of the recorded rows and columns."""
    return {
        name: array[..., ::3, ::3] if array.ndim == 4 else array
        for name, array in whole.items()
        if name.startswith("eval") and name.count(".") == 1
    }


def main(folder):
    for implementation in IMPLEMENTATIONS:
        numbers, arrays = read(pathlib.Path(folder), implementation)
        text = json.dumps(compact_numbers(numbers), separators=(",", ":"))
        (COMPACT / f"{implementation}.json").write_text(text + "\n", "utf-8")
        np.savez_compressed(COMPACT / f"{implementation}.npz", **compact_arrays(arrays))


if __name__ == "__main__":
    main(*sys.argv[1:])

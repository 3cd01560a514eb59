"""What the tests of hostile input share: how inputs are spoiled, and how many are tried."""

import numpy as np
import pytest

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is not installed")
st = hypothesis.strategies

hypothesis.settings.register_profile(
    "quickly",
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
hypothesis.settings.load_profile("quickly")

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)

# What nobody expects in an array.
KINDS = ["float32", "float64", "float16", "int64", "uint32", "bool", "complex64"]
VALUES = [0, 1, -1, 2**31, np.nan, np.inf]


@st.composite
def arrays(draw):
    """Small arrays of any kind and shape, some of what their kind cannot hold."""
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    with np.errstate(all="ignore"):
        return np.full(shape, float(draw(st.sampled_from(VALUES)))).astype(
            draw(st.sampled_from(KINDS))
        )


ARRAYS = arrays()


def mutated(draw, content):
    """`content` with some bytes exchanged, cut out or put in."""
    content = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        kind = draw(st.sampled_from(["exchange", "cut", "insert", "end"]))
        if kind == "exchange":
            content[place : place + 1] = draw(st.binary(min_size=1, max_size=4))
        elif kind == "cut":
            del content[place : place + draw(st.integers(1, 40))]
        elif kind == "insert":
            content[place:place] = draw(st.binary(max_size=8))
        else:
            del content[place:]
    return bytes(content)


def replaced(draw, value, others=PLAIN):
    """A tree with one part of it left out, or replaced by one of `others`."""
    if not isinstance(value, (dict, list, tuple)) or not value or draw(st.integers(0, 3)) == 0:
        return draw(others)
    copy = dict(value) if isinstance(value, dict) else list(value)
    key = draw(st.sampled_from(list(copy) if isinstance(copy, dict) else range(len(copy))))
    if draw(st.integers(0, 7)):
        copy[key] = replaced(draw, copy[key], others)
    else:
        del copy[key]
    return type(value)(copy)

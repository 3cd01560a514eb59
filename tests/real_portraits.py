"""The portraits with a table of labels, which are not part of the project."""

import os
import pathlib

import pytest

HERE = pathlib.Path(__file__).parents[2] / "shared" / "data" / "public_faces"
PORTRAITS = pathlib.Path(os.environ.get("MBU_TF_PORTRAITS_DIR", HERE))
needs_portraits = pytest.mark.skipif(
    not (PORTRAITS / "labels.csv").is_file(),
    reason=f"no portraits in {PORTRAITS}; set MBU_TF_PORTRAITS_DIR to their folder",
)

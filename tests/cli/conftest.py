import numpy as np
import pytest
from PIL import Image

from mbu_tf.cli.main import main


@pytest.fixture(autouse=True)
def quickly(eagerly):
    """A command has few images."""


@pytest.fixture
def mbu_tf(capsys):
    """Runs a command line; gives its exit status and what it wrote to stderr."""

    def run(*arguments):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse
            status = stop.code
        return status, capsys.readouterr().err

    return run


@pytest.fixture
def photo(tmp_path):
    """Writes a photo of random pixels; gives its path."""

    def write(name, width=40, height=30):
        pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        return path

    return write

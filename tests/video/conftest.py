import pytest
from clips import pictures, write_clip


@pytest.fixture
def clip(tmp_path):
    """Writes a video, see `write_clip`; gives its path."""

    def write(name="clip.mkv", frames=None, **options):
        return write_clip(tmp_path / name, frames or pictures(), **options)

    return write

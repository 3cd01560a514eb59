"""Paths of many files: what goes in comes out, in little memory."""

import os
import sys

import pytest

from mbu_tf.data.paths import PathList


def test_paths_come_back():
    names = ["a.png", "sub/é.png", "", os.fsdecode(b"not utf-8 \xff.png"), "/elsewhere/b.png"]
    paths = PathList("root", iter(names))
    assert len(paths) == 5 and paths
    assert list(paths) == [os.path.join("root", name) for name in names]
    assert paths[-1] == "/elsewhere/b.png"
    for beyond in (5, -6):
        with pytest.raises(IndexError):
            paths[beyond]
    assert not PathList("root", [])


def test_a_path_takes_its_name_and_little_more():
    paths = PathList("/a/long/folder", (f"{i:08d}.jpg" for i in range(10_000)))
    held = sys.getsizeof(paths._names) + sys.getsizeof(paths._ends)
    assert held < 10_000 * (12 + 10)

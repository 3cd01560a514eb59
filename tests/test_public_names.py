"""What the package shows of itself: to `dir`, to editors, to type checkers."""

import ast
import importlib.resources

import mbu_tf


def test_public_names_are_listed_and_there():
    assert set(mbu_tf.__all__) <= set(dir(mbu_tf))
    for name in mbu_tf.__all__:
        assert getattr(mbu_tf, name) is not None


def test_editors_are_told_of_the_same_names():
    source = importlib.resources.files("mbu_tf").joinpath("__init__.py").read_text("utf-8")
    for_editors = {
        alias.asname: node.module
        for branch in ast.parse(source).body
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for node in branch.body
        for alias in node.names
    }
    assert for_editors == mbu_tf._EXPORTS


def test_type_checkers_are_told_that_there_are_hints():
    assert importlib.resources.files("mbu_tf").joinpath("py.typed").is_file()

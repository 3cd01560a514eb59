"""The documentation's pages are built, their links lead somewhere, no public name is left out."""

import importlib
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PUBLIC = (
    "mbu_tf",
    "mbu_tf.callbacks",
    "mbu_tf.data",
    "mbu_tf.evaluation",
    "mbu_tf.exporting",
    "mbu_tf.faces",
    "mbu_tf.interop",
    "mbu_tf.photos",
    "mbu_tf.video",
)


def build(root, site):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", site]
    return subprocess.run(command, cwd=root, capture_output=True, text=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    built = build(ROOT, folder)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture(scope="module")
def entries(site):
    """What the pages of the reference have an entry of."""
    pages = (site / "docs" / "reference").glob("*.html")
    return {
        name for page in pages for name in re.findall(r' id="([\w.]+)"', page.read_text("utf-8"))
    }


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_function_and_class_has_an_entry(entries, name):
    module = importlib.import_module(name)
    public = {x: getattr(module, x) for x in module.__all__}
    # By one of the modules that it is to be had of, or by where it is defined.
    missing = [
        x
        for x, value in public.items()
        if callable(value)
        and not {f"{module}.{x}" for module in (*PUBLIC, value.__module__)} & entries
    ]
    assert public and not missing


def test_links_into_the_repository_lead_to_its_files(site):
    page = (site / "docs" / "methods.html").read_text("utf-8")
    assert 'href="../examples/custom_method.py"' in page
    example = (ROOT / "examples" / "custom_method.py").read_bytes()
    assert (site / "examples" / "custom_method.py").read_bytes() == example


def test_a_link_that_leads_nowhere_fails(tmp_path):
    for name in ("mkdocs.yml", "docs/site_files.py", "docs/methods.md"):
        copy = tmp_path / name
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())
    settings = tmp_path / "mkdocs.yml"
    settings.write_text(settings.read_text("utf-8").split("\nnav:")[0] + "\n", "utf-8")
    (tmp_path / "docs" / "methods.md").write_text("[gone](../examples/gone.py)\n", "utf-8")
    built = build(tmp_path, tmp_path / "site")
    assert built.returncode != 0 and "examples/gone.py" in built.stderr

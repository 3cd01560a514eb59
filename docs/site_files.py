"""What MkDocs makes pages of: the repository's own layout, so that links hold in both."""

import pathlib
import re

from mkdocs.structure.files import File, Files

ROOT = pathlib.Path(__file__).parents[1]
PAGES = ("*.md", "docs/*.md", "docs/reference/*.md", "export/*/README.md")
LINK = re.compile(r"\]\(([^()\s#:]+)(?:#[^()\s]*)?\)")


def on_files(files, config):
    """Every page where it lies in the repository, and every file that one links to."""
    pages = sorted(path for pattern in PAGES for path in ROOT.glob(pattern))
    linked = {
        (page.parent / target).resolve()
        for page in pages
        for target in LINK.findall(page.read_text("utf-8"))
    }
    # What is not there is left out, and MkDocs tells of the link.
    found = dict.fromkeys([*pages, *sorted(path for path in linked if path.is_file())])
    ours = [
        File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path))
        for path in found
    ]
    theme = [file for file in files if not file.is_documentation_page() and not _of_docs(file)]
    return Files([*theme, *ours])


def _of_docs(file):
    return file.abs_src_path and ROOT in pathlib.Path(file.abs_src_path).parents

"""MkDocs hooks: pages that are made from the code, so that they cannot fall behind."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

import api_pages
import catalog
import command_page
import notebook_pages
import plugin_table
import protocol_page
from mkdocs.structure.files import File, Files

REPOSITORY = Path(__file__).resolve().parents[2]
MODEL_CARD = REPOSITORY / "s3fo" / "weights" / "README.md"
PLUGIN = REPOSITORY / "s3fo" / "plugin"


_NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.py"))
PAGES = {
    "evaluation/protocols.py": "reference/protocols.md",
    "s3fo/benchmarks/catalog.py": "reference/benchmarks.md",
    "s3fo/inference/__init__.py": "reference/api/s3fo.inference.md",
    "s3fo/weights/README.md": "model-card.md",
    **{f"notebooks/{path.name}": f"notebooks/{path.stem}.md" for path in _NOTEBOOKS},
}
"""Files of the repository, to which the pages' links lead -> what is made of them."""

_LINK = re.compile(r"\]\(([^)#\s]+)")


def on_config(config: Any) -> Any:
    """List the pages of the Python reference in the navigation."""
    reference = next(part["Reference"] for part in config.nav if "Reference" in part)
    python = next(part for part in reference if "Python" in part)
    python["Python"] = sorted(api_pages.pages(), key=lambda path: "index" not in path)
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages to those in the folder."""
    pages = {
        "reference/protocols.md": protocol_page.protocols(),
        "reference/commands.md": command_page.commands(),
        "reference/benchmarks.md": catalog.benchmarks(),
        "model-card.md": MODEL_CARD.read_text(),
        **api_pages.pages(),
        **notebook_pages.pages(REPOSITORY / "notebooks"),
    }
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill in generated tables, and point at pages what points at the repository."""
    if catalog.LICENCES in markdown:
        markdown = markdown.replace(catalog.LICENCES, catalog.licences())
    markdown = plugin_table.renew(markdown, PLUGIN)
    folder = posixpath.dirname(page.file.src_uri)
    return _LINK.sub(lambda link: _link_to_page(link, folder), markdown)


def _link_to_page(link: re.Match[str], folder: str) -> str:
    """A link to a file of the repository as one to the page that is made of it.

    Args:
        link: up to the address.
        folder: of the page with the link, within docs.
    """
    file = posixpath.normpath(posixpath.join("docs", folder, link[1]))
    if file not in PAGES:
        return link[0]
    return f"]({posixpath.relpath(PAGES[file], folder or '.')}"

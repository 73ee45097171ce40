"""MkDocs hooks: pages that are made from the code, so that they cannot fall behind."""

from __future__ import annotations

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


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in generated tables, and point at pages what points at the repository."""
    if catalog.LICENCES in markdown:
        markdown = markdown.replace(catalog.LICENCES, catalog.licences())
    if plugin_table.MARK in markdown:
        table = plugin_table.operators_and_panels(PLUGIN)
        markdown = markdown.replace(plugin_table.MARK, table)
    return markdown.replace("(../s3fo/weights/README.md)", "(model-card.md)")

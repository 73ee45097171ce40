"""The templates of the report."""

from __future__ import annotations

from importlib import resources
from typing import Any

import jinja2

from evaluation._utils.escape import latex_text, markdown_text


def environment(ending: str) -> jinja2.Environment:
    """Templates of one form, with the escapes that it needs.

    Args:
        ending: ``"html"``, ``"md"`` or ``"tex"``.
    """
    folder = resources.files(__name__)
    syntax: dict[str, Any] = {}
    if ending == "tex":  # braces and percent signs are LaTeX's own
        syntax = {
            "variable_start_string": "<<",
            "variable_end_string": ">>",
            "block_start_string": "<%",
            "block_end_string": "%>",
        }
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(
            lambda name: (folder / name).read_text(encoding="utf-8")
        ),
        autoescape=ending == "html",
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **syntax,
    )
    environment.filters["latex"] = latex_text
    environment.filters["plain"] = markdown_text
    return environment

"""Operators and panels of the plugin, read from their classes without running them.

``python docs/generators/plugin_table.py`` writes the table anew where it stands in the
repository; the site makes it anew whenever it is built.
"""

from __future__ import annotations

import ast
from pathlib import Path

MARK = "<!-- operators and panels -->"
"""Where the table of `operators_and_panels` begins in a page."""

END = "<!-- end of operators and panels -->"
"""Where it ends."""


def renew(page: str, plugin: Path) -> str:
    """A page with the table between the marks made anew; other pages as they are."""
    if MARK not in page:
        return page
    before, rest = page.split(MARK)
    after = rest.split(END)[1]
    return f"{before}{MARK}\n\n{operators_and_panels(plugin)}\n\n{END}{after}"


def operators_and_panels(plugin: Path) -> str:
    """Table of the classes in the plugin's folder that have a name in the App."""
    classes = [
        item
        for path in sorted(plugin.rglob("*.py"))
        for item in ast.parse(path.read_text()).body
        if isinstance(item, ast.ClassDef)
    ]
    lines = ["| in the App | name | what it does |", "|---|---|---|"]
    for item in classes:
        facts = _constants(item)
        if {"name", "label"} <= facts.keys():
            about = (ast.get_docstring(item) or "").split("\n\n")[0].replace("\n", " ")
            lines.append(f"| {facts['label']} | `{facts['name']}` | {about} |")
    return "\n".join(lines)


def _constants(item: ast.ClassDef) -> dict[str, str]:
    """Names that the class sets to a text."""
    return {
        target.id: statement.value.value
        for statement in item.body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


if __name__ == "__main__":
    repository = Path(__file__).resolve().parents[2]
    path = repository / "docs" / "how-to" / "fiftyone.md"
    path.write_text(renew(path.read_text(), repository / "s3fo" / "plugin"))

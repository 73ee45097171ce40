"""Notebooks (Python in percent format) as pages: text as text, code as code."""

from __future__ import annotations

import re
from pathlib import Path

_CELL = re.compile(r"^# %%(.*)$", re.MULTILINE)


def pages(folder: Path) -> dict[str, str]:
    """Path of each page in the site -> Markdown."""
    return {
        f"notebooks/{path.stem}.md": to_markdown(path.read_text())
        for path in sorted(folder.glob("*.py"))
    }


def to_markdown(source: str) -> str:
    """A notebook as one Markdown text."""
    _, *parts = _CELL.split(source)
    cells = [
        _text(body) if "[markdown]" in kind else f"```python\n{body.strip()}\n```"
        for kind, body in zip(parts[::2], parts[1::2], strict=True)
    ]
    linked = re.sub(r"\((\d\d_\w+)\.py\)", r"(\1.md)", "\n\n".join(cells))
    return re.sub(r"`docs/([\w-]+)\.md`", r"[\1](../\1.md)", linked) + "\n"


def _text(body: str) -> str:
    lines = [line.removeprefix("#").removeprefix(" ") for line in body.splitlines()]
    return "\n".join(lines).strip()

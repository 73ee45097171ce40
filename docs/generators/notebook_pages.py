"""Notebooks (Python in percent format) as pages: text as text, code as code.

With ``S3FO_RUN_NOTEBOOKS=1`` they are run while the site is built, in a folder that is
thrown away, and what each cell prints stands below it. That takes a minute or two.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

_CELL = re.compile(r"^# %%(.*)$", re.MULTILINE)
_DATASET = f"s3fo-docs-{os.getpid()}"


def pages(folder: Path) -> dict[str, str]:
    """Path of each page in the site -> Markdown."""
    notebooks = {path.stem: _cells(path) for path in sorted(folder.glob("*.py"))}
    if os.environ.get("S3FO_RUN_NOTEBOOKS") == "1":
        with _scratch_folder():
            notebooks = {name: list(_run(cells)) for name, cells in notebooks.items()}
    return {
        f"notebooks/{name}.md": _to_markdown(cells) for name, cells in notebooks.items()
    }


def _cells(path: Path) -> list[tuple[str, str]]:
    """Kind (``"text"`` or ``"python"``) and content of each cell."""
    _, *parts = _CELL.split(path.read_text())
    return [
        ("text", _text(body)) if "[markdown]" in kind else ("python", body.strip())
        for kind, body in zip(parts[::2], parts[1::2], strict=True)
    ]


def _text(body: str) -> str:
    lines = [line.removeprefix("#").removeprefix(" ") for line in body.splitlines()]
    return "\n".join(lines).strip()


def _run(cells: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The cells, each that prints followed by its output."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for kind, content in cells:
        yield kind, content
        if kind == "python":
            with redirect_stdout(io.StringIO()) as printed:
                exec(content, names)
            if printed.getvalue():
                yield "output", printed.getvalue().rstrip()


@contextmanager
def _scratch_folder() -> Iterator[None]:
    """Run here and leave nothing behind, in FiftyOne neither."""
    os.environ["S3FO_NOTEBOOK_DATASET"] = _DATASET
    home = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(home)
            import fiftyone as fo

            if fo.dataset_exists(_DATASET):
                fo.delete_dataset(_DATASET)


def _to_markdown(cells: Iterable[tuple[str, str]]) -> str:
    fences = {
        "python": "```python\n{}\n```",
        "output": "```text\n{}\n```",
        "text": "{}",
    }
    text = "\n\n".join(fences[kind].format(content) for kind, content in cells)
    linked = re.sub(r"\((\d\d_\w+)\.py\)", r"(\1.md)", text)
    return re.sub(r"`docs/([\w-]+)\.md`", r"[\1](../\1.md)", linked) + "\n"

"""Notebooks (Python in percent format) as pages: text as text, code as code.

With ``S3FO_RUN_NOTEBOOKS=1`` they are run while the site is built, in a folder that is
thrown away, and below each cell stands what a notebook shows there: what it prints,
and the picture that its last line is. That takes a minute or two.
"""

from __future__ import annotations

import ast
import io
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CELL = re.compile(r"^# %%(.*)$", re.MULTILINE)
_DATASET = f"s3fo-docs-{os.getpid()}"


@dataclass(frozen=True)
class Cell:
    """A cell, and what running it shows.

    Attributes:
        code: whether it is Python, not Markdown.
        content: its text.
        printed: what it prints.
        picture: its last line's value as PNG, where that is a picture.
    """

    code: bool
    content: str
    printed: str = ""
    picture: bytes | None = None


def pages(folder: Path) -> dict[str, str | bytes]:
    """Path of each page and picture in the site -> content."""
    notebooks = {path.stem: read(path) for path in sorted(folder.glob("*.py"))}
    if os.environ.get("S3FO_RUN_NOTEBOOKS") == "1":
        with _scratch_folder():
            notebooks = {
                name: list(run(cells, {})) for name, cells in notebooks.items()
            }
    made: dict[str, str | bytes] = {}
    for name, cells in notebooks.items():
        for file, content in page(name, cells).items():
            made[f"notebooks/{file}"] = content
    return made


def read(path: Path) -> list[Cell]:
    """The cells of a notebook."""
    _, *parts = _CELL.split(path.read_text())
    return [
        Cell(False, _text(body)) if "[markdown]" in kind else Cell(True, body.strip())
        for kind, body in zip(parts[::2], parts[1::2], strict=True)
    ]


def run(cells: Iterable[Cell], names: dict[str, Any]) -> Iterator[Cell]:
    """Run cells one after another, as a notebook does.

    Args:
        cells: of a notebook.
        names: its variables; filled.

    Yields:
        Each cell with what it shows.
    """
    names["__name__"] = "__main__"
    for cell in cells:
        if not cell.code:
            yield cell
            continue
        with redirect_stdout(io.StringIO()) as printed:
            value = _value(cell.content, names)
        to_png = getattr(value, "_repr_png_", None)
        picture = to_png() if to_png else None
        yield Cell(True, cell.content, printed.getvalue().rstrip(), picture)


def page(name: str, cells: Sequence[Cell]) -> dict[str, str | bytes]:
    """File name -> content of a notebook's page and its pictures."""
    parts: list[str] = []
    pictures: dict[str, str | bytes] = {}
    for cell in cells:
        parts.append(f"```python\n{cell.content}\n```" if cell.code else cell.content)
        if cell.printed:
            parts.append(f"```text\n{cell.printed}\n```")
        if cell.picture:
            file = f"{name}-{len(pictures) + 1}.png"
            pictures[file] = cell.picture
            parts.append(f"![What this cell shows]({file})")
    return {f"{name}.md": _linked("\n\n".join(parts)) + "\n"} | pictures


def _text(body: str) -> str:
    lines = [line.removeprefix("#").removeprefix(" ") for line in body.splitlines()]
    return "\n".join(lines).strip()


def _value(code: str, names: dict[str, Any]) -> Any:
    """Run code; what its last line is worth, if that is an expression."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<cell>", "exec"), names)
    if last is not None:
        return eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
    return None


def _linked(text: str) -> str:
    """Links to notebooks and documents lead to their pages."""
    text = re.sub(r"\((\d\d_\w+)\.py\)", r"(\1.md)", text)
    return re.sub(r"`docs/([\w-]+)\.md`", r"[\1](../\1.md)", text)


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

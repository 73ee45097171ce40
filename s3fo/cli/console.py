"""What commands print: tables and progress for people, JSON for programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import (
    Callable,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any

import typer

from evaluation._utils.progress import ProgressCallback
from evaluation.results.text import notes_to_show

if TYPE_CHECKING:
    import pandas as pd


def print_json(value: object) -> None:
    """Print `value` as one JSON document on standard output."""
    json.dump(value, sys.stdout, indent=2, default=str)
    sys.stdout.write("\n")


def result_alone() -> AbstractContextManager[object]:
    """Send what libraries print to standard error, so that ours stays readable.

    FiftyOne greets, warns and reports on standard output.
    """
    return redirect_stdout(sys.stderr)


def print_notes(notes: Iterable[str], about: str = "") -> None:
    """Print notes on standard error; `about` says before each what it is about."""
    for note in notes_to_show(notes):
        typer.echo(f"note: {about}{note}", err=True)


def print_notes_of(notes: Mapping[str, Sequence[str]]) -> None:
    """Print the notes on several things; what is said of all of them, once.

    Args:
        notes: name of the thing -> notes on it.
    """
    of_all = set.intersection(*map(set, notes.values())) if len(notes) > 1 else set()
    print_notes(note for note in next(iter(notes.values()), ()) if note in of_all)
    for name, own in notes.items():
        print_notes((note for note in own if note not in of_all), about=f"{name}: ")


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain dictionaries, missing values as None."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def print_frame(title: str, table: pd.DataFrame, columns: Iterable[Hashable]) -> None:
    """Print the columns that are there and hold anything; gaps stay empty."""
    shown = table[[name for name in columns if name in table]].dropna(axis=1, how="all")
    numbers = [str(name) for name in shown.select_dtypes("number")]
    rows = [
        ["" if cell is None else cell for cell in row.values()]
        for row in records(shown)
    ]
    print_table(title, list(shown.columns), rows, right=numbers)


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    right: Sequence[str] = (),
) -> None:
    """Print a table; numbers are right-aligned.

    Args:
        title: heading.
        columns: their headings; columns whose first cell is a number go right.
        rows: the cells.
        right: headings of other columns to right-align.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    body = [list(row) for row in rows]
    on_screen = sys.stdout.isatty()
    console = Console(width=None if on_screen else 120)
    for part in _fitting(columns, body, console.width if on_screen else None):
        table = Table(box=box.SIMPLE_HEAD)
        for index in part:
            number = bool(body) and isinstance(body[0][index], int | float)
            number = number or columns[index] in right
            table.add_column(
                # `Text`, as names may hold what rich takes for its own markup.
                Text(columns[index]),
                justify="right" if number else "left",
                # A path or command that is cut off is of no use.
                overflow="fold",
                min_width=_min_width(columns, body, index),
                # Rich narrows what may be folded, whatever its least width is, and
                # takes what is then missing off the last column.
                no_wrap=not _may_be_folded(columns, body, index),
            )
        for row in body:
            table.add_row(*(Text(_cell(row[index])) for index in part))
        size = table.__rich_measure__(console, console.options)
        needed = (
            size.minimum if on_screen else max(size.minimum, min(size.maximum, 160))
        )
        # A table's own title would be folded to the table's width.
        typer.echo(title)
        Console(width=max(console.width, needed)).print(table)
        title = "(continued)"


def _fitting(
    columns: Sequence[str], body: list[list[Any]], width: int | None
) -> list[list[int]]:
    """Columns side by side, as many as a window has room for with their words whole.

    Args:
        columns: headings.
        body: cells by row.
        width: of the window; None where lines may be as long as they like.

    Returns:
        Numbers of columns, table by table; the first column begins every table.
    """
    gaps = 3  # Blanks between columns, and around the table.
    parts: list[list[int]] = [[]]
    for index in range(len(columns)):
        wide = sum(_min_width(columns, body, i) + gaps for i in [*parts[-1], index])
        if width is not None and wide > width and len(parts[-1]) > 1:
            parts.append([0])
        parts[-1].append(index)
    return parts


def _min_width(columns: Sequence[str], body: list[list[Any]], index: int) -> int:
    words = [*columns[index].split(), *_words(row[index] for row in body)]
    return max(map(len, words), default=0)


def _may_be_folded(columns: Sequence[str], body: list[list[Any]], index: int) -> bool:
    """Whether a column has room to lose without breaking a word."""
    lines = [columns[index], *(_cell(row[index]) for row in body)]
    return max(map(len, lines)) > _min_width(columns, body, index)


def _words(cells: Iterable[Any]) -> Iterator[str]:
    """Words of cells that are not broken: all but paths, links and the like."""
    for cell in cells:
        yield from (word for word in _cell(cell).split() if len(word) <= _LONG)


_LONG = 24
"""Letters of a word beyond which it may be broken."""


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


@contextmanager
def progress_bar(title: str, *, estimate: bool = True) -> Iterator[ProgressCallback]:
    """Show progress on standard error: a bar, or lines where no terminal is there.

    Args:
        title: what is being done.
        estimate: whether to tell the time left; not where the labels tell it.

    Yields:
        the callback to hand to a library function.
    """
    if not sys.stderr.isatty():
        yield progress_lines(title)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        *([TimeRemainingColumn()] if estimate else []),
        TextColumn("{task.fields[label]}", markup=False),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(title, total=None, label="")

        def report(done: int, total: int, label: str) -> None:
            bar.update(task, completed=done, total=total, label=label)

        yield report


def progress_lines(
    title: str, clock: Callable[[], float] = time.monotonic
) -> ProgressCallback:
    """Progress for a log: a line after 10 seconds of work, then ever more rarely.

    A line comes after 10 seconds or a tenth of the time that has passed, whichever is
    longer, so that a log of days stays short.

    Args:
        title: what is being done.
        clock: tells the seconds.

    Returns:
        the callback to hand to a library function.
    """
    begin = told = clock()

    def report(done: int, total: int, label: str) -> None:
        nonlocal told
        now = clock()
        if now - told >= max(10.0, (now - begin) / 10):
            told = now
            print(
                f"{title}: {done} of {total} after {now - begin:.0f} s: {label}",
                file=sys.stderr,
                flush=True,
            )

    return report

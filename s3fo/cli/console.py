"""What commands print: tables and progress for people, JSON for programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any, Literal

import typer

from evaluation._utils.progress import ProgressCallback

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
    for note in notes:
        typer.echo(f"note: {about}{note}", err=True)


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
    # `Text`, as names may hold what rich takes for its own markup.
    table = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD)
    for index, column in enumerate(columns):
        number = bool(body) and isinstance(body[0][index], int | float)
        number = number or column in right
        side: Literal["right", "left"] = "right" if number else "left"
        # A path or command that is cut off is of no use.
        table.add_column(Text(column), justify=side, overflow="fold")
    for row in body:
        table.add_row(*(Text(_cell(value)) for value in row))
    Console(width=None if sys.stdout.isatty() else 120).print(table)


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

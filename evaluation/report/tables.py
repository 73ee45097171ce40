"""One table, written as Markdown, LaTeX (booktabs), HTML, CSV or JSON.

CSV and JSON hold the data as they are: every column, full precision, fractions 0..1.
The other forms show chosen columns to people: rounded, in percent, with intervals.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from evaluation._utils.atomic import write_atomically
from evaluation._utils.escape import csv_text, latex_text, markdown_text
from evaluation.report.templates import environment

FORMATS = ("csv", "json", "md", "tex")
"""What `Table.save` writes."""

FLOAT_ROWS = 40
"""LaTeX tables with more rows may break over pages."""

_LINE, _GAP, _LONG = 115, 2, 18
"""LaTeX: characters in a small line, between columns, and in a text that may break."""


Cell = TypeVar("Cell")


@dataclass(frozen=True)
class Column:
    """How one column of the data is shown to people.

    Attributes:
        key: its name in the data.
        heading: its name for people.
        digits: decimals of a number; None for text.
        scale: factor for showing, 100 for percent.
        signed: show a plus, too.
        interval: keys of the lower and upper end of an interval to show behind it.
        best: print the largest value in bold.
        link: key of the column with the web address behind the text.
    """

    key: str
    heading: str
    digits: int | None = None
    scale: float = 1.0
    signed: bool = False
    interval: tuple[str, str] | None = None
    best: bool = False
    link: str = ""

    @property
    def numeric(self) -> bool:
        """Whether it is right-aligned and sorted by value."""
        return self.digits is not None

    def show(self, row: Mapping[str, object]) -> str:
        """The cell of a row as text; missing values as a dash."""
        text = self._show(row[self.key])
        if self.interval and text != "-":
            low, high = (self._show(row[key]) for key in self.interval)
            text += "" if "-" in (low, high) else f" [{low}, {high}]"
        return text

    def _show(self, value: Any) -> str:
        if value is None or value is pd.NA:
            return "-"
        if isinstance(value, float) and math.isnan(value):
            return "-"
        if self.digits is None:
            return str(value)
        text = format(self.scale * value, f"{'+' * self.signed}.{self.digits}f")
        if float(text) == 0:  # no sign where nothing is left of the number
            text = text.lstrip("+-")
        return text.replace("-", "\N{MINUS SIGN}")


def text(key: str, heading: str, **how: Any) -> Column:
    """A column of words."""
    return Column(key, heading, **how)


def number(key: str, heading: str, digits: int = 0, **how: Any) -> Column:
    """A column of numbers as they are."""
    return Column(key, heading, digits, **how)


def percent(key: str, heading: str, **how: Any) -> Column:
    """A column of fractions, shown in percent with one decimal."""
    return Column(key, heading, 1, 100.0, **how)


@dataclass(frozen=True)
class Table:
    """A table with a name, a caption, its data and how to show them.

    Attributes:
        name: of its files.
        title: heading.
        caption: what a reader needs to know to read it.
        data: all of it, one row per entry, machine-readable names.
        columns: what is shown, in order.
        row_classes: HTML class of each row; none if empty.
        statements: the caption in parts, each a line where nothing else is printed;
            empty where it is one.
    """

    name: str
    title: str
    caption: str
    data: pd.DataFrame
    columns: Sequence[Column]
    row_classes: Sequence[str] = field(default=())
    statements: Sequence[str] = field(default=())

    def __len__(self) -> int:
        return len(self.data)

    def markdown(self, limit: int | None = None) -> str:
        """In GitHub's Markdown; at most `limit` rows."""
        rules = ["---:" if column.numeric else "---" for column in self.columns]
        headings = [markdown_text(column.heading) for column in self.columns]
        lines = [_row(headings), _row(rules)]
        lines += [_row(cells) for cells in self._cells(limit, _markdown_cell)]
        return "\n".join(lines) + "\n"

    def latex(self) -> str:
        """With booktabs rules: a float, or a longtable where it has many rows."""
        cells = self._cells(None, _latex_cell)
        headings: dict[object, str] = {
            place: latex_text(column.heading)
            for place, column in enumerate(self.columns)
        }
        frame = pd.DataFrame(cells, columns=list(headings), dtype=object)
        styler = frame.style.hide(axis="index")
        styler = styler.format_index(headings.__getitem__, axis="columns")
        long = len(cells) > FLOAT_ROWS
        return styler.to_latex(
            column_format=self._latex_columns(),
            caption=f"{latex_text(self.title)}. {latex_text(self.caption)}",
            label=f"tab:{self.name}",
            hrules=True,
            environment="longtable" if long else None,
            position=None if long else "htbp",
            position_float=None if long else "centering",
        )

    def _latex_columns(self) -> str:
        """Column types; where the lines would not fit, long texts get broken ones."""
        rows = self._rows(None)
        widths = [
            max([len(column.heading), *(len(column.show(row)) for row in rows)])
            for column in self.columns
        ]
        gaps = _GAP * len(widths)
        long = [
            not column.numeric and width > _LONG
            for column, width in zip(self.columns, widths, strict=True)
        ]
        fixed = sum(w for w, is_long in zip(widths, long, strict=True) if not is_long)
        broken = sum(w for w, is_long in zip(widths, long, strict=True) if is_long)
        room = max(_LINE - gaps - fixed, _LONG * sum(long))
        if broken <= room:
            long = [False] * len(long)
        return "".join(
            rf"p{{{room * width / broken / _LINE:.2f}\linewidth}}"
            if is_long
            else "r" if column.numeric else "l"
            for column, width, is_long in zip(self.columns, widths, long, strict=True)
        )  # fmt: skip

    def html(self, limit: int | None = None) -> str:
        """As ``<table>``; cells of numbers keep their full value in ``data-value``."""
        cells = self._cells(limit, _html_cell)
        kinds = [*self.row_classes[: len(cells)]] or [""] * len(cells)
        rows = [
            {"kind": kind, "cells": row} for kind, row in zip(kinds, cells, strict=True)
        ]
        template = environment("html").get_template("rows.html")
        return template.render(name=self.name, columns=self.columns, rows=rows)

    def csv(self) -> str:
        """All data; numbers so that they read back exactly, texts never as formulas."""
        texts = self.data.select_dtypes(exclude="number").columns
        safe = {
            name: [csv_text(v) if isinstance(v, str) else v for v in self.data[name]]
            for name in texts
        }
        return str(self.data.assign(**safe).to_csv(index=False))

    def json(self) -> str:
        """All data as one object: title, caption, rows."""
        plain = self.data.astype(object).where(self.data.notna(), None)
        document = {
            "name": self.name,
            "title": self.title,
            "caption": self.caption,
            "rows": plain.to_dict("records"),
        }
        return json.dumps(document, indent=1, default=_python, allow_nan=False) + "\n"

    def save(self, folder: Path) -> list[Path]:
        """Write it as CSV, JSON, Markdown and LaTeX; the files."""
        contents = (self.csv(), self.json(), self.markdown(), self.latex())
        paths = [folder / f"{self.name}.{ending}" for ending in FORMATS]
        for path, content in zip(paths, contents, strict=True):
            write_atomically(path, content.encode(errors="backslashreplace"))
        return paths

    def _cells(
        self,
        limit: int | None,
        write: Callable[[Column, Mapping[str, object], bool], Cell],
    ) -> list[list[Cell]]:
        best = {
            column.key: self.data[column.key].max()
            for column in self.columns
            if column.best and len(self.data) > 1
        }
        return [
            [
                write(
                    column,
                    row,
                    column.key in best and best[column.key] == row[column.key],
                )
                for column in self.columns
            ]
            for row in self._rows(limit)
        ]

    def shown(self) -> list[list[str]]:
        """The cells as people see them."""
        return [
            [column.show(row) for column in self.columns] for row in self._rows(None)
        ]

    def _rows(self, limit: int | None) -> list[dict[str, object]]:
        """Each row by name of the column."""
        rows = self.data.head(limit or len(self.data))
        names = [str(name) for name in rows]
        return [
            dict(zip(names, row, strict=True))
            for row in rows.itertuples(index=False, name=None)
        ]


def _markdown_cell(column: Column, row: Mapping[str, object], best: bool) -> str:
    shown = column.show(row)
    shown = shown if column.numeric else markdown_text(shown)
    if column.link and str(row[column.link]).startswith("https://"):
        shown = f"[{shown}]({row[column.link]})"
    return f"**{shown}**" if best else shown


def _latex_cell(column: Column, row: Mapping[str, object], best: bool) -> str:
    shown = latex_text(column.show(row))
    return rf"\textbf{{{shown}}}" if best else shown


def _html_cell(column: Column, row: Mapping[str, Any], best: bool) -> dict[str, object]:
    value = row[column.key]
    link = str(row[column.link]) if column.link else ""
    exact = column.numeric and not pd.isna(value)
    return {
        "column": column,
        "shown": column.show(row),
        "link": link if link.startswith("https://") else "",
        "best": best,
        "exact": repr(_python(value)) if exact else "",
    }


def _python(value: object) -> object:
    """Numpy's numbers as Python's, whatever JSON does not know as text."""
    value = value.item() if isinstance(value, np.generic) else value
    return value if isinstance(value, int | float) else str(value)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"

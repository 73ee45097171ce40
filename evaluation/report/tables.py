"""One table, written as Markdown, LaTeX (booktabs), HTML or CSV."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

_LATEX_ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#",
    "_": r"\_", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}  # fmt: skip


def format_cell(value: Any, digits: int = 1) -> str:
    """A cell as text: floats with `digits` decimals, missing values as ``-``."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, float):
        return f"{value:.{digits}f}"
    return str(value)


def to_markdown(table: pd.DataFrame, *, digits: int = 1) -> str:
    """The table in GitHub's Markdown; numeric columns are right-aligned."""
    rules = ["---:" if right else "---" for right in _numeric(table)]
    lines = [_row(table.columns, _markdown), "| " + " | ".join(rules) + " |"]
    lines += [_row(cells, _markdown) for cells in _cells(table, digits)]
    return "\n".join(lines) + "\n"


def to_latex(table: pd.DataFrame, *, caption: str = "", digits: int = 1) -> str:
    """The table as a LaTeX ``tabular`` with booktabs rules, in a float."""
    columns = "".join("r" if right else "l" for right in _numeric(table))
    body = [" & ".join(map(_latex, cells)) + r" \\" for cells in _cells(table, digits)]
    lines = [
        r"\begin{table}",
        r"  \centering",
        *([f"  \\caption{{{_latex(caption)}}}"] if caption else []),
        f"  \\begin{{tabular}}{{{columns}}}",
        r"    \toprule",
        "    " + " & ".join(map(_latex, map(str, table.columns))) + r" \\",
        r"    \midrule",
        *("    " + line for line in body),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def to_html(
    table: pd.DataFrame,
    *,
    digits: int = 1,
    row_classes: Sequence[str] = (),
    attributes: Mapping[str, str] | None = None,
) -> str:
    """The table as an HTML ``<table>``; numeric cells have the class ``number``.

    Args:
        table: what to write.
        digits: decimals of floats; the full value is kept in ``data-value``.
        row_classes: a class for each row.
        attributes: of the table element.
    """
    given = "".join(
        f' {key}="{html.escape(value)}"' for key, value in (attributes or {}).items()
    )
    right = _numeric(table)
    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in table.columns)
    rows = []
    for index, values in enumerate(table.itertuples(index=False, name=None)):
        kind = f' class="{html.escape(row_classes[index])}"' if row_classes else ""
        cells = (
            _html_cell(value, digits, is_right)
            for value, is_right in zip(values, right, strict=True)
        )
        rows.append(f"<tr{kind}>{''.join(cells)}</tr>")
    return (
        f"<table{given}><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>\n"
    )


def _html_cell(value: Any, digits: int, right: bool) -> str:
    text = html.escape(format_cell(value, digits))
    if not right:
        return f"<td>{text}</td>"
    exact = "" if pd.isna(value) else f' data-value="{value!r}"'
    return f'<td class="number"{exact}>{text}</td>'


def _numeric(table: pd.DataFrame) -> list[bool]:
    return [
        pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)
        for kind in table.dtypes
    ]


def _cells(table: pd.DataFrame, digits: int) -> list[list[str]]:
    return [
        [format_cell(value, digits) for value in row]
        for row in table.itertuples(index=False, name=None)
    ]


def _row(cells: Any, escape: Callable[[str], str]) -> str:
    return "| " + " | ".join(escape(str(cell)) for cell in cells) + " |"


def _markdown(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")


def _latex(text: str) -> str:
    return "".join(_LATEX_ESCAPES.get(character, character) for character in text)

"""Names and labels as text, whatever they look like to a program that shows them."""

from __future__ import annotations

import html
import re

_MARKDOWN = re.compile(r"[\\`*|\[\]]|<(?=[\w/!?])|&(?=#?\w+;)|(?<!\w)_|(?<=_)_|_(?!\w)")
"""Not the underscores inside words: GitHub prints them as they are."""

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_STORED_FORMULA = re.compile(r"'+[=+\-@\t\r]")


def markdown_text(words: str) -> str:
    """Words in which Markdown (and the HTML in it) finds nothing of its own."""
    return _MARKDOWN.sub(r"\\\g<0>", " ".join(words.split("\n")))


def plotly_text(words: object) -> str:
    """Words in which Plotly finds no tags and no variables."""
    return html.escape(str(words), quote=False).replace("%{", "%&#123;")


def csv_text(words: str) -> str:
    """Words that a spreadsheet does not take for a formula; `csv_words` reads them.

    Source: OWASP, "CSV Injection".
    """
    return f"'{words}" if _FORMULA.match(words) else words


def csv_words(cell: str) -> str:
    """The words that `csv_text` made a cell of."""
    return cell[1:] if _STORED_FORMULA.match(cell) else cell


_LATEX_ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#",
    "_": r"\_", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "\N{MINUS SIGN}": "$-$", "\N{EN DASH}": "--",
    "Ḟ": r"$\dot{\mathrm{F}}$",
}  # fmt: skip


def latex_text(words: str) -> str:
    """Words with everything escaped that LaTeX would take for its own."""
    return "".join(_LATEX_ESCAPES.get(character, character) for character in words)

"""LaTeX of a table: words escaped, rows set as a float or over several pages."""

from __future__ import annotations

from collections.abc import Sequence

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


def float_table(
    columns: str, caption: str, label: str, head: str, rows: Sequence[str]
) -> list[str]:
    """Lines of a float with booktabs rules; words are escaped already."""
    return [
        r"\begin{table}[htbp]",
        r"  \centering",
        rf"  \caption{{{caption}}}{label}",
        rf"  \begin{{tabular}}{{{columns}}}",
        r"    \toprule",
        f"    {head} " + r"\\",
        r"    \midrule",
        *(f"    {row}" for row in rows),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]


def long_table(
    columns: str, caption: str, label: str, head: str, rows: Sequence[str]
) -> list[str]:
    """Lines of a table that may break over pages; words are escaped already."""
    return [
        rf"\begin{{longtable}}{{{columns}}}",
        rf"  \caption{{{caption}}}{label}\\",
        r"  \toprule",
        f"  {head} " + r"\\",
        r"  \midrule",
        r"  \endhead",
        r"  \bottomrule",
        r"  \endfoot",
        *(f"  {row}" for row in rows),
        r"\end{longtable}",
    ]

"""A leaderboard as a table for terminal, paper and web, and as a picture."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import pandas as pd
from matplotlib.figure import Figure

from evaluation._utils.names import counted
from evaluation.errors import InputError
from evaluation.leaderboard.table import LOCAL, Leaderboard
from evaluation.plots.report_charts import rank_chart
from evaluation.report.tables import Table, number, text

OURS = "S3"
"""The method whose rows are set off."""

_SCORES = {
    "J&F": "J&F", "G": "G", "J&Fdot": "J&Ḟ", "HOTA_all": "HOTA", "J": "J", "F": "F",
    "Js": "J seen", "Fs": "F seen", "Ju": "J unseen", "Fu": "F unseen",
}  # fmt: skip
_MARKS = {
    "superseded": "replaced by its authors, not ranked",
    "conflict": "sources disagree",
    "inconsistent": "its own parts do not average to it",
    "second-hand": "reported by others",
    "reproduction": "run again by others",
    "repeated": "a figure above, quoted by another source",
    LOCAL: "scored here",
    "another benchmark": "scored on other videos than those of the split, not ranked",
}


def ranking_table(board: Leaderboard, *, notes: bool = False) -> Table:
    """The leaderboard as a `Table`; rows of S3 and local runs have HTML classes.

    The column `marks` says what sets a figure apart: second-hand, reproduction,
    local run, superseded, conflict, inconsistent, repeated, another benchmark.

    Args:
        board: the ranking.
        notes: whether to show the column of notes; those on local runs are in the
            caption in any case, they are their evidence.
    """
    data = board.table.copy()
    data["repeated"] = _find_repeated(board)
    data["marks"] = [_marks(row) for row in data.to_dict("records")]
    data = data.drop(columns="repeated")
    data["shown"] = (data["method"] + " " + data["variant"].fillna("")).str.strip()
    data = data[["rank", "shown", "marks", *(
        name for name in data if name not in ("rank", "shown", "marks")
    )]]  # fmt: skip
    used = {mark for row in data["marks"] for mark in row.split(", ") if mark}
    legend = "; ".join(f"{mark}: {_MARKS[mark]}" for mark in _MARKS if mark in used)
    said = [f"Percent, ranked by {_SCORES[board.measure]}; ties share a rank."]
    said += [f"Newest published figure: {board.newest}."] if board.newest else []
    said += [f"Marks: {legend}."] if legend else []
    said += [f"Warning: {warning}" for warning in board.warnings]
    for row in data[data["evidence"] == LOCAL].to_dict("records"):
        said.append(f"{row['method']}: {row['notes']}.")
    columns = [
        number("rank", "#"),
        text("shown", "Method"),
        text("training_data", "Training data"),
        *(
            number(key, heading, 1)
            for key, heading in ({board.measure: "", **_SCORES} | _SCORES).items()
            if key in data and data[key].notna().any()
        ),
        *([number("fps", "fps", 1)] if "fps" in data else []),
        number("year", "Year"),
        text("marks", "Marks"),
        text("source", "Source", link="url"),
        *([text("notes", "Notes")] if notes else []),
    ]
    return Table(
        f"{board.benchmark}-{board.split}",
        f"{board.benchmark} {board.split}",
        " ".join(said),
        data,
        columns,
        [_look(row) for row in data.to_dict("records")],
        said,
    )


def attribute_ranking(figures: pd.DataFrame, measure: str = "J&Fdot") -> Table:
    """Published figures by attribute: methods in rows, attributes in columns.

    Args:
        figures: from `evaluation.leaderboard.table.published_attributes`.
        measure: column to show.
    """
    wide = figures.pivot(index="method", columns="attribute", values=measure)
    order = list(dict.fromkeys(figures["attribute"]))
    wide = wide[order].sort_values("all", ascending=False).reset_index()
    meanings = figures.drop_duplicates("attribute").set_index("attribute")["definition"]
    legend = "; ".join(f"{name}: {meanings[name]}" for name in order[1:])
    first = figures.iloc[0]
    return Table(
        f"{first['benchmark']}-attributes",
        f"{first['benchmark']} by attribute",
        f"{_SCORES[measure]} in percent. {first['source']}, {first['url']}; "
        f"{first['notes']}. {legend}.",
        wide,
        [text("method", "Method"), *(number(key, key, 1, best=True) for key in order)],
    )


def rank_plot(board: Leaderboard, most: int = 40) -> Figure:
    """The leaderboard as dots, best on top; S3 and local runs are always drawn.

    The title says how many entries are left out: those ranked lower, and figures that
    another source repeats. Runs of another benchmark are never drawn.

    Args:
        board: the ranking.
        most: of more entries, this many of the best are drawn.

    Raises:
        InputError: there is nothing to draw.
    """
    foreign = board.table["other_benchmark"]
    if foreign.all():
        title = f"{board.benchmark} {board.split}"
        raise InputError(
            f"plot of {title}",
            f"nothing to draw: {counted(len(foreign), 'run')} of another benchmark",
            "published figures, or runs of this benchmark",
            "Leave out the plot: the table shows them. Or evaluate masks of "
            f"{title} with `s3fo evaluate --benchmark`.",
        )
    data = board.table[~foreign].copy()
    data["look"] = [_look(row) or "published" for row in data.to_dict("records")]
    named = data["look"].isin(["highlight", "superseded", "local"])
    ours = named & ((data["method"] == OURS) | (data["look"] == "local"))
    repeated = _find_repeated(board)[~foreign] & ~ours
    lower = (data["rank"].fillna(most + 1) > most) & ~ours & ~repeated
    data = data[~(lower | repeated)]
    words = data["method"] + " " + data["variant"].fillna("")
    trained = data["training_data"].fillna("").map(_shorten)
    data["label"] = (words + "  " + trained).str.strip()
    left_out = (
        f"{lower.sum()} lower or not ranked" if lower.any() else "",
        counted(int(repeated.sum()), "repeated figure") if repeated.any() else "",
    )
    title = f"{board.benchmark} {board.split}"
    if any(left_out):
        shown = f"{len(data)} of {len(board.table)} entries"
        title += f"\n{shown}; left out: {', '.join(filter(None, left_out))}"
    if foreign.any():
        runs = counted(int(foreign.sum()), "run")
        title += f"\nnot drawn: {runs} of another benchmark"
    return rank_chart(data, board.measure, _SCORES[board.measure], title)


def _find_repeated(board: Leaderboard) -> pd.Series:
    """Which rows repeat the figure of an earlier one, by another source."""
    figure = ["method", "variant", "training_data", board.measure]
    return board.table.duplicated(figure) & (board.table["evidence"] != LOCAL)


def _shorten(words: str, most: int = 28) -> str:
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


def _look(row: Mapping[Hashable, object]) -> str:
    """How an entry is set off: HTML class and kind of mark in the plot."""
    if row["evidence"] == LOCAL:
        return "local"
    if row["superseded"]:
        return "superseded"
    if row["method"] == OURS:
        return "highlight"
    return "second-hand" if row["evidence"] != "authors" else ""


def _marks(row: Mapping[Hashable, object]) -> str:
    marks = [str(row["evidence"])] if row["evidence"] != "authors" else []
    names = ("superseded", "conflict", "inconsistent", "repeated")
    marks += [name for name in names if row[name]]
    marks += ["another benchmark"] if row["other_benchmark"] else []
    return ", ".join(marks)

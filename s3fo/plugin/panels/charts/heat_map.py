"""Chart of the panel "Attribute heat map": scores by two attributes at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import fiftyone as fo
import pandas as pd

from evaluation._utils.escape import plotly_text
from evaluation._utils.names import counted
from evaluation.attributes import attribute_title
from evaluation.breakdown import attribute_groups, group_order
from evaluation.breakdown.tables import two_way
from s3fo.datasets.reading import tables
from s3fo.plugin.panels.charts.parts import (
    FEW_OBJECTS,
    KEYS,
    Chart,
    legend_text,
    places,
    score_title,
)

_COLOURS = "Viridis"
"""Its order is also seen in grey, and by the colour-blind."""

Cell = dict[Any, Any]
"""One row of `cells`."""


class Question(NamedTuple):
    """What is looked at.

    Attributes:
        eval_key: the evaluation.
        rows: the attribute whose groups are the rows.
        columns: the attribute whose groups are the columns.
    """

    eval_key: str
    rows: str
    columns: str


def cells(dataset: fo.Dataset, asked: Question) -> pd.DataFrame:
    """The published J&F of every combination of groups that occurs.

    Args:
        dataset: evaluated, with attributes.
        asked: what is looked at.

    Returns:
        As of `two_way`: `row`, `column`, `n_objects`, `n_videos`, `mean`, `low`,
        `high`, `few`.

    Raises:
        InputError: no such evaluation, or no such attribute.
    """
    return two_way(
        tables.object_scores(dataset, asked.eval_key),
        tables.object_attributes(dataset),
        asked.rows,
        asked.columns,
        metric=tables.published_score(dataset, [asked.eval_key]),
    )


def members(
    dataset: fo.Dataset, asked: Question, row: str, column: str
) -> list[tuple[str, int]]:
    """Sample id and object of everything in a cell.

    Args:
        dataset: evaluated, with attributes.
        asked: what is looked at.
        row: group of the row.
        column: group of the column.
    """
    objects = _scored(dataset, asked.eval_key)
    inside = (attribute_groups(objects[asked.rows]) == row) & (
        attribute_groups(objects[asked.columns]) == column
    )
    return places(objects[inside])


def group_shown_as(dataset: fo.Dataset, asked: Question, axis: int, text: str) -> str:
    """The group whose label on an axis of the chart a click tells.

    Args:
        dataset: evaluated, with attributes.
        asked: what is looked at.
        axis: 0 for rows, 1 for columns.
        text: the label, in which Plotly's signs are escaped.
    """
    groups = attribute_groups(_scored(dataset, asked.eval_key)[asked[1 + axis]])
    return next((one for one in groups if plotly_text(one) == text), text)


def heat_map(dataset: fo.Dataset, asked: Question) -> Chart:
    """J&F by two attributes: a cell per combination, with its number of objects.

    Args:
        dataset: evaluated, with attributes.
        asked: what is looked at.
    """
    table = cells(dataset, asked)
    objects = _scored(dataset, asked.eval_key)
    rows, columns = (
        group_order(name, attribute_groups(objects[name])) for name in asked[1:]
    )
    score = score_title(tables.published_score(dataset, [asked.eval_key]))
    by_place = {(cell["row"], cell["column"]): cell for cell in _filled(table)}
    grid = [[by_place.get((row, column)) for column in columns] for row in rows]
    trace = {
        "type": "heatmap",
        "x": [plotly_text(group) for group in columns],
        "y": [plotly_text(group) for group in rows],
        "z": [[cell and cell["mean"] for cell in line] for line in grid],
        "text": [[_label(cell) for cell in line] for line in grid],
        "customdata": [[_hover(cell, score) for cell in line] for line in grid],
        "texttemplate": "%{text}",
        "hovertemplate": "%{y} and %{x}<br>%{customdata}<extra></extra>",
        "colorscale": _COLOURS,
        "colorbar": {"title": {"text": score}, "thickness": 12},
        "hoverongaps": False,
        "xgap": 2,
        "ygap": 2,
    }
    layout = {
        "height": 150 + 56 * len(rows),
        "margin": {"t": 12, "b": 60, "l": 20, "r": 20},
        "xaxis": {
            "title": {"text": attribute_title(asked.columns)},
            "type": "category",
            "automargin": True,
        },
        "yaxis": {
            "title": {"text": attribute_title(asked.rows)},
            "type": "category",
            "autorange": "reversed",
            "automargin": True,
        },
    }
    signs = legend_text("n: objects in the cell", FEW_OBJECTS)
    return Chart([trace], layout, _text(table, asked, score), signs)


def _scored(dataset: fo.Dataset, eval_key: str) -> pd.DataFrame:
    """The objects that an evaluation scored, with their attributes."""
    scored = tables.object_scores(dataset, eval_key).objects[KEYS]
    return tables.object_table(dataset).merge(scored, on=KEYS, how="inner")


def _filled(table: pd.DataFrame) -> list[Cell]:
    """The combinations in which anything was scored."""
    return [cell for cell in table.to_dict("records") if not pd.isna(cell["mean"])]


def _label(cell: Cell | None) -> str:
    if cell is None:
        return ""
    star = " *" if cell["few"] else ""
    return f"{cell['mean']:.2f}<br>n = {cell['n_objects']}{star}"


def _hover(cell: Cell | None, score: str) -> str:
    if cell is None:
        return ""
    known = not pd.isna(cell["low"])
    interval = f" [{cell['low']:.3f}, {cell['high']:.3f}]" if known else ""
    objects, videos = (
        counted(cell[f"n_{thing}s"], thing) for thing in ("object", "video")
    )
    return f"{score} {cell['mean']:.3f}{interval}, {objects} in {videos}"


def _text(table: pd.DataFrame, asked: Question, score: str) -> str:
    """The lowest cell that has enough objects to say something."""
    enough = [cell for cell in _filled(table) if not cell["few"]]
    if not enough:
        return "Every combination has few objects: read them with care."
    worst = min(enough, key=lambda cell: cell["mean"])
    rows, columns = (attribute_title(name) for name in asked[1:])
    return (
        f"Lowest: **{rows}: {worst['row']}, {columns}: {worst['column']}**, {score} "
        f"{worst['mean']:.3f} over {worst['n_objects']} objects."
    )

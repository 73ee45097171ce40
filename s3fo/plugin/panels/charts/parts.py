"""What the charts of the panels are made of.

Every bar and point carries an id that says what to show when it is clicked.
"""

from __future__ import annotations

from dataclasses import dataclass

import fiftyone as fo
import pandas as pd

from evaluation._utils.escape import plotly_text
from evaluation.breakdown import FEW
from evaluation.plots.style import MethodStyle, method_styles
from s3fo.datasets.reading.tables import evaluations_as_they_came
from s3fo.plugin.panels.charts.elements import plain

KEYS = ["sequence", "object"]
"""Columns that tell an object apart from all others."""

HARDEST = 15
"""Groups shown when all attributes are looked at together."""

INTERVAL = "lines over bars: 95 % interval"
FEW_OBJECTS = f"\\* fewer than {FEW} objects"
"""What signs in charts mean."""

NEUTRAL = "#8A8F98"

LEGEND: dict[str, object] = {"orientation": "h", "yanchor": "bottom", "y": 1, "x": 0}
"""Over the chart, however high it is."""


Trace = dict[str, object]
"""Plotly's description of one curve, or of one set of bars or points."""

Layout = dict[str, object]
"""Plotly's description of a chart, or of a part of it, without its data."""


@dataclass(frozen=True)
class Chart:
    """A chart.

    Attributes:
        traces: Plotly's data.
        layout: Plotly's layout; empty where there is nothing to draw.
        text: what it says, in Markdown.
        signs: what its signs mean, in Markdown; empty where there are none.
    """

    traces: list[Trace]
    layout: Layout
    text: str
    signs: str = ""


def score_title(name: str) -> str:
    """What a score is called, a metric of a summary or a column of objects."""
    return name.removesuffix("_mean").replace("_", " ")


def method_style(dataset: fo.Dataset, method: str) -> MethodStyle:
    """How a method is drawn in every chart of a dataset, and in its reports."""
    return method_styles(evaluations_as_they_came(dataset))[method]


def legend_text(*parts: str) -> str:
    """What the signs of a chart mean, in Markdown; empty parts are left out."""
    return f"*{'; '.join(filter(None, parts))}.*"


def whiskers(mean: pd.Series, low: pd.Series, high: pd.Series) -> Layout:
    """Intervals around the ends of bars; none where they are not known."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, v) for v in (high - mean).fillna(0)],
        "arrayminus": [max(0.0, v) for v in (mean - low).fillna(0)],
        "color": NEUTRAL,
        "thickness": 1.2,
        "width": 3,
    }


def bar_layout(bars: int, methods: int, axis: str, *, from_zero: bool = True) -> Layout:
    """Layout of lying bars, the first on top, as high as they need.

    Args:
        bars: how many there are.
        methods: how many they are of.
        axis: title of their ends.
        from_zero: whether the axis begins at 0; otherwise a line marks the 0.
    """
    return {
        "height": 90 + 24 * bars,
        "barmode": "group",
        "bargap": 0.25,
        "showlegend": methods > 1,
        "legend": {**LEGEND, "traceorder": "normal"},
        "margin": {"t": 30, "b": 40, "l": 20, "r": 20},
        "xaxis": {
            "title": {"text": axis},
            **(
                {"rangemode": "tozero"}
                if from_zero
                else {"rangemode": "normal", "zeroline": True}
            ),
        },
        "yaxis": {"autorange": "reversed", "tickfont": {"size": 12}},
    }


POINT_LAYOUT: dict[str, object] = {
    "dragmode": "lasso",
    "hovermode": "closest",
    "showlegend": True,
    "legend": LEGEND,
    "margin": {"t": 32, "b": 70, "l": 48, "r": 12},
}


def points(
    table: pd.DataFrame, method: str, axes: tuple[str, str], look: MethodStyle
) -> Trace:
    """One point per object.

    Args:
        table: sample_id, sequence, object and the columns of the axes.
        method: the evaluation that a click is about.
        axes: columns of x and y.
        look: of the method.
    """
    ids = zip(table["sample_id"], table["object"], strict=True)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": method,
        "x": plain(table[axes[0]]),
        "y": plain(table[axes[1]]),
        "ids": [f"{method}|{sample_id}|{number}" for sample_id, number in ids],
        "text": [
            plotly_text(f"{sequence}, object {number}")
            for sequence, number in zip(table["sequence"], table["object"], strict=True)
        ],
        "marker": {
            "color": look.colour,
            "symbol": _SYMBOLS[look.marker],
            "size": 7,
            "opacity": 0.75,
        },
        "hovertemplate": "%{text}<br>%{x:.3f}, %{y:.3f}",
    }


_SYMBOLS = {
    "o": "circle",
    "s": "square",
    "D": "diamond",
    "^": "triangle-up",
    "v": "triangle-down",
    "P": "cross",
}


def places(objects: pd.DataFrame) -> list[tuple[str, int]]:
    """Sample id and object of every row."""
    return list(zip(objects["sample_id"], objects["object"].tolist(), strict=True))

"""Chart of the panel "Failure map": a point per failure, alike ones near each other."""

from __future__ import annotations

import fiftyone as fo
import pandas as pd

from evaluation._utils.escape import plotly_text
from evaluation._utils.names import counted
from evaluation.failures import FailureKind
from evaluation.plots.style import KIND_COLOURS
from s3fo.datasets.reading import tables
from s3fo.datasets.scoring.similar_failures import failure_points
from s3fo.plugin.panels.charts.parts import POINT_LAYOUT, Chart, Trace

KIND, COST = "kind", "cost"
"""What points are coloured by."""


def failure_map(dataset: fo.Dataset, eval_key: str, colour_by: str) -> Chart:
    """The failures of an evaluation as points.

    Args:
        dataset: with a map of the evaluation's failures.
        eval_key: the evaluation.
        colour_by: `KIND` or `COST`.

    Raises:
        InputError: there is no map.
    """
    places = failure_points(dataset, eval_key)
    events = tables.event_table(dataset, eval_key)
    events = events[events["id"].isin(places)]
    if colour_by == COST:
        traces = [_by_cost(events, places)]
    else:
        kinds = events["kind"].value_counts().index
        traces = [_of_kind(events, places, FailureKind(kind)) for kind in kinds]
    blank = {"showticklabels": False, "zeroline": False, "title": {"text": ""}}
    layout = {
        **POINT_LAYOUT,
        "height": 460,
        "showlegend": colour_by == KIND,
        "xaxis": blank,
        "yaxis": blank,
    }
    text = (
        f"**{counted(len(events), 'failure')}**, alike ones near each other: draw "
        "around some to see their clips, or click one."
    )
    return Chart(traces, layout, text)


def _of_kind(
    events: pd.DataFrame, places: dict[str, tuple[float, float]], kind: FailureKind
) -> Trace:
    own = events[events["kind"] == kind.value]
    return {
        **_points(own, places),
        "name": kind.value,
        "marker": {"color": KIND_COLOURS[kind], "size": 9, "opacity": 0.85},
    }


def _by_cost(events: pd.DataFrame, places: dict[str, tuple[float, float]]) -> Trace:
    return {
        **_points(events, places),
        "name": "cost",
        "marker": {
            "color": (100 * events["cost"]).tolist(),
            "colorscale": "Viridis",
            "colorbar": {"title": {"text": "points"}, "thickness": 12},
            "size": 9,
            "opacity": 0.85,
        },
    }


def _points(events: pd.DataFrame, places: dict[str, tuple[float, float]]) -> Trace:
    rows = events.to_dict("records")
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [places[row["id"]][0] for row in rows],
        "y": [places[row["id"]][1] for row in rows],
        "ids": [row["id"] for row in rows],
        "text": [
            plotly_text(
                f"{row['sequence']}, object {row['object']}: {row['kind']}, "
                f"{100 * row['cost']:.2f} points"
            )
            for row in rows
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }

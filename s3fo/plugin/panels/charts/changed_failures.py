"""Chart and table of the panel "Failure difference"."""

from __future__ import annotations

import fiftyone as fo
import pandas as pd

from evaluation._utils.escape import markdown_text
from evaluation._utils.names import counted
from evaluation.errors import InputError
from evaluation.failures.difference import STATUSES, Status, failure_difference
from s3fo.datasets.reading import tables
from s3fo.plugin.panels.charts.parts import LEGEND, Chart, Trace

COLOURS: dict[Status, str] = {
    "fixed": "#009E73",
    "new": "#D55E00",
    "shared": "#8A8F98",
}
"""Okabe and Ito's green and vermillion, which the colour-blind tell apart."""

MEANINGS: dict[Status, str] = {
    "fixed": "the first fails, the second does not",
    "new": "the second fails, the first does not",
    "shared": "both fail there",
}


def changed_failures(dataset: fo.Dataset, first: str, second: str) -> pd.DataFrame:
    """The failures of two evaluations side by side, the largest change first.

    Args:
        dataset: with the failures of both.
        first: an evaluation.
        second: another one.

    Returns:
        Rows of `failure_difference`, of the videos and objects that both scored, with
        `sample_id`.

    Raises:
        InputError: they were made by different protocols, or are the same.
    """
    if first == second:
        raise InputError(
            "evaluations", f"{first} twice", "two evaluations", "Choose another one."
        )
    protocols = {tables.evaluation_protocol(dataset, key) for key in (first, second)}
    if len(protocols) > 1:
        raise InputError(
            f"{first} and {second}",
            "scores by different protocols",
            "one protocol",
            "Evaluate the predictions of one by the protocol of the other.",
        )
    scored = [_objects(dataset, key) for key in (first, second)]
    both = set(scored[0]) & set(scored[1])
    events = [
        _of_objects(tables.event_table(dataset, key), both) for key in (first, second)
    ]
    samples = {place: sample for own in scored for place, sample in own.items()}
    table = failure_difference(*events)
    places = zip(table["sequence"], table["object"], strict=True)
    return table.assign(sample_id=[samples[place] for place in places])


def _objects(dataset: fo.Dataset, key: str) -> dict[tuple[str, int], str]:
    """The scored objects -> id of the sample."""
    objects = tables.object_scores(dataset, key).objects
    places = zip(objects["sequence"], objects["object"], strict=True)
    return dict(zip(places, objects["sample_id"], strict=True))


def _of_objects(events: pd.DataFrame, objects: set[tuple[str, int]]) -> pd.DataFrame:
    places = zip(events["sequence"], events["object"], strict=True)
    return events[[place in objects for place in places]]


def summary_chart(table: pd.DataFrame, first: str, second: str) -> Chart:
    """What is fixed, new and shared, in events and points of J&F.

    Args:
        table: of `changed_failures`.
        first: name of the first evaluation.
        second: name of the second.
    """
    parts = {status: table[table["status"] == status] for status in STATUSES}
    gain = 100 * table["gain"].sum()
    told = ", ".join(f"**{len(parts[status])} {status}**" for status in STATUSES)
    text = (
        f"{markdown_text(first)} → {markdown_text(second)}: {told} "
        f"(of {counted(len(table), 'failure')}; those that overlap on one object "
        "count once). What fails costs "
        f"{abs(gain):.2f} points of J&F {'less' if gain >= 0 else 'more'} in all."
    )
    traces: list[Trace] = [
        _bar(f"fixed by {second}", "fixed", parts["fixed"]["cost_first"]),
        _bar(f"new in {second}", "new", -parts["new"]["cost_second"]),
        _bar("shared: change", "shared", parts["shared"]["gain"]),
    ]
    layout = {
        "height": 190,
        "showlegend": False,
        "legend": LEGEND,
        "margin": {"t": 12, "b": 44, "l": 20, "r": 20},
        "xaxis": {"title": {"text": "points of J&F gained (left of 0: lost)"}},
        "yaxis": {"autorange": "reversed", "automargin": True},
    }
    return Chart(traces, layout, text)


def _bar(label: str, status: Status, gains: pd.Series) -> Trace:
    return {
        "type": "bar",
        "orientation": "h",
        "name": status,
        "x": [float(100 * gains.sum())],
        "y": [label],
        "ids": [status],
        "marker": {"color": COLOURS[status]},
        "customdata": [len(gains)],
        "hovertemplate": f"{status}: {MEANINGS[status]}<br>%{{x:.2f}} points in "
        "%{customdata} failures<extra></extra>",
    }

"""The chart of the panel "Object timeline"."""

from __future__ import annotations

import fiftyone as fo
import numpy as np
import pandas as pd

from evaluation.failures import FailureKind
from evaluation.plots.strip import frame_label
from evaluation.plots.style import KIND_COLOURS
from s3fo.datasets.reading import frame_table, tables
from s3fo.datasets.views.colours import line_colour
from s3fo.plugin.panels.charts.elements import plain
from s3fo.plugin.panels.charts.parts import (
    LEGEND,
    Chart,
    Layout,
    Trace,
    legend_text,
)

_ROW_HEIGHT = 130
_SIGNS = (
    "solid: J; dotted: F; dark: the object is not visible",
    "tinted: under another object's box",
    "curves: in the colour of the object's mask",
    "bars below: failures in the colours of their kinds, as named above, with a cross "
    "at the worst frame",
)
_CURSOR_COLOUR = "#FF6D04"

_HIDDEN = "#3A3F47"
_COVERED = 0.5
"""An object is shown as occluded where so much of its box is under another box."""


def timeline(
    dataset: fo.Dataset,
    eval_key: str,
    sample_id: str,
    begins: int = 1,
    chosen: int | None = None,
) -> Chart:
    """One row per object: J, F, where it is hidden or covered, and failure events.

    Args:
        dataset: evaluated.
        eval_key: the evaluation.
        sample_id: the video.
        begins: frame that the player began with; marked if it is not the first.
        chosen: the object that the text is about first; None for all alike.
    """
    frames = frame_table.object_frames(dataset, eval_key, sample_id)
    events = tables.event_table(dataset, eval_key)
    events = events[events["sample_id"] == sample_id]
    objects = sorted(frames["object"].unique().tolist())
    last = int(frames["number"].max()) if len(frames) else 1
    layout: Layout = {
        "height": 70 + 30 * (len(events) > 0) + _ROW_HEIGHT * len(objects),
        "showlegend": len(events) > 0,
        "legend": {**LEGEND, "itemclick": False, "itemdoubleclick": False},
        "hovermode": "closest",
        "margin": {"t": 10 + 30 * (len(events) > 0), "b": 40, "l": 50, "r": 12},
        "xaxis": {
            "title": {"text": "frame, as the player counts"},
            "range": [1, last],
            "anchor": "free",
            "position": 0,
        },
    }
    traces: list[Trace] = []
    shapes: list[Layout] = []
    if begins > 1:
        shapes.append(_beginning(begins))
    for row, object_id in enumerate(objects):
        own = frames[frames["object"] == object_id].sort_values("number")
        axis = "" if row == 0 else str(row + 1)
        layout[f"yaxis{axis}"] = _axis(object_id, row, len(objects))
        traces += _curves(own, object_id, f"y{axis}")
        traces += _bars(events[events["object"] == object_id], f"y{axis}")
        shapes += _shades(own, object_id, f"y{axis}", last)
    traces += _legend(events)
    layout["shapes"] = shapes
    text = _text(dataset, eval_key, sample_id, chosen)
    return Chart(traces, layout, text, legend_text(*_SIGNS))


def _beginning(frame: int) -> Layout:
    """A line through all rows; a trace's own axis over them would hide their curves."""
    return {
        "type": "line",
        "name": "the clip begins",
        "xref": "x",
        "yref": "paper",
        "x0": frame,
        "x1": frame,
        "y0": 0,
        "y1": 1,
        "line": {"color": _CURSOR_COLOUR, "width": 1.5},
    }


def _text(
    dataset: fo.Dataset, eval_key: str, sample_id: str, object_id: int | None
) -> str:
    """Where J&F is lowest and what failed first: of one object, then of all."""
    files = frame_table.frame_files(dataset, sample_id)

    def called(number: int) -> str:
        return frame_label(files[number - 1], number)

    lowest = frame_table.lowest(dataset, eval_key, sample_id)
    if lowest is None:
        return "This video was not scored."
    events = tables.event_table(dataset, eval_key)
    events = events[events["sample_id"] == sample_id].sort_values("start")
    own = object_id and frame_table.lowest(dataset, eval_key, sample_id, object_id)
    if not own:
        text = f"Lowest: object {lowest[0]} in frame {called(lowest[1])}."
        if len(events):
            first = events.iloc[0]
            text += (
                f" First failure: object {first['object']}, {first['kind']}, from "
                f"frame {called(first['start'])}."
            )
        return text
    text = f"**Object {own[0]}**, which was opened: lowest in frame {called(own[1])}."
    events = events[events["object"] == own[0]]
    if len(events):
        first = events.iloc[0]
        text += f" First failure: {first['kind']}, from frame {called(first['start'])}."
    if own[0] != lowest[0]:
        text += f" Lowest of all: object {lowest[0]} in frame {called(lowest[1])}."
    return text


def _axis(object_id: int, row: int, rows: int) -> Layout:
    height = 1 / rows
    top = 1 - row * height
    return {
        "domain": [top - height * 0.92, top],
        "range": [-0.14, 1.04],
        "tickvals": [0, 0.5, 1],
        "title": {
            "text": f"object {object_id}",
            "font": {"color": line_colour(object_id), "size": 13},
        },
        "zeroline": False,
    }


def _curves(own: pd.DataFrame, object_id: int, axis: str) -> list[Trace]:
    """J and F of an object; gaps where a frame does not count."""
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": f"object {object_id} {name}",
            "x": own["number"].tolist(),
            "y": plain(own[name]),
            "yaxis": axis,
            "showlegend": False,
            "connectgaps": False,
            "line": {"color": line_colour(object_id), "width": width, "dash": dash},
            "hovertemplate": f"frame %{{x}}: {name} %{{y:.3f}}",
        }
        for name, dash, width in (("J", "solid", 2), ("F", "dot", 1.5))
    ]


def _bars(events: pd.DataFrame, axis: str) -> list[Trace]:
    """Failure events under the curves, in the colour of their kind."""
    return [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": event["kind"],
            "x": [event["start"], event["worst"], event["end"]],
            "y": [-0.08, -0.08, -0.08],
            "yaxis": axis,
            "showlegend": False,
            "line": {"color": KIND_COLOURS[FailureKind(event["kind"])], "width": 7},
            "marker": {"size": [7, 11, 7], "symbol": ["square", "x", "square"]},
            "hovertemplate": f"{event['kind']}, frames {event['start']} to "
            f"{event['end']}, {100 * event['cost']:.2f} points of J&F",
        }
        for event in events.to_dict("records")
    ]


def _legend(events: pd.DataFrame) -> list[Trace]:
    """What the colours of the bars mean, in the order of the kinds; no click."""
    kinds = set(events["kind"])
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": f"bar: {kind.value}",
            "showlegend": True,
            "hoverinfo": "skip",
            "x": [None],
            "y": [None],
            "marker": {"symbol": "square", "size": 10, "color": KIND_COLOURS[kind]},
        }
        for kind in FailureKind
        if kind.value in kinds
    ]


def _shades(own: pd.DataFrame, object_id: int, axis: str, last: int) -> list[Layout]:
    """Where an object is hidden (dark), or covered by another (its own colour)."""
    hidden = np.ones(last, bool)
    covered = np.zeros(last, bool)
    numbers = own["number"].to_numpy(int) - 1
    hidden[numbers] = ~own["visible"].to_numpy(bool)
    covered[numbers] = own["overlap"].to_numpy(float) >= _COVERED
    styles = ((hidden, _HIDDEN, 0.55), (covered, line_colour(object_id), 0.2))
    return [
        {
            "type": "rect",
            "xref": "x",
            "yref": axis,
            "x0": start + 0.5,
            "x1": end + 0.5,
            "y0": 0,
            "y1": 1.04,
            "fillcolor": colour,
            "opacity": opacity,
            "line": {"width": 0},
            "layer": "below",
        }
        for mask, colour, opacity in styles
        for start, end in _runs(mask)
    ]


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """Runs of True as [start, end)."""
    edges = np.flatnonzero(np.diff(np.r_[False, mask, False].astype(int)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))

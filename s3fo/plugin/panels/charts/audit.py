"""Chart, pictures and scores of the panel "Audit"."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import pandas as pd

from evaluation._utils.names import counted
from evaluation.attributes.video import read_objects
from evaluation.masks.label_map import as_label_map
from evaluation.plots.audit_strip import audit_pictures, frames_of_strip
from evaluation.plots.strip import frame_label
from s3fo.datasets.auditing.events import AUDIT_TAGS, AUDITED
from s3fo.datasets.auditing.rescored import scores_side_by_side
from s3fo.datasets.reading import tables
from s3fo.datasets.reading.cache import cached
from s3fo.datasets.schema import benchmark_of, remembered
from s3fo.datasets.scoring.review import review_of
from s3fo.plugin.panels.charts.filmstrips import Filmstrip, jpeg_sources
from s3fo.plugin.panels.charts.parts import (
    LEGEND,
    Chart,
    Trace,
    score_title,
)

_OPEN = "not reviewed"
_COLOURS = {"confirmed": "#D55E00", "dismissed": "#0072B2", _OPEN: "#8A8F98"}
"""Okabe and Ito's vermillion and blue, and grey for what is still to be looked at."""


def audit_events(dataset: fo.Dataset) -> pd.DataFrame:
    """All events of the present scope, with `place` (from 1) and `tag` (the review)."""
    events = tables.audit_table(dataset)
    said = [review_of(tags, AUDIT_TAGS) for tags in events["tags"]]
    return events.assign(tag=said, place=range(1, len(events) + 1))


def summary_chart(dataset: fo.Dataset, events: pd.DataFrame) -> Chart:
    """How many events there are of each kind, and what was said of them.

    Args:
        dataset: audited.
        events: as of `audit_events`.
    """
    kinds = events["kind"].value_counts(sort=True).index.tolist()
    said = events["tag"].where(events["tag"] != "", _OPEN)
    counts = events.groupby(["kind", said]).size()
    traces: list[Trace] = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "x": [int(counts.get((kind, name), 0)) for kind in kinds],
            "y": kinds,
            "ids": kinds,
            "marker": {"color": colour},
            "hovertemplate": f"%{{y}}: %{{x}} {name}<extra></extra>",
        }
        for name, colour in _COLOURS.items()
    ]
    layout = {
        "height": 110 + 26 * max(1, len(kinds)),
        "barmode": "stack",
        "showlegend": True,
        "legend": {**LEGEND, "traceorder": "normal"},
        "margin": {"t": 32, "b": 40, "l": 20, "r": 20},
        "xaxis": {
            "title": {"text": "events"},
            "rangemode": "tozero",
            **({"dtick": 1} if len(events) < 10 else {}),
        },
        "yaxis": {
            "autorange": "reversed",
            "tickfont": {"size": 12},
            "automargin": True,
        },
    }
    return Chart(traces, layout, _text(dataset, events))


def _text(dataset: fo.Dataset, events: pd.DataFrame) -> str:
    about = remembered(dataset).get(AUDITED, {})
    frames = about.get("object_frames", 0)
    said = events["tag"].value_counts()
    confirmed, dismissed = (int(said.get(tag, 0)) for tag in AUDIT_TAGS)
    lines = [
        f"**{counted(len(events), 'event')}** in {counted(frames, 'object frame')} "
        f"of ground truth: {confirmed} confirmed, {dismissed} dismissed. An event is a "
        "reason to look, no proof.",
        *(f"*{note}.*" for note in about.get("notes", ())),
    ]
    return "\n\n".join(lines)


def filmstrip(dataset: fo.Dataset, event: pd.Series) -> Filmstrip:
    """Image and ground truth before, in and after an event."""
    return cached(
        dataset,
        ("audit strip", event["id"]),
        None,  # events found anew have other ids
        lambda: _draw_strip(dataset, event),
    )


def _draw_strip(dataset: fo.Dataset, event: pd.Series) -> Filmstrip:
    video = next(iter(benchmark_of(dataset).subset([event["sequence"]])))
    ends = [video.frames[event[end] - 1] for end in ("start", "end")]
    frames = frames_of_strip(video.annotated_frames, *ends)
    maps = {}
    for _, name in frames:
        masks = read_objects(video, name)
        maps[name] = as_label_map(masks, masks) if masks_are_there(masks) else None
    known = next(one for one in maps.values() if one is not None)
    shown = {name: 0 * known if one is None else one for name, one in maps.items()}
    numbers = {name: video.frames.index(name) + 1 for _, name in frames}
    pictures = audit_pictures(frames, shown, int(event["object"]), video.images)
    return Filmstrip(
        tuple(f"{what}: {frame_label(name, numbers[name])}" for what, name in frames),
        ("image", "ground truth"),
        jpeg_sources(pictures),
    )


def masks_are_there(masks: Any) -> bool:
    """Whether masks tell their size: those of a frame without objects may not."""
    return not isinstance(masks, dict) or bool(masks)


def told_again(dataset: fo.Dataset) -> pd.DataFrame:
    """Every score of every evaluation, with all frames and without the confirmed ones.

    Returns:
        Columns eval_key, score (its title), all, without, difference.

    Raises:
        InputError: an evaluation cannot be told again.
    """
    found = [
        scores_side_by_side(dataset, key).assign(eval_key=key)
        for key in tables.vos_evaluations(dataset)
    ]
    table = pd.concat(found, ignore_index=True)
    return table.assign(score=table["metric"].map(score_title))

"""Charts and filmstrips of the panel "Failures"."""

from __future__ import annotations

from textwrap import wrap
from typing import Any

import fiftyone as fo
import pandas as pd

from evaluation._utils.escape import markdown_text, plotly_text
from evaluation._utils.names import counted
from evaluation.attributes import ATTRIBUTES, OFFICIAL, attribute_title
from evaluation.breakdown import attribute_groups, group_order
from evaluation.failures import FailureKind
from evaluation.plots.errors import PIXEL_COLOURS, PIXEL_NAMES
from evaluation.plots.strip import (
    STRIP_COLUMNS,
    STRIP_ROWS,
    frame_label,
    strip_pictures,
)
from evaluation.plots.style import KIND_COLOURS
from s3fo.datasets.reading import frame_table, tables
from s3fo.datasets.reading.cache import cached
from s3fo.datasets.scoring.from_files import compared_masks
from s3fo.datasets.scoring.review import review_of
from s3fo.plugin.panels.charts.filmstrips import Filmstrip, jpeg_sources
from s3fo.plugin.panels.charts.parts import LEGEND, Chart, Trace

_KEYS = ["sequence", "object"]
_WHEN = ("start", "worst", "end")


def with_failures(dataset: fo.Dataset) -> list[str]:
    """Evaluations whose failures were found."""
    return [
        key
        for key in tables.vos_evaluations(dataset)
        if dataset.has_sample_field(f"{key}_failures")
    ]


def not_searched(dataset: fo.Dataset) -> str:
    """Which evaluations cannot be chosen, and what to do; empty where all can."""
    known = with_failures(dataset)
    others = [key for key in tables.vos_evaluations(dataset) if key not in known]
    if not others:
        return ""
    listed = markdown_text(", ".join(others))
    return f"*Not in the list: {listed}. Press ` and run **Find failures** on it.*"


def splits(dataset: fo.Dataset) -> dict[str, str]:
    """Attributes of objects that costs can be split by -> titles: all that differ."""
    objects = tables.object_table(dataset)
    return {
        str(name): attribute_title(str(name))
        for name in objects
        if (str(name).startswith(OFFICIAL) or name in ATTRIBUTES)
        and objects[name].nunique() > 1
    }


def costs(dataset: fo.Dataset, eval_key: str, split: str) -> Chart:
    """What every kind of failure costs in points of J&F.

    Args:
        dataset: with failures.
        eval_key: the evaluation.
        split: ``"all"``, or a column of the objects to stack the kinds by.
    """
    events = _with_groups(dataset, tables.event_table(dataset, eval_key), split)
    by_kind = events.groupby("kind")["cost"].sum().sort_values(ascending=False)
    total = by_kind.sum()
    text = "No failures."
    if len(by_kind):
        text = (
            f"**{by_kind.index[0]}** costs most: {100 * by_kind.iloc[0]:.1f} of "
            f"{100 * total:.1f} points of J&F lost in {counted(len(events), 'event')}."
            f"{_rest(dataset, eval_key, total)}"
        )
    groups = group_order(split, events["group"])
    order = [FailureKind(kind) for kind in by_kind.index]
    stacked = split != "all"
    traces = [_bar(events, kind, groups, split if stacked else "") for kind in order]
    layout = {
        "height": 70 + 32 * stacked + 20 * len(groups if stacked else order),
        "barmode": "stack",
        "showlegend": stacked,
        "legend": {**LEGEND, "traceorder": "normal"},
        "margin": {"t": 32 if stacked else 4, "b": 40, "l": 20, "r": 20},
        "xaxis": {"title": {"text": "points of J&F lost"}},
        "yaxis": {"autorange": "reversed", "tickfont": {"size": 12}},
    }
    return Chart(traces, layout, text)


def _rest(dataset: fo.Dataset, eval_key: str, in_events: float) -> str:
    """The part of the loss that is in no event, in words."""
    summary = tables.summary(dataset, eval_key)
    lost = 1 - summary[tables.published_score(dataset, [eval_key])]
    rest = round(100 * (lost - in_events), 1)
    if not rest:
        return " Next to nothing is lost outside events."
    return (
        f" The other {rest:.1f} of all {100 * lost:.1f} points lost are in no event: "
        "frames that are nearly right."
    )


def _bar(
    events: pd.DataFrame, kind: FailureKind, groups: list[str], split: str
) -> Trace:
    own = events[events["kind"] == kind.value]
    sums = own.groupby("group")["cost"].agg(["sum", "count"]).reindex(groups).fillna(0)
    return {
        "type": "bar",
        "orientation": "h",
        "name": kind.value,
        "x": (100 * sums["sum"]).tolist(),
        "y": [plotly_text(group) for group in groups] if split else [kind.value],
        "ids": [f"{kind.value}|{split}|{group}" for group in groups],
        "marker": {"color": KIND_COLOURS[kind]},
        "customdata": sums["count"].astype(int).tolist(),
        "hovertemplate": f"{_broken(kind.explained)}<br>%{{x:.2f}} points in "
        "%{customdata} events<extra></extra>",
    }


def _broken(text: str) -> str:
    """A text in lines that fit what stands over a bar."""
    return "<br>".join(wrap(text, 60))


def _with_groups(dataset: fo.Dataset, events: pd.DataFrame, split: str) -> pd.DataFrame:
    if split == "all":
        return events.assign(group="all")
    objects = tables.object_table(dataset)
    groups = objects[_KEYS].assign(group=attribute_groups(objects[split]))
    return events.merge(groups, on=_KEYS, how="left")


def chosen_events(
    dataset: fo.Dataset,
    events: pd.DataFrame,
    kind: str,
    group: list[str] | None,
    tag: str,
) -> pd.DataFrame:
    """Events of one kind, group and review, with what the table shows.

    Args:
        dataset: with failures.
        events: all of an evaluation.
        kind: or ``"all"``.
        group: attribute and group of the object, or None.
        tag: or ``"all"``, or ``"none"`` for those not reviewed yet.
    """
    events = events.assign(tag=events["tags"].map(review_of), lost=100 * events["cost"])
    events["place"] = range(1, len(events) + 1)
    if kind != "all":
        events = events[events["kind"] == kind]
    if group:
        events = _with_groups(dataset, events, group[0])
        events = events[events["group"] == group[1]]
    if tag != "all":
        events = events[events["tag"] == ("" if tag == "none" else tag)]
    return events.reset_index(drop=True)


def frame_labels(dataset: fo.Dataset, event: pd.Series) -> dict[str, str]:
    """What the first, the worst and the last frame of an event are called.

    Args:
        dataset: with failures.
        event: a row of its event table.

    Returns:
        ``start``, ``worst``, ``end`` -> the player's number, and the file's name.
    """
    files = frame_table.frame_files(dataset, event["sample_id"])
    numbers = {when: int(event[when]) for when in _WHEN}
    return {when: frame_label(files[n - 1], n) for when, n in numbers.items()}


def filmstrip(dataset: fo.Dataset, eval_key: str, event: pd.Series) -> Filmstrip:
    """Onset, worst frame and end of an event.

    Ground truth, prediction and errors, read from the files.
    """
    return cached(
        dataset,
        ("strip", eval_key, event["id"]),
        None,  # events found anew have other ids
        lambda: _draw_strip(dataset, eval_key, event),
    )


def _draw_strip(dataset: fo.Dataset, eval_key: str, event: pd.Series) -> Filmstrip:
    video, masks = compared_masks(dataset, eval_key, event["sequence"])
    numbers = [int(event[when]) for when in _WHEN]
    names = [video.frames[number - 1] for number in numbers]
    row: dict[Any, Any] = {**event.to_dict(), **dict(zip(_WHEN, names, strict=True))}
    called = map(frame_label, names, numbers)
    return Filmstrip(
        tuple(map(": ".join, zip(STRIP_COLUMNS, called, strict=True))),
        STRIP_ROWS,
        jpeg_sources(strip_pictures(row, masks, video.images)),
        tuple(
            {"name": name, "colour": PIXEL_COLOURS[pixel]}
            for pixel, name in PIXEL_NAMES.items()
        ),
    )


def with_circumstances(event: pd.Series) -> str:
    """The kind of an event, with which other object, and what came before it."""
    other = event["other"]
    beside = "" if pd.isna(other) or not other else f" with object {int(other)}"
    before = [name.replace("_", " ") for name in event["onset"]]
    return ", ".join([f"{event['kind']}{beside}", *before])

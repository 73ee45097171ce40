"""J and F of one object through time, with its visibility and its failures."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from evaluation.failures.kinds import FailureKind
from evaluation.failures.tables import Failures
from evaluation.plots.style import FIRST, KIND_COLOURS, SECOND, WIDTH, style

_GREY = "#D9D9D9"
_TICKS = 10
"""Frames that are named along the axis, at most."""


def timeline(
    failures: Failures, sequence: str, object_id: int, *, titled: bool = True
) -> Figure:
    """Draw the timeline of one object.

    Grey over the whole height: the object is not visible; grey below: how much it is
    occluded (where failures were found with attributes). Above the scores, one
    bar per failure event; a tick marks its worst frame.

    Args:
        failures: of the benchmark.
        sequence: the video.
        object_id: the object.
        titled: whether the object and its J&F stand above.
    """
    frames = _of(failures.frames, sequence, object_id).sort_values("index")
    events = _of(failures.events, sequence, object_id).sort_values("start_index")
    with style():
        figure = Figure(figsize=(WIDTH, 2.7), layout="constrained")
        axes = figure.add_subplot()
        _shade(axes, frames["index"], ~frames["visible"], facecolor=_GREY)
        if "occlusion" in frames:
            occlusion = frames["occlusion"].where(frames["visible"], 0.0).fillna(0.0)
            axes.fill_between(
                frames["index"], 0, occlusion, color=_GREY, step="mid", zorder=0
            )
        for name, colour, line in (
            ("J", FIRST, "-"),
            ("F", SECOND, "--"),
        ):
            axes.plot(frames["index"], frames[name], line, color=colour, label=name)
        _bars(axes, events)
        axes.set_ylim(-0.02, 1.32)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
        axes.set_xlim(frames["index"].iloc[0] - 0.5, frames["index"].iloc[-1] + 0.5)
        _name_frames(axes, frames)
        axes.set_ylabel("J and F, %")
        if titled:
            mean = 1 - frames["loss"].mean()
            title = f"{sequence}, object {object_id}: J&F {100 * mean:.1f}"
            axes.set_title(title, loc="left")
        axes.legend(loc="lower left", frameon=True, framealpha=0.9, ncols=2)
        _legend(figure, frames, events)
    return figure


def _name_frames(axes: Axes, frames: pd.DataFrame) -> None:
    """Name frames along the axis as their files are named."""
    step = max(1, -(-len(frames) // _TICKS))
    named = frames.iloc[::step]
    axes.set_xticks(named["index"].tolist(), named["frame"].astype(str).tolist())
    axes.set_xlabel("frame")


def _legend(figure: Figure, frames: pd.DataFrame, events: pd.DataFrame) -> None:
    kinds = [kind for kind in FailureKind if (events["kind"] == kind.value).any()]
    patches = [
        Patch(fc=KIND_COLOURS[kind], ec="black", linewidth=0.4, label=kind.value)
        for kind in kinds
    ]
    occluded = "occlusion" in frames
    if occluded or not frames["visible"].all():
        grey = "occluded share (full height: not visible)"
        label = grey if occluded else "not visible"
        patches.append(Patch(fc=_GREY, ec="black", linewidth=0.4, label=label))
    if patches:
        figure.legend(
            handles=patches,
            loc="outside lower center",
            ncols=min(5, len(patches)),
            frameon=False,
            handlelength=1.2,
        )


def _of(table: pd.DataFrame, sequence: str, object_id: int) -> pd.DataFrame:
    return table[(table["sequence"] == sequence) & (table["object"] == object_id)]


def _shade(axes: Axes, index: pd.Series, where: pd.Series, facecolor: str) -> None:
    """Fill the runs of frames in which something holds."""
    runs = (where != where.shift()).cumsum()[where]
    for _, run in index[where].groupby(runs):
        left, right = run.iloc[0] - 0.5, run.iloc[-1] + 0.5
        axes.axvspan(left, right, linewidth=0, facecolor=facecolor, zorder=0)


def _bars(axes: Axes, events: pd.DataFrame) -> None:
    """One bar per event at 1.05..1.12, its kind above where there is room."""
    span = axes.dataLim.width or 1
    free_from = -1.0
    for event in events.to_dict("records"):
        left, right = event["start_index"] - 0.5, event["end_index"] + 0.5
        colour = KIND_COLOURS[FailureKind(event["kind"])]
        axes.broken_barh(
            [(left, right - left)],
            (1.05, 0.07),
            facecolor=colour,
            edgecolor="black",
            linewidth=0.4,
        )
        axes.plot(
            [event["worst_index"]] * 2, [1.03, 1.14], color="black", linewidth=0.8
        )
        text = event["kind"] + (f" {event['other']}" if event["other"] else "")
        needed = 0.0135 * span * len(text)
        if left >= free_from and (right - left > 0.25 * needed):
            axes.text(left, 1.16, text, fontsize=6.5, va="bottom", ha="left")
            free_from = left + needed

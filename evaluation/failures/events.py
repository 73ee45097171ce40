"""From frames that fail to failure events: when it began, how bad, when it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.failures.kinds import FailureKind, Verdict
from evaluation.metrics.worst import worst_position

EVENT_COLUMNS = (
    "object",
    "kind",
    "other",
    "start",
    "end",
    "worst",
    "start_index",
    "end_index",
    "worst_index",
    "n_frames",
    "worst_J",
    "worst_F",
    "loss",
    "cost",
    "recovers",
    "recovered",
    "mutual",
)
"""Columns of the events table that every event has, besides its sequence."""


@dataclass(frozen=True)
class Event:
    """A stretch of one object's evaluated frames that fails in one way.

    Attributes:
        kind: the way.
        other: the other object involved, 0 for none.
        start: index of the first frame among the object's evaluated frames.
        end: index after the last.
    """

    kind: FailureKind
    other: int
    start: int
    end: int


def find_events(verdicts: Sequence[Verdict], bridge: int) -> list[Event]:
    """Gather frames of one object into events that do not overlap.

    Runs of one kind (and the same other object) that are at most `bridge` frames
    apart are one event, unless something graver happened in between. Graver kinds
    are gathered first.

    Args:
        verdicts: of consecutive evaluated frames; kind None is no failure.
        bridge: frames.

    Returns:
        Events in order of time.
    """
    severity = np.array([kind.severity if kind else 0 for kind, _ in verdicts])
    taken = np.zeros(len(verdicts), dtype=bool)
    events: list[Event] = []
    for level in (3, 2, 1):
        for verdict in sorted(
            {v for v, g in zip(verdicts, severity, strict=True) if g == level},
            key=str,
        ):
            same = np.array([one == verdict for one in verdicts]) & ~taken
            barrier = taken | ((severity >= level) & ~same)
            for start, end in _runs(same, barrier, bridge):
                kind, other = verdict
                assert kind is not None
                events.append(Event(kind, other, start, end))
        for event in events:
            taken[event.start : event.end] = True
    return sorted(events, key=lambda event: event.start)


def _runs(
    same: NDArray[np.bool_], barrier: NDArray[np.bool_], bridge: int
) -> list[tuple[int, int]]:
    """Runs of True [start, end) bridged over short gaps without a barrier."""
    runs: list[tuple[int, int]] = []
    for index in np.flatnonzero(same).tolist():
        if runs:
            start, end = runs[-1]
            if index - end <= bridge and not barrier[end:index].any():
                runs[-1] = start, index + 1
                continue
        runs.append((index, index + 1))
    return runs


def describe_event(event: Event, frames: pd.DataFrame) -> dict[str, object]:
    """The row of an event in the events table, but for its onset.

    Args:
        event: of the object whose frames these are.
        frames: evaluated frames of the object in order of time, with columns
            `frame`, `index`, `J`, `F`, `J&F`, `loss` (of the frame, 0..1), `cost`
            (of the benchmark's J&F, 0..1), `visible`.

    Returns:
        Among others `loss`, the J&F lost over the event in units of whole frames,
        `cost`, what it takes off the benchmark's J&F, and `recovers`: whether the
        object is tracked again (J >= 0.5 while visible) at some later frame.
    """
    part = frames.iloc[event.start : event.end]
    rest = frames.iloc[event.end :]
    tracked = rest[rest["visible"] & (rest["J"] >= 0.5)]
    worst = part.iloc[worst_position(part["J&F"])]
    return {
        "kind": event.kind.value,
        "other": event.other,
        "start": part["frame"].iloc[0],
        "end": part["frame"].iloc[-1],
        "worst": worst["frame"],
        "start_index": int(part["index"].iloc[0]),
        "end_index": int(part["index"].iloc[-1]),
        "worst_index": int(worst["index"]),
        "n_frames": len(part),
        "worst_J": float(worst["J"]),
        "worst_F": float(worst["F"]),
        "loss": float(part["loss"].sum()),
        "cost": float(part["cost"].sum()),
        "recovers": bool(len(tracked)),
        "recovered": tracked["frame"].iloc[0] if len(tracked) else None,
    }

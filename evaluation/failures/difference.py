"""Failures of two methods against each other: what is fixed, new, or shared."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd

Status = Literal["fixed", "new", "shared"]
STATUSES: tuple[Status, ...] = ("fixed", "new", "shared")

COLUMNS = (
    "status", "sequence", "object", "kind", "kind_second", "start", "end",
    "cost_first", "cost_second", "gain", "first", "second",
)  # fmt: skip
"""Columns of `failure_difference`."""

_Event = dict[Any, Any]
"""One row of a table of events."""

_OVERLAP = 0.5
"""Part of the shorter event that lies in the longer one, for them to be one failure."""


def failure_difference(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Compare the failures of a second method with those of a first, on equal videos.

    Events of one object are the same failure if at least half of the shorter one lies
    in the longer one, whatever kind each is of; so several events may be one failure.

    >>> import pandas as pd
    >>> columns = ["id", "sequence", "object", "kind", "start", "end", "cost"]
    >>> first = pd.DataFrame([("a", "cat", 1, "missed", 3, 8, 0.02)], columns=columns)
    >>> second = pd.DataFrame([("b", "cat", 1, "drift", 4, 6, 0.01)], columns=columns)
    >>> told = failure_difference(first, second)
    >>> told.loc[0, ["status", "kind", "kind_second", "gain"]].tolist()
    ['shared', 'missed', 'drift', 0.01]

    Args:
        first: events of the first method, one per row: `id`, `sequence`, `object`,
            `kind`, `start` and `end` (frames, both included), `cost`.
        second: those of the second.

    Returns:
        One row per failure, the largest change first: `status` (``"fixed"``: of the
        first alone; ``"new"``: of the second alone; ``"shared"``), `sequence`,
        `object`, `kind` (of the first's costliest event, else of the second's),
        `kind_second`, `start`, `end`, `cost_first`, `cost_second` (0 where there is no
        event), `gain` = `cost_first` - `cost_second`, and the lists of ids `first` and
        `second`.
    """
    rows = []
    events = pd.concat([first.assign(side="first"), second.assign(side="second")])
    for (sequence, number), own in events.groupby(["sequence", "object"], sort=False):
        for failure in _failures(own.sort_values("start").to_dict("records")):
            rows.append({"sequence": sequence, "object": number, **_row(failure)})
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    order = table["gain"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _failures(events: list[_Event]) -> list[list[_Event]]:
    """The events of one object, those of one failure together."""
    found: list[list[_Event]] = []
    for event in events:
        same = [one for one in found if any(_is_same(event, own) for own in one)]
        found = [one for one in found if not any(one is other for other in same)]
        found.append([own for one in same for own in one] + [event])
    return found


def _is_same(event: _Event, other: _Event) -> bool:
    if event["side"] == other["side"]:
        return False
    common = min(event["end"], other["end"]) - max(event["start"], other["start"]) + 1
    shorter = min(own["end"] - own["start"] + 1 for own in (event, other))
    return bool(common >= _OVERLAP * shorter)


def _row(failure: list[_Event]) -> dict[str, object]:
    sides = {
        side: [event for event in failure if event["side"] == side]
        for side in ("first", "second")
    }
    costs = {side: sum(event["cost"] for event in own) for side, own in sides.items()}
    kinds = {
        side: max(own, key=lambda event: event["cost"])["kind"] if own else ""
        for side, own in sides.items()
    }
    if sides["first"] and sides["second"]:
        status: Status = "shared"
    else:
        status = "fixed" if sides["first"] else "new"
    return {
        "status": status,
        "kind": kinds["first"] or kinds["second"],
        "kind_second": kinds["second"],
        "start": min(event["start"] for event in failure),
        "end": max(event["end"] for event in failure),
        "cost_first": costs["first"],
        "cost_second": costs["second"],
        "gain": costs["first"] - costs["second"],
        "first": [event["id"] for event in sides["first"]],
        "second": [event["id"] for event in sides["second"]],
    }

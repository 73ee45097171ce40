"""Reviews of failure events by people, carried over to events found anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from evaluation.failures.tables import Failures

REVIEW = "review"
"""Column of reviewed events; empty where nobody said anything."""

_SAME = ["sequence", "object", "kind"]
_ENDS = ["start", "end"]


def carry_over(events: pd.DataFrame, reviewed: pd.DataFrame) -> pd.Series:
    """The review of each event: that of the reviewed event that it overlaps most.

    Two events are about the same failure if they are of one kind, befall one object
    and share frames: thresholds or scores that changed a little move an event's ends.

    Args:
        events: sequence, object, kind, start, end (numbers of frames).
        reviewed: the same of earlier events, and `review`.

    Returns:
        [n] by the events' index; "" where no reviewed event overlaps.
    """
    pairs = _overlaps(events, reviewed).sort_values("shared", ascending=False)
    most = pairs.drop_duplicates("place").set_index("place")
    said = most[REVIEW].reindex(range(len(events)))
    return pd.Series(said.fillna("").to_numpy(), index=events.index, dtype=object)


def not_found(events: pd.DataFrame, reviewed: pd.DataFrame) -> pd.DataFrame:
    """The reviewed events that are not among others: nothing carries their review.

    Args:
        events: as for `carry_over`.
        reviewed: as for `carry_over`.
    """
    found = _overlaps(events, reviewed)["place_reviewed"].unique()
    return reviewed[~np.isin(np.arange(len(reviewed)), found)]


def _overlaps(events: pd.DataFrame, reviewed: pd.DataFrame) -> pd.DataFrame:
    """Pairs that are about the same failure: their places, and frames `shared`."""
    places = events[[*_SAME, *_ENDS]].assign(place=range(len(events)))
    others = reviewed.assign(place=range(len(reviewed)))
    # Columns without rows may be of any type, and types that differ do not merge.
    anything = dict.fromkeys(_SAME, object)
    pairs = places.astype(anything).merge(
        others.astype(anything), on=_SAME, suffixes=("", "_reviewed")
    )
    shared = (
        pairs[["end", "end_reviewed"]].min(axis=1)
        - pairs[["start", "start_reviewed"]].max(axis=1)
        + 1
    )
    return pairs.assign(shared=shared)[shared > 0]


def with_reviews(failures: Failures, reviewed: pd.DataFrame) -> Failures:
    """Failures with people's reviews of their events.

    Args:
        failures: found in results.
        reviewed: events of the same results, found at any time: sequence, object, kind,
            start, end (names of frames) and `review`.

    Returns:
        The failures with `review` in their events, "" where nothing was said.
    """
    places = failures.frames[["sequence", "frame"]].drop_duplicates()
    # Names of frames count up: 2 is before 10, with or without leading zeros.
    places = places.assign(length=places["frame"].astype(str).str.len())
    places = places.sort_values(["sequence", "length", "frame"])
    numbers = places.groupby("sequence").cumcount()
    keys = zip(places["sequence"], places["frame"].astype(str), strict=True)
    of = dict(zip(keys, numbers.tolist(), strict=True))
    known = _number_frames(reviewed, of).dropna(subset=_ENDS)
    said = carry_over(_number_frames(failures.events, of), known)
    return replace(failures, events=failures.events.assign(**{REVIEW: said}))


def _number_frames(
    events: pd.DataFrame, of: Mapping[tuple[str, str], int]
) -> pd.DataFrame:
    """Events whose ends are numbers instead of names; NaN for unknown frames."""
    numbers = {
        end: [
            of.get((sequence, str(frame)), float("nan"))
            for sequence, frame in zip(events["sequence"], events[end], strict=True)
        ]
        for end in _ENDS
    }
    return events.assign(**numbers)

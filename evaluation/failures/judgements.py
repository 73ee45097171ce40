"""What people say of failure events, carried over to events found anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from evaluation.failures.tables import Failures

JUDGEMENT = "judgement"
"""Column of judged events; empty where nobody said anything."""

_SAME = ["sequence", "object", "kind"]
_ENDS = ["start", "end"]


def carry_over(events: pd.DataFrame, judged: pd.DataFrame) -> pd.Series:
    """What each event is judged to be: as the judged event that it overlaps most.

    Two events are about the same failure if they are of one kind, befall one object
    and share frames: thresholds or scores that changed a little move an event's ends.

    Args:
        events: sequence, object, kind, start, end (numbers of frames).
        judged: the same of earlier events, and `judgement`.

    Returns:
        [n] by the events' index; "" where no judged event overlaps.
    """
    pairs = _overlaps(events, judged).sort_values("shared", ascending=False)
    most = pairs.drop_duplicates("place").set_index("place")
    said = most[JUDGEMENT].reindex(range(len(events)))
    return pd.Series(said.fillna("").to_numpy(), index=events.index, dtype=object)


def not_found(events: pd.DataFrame, judged: pd.DataFrame) -> pd.DataFrame:
    """The judged events that are not among others: nothing carries their judgement.

    Args:
        events: as for `carry_over`.
        judged: as for `carry_over`.
    """
    found = _overlaps(events, judged)["place_judged"].unique()
    return judged[~np.isin(np.arange(len(judged)), found)]


def _overlaps(events: pd.DataFrame, judged: pd.DataFrame) -> pd.DataFrame:
    """Pairs that are about the same failure: their places, and frames `shared`."""
    places = events[[*_SAME, *_ENDS]].assign(place=range(len(events)))
    others = judged.assign(place=range(len(judged)))
    pairs = places.merge(others, on=_SAME, suffixes=("", "_judged"))
    shared = (
        pairs[["end", "end_judged"]].min(axis=1)
        - pairs[["start", "start_judged"]].max(axis=1)
        + 1
    )
    return pairs.assign(shared=shared)[shared > 0]


def with_judgements(failures: Failures, judged: pd.DataFrame) -> Failures:
    """Failures whose events tell what people said of them.

    Args:
        failures: found in results.
        judged: events of the same results, found at any time: sequence, object, kind,
            start, end (names of frames) and `judgement`.

    Returns:
        The failures with `judgement` in their events, "" where nothing was said.
    """
    places = failures.frames[["sequence", "frame"]].drop_duplicates()
    # Names of frames count up: 2 is before 10, with or without leading zeros.
    places = places.assign(length=places["frame"].astype(str).str.len())
    places = places.sort_values(["sequence", "length", "frame"])
    numbers = places.groupby("sequence").cumcount()
    keys = zip(places["sequence"], places["frame"].astype(str), strict=True)
    of = dict(zip(keys, numbers.tolist(), strict=True))
    known = _numbered(judged, of).dropna(subset=_ENDS)
    said = carry_over(_numbered(failures.events, of), known)
    return replace(failures, events=failures.events.assign(**{JUDGEMENT: said}))


def _numbered(events: pd.DataFrame, of: Mapping[tuple[str, str], int]) -> pd.DataFrame:
    """Events whose ends are numbers instead of names; NaN for unknown frames."""
    numbers = {
        end: [
            of.get((sequence, str(frame)), float("nan"))
            for sequence, frame in zip(events["sequence"], events[end], strict=True)
        ]
        for end in _ENDS
    }
    return events.assign(**numbers)

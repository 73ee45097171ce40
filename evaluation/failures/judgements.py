"""What people say of failure events, carried over to events found anew."""

from __future__ import annotations

import pandas as pd

JUDGEMENT = "judgement"
"""Column of judged events; empty where nobody said anything."""

_SAME = ["sequence", "object", "kind"]


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
    places = events[[*_SAME, "start", "end"]].assign(place=range(len(events)))
    pairs = places.merge(judged, on=_SAME, suffixes=("", "_judged"))
    shared = (
        pairs[["end", "end_judged"]].min(axis=1)
        - pairs[["start", "start_judged"]].max(axis=1)
        + 1
    )
    pairs = pairs.assign(shared=shared)[shared > 0]
    most = pairs.sort_values("shared", ascending=False).drop_duplicates("place")
    said = most.set_index("place")[JUDGEMENT].reindex(range(len(events)))
    return pd.Series(said.fillna("").to_numpy(), index=events.index, dtype=object)

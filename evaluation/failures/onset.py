"""What happened just before: the circumstances in which failures begin."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

ONSET_SECONDS = 0.5
"""How far back "just before" reaches."""

CIRCUMSTANCES: Mapping[str, str] = {
    "after_occlusion": "occlusion of at least a half",
    "after_return": "the object came back after an absence",
    "after_fast_motion": "faster than in 90 % of the benchmark's object frames, in "
    "object sizes per second",
    "after_border": "the object touched the frame's border",
    "after_distractor": "similarity to another object in the benchmark's highest tenth",
    "after_cut": "a new shot began",
}
"""Circumstance -> what must have held within the last half second."""

AROUND = ("occlusion", "relative_speed", "similarity", "border_contact", "deformation")
"""Attributes of the frames that are kept beside the failures."""


def circumstances(frames: pd.DataFrame) -> pd.DataFrame:
    """Which circumstances hold in or just before each frame of each object.

    Args:
        frames: the frames table of `evaluation.attributes.Attributes`.

    Returns:
        One boolean column per entry of `CIRCUMSTANCES`, indexed as `frames`.
    """
    now = pd.DataFrame(
        {
            "after_occlusion": frames["occlusion"] >= 0.5,
            "after_return": _returns(frames),
            "after_fast_motion": _top_tenth(frames["relative_speed"]),
            "after_border": frames["border_contact"] > 0,
            "after_distractor": _top_tenth(frames["similarity"]),
            "after_cut": frames["scene_cut"].astype(bool),
        },
        index=frames.index,
    )
    held = now.to_numpy()
    recent = np.zeros_like(held)
    for rows in frames.groupby(["sequence", "object"], sort=False).indices.values():
        times = frames["time"].to_numpy()[rows]
        starts = np.searchsorted(times, times - ONSET_SECONDS - 1e-9)
        count = np.vstack([np.zeros(held.shape[1]), np.cumsum(held[rows], axis=0)])
        recent[rows] = count[1:] > count[starts]
    return pd.DataFrame(recent, columns=now.columns, index=frames.index)


def onset_table(events: pd.DataFrame, frames: pd.DataFrame) -> pd.DataFrame:
    """How much more often circumstances precede failures than any frame.

    Args:
        events: with a boolean column per circumstance, at the first frame.
        frames: all evaluated frames with the same columns.

    Returns:
        Per circumstance: `events` and `share` of events preceded by it, `base` share
        of all frames, `lift` = share / base (above 1: failures prefer it), `cost` of
        those events. NaN lift where the circumstance never holds.
    """
    rows = []
    for name in CIRCUMSTANCES:
        if name not in events or not len(events):
            continue
        held = events[name].astype(bool)
        base = float(frames[name].astype(bool).mean())
        rows.append(
            {
                "circumstance": name,
                "events": int(held.sum()),
                "share": float(held.mean()),
                "base": base,
                "lift": float(held.mean()) / base if base else np.nan,
                "cost": float(events.loc[held, "cost"].sum()),
            }
        )
    return pd.DataFrame(rows)


def _returns(frames: pd.DataFrame) -> NDArray[np.bool_]:
    """Frames in which an object is visible again after an absence."""
    visible = frames["visible"].to_numpy(dtype=bool)
    same = (
        frames["sequence"].eq(frames["sequence"].shift())
        & frames["object"].eq(frames["object"].shift())
    ).to_numpy()
    away = np.roll(~frames["absence"].isin(["", "not yet"]).to_numpy(), 1)
    return visible & away & same


def _top_tenth(values: pd.Series) -> pd.Series:
    values = values.astype(float)
    if not values.notna().any():
        return pd.Series(False, index=values.index)
    limit = values.quantile(0.9)
    return values > limit

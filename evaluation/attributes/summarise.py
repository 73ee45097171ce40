"""From what was seen frame by frame to the two tables: frames and objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.attributes import definitions as limits
from evaluation.attributes.observe import Observations
from evaluation.attributes.occlusion import absences, visibility_dip
from evaluation.attributes.video import AnnotatedVideo

MEASURED = [
    "area",
    "digest",
    "area_fraction",
    "box_x",
    "box_y",
    "box_width",
    "box_height",
    "centroid_x",
    "centroid_y",
    "border_contact",
    "box_overlap",
    "contact",
    "crowdedness",
    "neighbours",
    "complexity",
    "solidity",
    "components",
    "thinness",
    "speed",
    "relative_speed",
    "deformation",
    "similarity",
    "similar_to",
    "background_similarity",
    "appearance_change",
]
"""Columns of the frames table that one look at the frame (and the recent past)
gives; NaN where the object is absent or the value was not taken."""

_MEANS = [
    "box_overlap",
    "contact",
    "visibility_dip",
    "complexity",
    "solidity",
    "components",
    "thinness",
    "deformation",
    "crowdedness",
    "background_similarity",
    "appearance_change",
]


def object_frames(seen: Observations, object_id: int) -> pd.DataFrame:
    """One row per annotated frame of one object, present or not.

    Adds to the measured columns what needs the whole series: `visible`, `absence`
    (why it is away: "not yet", "hidden", "left frame", "new shot"), `visibility_dip`,
    `occlusion` and `scene_cut` (a new shot began since the annotated frame before).
    """
    count = len(seen.frames)
    rows = seen.rows.get(object_id, {})
    series = {name: np.full(count, np.nan) for name in MEASURED}
    for index, row in rows.items():
        for name, value in row.items():
            series[name][index] = value
    visible = np.isin(np.arange(count), list(rows))
    border = np.nan_to_num(series["border_contact"])
    dips = visibility_dip(np.nan_to_num(series["area_fraction"]), border, seen.times)
    cut = _cut_since_before(seen)
    absence = _absence(visible, border, cut)
    parts = np.stack([series["box_overlap"], series["contact"], dips])
    occlusion = np.where(visible, np.nanmax(np.nan_to_num(parts), axis=0), np.nan)
    last = np.flatnonzero(visible)[-1] if visible.any() else -1
    occlusion[(absence == "hidden") & (np.arange(count) < last)] = 1.0
    return pd.DataFrame(
        {
            "object": object_id,
            "frame": seen.frames,
            "index": seen.positions,
            "time": seen.times,
            "visible": visible,
            "absence": absence,
            **series,
            "visibility_dip": dips,
            "occlusion": occlusion,
            "scene_cut": cut,
        }
    )


def summarise_object(
    frames: pd.DataFrame, seen: Observations, video: AnnotatedVideo, min_gap: float
) -> dict[str, object]:
    """The row of one object in the objects table.

    Args:
        frames: of this object, from `object_frames`.
        seen: the walk through its video.
        video: the video, for its number of frames.
        min_gap: absences shorter than this many seconds are not counted.
    """
    shown = frames[frames["visible"]]
    row: dict[str, Any] = {
        "annotated_frames": len(frames),
        "first_frame": shown["frame"].iloc[0] if len(shown) else None,
        "last_frame": shown["frame"].iloc[-1] if len(shown) else None,
    }
    if not len(shown):
        return row
    row |= {name: _mean(shown[name]) for name in _MEANS}
    row["occlusion"] = _mean(frames["occlusion"])
    row |= _sizes(shown)
    row |= _speeds(shown)
    row["border_touch"] = float((shown["border_contact"] > 0).mean())
    row |= _absences(frames, min_gap)
    # A single annotated frame of a longer video says nothing about time.
    if len(frames) > 1 or len(video.frames) == 1:
        row |= _length(shown, seen.fps)
    row |= _similarity(seen, int(frames["object"].iloc[0]))
    if seen.cuts is not None:
        start, end = shown["index"].iloc[[0, -1]]
        row["scene_cuts"] = sum(start < cut <= end for cut in seen.cuts)
    return row | _tags(row, frames, alone=len(seen.rows) == 1)


def bucket(value: float, edges: Sequence[float], names: Sequence[str]) -> str | None:
    """Name of the bucket of a value: `names[i]` below `edges[i]`; None for NaN."""
    if np.isnan(value):
        return None
    return names[int(np.searchsorted(edges, value, side="right"))]


def _mean(values: pd.Series) -> float:
    return float(values.mean()) if values.notna().any() else np.nan


def _absence(
    visible: NDArray[np.bool_], border: NDArray[np.float64], cut: NDArray[np.bool_]
) -> NDArray[np.object_]:
    why = np.full(len(visible), "", dtype=object)
    if visible.any():
        why[: np.argmax(visible)] = "not yet"
    for first, end, reason in absences(visible, border, cut):
        why[first:end] = reason
    return why


def _cut_since_before(seen: Observations) -> NDArray[np.bool_]:
    counts = np.searchsorted(np.array(seen.cuts or []), seen.positions, side="right")
    return np.diff(counts, prepend=counts[:1]) > 0


def _sizes(shown: pd.DataFrame) -> dict[str, object]:
    size = float(shown["area_fraction"].mean())
    boxes = shown["box_width"] * shown["box_height"]
    free = shown.loc[shown["border_contact"] == 0, "area_fraction"]
    sides = np.sqrt(free if len(free) > 1 else shown["area_fraction"])
    low, high = np.percentile(sides, [5, 95])
    return {
        "size": size,
        "size_bucket": bucket(size, (0.001, 0.01, 0.1), limits.SIZE_BUCKETS),
        "pixel_bucket": bucket(
            float(shown["area"].mean()), (32**2, 96**2), limits.PIXEL_BUCKETS
        ),
        "box_size": float(boxes.mean()),
        "box_ratio": float(boxes.min() / boxes.max()),
        "scale_change": float(np.log2(high / low)) if len(shown) > 1 else np.nan,
    }


def _speeds(shown: pd.DataFrame) -> dict[str, float]:
    speed = shown["speed"].dropna()
    if not len(speed):
        return {}
    return {
        "speed": float(speed.median()),
        "mean_speed": float(speed.mean()),
        "peak_speed": float(speed.quantile(0.9)),
        "relative_speed": float(shown["relative_speed"].median()),
    }


def _absences(frames: pd.DataFrame, min_gap: float) -> dict[str, object]:
    """Runs of absence, their number, length and reasons."""
    visible = frames["visible"].to_numpy()
    border = np.nan_to_num(frames["border_contact"].to_numpy())
    times = frames["time"].to_numpy()
    if len(times) < 2:
        return {}
    ends, index = _with_end(times), _with_end(frames["index"].to_numpy())
    runs = [
        run
        for run in absences(visible, border, frames["scene_cut"].to_numpy())
        if ends[run[1]] - ends[run[0]] >= min_gap
    ]
    after = visible[np.argmax(visible) + 1 :]
    returns = [run for run in runs if run[1] < len(visible)]
    return {
        "disappearance": float(1 - after.mean()) if len(after) else np.nan,
        "absences": len(runs),
        "reappearances": len(returns),
        "longest_gap": _longest(runs, ends),
        "longest_gap_frames": int(_longest(runs, index)),
        "longest_return": _longest(returns, ends),
        "left_frame": sum(why == "left frame" for *_, why in runs),
        "hidden": sum(why == "hidden" for *_, why in runs),
    }


def _longest(runs: list[tuple[int, int, str]], marks: NDArray[np.float64]) -> float:
    return max((float(marks[end] - marks[start]) for start, end, _ in runs), default=0)


def _with_end(marks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Marks of n frames and of the end of the last one: [n + 1]."""
    return np.append(marks, 2 * marks[-1] - marks[-2])


def _length(shown: pd.DataFrame, fps: float) -> dict[str, object]:
    length = int(shown["index"].iloc[-1] - shown["index"].iloc[0]) + 1
    return {
        "length": length,
        "duration": length / fps,
        "length_bucket": bucket(length, (51, 101, 301), limits.LENGTH_BUCKETS),
    }


def _similarity(seen: Observations, object_id: int) -> dict[str, object]:
    """Similarity to other objects, in view together and never so."""
    row: dict[str, Any] = {}
    together = {
        other: value
        for (one, other), value in seen.similarity.items()
        if one == object_id
    }
    if together:
        row["similar_to"] = max(together, key=together.__getitem__)
        row["similarity"] = together[row["similar_to"]]
    if object_id in seen.descriptors:
        mine = seen.descriptors[object_id]
        apart = [
            float(mine @ other)
            for key, other in seen.descriptors.items()
            if key != object_id and key not in together
        ]
        if apart:
            row["similarity_apart"] = max(apart)
    return row


def _tags(
    row: Mapping[str, Any], frames: pd.DataFrame, *, alone: bool
) -> dict[str, bool | None]:
    """Computed tags; None where their value could not be measured."""
    dip = frames["visibility_dip"] > limits.OCCLUDED_DIP
    dip &= alone | (frames["contact"] > 0)
    shown = frames["visible"].sum()
    split = (frames["components"] > 1).sum()
    occluded = max(dip.sum(), split) >= limits.OCCLUDED_SHARE * shown
    occluded |= row.get("hidden", 0) > 0

    def over(name: str, limit: float) -> bool | None:
        value = row.get(name, np.nan)
        return None if np.isnan(value) else bool(value > limit)

    def below(name: str, limit: float) -> bool | None:
        value = row.get(name, np.nan)
        return None if np.isnan(value) else bool(value < limit)

    returns = row.get("longest_return", np.nan)
    return {
        # One frame shows what cuts an object up, but no dip and no absence.
        "auto_OCC": None if len(frames) < 2 and not occluded else bool(occluded),
        "auto_DR": over("reappearances", 0),
        "auto_LRA": None
        if np.isnan(returns)
        else bool(returns >= limits.LONG_GAP_SECONDS),
        "auto_LD": over("duration", limits.LONG_SECONDS),
        "auto_FM": over("mean_speed", limits.FAST_SPEED),
        "auto_LR": below("box_size", limits.SMALL_BOX),
        "auto_SV": below("box_ratio", limits.SCALE_BOX_RATIO),
        "auto_OV": over("border_touch", limits.BORDER_SHARE),
        "auto_OUT": over("left_frame", 0),
        "auto_MS": over("scene_cuts", 0),
    }

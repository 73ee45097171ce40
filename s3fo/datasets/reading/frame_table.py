"""J and F of one video, frame by frame, as a table."""

from __future__ import annotations

from pathlib import PurePath

import fiftyone as fo
import pandas as pd

from evaluation.metrics.worst import worst_position
from s3fo.datasets._fiftyone import last_frame_change
from s3fo.datasets.field_names import GROUND_TRUTH
from s3fo.datasets.reading.cache import cached
from s3fo.datasets.reading.tables import (
    matched_proposals,
    prediction_field,
)


def object_frames(dataset: fo.Dataset, eval_key: str, sample_id: str) -> pd.DataFrame:
    """Scores of one video, frame by frame.

    Returns:
        One row per object and scored frame: object, number (of the frame, from 1), J,
        F, visible (whether the ground truth shows the object), overlap (share of its
        box under the boxes of other objects; NaN where it is not visible).
    """
    field = prediction_field(dataset, eval_key)
    matched = matched_proposals(dataset, eval_key, sample_id)
    return cached(
        dataset,
        ("frames", eval_key, sample_id),
        (field, str(matched), last_frame_change(dataset, sample_id)),
        lambda: _read_frames(dataset.select(sample_id), field, eval_key, matched),
    )


def frame_files(dataset: fo.Dataset, sample_id: str) -> list[str]:
    """Names of a video's frame files without their endings, in order.

    The frame with number n, as players count, is at position n - 1.
    """
    return cached(
        dataset,
        ("frame files", sample_id),
        last_frame_change(dataset, sample_id),
        lambda: [
            PurePath(path).stem
            for path in dataset.select(sample_id).values("frames.filepath")[0]
        ],
    )


def worst_frame(
    dataset: fo.Dataset, eval_key: str, sample_id: str, object_id: int
) -> int:
    """Number of the frame in which an object's J&F is lowest, from 1.

    An object that was not scored in any frame gives 1.
    """
    found = lowest(dataset, eval_key, sample_id, object_id)
    return found[1] if found else 1


def lowest(
    dataset: fo.Dataset, eval_key: str, sample_id: str, object_id: int | None = None
) -> tuple[int, int] | None:
    """Where J&F is lowest in a video, by the rule of `worst_position`.

    Args:
        dataset: evaluated.
        eval_key: the evaluation.
        sample_id: of the video.
        object_id: of this object; None looks at all.

    Returns:
        Object and number of the frame, from 1; None where nothing was scored.
    """
    frames = object_frames(dataset, eval_key, sample_id).dropna(subset=["J", "F"])
    if object_id is not None:
        frames = frames[frames["object"] == object_id]
    if frames.empty:
        return None
    row = frames.iloc[worst_position((frames["J"] + frames["F"]) / 2)]
    return int(row["object"]), int(row["number"])


def _read_frames(
    view: fo.DatasetView, field: str, eval_key: str, matched: dict[int, int] | None
) -> pd.DataFrame:
    paths = [f"frames.{field}.detections.{name}" for name in ("index", "J", "F")]
    truth = f"frames.{GROUND_TRUTH}.detections"
    paths += [f"{truth}.{name}" for name in ("index", "bounding_box", eval_key)]
    columns = view.values(["frames.frame_number", *paths])
    rows = []
    for number, ids, regions, contours, seen, boxes, match_status in zip(
        *(column[0] for column in columns), strict=True
    ):
        shown = dict(zip(seen or (), boxes or (), strict=True))
        scored = {
            object_id if matched is None else matched[object_id]: (j, f)
            for object_id, j, f in zip(
                ids or (), regions or (), contours or (), strict=True
            )
            if matched is None or object_id in matched
        }
        for object_id, status in zip(seen or (), match_status or (), strict=True):
            if status == "fn":
                # Nothing was predicted, so there is no label to carry the zeros.
                scored.setdefault(object_id, (0.0, 0.0))
        for object_id in sorted({*shown, *scored}):
            j, f = scored.get(object_id, (None, None))
            rows.append(
                (
                    object_id,
                    number,
                    j,
                    f,
                    object_id in shown,
                    _overlap(object_id, shown),
                )
            )
    names = ["object", "number", "J", "F", "visible", "overlap"]
    table = pd.DataFrame(rows, columns=names)
    return table.astype({"J": float, "F": float})


def _overlap(object_id: int, boxes: dict[int, list[float]]) -> float:
    """Largest share of an object's box under the box of another object."""
    if object_id not in boxes:
        return float("nan")
    left, top, width, height = boxes[object_id]
    largest = 0.0
    for other, (x, y, w, h) in boxes.items():
        if other == object_id or width * height == 0:
            continue
        across = max(0.0, min(left + width, x + w) - max(left, x))
        down = max(0.0, min(top + height, y + h) - max(top, y))
        largest = max(largest, across * down / (width * height))
    return largest

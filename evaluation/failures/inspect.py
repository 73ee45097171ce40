"""One video: what is wrong with each object in each evaluated frame."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from evaluation.attributes.regions import Region, regions_of
from evaluation.failures.events import describe_event, find_events
from evaluation.failures.kinds import FailureKind, Verdict, classify, late_recovery
from evaluation.failures.overlap import Overlap, measure_overlap
from evaluation.masks.pairs import Masks

FrameMasks = tuple[str, Masks, Masks]
"""Frame name, ground truth, prediction under the ids of the ground truth."""


def inspect_video(
    masks: Iterable[FrameMasks], scored: pd.DataFrame, min_loss: float, bridge: int
) -> tuple[pd.DataFrame, list[dict[str, object]]]:
    """Name the failures of one video.

    Args:
        masks: its annotated frames in playing order.
        scored: evaluated frames of its objects, with columns `object`, `frame`, `J`,
            `F`, `loss` and `cost`.
        min_loss: frames that lose less than this belong to no event.
        bridge: see `find_events`.

    Returns:
        `scored`, by object and time, with `index` (of the frame among the annotated
        ones), `visible`, `error` (wrong pixels), `kind`, `other`, `mutual` (the other
        object is predicted here in turn) and `event` (number within the video, -1
        for none); and the rows of the events.
    """
    frames, verdicts, first_seen = _look(masks, scored)
    tables: list[pd.DataFrame] = []
    events: list[dict[str, Any]] = []
    for object_id, rows in frames.groupby("object", sort=True).indices.items():
        part = frames.iloc[rows]
        seen_before = first_seen.get(int(str(object_id)), 0) < part["index"].iloc[0]
        named = late_recovery(
            [verdicts[row] for row in rows], part["visible"].tolist(), seen_before
        )
        member = np.full(len(part), -1)
        for event in find_events(_failing(named, part["loss"], min_loss), bridge):
            member[event.start : event.end] = len(events)
            mutual = bool(part["mutual"].iloc[event.start : event.end].any())
            row = describe_event(event, part)
            events.append({"object": int(str(object_id)), **row, "mutual": mutual})
        tables.append(
            part.assign(
                kind=[kind.value if kind else "" for kind, _ in named],
                other=[other for _, other in named],
                event=member,
            )
        )
    return pd.concat(tables, ignore_index=True), events


def _failing(
    verdicts: Sequence[Verdict], losses: pd.Series, min_loss: float
) -> list[Verdict]:
    """Verdicts, none where too little is lost."""
    return [
        verdict if loss >= min_loss else (None, 0)
        for verdict, loss in zip(verdicts, losses, strict=True)
    ]


def _look(
    masks: Iterable[FrameMasks], scored: pd.DataFrame
) -> tuple[pd.DataFrame, list[Verdict], dict[int, int]]:
    """Compare all masks.

    Returns:
        The scored rows with what was seen, their verdicts, and the index of the
        first annotated frame that shows each object.
    """
    wanted: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for scored_row in scored.to_dict("records"):
        wanted[scored_row["frame"]].append({str(k): v for k, v in scored_row.items()})
    rows: list[dict[str, Any]] = []
    verdicts: list[Verdict] = []
    first_seen: dict[int, int] = {}
    for index, (frame, truth, predicted) in enumerate(masks):
        objects = regions_of(truth)
        for object_id in objects:
            first_seen.setdefault(object_id, index)
        if frame not in wanted:
            continue
        predictions, shape = regions_of(predicted), _shape(truth, predicted)
        for row in wanted[frame]:
            overlap = _overlap(row, objects, predictions, shape)
            kind, other = classify(overlap)
            wrong = overlap.gt_area + overlap.pred_area - 2 * overlap.intersection
            rows.append(
                row
                | {
                    "index": index,
                    "visible": row["object"] in objects,
                    "error": wrong,
                    "mutual": kind is FailureKind.IDENTITY_SWAP
                    and 2 * overlap.taken_by.get(other, 0) >= overlap.gt_area,
                }
            )
            verdicts.append((kind, other))
    return pd.DataFrame(rows), verdicts, first_seen


def _overlap(
    row: Mapping[str, Any],
    objects: Mapping[int, Region],
    predictions: Mapping[int, Region],
    shape: tuple[int, int],
) -> Overlap:
    if row["loss"] == 0:
        region = objects.get(row["object"])
        area = region.area if region else 0
        return Overlap(area, area, area)
    return measure_overlap(row["object"], objects, predictions, shape)


def _shape(*masks: Masks) -> tuple[int, int]:
    for one in masks:
        for array in one.values() if isinstance(one, Mapping) else [one]:
            return array.shape[0], array.shape[1]
    return 0, 0

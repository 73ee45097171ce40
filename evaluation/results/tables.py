"""Lay the scores of sequences out as the tables of `Scores`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from evaluation.metrics.video import SequenceScores
from evaluation.protocols import ScoringProtocol


def frame_table(sequences: Sequence[SequenceScores]) -> dict[str, Sequence[Any]]:
    """The `frames` table: one row per object and frame.

    Numbers are kept as arrays: there may be millions of rows.
    """
    names: dict[str, list[str]] = {"sequence": [], "frame": []}
    numbers: dict[str, list[Any]] = {}
    for scores in sequences:
        objects, frames = np.nonzero(scores.counted)
        names["sequence"] += [scores.name] * len(objects)
        names["frame"] += [scores.frames[t] for t in frames]
        numbers.setdefault("object", []).append(scores.object_ids[objects])
        for column in ("J", "F", "F_adaptive", "gt_area", "pred_area", "gt_digest"):
            values = getattr(scores, column)
            if values is not None:
                wide = np.float64 if values.dtype.kind == "f" else np.int64
                values = values[objects, frames].astype(wide)
                numbers.setdefault(column, []).append(values)
    arrays: dict[str, Any] = {k: np.concatenate(parts) for k, parts in numbers.items()}
    first = {
        "sequence": names["sequence"],
        "object": arrays.pop("object"),
        "frame": names["frame"],
    }
    return {**first, **arrays}


def object_table(
    sequences: Sequence[SequenceScores],
    protocol: ScoringProtocol,
    unseen: Collection[str] | None = None,
) -> dict[str, list[Any]]:
    """The `objects` table: one row per object.

    Args:
        sequences: scores of the sequences.
        protocol: says how statistics are taken.
        unseen: sequences and ``"sequence/object"`` of the group ``"unseen"``; None
            leaves the column `group` out.
    """
    rows: list[dict[str, Any]] = []
    for scores in sequences:
        for o, statistics in enumerate(scores.object_statistics(protocol)):
            object_id = int(scores.object_ids[o])
            row = {"sequence": scores.name, "object": object_id, **statistics}
            row["n_frames"] = int(np.count_nonzero(scores.counted[o]))
            if unseen is not None:
                known = not {scores.name, f"{scores.name}/{object_id}"} & set(unseen)
                row["group"] = "seen" if known else "unseen"
            if scores.proposal_ids is not None:
                row["proposal"] = int(scores.proposal_ids[o])
            rows.append(row)
    return {column: [row[column] for row in rows] for column in rows[0]}


def track_table(sequences: Sequence[SequenceScores]) -> dict[str, list[Any]] | None:
    """Counts of the tracking metrics: one row per sequence and class.

    Returns:
        Columns; None where the protocol has no tracking metrics.
    """
    rows = [
        {"sequence": scores.name, **row}
        for scores in sequences
        for row in scores.track_rows
    ]
    if not rows:
        return None
    return {column: [row[column] for row in rows] for column in rows[0]}

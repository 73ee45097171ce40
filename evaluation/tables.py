"""Lay the scores of sequences out as the tables of `Scores`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from evaluation.protocols import Protocol
from evaluation.sequence_scores import SequenceScores


def frame_table(sequences: Sequence[SequenceScores]) -> dict[str, list[Any]]:
    """The `frames` table: one row an object and counted frame."""
    table: dict[str, list[Any]] = {}
    for scores in sequences:
        for column, values in _frame_columns(scores).items():
            table.setdefault(column, []).extend(values)
    return table


def object_table(
    sequences: Sequence[SequenceScores],
    protocol: Protocol,
    unseen: Collection[str] | None = None,
) -> dict[str, list[Any]]:
    """The `objects` table: one row an object.

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


def _frame_columns(scores: SequenceScores) -> dict[str, list[Any]]:
    objects, frames = np.nonzero(scores.counted)
    columns: dict[str, list[Any]] = {
        "sequence": [scores.name] * len(objects),
        "object": scores.object_ids[objects].tolist(),
        "frame": [scores.frames[t] for t in frames],
        "J": scores.J[objects, frames].tolist(),
        "F": scores.F[objects, frames].tolist(),
    }
    if scores.F_adaptive is not None:
        columns["F_adaptive"] = scores.F_adaptive[objects, frames].tolist()
    columns["gt_area"] = scores.gt_area[objects, frames].tolist()
    columns["pred_area"] = scores.pred_area[objects, frames].tolist()
    return columns

"""Scores told again without the frames in which the ground truth is confirmed wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from evaluation._utils.names import counted
from evaluation.audit.tables import Audit
from evaluation.errors import InputError
from evaluation.metrics.video import SequenceScores
from evaluation.results.ground_truths import (
    note_other_masks,
    note_other_name,
    object_names,
)
from evaluation.results.scores import Scores
from evaluation.results.tables import object_table

_KEYS = ["sequence", "object", "frame"]


def scores_without(scores: Scores, audit: Audit) -> Scores:
    """The scores over all frames but those of an audit's events.

    Args:
        scores: of any results under the audited ground truth.
        audit: its confirmed events only, as `Audit.confirmed` gives them.

    Returns:
        Scores of the frames that are left. An object without any is left out. What
        cannot be told from single frames (tracking metrics; disappearance and
        reappearance) is left out; a note says so, and how many frames went.

    Raises:
        InputError: no frame is left.
    """
    left_out = audit.frames[_KEYS].drop_duplicates().astype({"frame": str})
    frames = scores.frames.astype({"frame": str})
    marked = frames.merge(left_out, on=_KEYS, how="left", indicator=True)
    kept = scores.frames[(marked["_merge"] == "left_only").to_numpy()]
    if not len(kept):
        raise InputError(
            "confirmed events",
            f"events on all {len(frames)} scored frames",
            "at least one scored frame without them",
            "Confirm fewer events, or correct the ground truth and score again.",
        )
    gone = len(frames) - len(kept)
    note = (
        f"without {gone} of {len(frames)} object frames whose ground truth is "
        "confirmed wrong; tracking metrics, disappearance and reappearance are not told"
    )
    return replace(
        scores,
        frame_columns={str(name): kept[name].tolist() for name in kept},
        object_columns=_objects(scores, kept),
        notes=(*scores.notes, note, *_note_other_truth(scores, audit)),
        track_columns=None,
    )


def side_by_side(scores: Scores, audit: Audit) -> pd.DataFrame:
    """Every score as published, and without the confirmed events.

    Returns:
        Columns `metric`, `all`, `without` and `difference` (without - all), fractions
        0..1; metrics that are not told without are left out. Its `attrs["notes"]`
        say what keeps audit and scores from going together.
    """
    without = scores_without(scores, audit).summary
    rows = [
        {"metric": name, "all": value, "without": without[name]}
        for name, value in scores.summary.items()
        if name in without
    ]
    table = pd.DataFrame(rows, columns=["metric", "all", "without"])
    table = table.assign(difference=table["without"] - table["all"])
    table.attrs["notes"] = _note_other_truth(scores, audit)
    return table


def _note_other_truth(scores: Scores, audit: Audit) -> list[str]:
    """Notes where an audit is of another ground truth than scores were made against."""
    named = note_other_name(audit.ground_truth, scores.inputs.get("ground_truth", ""))
    notes = [f"the audit and the scores are of {note}" for note in named]
    notes += note_other_masks(scores, audit.frames, "the scores", "audit")
    scored = set(zip(*(scores.object_columns[k] for k in _KEYS[:2]), strict=True))
    found = dict.fromkeys(zip(*(audit.frames[k] for k in _KEYS[:2]), strict=True))
    unknown = [(str(s), int(k)) for s, k in found if (s, k) not in scored]
    if unknown:
        notes.append(
            f"{counted(len(unknown), 'object')} of the confirmed events "
            f"{'is' if len(unknown) == 1 else 'are'} not scored "
            f"({object_names(unknown)}): these events change nothing"
        )
    return notes


def _objects(scores: Scores, kept: pd.DataFrame) -> dict[str, list[Any]]:
    """The `objects` table of the frames that are left, in the order of all objects."""
    parts = dict(iter(kept.groupby(["sequence", "object"], sort=False)))
    keys = list(
        zip(
            scores.object_columns["sequence"], scores.object_columns["object"],
            strict=True,
        )
    )  # fmt: skip
    places = [place for place, key in enumerate(keys) if key in parts]
    alone = [_of_one(keys[place], parts[keys[place]]) for place in places]
    table = object_table(alone, scores.protocol)
    for column in ("group", "proposal"):
        if column in scores.object_columns:
            known = scores.object_columns[column]
            table[column] = [known[place] for place in places]
    return table


def _of_one(key: tuple[str, int], rows: pd.DataFrame) -> SequenceScores:
    """One object as a video of its own, by which its statistics are taken."""
    count = len(rows)

    def wide(name: str) -> Any:
        return rows[name].to_numpy()[None] if name in rows else None

    return SequenceScores(
        name=key[0],
        frames=tuple(rows["frame"]),
        object_ids=np.array([key[1]]),
        proposal_ids=None,
        J=wide("J"),
        F=wide("F"),
        F_adaptive=wide("F_adaptive"),
        gt_area=wide("gt_area"),
        pred_area=wide("pred_area"),
        gt_digest=wide("gt_digest"),
        # Segments of absence are broken where frames are missing: they are not told.
        annotated=np.zeros((1, count), dtype=bool),
        counted=np.ones((1, count), dtype=bool),
    )

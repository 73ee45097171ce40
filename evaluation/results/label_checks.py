"""Look at the labels found in masks: refuse what must be a mistake, note the odd."""

from __future__ import annotations

import numpy as np

from evaluation.counting.video import SequenceCounts
from evaluation.errors import InputError
from evaluation.metrics.video import SequenceScores
from evaluation.options import InputOptions
from evaluation.protocols import VOID, Protocol

MAX_PROPOSALS = 20
"""Proposals a video that DAVIS takes in the unsupervised task."""

MANY_IDS = 16
"""Predicted ids without an object from which masks look anti-aliased."""


def check_labels(
    counts: SequenceCounts,
    protocol: Protocol,
    options: InputOptions,
    results: str,
    truth: str,
) -> list[str]:
    """Compare the labels of one video's prediction with those of its ground truth.

    Returns:
        Notes about labels that do no harm but may not be meant.

    Raises:
        InputError: one side is written as 0 and 255, the other as object ids.
    """
    if options.binarize:
        return []
    gt, pred = set(counts.gt_labels.tolist()), set(counts.pred_labels.tolist())
    _refuse_white(results, counts.name, pred, gt)
    if protocol.objects != "foreground":
        # DAVIS-2016 itself publishes 0/255.
        _refuse_white(truth, counts.name, gt, pred)
    if gt == {VOID} and protocol.void_label == VOID:
        raise _white(truth, counts.name, "object ids from 1 on")
    if protocol.matching == "proposals" and len(pred) > MAX_PROPOSALS:
        raise InputError(
            f"{results}, sequence {counts.name}",
            f"{len(pred)} proposals",
            f"at most {MAX_PROPOSALS}",
            "Keep the best proposals, with one id through the whole video.",
        )
    if protocol.objects == "foreground" or protocol.matching != "by-id":
        return []
    notes = []
    extra = sorted(pred - gt - {0})
    if len(extra) >= MANY_IDS:
        notes.append(
            f"{counts.name}: predicted masks hold {len(extra)} ids that are no "
            "objects; were they smoothed or resized with interpolation?"
        )
    elif extra:
        listed = ", ".join(map(str, extra))
        notes.append(f"{counts.name}: predicted ids {listed} are no objects; ignored")
    if VOID in gt and protocol.void == "object" and options.void is None:
        notes.append(
            f"{counts.name}: 255 in the ground truth counts as an object under "
            f"{protocol.name}; say void=255 (--void 255) if it marks unclear pixels"
        )
    return notes


def note_objects(
    counts: SequenceCounts, scores: SequenceScores, protocol: Protocol
) -> list[str]:
    """Notes about objects that are scored in an unexpected way, or not at all."""
    notes = []
    scored = set(scores.object_ids.tolist())
    void = {protocol.void_label}
    unscored = set(counts.object_ids.tolist()) - scored - void
    if not scored:
        notes.append(f"{counts.name} was skipped: no object to score")
    elif unscored:
        listed = ", ".join(map(str, sorted(unscored)))
        why = (
            "not among the objects of the first frame"
            if protocol.objects.startswith("first-frame")
            else "in no scored frame"
        )
        notes.append(f"{counts.name}: objects {listed} are not scored ({why})")
    for i, object_id in enumerate(scores.object_ids.tolist()):
        visible = bool(np.any(scores.gt_area[i] > 0))
        if not visible:
            notes.append(
                f"{counts.name}: object {object_id} is visible in no scored frame; it "
                "scores whether the prediction stays empty"
            )
    return notes


def _refuse_white(where: str, sequence: str, one: set[int], other: set[int]) -> None:
    """Refuse 0/255 masks on one side where 255 is no label of the other."""
    if one == {VOID} and other and VOID not in other:
        listed = ", ".join(map(str, sorted(other)[:5]))
        raise _white(where, sequence, f"object ids as on the other side ({listed})")


def _white(where: str, sequence: str, expected: str) -> InputError:
    return InputError(
        f"{where}, sequence {sequence}",
        "masks of 0 and 255",
        expected,
        "Write ids, or take whatever is not 0 as object 1 (binarize=True, --binarize).",
    )

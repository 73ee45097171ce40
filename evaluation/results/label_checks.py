"""Look at the labels found in masks: refuse what must be a mistake, note the odd."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from evaluation.counting.video import SequenceCounts
from evaluation.errors import InputError
from evaluation.masks.encoding import fills_corners, refuse_soft
from evaluation.masks.pairs import SequencePair
from evaluation.masks.prepare import video_options
from evaluation.masks.sequence import MaskSequence
from evaluation.metrics.video import SequenceScores
from evaluation.options import InputOptions
from evaluation.protocols import VOID, ScoringProtocol

MAX_PROPOSALS = 20
"""Proposals per video that DAVIS takes in the unsupervised task."""

MANY_IDS = 16
"""Predicted ids without an object from which masks look anti-aliased."""

_HIGH = 64
"""Ids above this, of many objects or of few, are worth a look at the mask."""

_BINARIZE = "take whatever is not 0 as object 1 (binarize=True, --binarize)"


def check_labels(
    counts: SequenceCounts,
    protocol: ScoringProtocol,
    options: InputOptions,
    results: str,
    truth: str,
    pair: SequencePair | None = None,
) -> list[str]:
    """Compare the labels of one video's prediction with those of its ground truth.

    Args:
        counts: of the video, with the labels that were found.
        protocol: the rules.
        options: how masks were preprocessed.
        results: what to call the results.
        truth: what to call the ground truth.
        pair: the masks, to look at where labels look odd.

    Returns:
        Notes about labels that do no harm but may not be meant.

    Raises:
        InputError: one side is written in another way than the other, or with soft
            edges.
    """
    if options.binarize:
        return []
    name = counts.name
    gt, pred = set(counts.gt_labels.tolist()), set(counts.pred_labels.tolist())
    if pair is not None:
        _refuse_soft_edges(pair, gt, pred)
    if video_options(gt, protocol, options) != options:
        return [_binary_truth(results, name, pred)]
    _refuse_white(results, name, pred, gt)
    if protocol.objects != "foreground":
        # DAVIS-2016 itself publishes 0/255.
        _refuse_white(truth, name, gt, pred)
    if gt == {VOID} and protocol.void_label == VOID:
        raise _white(truth, name, "object ids from 1 on")
    if protocol.matching == "proposals" and len(pred) > MAX_PROPOSALS:
        raise InputError(
            f"{results}, sequence {name}",
            f"{len(pred)} proposals",
            f"at most {MAX_PROPOSALS}",
            "Keep the best proposals, with one id through the whole video.",
        )
    if protocol.objects == "foreground" or protocol.matching != "by-id":
        return [] if pair is None else _check_inverted(pair, pred)
    _refuse_foreign(results, name, pred, gt)
    return [
        *_extra_ids(name, pred - gt - {0}),
        *_void(name, gt, pred, protocol, options),
        *([] if pair is None else _check_inverted(pair, pred)),
    ]


def _extra_ids(name: str, extra: set[int]) -> list[str]:
    if len(extra) >= MANY_IDS:
        return [
            f"{name}: predicted masks hold {len(extra)} ids that are no objects; were "
            "they smoothed or resized with interpolation?"
        ]
    if extra:
        listed = ", ".join(map(str, sorted(extra)))
        return [f"{name}: predicted ids {listed} are no objects; ignored"]
    return []


def _void(
    name: str,
    gt: set[int],
    pred: set[int],
    protocol: ScoringProtocol,
    options: InputOptions,
) -> list[str]:
    """What becomes of 255 in the ground truth, where that may not be meant."""
    if VOID not in gt or options.void is not None:
        return []
    if protocol.void == "object":
        return [
            f"{name}: 255 in the ground truth counts as an object under "
            f"{protocol.name}; say void=255 (--void 255) if it marks unclear pixels"
        ]
    odd = VOID in pred or max(gt - {VOID}, default=0) > _HIGH
    if protocol.void == "background" or odd:
        what = "background" if protocol.void == "background" else "left out"
        return [
            f"{name}: 255 in the ground truth marks unclear pixels under "
            f"{protocol.name} and is {what}; give it another id if it is an object"
        ]
    return []


def _check_inverted(pair: SequencePair, pred: set[int]) -> list[str]:
    """A note where one predicted object fills the frame and no true object does."""
    if len(pred) != 1 or pair.pred is None or not pair.pred_frames:
        return []
    frame = next((f for f in pair.frames if f in pair.pred_frames), None)
    if frame is None:
        return []
    gt, own = pair.read(frame)
    if isinstance(gt, dict) or own is None or isinstance(own, dict):
        return []
    if fills_corners(own) and not fills_corners(gt):
        return [
            f"{pair.name}: the predicted object fills all corners and most of the "
            "frame; are the masks inverted?"
        ]
    return []


def _refuse_soft_edges(pair: SequencePair, gt: set[int], pred: set[int]) -> None:
    """Refuse masks whose many high labels are grey levels.

    Raises:
        InputError: a mask of the first frames has soft edges.
    """
    if _is_suspicious(gt):
        _refuse_soft_frame(pair.gt, pair.gt.frames[:1])
    if _is_suspicious(pred - gt) and pair.pred is not None:
        wanted = (pair.pred_frames[f] for f in pair.frames if f in pair.pred_frames)
        _refuse_soft_frame(pair.pred, list(wanted)[:3])


def _is_suspicious(labels: set[int]) -> bool:
    return len(labels) >= 4 and max(labels - {VOID}, default=0) >= _HIGH


def _refuse_soft_frame(masks: MaskSequence, frames: Iterable[str]) -> None:
    for frame in frames:
        label_map = masks.read(frame)
        if not isinstance(label_map, dict):
            refuse_soft(
                label_map,
                masks.where(frame),
                "Write the masks without smoothing (resize with nearest neighbours), "
                f"or {_BINARIZE}.",
            )


def _binary_truth(results: str, name: str, pred: set[int]) -> str:
    """The note on a video whose ground truth is 0 and 255.

    Raises:
        InputError: the prediction has several objects.
    """
    if len(pred - {0}) > 1:
        listed = ", ".join(map(str, sorted(pred)[:5]))
        raise InputError(
            f"{results}, sequence {name}",
            f"several objects (ids {listed})",
            "one object, as the ground truth is a mask of 0 and 255",
            f"Give ground truth with ids, or {_BINARIZE}.",
        )
    return (
        f"{name}: masks of the ground truth are 0/255: every non-zero pixel is object 1"
    )


def _refuse_foreign(results: str, name: str, pred: set[int], gt: set[int]) -> None:
    """Refuse predictions none of whose ids the ground truth has.

    Raises:
        InputError: they would score 0 throughout.
    """
    own, pred = gt - {VOID}, pred - {0}
    if not own or not pred or pred & gt:
        return
    listed = ", ".join(map(str, sorted(pred)[:5]))
    wanted = ", ".join(map(str, sorted(own)[:5]))
    many = "ids" if len(pred) > 1 else "the single id"
    fix = "Write the ids of the ground truth"
    fix += f", or {_BINARIZE}." if len(pred) == len(own) == 1 else "."
    raise InputError(
        f"{results}, sequence {name}",
        f"{many} {listed}, which no object has",
        f"ids of the ground truth ({wanted})",
        fix,
    )


def note_objects(
    counts: SequenceCounts, scores: SequenceScores, protocol: ScoringProtocol
) -> list[str]:
    """Notes about objects that are scored in an unexpected way, or not at all."""
    notes = []
    scored = set(scores.object_ids.tolist())
    void = {protocol.void_label}
    unscored = sorted(set(counts.object_ids.tolist()) - scored - void)
    listed = ", ".join(map(str, unscored))
    if unscored and protocol.objects.startswith("first-frame"):
        notes.append(
            f"{counts.name}: objects {listed} are not scored: they appear after the "
            f"first frame, and {protocol.name} leaves such objects out"
        )
    elif unscored and scored:
        notes.append(
            f"{counts.name}: objects {listed} are not scored (in no scored frame)"
        )
    if not scored:
        why = f" (objects {listed} are in no scored frame)" if unscored else ""
        why = "" if notes else why
        notes.append(f"{counts.name} was skipped: no object to score{why}")
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
        f"Write ids, or {_BINARIZE}.",
    )

"""Look at masks again where their labels look odd: soft edges, inverted masks."""

from __future__ import annotations

import numpy as np

from evaluation.masks.encoding import fills_corners, refuse_soft
from evaluation.masks.label_map import Mask
from evaluation.masks.pairs import Masks, SequencePair
from evaluation.protocols import VOID

HIGH = 64
"""Ids above this, of many objects or of few, are worth a look at the mask."""

BINARIZE = "take whatever is not 0 as object 1 (binarize=True, --binarize)"

_LOOKED_AT = 8
"""Frames of a video, evenly spread, that are looked at."""


def is_suspicious(labels: set[int]) -> bool:
    """Whether labels may be grey levels."""
    return len(labels) >= 4 and max(labels - {VOID}, default=0) >= HIGH


def refuse_soft_edges(pair: SequencePair, gt: set[int], pred: set[int]) -> None:
    """Refuse label maps whose many high labels are grey levels.

    Args:
        pair: the video.
        gt: labels in the ground truth.
        pred: labels in the prediction.

    Raises:
        InputError: a mask has soft edges.
    """
    if is_suspicious(gt):
        for frame in _spread(pair.gt.frames):
            _refuse_soft(pair.gt.read(frame), pair.gt.where(frame))
    if is_suspicious(pred - gt) and pair.pred is not None:
        there = [pair.pred_frames[f] for f in pair.frames if f in pair.pred_frames]
        for frame in _spread(tuple(there)):
            _refuse_soft(pair.pred.read(frame), pair.pred.where(frame))


def _refuse_soft(masks: Masks, where: str) -> None:
    if not isinstance(masks, dict):  # masks of one object are checked when read
        refuse_soft(
            masks,
            where,
            "Write the masks without smoothing (resize with nearest neighbours), "
            f"or {BINARIZE}.",
        )


def inverted(pair: SequencePair, *, merged: bool = False) -> list[str]:
    """Notes where one object fills the frame, as it does in inverted masks.

    Args:
        pair: the video.
        merged: whether all objects of a label map count as one.
    """
    there = tuple(frame for frame in pair.frames if frame in pair.pred_frames)
    found: set[int] = set()
    true: set[int] = set()
    full, true_background = bool(there) and not merged, False
    for frame in _spread(there):
        gt, own = pair.read(frame)
        filling = _filling(gt, merged)
        true |= filling if len(_objects(gt, merged)) == 1 else set()
        found |= set() if filling or own is None else _filling(own, merged)
        full = (
            full and not isinstance(own, dict) and own is not None and bool(own.all())
        )
        true_background |= isinstance(gt, dict) or not gt.all()
    notes = []
    if full and true_background:
        notes.append(
            f"{pair.name}: no pixel of the prediction is 0, so that every pixel "
            "belongs to an object; is one of its ids the background?"
        )
    if found:
        which = "the predicted object fills"
        if len(found) > 1:
            which = f"predicted objects {', '.join(map(str, sorted(found)))} fill"
        notes.append(
            f"{pair.name}: {which} all corners and most of the frame; are the masks "
            "inverted?"
        )
    if true:
        notes.append(
            f"{pair.name}: the only object of the ground truth fills all corners and "
            "most of the frame; are its masks inverted?"
        )
    return notes


def _filling(masks: Masks, merged: bool) -> set[int]:
    return {k for k, mask in _objects(masks, merged).items() if fills_corners(mask)}


def _objects(masks: Masks, merged: bool) -> dict[int, Mask]:
    """Masks by object; of a label map, only if it is one object."""
    if isinstance(masks, dict):
        return masks
    labels = np.unique(masks[masks != 0]).tolist()
    if not labels or (len(labels) > 1 and not merged):
        return {}
    return {labels[0]: np.asarray(masks != 0)}


def _spread(frames: tuple[str, ...]) -> tuple[str, ...]:
    """The first, the last, and some between."""
    places = np.linspace(0, len(frames) - 1, min(_LOOKED_AT, len(frames))).astype(int)
    return tuple(frames[k] for k in dict.fromkeys(places.tolist()))

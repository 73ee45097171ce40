"""Masks that hardly fit even the frame in which a method is given the objects.

Where nothing says in which other way masks should be read, this still does: a method
that starts from true masks fits them in that frame, however soon it loses the objects.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from evaluation.counting.counts import GT_AREA, INTERSECTION, PRED_AREA
from evaluation.counting.video import SequenceCounts
from evaluation.errors import InputError
from evaluation.masks.label_map import Mask
from evaluation.masks.numbering import mask_iou
from evaluation.masks.pairs import Masks, SequencePair
from evaluation.protocols import ScoringProtocol
from evaluation.results.checks.masks import foreground

_POOR = 0.5
"""J of an object over the video, and in its first scored frame, below which its mask
in the given frame is looked at."""

_UNLIKE = 0.3
"""J in the given frame below which a mask is not that of the object. Masks drawn at a
quarter of the resolution have 0.9 or more there, small ones 0.6."""

_ALL_POOR, _ALL_UNLIKE = 0.75, 0.6
"""The same of all objects together."""

_SMALLEST, _ALL_SMALLEST = 1 / 2000, 1 / 200
"""Part of the frame below which the resolution may cost an object, or all, its mask."""


def gives_masks(protocol: ScoringProtocol) -> bool:
    """Whether methods that a protocol is made for are given the first masks."""
    if protocol.matching != "by-id" or protocol.objects == "foreground":
        return False
    return protocol.frames != "all" or protocol.objects == "from-appearance"


def names_a_cause(name: str, notes: Collection[str]) -> bool:
    """Whether a note on a video asks for a cause: those that do are questions."""
    return any("?" in note.removeprefix(name) for note in notes)


def unlike_given(
    pair: SequencePair, counts: SequenceCounts, *, by_id: bool
) -> list[str]:
    """A note where masks hardly fit the first annotated frame, nor those that follow.

    That frame is read only where objects fit badly from the first scored frame on.

    Args:
        pair: the video, of a protocol that gives its first masks.
        counts: its pixel counts.
        by_id: whether objects are compared by their ids, or as one.
    """
    of_objects = counts.counts.astype(np.int64)
    rows = zip(counts.object_ids.tolist(), of_objects, strict=True)
    suspects = [key for key, own in rows if _is_poor(own, _POOR)]
    together = _is_poor(of_objects.sum(axis=0), _ALL_POOR)
    first = pair.gt.frames[0]
    if not (suspects or together) or first not in pair.pred_frames:
        return []
    try:
        gt, own = pair.read(first)
    except InputError:
        return []  # it is not scored, and may be anything
    if own is None:
        return []
    ids = suspects if by_id else []
    pairs = _by_object(gt, own, ids)
    unlike = [k for k, true, found in pairs if _are_unlike(true, found)]
    everything = foreground(gt), foreground(own)
    if not unlike and not (
        together and _are_unlike(*everything, _ALL_UNLIKE, _ALL_SMALLEST)
    ):
        return []
    return [_tell(pair.name, first, unlike, counts)]


def fits_given(pair: SequencePair, ids: Sequence[int]) -> bool:
    """Whether masks fit the first annotated frame, which is read for it.

    Args:
        pair: the video, of a protocol that gives its first masks.
        ids: of its objects.
    """
    first = pair.gt.frames[0]
    if first not in pair.pred_frames:
        return False
    try:
        gt, own = pair.read(first)
    except InputError:
        return False  # it is not scored, and may be anything
    if own is None:
        return False
    there = [(true, found) for _, true, found in _by_object(gt, own, ids) if true.any()]
    return bool(there) and all(
        true.shape == found.shape and mask_iou(true, found) >= _FITS
        for true, found in there
    )


_FITS = 0.8
"""J in the given frame from which a mask is that of the object."""


def _is_poor(counts: np.ndarray, least: float) -> bool:
    """Whether J is below some value, and so is that of the first scored frame.

    Args:
        counts: [T, n] of an object, or of all together.
        least: the value.
    """
    visible = counts[counts[:, GT_AREA] > 0]
    if not len(visible) or not visible[:, PRED_AREA].any():
        return False
    return all(_overlap(part) < least for part in (visible[:1], visible))


def _overlap(counts: np.ndarray) -> float:
    """J of all frames together."""
    shared = int(counts[:, INTERSECTION].sum())
    union = int(counts[:, GT_AREA].sum() + counts[:, PRED_AREA].sum()) - shared
    return shared / union if union else 1.0


def _by_object(
    gt: Masks, own: Masks, ids: Sequence[int]
) -> Iterator[tuple[int, Mask, Mask]]:
    """True and predicted masks of some objects that are in both."""
    for key in ids:
        sides = [m.get(key) if isinstance(m, dict) else m == key for m in (gt, own)]
        if sides[0] is not None and sides[1] is not None:
            yield key, sides[0], sides[1]


def _are_unlike(
    true: Mask | None,
    found: Mask | None,
    least: float = _UNLIKE,
    smallest: float = _SMALLEST,
) -> bool:
    """Whether a predicted mask that is not empty hardly fits the given one."""
    if true is None or found is None or true.shape != found.shape:
        return False
    area = np.count_nonzero(true)
    if area < max(16, smallest * true.size) or not found.any():
        return False
    return mask_iou(true, found) < least


def _tell(name: str, frame: str, unlike: Sequence[int], counts: SequenceCounts) -> str:
    """The note; of some objects by their ids, unless it is all of them."""
    some = unlike and len(unlike) < len(counts.object_ids)
    which = "object" if len(unlike) == 1 else "objects"
    of = f" of {which} {', '.join(map(str, unlike))}" if some else ""
    return (
        f"{name}: masks{of} hardly fit the ground truth even in its first frame, "
        f"{frame}, which is given to methods that this protocol is made for: are they "
        "masks of another video, ids of other objects, or of images that were shifted, "
        "scaled or turned?"
    )

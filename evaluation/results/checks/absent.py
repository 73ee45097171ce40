"""Objects of the ground truth that predicted masks hardly show, or not at all."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from evaluation.counting.counts import GT_AREA, INTERSECTION, PRED_AREA
from evaluation.counting.video import SequenceCounts
from evaluation.errors import InputError
from evaluation.masks.encoding import blank_between
from evaluation.masks.pairs import SequencePair
from evaluation.masks.sequence import ObjectFolderSequence
from evaluation.protocols import ScoringProtocol

_FEWEST = 3
"""Frames from which it can be told that masks are next to nothing."""

_INSIDE, _NEXT_TO_NOTHING = 0.95, 0.1
"""Part of predicted pixels that lie on objects, and of objects that they cover."""


def empty_throughout(
    counts: SequenceCounts, pair: SequencePair, protocol: ScoringProtocol
) -> list[str]:
    """A note on a video with predictions, all of which are empty.

    Args:
        counts: of the video.
        pair: its masks.
        protocol: the rules; where phrases are looked for, nothing may be right.
    """
    if len(counts.pred_labels) or not pair.pred_frames:
        return []
    if protocol.tracking == "concepts":
        return []
    return [f"{counts.name}: predicted masks are empty throughout"]


def note_blanks(counts: SequenceCounts) -> list[str]:
    """A note on a video whose ground truth is blank but for single frames."""
    shown = [bool(t.any()) for t in counts.counts[:, :, GT_AREA].T]
    told = blank_between(shown)
    return [f"{counts.name}: {told}"] if told else []


def hardly_covered(counts: SequenceCounts) -> list[str]:
    """A note where masks lie within the objects, and cover next to nothing of them.

    Args:
        counts: of a video.
    """
    visible = counts.counts[counts.counts[:, :, GT_AREA] > 0].astype(np.int64)
    shared, area, own = visible.sum(axis=0)[[INTERSECTION, GT_AREA, PRED_AREA]].tolist()
    if len(visible) < _FEWEST or 2 * np.count_nonzero(visible[:, PRED_AREA]) < len(
        visible
    ):
        return []
    if shared <= _INSIDE * own or shared >= _NEXT_TO_NOTHING * area:
        return []
    return [
        f"{counts.name}: predicted masks lie within the objects, but cover only "
        f"{shared / area:.0%} of them: are they probabilities cut to whole numbers (of "
        "which only 1.0 stays), or seeds?"
    ]


def never_predicted(
    pair: SequencePair, counts: SequenceCounts, scored: Collection[int]
) -> list[str]:
    """A note on objects without a single predicted pixel.

    Methods that lose an object show it where it was given to them, and that frame is
    looked at, too.

    Args:
        pair: the video, compared by ids.
        counts: its pixel counts.
        scored: ids of the objects that are scored.
    """
    if isinstance(pair.pred, ObjectFolderSequence) or len(counts.pred_labels) < 2:
        return []  # told as a folder that lacks, or as one mask of all objects
    areas = counts.counts.sum(axis=1, dtype=np.int64)
    absent = [
        int(key)
        for key, own in zip(counts.object_ids.tolist(), areas, strict=True)
        if key in scored and own[GT_AREA] and not own[PRED_AREA]
    ]
    if not absent:
        return []
    absent = sorted(set(absent) - _shown_when_given(pair))
    if not absent:
        return []
    which = "object" if len(absent) == 1 else "objects"
    listed = ", ".join(map(str, absent[:5])) + (", ..." if len(absent) > 5 else "")
    return [
        f"{pair.name}: {which} {listed} of {len(scored)} "
        f"{'is' if len(absent) == 1 else 'are'} never predicted"
    ]


def _shown_when_given(pair: SequencePair) -> set[int]:
    """Ids that a prediction has in the first annotated frame, scored or not."""
    first = pair.gt.frames[0]
    if first in pair.frames or first not in pair.pred_frames or pair.pred is None:
        return set()
    try:
        masks = pair.pred.read(pair.pred_frames[first])
    except InputError:
        return set()  # it is not scored, and may be anything
    if isinstance(masks, dict):
        return {key for key, mask in masks.items() if mask.any()}
    return {int(key) for key in np.unique(masks)}

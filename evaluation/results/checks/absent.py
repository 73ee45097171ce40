"""Objects of the ground truth that no predicted mask shows, from the first one on."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from evaluation.counting.counts import GT_AREA, PRED_AREA
from evaluation.counting.video import SequenceCounts
from evaluation.errors import InputError
from evaluation.masks.pairs import SequencePair
from evaluation.masks.sequence import ObjectFolderSequence


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

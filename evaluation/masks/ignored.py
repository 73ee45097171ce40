"""Which label of a ground truth marks the regions that MOTS ignores."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from evaluation.formats.mots import IGNORED_REGION, MOTS_SCALE

if TYPE_CHECKING:
    from evaluation.masks.sequence import MaskSequence

IGNORED = f"regions that MOTS ignores ({IGNORED_REGION}) are left out"
"""The note of all that leave them out."""

_FEW = 3


def find_ignored(masks: MaskSequence) -> int | None:
    """The label of ignored regions in the masks of one video; None for none.

    Masks of MOTS have ids of class * 1000 + object, and 10000 where nobody annotated
    single objects; TrackEval takes predictions there for neither right nor wrong. Masks
    whose ids begin below 1000 are none of MOTS, and are not read to their end.

    Args:
        masks: ground truth of one video.

    Raises:
        InputError: a mask cannot be read.
    """
    if not masks.frames:
        return None
    if masks.overlapping:
        return ignored_among(masks.annotated_ids())
    ends = masks.labels_in(dict.fromkeys((masks.frames[0], masks.frames[-1])))
    if ends and min(ends) < MOTS_SCALE:
        return None
    return ignored_among(masks.labels_in(masks.frames))


def may_ignore(labels: Collection[int]) -> bool:
    """Whether it is worth to look for ignored regions, by labels of some frames."""
    return min(labels, default=MOTS_SCALE) >= MOTS_SCALE


def ignored_among(labels: set[int]) -> int | None:
    """The label of ignored regions among all labels of a video; None for none.

    >>> ignored_among({1001, 2001, 10000})
    10000
    >>> ignored_among({1, 2, 10000}), ignored_among({1000, 2000, 3000, 10000})
    (None, None)
    """
    others = labels - {0, IGNORED_REGION}
    if IGNORED_REGION not in labels or min(others, default=MOTS_SCALE) < MOTS_SCALE:
        return None
    # Objects 1, 2, 3, ..., 10 times 1000, as a picture to look at has them.
    scaled = len(others) >= _FEW and all(k % MOTS_SCALE == 0 for k in others)
    return None if scaled else IGNORED_REGION

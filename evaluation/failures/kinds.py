"""Ways to be wrong: the kinds of failure of one object in one frame, defined.

With A the object's visible area, P the area predicted for it and I their overlap,
recall = I / A and precision = I / P. "Bulk" pixels are wrong pixels further from the
object's true contour than the contour tolerance (see `evaluation.failures.overlap`).
The definitions are tried in the order of `FailureKind`; the first that fits holds.
"""

from __future__ import annotations

from enum import Enum

from evaluation.failures.overlap import Overlap

LOST = 0.1
"""Below this recall an object is lost."""

MOSTLY = 0.5
"""A share that counts as most of something."""

BULK = 0.05
"""Up to this share of the union wrong in bulk, only the boundary is wrong ..."""

CLOSE = 0.75
"""... if the two regions have at least this J: a thread is all boundary."""


class FailureKind(str, Enum):
    """One kind of failure; the value is its name in tables."""

    FALSE_ON_ABSENT = "false on absent"
    IDENTITY_SWAP = "identity swap"
    LATE_RECOVERY = "late recovery"
    MISSED = "missed"
    DRIFT = "drift"
    MERGE = "merge"
    BOUNDARY = "boundary"
    PARTIAL = "partial"
    LEAK = "leak"

    @property
    def definition(self) -> str:
        """When a frame is of this kind, in one sentence."""
        return _DEFINITIONS[self]

    @property
    def explained(self) -> str:
        """Its name and what it means, for people."""
        return f"{self.value.capitalize()}: {self.definition}"

    @property
    def severity(self) -> int:
        """3: wrong object or none; 2: object found, region wrong; 1: contour."""
        if self is FailureKind.BOUNDARY:
            return 1
        return 2 if self in (FailureKind.PARTIAL, FailureKind.LEAK) else 3


_DEFINITIONS = {
    FailureKind.FALSE_ON_ABSENT: "the object is not visible, yet something is "
    "predicted for it",
    FailureKind.IDENTITY_SWAP: "less than half of the object is covered, and at least "
    "half of the prediction lies on one other object (a small prediction, P < A / 10, "
    "covers half of that one, too)",
    FailureKind.LATE_RECOVERY: "the object has come back after an absence and has "
    "been missed or drifted from ever since its return",
    FailureKind.MISSED: "recall < 0.1, and what is predicted is small (P < A / 10) or "
    "right (precision >= 0.5)",
    FailureKind.DRIFT: "recall and precision are below 0.5, and the prediction does "
    "not lie on another object: it sits on the background",
    FailureKind.MERGE: "the prediction covers at least half of the object and at "
    "least half of another one",
    FailureKind.BOUNDARY: "only the contour is wrong: at most 5 % of the union is "
    "wrong in bulk, and J >= 0.75",
    FailureKind.PARTIAL: "part of the object is lost: more is missed than false (in "
    "bulk, unless that is negligible)",
    FailureKind.LEAK: "the prediction spills over: more is false than missed (in "
    "bulk, unless that is negligible)",
}

Verdict = tuple[FailureKind | None, int]
"""A kind, and the id of the other object involved (0 for none); (None, 0) if right."""

LOST_KINDS = (FailureKind.MISSED, FailureKind.DRIFT)
"""Kinds that become a late recovery right after the object's return."""


def classify(overlap: Overlap) -> Verdict:
    """Name what is wrong in one frame, by the definitions of `FailureKind`.

    A late recovery needs to know the frames before and is named by `late_recovery`.
    """
    gt, pred, both = overlap.gt_area, overlap.pred_area, overlap.intersection
    if gt == pred == both:
        return None, 0
    other, on_other = max(
        overlap.on_others.items(), key=lambda item: item[1], default=(0, 0)
    )
    if gt == 0:
        mostly_there = on_other >= MOSTLY * pred
        return FailureKind.FALSE_ON_ABSENT, other if mostly_there else 0
    recall = both / gt
    off_target, small = both < MOSTLY * pred, pred < LOST * gt
    stands_in = pred > 0 and on_other >= MOSTLY * pred
    # A small prediction may be a remnant, or all of a small object.
    if small:
        stands_in &= overlap.covered.get(other, 0.0) >= MOSTLY
    if recall < MOSTLY and stands_in:
        return FailureKind.IDENTITY_SWAP, other
    if recall < LOST and (small or not off_target):
        return FailureKind.MISSED, 0
    if recall < MOSTLY and off_target:
        return FailureKind.DRIFT, 0
    swallowed, share = max(
        overlap.covered.items(), key=lambda item: item[1], default=(0, 0.0)
    )
    if recall >= MOSTLY and share >= MOSTLY:
        return FailureKind.MERGE, swallowed
    missed, false = overlap.missed_bulk, overlap.false_bulk
    union = gt + pred - both
    if missed + false <= BULK * union:
        if both >= CLOSE * union:
            return FailureKind.BOUNDARY, 0
        missed, false = gt - both, pred - both
    return (FailureKind.PARTIAL if missed >= false else FailureKind.LEAK), 0


def late_recovery(
    verdicts: list[Verdict], visible: list[bool], seen_before: bool
) -> list[Verdict]:
    """Rename what is lost from an object's return on, until it is found.

    Args:
        verdicts: of one object in consecutive evaluated frames.
        visible: whether the object is, in the same frames.
        seen_before: whether it was visible before these frames; if not, its first
            appearance is no return.

    Returns:
        The verdicts, with late recoveries.
    """
    renamed = list(verdicts)
    returning = False
    for index, (kind, other) in enumerate(verdicts):
        if not visible[index]:
            returning = seen_before
            continue
        seen_before = True
        if returning and kind in LOST_KINDS:
            renamed[index] = FailureKind.LATE_RECOVERY, other
        else:
            returning = False
    return renamed

"""The kinds of errors that ground truth can have, and what an event of them is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ErrorKind(str, Enum):
    """What is wrong with the ground truth of an object."""

    SPECKS = "specks"
    PINHOLES = "pinholes"
    VANISHES = "vanishes"
    APPEARS = "appears"
    IDS_EXCHANGED = "ids exchanged"
    JUMP = "jump"
    COPIED = "copied"
    SHIFTED_IN_TIME = "shifted in time"
    SHIFTED_IN_SPACE = "shifted in space"
    PROMPT_WITHOUT_OBJECT = "prompt without object"
    METHODS_AGREE = "methods agree against it"


@dataclass(frozen=True)
class AuditEvent:
    """A stretch of one object's annotated frames that looks wrong.

    Attributes:
        object_id: the object.
        kind: in which way.
        start: index of its first frame among the video's annotated frames.
        end: index after its last.
        reason: what was measured, in words.
        confidence: 0.5 at the threshold of the detector, towards 1 far beyond it. It
            orders events; it is no probability.
        other: the other object involved, 0 for none.
    """

    object_id: int
    kind: ErrorKind
    start: int
    end: int
    reason: str
    confidence: float
    other: int = 0


def confidence(measured: float, threshold: float) -> float:
    """How far beyond its threshold a measurement is: 0.5 at it, towards 1 beyond.

    Example:
        >>> confidence(measured=4, threshold=2)
        0.75
    """
    if measured <= 0:
        return 0.0
    return max(0.0, 1 - 0.5 * threshold / measured)

"""From which number results count objects and frames; decided once for all videos.

Ground truth counts from 0 or from 1, and so do results, each by a habit of its own.
Names alone tell which in most videos, and settle it where all that is scored is there
(`shifts.names_settle`); where they do not, masks are compared. One decision holds for
the whole of the results, and is told; where videos contradict each other, nobody can
know, and the results are refused.
"""

from evaluation.masks.numbering.agreement import mask_iou
from evaluation.masks.numbering.doubts import NUMBERED_FROM_ANOTHER, lack_last
from evaluation.masks.numbering.frames import (
    FrameNames,
    name_frames,
    name_video_frames,
)
from evaluation.masks.numbering.objects import (
    count_from_one,
    has_object_zero,
    number_objects,
)
from evaluation.masks.numbering.shifts import gain_of, shift_numbers

__all__ = [
    "NUMBERED_FROM_ANOTHER",
    "FrameNames",
    "count_from_one",
    "gain_of",
    "has_object_zero",
    "lack_last",
    "mask_iou",
    "name_frames",
    "name_video_frames",
    "number_objects",
    "shift_numbers",
]

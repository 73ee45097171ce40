"""Which frame of an object a simulated user corrects next.

Source: the offline and online evaluation of SAM 2 (Ravi et al., 2024). `worst` is its
offline one: each pass corrects the frame with the lowest score, and the video is
segmented again with all prompts. `online` is its online one: the first frame below
IoU 0.75 is corrected, and segmentation goes on from there.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evaluation.counting.counts import GT_AREA, INTERSECTION, N_COUNTS, PRED_AREA
from evaluation.errors import InputError
from evaluation.metrics.region import jaccard

if TYPE_CHECKING:
    import pandas as pd

POLICIES = {
    "worst": "each pass corrects the frame with the lowest score and runs again",
    "online": "the first frame below the IoU threshold is corrected, and so on",
}
"""Policy -> what it does."""

PROMPTS = {
    "mask": "the mask of the object",
    "clicks": "clicks at the centre of the largest error",
    "box": "the box around the object",
}
"""Prompt -> what a correction consists of."""

IOU_THRESHOLD = 0.75
"""IoU below which the policy `online` stops (SAM 2)."""

N_CLICKS = 3
"""Clicks of one correction (SAM 2)."""


def worst_frame(
    frames: pd.DataFrame, corrected: Collection[str], *, visible_only: bool = False
) -> str | None:
    """The frame of an object that is corrected next under the policy `worst`.

    Args:
        frames: the object's rows of a scores' frames table, those from which one may
            be chosen, in playing order: `frame`, `J`, `gt_area`.
        corrected: names of the frames that were corrected before.
        visible_only: leave out frames in which the object is not to be seen, as no
            box can say so.

    Returns:
        The frame with the lowest J, the first of several; None where every frame is
        perfect or was corrected.

    Example:
        >>> import pandas as pd
        >>> rows = pd.DataFrame({"frame": ["1", "2", "3"], "J": [1.0, 0.2, 0.2]})
        >>> worst_frame(rows, []), worst_frame(rows, ["2"]), worst_frame(rows, "23")
        ('2', '3', None)
    """
    left = frames[~frames["frame"].isin(list(corrected)) & (frames["J"] < 1)]
    if visible_only:
        left = left[left["gt_area"] > 0]
    if not len(left):
        return None
    return str(left["frame"].iloc[int(left["J"].to_numpy().argmin())])


def is_low(iou: float, threshold: float = IOU_THRESHOLD) -> bool:
    """Whether the policy `online` stops at a frame: its IoU is below the threshold.

    Example:
        >>> is_low(0.7499), is_low(0.75)
        (True, False)
    """
    return iou < threshold


def object_iou(truth: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> float:
    """IoU of two masks [H, W] bool, as J of the scores; 1 for two empty ones.

    Example:
        >>> object_iou(np.array([[True, True]]), np.array([[True, False]]))
        0.5
    """
    counts = np.zeros(N_COUNTS, np.int64)
    counts[GT_AREA], counts[PRED_AREA] = truth.sum(), predicted.sum()
    counts[INTERSECTION] = (truth & predicted).sum()
    return float(jaccard(counts))


def check_choices(
    policy: str,
    prompt: str,
    budget: int,
    n_clicks: int,
    threshold: float,
    events: int | None = 0,
) -> None:
    """Refuse what no correction can be made by.

    Raises:
        InputError: an unknown policy or prompt, or a number out of its range.
    """
    for name, value, known in (
        ("policy", policy, POLICIES),
        ("prompt", prompt, PROMPTS),
    ):
        if value not in known:
            raise InputError(
                name,
                repr(value),
                f"one of {', '.join(known)}",
                f"Choose one of these as --{name} ({name}=).",
            )
    wanted = 0 if events is None else events
    for name, number, least in (
        ("budget", budget, 0),
        ("clicks", n_clicks, 1),
        ("events", wanted, 0),
    ):
        if isinstance(number, bool) or not isinstance(number, int) or number < least:
            raise InputError(
                name,
                repr(number),
                f"a whole number from {least}",
                f"Give another number as --{name} ({name}=).",
            )
    if not 0 < threshold <= 1:
        raise InputError(
            "threshold",
            repr(threshold),
            "an IoU above 0 and up to 1",
            "Give a fraction such as 0.75 as --threshold (threshold=).",
        )

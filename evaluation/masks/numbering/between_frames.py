"""Ids that objects do not keep: masks numbered anew in each image, not tracked.

In neighbouring frames an object overlaps with itself. Where it overlaps with another id
instead, and that one in turn with the first, they have exchanged ids: once is an error
of a method or an annotator, again and again it is no track at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from evaluation.errors import InputError
from evaluation.masks.label_map import Mask
from evaluation.masks.numbering.agreement import mask_iou
from evaluation.masks.pairs import Masks
from evaluation.protocols import VOID

_MOST = 8
"""Pairs of neighbouring frames, evenly spread, and objects that are looked at."""

_LEAST, _SHARE = 3, 0.25
"""Exchanges from which ids are no tracks (two are one error: there and back), and part
of the pairs that have one."""

_ACROSS = 0.3
"""IoU with another id in the frame before that tells of an exchange."""

_FINE = 256
"""Rows and columns that are looked at."""


def ids_change(frames: Sequence[str], read: Callable[[str], Masks]) -> str:
    """How often objects exchange ids, if they keep doing so; else nothing.

    Args:
        frames: names of the frames of a video, in playing order.
        read: gives the masks of a frame.

    Returns:
        ``"3 times between 8 pairs of neighbouring frames looked at"``, or "".

    Example:
        >>> one, other = np.eye(2, 40, dtype=np.uint8), np.zeros((2, 40), np.uint8)
        >>> one[0, :20], one[1, 20:], other[0, :20], other[1, 20:] = 1, 2, 2, 1
        >>> ids_change("abcd", {"a": one, "b": other, "c": one, "d": other}.get)
        '3 times between 3 pairs of neighbouring frames looked at'
    """
    pairs = len(frames) - 1
    places = np.linspace(0, max(pairs - 1, 0), max(0, min(_MOST, pairs)))
    found = compared = 0
    try:
        for place in dict.fromkeys(places.astype(int).tolist()):
            before = _objects(read(frames[place]))
            if len(before) < 2:
                continue
            compared += 1
            found += _are_exchanged(before, _objects(read(frames[place + 1])))
    except InputError:
        return ""  # it is told where the masks are needed
    if found < max(_LEAST, _SHARE * compared):
        return ""
    return f"{found} times between {compared} pairs of neighbouring frames looked at"


TRUE_IDS_CHANGE = (
    "objects of the ground truth exchange ids from frame to frame ({}): were they "
    "numbered anew in each image? Give each object one id through the video"
)
"""The note on ground truth that is not tracked."""


def _objects(masks: Masks) -> dict[int, Mask]:
    """Masks of some objects, thinned."""
    sizes = [
        one.shape for one in (masks.values() if isinstance(masks, dict) else [masks])
    ]
    step = max(1, max(map(max, sizes), default=0) // _FINE)
    if isinstance(masks, dict):
        some = {key: mask[::step, ::step] for key, mask in masks.items()}
    else:
        small = masks[::step, ::step]
        keys = np.unique(small[(small != 0) & (small != VOID)]).tolist()
        some = {key: np.asarray(small == key) for key in keys[:_MOST]}
    return dict([(key, mask) for key, mask in some.items() if mask.any()][:_MOST])


def _are_exchanged(before: Mapping[int, Mask], now: Mapping[int, Mask]) -> bool:
    """Whether some objects took each other's ids between two frames."""
    places: dict[int, int] = {}
    for key in before.keys() & now.keys():
        same = mask_iou(now[key], before[key])
        fits = {k: mask_iou(now[key], mask) for k, mask in before.items() if k != key}
        best = max(fits, key=lambda k: fits[k], default=key)
        if best != key and fits[best] >= max(_ACROSS, 2 * same):
            places[key] = best
    return any(_returns(places, key) for key in places)


def _returns(places: Mapping[int, int], key: int) -> bool:
    """Whether going from each id to that whose place it took leads back."""
    now = places[key]
    for _ in places:
        if now == key:
            return True
        if now not in places:
            return False
        now = places[now]
    return False

"""Masks of frames and of those nearby, thinned, and how well they agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.masks.label_map import label_iou
from evaluation.masks.pairs import Masks, SequencePair, pixels_of

Reading = tuple[float, str] | None
"""How well masks fit when read in another way, and a note on it; None if no better."""

Objects = NDArray[np.integer[Any] | np.bool_]
"""Ids of objects, of a part of the pixels; 0 is none."""

Kept = dict[tuple[str, int], Objects]
"""Predictions by name of the frame and every how many-th pixel they have."""

_OBJECT_0 = 2**20
"""What stands for an object whose id is 0; label maps have none."""


def agreements(
    pair: SequencePair,
    frames: Sequence[str],
    lags: Sequence[int],
    by_id: bool,
    kept: Kept,
    drawn: Callable[[Objects, Objects], Objects] | None = None,
    *,
    pixels: int = 25_000,
) -> NDArray[np.float64]:
    """[n, len(lags)] agreement of true masks with those of frames nearby.

    `drawn` gives the prediction to compare, from the truth and the prediction as it is;
    the rest as of `nearby_masks`.
    """
    rows = []
    for true, nearby in nearby_masks(pair, frames, lags, by_id, kept, pixels):
        if drawn is not None:
            nearby = [
                drawn(true, own) if own.shape == true.shape else own for own in nearby
            ]
        row = [label_iou(true, own) for own in nearby]
        if None not in row:
            rows.append(row)
    return np.array(rows, dtype=np.float64).reshape(-1, len(lags))


def nearby_masks(
    pair: SequencePair,
    frames: Sequence[str],
    lags: Sequence[int],
    by_id: bool,
    kept: Kept,
    pixels: int = 25_000,
) -> Iterator[tuple[Objects, list[Objects]]]:
    """True masks of frames, and those predicted in frames so many later.

    Of rows and columns evenly spread, about so many `pixels` of a frame. What was read
    is `kept`: a frame is the neighbour of several.
    """
    assert pair.pred is not None, "asked for where there is a prediction"
    order = pair.pred.frames
    place = {name: i for i, name in enumerate(order)}
    for frame in frames:
        gt = pair.gt.read(frame)
        step = max(1, round(sqrt(pixels_of(gt) / pixels)))
        names = [order[place[pair.pred_frames[frame]] + lag] for lag in lags]
        for name in names:
            if (name, step) not in kept:
                kept[name, step] = thinned(pair.read_named(name, gt), by_id, step)
        yield thinned(gt, by_id, step), [kept[name, step] for name in names]


def of_true_size(true: Objects, own: Objects) -> Objects:
    """Predicted objects grown or shrunk evenly to the areas that they have in truth.

    Args:
        true: [H, W] ids.
        own: [H, W] ids of the prediction; objects without any pixel stay so.
    """
    import cv2  # takes longer to load than most benchmarks take to score

    found = np.where(np.isin(own, true), 0, own)
    for key in np.unique(true[true != 0]).tolist():
        mask = (own == key).astype(np.uint8)
        area = int(np.count_nonzero(true == key))
        if not mask.any() or mask.all():
            found[mask > 0] = key
            continue
        inside = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
        depth = inside - cv2.distanceTransform(1 - mask, cv2.DIST_L2, 3)
        rank = depth.size - area
        found[depth >= np.partition(depth.ravel(), rank)[rank]] = key
    return found


def thinned(masks: Masks, by_id: bool, step: int) -> Objects:
    """Every `step`-th pixel and row; objects as one where ids say nothing.

    Args:
        masks: a label map, or a mask per object.
        by_id: whether ids say which object is which.
        step: 1 for all pixels.
    """
    if not isinstance(masks, dict):
        thin = masks[::step, ::step]
        # A copy: a part of the frame would keep all of it.
        return np.ascontiguousarray(thin) if by_id else thin != 0
    small = {key: mask[::step, ::step] for key, mask in masks.items()}
    label_map = np.zeros(next((m.shape for m in small.values()), (0, 0)), np.int32)
    for key in sorted(small):
        label_map[small[key]] = (key or _OBJECT_0) if by_id else 1
    return label_map


def frames_with_neighbours(pair: SequencePair, reach: int) -> list[str]:
    """Scored frames with predictions of `reach` frames before and after."""
    assert pair.pred is not None, "asked for where there is a prediction"
    names = pair.pred.frames
    inner = set(names[reach : len(names) - reach])
    return [f for f in pair.frames if pair.pred_frames.get(f) in inner]


def inner(frames: Sequence[str], most: int) -> list[str]:
    """Some frames, evenly spread, away from the ends where there are many.

    Args:
        frames: in playing order.
        most: how many at most.
    """
    n = min(most, len(frames))
    return [frames[(2 * k + 1) * len(frames) // (2 * n)] for k in range(n)]

"""Pixel counts in plain numpy and OpenCV, following the definitions to the letter.

Slow and short: what the compiled kernels count quickly must equal this. Where they
could not be built, :mod:`evaluation.counting.kernels` counts with this instead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.counting.boundaries import (
    Element,
    adaptive_elements,
    boundary_map,
    dilate,
    disk,
)
from evaluation.counting.counts import Counts
from evaluation.counting.digests import digests_of
from evaluation.masks.label_map import LabelMap, Marks, Mask

Ids = Sequence[int] | NDArray[np.integer[Any]]
"""Object ids, without duplicates."""


def count_frame(gt: LabelMap, pred: LabelMap, object_ids: Ids, radius: int) -> Counts:
    """Count the pixels of every object of one frame.

    Args:
        gt: [H, W] ground truth.
        pred: [H, W] prediction.
        object_ids: n ids; absent ones give zeros.
        radius: boundary tolerance in pixels.

    Returns:
        [n, 7] int64.
    """
    element = disk(radius)
    rows = [count_masks(gt == k, pred == k, element) for k in object_ids]
    return np.array(rows, dtype=np.int64).reshape(len(rows), 7)


def count_present(
    gt: LabelMap, pred: LabelMap, radius: int
) -> tuple[NDArray[np.int64], Counts]:
    """Count the pixels of every object that occurs in a frame.

    Returns:
        [n] int64 ids found in either label map, ascending, and their [n, 7] counts.
    """
    ids = np.union1d(present_ids(gt), present_ids(pred))
    return ids, count_frame(gt, pred, ids, radius)


def count_and_digest(
    gt: LabelMap, pred: LabelMap, radius: int
) -> tuple[NDArray[np.int64], Counts, NDArray[np.uint64]]:
    """Count as `count_present`, and take checksums of the true masks.

    Returns:
        As `count_present`, and [n] checksums, 0 where the ground truth has no pixel.
    """
    ids, counts = count_present(gt, pred, radius)
    return ids, counts, digests_of(gt, ids)


def count_frame_adaptive(gt: LabelMap, pred: LabelMap, object_ids: Ids) -> Counts:
    """Count as :func:`count_frame`, with both tolerances of MOSE v2.

    Returns:
        [n, 9] int64.
    """
    rows = []
    for k in object_ids:
        gt_mask, pred_mask = gt == k, pred == k
        element, adapted = adaptive_elements(int(gt_mask.sum()), gt.shape)
        row = count_masks(gt_mask, pred_mask, element)
        rows.append(row + count_masks(gt_mask, pred_mask, adapted)[5:])
    return np.array(rows, dtype=np.int64).reshape(len(rows), 9)


def count_pairs(
    gt: LabelMap,
    pred: LabelMap,
    gt_ids: Ids,
    pred_ids: Ids,
    radius: int,
) -> Counts:
    """Count the pixels of every pair of a true object and a proposal.

    Returns:
        [n, m, 7] int64 for n true objects and m proposals.
    """
    element = disk(radius)
    rows = [
        [count_masks(gt == i, pred == j, element) for j in pred_ids] for i in gt_ids
    ]
    return np.array(rows, dtype=np.int64).reshape(len(gt_ids), len(pred_ids), 7)


def count_overlaps(
    gt: LabelMap, pred: LabelMap, gt_ids: Ids, pred_ids: Ids
) -> tuple[Counts, Counts, Counts]:
    """Count what every true object and every proposal share, without boundaries.

    Returns:
        [n] pixels of each object, [m] of each proposal, and [n, m] in both, int64.
    """
    n, m = len(gt_ids) + 1, len(pred_ids) + 1
    pairs = _number_labels(gt, gt_ids) * m + _number_labels(pred, pred_ids)
    table = np.bincount(pairs.ravel(), minlength=n * m).reshape(n, m)
    return table[1:].sum(axis=1), table[:, 1:].sum(axis=0), table[1:, 1:]


def _number_labels(label_map: LabelMap, ids: Ids) -> NDArray[np.int64]:
    """[H, W] the labels as 1, 2, ... in the order of `ids`; 0 for other labels."""
    table = np.zeros(1 << 16, np.int64)
    table[np.asarray(ids, np.int64)] = np.arange(1, len(ids) + 1)
    return table[label_map]


def count_mask_pair(
    gt: Mask, pred: Mask, void: Marks | None, radius: int
) -> NDArray[np.int64]:
    """Count the pixels of one object whose masks are not 0 where it is.

    Args:
        gt: [H, W], one byte per pixel.
        pred: the same.
        void: [H, W], not 0 in the pixels to leave out; None for none.
        radius: boundary tolerance in pixels.

    Returns:
        [7] int64.
    """
    known = True if void is None else void == 0
    return np.array(count_masks((gt != 0) & known, (pred != 0) & known, disk(radius)))


def compare_masks(gt: Mask, pred: Mask, void: Marks | None) -> NDArray[np.int64]:
    """Count the pixels that masks share and those that either has.

    Of packed bits and frame by frame: a frame stays in the processor's cache.

    Args:
        gt: [..., H, W], one byte per pixel, not 0 where the object is.
        pred: the same.
        void: [..., H, W], not 0 in the pixels to leave out; None for none.

    Returns:
        [frames, 2] int64.
    """
    sides = [gt, pred] if void is None else [gt, pred, void]
    frames = (math.prod(gt.shape[:-2]), *gt.shape[-2:])
    stacks = [side.reshape(frames) for side in sides]
    counts = np.empty((len(stacks[0]), 2), np.int64)
    for row, frame in zip(counts, zip(*stacks, strict=True), strict=True):
        one, other, *left_out = (_pack(side) for side in frame)
        shared, united = one & other, one | other
        if left_out:
            shared, united = shared & ~left_out[0], united & ~left_out[0]
        row[:] = _count_bits(shared), _count_bits(united)
    return counts


def _pack(mask: Marks) -> NDArray[np.uint64]:
    """The pixels that are not 0 as bits; zeros after the last one."""
    bits = np.packbits(mask.view(np.uint8) if mask.itemsize == 1 else mask != 0)
    return np.pad(bits, (0, -bits.size % 8)).view(np.uint64)


def _count_bits(words: NDArray[np.uint64]) -> int:
    if hasattr(np, "bitwise_count"):  # from version 2 on
        return int(np.bitwise_count(words).sum(dtype=np.int64))
    return int.from_bytes(words.tobytes(), "little").bit_count()


def count_masks(gt: Mask, pred: Mask, element: Element) -> list[int]:
    """The seven counts of one pair of masks.

    Args:
        gt: [H, W] bool.
        pred: [H, W] bool.
        element: structuring element of the boundary tolerance.
    """
    gt_boundary, pred_boundary = boundary_map(gt), boundary_map(pred)
    gt_matched = gt_boundary & dilate(pred_boundary, element)
    pred_matched = pred_boundary & dilate(gt_boundary, element)
    counted = (gt, pred, gt & pred, gt_boundary, pred_boundary, gt_matched)
    return [int(np.count_nonzero(mask)) for mask in (*counted, pred_matched)]


def present_ids(label_map: LabelMap) -> NDArray[np.int64]:
    """Object ids that occur in a label map, ascending, without the background."""
    ids = np.flatnonzero(np.bincount(label_map.ravel()))
    return ids[ids > 0]


def object_boxes(label_map: LabelMap) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The objects of a label map and the boxes around them.

    Args:
        label_map: [H, W] unsigned integers, 0 = background.

    Returns:
        [n] int64 ids, ascending, and [n, 4] int64 pixels: first row, the row after
        the last, first column, the column after the last.
    """
    ids = present_ids(label_map)
    boxes = np.empty((len(ids), 4), np.int64)
    for box, object_id in zip(boxes, ids, strict=True):
        mask = label_map == object_id
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        box[:] = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    return ids, boxes

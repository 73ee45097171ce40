"""Pixel counts of mask pairs by the compiled kernels.

Masks are handled as bit planes, 64 pixels per word: areas are bit counts, boundaries
a few logical operations per word. A label map is read once for all its objects, and
each object costs as much as its bounding box. All functions may be called from several
threads and run at the same time in them. Arguments are checked by the caller,
:mod:`evaluation.counting.kernels`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from evaluation._utils.native import function
from evaluation.counting.counts import (
    GT_AREA,
    GT_BOUNDARY,
    GT_MATCHED,
    INTERSECTION,
    N_COUNTS,
    PRED_AREA,
    PRED_BOUNDARY,
    PRED_MATCHED,
    Counts,
)
from evaluation.counting.kernels.buffers import address_of, void_arguments
from evaluation.counting.kernels.elements import (
    Tolerance,
    adaptive_tolerances,
    fixed_tolerance,
)
from evaluation.counting.kernels.workspace import (
    MAX_IDS,
    Workspace,
    all_objects,
    plane_words,
    same_objects,
)
from evaluation.masks.label_map import LabelMap, Marks, Mask

Ids = NDArray[np.int64]
"""[n] distinct ids in 1..65535."""

_BUDGET = 48 << 20
"""Bytes of bit planes kept at once; a crowd in a huge frame is counted in parts."""

_workspace = Workspace()


def count_frame(gt: LabelMap, pred: LabelMap, object_ids: Ids, radius: int) -> Counts:
    """See :func:`evaluation.counting.kernels.count_frame`."""
    return _count(gt, pred, object_ids, _tolerances(radius))[0]


def count_present(
    gt: LabelMap, pred: LabelMap, radius: int
) -> tuple[NDArray[np.int64], Counts]:
    """See :func:`evaluation.counting.kernels.count_present`."""
    return count_and_digest(gt, pred, radius)[:2]


def count_and_digest(
    gt: LabelMap, pred: LabelMap, radius: int
) -> tuple[NDArray[np.int64], Counts, NDArray[np.uint64]]:
    """See :func:`evaluation.counting.kernels.count_and_digest`."""
    # Objects seldom change from one frame to the next: look for the last ones first.
    ids = _workspace.expected
    counts, digests, complete = _count(gt, pred, ids, _tolerances(radius))
    if not complete:
        ids = present_ids(gt, pred)
        _workspace.expected = ids
        counts, digests, _ = _count(gt, pred, ids, _tolerances(radius))
    found = (counts[:, GT_AREA] > 0) | (counts[:, PRED_AREA] > 0)
    return ids[found], counts[found], digests[found]


def count_frame_adaptive(gt: LabelMap, pred: LabelMap, object_ids: Ids) -> Counts:
    """See :func:`evaluation.counting.kernels.count_frame_adaptive`."""
    return _count(gt, pred, object_ids, adaptive_tolerances)[0]


def count_pairs(
    gt: LabelMap,
    pred: LabelMap,
    gt_ids: Ids,
    pred_ids: Ids,
    radius: int,
) -> Counts:
    """See :func:`evaluation.counting.kernels.count_pairs`."""
    n, m = len(gt_ids), len(pred_ids)
    areas, overlaps, outlines = _measure_pairs(gt, pred, gt_ids, pred_ids)
    counts = np.empty((n, m, N_COUNTS), np.int64)
    counts[..., GT_AREA] = areas[:n, None]
    counts[..., PRED_AREA] = areas[n:]
    counts[..., INTERSECTION] = overlaps[: n * m].reshape(m, n).T
    counts[..., GT_BOUNDARY] = outlines[:n, None]
    counts[..., PRED_BOUNDARY] = outlines[n:]
    matched = _workspace.match(fixed_tolerance(radius, 2 * n * m))
    counts[..., GT_MATCHED] = matched[: n * m].reshape(m, n).T
    counts[..., PRED_MATCHED] = matched[n * m :].reshape(n, m)
    return counts


def count_mask_pair(
    gt: Mask, pred: Mask, void: Marks | None, radius: int
) -> NDArray[np.int64]:
    """See :func:`evaluation.counting.kernels.count_mask_pair`."""
    _workspace.open((gt.shape[0], gt.shape[1]), 2, same_objects(1))
    for plane, mask in enumerate((gt, pred)):
        _workspace.pack(mask, void, plane)
    areas, overlaps, outlines = _workspace.measure()
    matched = _workspace.match(fixed_tolerance(radius, 2))
    return np.array([*areas, overlaps[0], *outlines, *matched])


def compare_masks(gt: Mask, pred: Mask, void: Marks | None) -> NDArray[np.int64]:
    """See :func:`evaluation.counting.kernels.compare_masks`."""
    frames, pixels = math.prod(gt.shape[:-2]), math.prod(gt.shape[-2:])
    counts = np.empty((frames, 2), np.int64)
    function("compare")(
        address_of(gt),
        address_of(pred),
        *void_arguments(void),
        frames,
        pixels,
        address_of(counts),
    )
    return counts


def count_overlaps(
    gt: LabelMap, pred: LabelMap, gt_ids: Ids, pred_ids: Ids
) -> tuple[Counts, Counts, Counts]:
    """See :func:`evaluation.counting.kernels.count_overlaps`."""
    n, m = len(gt_ids), len(pred_ids)
    areas, overlaps, _ = _measure_pairs(gt, pred, gt_ids, pred_ids)
    shared = overlaps[: n * m].reshape(m, n).T
    return areas[:n].copy(), areas[n:].copy(), shared.copy()


def _measure_pairs(
    gt: LabelMap, pred: LabelMap, gt_ids: Ids, pred_ids: Ids
) -> tuple[NDArray[np.int64], ...]:
    """Areas, overlaps and outlines of every true object with every proposal."""
    n, m = len(gt_ids), len(pred_ids)
    _workspace.open(gt.shape, n + m, all_objects(n, m))
    _workspace.look_for(gt_ids, gt_ids)
    _workspace.scan(gt, 0)
    _workspace.look_for(pred_ids, pred_ids)
    _workspace.scan(pred, n)
    return _workspace.measure()


def present_ids(*label_maps: LabelMap) -> Ids:
    """Ids in any of the maps; see :func:`evaluation.counting.kernels.present_ids`."""
    narrow = all(label_map.itemsize == 1 for label_map in label_maps)
    seen = np.zeros(256 if narrow else MAX_IDS, np.uint8)
    for label_map in label_maps:
        function("find8" if label_map.itemsize == 1 else "find16")(
            address_of(label_map),
            label_map.strides[0] // label_map.itemsize,
            *label_map.shape,
            seen.ctypes.data,
        )
    return np.flatnonzero(seen)


def object_boxes(label_map: LabelMap) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """See :func:`evaluation.counting.kernels.object_boxes`."""
    narrow = label_map.itemsize == 1
    boxes = np.zeros((256 if narrow else MAX_IDS, 4), np.int64)
    function("bound8" if narrow else "bound16")(
        address_of(label_map),
        label_map.strides[0] // label_map.itemsize,
        *label_map.shape,
        boxes.ctypes.data,
    )
    ids = np.flatnonzero(boxes[:, 1])
    return ids, boxes[ids]


_Tolerances = Callable[[NDArray[np.int64], tuple[int, int]], list[Tolerance]]
"""Ground-truth areas [n] and frame shape -> tolerances to match boundaries with."""


def _tolerances(radius: int) -> _Tolerances:
    return lambda gt_areas, shape: [fixed_tolerance(radius, 2 * len(gt_areas))]


def _count(
    gt: LabelMap, pred: LabelMap, ids: NDArray[np.int64], tolerances: _Tolerances
) -> tuple[Counts, NDArray[np.uint64], bool]:
    """Count some objects, in as few parts as memory allows.

    Returns:
        [n, 5 + 2 per tolerance] counts; [n] checksums of the true masks; whether the
        label maps hold no other object.
    """
    step = max(1, _BUDGET // (16 * plane_words(gt.shape) + 1))
    starts = range(0, max(1, len(ids)), step)
    parts = [_count_part(gt, pred, ids[i : i + step], ids, tolerances) for i in starts]
    if len(parts) == 1:
        return parts[0]
    counts, digests, complete = zip(*parts, strict=True)
    return np.concatenate(counts), np.concatenate(digests), all(complete)


def _count_part(
    gt: LabelMap,
    pred: LabelMap,
    ids: NDArray[np.int64],
    known: NDArray[np.int64],
    tolerances: _Tolerances,
) -> tuple[Counts, NDArray[np.uint64], bool]:
    n = len(ids)
    _workspace.open(gt.shape, 2 * n, same_objects(n))
    _workspace.look_for(ids, known)
    unknown = _workspace.scan(gt, 0), _workspace.scan(pred, n)
    digests = _workspace.digests(n)
    areas, overlaps, outlines = _workspace.measure()
    chosen = tolerances(areas[:n], gt.shape)
    counts = np.empty((n, GT_MATCHED + 2 * len(chosen)), np.int64)
    counts[:, GT_AREA], counts[:, PRED_AREA] = areas[:n], areas[n:]
    counts[:, INTERSECTION] = overlaps[:n]
    counts[:, GT_BOUNDARY], counts[:, PRED_BOUNDARY] = outlines[:n], outlines[n:]
    for i, tolerance in enumerate(chosen):
        matched = _workspace.match(tolerance)
        counts[:, GT_MATCHED + 2 * i] = matched[:n]
        counts[:, PRED_MATCHED + 2 * i] = matched[n:]
    return counts, digests, not any(unknown)

"""Pixel counts of mask pairs, fast and exact.

The same functions as in :mod:`evaluation.reference`, compiled. Masks are handled as
bit planes, 64 pixels a word: areas are bit counts, boundaries a few logical
operations a word. A label map is read once for all its objects, and each object
costs as much as its bounding box. All functions may be called from several threads
and run at the same time in them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.counts import (
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
from evaluation.kernels.elements import (
    Tolerance,
    adaptive_tolerances,
    fixed_tolerance,
)
from evaluation.kernels.native import function
from evaluation.kernels.workspace import (
    MAX_IDS,
    Workspace,
    all_objects,
    plane_words,
    same_objects,
)
from evaluation.labelmap import LabelMap

__all__ = [
    "count_frame",
    "count_frame_adaptive",
    "count_pairs",
    "count_present",
    "object_boxes",
    "prepare",
    "present_ids",
]

ObjectIds = Sequence[int] | NDArray[np.integer[Any]]
"""Distinct ids above 0."""

_BUDGET = 48 << 20
"""Bytes of bit planes kept at once; a crowd in a huge frame is counted in parts."""

_workspace = Workspace()


def prepare() -> None:
    """Compile the usual kernels now if this machine never did; takes some seconds."""
    for name in ("scan8", "find8", "measure", "match", "clear"):
        function(name)


def count_frame(
    gt: LabelMap, pred: LabelMap, object_ids: ObjectIds, radius: int
) -> Counts:
    """Count the pixels of every object of one frame.

    Args:
        gt: [H, W] ground truth, uint8 or uint16.
        pred: [H, W] prediction, uint8 or uint16.
        object_ids: n distinct ids above 0; absent ones give zeros.
        radius: boundary tolerance in pixels.

    Returns:
        [n, 7] int64, columns as in :mod:`evaluation.counts`.
    """
    return _count(gt, pred, _checked_ids(object_ids), _fixed(radius))[0]


def count_present(
    gt: LabelMap, pred: LabelMap, radius: int
) -> tuple[NDArray[np.int64], Counts]:
    """Count the pixels of every object that occurs in a frame.

    Args:
        gt: [H, W] ground truth, uint8 or uint16.
        pred: [H, W] prediction, uint8 or uint16.
        radius: boundary tolerance in pixels.

    Returns:
        [n] int64 ids found in either label map, ascending, and their [n, 7] counts.
    """
    # Objects seldom change from one frame to the next: look for the last ones first.
    ids = _workspace.expected
    counts, complete = _count(gt, pred, ids, _fixed(radius))
    if not complete:
        ids = np.union1d(present_ids(gt), present_ids(pred))
        _workspace.expected = ids
        counts, _ = _count(gt, pred, ids, _fixed(radius))
    found = (counts[:, GT_AREA] > 0) | (counts[:, PRED_AREA] > 0)
    return ids[found], counts[found]


def count_frame_adaptive(gt: LabelMap, pred: LabelMap, object_ids: ObjectIds) -> Counts:
    """Count as :func:`count_frame`, with both tolerances of MOSE v2.

    Returns:
        [n, 9] int64.
    """
    return _count(gt, pred, _checked_ids(object_ids), adaptive_tolerances)[0]


def count_pairs(
    gt: LabelMap,
    pred: LabelMap,
    gt_ids: ObjectIds,
    pred_ids: ObjectIds,
    radius: int,
) -> Counts:
    """Count the pixels of every pair of a true object and a proposal.

    Returns:
        [n, m, 7] int64 for n true objects and m proposals.
    """
    gt, pred = _checked_maps(gt, pred)
    rows, columns = _checked_ids(gt_ids), _checked_ids(pred_ids)
    n, m = len(rows), len(columns)
    _workspace.open(gt.shape, n + m, all_objects(n, m))
    _workspace.look_for(rows, rows)
    _workspace.scan(gt, 0)
    _workspace.look_for(columns, columns)
    _workspace.scan(pred, n)
    areas, overlaps, outlines = _workspace.measure()
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


def present_ids(label_map: LabelMap) -> NDArray[np.int64]:
    """Object ids that occur in a label map, ascending, without the background."""
    label_map = _checked_map(label_map)
    seen = np.zeros(256 if label_map.itemsize == 1 else MAX_IDS, np.uint8)
    function("find8" if label_map.itemsize == 1 else "find16")(
        label_map.ctypes.data,
        label_map.strides[0] // label_map.itemsize,
        *label_map.shape,
        seen.ctypes.data,
    )
    return np.flatnonzero(seen)


def object_boxes(label_map: LabelMap) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The objects of a label map and the boxes around them, in one look at it.

    Args:
        label_map: [H, W], uint8 or uint16, 0 = background.

    Returns:
        [n] int64 ids, ascending, and [n, 4] int64 pixels: first row, the row after
        the last, first column, the column after the last.
    """
    label_map = _checked_map(label_map)
    narrow = label_map.itemsize == 1
    boxes = np.zeros((256 if narrow else MAX_IDS, 4), np.int64)
    function("bound8" if narrow else "bound16")(
        label_map.ctypes.data,
        label_map.strides[0] // label_map.itemsize,
        *label_map.shape,
        boxes.ctypes.data,
    )
    ids = np.flatnonzero(boxes[:, 1])
    return ids, boxes[ids]


_Tolerances = Callable[[NDArray[np.int64], tuple[int, int]], list[Tolerance]]
"""Ground-truth areas [n] and frame shape -> tolerances to match boundaries with."""


def _fixed(radius: int) -> _Tolerances:
    return lambda gt_areas, shape: [fixed_tolerance(radius, 2 * len(gt_areas))]


def _count(
    gt: LabelMap, pred: LabelMap, ids: NDArray[np.int64], tolerances: _Tolerances
) -> tuple[Counts, bool]:
    """Count some objects, in as few parts as memory allows.

    Returns:
        [n, 5 + 2 per tolerance] counts; whether the label maps hold no other object.
    """
    gt, pred = _checked_maps(gt, pred)
    step = max(1, _BUDGET // (16 * plane_words(gt.shape) + 1))
    starts = range(0, max(1, len(ids)), step)
    parts = [_count_part(gt, pred, ids[i : i + step], ids, tolerances) for i in starts]
    if len(parts) == 1:
        return parts[0]
    counts, complete = zip(*parts, strict=True)
    return np.concatenate(counts), all(complete)


def _count_part(
    gt: LabelMap,
    pred: LabelMap,
    ids: NDArray[np.int64],
    known: NDArray[np.int64],
    tolerances: _Tolerances,
) -> tuple[Counts, bool]:
    n = len(ids)
    _workspace.open(gt.shape, 2 * n, same_objects(n))
    _workspace.look_for(ids, known)
    strangers = _workspace.scan(gt, 0), _workspace.scan(pred, n)
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
    return counts, not any(strangers)


def _checked_ids(object_ids: ObjectIds) -> NDArray[np.int64]:
    ids = np.asarray(object_ids, np.int64)
    if ids.size and not 0 < ids.min() <= ids.max() < MAX_IDS:
        raise ValueError(f"object ids must be in 1..{MAX_IDS - 1}, got {object_ids}")
    return ids


def _checked_maps(gt: LabelMap, pred: LabelMap) -> tuple[LabelMap, LabelMap]:
    if gt.shape != pred.shape:
        raise ValueError(f"ground truth is {gt.shape}, prediction {pred.shape}")
    return _checked_map(gt), _checked_map(pred)


def _checked_map(label_map: LabelMap) -> LabelMap:
    """The label map with the pixels of a row side by side, as kernels need it."""
    if label_map.ndim != 2 or label_map.dtype.kind != "u" or label_map.itemsize > 2:
        found = f"{label_map.ndim}-dimensional {label_map.dtype}"
        raise TypeError(f"a label map is two-dimensional uint8 or uint16, not {found}")
    pitch, step = label_map.strides
    if step != label_map.itemsize or pitch % step or pitch < 0:
        return np.ascontiguousarray(label_map)
    return label_map

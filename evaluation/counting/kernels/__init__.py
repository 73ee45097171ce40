"""Pixel counts of mask pairs, fast and exact.

The counting itself is done by compiled kernels
(:mod:`evaluation.counting.kernels.compiled`), or where these could not be built, by
numpy and OpenCV (:mod:`evaluation.counting.reference`): the same integers, more
slowly.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation._utils.native import SWITCH, library
from evaluation.counting.counts import Counts
from evaluation.masks.label_map import LabelMap, Marks, Mask

__all__ = [
    "are_compiled",
    "compare_masks",
    "count_and_digest",
    "count_frame",
    "count_frame_adaptive",
    "count_mask_pair",
    "count_overlaps",
    "count_pairs",
    "count_present",
    "describe",
    "object_boxes",
    "present_ids",
    "slowness_note",
]

ObjectIds = Sequence[int] | NDArray[np.integer[Any]]
"""Distinct ids above 0."""

MAX_IDS = 1 << 16
"""Ids are below this: label maps have at most 16 bits."""


def are_compiled() -> bool:
    """Whether the compiled kernels do the counting."""
    return bool(library().functions)


def describe() -> str:
    """Which implementation does the counting, for people."""
    loaded = library()
    if loaded.functions:
        sets = ("baseline instructions", "AVX2", "AVX-512")
        return f"compiled kernels, {sets[loaded.functions['level']()]}"
    return f"numpy and OpenCV ({loaded.reason})"


def slowness_note() -> str | None:
    """What to tell the user where slow counting was not asked for."""
    loaded = library()
    if loaded.functions or loaded.reason.startswith(SWITCH):
        return None
    return (
        f"Counted without the compiled kernels: the same numbers, {SLOWNESS} times "
        "slower or more; to build them, install a C compiler and then s3fo anew "
        "(docs/how-to/score.md#without-a-c-compiler)."
    )


SLOWNESS = 8
"""CPU time of a whole run with numpy and OpenCV over that with compiled kernels, one
object at 480p; see benchmarks/evaluation.md."""


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
        [n, 7] int64, columns as in :mod:`evaluation.counting.counts`.
    """
    gt, pred = _check_maps(gt, pred)
    found: Counts = _counter().count_frame(gt, pred, _check_ids(object_ids), radius)
    return found


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
    found: tuple[NDArray[np.int64], Counts] = _counter().count_present(
        *_check_maps(gt, pred), radius
    )
    return found


def count_and_digest(
    gt: LabelMap, pred: LabelMap, radius: int
) -> tuple[NDArray[np.int64], Counts, NDArray[np.uint64]]:
    """Count as :func:`count_present`, and take checksums of the true masks.

    Returns:
        As `count_present`, and [n] uint64 checksums, as of `object_digest`, 0 for
        objects that the ground truth does not show.
    """
    found: tuple[NDArray[np.int64], Counts, NDArray[np.uint64]] = (
        _counter().count_and_digest(*_check_maps(gt, pred), radius)
    )
    return found


def count_frame_adaptive(gt: LabelMap, pred: LabelMap, object_ids: ObjectIds) -> Counts:
    """Count as :func:`count_frame`, with both tolerances of MOSE v2.

    Returns:
        [n, 9] int64.
    """
    gt, pred = _check_maps(gt, pred)
    found: Counts = _counter().count_frame_adaptive(gt, pred, _check_ids(object_ids))
    return found


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
    gt, pred = _check_maps(gt, pred)
    rows, columns = _check_ids(gt_ids), _check_ids(pred_ids)
    found: Counts = _counter().count_pairs(gt, pred, rows, columns, radius)
    return found


def count_overlaps(
    gt: LabelMap, pred: LabelMap, gt_ids: ObjectIds, pred_ids: ObjectIds
) -> tuple[Counts, Counts, Counts]:
    """Count what every true object and every proposal share, without boundaries.

    Returns:
        [n] pixels of each object, [m] of each proposal, and [n, m] in both, int64.
    """
    gt, pred = _check_maps(gt, pred)
    found: tuple[Counts, Counts, Counts] = _counter().count_overlaps(
        gt, pred, _check_ids(gt_ids), _check_ids(pred_ids)
    )
    return found


def count_mask_pair(
    gt: Mask, pred: Mask, void: Marks | None, radius: int
) -> NDArray[np.int64]:
    """Count the pixels of one object whose masks are not 0 where it is.

    Args:
        gt: [H, W], one byte per pixel.
        pred: the same.
        void: [H, W] numbers, not 0 in the pixels to leave out; None for none.
        radius: boundary tolerance in pixels.

    Returns:
        [7] int64, columns as in :mod:`evaluation.counting.counts`.
    """
    masks = _check_masks(gt, pred, void)
    found: NDArray[np.int64] = _counter().count_mask_pair(*masks, radius)
    return found


def compare_masks(gt: Mask, pred: Mask, void: Marks | None = None) -> NDArray[np.int64]:
    """Count the pixels that masks share and those that either has.

    Args:
        gt: [..., H, W], one byte per pixel, not 0 where the object is.
        pred: the same.
        void: [..., H, W] numbers, not 0 in the pixels to leave out; None for none.

    Returns:
        [frames, 2] int64 in the order of the frames.
    """
    found: NDArray[np.int64] = _counter().compare_masks(*_check_masks(gt, pred, void))
    return found


def present_ids(label_map: LabelMap) -> NDArray[np.int64]:
    """Object ids that occur in a label map, ascending, without the background."""
    found: NDArray[np.int64] = _counter().present_ids(_check_map(label_map))
    return found


def object_boxes(label_map: LabelMap) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The objects of a label map and the boxes around them, in one look at it.

    Args:
        label_map: [H, W], uint8 or uint16, 0 = background.

    Returns:
        [n] int64 ids, ascending, and [n, 4] int64 pixels: first row, the row after
        the last, first column, the column after the last.
    """
    found: tuple[NDArray[np.int64], NDArray[np.int64]] = _counter().object_boxes(
        _check_map(label_map)
    )
    return found


def _counter() -> ModuleType:
    """The module that does the counting."""
    if are_compiled():
        from evaluation.counting.kernels import compiled

        return compiled
    from evaluation.counting import reference

    return reference


def _check_masks(
    gt: Mask, pred: Mask, void: Marks | None
) -> tuple[Mask, Mask, NDArray[Any] | None]:
    """Masks of one byte per pixel and in one piece, as kernels need them."""
    if gt.shape != pred.shape or (void is not None and void.shape != gt.shape):
        raise ValueError("masks of several shapes")
    if gt.itemsize != 1 or pred.itemsize != 1:
        raise TypeError(f"a mask has one byte per pixel, not {gt.dtype}, {pred.dtype}")
    if void is not None:
        number = void.dtype.kind in "biuf" and void.itemsize in (1, 2, 4, 8)
        readable = number and void.dtype.isnative and void.flags.aligned
        void = np.ascontiguousarray(void if readable else void != 0)
    return np.ascontiguousarray(gt), np.ascontiguousarray(pred), void


def _check_ids(object_ids: ObjectIds) -> NDArray[np.int64]:
    ids = np.asarray(object_ids, np.int64)
    if ids.size and not 0 < ids.min() <= ids.max() < MAX_IDS:
        raise ValueError(f"object ids must be in 1..{MAX_IDS - 1}, got {object_ids}")
    return ids


def _check_maps(gt: LabelMap, pred: LabelMap) -> tuple[LabelMap, LabelMap]:
    if gt.shape != pred.shape:
        raise ValueError(f"ground truth is {gt.shape}, prediction {pred.shape}")
    return _check_map(gt), _check_map(pred)


def _check_map(label_map: LabelMap) -> LabelMap:
    """The label map with the pixels of a row side by side, as kernels need it."""
    dtype = label_map.dtype
    if label_map.ndim != 2 or dtype.kind != "u" or dtype.itemsize > 2:
        found = f"{label_map.ndim}-dimensional {dtype}"
        raise TypeError(f"a label map is two-dimensional uint8 or uint16, not {found}")
    pitch, step = label_map.strides
    regular = step == dtype.itemsize and pitch % step == 0 and pitch >= 0
    if regular and dtype.isnative and label_map.flags.aligned:
        return label_map
    return np.array(label_map, dtype.newbyteorder("="), order="C")

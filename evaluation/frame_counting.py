"""Read one frame of a pair of sequences, mend what may be mended, and count it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation import kernels
from evaluation.boundary import tolerance_radius
from evaluation.counts import (
    GT_AREA,
    N_COUNTS,
    N_COUNTS_ADAPTIVE,
    PRED_AREA,
    Counts,
)
from evaluation.errors import InputError
from evaluation.labelmap import LabelMap, Mask
from evaluation.leniency import Leniency, resized
from evaluation.pairing import Masks, SequencePair
from evaluation.protocols import VOID, Protocol
from evaluation.sequence import ObjectMasks

Ids = NDArray[np.int64]
"""[k] object ids, ascending."""

FrameRows = tuple[Ids, Counts]
"""[k] object ids, and their [k, 7 or 9] counts."""


@dataclass(frozen=True)
class PairGrid:
    """Counts of all pairs in one frame.

    Attributes:
        gt_ids: [n] objects in the frame.
        pred_ids: [m] proposals in the frame.
        counts: [n + 1, m + 1, 7]; the last row and column stand for an absent partner.
    """

    gt_ids: Ids
    pred_ids: Ids
    counts: Counts


class FrameCounter:
    """Counts frames, and keeps the labels that it came across.

    Attributes:
        gt_labels: labels found in the ground truth, before any mending.
        pred_labels: labels found in the prediction, before any mending.
    """

    def __init__(self, protocol: Protocol, leniency: Leniency) -> None:
        self._adaptive = protocol.boundary == "adaptive"
        self._pairs = protocol.matching != "by-id"
        self._resize = leniency.resize
        self._merge = leniency.binarize or protocol.objects == "foreground"
        self._void = leniency.void
        if self._void is None and protocol.void == "ignored" and not self._merge:
            self._void = VOID
        self.gt_labels: set[int] = set()
        self.pred_labels: set[int] = set()

    def objects_in(self, pair: SequencePair, frame: str) -> Ids:
        """Ids of the objects in a ground-truth frame, read without prediction."""
        ids = _present(pair.gt.read(frame))
        self.gt_labels.update(ids.tolist())
        ids = ids[ids != self._void]
        return np.minimum(ids[:1], 1) if self._merge else ids

    def count(
        self, pair: SequencePair, frame: str
    ) -> tuple[FrameRows, PairGrid | None]:
        """Count one frame.

        Returns:
            Counts by id; counts of all pairs where proposals are to be matched.

        Raises:
            InputError: a mask cannot be read, or the sizes differ.
        """
        gt, pred = pair.read(frame)
        _refuse_several_sizes(gt, pair.gt.where(frame))
        if pred is None:
            pred = {} if isinstance(gt, dict) else np.zeros_like(gt)
        pred = self._fitted(pred, gt, pair, frame)
        if isinstance(gt, dict) or isinstance(pred, dict):
            if isinstance(gt, dict) and 0 in gt and not isinstance(pred, dict):
                raise _no_room_for_zero(pair.where(frame))
            return self._count_overlapping(_as_objects(gt, pred), _as_objects(pred, gt))
        if self._void is not None:
            self._note(_present(gt), _present(pred))
            gt, pred = _without_void(gt, pred, self._void)
        ids, counts = self._count_label_maps(gt, pred)
        if self._void is None:
            self._note(ids[counts[:, GT_AREA] > 0], ids[counts[:, PRED_AREA] > 0])
        if self._merge and len(ids) > 1:
            gt, pred = (gt != 0).view(np.uint8), (pred != 0).view(np.uint8)
            ids, counts = self._count_label_maps(gt, pred)
        elif self._merge:
            ids = np.minimum(ids, 1)
        return (ids, counts), _count_pairs(gt, pred) if self._pairs else None

    def _note(self, gt_labels: Ids, pred_labels: Ids) -> None:
        self.gt_labels.update(gt_labels.tolist())
        self.pred_labels.update(pred_labels.tolist())

    def _count_label_maps(self, gt: LabelMap, pred: LabelMap) -> FrameRows:
        if self._adaptive:
            found = {*_present(gt).tolist(), *_present(pred).tolist()}
            ids = np.array(sorted(found), dtype=np.int64)
            return ids, kernels.count_frame_adaptive(gt, pred, ids)
        return kernels.count_present(gt, pred, tolerance_radius(gt.shape))

    def _count_overlapping(
        self, gt: ObjectMasks, pred: ObjectMasks
    ) -> tuple[FrameRows, None]:
        if self._pairs:
            raise InputError(
                "masks",
                "masks that overlap",
                "label maps: proposals are matched on them",
                "Write one label map a frame, or use the protocol sa-v.",
            )
        self._note(_present(gt), _present(pred))
        if self._merge:
            gt, pred = _merged(gt), _merged(pred)
        ids = np.array(sorted({*gt, *pred}), dtype=np.int64)
        n_counts = N_COUNTS_ADAPTIVE if self._adaptive else N_COUNTS
        counts = np.zeros((len(ids), n_counts), dtype=np.int64)
        empty = np.zeros_like(next(iter([*gt.values(), *pred.values()]), None))
        for row, object_id in enumerate(ids.tolist()):
            one = gt.get(object_id, empty).view(np.uint8)
            other = pred.get(object_id, empty).view(np.uint8)
            counts[row] = self._count_one(one, other)
        return (ids, counts), None

    def _count_one(self, gt: LabelMap, pred: LabelMap) -> Counts:
        if self._adaptive:
            return kernels.count_frame_adaptive(gt, pred, [1])[0]
        return kernels.count_frame(gt, pred, [1], tolerance_radius(gt.shape))[0]

    def _fitted(self, pred: Masks, gt: Masks, pair: SequencePair, frame: str) -> Masks:
        """The prediction in the size of the ground truth."""
        shape = _shape(gt)
        if shape is None or not _sizes(pred) - {shape}:
            return pred
        if self._resize == "nearest":
            if isinstance(pred, dict):
                return {k: resized(mask, shape) for k, mask in pred.items()}
            return resized(pred, shape)
        found = min(_sizes(pred) - {shape})
        turned = " (turned by 90 degrees?)" if found == shape[::-1] else ""
        raise InputError(
            pair.where(frame),
            f"a mask of {found[1]}x{found[0]} pixels{turned}",
            f"{shape[1]}x{shape[0]} as in {pair.gt.where(frame)}",
            "Write the masks in the size of the ground truth, or allow nearest "
            "resizing (resize='nearest', --resize nearest).",
        )


def _refuse_several_sizes(masks: Masks, where: str) -> None:
    if isinstance(masks, dict) and len(sizes := _sizes(masks)) > 1:
        listed = ", ".join(f"{shape[1]}x{shape[0]}" for shape in sorted(sizes))
        raise InputError(
            where,
            f"masks of {listed} pixels in one frame",
            "one size for all objects of a frame",
            "Write the masks of all objects in the size of the frame.",
        )


def _no_room_for_zero(where: str) -> InputError:
    return InputError(
        where,
        "a label map, where 0 is background",
        "a mask for each object, as the ground truth has an object 0",
        "Write one folder an object: <sequence>/<object>/<frame>.png.",
    )


def _count_pairs(gt: LabelMap, pred: LabelMap) -> PairGrid:
    gt_ids, pred_ids = kernels.present_ids(gt), kernels.present_ids(pred)
    taken = {*gt_ids.tolist(), *pred_ids.tolist()}
    absent = next(k for k in range(1, len(taken) + 2) if k not in taken)
    rows, columns = np.append(gt_ids, absent), np.append(pred_ids, absent)
    radius = tolerance_radius(gt.shape)
    counts = kernels.count_pairs(gt, pred, rows, columns, radius)
    return PairGrid(gt_ids, pred_ids, counts.astype(np.int32))


def _present(masks: Masks) -> Ids:
    if isinstance(masks, dict):
        ids = [object_id for object_id, mask in masks.items() if mask.any()]
        return np.array(sorted(ids), dtype=np.int64)
    return kernels.present_ids(masks)


def _sizes(masks: Masks) -> set[tuple[int, ...]]:
    if isinstance(masks, dict):
        return {mask.shape for mask in masks.values()}
    return {masks.shape}


def _shape(masks: Masks) -> tuple[int, ...] | None:
    return next(iter(_sizes(masks)), None)


def _as_objects(masks: Masks, other: Masks) -> ObjectMasks:
    """Per-object masks; of a label map, the objects that either side has."""
    if isinstance(masks, dict):
        return masks
    ids = {*_present(masks).tolist(), *(other if isinstance(other, dict) else ())}
    return {object_id: masks == object_id for object_id in sorted(ids) if object_id}


def _merged(masks: ObjectMasks) -> ObjectMasks:
    parts: Sequence[Mask] = list(masks.values())
    return {1: np.logical_or.reduce(parts)} if parts else {}


def _without_void(gt: LabelMap, pred: LabelMap, void: int) -> tuple[LabelMap, LabelMap]:
    unclear = gt == void
    if not unclear.any():
        return gt, pred
    gt, pred = gt.copy(), pred.copy()
    gt[unclear], pred[unclear] = 0, 0
    return gt, pred

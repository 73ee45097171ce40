"""Read one frame of a pair of sequences, prepare its masks, and count them.

The masks that are counted are those of :func:`evaluation.masks.prepare.prepare`; label
maps are merged only where more than one object is found.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.counting import kernels
from evaluation.counting.boundaries import tolerance_radius
from evaluation.counting.counts import (
    GT_AREA,
    INTERSECTION,
    N_COUNTS,
    N_COUNTS_ADAPTIVE,
    PRED_AREA,
    Counts,
)
from evaluation.counting.digests import digests_of, object_digests
from evaluation.counting.overlap_counting import (
    count_box_overlaps,
    count_overlaps,
    first_overlap,
)
from evaluation.counting.overlaps import FrameOverlaps
from evaluation.errors import InputError
from evaluation.masks.label_map import LabelMap, as_label_map
from evaluation.masks.pairs import Masks, SequencePair, pixels_of
from evaluation.masks.prepare import (
    MaskRules,
    fit_prediction,
    merge_objects,
    sizes,
    without_label,
    without_void,
)
from evaluation.masks.sequence import ObjectMasks
from evaluation.options import DEFAULT_OPTIONS, InputOptions
from evaluation.protocols import ScoringProtocol

Ids = NDArray[np.int64]
"""[k] object ids, ascending."""

FrameRows = tuple[Ids, Counts]
"""[k] object ids, and their [k, 7 or 9] counts."""


Sizes = tuple[int, int, int, int]
"""Height and width of a mask before and after it was resized."""


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
        gt_labels: labels found in the ground truth, before any preprocessing.
        pred_labels: labels found in the prediction, before any preprocessing.
        background: whether a pixel of ground truth, and of prediction, is background;
            kept where objects are merged.
        large: whether an object covers more than half of a frame, in ground truth and
            in prediction.
        resized: how many predictions were brought from (H, W) to (H, W).
        overlaps: of the counted frames, where the protocol has tracking metrics.
        digests: checksums of the true objects in each of the counted frames.
        shared: frames in which predicted masks overlap though true ones do not, with
            the ids of the first two that do.
    """

    def __init__(
        self, protocol: ScoringProtocol, options: InputOptions = DEFAULT_OPTIONS
    ) -> None:
        self._adaptive = protocol.boundary == "adaptive"
        self._pairs = protocol.matching != "by-id"
        self._one_map = protocol.matching == "proposals"
        self._tracking = protocol.tracking != "none"
        # TrackEval compares tracks with objects before it takes void out of tracks.
        self._void_counts = protocol.void == "ignored"
        self._label_maps = protocol.reads_label_maps
        self._boxes = protocol.tracking == "classes-by-box"
        self._rules = MaskRules.of(protocol, options)
        self.overlaps: list[FrameOverlaps] = []
        self.digests: list[dict[int, int]] = []
        self.gt_labels: set[int] = set()
        self.pred_labels: set[int] = set()
        self.background = (False, False)
        self.large = (False, False)
        self.resized: Counter[Sizes] = Counter()
        self.shared: dict[str, tuple[int, int]] = {}

    def objects_in(self, pair: SequencePair, frame: str) -> Ids:
        """Ids of the objects in a ground-truth frame, read without prediction."""
        ids = _present(pair.gt.read(frame))
        self.gt_labels.update(ids.tolist())
        ids = ids[ids != self._rules.void]
        merged: Ids = np.minimum(ids[:1], 1)
        return merged if self._rules.merge else ids

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
        places = pair.where(frame), pair.gt.where(frame)
        fitted = fit_prediction(gt, pred, self._rules.resize, places)
        if pred is not None and fitted is not pred:
            before, after = max(sizes(pred) - sizes(fitted)), max(sizes(fitted))
            self.resized[before[0], before[1], after[0], after[1]] += 1
        pred = without_label(fitted, self._rules.no_track)
        if self._one_map:
            gt, pred = self._as_label_maps(gt, pred, places)
        if isinstance(gt, dict) or isinstance(pred, dict):
            if isinstance(gt, dict) and 0 in gt and not isinstance(pred, dict):
                raise _no_room_for_zero(pair.where(frame))
            rows, grid = self._count_overlapping(gt, pred)
            self._note_shared(frame, gt, pred, rows)
        else:
            rows, grid = self._count_maps(gt, pred)
        half = pixels_of(gt) / 2
        gt_is_large, pred_is_large = (
            bool((rows[1][:, column] > half).any()) for column in (GT_AREA, PRED_AREA)
        )
        self.large = self.large[0] or gt_is_large, self.large[1] or pred_is_large
        if self._tracking:
            self.overlaps.append(self._overlaps(gt, pred, grid))
        return rows, grid

    def _as_label_maps(
        self, gt: Masks, pred: Masks, places: tuple[str, str]
    ) -> tuple[LabelMap, LabelMap]:
        """Label maps of masks that may be one per object, as proposals must be.

        Raises:
            InputError: masks of a frame overlap, or one is of object 0.
        """
        if not (isinstance(gt, dict) or isinstance(pred, dict)):
            return gt, pred
        if self._rules.void is not None:
            self._note(_present(gt), _present(pred))
            gt, pred = without_void(gt, pred, self._rules.void)
        if self._rules.merge:
            gt, pred = merge_objects(gt), merge_objects(pred)
        for masks, where in zip((pred, gt), places, strict=True):
            shared = first_overlap(masks)
            if shared is not None:
                raise InputError(
                    where,
                    f"masks of objects {shared[0]} and {shared[1]} that overlap",
                    "masks without overlap, as proposals of the unsupervised task are",
                    "Give each pixel to one object at most, e.g. in one label map per "
                    "frame.",
                )
            if isinstance(masks, dict) and 0 in masks:
                raise InputError(
                    where,
                    "a mask of object 0",
                    "object ids from 1 on, as 0 is the background of proposals",
                    "Write every id one higher.",
                )
        return as_label_map(gt, pred), as_label_map(pred, gt)

    def _note_shared(self, frame: str, gt: Masks, pred: Masks, rows: FrameRows) -> None:
        """Keep a frame whose predicted masks overlap, where that makes a difference."""
        if self._rules.merge or not self._label_maps:
            return
        _, counted = without_void(gt, pred, self._rules.void)
        pair = first_overlap(counted, int(rows[1][:, PRED_AREA].sum()))
        if pair is not None and first_overlap(gt) is None:
            self.shared[frame] = pair

    def _overlaps(self, gt: Masks, pred: Masks, grid: PairGrid | None) -> FrameOverlaps:
        """The overlaps of a frame, taken from the pairs where they were counted."""
        void = self._rules.void
        whole = void is None or void not in _present(gt)
        if grid is not None and whole and not self._boxes and _has_all(grid, gt, pred):
            return FrameOverlaps(
                grid.gt_ids,
                grid.pred_ids,
                grid.counts[:-1, -1, GT_AREA],
                grid.counts[-1, :-1, PRED_AREA],
                grid.counts[:-1, :-1, INTERSECTION],
            )
        if self._rules.merge or not self._void_counts:
            gt, pred = without_void(gt, pred, void)
            void = None
        if self._rules.merge:
            gt, pred = merge_objects(gt), merge_objects(pred)
        count = count_box_overlaps if self._boxes else count_overlaps
        return count(gt, pred, void)

    def _count_maps(
        self, gt: LabelMap, pred: LabelMap
    ) -> tuple[FrameRows, PairGrid | None]:
        void, merge = self._rules.void, self._rules.merge
        if merge:
            self._see_background(not gt.all(), not pred.all())
        if void is not None:
            self._note(_present(gt), _present(pred))
            gt, pred = without_void(gt, pred, void)  # type: ignore[assignment]
        ids, counts, digests = self._count_label_maps(gt, pred)
        if void is None:
            self._note(ids[counts[:, GT_AREA] > 0], ids[counts[:, PRED_AREA] > 0])
        if merge and (self._pairs or len(ids) > 1):
            gt, pred = merge_objects(gt), merge_objects(pred)  # type: ignore[assignment]
            ids, counts, digests = self._count_label_maps(gt, pred)
        elif merge:
            ids = np.minimum(ids, 1)
        self.digests.append(dict(zip(ids.tolist(), digests.tolist(), strict=True)))
        return (ids, counts), _count_pairs(gt, pred) if self._pairs else None

    def _see_background(self, gt: bool, pred: bool) -> None:
        self.background = self.background[0] or gt, self.background[1] or pred

    def _note(self, gt_labels: Ids, pred_labels: Ids) -> None:
        self.gt_labels.update(gt_labels.tolist())
        self.pred_labels.update(pred_labels.tolist())

    def _count_label_maps(
        self, gt: LabelMap, pred: LabelMap
    ) -> tuple[Ids, Counts, NDArray[np.uint64]]:
        if not self._adaptive:
            return kernels.count_and_digest(gt, pred, tolerance_radius(gt.shape))
        found = {*_present(gt).tolist(), *_present(pred).tolist()}
        ids = np.array(sorted(found), dtype=np.int64)
        return ids, kernels.count_frame_adaptive(gt, pred, ids), digests_of(gt, ids)

    def _count_overlapping(
        self, gt: Masks, pred: Masks
    ) -> tuple[FrameRows, PairGrid | None]:
        self._note(_present(gt), _present(pred))
        gt, pred = without_void(gt, pred, self._rules.void)
        if self._rules.merge:
            gt, pred = merge_objects(gt), merge_objects(pred)
            self._see_background(_is_partial(gt), _is_partial(pred))
        self.digests.append(object_digests(gt))
        ones, others = _as_objects(gt, pred), _as_objects(pred, gt)
        ids = np.array(sorted({*ones, *others}), dtype=np.int64)
        n_counts = N_COUNTS_ADAPTIVE if self._adaptive else N_COUNTS
        counts = np.zeros((len(ids), n_counts), dtype=np.int64)
        empty = np.zeros_like(next(iter([*ones.values(), *others.values()]), None))
        for row, object_id in enumerate(ids.tolist()):
            one = ones.get(object_id, empty).view(np.uint8)
            other = others.get(object_id, empty).view(np.uint8)
            counts[row] = self._count_one(one, other)
        grid = _count_overlapping_pairs(ones, others) if self._pairs else None
        return (ids, counts), grid

    def _count_one(self, gt: LabelMap, pred: LabelMap) -> Counts:
        rows = (
            kernels.count_frame_adaptive(gt, pred, [1])
            if self._adaptive
            else kernels.count_frame(gt, pred, [1], tolerance_radius(gt.shape))
        )
        return np.asarray(rows[0])


def _is_partial(masks: Masks) -> bool:
    """Whether a pixel belongs to no object."""
    parts = list(masks.values()) if isinstance(masks, dict) else [masks]
    return not any(part.all() for part in parts)


def _no_room_for_zero(where: str) -> InputError:
    return InputError(
        where,
        "a label map, where 0 is background",
        "a mask for each object, as the ground truth has an object 0",
        "Write one folder per object: <sequence>/<object>/<frame>.png.",
    )


def _count_pairs(gt: LabelMap, pred: LabelMap) -> PairGrid:
    gt_ids, pred_ids = kernels.present_ids(gt), kernels.present_ids(pred)
    taken = {*gt_ids.tolist(), *pred_ids.tolist()}
    absent = next(k for k in range(1, len(taken) + 2) if k not in taken)
    rows, columns = np.append(gt_ids, absent), np.append(pred_ids, absent)
    radius = tolerance_radius(gt.shape)
    counts = kernels.count_pairs(gt, pred, rows, columns, radius)
    return PairGrid(gt_ids, pred_ids, counts.astype(np.int32))


def _count_overlapping_pairs(gt: ObjectMasks, pred: ObjectMasks) -> PairGrid:
    """The same of masks that may overlap each other."""
    gt_ids, pred_ids = _present(gt), _present(pred)
    counts = np.zeros((len(gt_ids) + 1, len(pred_ids) + 1, N_COUNTS), np.int32)
    masks = [*gt.values(), *pred.values()]
    if masks:
        empty = np.zeros(masks[0].shape, np.uint8)
        radius = tolerance_radius(empty.shape)
        ones = [*(gt[k].view(np.uint8) for k in gt_ids.tolist()), empty]
        others = [*(pred[k].view(np.uint8) for k in pred_ids.tolist()), empty]
        for row, column in np.ndindex(counts.shape[:2]):
            pair = kernels.count_frame(ones[row], others[column], [1], radius)
            counts[row, column] = pair[0]
    return PairGrid(gt_ids, pred_ids, counts)


def _present(masks: Masks) -> Ids:
    if isinstance(masks, dict):
        ids = [object_id for object_id, mask in masks.items() if mask.any()]
        return np.array(sorted(ids), dtype=np.int64)
    return kernels.present_ids(masks)


def _as_objects(masks: Masks, other: Masks) -> ObjectMasks:
    """Per-object masks; of a label map, the objects that either side has."""
    if isinstance(masks, dict):
        return masks
    ids = {*_present(masks).tolist(), *(other if isinstance(other, dict) else ())}
    return {object_id: masks == object_id for object_id in sorted(ids) if object_id}


def _has_all(grid: PairGrid, gt: Masks, pred: Masks) -> bool:
    """Whether pairs have all objects: an empty mask is no pixel, but may be a track."""
    sides = (gt, grid.gt_ids), (pred, grid.pred_ids)
    return all(
        len(ids) == len(masks) for masks, ids in sides if isinstance(masks, dict)
    )

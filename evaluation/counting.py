"""From two mask sequences to pixel counts: the only part that reads images."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation import kernels
from evaluation.boundary import tolerance_radius
from evaluation.counts import N_COUNTS, N_COUNTS_ADAPTIVE, Counts
from evaluation.errors import InputError
from evaluation.labelmap import LabelMap
from evaluation.protocols import VOID, Protocol
from evaluation.sequence import MaskSequence, ObjectMasks


def _one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        raise InputError(
            name,
            repr(value),
            f"one of {', '.join(map(repr, allowed))}",
            "Choose one of them.",
        )


@dataclass(frozen=True)
class Leniency:
    """What may be mended on the way in; by default nothing.

    Attributes:
        missing: ``"error"``, or ``"score-as-empty"``: frames and sequences without
            a prediction count as predicted empty.
        resize: None, or ``"nearest"``: predictions of another size are resized.
        binarize: take whatever is not 0 as object 1, in both masks.
        void: ground-truth label whose pixels are left out of both masks; None
            follows the protocol.
    """

    missing: str = "error"
    resize: str | None = None
    binarize: bool = False
    void: int | None = None

    def __post_init__(self) -> None:
        _one_of("missing", self.missing, ("error", "score-as-empty"))
        _one_of("resize", self.resize, (None, "nearest"))


STRICT = Leniency()


@dataclass(frozen=True)
class SequencePair:
    """Ground truth and prediction of one video, with their frames aligned.

    Attributes:
        gt: the ground truth.
        pred: the prediction; None where the video is missing.
        frames: ground-truth frames to score, in playing order.
        pred_frames: the prediction's name of each frame that it has.
        ranges: object id -> (first, stop) frame numbers, where the benchmark says.
    """

    gt: MaskSequence
    pred: MaskSequence | None
    frames: tuple[str, ...]
    pred_frames: Mapping[str, str]
    ranges: Mapping[int, tuple[int, int]] | None = None

    @property
    def name(self) -> str:
        """Name of the video."""
        return self.gt.name

    def read(self, frame: str) -> tuple[LabelMap | ObjectMasks, Any]:
        """Masks of ground truth and prediction; None where there is no prediction."""
        gt = self.gt.read(frame)
        if self.pred is None or frame not in self.pred_frames:
            return gt, None
        return gt, self.pred.read(self.pred_frames[frame])

    def where(self, frame: str) -> str:
        """What to name in an error about the prediction of this frame."""
        if self.pred is None or frame not in self.pred_frames:
            return self.gt.where(frame)
        return self.pred.where(self.pred_frames[frame])

    def peeked(self) -> list[str]:
        """Frames outside the scored ones that are read for their ids: the ends."""
        ends = dict.fromkeys((self.gt.frames[0], self.gt.frames[-1]))
        return [frame for frame in ends if frame not in self.frames]

    def fingerprint(self) -> str:
        """Digest of every mask that is read and of which frame stands for which."""
        total = hashlib.blake2b(digest_size=16)
        for frame in (*self.peeked(), *self.frames):
            total.update(frame.encode() + b"\0" + self.gt.digest(frame))
            if self.pred is not None and frame in self.pred_frames:
                total.update(self.pred.digest(self.pred_frames[frame]))
        return total.hexdigest()


@dataclass(frozen=True)
class SequenceCounts:
    """Pixel counts of one video; n objects, T frames.

    Attributes:
        name: the video.
        frames: names of the counted frames.
        object_ids: [n] ids that occur in the ground truth, ascending.
        counts: [n, T, 7 or 9] pixel counts against the same id in the prediction.
        first_ids: ids in the first annotated frame.
        gt_ids: labels found in the ground truth, before any mending.
        pred_ids: labels found in the prediction, before any mending.
        proposal_ids: [m] ids of the proposals; empty unless they are to be matched.
        pairs: [n, m, T, 7] pixel counts of every object and proposal.
    """

    name: str
    frames: tuple[str, ...]
    object_ids: NDArray[np.int64]
    counts: Counts
    first_ids: NDArray[np.int64]
    gt_ids: NDArray[np.int64]
    pred_ids: NDArray[np.int64]
    proposal_ids: NDArray[np.int64]
    pairs: Counts


FrameRows = tuple[NDArray[np.int64], Counts]
"""[k] object ids ascending, and their [k, 7 or 9] counts."""


def count_sequence(
    pair: SequencePair,
    protocol: Protocol,
    leniency: Leniency = STRICT,
    tick: Callable[[], None] = lambda: None,
) -> SequenceCounts:
    """Count the pixels of every object in every frame of one video.

    Args:
        pair: the masks.
        protocol: says what to do with void and which tolerance to use.
        leniency: what may be mended.
        tick: called after each frame; may raise to stop.

    Raises:
        InputError: a mask cannot be read, or the sizes differ.
    """
    prepare = _Preparation(protocol, leniency)
    matched = protocol.matching != "by-id"
    rows: list[FrameRows] = []
    grids: list[_PairGrid] = []
    gt_ids = prepare.peek(pair)
    first_ids = gt_ids[0]
    for frame in pair.frames:
        gt, pred = prepare.frame(pair, frame)
        rows.append(_count_frame(gt, pred, protocol))
        if matched:
            grids.append(_count_pairs(gt, pred))
        tick()
    peeked = np.concatenate(gt_ids) if gt_ids else np.zeros(0, np.int64)
    object_ids = _ids_with_ground_truth(rows, peeked)
    proposal_ids, pairs = _assemble_pairs(grids, object_ids)
    return SequenceCounts(
        pair.gt.name,
        pair.frames,
        object_ids,
        _assemble(rows, object_ids, protocol),
        first_ids,
        prepare.found("gt"),
        prepare.found("pred"),
        proposal_ids,
        pairs,
    )


class _Preparation:
    """Reads frames, checks sizes, mends what may be mended, notes labels found."""

    def __init__(self, protocol: Protocol, leniency: Leniency) -> None:
        self._leniency = leniency
        self._merge = leniency.binarize or protocol.objects == "foreground"
        self._void = leniency.void
        if self._void is None and protocol.void == "ignored":
            self._void = VOID
        self._found: dict[str, set[int]] = {"gt": set(), "pred": set()}

    def found(self, side: str) -> NDArray[np.int64]:
        """Labels seen so far in ``"gt"`` or ``"pred"``, ascending."""
        return np.array(sorted(self._found[side]), dtype=np.int64)

    def peek(self, pair: SequencePair) -> list[NDArray[np.int64]]:
        """Ids of the first and the last annotated frame, read without prediction."""
        ids = []
        for frame in dict.fromkeys((pair.gt.frames[0], pair.gt.frames[-1])):
            masks = pair.gt.read(frame)
            self._note("gt", masks)
            masks = self._merged(masks)
            present = _present(masks)
            ids.append(present[present != self._void])
        return ids

    def frame(
        self, pair: SequencePair, frame: str
    ) -> tuple[LabelMap | ObjectMasks, LabelMap | ObjectMasks]:
        gt, pred = pair.read(frame)
        if pred is None:
            pred = {} if isinstance(gt, dict) else np.zeros_like(gt)
        self._note("gt", gt)
        self._note("pred", pred)
        pred = self._fitted(pred, _shape(gt), pair.where(frame), pair.gt.where(frame))
        if isinstance(gt, dict) != isinstance(pred, dict):
            gt, pred = _as_objects(gt, pred), _as_objects(pred, gt)
        elif self._void is not None and not (
            isinstance(gt, dict) or isinstance(pred, dict)
        ):
            gt, pred = _without_void(gt, pred, self._void)
        return self._merged(gt), self._merged(pred)

    def _note(self, side: str, masks: LabelMap | ObjectMasks) -> None:
        self._found[side].update(_present(masks).tolist())

    def _merged(self, masks: LabelMap | ObjectMasks) -> LabelMap | ObjectMasks:
        if not self._merge:
            return masks
        if isinstance(masks, dict):
            union = [mask for mask in masks.values()]
            return {1: np.logical_or.reduce(union)} if union else {}
        return (masks != 0).view(np.uint8)

    def _fitted(
        self,
        pred: LabelMap | ObjectMasks,
        shape: tuple[int, ...] | None,
        where: str,
        gt_where: str,
    ) -> LabelMap | ObjectMasks:
        if isinstance(pred, dict):
            return {
                k: self._fitted(mask, shape, where, gt_where)  # type: ignore[misc, arg-type]
                for k, mask in pred.items()
            }
        if shape is None or pred.shape == shape:
            return pred
        if self._leniency.resize == "nearest":
            return _resized(pred, shape)
        turned = " (turned by 90 degrees?)" if pred.shape == shape[::-1] else ""
        raise InputError(
            where,
            f"a mask of {pred.shape[1]}x{pred.shape[0]} pixels{turned}",
            f"{shape[1]}x{shape[0]} as in {gt_where}",
            "Write the masks in the size of the ground truth, or allow nearest "
            "resizing (resize='nearest', --resize nearest).",
        )


def _count_frame(
    gt: LabelMap | ObjectMasks, pred: LabelMap | ObjectMasks, protocol: Protocol
) -> FrameRows:
    if isinstance(gt, dict) or isinstance(pred, dict):
        return _count_overlapping(gt, pred, protocol)  # type: ignore[arg-type]
    if protocol.boundary != "adaptive":
        return kernels.count_present(gt, pred, tolerance_radius(gt.shape))
    ids = np.union1d(kernels.present_ids(gt), kernels.present_ids(pred))
    return ids, _count_ids(gt, pred, ids, protocol)


def _count_ids(gt: LabelMap, pred: LabelMap, ids: Any, protocol: Protocol) -> Counts:
    if protocol.boundary == "adaptive":
        return kernels.count_frame_adaptive(gt, pred, ids)
    return kernels.count_frame(gt, pred, ids, tolerance_radius(gt.shape))


def _count_overlapping(
    gt: ObjectMasks, pred: ObjectMasks, protocol: Protocol
) -> FrameRows:
    ids = np.array(sorted({*gt, *pred}), dtype=np.int64)
    n_counts = N_COUNTS_ADAPTIVE if protocol.boundary == "adaptive" else N_COUNTS
    rows = np.zeros((len(ids), n_counts), dtype=np.int64)
    for row, object_id in enumerate(ids.tolist()):
        mask = gt.get(object_id, pred.get(object_id))
        assert mask is not None
        empty = np.zeros_like(mask)
        one = gt.get(object_id, empty).view(np.uint8)
        other = pred.get(object_id, empty).view(np.uint8)
        rows[row] = _count_ids(one, other, np.array([1]), protocol)[0]
    return ids, rows


@dataclass(frozen=True)
class _PairGrid:
    """Counts of one frame; the last row and column stand for an absent partner."""

    gt_ids: NDArray[np.int64]
    pred_ids: NDArray[np.int64]
    counts: Counts


def _count_pairs(gt: LabelMap | ObjectMasks, pred: LabelMap | ObjectMasks) -> _PairGrid:
    if isinstance(gt, dict) or isinstance(pred, dict):
        raise InputError(
            "masks",
            "masks that overlap",
            "label maps: proposals are matched on them",
            "Write one label map a frame, or use the protocol sa-v.",
        )
    gt_ids, pred_ids = kernels.present_ids(gt), kernels.present_ids(pred)
    taken = {*gt_ids.tolist(), *pred_ids.tolist()}
    absent = next(k for k in range(1, len(taken) + 2) if k not in taken)
    counts = kernels.count_pairs(
        gt,
        pred,
        np.append(gt_ids, absent),
        np.append(pred_ids, absent),
        tolerance_radius(gt.shape),
    )
    return _PairGrid(gt_ids, pred_ids, counts)


def _assemble_pairs(
    grids: Sequence[_PairGrid], object_ids: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Counts]:
    found = [grid.pred_ids for grid in grids]
    proposal_ids = np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)
    pairs = np.zeros(
        (len(object_ids), len(proposal_ids), len(grids), N_COUNTS), dtype=np.int64
    )
    for t, grid in enumerate(grids):
        rows = _positions(object_ids, grid.gt_ids)
        columns = _positions(proposal_ids, grid.pred_ids)
        pairs[:, :, t] = grid.counts[np.ix_(rows, columns)]
    return proposal_ids, pairs


def _positions(wanted: NDArray[np.int64], present: NDArray[np.int64]) -> list[int]:
    """Index of each wanted id among those present; -1, the last, for an absent one."""
    index = {object_id: i for i, object_id in enumerate(present.tolist())}
    return [index.get(object_id, len(index)) for object_id in wanted.tolist()]


def _assemble(
    rows: Sequence[FrameRows], object_ids: NDArray[np.int64], protocol: Protocol
) -> Counts:
    n_counts = N_COUNTS_ADAPTIVE if protocol.boundary == "adaptive" else N_COUNTS
    counts = np.zeros((len(object_ids), len(rows), n_counts), dtype=np.int64)
    for t, (ids, frame_counts) in enumerate(rows):
        known = np.isin(ids, object_ids)
        counts[np.searchsorted(object_ids, ids[known]), t] = frame_counts[known]
    return counts


def _ids_with_ground_truth(
    rows: Sequence[FrameRows], peeked: NDArray[np.int64]
) -> NDArray[np.int64]:
    visible = [ids[counts[:, 0] > 0] for ids, counts in rows]
    return np.unique(np.concatenate([peeked, *visible])).astype(np.int64)


def _present(masks: LabelMap | ObjectMasks) -> NDArray[np.int64]:
    if isinstance(masks, dict):
        ids = [object_id for object_id, mask in masks.items() if mask.any()]
        return np.array(sorted(ids), dtype=np.int64)
    return kernels.present_ids(masks)


def _shape(masks: LabelMap | ObjectMasks) -> tuple[int, ...] | None:
    if isinstance(masks, dict):
        return next((mask.shape for mask in masks.values()), None)
    return masks.shape


def _as_objects(
    masks: LabelMap | ObjectMasks, other: LabelMap | ObjectMasks
) -> ObjectMasks:
    """Per-object masks, with those ids of a label map that either side has."""
    if isinstance(masks, dict):
        return masks
    ids = {*_present(masks).tolist(), *(other if isinstance(other, dict) else ())}
    return {object_id: masks == object_id for object_id in sorted(ids) if object_id}


def _without_void(gt: LabelMap, pred: LabelMap, void: int) -> tuple[LabelMap, LabelMap]:
    unclear = gt == void
    if not unclear.any():
        return gt, pred
    return np.where(unclear, 0, gt).astype(gt.dtype), np.where(unclear, 0, pred).astype(
        pred.dtype
    )


def _resized(mask: Any, shape: tuple[int, ...]) -> Any:
    """Nearest neighbour, pixel centres aligned."""
    rows = ((np.arange(shape[0]) + 0.5) * mask.shape[0] / shape[0]).astype(np.int64)
    columns = ((np.arange(shape[1]) + 0.5) * mask.shape[1] / shape[1]).astype(np.int64)
    return np.ascontiguousarray(mask[np.ix_(rows, columns)])

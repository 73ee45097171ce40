"""Masks that fit when they are scaled: of images that were padded, cropped or resized.

A scale moves both ends of an object by what their places say. Masks that are too large
or too small move the two ends apart, wherever the object is, and are no such fault.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation._utils.names import told_move
from evaluation.counting.counts import GT_AREA, INTERSECTION, PRED_AREA
from evaluation.counting.kernels import object_boxes
from evaluation.counting.video import SequenceCounts
from evaluation.masks.label_map import Mask
from evaluation.masks.numbering import mask_iou
from evaluation.masks.numbering.between_frames import TRUE_IDS_CHANGE, ids_change
from evaluation.masks.pairs import Masks, SequencePair
from evaluation.results.checks.lags import nearby_or
from evaluation.results.checks.masks import foreground
from evaluation.results.checks.nearby import Reading, of_true_size
from evaluation.results.checks.placements import (
    GOOD,
    OBJECTS,
    Looked,
    better,
    foregrounds,
    look_by_name,
    moved_a_little,
    start_of,
    untracked,
)

_LARGE = np.log(1.15)
"""Logarithm of scales that are told only where masks hardly fit without."""

_SMALL = np.log(1.015)
"""The same where masks fit fairly, and every frame must fit better. Smaller
scales come by chance, too, in results without this fault."""

_GAIN, _LEAST_GAIN, _WELL = 0.02, 0.01, 0.75
"""Mean IoU gained by a small scale, that of any frame, and what it is then."""

_FAIR = 0.9
"""IoU of all objects together from which a scale hardly costs anything."""

LOOKED = 6
"""Frames that are looked at for a small scale."""

_APART = 0.12
"""Part of the frame over which objects must lie to tell a scale from their size."""


@dataclass(frozen=True)
class _Map:
    """Where masks belong: scaled and moved, in pixels, by rows and by columns."""

    scale: tuple[float, float]
    by: tuple[float, float]

    def __call__(self, mask: Mask) -> Mask:
        """The mask where it belongs."""
        import cv2  # takes longer to load than most benchmarks take to score

        (tall, wide), (down, right) = self.scale, self.by
        # Places are edges of pixels here; those of OpenCV are their centres.
        half = wide / 2 - 0.5, tall / 2 - 0.5
        matrix = np.array([[wide, 0, right + half[0]], [0, tall, down + half[1]]])
        pixels = mask.astype(np.uint8)
        moved = cv2.warpAffine(
            pixels, matrix, mask.shape[::-1], flags=cv2.INTER_NEAREST
        )
        return np.asarray(moved > 0)

    @property
    def largest(self) -> float:
        """Logarithm of the scale that changes more."""
        return max(abs(float(np.log(factor))) for factor in self.scale)

    def tell(self, name: str) -> str:
        """The note, with a gap for how well masks fit."""
        (tall, wide), (down, right) = self.scale, self.by
        return (
            f"{name}: masks fit the ground truth if they are scaled by {wide:.2f} "
            f"across and {tall:.2f} down, and moved by {told_move(down, right)} "
            "({}); were images resized, padded or cropped, and masks not brought back?"
        )


def rescaled(name: str, looked: Looked) -> Reading:
    """Whether masks fit if they are scaled and moved alike in all frames.

    So do those that were padded or shrunk for a network, and written as they came.
    """
    looked = looked[::2]
    pairs = list(foregrounds(looked))
    if not pairs:
        return None
    ends = np.concatenate([_ends(gt, own) for gt, own in looked])
    found = _map_of(*(_line(ends[ends[:, 0] == axis, 2:]) for axis in (0, 1)))
    if found is None or found.largest < _LARGE:
        return None
    return better(pairs, found, found.tell(name))


def scaled_a_little(name: str, looked: Looked) -> Reading:
    """Whether masks of a video fit every frame better if all are scaled alike."""
    pairs = list(foregrounds(looked))
    if len(pairs) < 3:
        return None
    ends = np.concatenate([_ends(gt, own) for gt, own in looked])
    shape = pairs[0][0].shape
    found = _map_of(*(_map_along(ends, axis, shape[axis]) for axis in (0, 1)))
    if found is None or found.largest < _SMALL:
        return None
    seen = found(np.ones(shape, np.bool_))  # what was cropped away cannot fit
    before = [mask_iou(gt, own) for gt, own in pairs]
    after = [mask_iou(gt & seen, found(own)) for gt, own in pairs]
    gains = np.subtract(after, before)
    if gains.min() < _LEAST_GAIN or gains.mean() < _GAIN or np.mean(after) < _WELL:
        return None
    fit = float(np.mean(after))
    # Masks that are too large or too small all around fit so when they are scaled, too.
    by_size = [mask_iou(gt, of_true_size(gt, own) > 0) for gt, own in pairs]
    if np.mean(by_size) > fit - _LEAST_GAIN:
        return None
    told = f"mean IoU {fit:.2f} against {np.mean(before):.2f}"
    return fit, found.tell(name).format(told)


def _map_of(
    rows: tuple[float, float] | None, columns: tuple[float, float] | None
) -> _Map | None:
    """The map of factors and offsets of two axes; None where there is no use for it."""
    if rows is None or columns is None:
        return None
    if not all(0.1 < factor < 10 for factor, _ in (rows, columns)):
        return None
    return _Map((rows[0], columns[0]), (rows[1], columns[1]))


def _map_along(
    ends: NDArray[np.float64], axis: int, length: int
) -> tuple[float, float] | None:
    """Factor and offset of an axis, apart from what makes masks too large.

    Only an offset where objects lie too close to each other to tell one from the other;
    None where too few ends lie within the frame.
    """
    own = ends[ends[:, 0] == axis]
    sides = [own[own[:, 1] == side] for side in (-1, 1)]
    if min(map(len, sides)) < 4:
        return None
    if min(float(np.ptp(e[:, 2])) for e in sides) < _APART * length:
        return 1.0, float(np.mean([np.median(e[:, 3] - e[:, 2]) for e in sides]))
    side, there, true = own[:, 1], own[:, 2], own[:, 3]
    terms = np.column_stack([there, np.ones(len(own)), side])
    weights = np.ones(len(own))
    for _ in range(12):  # ends of wrong masks count less and less
        root = np.sqrt(weights)
        solved = np.linalg.lstsq(terms * root[:, None], true * root, rcond=None)[0]
        weights = 1 / np.maximum(np.abs(terms @ solved - true), 1.0)
    return float(solved[0]), float(solved[1])


def _ends(gt: Masks, own: Masks | None) -> NDArray[np.float64]:
    """[n, 4]: axis, side (-1, 1), place in the prediction, in the truth, of objects."""
    if own is None or _shape_of(gt) != _shape_of(own):
        return np.zeros((0, 4))
    sizes = _shape_of(gt)
    found, true = _boxes(own), _boxes(gt)
    rows = []
    for key in sorted(found.keys() & true.keys())[: 1 + OBJECTS]:
        for axis, size in enumerate(sizes):
            for k, side in ((0, -1), (1, 1)):
                places = [int(one[key][2 * axis + k]) for one in (found, true)]
                # Ends that the frame cuts say nothing.
                if min(places) > k and max(places) - k < size - 1:
                    rows.append((axis, side, *places))
    return np.array(rows, dtype=np.float64).reshape(-1, 4)


def _shape_of(masks: Masks) -> tuple[int, ...]:
    """Rows and columns; none where there is no mask."""
    if isinstance(masks, dict):
        return next((mask.shape for mask in masks.values()), ())
    return masks.shape


def _boxes(masks: Masks) -> dict[int, NDArray[np.int64]]:
    """Boxes as of `object_boxes` by id of the object, and under 0 that of all together.

    Only the latter of masks that overlap.
    """
    if isinstance(masks, dict):
        union = foreground(masks)
        together = None if union is None else object_boxes(union.view(np.uint8))[1]
        alone = {}
    else:
        ids, together = object_boxes(masks)
        alone = dict(zip(ids.tolist(), together, strict=True))
    if together is None or not len(together):
        return {}
    first, last = together.min(axis=0), together.max(axis=0)
    return {0: np.where([True, False, True, False], first, last), **alone}


def _line(places: NDArray[np.float64]) -> tuple[float, float]:
    """Factor and offset that take places in the prediction to those in the truth."""
    if len(places) < 4 or np.ptp(places[:, 0]) < 8:
        return 1.0, 0.0
    factor, offset = np.polyfit(places[:, 0], places[:, 1], 1)
    return float(factor), float(offset)


def look_closer(pair: SequencePair, counts: SequenceCounts, *, late: bool) -> list[str]:
    """Notes on masks that fit fairly, and better if scaled, moved or under other ids.

    Masks are read only where they fit badly from the start, or ids cost much.

    Args:
        pair: the video, compared by ids.
        counts: its pixel counts.
        late: whether they fit frames nearby better, as was told. Masks that stay behind
            look as if they were scaled and moved, too.
    """
    totals = counts.counts.sum(axis=(0, 1), dtype=np.int64)
    shared, area, own = (int(totals[k]) for k in (INTERSECTION, GT_AREA, PRED_AREA))
    notes: list[str] = []
    union = area + own - shared
    start = start_of(counts)
    if area <= 2 * shared < 2 * _FAIR * union and start < _FAIR:
        looked = {} if late else look_by_name(pair, LOOKED)
        scaled = scaled_a_little(pair.name, [*looked.values()])
        notes += nearby_or(pair, looked, scaled)
    if not (notes or late) and area <= 2 * shared < 2 * GOOD * union and start < GOOD:
        notes += moved_a_little(pair)
    if len(counts.object_ids) > 1 and 10 * shared < 7 * min(area, own):
        notes += _ids_change(pair) or untracked(pair)
    return notes


def _ids_change(pair: SequencePair) -> list[str]:
    """Notes on the side whose objects exchange ids again and again."""
    notes = []
    told = ids_change(pair.gt.frames, pair.gt.read)
    if told:
        notes.append(f"{pair.name}: {TRUE_IDS_CHANGE.format(told)}")
    pred = pair.pred
    told = ids_change(pred.frames, pred.read) if pred is not None else ""
    if told:
        notes.append(
            f"{pair.name}: predicted masks have ids that change from frame to frame "
            f"({told}); are they detections of single frames, not tracked?"
        )
    return notes

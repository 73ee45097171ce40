"""Masks that fit when they are drawn in another way: scaled, moved, filled, renamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from evaluation._utils.names import told_move
from evaluation.counting.counts import GT_AREA, INTERSECTION, PRED_AREA
from evaluation.counting.video import SequenceCounts
from evaluation.masks.label_map import Mask
from evaluation.masks.numbering import mask_iou
from evaluation.masks.pairs import Masks, SequencePair
from evaluation.results.checks.masks import foreground, predicted_frames, spread
from evaluation.results.checks.nearby import Reading

Looked = Sequence[tuple[Masks, Masks | None]]
"""True and predicted masks of the frames that are looked at."""

_FITS = 0.7
"""Mean IoU of masks that are the right ones, drawn in another way."""

_GAIN = 0.3
"""Mean IoU to be gained by drawing them as they are meant."""

_EARLY = 3
"""Scored frames at the start, in which methods have hardly gone wrong yet."""

GOOD = 0.8
"""IoU of all objects together from which masks are where they belong."""

_LEAST_MOVE = 3
"""Pixels; less may come of the resolution at which a method works."""

_FINE = 256
"""Rows and columns of the grid on which moves are looked for."""

OBJECTS = 6
"""How many objects of a frame are looked at."""


def look(pair: SequencePair, most: int = 8) -> Looked:
    """The masks of some scored frames that have a prediction."""
    return [*look_by_name(pair, most).values()]


def look_by_name(
    pair: SequencePair, most: int
) -> dict[str, tuple[Masks, Masks | None]]:
    """The same by the names of the frames."""
    return {frame: pair.read(frame) for frame in spread(predicted_frames(pair), most)}


def outlined(name: str, looked: Looked) -> Reading:
    """Whether masks fit if what they enclose belongs to them."""

    def filled(mask: Mask) -> Mask:
        import cv2

        pixels = mask.astype(np.uint8)
        found, _ = cv2.findContours(pixels, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        return np.asarray(cv2.drawContours(pixels, found, -1, 1, cv2.FILLED) > 0)

    return better(
        list(foregrounds(looked[::2])),
        filled,
        f"{name}: masks fit the ground truth if they are filled ({{}}); are they "
        "outlines of the objects?",
    )


def start_of(counts: SequenceCounts) -> float:
    """IoU of all objects together in the first scored frames."""
    early = counts.counts[:, :_EARLY].sum(axis=(0, 1), dtype=np.int64)
    union = int(early[GT_AREA] + early[PRED_AREA] - early[INTERSECTION])
    return int(early[INTERSECTION]) / union if union else 1.0


def moved_a_little(pair: SequencePair) -> list[str]:
    """A note where all masks lie a few pixels beside where they fit."""
    frames = predicted_frames(pair)
    first = list(foregrounds([pair.read(frame) for frame in frames[:1]]))
    if not first or not _ends_moved(*first[0]):
        return []
    if _gain_of_move(first, _best_move(first, 128)) < 0.08:
        return []
    pairs = list(foregrounds(look(pair, 6)))
    by = _best_move(pairs)
    if max(map(abs, by)) < _LEAST_MOVE or len(pairs) < 3:
        return []
    # One fault moves all frames alike; a method that drifts or lags does not.
    apart = [np.abs(np.subtract(_best_move([one]), by)).max() for one in pairs]
    slack = 2 + _thinning(pairs[0][0].shape, _FINE)
    gains = [_gain_of_move([one], by) for one in pairs]
    if max(apart) > slack or min(gains) < 0.02 or np.mean(gains) < 0.08:
        return []
    before = float(np.mean([mask_iou(*one) for one in pairs]))
    if before + np.mean(gains) < 0.75:
        return []
    down, right = by
    return [
        f"{pair.name}: masks fit the ground truth better if all are moved by "
        f"{told_move(down, right)} (mean IoU {before + np.mean(gains):.2f} against "
        f"{before:.2f}); were images cropped or padded?"
    ]


def _ends_moved(gt: Mask, own: Mask) -> bool:
    """Whether both ends of all objects together lie off to the same side.

    Of masks that are too small or too large the ends lie off to different sides.
    """
    for axis in (0, 1):
        true, found = (np.flatnonzero(mask.any(axis=axis)) for mask in (gt, own))
        first, last = int(true[0] - found[0]), int(true[-1] - found[-1])
        if min(abs(first), abs(last)) >= 2 and (first > 0) == (last > 0):
            return True
    return False


def _thinning(shape: Sequence[int], most: int) -> int:
    """Every how many-th row and column leaves as many as asked for."""
    return max(1, max(shape) // most)


def _best_move(
    pairs: Sequence[tuple[Mask, Mask]], most: int = _FINE
) -> tuple[int, int]:
    """Rows and columns by which predictions fit best if all are moved alike.

    The overlap after every move at once is a correlation, here on a thinner grid.
    """
    step = _thinning(pairs[0][0].shape, most)
    total: NDArray[np.float64] | float = 0.0
    for gt, own in pairs:
        true, found = (mask[::step, ::step].astype(np.float32) for mask in (gt, own))
        shape = [2 * n for n in true.shape]  # what leaves the frame is gone
        spectrum = np.fft.rfft2(true, shape) * np.conj(np.fft.rfft2(found, shape))
        total = total + np.fft.irfft2(spectrum, shape) / max(true.sum(), 1.0)
    overlap = np.asarray(total)
    down, right = np.unravel_index(int(overlap.argmax()), overlap.shape)
    rows, columns = overlap.shape
    return (
        step * int(down - rows if 2 * down >= rows else down),
        step * int(right - columns if 2 * right >= columns else right),
    )


def _gain_of_move(pairs: Sequence[tuple[Mask, Mask]], by: tuple[int, int]) -> float:
    """Mean IoU gained by moving masks by rows and columns."""
    if not any(by):
        return 0.0
    return float(
        np.mean([mask_iou(gt, move(own, *by)) - mask_iou(gt, own) for gt, own in pairs])
    )


def move(mask: Mask, down: int, right: int) -> Mask:
    """A mask moved within its frame; what leaves it is gone."""
    found = np.zeros_like(mask)
    height, width = mask.shape
    rows = slice(max(down, 0), min(height + down, height))
    columns = slice(max(right, 0), min(width + right, width))
    found[rows, columns] = mask[
        rows.start - down : rows.stop - down,
        columns.start - right : columns.stop - right,
    ]
    return found


def untracked(pair: SequencePair) -> list[str]:
    """A note where objects are found, but under other ids in every frame."""
    names = []
    for gt, own in look(pair):
        if isinstance(gt, dict) or isinstance(own, dict) or own is None:
            return []
        if gt.shape == own.shape:
            step = _thinning(gt.shape, _FINE // 2)
            names.append(_names(gt[::step, ::step], own[::step, ::step]))
    if len(names) < 4:
        return []
    keys = set.intersection(*(set(one) for one in names))
    held = [tuple(one[k] for k in sorted(keys)) for one in names]
    changes = sum(one != other for one, other in pairwise(held))
    if len(keys) < 2 or 5 * changes < 3 * (len(held) - 1) or len(set(held)) < 2:
        return []
    if len(keys) == 2 and changes < 3:
        return []
    return [
        f"{pair.name}: predicted masks lie on the objects, but under ids that change "
        f"from frame to frame ({changes} times between {len(held)} frames looked at); "
        "are they detections of single frames, not tracked?"
    ]


def _names(gt: NDArray[np.generic], own: NDArray[np.generic]) -> dict[int, int]:
    """Predicted id that covers most of each object; of objects that one does cover."""
    found = {}
    for key in np.unique(gt[gt != 0]).tolist()[:OBJECTS]:
        there = own[gt == key]
        counts = np.bincount(there[there != 0].astype(np.int64).ravel())
        if len(counts) and 2 * int(counts.max()) > there.size:
            found[int(key)] = int(counts.argmax())
    return found


def foregrounds(looked: Looked) -> Iterator[tuple[Mask, Mask]]:
    """All objects as one, in frames where both sides have any and one size."""
    for gt, own in looked:
        true, found = foreground(gt), foreground(own)
        if true is None or found is None or true.shape != found.shape:
            continue
        if true.any() and found.any():
            yield true, found


def better(
    pairs: Sequence[tuple[Mask, Mask]], change: Callable[[Mask], Mask], note: str
) -> Reading:
    """The note, if masks fit far better when they are changed."""
    if not pairs:
        return None
    as_read = float(np.mean([mask_iou(gt, own) for gt, own in pairs]))
    fits = float(np.mean([mask_iou(gt, change(own)) for gt, own in pairs]))
    if fits < _FITS or fits < _GAIN + as_read:
        return None
    return fits, note.format(f"mean IoU {fits:.2f} against {as_read:.2f}")

"""Masks that fit when they are read in another way: flipped, moved, out of order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt

import numpy as np

from evaluation._utils.names import told_move
from evaluation.masks.label_map import Mask, label_iou
from evaluation.masks.numbering import mask_iou
from evaluation.masks.pairs import Masks, SequencePair, pixels_of
from evaluation.masks.sequence import RleSequence
from evaluation.results.checks.masks import foreground, predicted_frames, spread
from evaluation.results.checks.nearby import Reading, thinned
from evaluation.results.checks.placements import (
    Looked,
    foregrounds,
    look,
    move,
    outlined,
)
from evaluation.results.checks.scales import LOOKED, rescaled, scaled_a_little

_ALIKE = 0.001
"""Mean IoU by which two ways to read masks fit as well as each other."""


def better_readings(pair: SequencePair) -> list[str]:
    """Notes on the other way to read masks of a video in which they fit best.

    Where several fit alike, as for a symmetrical mask that never moves, all are told.
    """
    looked = look(pair)
    scaled = rescaled(pair.name, looked) or scaled_a_little(
        pair.name, look(pair, LOOKED)
    )
    readings = [scaled, in_other_order(pair), misplaced(pair)]
    readings += [reading(pair.name, looked) for reading in (flipped, moved, outlined)]
    found = [one for one in readings if one]
    best = max((fit for fit, _ in found), default=0.0)
    return [note for fit, note in found if fit >= best - _ALIKE]


def told_of(name: str, gt: Masks, own: Masks) -> list[str]:
    """Notes on the other way to draw the masks of one frame in which they fit best.

    Args:
        name: what to call the masks.
        gt: that they should fit.
        own: the masks.
    """
    looked = [(gt, own)]
    found = [reading(name, looked) for reading in (flipped, moved, rescaled, outlined)]
    best = max((one[0] for one in found if one), default=0.0)
    return [one[1] for one in found if one and one[0] >= best - _ALIKE]


def in_other_order(pair: SequencePair) -> Reading:
    """Whether pixels fit far better if they lie along the rows, or along the columns.

    Run lengths of COCO go down the columns; encoders and decoders that take arrays as
    they lie in memory go along the rows.
    """
    fits: dict[str, list[float]] = {"": [], _BY_ROWS: [], _BY_COLUMNS: []}
    for gt, own in foregrounds(look(pair)):
        fits[""].append(mask_iou(gt, own))
        fits[_BY_ROWS].append(mask_iou(gt, own.T.reshape(gt.shape)))
        fits[_BY_COLUMNS].append(mask_iou(gt, own.reshape(gt.shape[::-1]).T))
    if not fits[""]:
        return None
    means = {order: float(np.mean(values)) for order, values in fits.items()}
    best = max((_BY_ROWS, _BY_COLUMNS), key=lambda order: means[order])
    if means[best] < 0.3 + means[""]:
        return None
    if isinstance(pair.pred, RleSequence):
        told = "run lengths fit the objects if they go"
    else:
        told = "pixels fit the objects if they are taken to lie"
    return means[best], f"{pair.name}: {told} {best}: were arrays reshaped otherwise?"


_BY_ROWS = "along the rows; those of COCO's run lengths go down the columns"
_BY_COLUMNS = 'down the columns, as those of COCO\'s run lengths do (order="F")'


_FLIPS: dict[str, Callable[[Mask], Mask]] = {
    "left and right": lambda mask: mask[:, ::-1],
    "top and bottom": lambda mask: mask[::-1],
    "all sides (turned by 180 degrees)": lambda mask: mask[::-1, ::-1],
}


def flipped(video: str, looked: Looked) -> Reading:
    """Whether masks fit far better with their sides exchanged."""
    fits: dict[str, list[float]] = {name: [] for name in ("", *_FLIPS)}
    for true, own in looked:
        gt, pred = foreground(true), foreground(own)
        if gt is None or pred is None or gt.shape != pred.shape:
            continue
        fits[""].append(mask_iou(gt, pred))
        for name, flip in _FLIPS.items():
            fits[name].append(mask_iou(gt, flip(pred)))
    if not fits[""]:
        return None
    means = {name: float(np.mean(values)) for name, values in fits.items()}
    best = max(_FLIPS, key=lambda name: means[name])
    if means[best] < 0.3 + means[""]:
        return None
    return means[best], _tell_flipped(video, best, means[best], means[""])


_MOST_CHECKED = 8
"""Frames in which masks are held against the truth with their sides exchanged."""

_FEWEST = 4
"""Frames from which it is no chance that all of them fit better so."""

_FITS_FLIPPED = 0.3
"""Mean IoU of masks that are the right ones but for their sides."""

_LEAST_GAIN, _MEAN_GAIN = 0.01, 0.04
"""IoU that each of these frames, and all on average, must gain by it."""


def mirrored(pair: SequencePair, *, by_id: bool) -> Reading:
    """Whether masks fit better in every frame with their sides exchanged.

    Objects near the middle of the frame are hit by mirrored masks, too, so that little
    may be gained; but a method errs to one side in one frame, and to another in others.
    The given frame, which a method may have copied, is left out.

    Args:
        pair: the video.
        by_id: whether objects are compared by their ids, or as one.
    """
    frames = tuple(f for f in predicted_frames(pair) if f != pair.gt.frames[0])
    chosen = spread(frames, _MOST_CHECKED)
    if len(chosen) < _FEWEST:
        return None
    # The last frame spares nearly all videos without fault the rest.
    table = []
    for frame in reversed(chosen):
        fits = _mirrored_fits(*pair.read(frame), by_id)
        if fits is None:
            continue
        table.append(fits)
        if max(fits[1:]) < fits[0] + _LEAST_GAIN:
            return None
    if len(table) < _FEWEST:
        return None
    gains = np.array(table)[:, 1:] - np.array(table)[:, :1]
    best = int(gains.mean(axis=0).argmax())
    if gains[:, best].min() < _LEAST_GAIN or gains[:, best].mean() < _MEAN_GAIN:
        return None
    before = float(np.mean(table, axis=0)[0])
    fit = before + float(gains[:, best].mean())
    if fit < _FITS_FLIPPED:
        return None
    return fit, _tell_flipped(pair.name, list(_FLIPS)[best], fit, before)


def _mirrored_fits(gt: Masks, own: Masks | None, by_id: bool) -> list[float] | None:
    """IoU as read, then of each of `_FLIPS`; None where one side has no object."""
    if own is None:
        return None
    step = max(1, round(sqrt(pixels_of(gt) / _PIXELS)))
    true = thinned(gt, by_id, step)
    if not true.any():
        return None
    fits = []
    for flip in (lambda mask: mask, *_FLIPS.values()):
        turned = (
            {key: flip(mask) for key, mask in own.items()}
            if isinstance(own, dict)
            else flip(own)
        )
        found = thinned(turned, by_id, step)
        if not found.any() or found.shape != true.shape:
            return None
        fits.append(label_iou(true, found) or 0.0)
    return fits


_PIXELS = 25_000
"""About so many pixels of a frame are compared."""


def _tell_flipped(video: str, sides: str, fit: float, before: float) -> str:
    return (
        f"{video}: masks fit the ground truth with {sides} exchanged (mean IoU "
        f"{fit:.2f} against {before:.2f}); were images flipped?"
    )


def moved(video: str, looked: Looked) -> Reading:
    """Whether masks fit well if all are moved alike, as after cropping or padding."""
    pairs = list(foregrounds(looked))
    if not pairs:
        return None
    as_read = float(np.mean([mask_iou(gt, own) for gt, own in pairs]))
    best, (down, right) = max(
        (float(np.mean([mask_iou(gt, move(own, *by)) for gt, own in pairs])), by)
        for by in _common_moves(pairs)
    )
    if best < _FITS_MOVED or best < 0.3 + as_read:
        return None
    return best, (
        f"{video}: masks fit the ground truth if they are moved by "
        f"{told_move(down, right)} (mean IoU {best:.2f} against {as_read:.2f}); were "
        "images cropped or padded?"
    )


_FITS_MOVED = 0.7
"""Mean IoU of masks that are the right ones in another place."""


def _common_moves(looked: Sequence[tuple[Mask, Mask]]) -> set[tuple[int, int]]:
    """By how much masks may be off in all frames: of their two corners and centres."""
    moves = []
    for gt, own in looked:
        true, there = np.argwhere(gt), np.argwhere(own)
        moves.append(
            [f(true, axis=0) - f(there, axis=0) for f in (np.min, np.max, np.mean)]
        )
    middle = np.rint(np.median(np.asarray(moves), axis=0)).astype(int)
    return {(int(down), int(right)) for down, right in middle.tolist()}


def misplaced(pair: SequencePair) -> Reading:
    """Whether masks fit far better in other frames: shifted, or out of order."""
    frames = predicted_frames(pair)
    looked = spread(frames[1:-1] or frames, most=4)
    near = {frames[k] for f in looked for k in _neighbours(frames, f)}
    truth = {}
    for frame in dict.fromkeys((*spread(frames, most=24), *looked, *sorted(near))):
        mask = foreground(pair.gt.read(frame))
        if mask is not None and mask.any():
            truth[frame] = mask
    moved: dict[str, str] = {}
    best_fits = []
    for frame in looked:
        mask = foreground(pair.read(frame)[1])
        if mask is None or frame not in truth:
            continue
        fits = {other: mask_iou(gt, mask) for other, gt in truth.items()}
        best = max(fits, key=lambda other: fits[other])
        best_fits.append(fits[best])
        if fits[best] - fits[frame] > 0.3:
            moved[frame] = best
    if not moved or 2 * len(moved) <= len(best_fits):
        return None
    if len(moved) > 1 and len(set(moved.values())) == 1:
        return None  # a mask that stays as it is, as that of a baseline does
    told = ", ".join(f"{frame} that of {other}" for frame, other in moved.items())
    return float(np.mean(best_fits)), (
        f"{pair.name}: masks fit other frames of the ground truth far better ({told}); "
        "are frames shifted, or in another order?"
    )


def _neighbours(frames: Sequence[str], frame: str) -> list[int]:
    place = frames.index(frame)
    return [k for k in (place - 1, place + 1) if 0 <= k < len(frames)]

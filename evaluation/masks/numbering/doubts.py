"""Frames that keep their numbers, though the masks say that they may be off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import numpy as np

from evaluation._utils.names import counted
from evaluation.errors import InputError
from evaluation.masks.names import numbers_of
from evaluation.masks.numbering.agreement import agreement
from evaluation.masks.numbering.shifts import shift_numbers
from evaluation.masks.numbering.whole import annotated_frames
from evaluation.masks.pairs import SequencePair
from evaluation.masks.sequence import MaskSequence

NUMBERED_FROM_ANOTHER = "are they numbered from another frame?"
"""What notes ask of masks that fit a frame earlier or later."""

_SAMPLED = 5
"""Frames of a video in which masks that keep their numbers are looked at."""


_CLEAR_GAIN = 0.1
"""Mean IoU by which masks must fit better one frame off for that to be told."""


_SMALL_GAIN, _MANY = 0.02, 12
"""The same, and how many frames are looked at, where the prediction has one frame less
and is ahead by one: a method falls behind, but hardly runs ahead of the video."""


_FEWEST = 6
"""Frames that must all fit better, then."""


_FEW = 3
"""Annotated frames from which the number of predicted ones tells something."""


_BETWEEN = 8
"""Videos, evenly spread, in which masks between the annotated frames are read."""


def doubt_numbers(
    pairs: Mapping[str, tuple[MaskSequence, MaskSequence]],
    names: Mapping[str, Mapping[str, str]],
) -> dict[str, str]:
    """Why frames that keep their numbers may be one off, by video.

    Results may leave out the first frame, whose mask is given, and count from 0 all the
    same, or have it twice. A method that lags behind looks the same: numbers are kept.

    Where neighbours of annotated frames are not annotated, their masks are read for
    this alone: in a few videos, as what is off is so in all or most of them.

    Args:
        pairs: ground truth and prediction by video.
        names: the prediction's name of each frame that it has, by video.
    """
    found, sparse = {}, []
    for name, (gt, pred) in pairs.items():
        ours, theirs = numbers_of(gt.frames), numbers_of(pred.frames)
        if not ours or not theirs or _alike(ours, theirs):
            continue
        inner = {f: names[name][f] for f in _inner(gt) if f in names[name]}
        # Frames that are scored anyway, where that will do.
        shifts = _shifts(gt, pred, inner, set(inner.values()))
        if any(shifts.values()):
            found[name] = _doubt(gt, pred, inner, shifts)
        elif inner:
            sparse.append(name)
    for name in sparse[:: max(1, -(-len(sparse) // _BETWEEN))]:
        gt, pred = pairs[name]
        inner = {f: names[name][f] for f in _inner(gt) if f in names[name]}
        found[name] = _doubt(
            gt, pred, inner, _shifts(gt, pred, inner, set(pred.frames))
        )
    return {name: doubt for name, doubt in found.items() if doubt}


def lack_last(pairs: Sequence[SequencePair]) -> bool:
    """Whether all videos have all frames but the last annotated one, from the first on.

    So have results without the first frame, whose mask is given, that are numbered as
    if it were there: of noisy masks, or objects that hardly move, nothing else tells.

    Args:
        pairs: all videos that are scored.
    """
    return bool(pairs) and all(_lacks_last(pair) for pair in pairs)


def _lacks_last(pair: SequencePair) -> bool:
    if pair.pred is None:
        return False
    ours, theirs = numbers_of(pair.gt.frames), numbers_of(pair.pred.frames)
    if len(ours) < _FEW or theirs.keys() != set(range(min(ours), max(ours))):
        return False
    return pair.pred_frames.get(ours[min(ours)]) == theirs[min(ours)]


def _inner(gt: MaskSequence) -> tuple[str, ...]:
    """The annotated frames but the first and the last."""
    return annotated_frames(gt)[1:-1]


def _shifts(
    gt: MaskSequence, pred: MaskSequence, inner: Mapping[str, str], known: Set[str]
) -> dict[int, dict[str, str]]:
    """Offset -> annotated frame -> predicted frame of those that may be read."""
    found = {}
    for offset in (-1, 1):
        moved = shift_numbers(gt, pred, offset)
        found[offset] = {f: n for f, n in moved.items() if f in inner and n in known}
    return found


def _doubt(
    gt: MaskSequence,
    pred: MaskSequence,
    inner: Mapping[str, str],
    shifts: Mapping[int, Mapping[str, str]],
) -> str:
    """Why the numbers of one video may be one off; "" where nothing says so."""
    frames = [f for f in inner if any(f in moved for moved in shifts.values())]
    frames = frames[:: max(1, -(-len(frames) // _SAMPLED))]
    try:
        by_name = {frame: _fit(gt, pred, frame, inner) for frame in frames}
        for offset, moved in shifts.items():
            kept = {f: iou for f, iou in by_name.items() if f in moved}
            mean = float(np.mean([*kept.values()])) if kept else 1.0
            lacks_one = offset < 0 and len(pred.frames) == len(gt.frames) - 1
            if mean >= 1 - (_SMALL_GAIN if lacks_one else _CLEAR_GAIN):
                continue  # no other frame can fit clearly better
            better = float(np.mean([_fit(gt, pred, f, moved) for f in kept]))
            if better - mean > _CLEAR_GAIN:
                return _one_off(offset, better, mean, len(kept))
            if lacks_one and better - mean > _SMALL_GAIN:
                return _ahead(gt, pred, inner, moved)
    except InputError:
        pass  # Scoring tells what is wrong with the masks that count.
    return ""


def _ahead(
    gt: MaskSequence,
    pred: MaskSequence,
    inner: Mapping[str, str],
    moved: Mapping[str, str],
) -> str:
    """Why numbers may be one off, if all of more frames fit the next one better."""
    frames = [f for f in inner if f in moved]
    frames = frames[:: max(1, -(-len(frames) // _MANY))]
    by_name = [_fit(gt, pred, f, inner) for f in frames]
    fits = [_fit(gt, pred, f, moved) for f in frames]
    mean, better = float(np.mean(by_name)), float(np.mean(fits))
    gains = np.subtract(fits, by_name)
    if len(frames) < _FEWEST or gains.min() <= 0 or better - mean <= _SMALL_GAIN:
        return ""
    return _one_off(-1, better, mean, len(frames))


def _one_off(offset: int, better: float, mean: float, frames: int) -> str:
    side = "later" if offset < 0 else "earlier"
    return (
        f"one frame {side} (mean IoU {better:.2f} against {mean:.2f} in "
        f"{counted(frames, 'frame')} looked at)"
    )


def _alike(ours: Mapping[int, str], theirs: Mapping[int, str]) -> bool:
    """Whether there are as many frames, from one number to another."""
    ends = [(len(numbers), min(numbers), max(numbers)) for numbers in (ours, theirs)]
    return ends[0] == ends[1]


def _fit(
    gt: MaskSequence, pred: MaskSequence, frame: str, names: Mapping[str, str]
) -> float:
    """IoU of all that is not background in one frame, under some names."""
    true, own = SequencePair(gt, pred, (frame,), names).read(frame)
    return 0.0 if own is None else agreement(true, own)

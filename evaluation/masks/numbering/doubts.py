"""Frames that keep their numbers, though the masks say that they may be off."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evaluation._utils.names import counted
from evaluation.errors import InputError
from evaluation.masks.names import numbers_of
from evaluation.masks.numbering.agreement import agreement
from evaluation.masks.numbering.shifts import shift_numbers
from evaluation.masks.numbering.whole import annotated_frames
from evaluation.masks.pairs import SequencePair
from evaluation.masks.sequence import MaskSequence

_SAMPLED = 5
"""Frames of a video in which masks that keep their numbers are looked at."""


_CLEAR_GAIN = 0.1
"""Mean IoU by which masks must fit better one frame off for that to be told."""


def doubt_numbers(
    gt: MaskSequence, pred: MaskSequence, names: Mapping[str, str]
) -> str:
    """Why frames that keep their numbers may be one off; "" where nothing says so.

    Results may leave out the first frame, whose mask is given, and count from 0 all the
    same, or have it twice. A method that lags behind looks alike: numbers are kept.
    """
    ours, theirs = numbers_of(gt.frames), numbers_of(pred.frames)
    if not ours or not theirs or _alike(ours, theirs):
        return ""
    # Frames that are scored anyway: nothing else is read, or remarked on.
    inner = {
        frame: names[frame] for frame in annotated_frames(gt)[1:-1] if frame in names
    }
    scored = set(inner.values())
    shifts = {}
    for offset in (-1, 1):
        moved = shift_numbers(gt, pred, offset)
        shifts[offset] = {f: n for f, n in moved.items() if f in inner and n in scored}
    frames = [f for f in inner if any(f in moved for moved in shifts.values())]
    frames = frames[:: max(1, -(-len(frames) // _SAMPLED))]
    try:
        by_name = {frame: _fit(gt, pred, frame, inner) for frame in frames}
        for offset, moved in shifts.items():
            kept = {f: iou for f, iou in by_name.items() if f in moved}
            mean = float(np.mean([*kept.values()])) if kept else 1.0
            if mean >= 1 - _CLEAR_GAIN:
                continue  # no other frame can fit clearly better
            better = float(np.mean([_fit(gt, pred, f, moved) for f in kept]))
            if better - mean > _CLEAR_GAIN:
                return _one_off(offset, better, mean, len(kept))
    except InputError:
        pass  # Scoring reads these masks, and tells what is wrong with them.
    return ""


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

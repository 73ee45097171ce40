"""By how much the numbers of frames are off, by names and by masks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from evaluation.masks.names import Match, numbers_of
from evaluation.masks.numbering.agreement import (
    COMPARED,
    MARGIN,
    agreement,
    contradiction,
)
from evaluation.masks.numbering.whole import annotated_frames
from evaluation.masks.sequence import MaskSequence


@dataclass(frozen=True)
class _Leaning:
    """What one video says of the numbers of its frames.

    Attributes:
        offset: by which its numbers may be off; 0 where they cannot be.
        gain: mean IoU of the masks with numbers off by so much, less that by name.
        by_names: whether the names alone suggest it: as many frames, from one number
            to another that are both off by so much.
    """

    offset: int
    gain: float = 0.0
    by_names: bool = False


def names_settle(
    gt: MaskSequence,
    pred: MaskSequence,
    names: Mapping[str, str],
    scored: Collection[str] | None = None,
) -> bool:
    """Whether frames are those that they are named after, whatever their masks say.

    They are where every scored frame is there under its name. Correct results may do
    without the first frame, whose mask is given, and few masks tell them from results
    that count from 1: an object that hardly moves fits its neighbours as well. But
    they never reach the frame that would be annotated next (of every frame, or every
    fifth): the video ends before it, and results from 1 of all of it end there. Nor do
    they lack the last frame that is annotated.

    Args:
        gt: the annotated frames.
        pred: the prediction.
        names: its name of each frame that it has.
        scored: the frames that count; unless given, all but the first.
    """
    if scored is not None and not scored:
        return True  # nothing depends on it
    given = set(gt.frames[:1]) - set(scored or ())
    if not gt.frames or not set(gt.frames) - names.keys() <= given:
        return False
    ours, theirs = numbers_of(gt.frames), numbers_of(pred.frames)
    if len(names) == len(gt.frames) or not ours or not theirs:
        return True
    step = step_of(ours)
    return not step or max(theirs) != max(ours) + step


def leaning_of(
    gt: MaskSequence, pred: MaskSequence, match: Match, *, settled: bool
) -> _Leaning | None:
    """What a video says of the numbers of its frames; None if nothing.

    Args:
        gt: the annotated frames.
        pred: the prediction.
        match: its frames by name.
        settled: whether names settle them: see `names_settle`.
    """
    ours, theirs = numbers_of(gt.frames), numbers_of(pred.frames)
    if not ours or not theirs:
        return None
    if len(match.names) == len(gt.frames):
        return _Leaning(0) if min(theirs) in (0, min(ours)) else None
    if settled:
        return None
    for offset in (1, -1):
        shifted = shift_numbers(gt, pred, offset)
        if len(shifted) == len(gt.frames):
            alike = len(pred.frames) == len(gt.frames)
            return _Leaning(offset, gain_of(gt, pred, shifted, match.names), alike)
    return None


def common_shift(leanings: Mapping[str, _Leaning | None], label: str) -> int:
    """By how much the numbers of all videos are off.

    Masks of one video that lag behind may fit better under wrong numbers: all videos
    are weighed together.

    Raises:
        InputError: videos contradict each other.
    """
    told = {name: one for name, one in leanings.items() if one is not None}
    by_name = {name for name, one in told.items() if not one.offset}
    leaning = {name: one for name, one in told.items() if one.offset}
    for_it = {name for name, one in leaning.items() if one.gain > MARGIN}
    against = {name for name, one in leaning.items() if one.gain < -MARGIN}
    pros = sum(leaning[name].gain for name in for_it)
    cons = -sum(leaning[name].gain for name in against)
    # What happens in one video by chance does not happen in all.
    sure = len(leaning) > 1 and all(one.by_names for one in leaning.values())
    least = MARGIN * len(leaning) * (-1 if sure else 1)
    shifts = bool(leaning) and pros - cons > least
    odd = bool(by_name) and any(one.by_names for one in leaning.values())
    if shifts:
        disagree = bool(by_name) or cons > (pros if sure else pros / 2)
    else:
        disagree = bool(for_it) and pros > cons / 2
    offsets = {leaning[name].offset for name in (leaning if sure else for_it)}
    if odd or disagree or len(offsets) > 1:
        named = leaning if odd else for_it
        votes = dict.fromkeys((*by_name, *against), 0)
        votes |= {name: leaning[name].offset for name in named}
        raise contradiction(votes, label, "frames")
    return offsets.pop() if shifts else 0


def step_of(numbers: Mapping[int, str]) -> int:
    """The step from one number to the next; 0 where it changes, or there is none."""
    ordered = sorted(numbers)
    steps = {b - a for a, b in pairwise(ordered)}
    return steps.pop() if len(steps) == 1 else 0


def shift_numbers(gt: MaskSequence, pred: MaskSequence, offset: int) -> dict[str, str]:
    """Frames by number, where the prediction's are `offset` higher."""
    ours, theirs = numbers_of(gt.frames), numbers_of(pred.frames)
    if not ours or not theirs:
        return {}
    found = {frame: theirs.get(number + offset) for number, frame in ours.items()}
    return {frame: name for frame, name in found.items() if name is not None}


def gain_of(
    gt: MaskSequence,
    pred: MaskSequence,
    shifted: Mapping[str, str],
    names: Mapping[str, str],
) -> float:
    """By how much masks agree more if numbers are shifted."""
    frames = [f for f in annotated_frames(gt) if f in names and f in shifted]
    frames = frames[:: max(1, len(frames) // COMPARED)]
    if not frames:
        return 1.0
    by_shift, by_name = (
        float(np.mean([agreement(gt.read(f), pred.read(by[f])) for f in frames]))
        for by in (shifted, names)
    )
    return by_shift - by_name

"""Which predicted frame is which of the ground truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from evaluation.masks.names import Match, match_names, numbers_of
from evaluation.masks.numbering.agreement import MARGIN
from evaluation.masks.numbering.doubts import NUMBERED_FROM_ANOTHER, doubt_numbers
from evaluation.masks.numbering.shifts import (
    common_shift,
    gain_of,
    leaning_of,
    names_settle,
    shift_numbers,
    step_of,
)
from evaluation.masks.numbering.whole import WholeVideo
from evaluation.masks.sequence import MaskSequence
from evaluation.notes import Note


@dataclass(frozen=True)
class FrameNames:
    """How the frames of one video are matched.

    Attributes:
        names: the prediction's name of each frame that it has.
        rule: how names were matched; "" where they are equal.
        shifted: whether numbers were taken to count from another one.
        doubt: why the numbers may be one off, though they were kept; "" if they fit.
        settled: whether all that is scored is there under its name.
    """

    names: Mapping[str, str]
    rule: str = ""
    shifted: bool = False
    doubt: str = ""
    settled: bool = False

    @property
    def notes(self) -> list[Note]:
        """What a person should know, without the name of the video."""
        notes = []
        if self.shifted:
            frame = next(iter(self.names))
            notes.append(
                Note(
                    f"frames were matched one after the other ({frame} with "
                    f"{self.names[frame]}): the prediction's names count from another "
                    "number, and over all videos its masks fit better so"
                )
            )
        elif self.rule and self.names:
            differing = ((f, name) for f, name in self.names.items() if f != name)
            frame, name = next(differing, next(iter(self.names.items())))
            notes.append(
                Note(
                    f"frames are matched {self.rule}, as their names differ "
                    f"({frame} in the ground truth, {name} in the prediction)"
                )
            )
        if self.doubt:
            notes.append(
                Note(
                    f"masks fit the ground truth better {self.doubt}: "
                    f"{NUMBERED_FROM_ANOTHER} They were scored as they are named",
                    "wrong-numbers",
                )
            )
        return notes


def name_frames(
    pairs: Mapping[str, tuple[MaskSequence, MaskSequence]],
    label: str,
    scored: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, FrameNames]:
    """Tell which predicted frame is which of the ground truth, for all videos alike.

    Args:
        pairs: ground truth and prediction by video.
        label: what to call the results in an error.
        scored: the frames that count, by video; unless given, all but the first.

    Raises:
        InputError: the frames of some videos fit by their numbers, and those of others
            only if they count from another number.
    """
    matches = {
        name: match_names(gt.frames, pred.frames) for name, (gt, pred) in pairs.items()
    }
    settled = {
        name
        for name, pair in pairs.items()
        if names_settle(*pair, matches[name].names, scored[name] if scored else None)
    }
    from_first = _match_from_first(pairs, matches, settled)
    rest = {name: pair for name, pair in pairs.items() if name not in from_first}
    in_order = _match_in_order(rest, matches, settled)
    rest = {name: pair for name, pair in rest.items() if name not in in_order}
    leanings = {
        name: leaning_of(*pair, matches[name], settled=name in settled)
        for name, pair in rest.items()
    }
    chosen = common_shift(leanings, label)
    found = {
        name: FrameNames(names, matches[name].rule, shifted=True)
        for name, names in from_first.items()
    }
    found |= {name: FrameNames(names, _IN_ORDER) for name, names in in_order.items()}
    kept: dict[str, tuple[MaskSequence, MaskSequence]] = {}
    for name, (gt, pred) in rest.items():
        shifted = shift_numbers(gt, pred, chosen) if chosen else {}
        if shifted and len(shifted) >= len(matches[name].names):
            found[name] = FrameNames(shifted, matches[name].rule, shifted=True)
        else:
            kept[name] = (gt, pred)
    doubts = doubt_numbers(kept, {name: matches[name].names for name in kept})
    for name in kept:
        names, rule = matches[name]
        doubt = doubts.get(name, "")
        found[name] = FrameNames(names, rule, doubt=doubt, settled=name in settled)
    return found


def name_video_frames(
    truth: Mapping[str, MaskSequence],
    results: Mapping[str, MaskSequence],
    frames: Mapping[str, Sequence[str]],
    label: str,
) -> dict[str, FrameNames]:
    """Tell which predicted frame is which of the video, annotated or not.

    Numbers are settled as for scores where several frames of a video are annotated,
    else by the names of its frames.

    Args:
        truth: the annotated frames by video; perhaps the first ones alone.
        results: the predictions by video.
        frames: names of all frames by video, in playing order.
        label: what to call the results in an error.

    Raises:
        InputError: as `name_frames`.
    """
    scored = {k: (truth[k], p) for k, p in results.items() if len(truth[k].frames) > 1}
    told = name_frames(scored, label)
    others = {
        k: (WholeVideo(truth[k], frames[k]), p)
        for k, p in results.items()
        if k not in told or told[k].rule != _IN_ORDER
    }
    found = told | name_frames(others, label)
    for name, (gt, pred) in others.items():
        if name in told and told[name].shifted != found[name].shifted:
            match = match_names(gt.frames, pred.frames)
            offset = _offset_of(told[name].names) if told[name].shifted else 0
            names = shift_numbers(gt, pred, offset) if offset else match.names
            found[name] = FrameNames(names, match.rule, told[name].shifted)
    return found


def _offset_of(names: Mapping[str, str]) -> int:
    """By how much the numbers of predicted frames are higher."""
    frame, name = next(iter(names.items()))
    return next(iter(numbers_of([name]))) - next(iter(numbers_of([frame])))


_IN_ORDER = "one after the other, annotated frames alone"
"""The rule for results that number the annotated frames, not those of the video."""


def _match_from_first(
    pairs: Mapping[str, tuple[MaskSequence, MaskSequence]],
    matches: Mapping[str, Match],
    settled: Set[str],
) -> dict[str, dict[str, str]]:
    """Frames of results that number all frames from the first annotated one on.

    Masks of frames 10 to 30, of which some are annotated, may be called 0 to 20. The
    names suggest it where there are as many, without a gap, as from the first annotated
    frame to the last; masks must fit better so. All videos are weighed together.
    """
    found: dict[str, dict[str, str]] = {}
    starts: set[int] = set()
    far, gain = False, 0.0
    for name, (gt, pred) in pairs.items():
        ours, theirs = numbers_of(gt.frames), numbers_of(pred.frames)
        names = matches[name].names
        if not ours or not theirs or name in settled:
            continue
        span = max(ours) - min(ours) + 1
        offset = min(theirs) - min(ours)
        if not offset or span != len(theirs) or (span > 1 and step_of(theirs) != 1):
            continue
        found[name] = shift_numbers(gt, pred, offset)
        starts.add(min(theirs))
        far = far or abs(offset) > 1
        gain += gain_of(gt, pred, found[name], names)
    # Results that are off by one in all videos are settled by `common_shift`.
    return found if far and len(starts) == 1 and gain > MARGIN * len(found) else {}


def _match_in_order(
    pairs: Mapping[str, tuple[MaskSequence, MaskSequence]],
    matches: Mapping[str, Match],
    settled: Set[str],
) -> dict[str, dict[str, str]]:
    """Frames whose results are numbered in other steps, without gaps or with some.

    Masks of frames 0, 5 and 10 may be called 0, 1 and 2, or 0, 40 and 80 by
    milliseconds. They are where there are as many, unless masks fit better by name; and
    where there is one more without a gap, or only the first is left out, if masks fit
    better so. All videos are weighed together.
    """
    found: dict[str, dict[str, str]] = {}
    gain = needed = 0.0
    for name, (gt, pred) in pairs.items():
        ours, theirs = numbers_of(gt.frames), numbers_of(pred.frames)
        steps = step_of(ours), step_of(theirs)
        if not ours or not theirs or steps[0] == steps[1] != 0:
            continue
        names = matches[name].names
        if name in settled and names:
            return {}  # a video whose numbers are those of the ground truth
        if name in settled:
            continue
        fewer_or_more = len(theirs) != len(ours)
        if steps[1] != 1 and (fewer_or_more or 0 in steps):
            continue
        if abs(len(theirs) - len(ours)) > 1:
            continue  # frames between the annotated ones are there, or are lacking
        without_first = len(theirs) < len(ours)
        frames = gt.frames[1:] if without_first else gt.frames
        in_order = dict(zip(frames, pred.frames, strict=False))
        found[name] = in_order
        gain += gain_of(gt, pred, in_order, names)
        needed += -MARGIN if len(theirs) == len(ours) else MARGIN
    return found if gain > needed else {}

"""From which number results count objects and frames; decided once for all videos.

Ground truth counts from 0 or from 1, and so do results, each by a habit of its own.
Names alone tell which in most videos; where they do not, masks are compared. One
decision holds for the whole of the results, and is told; where videos contradict each
other, nobody can know, and the results are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation._utils.names import counted
from evaluation.errors import InputError
from evaluation.masks.label_map import Mask
from evaluation.masks.names import Match, match_names, numbers_of, shown
from evaluation.masks.pairs import Masks, SequencePair
from evaluation.masks.sequence import MaskSequence, ObjectFolderSequence

_COMPARED = 6
"""Frames in which two ways to number are compared."""

_MARGIN = 0.005
"""Mean IoU by which one way must be better than the other."""

_SAMPLED = 5
"""Frames of a video in which masks that keep their numbers are looked at."""

_CLEAR_GAIN = 0.1
"""Mean IoU by which masks must fit better one frame off for that to be told."""


def number_objects(
    truth: Mapping[str, MaskSequence], results: Mapping[str, MaskSequence], label: str
) -> dict[str, MaskSequence]:
    """Give masks that are kept object by object the ids of the ground truth.

    Folders, JSON files and dictionaries may count objects from 0 where the ground truth
    counts from 1, or the other way round, or have the background as object 0.

    Args:
        truth: the ground truth by video.
        results: predictions by video; what is no label map is looked at.
        label: what to call the results in an error.

    Returns:
        The results; what was changed is remarked on each video.

    Raises:
        InputError: some videos count from one number and some from another.
    """
    found = dict(results)
    unsettled = []
    for name, masks in results.items():
        offset = truth[name].folder_offset
        if offset and isinstance(masks, ObjectFolderSequence):
            found[name] = masks.renumbered(offset)  # the benchmark says so
        elif masks.overlapping and masks.identified and masks.annotated_ids():
            unsettled.append(name)
    ids = {name: _ids(truth[name]) for name in unsettled}
    votes = {
        name: _offset(truth[name], results[name], own) for name, own in ids.items()
    }
    chosen = _one(votes, label)
    if all(vote is None for vote in votes.values()):
        chosen = _weigh(truth, results, ids)
    for name, own in ids.items():
        found[name] = _renumber(results[name], chosen, own)
    return found


def _ids(masks: MaskSequence) -> set[int]:
    """Ids of the ground truth's objects; of label maps, those of a few frames."""
    if masks.overlapping:
        return masks.annotated_ids()
    frames = masks.frames
    return masks.labels_in({frames[0], frames[len(frames) // 2], frames[-1]})


def _offset(truth: MaskSequence, pred: MaskSequence, wanted: set[int]) -> int | None:
    """What is to be added to the ids of one video; None where it cannot tell."""
    given = pred.annotated_ids()
    if 0 in given and 0 not in wanted:
        rest = given - {0}  # 0 may be the background among the channels of a network
        fits_shifted = {k + 1 for k in given} <= wanted
        if fits_shifted and not rest <= wanted:
            return 1
        better = _fits(truth, pred, 1) - _fits(truth, pred, 0)
        if abs(better) > _MARGIN:
            return 1 if better > 0 else 0
        return 1 if fits_shifted else None
    if 0 in wanted and 0 not in given:
        down = {k - 1 for k in given}
        if given <= wanted and down <= wanted:
            better = _fits(truth, pred, -1) - _fits(truth, pred, 0)
            return None if abs(better) <= _MARGIN else -1 if better > 0 else 0
        return -1 if down <= wanted else 0
    shifts = [d for d in (1, -1) if {k + d for k in given} <= wanted]
    if not shifts or given <= wanted:
        return None if shifts else 0
    better = _fits(truth, pred, shifts[0]) - _fits(truth, pred, 0)
    return shifts[0] if better > _MARGIN else None


def _weigh(
    truth: Mapping[str, MaskSequence],
    results: Mapping[str, MaskSequence],
    ids: Mapping[str, set[int]],
) -> int:
    """What is to be added to ids that fit the ground truth in two ways in all videos.

    Results that lack an object of every video, such as the first, do not tell by their
    ids from which number they count: the masks of all videos do. One object that lies
    on another may be confused; several may not.
    """
    found = [(truth[name], results[name], own) for name, own in ids.items()]
    n_objects = sum(len(pred.annotated_ids()) for _, pred, _ in found)
    for offset in (1, -1):
        usual = bool(found) and all(gt.usual_offset == offset for gt, _, _ in found)
        fitting = all(
            {k + offset for k in pred.annotated_ids()} <= own for _, pred, own in found
        )
        if not fitting or (n_objects < 2 and not usual):
            continue
        gain = sum(
            _fits(gt, pred, offset) - _fits(gt, pred, 0) for gt, pred, _ in found
        )
        least = _MARGIN * len(found)
        if gain > (-least if usual else least):
            return offset
    return 0


def _fits(truth: MaskSequence, pred: MaskSequence, offset: int) -> float:
    """Mean IoU of the objects with `offset` added to the predicted ids."""
    names = match_names(truth.frames, pred.frames).names
    frames = list(names)[:: max(1, len(names) // _COMPARED)]
    values = []
    for frame in frames:
        gt, own = truth.read(frame), pred.read(names[frame])
        for key, mask in own.items() if isinstance(own, dict) else ():
            true = gt.get(key + offset) if isinstance(gt, dict) else gt == key + offset
            named = isinstance(gt, dict) or key + offset > 0
            if true is not None and named and true.any():
                values.append(mask_iou(true, mask))
    return float(np.mean(values)) if values else 0.0


def _renumber(masks: MaskSequence, offset: int, wanted: set[int]) -> MaskSequence:
    """The masks with `offset` added to ids; a background among them is left out."""
    if not offset:
        if 0 not in masks.annotated_ids() or 0 in wanted:
            return masks
        masks = masks.renumbered(0, drop=0)
        masks.remark("object 0 of the prediction was taken for the background")
        return masks
    first = min(masks.annotated_ids())
    masks = masks.renumbered(offset)
    masks.remark(
        "the prediction counts objects from another number than the ground truth: "
        f"object {first} was taken for {first + offset}, and so on"
    )
    return masks


@dataclass(frozen=True)
class FrameNames:
    """How the frames of one video are matched.

    Attributes:
        names: the prediction's name of each frame that it has.
        rule: how names were matched; "" where they are equal.
        shifted: whether numbers were taken to count from another one.
        doubt: why the numbers may be one off, though they were kept; "" if they fit.
    """

    names: Mapping[str, str]
    rule: str = ""
    shifted: bool = False
    doubt: str = ""

    @property
    def notes(self) -> list[str]:
        """What a person should know, without the name of the video."""
        notes = []
        if self.shifted:
            frame = next(iter(self.names))
            notes.append(
                f"frames were matched one after the other ({frame} with "
                f"{self.names[frame]}): the prediction's names count from another "
                "number, and over all videos its masks fit better so"
            )
        elif self.rule and self.names:
            differing = ((f, name) for f, name in self.names.items() if f != name)
            frame, name = next(differing, next(iter(self.names.items())))
            notes.append(
                f"frames are matched {self.rule}, as their names differ "
                f"({frame} in the ground truth, {name} in the prediction)"
            )
        if self.doubt:
            notes.append(
                f"masks fit the ground truth better {self.doubt}: are they "
                "numbered from another frame? They were scored as they are named"
            )
        return notes


def name_frames(
    pairs: Mapping[str, tuple[MaskSequence, MaskSequence]], label: str
) -> dict[str, FrameNames]:
    """Tell which predicted frame is which of the ground truth, for all videos alike.

    Args:
        pairs: ground truth and prediction by video.
        label: what to call the results in an error.

    Raises:
        InputError: the frames of some videos fit by their numbers, and those of others
            only if they count from another number.
    """
    matches = {
        name: match_names(gt.frames, pred.frames) for name, (gt, pred) in pairs.items()
    }
    in_order = _match_in_order(pairs, matches)
    leanings = {
        name: _leaning(*pairs[name], matches[name])
        for name in pairs
        if name not in in_order
    }
    chosen = _common_shift(leanings, label)
    found = {}
    for name, (gt, pred) in pairs.items():
        match = matches[name]
        if name in in_order:
            found[name] = FrameNames(in_order[name], _IN_ORDER)
            continue
        shifted = _shift_numbers(gt, pred, chosen) if chosen else {}
        if shifted and len(shifted) >= len(match.names):
            found[name] = FrameNames(shifted, match.rule, shifted=True)
        else:
            doubt = _doubt_numbers(gt, pred, match.names)
            found[name] = FrameNames(match.names, match.rule, doubt=doubt)
    return found


class _WholeVideo(MaskSequence):
    """The ground truth of a video with the names of all its frames.

    Args:
        truth: masks of the annotated frames.
        frames: names of all frames.
    """

    def __init__(self, truth: MaskSequence, frames: Sequence[str]) -> None:
        super().__init__(truth.name, dict.fromkeys(frames))
        self._truth = truth

    @property
    def annotated(self) -> tuple[str, ...]:
        """Names of the frames that have masks."""
        return self._truth.frames

    def where(self, frame: str, object_id: int | None = None) -> str:
        """What to name in an error about this frame."""
        return self._truth.where(frame, object_id)

    def read(self, frame: str) -> Masks:
        """The masks of an annotated frame."""
        return self._truth.read(frame)

    def _content(self, frame: str) -> bytes:
        return self._truth.digest(frame)


def _annotated(gt: MaskSequence) -> tuple[str, ...]:
    return gt.annotated if isinstance(gt, _WholeVideo) else gt.frames


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
        k: (_WholeVideo(truth[k], frames[k]), p)
        for k, p in results.items()
        if k not in told or told[k].rule != _IN_ORDER
    }
    found = told | name_frames(others, label)
    for name, (gt, pred) in others.items():
        if name in told and told[name].shifted != found[name].shifted:
            match = match_names(gt.frames, pred.frames)
            offset = _offset_of(told[name].names) if told[name].shifted else 0
            names = _shift_numbers(gt, pred, offset) if offset else match.names
            found[name] = FrameNames(names, match.rule, told[name].shifted)
    return found


def _offset_of(names: Mapping[str, str]) -> int:
    """By how much the numbers of predicted frames are higher."""
    frame, name = next(iter(names.items()))
    return next(iter(numbers_of([name]))) - next(iter(numbers_of([frame])))


_IN_ORDER = "one after the other, annotated frames alone"
"""The rule for results that number the annotated frames, not those of the video."""


def _match_in_order(
    pairs: Mapping[str, tuple[MaskSequence, MaskSequence]], matches: Mapping[str, Match]
) -> dict[str, dict[str, str]]:
    """Frames of sparse ground truth whose results are numbered without its gaps.

    Masks of frames 0, 5 and 10 may be called 0, 1 and 2. They are where there are as
    many, unless masks fit better by name; and where there are more, or only the first
    is left out, if masks fit better so. All videos are weighed together.
    """
    found: dict[str, dict[str, str]] = {}
    gain = needed = 0.0
    for name, (gt, pred) in pairs.items():
        ours, theirs = numbers_of(gt.frames), numbers_of(pred.frames)
        if not ours or not theirs or _is_dense(ours):
            continue
        names = matches[name].names
        if len(names) == len(gt.frames):
            return {}  # a video whose numbers are those of the ground truth
        if not _is_dense(theirs) or len(theirs) < len(ours) - 1:
            continue
        without_first = len(theirs) < len(ours)
        frames = gt.frames[1:] if without_first else gt.frames
        in_order = dict(zip(frames, pred.frames, strict=False))
        found[name] = in_order
        gain += _gain(gt, pred, in_order, names)
        needed += -_MARGIN if len(theirs) == len(ours) else _MARGIN
    return found if gain > needed else {}


def _is_dense(numbers: Mapping[int, str]) -> bool:
    """Whether numbers follow one another without a gap, from 0 or 1 or another."""
    return max(numbers) - min(numbers) + 1 == len(numbers)


def _doubt_numbers(
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
    inner = {frame: names[frame] for frame in _annotated(gt)[1:-1] if frame in names}
    scored = set(inner.values())
    shifts = {}
    for offset in (-1, 1):
        moved = _shift_numbers(gt, pred, offset)
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
    return 0.0 if own is None else _agreement(true, own)


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


def _leaning(gt: MaskSequence, pred: MaskSequence, match: Match) -> _Leaning | None:
    """What a video says of the numbers of its frames; None if nothing."""
    ours, theirs = numbers_of(gt.frames), numbers_of(pred.frames)
    if not ours or not theirs:
        return None
    if len(match.names) == len(gt.frames):
        return _Leaning(0) if min(theirs) in (0, min(ours)) else None
    for offset in (1, -1):
        shifted = _shift_numbers(gt, pred, offset)
        if len(shifted) == len(gt.frames):
            alike = len(pred.frames) == len(gt.frames)
            return _Leaning(offset, _gain(gt, pred, shifted, match.names), alike)
    return None


def _common_shift(leanings: Mapping[str, _Leaning | None], label: str) -> int:
    """By how much the numbers of all videos are off.

    Masks of one video that lag behind may fit better under wrong numbers: all videos
    are weighed together.

    Raises:
        InputError: videos contradict each other.
    """
    told = {name: one for name, one in leanings.items() if one is not None}
    by_name = {name for name, one in told.items() if not one.offset}
    leaning = {name: one for name, one in told.items() if one.offset}
    for_it = {name for name, one in leaning.items() if one.gain > _MARGIN}
    against = {name for name, one in leaning.items() if one.gain < -_MARGIN}
    pros = sum(leaning[name].gain for name in for_it)
    cons = -sum(leaning[name].gain for name in against)
    # What happens in one video by chance does not happen in all.
    sure = len(leaning) > 1 and all(one.by_names for one in leaning.values())
    least = _MARGIN * len(leaning) * (-1 if sure else 1)
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
        raise _contradiction(votes, label, "frames")
    return offsets.pop() if shifts else 0


def _shift_numbers(gt: MaskSequence, pred: MaskSequence, offset: int) -> dict[str, str]:
    """Frames by number, where the prediction's are `offset` higher."""
    ours, theirs = numbers_of(gt.frames), numbers_of(pred.frames)
    if not ours or not theirs:
        return {}
    found = {frame: theirs.get(number + offset) for number, frame in ours.items()}
    return {frame: name for frame, name in found.items() if name is not None}


def _gain(
    gt: MaskSequence,
    pred: MaskSequence,
    shifted: Mapping[str, str],
    names: Mapping[str, str],
) -> float:
    """By how much masks agree more if numbers are shifted."""
    frames = [f for f in _annotated(gt) if f in names and f in shifted]
    frames = frames[:: max(1, len(frames) // _COMPARED)]
    if not frames:
        return 1.0
    by_shift, by_name = (
        float(np.mean([_agreement(gt.read(f), pred.read(by[f])) for f in frames]))
        for by in (shifted, names)
    )
    return by_shift - by_name


def _agreement(one: Masks, other: Masks) -> float:
    """IoU of all that is not background; 0 where sizes differ."""
    first, second = _foreground(one), _foreground(other)
    if first is None or second is None:
        return 0.0
    return mask_iou(first, second)


def mask_iou(first: Mask, second: Mask) -> float:
    """IoU of two masks [H, W]; 0 where their sizes differ, 1 where both are empty."""
    if first.shape != second.shape:
        return 0.0
    union = int((first | second).sum())
    return float((first & second).sum()) / union if union else 1.0


def _foreground(masks: Masks) -> Mask | None:
    if isinstance(masks, dict):
        parts = list(masks.values())
        return np.asarray(np.logical_or.reduce(parts)) if parts else None
    return np.asarray(masks != 0)


def _one(votes: Mapping[str, int | None], label: str) -> int:
    """The offset of object ids that all videos agree on.

    Raises:
        InputError: they do not agree.
    """
    found = {k: vote for k, vote in votes.items() if vote is not None}
    if len(set(found.values())) < 2:
        return next(iter(found.values()), 0)
    raise _contradiction(found, label, "objects")


def _contradiction(votes: Mapping[str, int], label: str, kind: str) -> InputError:
    by_offset = {
        offset: shown([k for k, v in votes.items() if v == offset])
        for offset in sorted(set(votes.values()))
    }
    told = "; ".join(f"{names}: {_sign(k)}" for k, names in by_offset.items())
    return InputError(
        label,
        f"{kind} counted from another number than those of the ground truth in some "
        f"videos, and not in others ({told})",
        f"one way of counting {kind} in all videos",
        f"Number {kind} of all videos alike, as the ground truth does.",
    )


def _sign(offset: int) -> str:
    return f"off by {offset}" if offset else "as they are"

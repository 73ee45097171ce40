"""Lay ground truth and prediction side by side, and say all that is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path

from evaluation._utils.names import counted
from evaluation.errors import InputError
from evaluation.frame_rules import object_frames, sequence_frames
from evaluation.masks.folders import subfolders
from evaluation.masks.names import number_at_end, numbers_of, shown
from evaluation.masks.numbering import FrameNames, gain_of, name_frames, shift_numbers
from evaluation.masks.open import GroundTruth
from evaluation.masks.pairs import SequencePair
from evaluation.masks.sequence import (
    FileSequence,
    MaskSequence,
    ObjectFolderSequence,
    natural,
)
from evaluation.notes import Note
from evaluation.options import InputOptions
from evaluation.protocols import ScoringProtocol
from evaluation.scoring_rules import FRAME_RULES

_SHOWN = 20
"""Runs of frames written out for one sequence before an error is cut short."""


def align(
    truth: GroundTruth,
    results: Mapping[str, MaskSequence],
    results_label: str,
    protocol: ScoringProtocol,
    options: InputOptions,
) -> tuple[list[SequencePair], list[str]]:
    """Pair up all sequences.

    Returns:
        Pairs with at least one frame to score, in order of sequence names, and
        notes about what was skipped or looked odd.

    Raises:
        InputError: predictions are missing (all of them are listed), frames are
            counted in two ways, or nothing is left to score.
    """
    pairs, notes, missing = [], list(truth.notes), []
    sides = {
        name: _read_alike(truth.sequences[name], results.get(name), options)
        for name in sorted(truth.sequences)
    }
    _refuse_unidentified(sides, results_label, protocol)
    both = {name: (gt, pred) for name, (gt, pred) in sides.items() if pred}
    scored = {
        name: sequence_frames(gt, protocol, truth.ranges.get(name))
        for name, (gt, _) in sides.items()
    }
    matched = name_frames(both, results_label, scored)
    for name, (gt, pred) in sides.items():
        ranges, frames = truth.ranges.get(name), scored[name]
        if not frames:
            notes.append(
                f"{name} was skipped: of its {len(gt.frames)} annotated frames none "
                f"is scored ({FRAME_RULES[protocol.frames]})"
            )
            continue
        names = matched[name].names if pred else {}
        if pred:
            notes += _notes_on_names(gt, pred, matched[name])
            notes += _note_absent_objects(gt, pred, matched[name].names, frames)
        classes = truth.classes.get(name)
        pair = SequencePair(gt, pred, frames, names, ranges, classes)
        missing += missing_of(pair, protocol)
        pairs.append(pair)
    _refuse_unmatched(results_label, pairs)
    if missing and options.missing == "error":
        if all(pair.pred is None for pair in pairs):
            raise _none_there(results_label, [pair.name for pair in pairs])
        raise _missing_error(results_label, missing, _near_names(results_label, pairs))
    notes += notes_on_empty(missing)
    if not pairs:
        raise InputError(
            truth.label,
            "; ".join(notes) or "no sequences",
            f"sequences with frames to score under {protocol.name}",
            "Use videos with more annotated frames, or a protocol that scores all "
            "frames.",
        )
    return pairs, notes


def notes_on_empty(missing: Iterable[str]) -> list[str]:
    """Notes on what has no prediction and was scored as empty, each in words."""
    return [
        Note(f"scored as empty: {line}", "scored-as-empty", line=line)
        for line in missing
    ]


def _refuse_unidentified(
    sides: Mapping[str, tuple[MaskSequence, MaskSequence | None]],
    label: str,
    protocol: ScoringProtocol,
) -> None:
    """Refuse tracks that do not say which object they are, where ids decide.

    Raises:
        InputError: there are some.
    """
    if protocol.matching != "by-id":
        return
    for name, (_, pred) in sides.items():
        if pred is not None and not pred.identified:
            raise InputError(
                f"{label}, sequence {name}",
                "tracks that do not say which object each of them is",
                f"masks by object id, as {protocol.name} compares objects by their ids",
                "Add the `object_id` of the ground truth to every entry, or score by "
                "the protocol trackeval-davis, which matches tracks itself.",
            )


def _read_alike(
    gt: MaskSequence, pred: MaskSequence | None, options: InputOptions
) -> tuple[MaskSequence, MaskSequence | None]:
    """Both sides, to be read as the options say, and colours by each other's ids."""
    if options.binarize:
        gt, pred = gt.binarized(), pred.binarized() if pred else None
    if isinstance(pred, FileSequence):
        pred.compare_with(gt)
    return gt, pred


def _notes_on_names(
    gt: MaskSequence, pred: MaskSequence, matched: FrameNames
) -> list[str]:
    """What to say of frames whose names differ, or that have no partner."""
    names = matched.names
    notes: list[str] = []
    lacking = [frame for frame in gt.frames if frame not in names]
    extra = sorted(set(pred.frames) - set(names.values()), key=natural)
    notes += [note.about(gt.name) for note in matched.notes]
    off = lacking and extra and not matched.settled and _may_be_off(gt, pred, names)
    if off:
        notes.append(
            f"{gt.name}: frame names differ, the prediction lacks "
            f"{_list_frames(lacking)} and has {_list_frames(extra)} instead; "
            "is its numbering off?"
        )
    elif extra and (beyond := _beyond(gt, extra)) and not matched.shifted:
        notes.append(
            f"{gt.name}: {len(beyond)} predicted frames are not annotated and not "
            f"scored: {_list_frames(beyond)}"
        )
    if doubled := _find_doubles(names.values(), extra):
        notes.append(
            f"{gt.name}: {counted(len(doubled), 'more predicted mask')} with numbers "
            f"of frames that have one are not scored: {shown(doubled)}; are masks "
            "of two runs in one folder?"
        )
    if odd := _without_number(gt.frames):
        notes.append(
            f"{gt.name}: {shown(odd)} of the ground truth counts as a frame of its "
            "own, where others are called by their number; remove it if it is a copy"
        )
    elif any(len(frame) != len(gt.frames[0]) for frame in gt.frames):
        notes.append(
            f"{gt.name}: frame numbers are not padded with zeros; they were put in "
            f"natural order ({gt.frames[0]} to {gt.frames[-1]})"
        )
    return notes


def _without_number(frames: Sequence[str]) -> list[str]:
    """Frames whose names are no numbers, where those of most others are."""
    odd = [name for name in frames if not (name.isascii() and name.isdecimal())]
    return odd if 2 * len(odd) < len(frames) else []


def _may_be_off(gt: MaskSequence, pred: MaskSequence, names: Mapping[str, str]) -> bool:
    """Whether more frames would be found if numbers were off, and masks fit as well.

    Of results without the first frame, which is given, masks between the annotated
    frames are no sign of it. Names without numbers may always be off.
    """
    ours, theirs = numbers_of(gt.frames), numbers_of(pred.frames)
    if not ours or not theirs:
        return True
    offsets = {1, -1, min(theirs) - min(ours), max(theirs) - max(ours)}
    shifts = (shift_numbers(gt, pred, k) for k in sorted(offsets))
    more = [moved for moved in shifts if len(moved) > len(names)]
    if len(ours) == len(theirs):
        return bool(more)  # as many, from another number on
    try:
        return any(gain_of(gt, pred, moved, names) > 0 for moved in more)
    except InputError:
        return True  # scoring tells what is wrong with the masks that count


def _note_absent_objects(
    gt: MaskSequence,
    pred: MaskSequence,
    names: Mapping[str, str],
    frames: Sequence[str],
) -> list[str]:
    """What to say of objects whose folders lack some of the frames that others have."""
    if gt.overlapping or not isinstance(pred, ObjectFolderSequence):
        return []
    notes = []
    for object_id in sorted(pred.annotated_ids()):
        own = pred.object_frames(object_id)
        lacking = [f for f in frames if f in names and names[f] not in own]
        if lacking:
            notes.append(
                f"{gt.name}: the folder of object {object_id} has no mask for "
                f"{_frames(lacking)}; these count as empty"
            )
    return notes


def _numbers(frames: Sequence[str]) -> list[int] | None:
    """Numbers of frames that are counted without a gap; None for other names."""
    if not frames or not all(name.isascii() and name.isdecimal() for name in frames):
        return None
    numbers = [int(name) for name in frames]
    return (
        numbers
        if numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        else None
    )


def _find_doubles(used: Iterable[str], extra: Iterable[str]) -> list[str]:
    """Frames that are not used, with names that end in the number of one that is."""
    numbers = {number_at_end(name) for name in used} - {None}
    return [name for name in extra if number_at_end(name) in numbers]


def _beyond(gt: MaskSequence, extra: Sequence[str]) -> list[str]:
    """Frames outside a ground truth that is annotated without a gap."""
    numbers = _numbers(gt.frames)
    if numbers is None:
        return []
    outside = (name for name in extra if name.isascii() and name.isdecimal())
    return [n for n in outside if not numbers[0] <= int(n) <= numbers[-1]]


def missing_of(pair: SequencePair, protocol: ScoringProtocol) -> list[str]:
    """One line for every sequence, or object of it, that lacks predictions.

    Args:
        pair: the video, with the frames to score.
        protocol: the rules.
    """
    name = pair.gt.name
    if pair.pred is None:
        return [f"sequence {name} (all {len(pair.frames)} frames)"]
    if not pair.pred.frames:
        why = "".join(f"; {remark}" for remark in pair.pred.remarks())
        return [f"sequence {name} (all {len(pair.frames)} frames{why})"]
    if pair.gt.overlapping and isinstance(pair.pred, ObjectFolderSequence):
        return _missing_objects(pair, pair.pred, protocol)
    lacking = [frame for frame in pair.frames if frame not in pair.pred_frames]
    return [f"{name}: {_frames(lacking)}"] if lacking else []


def _refuse_unmatched(results: str, pairs: Sequence[SequencePair]) -> None:
    """Refuse results that hold something for a video, but under names that fit nothing.

    To score them as empty would give 0 for masks that are there.

    Raises:
        InputError: with what lies there, and under which names.
    """
    for pair in pairs:
        pred = pair.pred
        if pred is None or pair.pred_frames or pred.is_void:
            continue
        if pred.frames:
            found = f"masks called {shown(pred.frames)} of which none fits"
        elif pred.remarks():
            found = "; ".join(pred.remarks())
        else:
            continue
        fix = pred.remedy
        if _are_of_objects(pair.gt.frames, pred.frames):
            fix = (
                "Put the masks of each object into a folder of its own, such as "
                f"{pair.name}/1/{pair.gt.frames[0]}.png, or write one label map per "
                "frame."
            )
        raise InputError(
            f"{results}, sequence {pair.name}",
            found,
            f"one PNG per frame, called like the frames: {shown(pair.gt.frames)}",
            fix,
        )


def _are_of_objects(frames: Sequence[str], there: Sequence[str]) -> bool:
    """Whether several masks are called like each frame and an object."""
    if not all(any(c.isdigit() for c in name) for name in there):
        return False
    named = [sum(frame in name for name in there) for frame in frames]
    return min(named) > 1 or (len(there) >= 2 * len(frames) and _count_twice(there))


def _count_twice(names: Sequence[str]) -> bool:
    """Whether two numbers of names differ apart from each other: frame and object."""
    parts = [re.findall(r"\d+", name) for name in names]
    if len({len(one) for one in parts}) > 1:
        return False
    columns = list(zip(*parts, strict=True))
    return any(
        len(set(zip(one, other, strict=True))) > max(len(set(one)), len(set(other)))
        for one, other in combinations(columns, 2)
    )


def _missing_objects(
    pair: SequencePair, pred: ObjectFolderSequence, protocol: ScoringProtocol
) -> list[str]:
    lines = []
    for object_id in sorted(pair.gt.annotated_ids() - {pair.gt.ignored}):
        wanted = object_frames(pair.gt, object_id, protocol, pair.ranges)
        own = pred.object_frames(object_id)
        lacking = [
            frame
            for frame in pair.frames
            if frame in wanted and pair.pred_frames.get(frame) not in own
        ]
        if lacking:
            lines.append(f"{pair.name}, object {object_id}: {_frames(lacking)}")
    return lines


def _frames(frames: Sequence[str]) -> str:
    return (
        f"{_list_frames(frames)} ({len(frames)} frame{'s' if len(frames) > 1 else ''})"
    )


def _list_frames(frames: Sequence[str]) -> str:
    """Frame names, neighbours by number drawn together: ``00003-00007, 00010``."""
    runs: list[list[str]] = []
    for frame in frames:
        last = runs[-1][-1] if runs else ""
        if last.isdecimal() and frame.isdecimal() and int(frame) == int(last) + 1:
            runs[-1].append(frame)
        else:
            runs.append([frame])
    shown = [run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more


def _none_there(results: str, names: Sequence[str]) -> InputError:
    """The complaint about results that have none of the sequences: all would be 0."""
    return InputError(
        results,
        f"none of the sequences of the ground truth ({shown(names)})",
        "masks by sequence and frame, under the names of the ground truth",
        "Name the sequences as the ground truth does.",
    )


def _near_names(results: str, pairs: Sequence[SequencePair]) -> str:
    """Folders of the results that are called nearly like a missing video."""
    root = Path(results)
    missing = [pair.name for pair in pairs if pair.pred is None]
    if not missing or not root.is_dir():
        return ""
    known = {pair.name for pair in pairs}
    others = [name for name in subfolders(root) if name not in known]
    near = [name for name in others if any(k in name or name in k for k in missing)]
    return shown(near) if near else ""


def _missing_error(results: str, missing: Sequence[str], near: str) -> InputError:
    first = "Predict these too"
    if near:
        first = f"Rename {near} after the sequence, if that is meant"
    return InputError(
        results,
        f"predictions missing: {'; '.join(missing)}"
        + (f" (but there is {near})" if near else ""),
        "one PNG mask for every scored frame of the ground truth",
        f"{first}, or score them as empty masks (missing='score-as-empty', --missing "
        "score-as-empty).",
    )

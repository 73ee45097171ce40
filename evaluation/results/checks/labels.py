"""Look at the labels found in masks: refuse what must be a mistake, note the odd."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from evaluation.counting.counts import GT_AREA, INTERSECTION, PRED_AREA
from evaluation.counting.video import SequenceCounts
from evaluation.errors import InputError, convert_command
from evaluation.formats.mots import IGNORED_REGION, MOTS_SCALE
from evaluation.masks.ignored import ignored_among
from evaluation.masks.pairs import SequencePair
from evaluation.masks.prepare import has_other_aspect, keeps_objects, video_options
from evaluation.masks.sequence import MaskSequence, ObjectFolderSequence
from evaluation.metrics.video import SequenceScores
from evaluation.options import InputOptions
from evaluation.protocols import VOID, ScoringProtocol
from evaluation.results.checks.identities import (
    exchanged_ids,
    numbered_anew,
    numbered_by_found,
)
from evaluation.results.checks.lags import given_mask_late, wrong_numbers
from evaluation.results.checks.masks import (
    BINARIZE,
    HIGH,
    INVERTED,
    are_crumbs,
    background_on_both,
    blended,
    exchanged,
    inverted,
    is_suspicious,
    look_inverted,
    refuse_soft_edges,
    surrounded_by_void,
    white_background,
)
from evaluation.results.checks.misreadings import better_readings, mirrored
from evaluation.results.checks.orders import other_order
from evaluation.results.checks.scales import look_closer

MAX_PROPOSALS = 20
"""Proposals per video that DAVIS takes in the unsupervised task."""

_ALIKE = 0.99
"""Dice of all objects from which no other frame can fit clearly better."""

MANY_IDS = 16
"""Predicted ids without an object from which masks look anti-aliased."""


def check_labels(
    counts: SequenceCounts,
    protocol: ScoringProtocol,
    options: InputOptions,
    results: str,
    truth: str,
    pair: SequencePair | None = None,
) -> list[str]:
    """Compare the labels of one video's prediction with those of its ground truth.

    Args:
        counts: of the video, with the labels that were found.
        protocol: the rules.
        options: how masks were preprocessed.
        results: what to call the results.
        truth: what to call the ground truth.
        pair: the masks, to look at where labels look odd.

    Returns:
        Notes about labels that do no harm but may not be meant.

    Raises:
        InputError: one side is written in another way than the other, or with soft
            edges.
    """
    name = counts.name
    options, kept = _without_merging(counts, protocol, options, pair)
    gt, pred = set(counts.gt_labels.tolist()), set(counts.pred_labels.tolist())
    notes = [*kept, *_note_resized(counts)]
    ignored = _ignored(gt, pair) if options.void is None else set()
    gt -= ignored
    notes += [
        f"{name}: {label} in the ground truth marks regions that MOTS ignores; they "
        f"are left out of both masks, as by void={label} (--void {label})"
        for label in ignored
    ]
    notes += _object_left_out(name, gt, pred, options.void)
    # Only where an object is that large the masks need be looked at for it.
    large = pair if counts.large.any() else None
    if options.binarize or protocol.objects == "foreground":
        why = "binarize" if options.binarize else protocol.name
        merged = _note_merged(counts, gt, truth, results)
        merged += _note_joined_objects(name, gt - {0, options.void}, why)
        merged += inverted(large, merged=True) if large else []
        merged += _look_merged(pair, counts) if pair else []
    if options.binarize:
        return notes + merged
    if pair is not None:
        refuse_soft_edges(pair, gt, pred)
    if video_options(gt, protocol, options).binarize:
        binary = _binary_truth(results, name, pred)
        notes += inverted(large, merged=True) if large else []
        notes += _look_merged(pair, counts) if pair else []
        return [*notes, binary, *_note_merged(counts, gt, truth, results)]
    true_masks = (pair.gt, pair.ends()) if pair else None
    own_masks = (pair.pred, pair.predicted()) if pair and pair.pred else None
    _refuse_white(results, name, pred, gt, own_masks)
    if protocol.objects == "foreground":
        return notes + merged  # DAVIS-2016 itself publishes 0/255
    _refuse_white(truth, name, gt, pred, true_masks)
    if gt == {VOID} and protocol.void_label == VOID:
        raise _white(truth, name, "object ids from 1 on", true_masks)
    if protocol.matching == "proposals" and len(pred) > MAX_PROPOSALS:
        raise InputError(
            f"{results}, sequence {name}",
            f"{len(pred)} proposals",
            f"at most {MAX_PROPOSALS}",
            "Keep the best proposals, with one id through the whole video.",
        )
    notes += white_background(pair, pred - gt)
    notes += [*inverted(large), *background_on_both(large)] if large else []
    few = 1 < len(pred) < MANY_IDS or 1 < len(gt) < MANY_IDS
    notes += blended(pair) if pair and few else []
    if protocol.matching != "by-id":
        return notes
    _refuse_zero(results, name, pred, gt)
    _refuse_foreign(results, truth, name, pred, gt)
    absent = _without_folder(pair, gt - {VOID})
    one_of_many = len(pred) == 1 and len(gt - {VOID}) > 1 and not absent
    return [
        *notes,
        *absent,
        *([_note_one_id(name, pred, gt - {VOID})] if one_of_many else []),
        *_look_by_id(pair, counts),
        *_extra_ids(name, pred - gt - {0}, pair),
        *_void(name, gt, pred, protocol, options),
        *(surrounded_by_void(pair) if pair and VOID in gt & pred else []),
    ]


def _look_by_id(pair: SequencePair | None, counts: SequenceCounts) -> list[str]:
    """Look at masks of objects that go by their ids."""
    if pair is None:
        return numbered_anew(counts)
    late = _late(pair, counts, by_id=True)
    return [
        *_look_again(pair, counts, late, by_id=True),
        *(numbered_anew(counts) or numbered_by_found(pair, counts)),
        *look_closer(pair, counts, late=bool(late)),
    ]


def compares_ids(
    counts: SequenceCounts,
    protocol: ScoringProtocol,
    options: InputOptions,
    pair: SequencePair,
) -> bool:
    """Whether masks of a video go by their ids, and are not merged into one object."""
    options, _ = _without_merging(counts, protocol, options, pair)
    gt = set(counts.gt_labels.tolist())
    merged = video_options(gt, protocol, options).binarize
    by_id = protocol.matching == "by-id" and protocol.objects != "foreground"
    return by_id and not merged


def _without_merging(
    counts: SequenceCounts,
    protocol: ScoringProtocol,
    options: InputOptions,
    pair: SequencePair | None,
) -> tuple[InputOptions, list[str]]:
    """The options where binarize merges no objects, and a note on that."""
    if not options.binarize or pair is None or not keeps_objects(pair.gt, pair.pred):
        return options, []
    several = len(counts.object_ids) > 1 and protocol.objects != "foreground"
    note = (
        f"{counts.name}: masks are kept object by object, so that binarize merged no "
        "objects"
    )
    return replace(options, binarize=False), [note] if several else []


def _without_folder(pair: SequencePair | None, gt: set[int]) -> list[str]:
    """A note on objects of label maps for which there is no object folder.

    Raises:
        InputError: another folder of masks beside the others may be one of them.
    """
    if pair is None or not isinstance(pair.pred, ObjectFolderSequence):
        return []
    absent = sorted(gt - pair.pred.annotated_ids())
    if not absent or pair.gt.overlapping:
        return []  # told, or refused, as missing
    if pair.pred.left_out:
        raise InputError(
            str(Path(pair.pred.where(pair.pred.frames[0])).parent.parent),
            f"masks in {', '.join(pair.pred.left_out)}, beside folders of objects, and "
            f"no folder of object {absent[0]}",
            "objects called by their ids in the ground truth: "
            f"{', '.join(map(str, sorted(gt)))}",
            f"Rename {pair.pred.left_out[0]} to the id of its object, or move it "
            "elsewhere if it is none.",
        )
    which = "object" if len(absent) == 1 else "objects"
    return [
        f"{pair.name}: no folder of {which} {', '.join(map(str, absent))} in the "
        "prediction; its masks count as empty"
    ]


def _note_one_id(name: str, pred: set[int], gt: set[int]) -> str:
    listed = ", ".join(map(str, sorted(gt)))
    return (
        f"{name}: all that is predicted has the id {min(pred)}, of objects {listed}; "
        "is it one mask of all objects?"
    )


def _look_merged(pair: SequencePair, counts: SequenceCounts) -> list[str]:
    """Look at masks whose objects count as one."""
    late = _late(pair, counts, by_id=False)
    return _look_again(pair, counts, late, by_id=False)


def _late(pair: SequencePair, counts: SequenceCounts, *, by_id: bool) -> list[str]:
    """A note where masks that hardly agree fit frames nearby better."""
    if not _differs(counts):
        return []
    late = wrong_numbers(pair, by_id=by_id)
    return late or given_mask_late(pair, counts, by_id=by_id)


def _differs(counts: SequenceCounts) -> bool:
    """Whether objects and predictions hardly agree."""
    shared, area, own = _areas(counts)
    return 2 * shared < _ALIKE * (area + own)


def _areas(counts: SequenceCounts) -> tuple[int, int, int]:
    """Pixels that both sides share, of the ground truth, and of the predictions."""
    sums = counts.counts.sum(axis=(0, 1), dtype=np.int64)
    return int(sums[INTERSECTION]), int(sums[GT_AREA]), int(sums[PRED_AREA])


def _look_again(
    pair: SequencePair, counts: SequenceCounts, late: list[str], *, by_id: bool
) -> list[str]:
    """Look at the masks of a video where objects and predictions hardly agree.

    Args:
        pair: the video.
        counts: its pixel counts.
        late: notes that they fit frames nearby better.
        by_id: whether objects are compared by their ids, or as one.
    """
    shared, area, _ = _areas(counts)
    others = exchanged_ids(pair, counts) if by_id else []
    readings = better_readings(pair) if 2 * shared < area else []
    if _differs(counts):
        if not (readings or others):
            found = mirrored(pair, by_id=by_id)
            readings = [found[1]] if found else []
        if not (late or readings or others):
            late = other_order(pair, counts, by_id=by_id)
    return [
        *others,
        *late,
        *readings,
        *(exchanged(pair) if 20 * shared < area and not others else []),
    ]


def _note_resized(counts: SequenceCounts) -> list[str]:
    """One note for all predictions of a video that were brought to another size."""
    resized = counts.resized.tolist()
    parts = [
        f"{count} from {w}x{h} to {width}x{height}"
        for h, w, height, width, count in resized
    ]
    if not parts:
        return []
    odd = any(has_other_aspect((h, w), (y, x)) for h, w, y, x, _ in resized)
    return [
        f"{counts.name}: predicted masks were resized to the nearest pixel: "
        f"{'; '.join(parts)} pixels"
        + (", which is wrong if they were cropped or padded" if odd else "")
    ]


def _note_merged(
    counts: SequenceCounts, gt: set[int], truth: str, results: str
) -> list[str]:
    """Notes about labels that became one object, whatever is not 0.

    Args:
        counts: of the video.
        gt: labels of the ground truth that count.
        truth: what to call the ground truth.
        results: what to call the results.

    Raises:
        InputError: several labels and no background, so that all would be the object.
    """
    notes, name = [], counts.name
    pred = set(counts.pred_labels.tolist())
    sides = (("ground truth", truth, gt), ("prediction", results, pred))
    for (side, where, labels), has_background in zip(
        sides, counts.background.tolist(), strict=True
    ):
        listed = ", ".join(map(str, sorted(labels)[:5]))
        if len(labels) > 5:
            listed += ", ..."
        if len(labels) > 1 and not has_background:
            raise InputError(
                f"{where}, sequence {name} of the {side}",
                f"masks without background: labels {listed}, and no pixel is 0",
                "0 outside the object, as whatever is not 0 becomes one object",
                "Write 0 where the object is not.",
            )
        if labels and not has_background:
            notes.append(f"{name}: the object of the {side} fills every frame")
        elif is_suspicious(labels):
            notes.append(
                f"{name}: masks of the {side} have {len(labels)} values above 0 "
                f"({listed}; soft edges?): every pixel that is not 0 counts, however "
                "faint; soft edges and probabilities are thresholded at half before "
                "they are scored (mask > 127 of 255)"
            )
    if len(pred) > 1 and pred - gt and not is_suspicious(pred):
        listed = ", ".join(map(str, sorted(pred)))
        notes.append(f"{name}: predicted labels {listed} were merged into one object")
    return notes


def _note_joined_objects(name: str, labels: set[int], why: str) -> list[str]:
    """A note where several objects of the ground truth are scored as one."""
    if len(labels) < 2:
        return []
    listed = ", ".join(map(str, sorted(labels)[:5])) + (", ..." * (len(labels) > 5))
    return [
        f"{name}: labels {listed} of the ground truth were merged into one object "
        f"({why})"
    ]


def _refuse_zero(results: str, name: str, pred: set[int], gt: set[int]) -> None:
    """Refuse a predicted object 0 where the ground truth has none.

    Raises:
        InputError: it may be the background, or objects are counted from 0.
    """
    if 0 in pred and 0 not in gt:
        raise InputError(
            f"{results}, sequence {name}",
            "a mask of object 0, which the ground truth does not have",
            "masks by the ids of the ground truth, without one of the background",
            "Pass the ids of the ground truth, and leave the background out.",
        )


def _extra_ids(
    name: str, extra: set[int], pair: SequencePair | None = None
) -> list[str]:
    if len(extra) >= MANY_IDS:
        return [
            f"{name}: predicted masks hold {len(extra)} ids that are no objects; were "
            "they smoothed or resized with interpolation?"
        ]
    if extra:
        listed = ", ".join(map(str, sorted(extra)))
        if pair is not None and are_crumbs(pair, extra):
            return [
                f"{name}: predicted ids {listed} are no objects, and lie in crumbs at "
                "the edges of others: were masks saved as JPEG or resized with "
                "interpolation? All ids are in doubt, then: write the masks again"
            ]
        return [f"{name}: predicted ids {listed} are no objects; ignored"]
    return []


def _void(
    name: str,
    gt: set[int],
    pred: set[int],
    protocol: ScoringProtocol,
    options: InputOptions,
) -> list[str]:
    """What becomes of labels for unclear pixels, where that may not be meant."""
    if options.void is None and (odd := _odd_label(gt, pred)):
        return [
            f"{name}: label {odd} in the ground truth counts as an object, though no "
            f"mask predicts it; say void={odd} (--void {odd}) if it marks unclear "
            "pixels"
        ]
    if VOID not in gt or options.void is not None:
        return []
    if protocol.void == "object":
        return [
            f"{name}: 255 in the ground truth counts as an object under "
            f"{protocol.name}; say void=255 (--void 255) if it marks unclear pixels"
        ]
    odd = VOID in pred or max(gt - {VOID}, default=0) > HIGH
    if protocol.void == "background" or odd:
        what = "background" if protocol.void == "background" else "left out"
        return [
            f"{name}: 255 in the ground truth marks unclear pixels under "
            f"{protocol.name} and is {what}; give it another id if it is an object"
        ]
    return []


def _object_left_out(
    name: str, gt: set[int], pred: set[int], void: int | None
) -> list[str]:
    """A note where what is left out as void looks like an object among others."""
    if void is None or void == VOID or void not in gt:
        return []
    if void not in pred and void > max(gt - {void, VOID}, default=0):
        return []
    return [
        f"{name}: object {void} of the ground truth is left out of both masks, and not "
        f"scored, as void={void} (--void {void}) says that it marks unclear pixels"
    ]


def _odd_label(gt: set[int], pred: set[int]) -> int | None:
    """The highest label, where it is far from the others and nothing predicts it."""
    highest = max(gt - {VOID}, default=0)
    others = gt - {highest, VOID}
    odd = highest > HIGH and highest not in pred and 2 * max(others, default=64) < HIGH
    return highest if odd else None


def _ignored(labels: set[int], pair: SequencePair | None) -> set[int]:
    """The label of ignored regions among those of the ground truth, if any."""
    if pair is not None and pair.gt.ignores is not None:
        return labels & {pair.gt.ignores}
    return labels & {ignored_among(labels)}


def _binary_truth(results: str, name: str, pred: set[int]) -> str:
    """The note on a video whose ground truth is 0 and 255.

    Raises:
        InputError: the prediction has several objects.
    """
    if len(pred - {0}) > 1:
        listed = ", ".join(map(str, sorted(pred)[:5]))
        raise InputError(
            f"{results}, sequence {name}",
            f"several objects (ids {listed})",
            "one object, as the ground truth is a mask of 0 and 255",
            f"Give ground truth with ids, or {BINARIZE}.",
        )
    return (
        f"{name}: masks of the ground truth are 0/255: every non-zero pixel is object 1"
    )


def _are_of_mots(ids: set[int]) -> bool:
    """Whether ids may be class * 1000 + object; the class of ignored regions is 10."""
    return MOTS_SCALE <= min(ids) <= max(ids) <= IGNORED_REGION


def _convert_mots(place: str, other: str) -> str:
    """What to do about ids of MOTS on one side, by the ids of the other."""
    out = f"{place}-davis"
    return (
        "If ids above 1000 are class * 1000 + object, as MOTS has them, run "
        f"{convert_command(place, out, 'davis', other)}, and give {out}."
    )


def _refuse_foreign(
    results: str, truth: str, name: str, pred: set[int], gt: set[int]
) -> None:
    """Refuse predictions none of whose ids the ground truth has.

    Raises:
        InputError: they would score 0 throughout.
    """
    own, pred = gt - {VOID}, pred - {0}
    if len(own) > 1 and pred == {k + 1 for k in own}:
        raise InputError(
            f"{results}, sequence {name}",
            f"ids {min(pred)} to {max(pred)}, each one higher than an object's",
            f"ids of the ground truth ({min(own)} to {max(own)})",
            "Write the ids of the ground truth, with 0 for the background.",
        )
    if not own or not pred or pred & gt:
        return
    listed = ", ".join(map(str, sorted(pred)[:5]))
    wanted = ", ".join(map(str, sorted(own)[:5]))
    many = "ids" if len(pred) > 1 else "the single id"
    fix = "Write the ids of the ground truth"
    fix += f", or {BINARIZE}." if len(pred) == len(own) == 1 else "."
    factor = _common_factor(pred, own)
    if factor:
        fix = _divide(results, factor)
    if _are_of_mots(pred) and max(own) < MOTS_SCALE:
        fix = _convert_mots(results, truth)
    elif _are_of_mots(own) and max(pred) < MOTS_SCALE:
        fix = _convert_mots(truth, results)
    raise InputError(
        f"{results}, sequence {name}",
        f"{many} {listed}, which no object has",
        f"ids of the ground truth ({wanted})",
        fix,
    )


_STRETCHED = (256, 257)
"""What ids are multiplied by where 8 bits are written as 16: shifted, or stretched."""


def _common_factor(pred: set[int], gt: set[int]) -> int | None:
    """The factor of `_STRETCHED` by which all predicted ids are ids of the truth."""
    for factor in _STRETCHED:
        if all(k % factor == 0 for k in pred) and {k // factor for k in pred} <= gt:
            return factor
    return None


def _divide(results: str, factor: int) -> str:
    """What to do about ids that are all too high by one factor."""
    what = f"All ids are {factor} times as high, as after writing 8 bits as 16: divide"
    if not Path(results).is_dir():
        return f"{what} them by {factor} (masks // {factor})."
    program = (
        "import sys, numpy as np; from pathlib import Path; from PIL import Image; "
        "[Image.fromarray((np.asarray(Image.open(p)).astype(int) // int(sys.argv[2]))"
        ".astype(np.uint8)).save(p) for p in Path(sys.argv[1]).rglob('*.png')]"
    )
    return (
        f"{what} them in all files of the folder: "
        f'`python -c "{program}" {shlex.quote(results)} {factor}`'
    )


def note_objects(
    counts: SequenceCounts, scores: SequenceScores, protocol: ScoringProtocol
) -> list[str]:
    """Notes about objects that are scored in an unexpected way, or not at all."""
    notes = []
    scored = set(scores.object_ids.tolist())
    void = {protocol.void_label}
    unscored = sorted(set(counts.object_ids.tolist()) - scored - void)
    listed = ", ".join(map(str, unscored))
    if unscored and protocol.objects.startswith("first-frame"):
        notes.append(
            f"{counts.name}: objects {listed} are not scored: they appear after the "
            f"first frame, and {protocol.name} leaves such objects out"
        )
    elif unscored and scored:
        notes.append(
            f"{counts.name}: objects {listed} are not scored (in no scored frame)"
        )
    if not scored and protocol.tracking == "concepts":
        return notes  # a phrase of which there is nothing in the video
    if not scored:
        why = f" (objects {listed} are in no scored frame)" if unscored else ""
        why = "" if notes else why
        rest = ""
        if protocol.tracking != "none":
            rest = "; tracking metrics count its tracks as false ones"
        notes.append(f"{counts.name} was skipped: no object to score{why}{rest}")
    for i, object_id in enumerate(scores.object_ids.tolist()):
        visible = bool(np.any(scores.gt_area[i] > 0))
        if not visible:
            notes.append(
                f"{counts.name}: object {object_id} is visible in no scored frame; it "
                "scores whether the prediction stays empty"
            )
    return notes


_Looked = tuple[MaskSequence, Sequence[str]] | None
"""Masks of one side and the frames to look at; None where there are none."""


def _refuse_white(
    where: str, sequence: str, one: set[int], other: set[int], masks: _Looked
) -> None:
    """Refuse 0/255 masks on one side where 255 is no label of the other."""
    if one == {VOID} and other and VOID not in other:
        listed = ", ".join(map(str, sorted(other)[:5]))
        expected = f"object ids as on the other side ({listed})"
        raise _white(where, sequence, expected, masks)


def _white(where: str, sequence: str, expected: str, masks: _Looked) -> InputError:
    found, fix = "masks of 0 and 255", f"Write ids, or {BINARIZE}."
    if masks is not None and look_inverted(*masks):
        found += " that look inverted: 255 fills all corners and most of the frame"
        fix = (
            "Write the id of the object where they are 0, and 0 where they are 255, "
            f"e.g. {INVERTED}."
        )
    return InputError(f"{where}, sequence {sequence}", found, expected, fix)

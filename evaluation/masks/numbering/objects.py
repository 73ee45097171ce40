"""From which number results count objects, where masks are kept object by object."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evaluation.masks.names import match_names
from evaluation.masks.numbering.agreement import (
    COMPARED,
    MARGIN,
    contradiction,
    mask_iou,
)
from evaluation.masks.sequence import MaskSequence, ObjectFolderSequence


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
    folders = {
        name: masks
        for name, masks in results.items()
        if truth[name].folder_offset and isinstance(masks, ObjectFolderSequence)
    }
    as_named = _folders_are_ids(truth, folders)
    for name, masks in results.items():
        offset = truth[name].folder_offset
        if name in folders and as_named:
            first = min(masks.annotated_ids())
            masks.remark(_AS_NAMED.format(first, first - offset))
        elif name in folders:
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


_AS_NAMED = (
    "folders of objects count from another number than the benchmark's: folder {:03d} "
    "was taken for the benchmark's {:03d}, and so on"
)
"""The remark on results that number folders as label maps number objects."""


def _folders_are_ids(
    truth: Mapping[str, MaskSequence], folders: Mapping[str, MaskSequence]
) -> bool:
    """Whether folders are called by ids, unlike those of their benchmark.

    So are they where some would otherwise be of objects that no video has, and masks
    fit better.

    Args:
        truth: the ground truth by video.
        folders: results by video, of a benchmark that counts folders from 0.
    """
    beyond, gain = False, 0.0
    for name, masks in folders.items():
        offset, own = truth[name].folder_offset, masks.annotated_ids()
        wanted = _ids(truth[name])
        if not own <= wanted:
            return False
        beyond = beyond or not {k + offset for k in own} <= wanted
        gain += _fits(truth[name], masks, 0) - _fits(truth[name], masks, offset)
    return beyond and gain > MARGIN * len(folders)


def count_from_one(videos: Mapping[str, MaskSequence]) -> dict[str, MaskSequence]:
    """The same videos with 1 added to all ids, if any of them has an object 0.

    For masks that are kept object by object, to be written as label maps, where 0 is
    the background. One number holds for all videos, so that those without an object 0
    do not count otherwise than the rest.
    """
    if not any(has_object_zero(masks) for masks in videos.values()):
        return dict(videos)
    return {
        name: masks.renumbered(1) if masks.overlapping else masks
        for name, masks in videos.items()
    }


def has_object_zero(masks: MaskSequence) -> bool:
    """Whether masks that are kept object by object have an object 0."""
    return masks.overlapping and 0 in masks.annotated_ids()


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
        if abs(better) > MARGIN:
            return 1 if better > 0 else 0
        return 1 if fits_shifted else None
    if 0 in wanted and 0 not in given:
        down = {k - 1 for k in given}
        if given <= wanted and down <= wanted:
            better = _fits(truth, pred, -1) - _fits(truth, pred, 0)
            return None if abs(better) <= MARGIN else -1 if better > 0 else 0
        return -1 if down <= wanted else 0
    shifts = [d for d in (1, -1) if {k + d for k in given} <= wanted]
    if not shifts or given <= wanted:
        return None if shifts else 0
    better = _fits(truth, pred, shifts[0]) - _fits(truth, pred, 0)
    return shifts[0] if better > MARGIN else None


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
        least = MARGIN * len(found)
        if gain > (-least if usual else least):
            return offset
    return 0


def _fits(truth: MaskSequence, pred: MaskSequence, offset: int) -> float:
    """Mean IoU of the objects with `offset` added to the predicted ids."""
    names = match_names(truth.frames, pred.frames).names
    frames = list(names)[:: max(1, len(names) // COMPARED)]
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


def _one(votes: Mapping[str, int | None], label: str) -> int:
    """The offset of object ids that all videos agree on.

    Raises:
        InputError: they do not agree.
    """
    found = {k: vote for k, vote in votes.items() if vote is not None}
    if len(set(found.values())) < 2:
        return next(iter(found.values()), 0)
    raise contradiction(found, label, "objects")

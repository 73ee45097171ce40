"""Objects of the ground truth that predicted masks hardly show, or not at all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.counting.counts import GT_AREA, INTERSECTION, PRED_AREA
from evaluation.counting.video import SequenceCounts
from evaluation.errors import InputError
from evaluation.masks.blanks import (
    PREDICTED,
    at_intervals,
    blank_between,
    blank_together,
    ends_abruptly,
)
from evaluation.masks.pairs import SequencePair
from evaluation.masks.sequence import ObjectFolderSequence
from evaluation.metrics.video import SequenceScores
from evaluation.notes import Note, of_kind
from evaluation.protocols import ScoringProtocol
from evaluation.results.checks.masks import foreground

_FEWEST = 3
"""Frames from which it can be told that masks are next to nothing."""

_INSIDE, _NEXT_TO_NOTHING = 0.95, 0.1
"""Part of predicted pixels that lie on objects, and of objects that they cover."""


def empty_throughout(
    counts: SequenceCounts, pair: SequencePair, protocol: ScoringProtocol
) -> list[str]:
    """A note on a video with predictions, all of which are empty.

    Args:
        counts: of the video.
        pair: its masks.
        protocol: the rules; where phrases are looked for, nothing may be right.
    """
    if len(counts.pred_labels) or not pair.pred_frames:
        return []
    if protocol.tracking == "concepts":
        return []
    return [f"{counts.name}: predicted masks are empty throughout"]


def note_blanks(counts: SequenceCounts, pair: SequencePair, *, look: bool) -> list[str]:
    """A note on a video with masks that are blank as none were drawn.

    Args:
        counts: of the video.
        pair: its masks.
        look: whether masks can be read that are not scored.
    """
    true, own = (_shown(counts.counts[:, :, kind]) for kind in (GT_AREA, PRED_AREA))
    told = blank_between(true) or blank_between(_with_ends(pair, true, 0, look))
    if told:
        return [Note(f"{counts.name}: {told}", "blank-frames")]
    if not all(frame in pair.pred_frames for frame in pair.frames):
        return []  # told as missing
    blank = true & ~own
    how = at_intervals(_with_ends(pair, ~blank, 1, look))
    if not how:
        return []
    told = (
        f"{counts.name}: predicted masks are empty in {np.count_nonzero(blank)} of "
        f"{len(own)} frames, {how}: {PREDICTED}"
    )
    return [Note(told, "blank-frames")]


def _with_ends(
    pair: SequencePair, visible: NDArray[np.bool_], side: int, look: bool
) -> NDArray[np.bool_]:
    """Whether frames show an object, also the first and last ones, if not scored.

    Args:
        pair: the video.
        visible: of each scored frame, whether it shows one.
        side: 0 of the ground truth, 1 of the prediction.
        look: whether masks can be read; only where most frames are blank they are.
    """
    if not look or 2 * np.count_nonzero(visible) >= len(visible):
        return visible
    ends: list[list[bool]] = []
    for frame in (pair.gt.frames[0], pair.gt.frames[-1]):
        try:
            masks = None if frame in pair.frames else pair.read(frame)[side]
        except InputError:
            masks = None  # it is not scored, and may be anything
        seen = foreground(masks)
        ends.append([] if masks is None else [seen is not None and bool(seen.any())])
    return np.array([*ends[0], *visible, *ends[1]], np.bool_)


def _shown(areas: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """[T] whether any of the objects is seen, by their areas [n, T]."""
    return np.asarray((areas > 0).any(axis=0))


def note_blank_together(
    scores: Sequence[SequenceScores], notes: Sequence[str]
) -> list[str]:
    """A note on videos all of which are blank in the same frames.

    Args:
        scores: of all videos.
        notes: that were told of them; what was told of one of them is not told again.
    """
    if of_kind(notes, "blank-frames"):
        return []
    true = {one.name: _shown(one.gt_area) for one in scores}
    own = {one.name: _shown(one.pred_area) for one in scores}
    told = blank_together(true, "ground truth")
    if not told and not all(map(np.array_equal, true.values(), own.values())):
        told = blank_together(own, "prediction")
    return [Note(told, "blank-frames")] if told else []


def note_ends(
    scores: Sequence[SequenceScores], asked: Collection[str]
) -> dict[str, str]:
    """By their names, a note on each video whose masks end abruptly.

    Args:
        scores: of all videos.
        asked: names of those about which something was asked already.
    """
    told = {}
    for one in scores:
        true = np.where(one.annotated, one.gt_area, 0)
        start = ends_abruptly(true, one.pred_area, np.nan_to_num(one.J))
        if start is None or one.name in asked:
            continue
        told[one.name] = (
            f"{one.name}: predicted masks are empty from frame {one.frames[start]} to "
            f"the end ({len(one.frames) - start} of {len(one.frames)} scored frames), "
            "though they had fit until then, and the ground truth has objects there: "
            "did the run break off (out of memory, a crash)? They count as empty"
        )
    return told


def hardly_covered(counts: SequenceCounts) -> list[str]:
    """A note where masks lie within the objects, and cover next to nothing of them.

    Args:
        counts: of a video.
    """
    visible = counts.counts[counts.counts[:, :, GT_AREA] > 0].astype(np.int64)
    shared, area, own = visible.sum(axis=0)[[INTERSECTION, GT_AREA, PRED_AREA]].tolist()
    if len(visible) < _FEWEST or 2 * np.count_nonzero(visible[:, PRED_AREA]) < len(
        visible
    ):
        return []
    if shared <= _INSIDE * own or shared >= _NEXT_TO_NOTHING * area:
        return []
    return [
        f"{counts.name}: predicted masks lie within the objects, but cover only "
        f"{shared / area:.0%} of them: are they probabilities cut to whole numbers (of "
        "which only 1.0 stays), or seeds?"
    ]


def never_predicted(
    pair: SequencePair, counts: SequenceCounts, scored: Collection[int]
) -> list[str]:
    """A note on objects without a single predicted pixel.

    Methods that lose an object show it where it was given to them, and that frame is
    looked at, too.

    Args:
        pair: the video, compared by ids.
        counts: its pixel counts.
        scored: ids of the objects that are scored.
    """
    if isinstance(pair.pred, ObjectFolderSequence) or len(counts.pred_labels) < 2:
        return []  # told as a folder that lacks, or as one mask of all objects
    areas = counts.counts.sum(axis=1, dtype=np.int64)
    absent = [
        int(key)
        for key, own in zip(counts.object_ids.tolist(), areas, strict=True)
        if key in scored and own[GT_AREA] and not own[PRED_AREA]
    ]
    if not absent:
        return []
    absent = sorted(set(absent) - _shown_when_given(pair))
    if not absent:
        return []
    which = "object" if len(absent) == 1 else "objects"
    listed = ", ".join(map(str, absent[:5])) + (", ..." if len(absent) > 5 else "")
    return [
        f"{pair.name}: {which} {listed} of {len(scored)} "
        f"{'is' if len(absent) == 1 else 'are'} never predicted"
    ]


def _shown_when_given(pair: SequencePair) -> set[int]:
    """Ids that a prediction has in the first annotated frame, scored or not."""
    first = pair.gt.frames[0]
    if first in pair.frames or first not in pair.pred_frames or pair.pred is None:
        return set()
    try:
        masks = pair.pred.read(pair.pred_frames[first])
    except InputError:
        return set()  # it is not scored, and may be anything
    if isinstance(masks, dict):
        return {key for key, mask in masks.items() if mask.any()}
    return {int(key) for key in np.unique(masks)}

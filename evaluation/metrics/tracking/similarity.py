"""IoU of objects and tracks per frame, and sums in a fixed order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.counting.overlaps import Indices, Overlaps

Values = NDArray[np.float64]

EPSILON = float(np.finfo("float").eps)
"""A similarity this little below a threshold still reaches it."""


@dataclass(frozen=True)
class Group:
    """Frames in which the same k objects and l tracks are present.

    Attributes:
        frames: [G] indices of the frames.
        objects: [k] positions of the objects.
        tracks: [l] positions of the tracks.
        similarity: [G, l, k] IoU; tracks first, as the order of memory decides the
            last digit of a sum.
    """

    frames: Indices
    objects: Indices
    tracks: Indices
    similarity: Values


def groups(overlaps: Overlaps) -> Iterator[Group]:
    """Frames grouped by who is present; frames without objects or tracks left out."""
    present = np.concatenate([overlaps.gt_area, overlaps.track_area]) > 0
    patterns, inverse = np.unique(present.T, axis=0, return_inverse=True)
    n = len(overlaps.gt_ids)
    for index, pattern in enumerate(patterns):
        objects = np.flatnonzero(pattern[:n])
        tracks = np.flatnonzero(pattern[n:])
        if len(objects) and len(tracks):
            frames = np.flatnonzero(inverse.ravel() == index)
            chosen = overlaps.iou[frames[:, None, None], objects, tracks[:, None]]
            yield Group(frames, objects, tracks, chosen)


def sum_in_order(values: Values) -> Values:
    """Sum over the first axis, one by one as a loop would (numpy sums in pairs)."""
    if not len(values):
        return np.zeros(values.shape[1:])
    total: Values = np.cumsum(values, axis=0)[-1]
    return total


def assign(scores: Values) -> tuple[Indices, Indices]:
    """Pair rows with columns for the largest total score (Hungarian method).

    Args:
        scores: [k, l].

    Returns:
        Rows, ascending, and the column of each.
    """
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(scores, maximize=True)
    return rows, columns


def assign_each(scores: Values) -> tuple[Indices, NDArray[np.bool_]]:
    """Pair objects with tracks in every frame, for the largest total score.

    Args:
        scores: [G, l, k] of each track and object, none below 0.

    Returns:
        [G, k] position of each object's track, and [G, k] whether it has one. A pair
        that scores 0 may be left out.
    """
    best = scores.max(axis=1)
    tracks = scores.argmax(axis=1)
    paired = best > 0
    # Where each object's best track is its own and no other is as good, that is the
    # one best assignment. Only other frames need the Hungarian method.
    ties = (scores == best[:, None, :]).sum(axis=1) > 1
    taken = np.zeros(scores.shape[:2], np.int64)
    frames, objects = np.nonzero(paired)
    np.add.at(taken, (frames, tracks[frames, objects]), 1)
    unclear = (ties & paired).any(axis=1) | (taken > 1).any(axis=1)
    for frame in np.flatnonzero(unclear):
        rows, columns = assign(scores[frame].T)
        paired[frame] = False
        tracks[frame] = 0
        tracks[frame, rows], paired[frame, rows] = columns, True
    return tracks, paired

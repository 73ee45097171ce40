"""How much each true object and each predicted track share, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evaluation.counting.counts import Counts

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Overlaps:
    """Pixels that n objects and m tracks of one video cover and share in T frames.

    Attributes:
        gt_ids: [n] ids of the objects, ascending.
        track_ids: [m] ids of the tracks, ascending.
        gt_area: [n, T] pixels of each object.
        track_area: [m, T] pixels of each track.
        intersection: [n, m, T] pixels in both.
    """

    gt_ids: Indices
    track_ids: Indices
    gt_area: Counts
    track_area: Counts
    intersection: Counts

    @property
    def n_frames(self) -> int:
        """How many frames were looked at."""
        return int(self.gt_area.shape[1])

    @cached_property
    def iou(self) -> NDArray[np.float64]:
        """[T, n, m] IoU in each frame; 0 where object or track is absent."""
        shared = self.intersection.transpose(2, 0, 1)
        union = self.gt_area.T[:, :, None] + self.track_area.T[:, None, :] - shared
        iou = np.zeros(union.shape)
        np.divide(shared, union, out=iou, where=union > 0)
        return iou

    def at(self, frames: Indices) -> Overlaps:
        """The overlaps in some frames, chosen by position."""
        return Overlaps(
            self.gt_ids,
            self.track_ids,
            self.gt_area[:, frames],
            self.track_area[:, frames],
            self.intersection[:, :, frames],
        )

    def select(self, objects: Sequence[int], tracks: Sequence[int]) -> Overlaps:
        """The overlaps of some objects and tracks, chosen by position."""
        rows, columns = np.array(objects, np.int64), np.array(tracks, np.int64)
        return Overlaps(
            self.gt_ids[rows],
            self.track_ids[columns],
            self.gt_area[rows],
            self.track_area[columns],
            self.intersection[np.ix_(rows, columns)],
        )

    @cached_property
    def visible(self) -> Overlaps:
        """The objects and tracks that show a pixel in any frame."""
        rows = np.flatnonzero(self.gt_area.any(axis=1))
        columns = np.flatnonzero(self.track_area.any(axis=1))
        if len(rows) == len(self.gt_ids) and len(columns) == len(self.track_ids):
            return self
        return self.select(rows.tolist(), columns.tolist())

    def tube_iou(self) -> NDArray[np.float64]:
        """[n, m] IoU over the whole video: all shared pixels by all covered ones.

        Two tracks that are empty in every frame agree perfectly.
        """
        shared = self.intersection.sum(axis=2, dtype=np.int64)
        areas = self.gt_area.sum(axis=1, dtype=np.int64)[:, None]
        union = areas + self.track_area.sum(axis=1, dtype=np.int64) - shared
        iou = np.ones(shared.shape)
        np.divide(shared, union, out=iou, where=union > 0)
        return iou


@dataclass(frozen=True)
class FrameOverlaps:
    """The same for one frame, with its own objects and tracks only.

    Attributes:
        gt_ids: [k] ids of the objects in the frame.
        track_ids: [l] ids of the tracks in the frame.
        gt_area: [k] pixels.
        track_area: [l] pixels.
        intersection: [k, l] pixels.
    """

    gt_ids: Indices
    track_ids: Indices
    gt_area: Counts
    track_area: Counts
    intersection: Counts


def assemble_overlaps(frames: Sequence[FrameOverlaps]) -> Overlaps:
    """Join the overlaps of a video's frames, in playing order."""
    gt_ids = _ascending(frame.gt_ids for frame in frames)
    track_ids = _ascending(frame.track_ids for frame in frames)
    n, m, t = len(gt_ids), len(track_ids), len(frames)
    joined = Overlaps(
        gt_ids,
        track_ids,
        np.zeros((n, t), np.int32),
        np.zeros((m, t), np.int32),
        np.zeros((n, m, t), np.int32),
    )
    for t, frame in enumerate(frames):
        rows = np.searchsorted(gt_ids, frame.gt_ids)
        columns = np.searchsorted(track_ids, frame.track_ids)
        joined.gt_area[rows, t] = frame.gt_area
        joined.track_area[columns, t] = frame.track_area
        joined.intersection[rows[:, None], columns, t] = frame.intersection
    return joined


def overlaps_from_masks(
    gt: Sequence[Mapping[int, NDArray[np.bool_]]],
    tracks: Sequence[Mapping[int, NDArray[np.bool_]]],
) -> Overlaps:
    """Count the overlaps of masks object by object; they may overlap each other.

    Args:
        gt: object id -> [H, W] mask, per frame.
        tracks: track id -> [H, W] mask, per frame; as many frames.
    """
    pairs = zip(gt, tracks, strict=True)
    return assemble_overlaps([frame_overlaps(*pair) for pair in pairs])


def frame_overlaps(
    gt: Mapping[int, NDArray[np.bool_]], tracks: Mapping[int, NDArray[np.bool_]]
) -> FrameOverlaps:
    """Count the overlaps of one frame's masks, empty ones included."""
    gt_ids, track_ids = sorted(gt), sorted(tracks)
    shared = [[np.count_nonzero(gt[g] & tracks[p]) for p in track_ids] for g in gt_ids]
    return FrameOverlaps(
        np.array(gt_ids, np.int64),
        np.array(track_ids, np.int64),
        np.array([np.count_nonzero(gt[g]) for g in gt_ids], np.int64),
        np.array([np.count_nonzero(tracks[p]) for p in track_ids], np.int64),
        np.array(shared, np.int64).reshape(len(gt_ids), len(track_ids)),
    )


def _ascending(ids: Iterable[Indices]) -> Indices:
    return np.unique(np.concatenate([np.zeros(0, np.int64), *ids]))

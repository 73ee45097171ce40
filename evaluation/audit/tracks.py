"""One walk through a video's masks: what each object measures in each frame.

The walk keeps the masks of a few frames only, so memory does not grow with length.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.attributes.regions import Region, regions_of
from evaluation.audit.fragments import unsupported_holes, unsupported_specks
from evaluation.masks.label_map import Mask
from evaluation.masks.pairs import Masks

LONGEST = 3
"""Frames that an error of a few frames lasts at most."""

LAGS = LONGEST + 1
"""How many annotated frames back masks are compared."""

Regions = dict[int, Region]


@dataclass(frozen=True)
class Exchange:
    """Between two frames, two objects seem to take each other's place.

    Attributes:
        index: of the first frame with the ids exchanged.
        first: the smaller id.
        second: the larger one.
        across: the lower of the two IoU of one object with the other one before.
        same: the higher of the two IoU of an object with itself before.
    """

    index: int
    first: int
    second: int
    across: float
    same: float


@dataclass(frozen=True)
class Track:
    """One object through the T annotated frames of a video.

    Attributes:
        object_id: its id.
        area: [T] pixels, 0 where it is not visible.
        digest: [T] checksum of these pixels, 0 where it is not visible.
        centre: [T, 2] row and column of the centroid, NaN where not visible.
        border: [T] whether it touches the frame's border.
        iou: [LAGS + 1, T] IoU of the mask in frame t with that of t - lag; NaN where
            either is empty.
        shape_iou: the same after laying the centroids over each other.
        specks: [T] pixels of small parts that the frames beside do not have.
        n_specks: [T] their number.
        n_parts: [T] number of all small parts.
        holes: [T] pixels of small holes that the frames beside do not have.
        n_holes: [T] their number.
        hole_weight: [T] what they weigh together, as `unsupported_holes` tells.
    """

    object_id: int
    area: NDArray[np.int64]
    digest: NDArray[np.int64]
    centre: NDArray[np.float64]
    border: NDArray[np.bool_]
    iou: NDArray[np.float64]
    shape_iou: NDArray[np.float64]
    specks: NDArray[np.int64]
    n_specks: NDArray[np.int64]
    n_parts: NDArray[np.int64]
    holes: NDArray[np.int64]
    n_holes: NDArray[np.int64]
    hole_weight: NDArray[np.float64]

    @classmethod
    def blank(cls, object_id: int, length: int) -> Track:
        """A track of an object that was not seen yet."""
        names = ("area", "digest", "specks", "n_specks", "n_parts", "holes", "n_holes")
        counts = {name: np.zeros(length, dtype=np.int64) for name in names}
        return cls(
            object_id,
            centre=np.full((length, 2), np.nan),
            border=np.zeros(length, dtype=bool),
            iou=np.full((LAGS + 1, length), np.nan),
            shape_iou=np.full((LAGS + 1, length), np.nan),
            hole_weight=np.zeros(length),
            **counts,
        )

    @property
    def visible(self) -> NDArray[np.bool_]:
        """[T] whether the object has pixels."""
        return self.area > 0


def region_iou(one: Region, other: Region) -> float:
    """IoU of two regions of one frame size, 0..1."""
    window = one.box.intersection(other.box)
    if not window.area:
        return 0.0
    shared = int(np.count_nonzero(one.seen_in(window) & other.seen_in(window)))
    return shared / (one.area + other.area - shared)


def shape_iou(one: Region, other: Region) -> float:
    """IoU of two regions, the second one moved onto the first one's centroid."""
    down, right = np.subtract(one.centroid, other.centroid).round().astype(int).tolist()
    return region_iou(one, Region(other.box.moved(down, right), other.mask))


def follow(
    masks: Iterable[Masks], length: int, look: Callable[[int, Regions], None]
) -> tuple[dict[int, Track], list[Exchange]]:
    """Measure every object of a video in every annotated frame.

    Args:
        masks: of the annotated frames in playing order.
        length: their number.
        look: called with the index and the objects of each frame.

    Returns:
        Object id -> track, and the moments in which two ids seem to be exchanged.
    """
    tracks: dict[int, Track] = {}
    exchanges: list[Exchange] = []
    past: deque[Regions] = deque(maxlen=LAGS + 1)
    shape = (0, 0)
    for index, frame in enumerate(masks):
        shape = _shape(frame) or shape
        now = regions_of(frame)
        look(index, now)
        past.appendleft(now)
        for object_id, region in now.items():
            track = tracks.setdefault(object_id, Track.blank(object_id, length))
            _measure(track, index, region, shape)
            for lag in range(1, len(past)):
                if object_id in past[lag]:
                    then = past[lag][object_id]
                    track.iou[lag, index] = region_iou(region, then)
                    track.shape_iou[lag, index] = shape_iou(region, then)
        if len(past) > 1:
            exchanges += _exchanges(index, past[1], now)
            before = past[2] if len(past) > 2 else {}
            _fragments(tracks, index - 1, before, past[1], now)
    if past:
        _fragments(tracks, length - 1, past[1] if len(past) > 1 else {}, past[0], {})
    return tracks, exchanges


def _measure(track: Track, index: int, region: Region, shape: tuple[int, int]) -> None:
    box = region.box
    track.area[index], track.digest[index] = region.area, region.digest
    track.centre[index] = region.centroid
    track.border[index] = (
        box.top == 0 or box.left == 0 or box.bottom == shape[0] or box.right == shape[1]
    )


def _fragments(
    tracks: dict[int, Track], index: int, before: Regions, now: Regions, after: Regions
) -> None:
    """Count what the frames beside do not support, where there are such frames."""
    for object_id, region in now.items():
        beside = [one[object_id] for one in (before, after) if object_id in one]
        if not beside:
            continue
        track = tracks[object_id]
        sizes, track.n_parts[index] = unsupported_specks(region, beside)
        track.specks[index], track.n_specks[index] = sum(sizes), len(sizes)
        holes = unsupported_holes(region, beside, now, object_id)
        track.n_holes[index] = len(holes)
        track.holes[index] = sum(size for size, _ in holes)
        track.hole_weight[index] = sum(weight for _, weight in holes)


def _exchanges(index: int, before: Regions, now: Regions) -> list[Exchange]:
    both = sorted(before.keys() & now.keys())
    found = []
    for place, first in enumerate(both):
        for second in both[place + 1 :]:
            across = min(
                region_iou(now[first], before[second]),
                region_iou(now[second], before[first]),
            )
            if across > 0:
                same = max(
                    region_iou(now[first], before[first]),
                    region_iou(now[second], before[second]),
                )
                found.append(Exchange(index, first, second, across, same))
    return found


def _shape(masks: Masks) -> tuple[int, int] | None:
    mask: Mask | None = (
        next(iter(masks.values()), None) if isinstance(masks, dict) else masks  # type: ignore[assignment]
    )
    return None if mask is None else (mask.shape[0], mask.shape[1])

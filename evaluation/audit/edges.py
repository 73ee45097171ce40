"""Whether outlines lie on the edges of the images, or would a few frames or pixels off.

Images are looked at reduced: their short side about 240 pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation._utils.names import told_move
from evaluation.attributes.geometry import contour
from evaluation.attributes.images import ImageReader
from evaluation.attributes.regions import Region, regions_of
from evaluation.attributes.video import AnnotatedVideo
from evaluation.audit.kinds import AuditEvent, ErrorKind, confidence
from evaluation.masks.label_map import LabelMap

SIDE = 240
"""Short side of the images that are looked at, pixels."""

MOST_LAG = 3
"""Frames by which masks are tried earlier and later."""

SHIFTS = (-6, -4, -2, 0, 2, 4, 6)
"""Pixels of the reduced image by which masks are tried elsewhere, down and right."""

GAIN = 1.15
"""How many times as much edge must lie under the outline elsewhere."""

SIGMAS = 3.0
"""Standard errors by which it must be more, over the frames of the object."""

_FEWEST = 8
"""Frames below which nothing is said of an object."""

_SHORTEST = 20
"""Points of an outline below which nothing is said of it."""

_POINTS = 400
"""Points of an outline that are looked at."""


@dataclass
class _Outline:
    """What one object's outlines have found under themselves."""

    frames: list[int] = field(default_factory=list)
    lags: list[NDArray[np.float64]] = field(default_factory=list)
    shifts: list[NDArray[np.float64]] = field(default_factory=list)


class EdgeTracker:
    """Holds outlines against images, frame by frame.

    Args:
        video: with images.

    Attributes:
        reader: of the images, with notes on what is odd about them.
    """

    def __init__(self, video: AnnotatedVideo) -> None:
        self._video = video
        place = {frame: index for index, frame in enumerate(video.frames)}
        self._places = [place[frame] for frame in video.annotated_frames]
        self._outlines: dict[int, _Outline] = {}
        self._edges: Callable[[int], NDArray[np.float32] | None] = lru_cache(
            2 * MOST_LAG + 2
        )(self._read)
        self._shape = (0, 0)
        self.reader = ImageReader()

    def look(
        self, index: int, regions: dict[int, Region], shape: tuple[int, int]
    ) -> None:
        """Take in the objects of an annotated frame [height, width]."""
        self._shape = shape
        place = self._places[index]
        near = [self._edges(place + lag) for lag in range(-MOST_LAG, MOST_LAG + 1)]
        own = near[MOST_LAG]
        if own is None:
            return
        for object_id, region in regions.items():
            points = _points(region, shape, own.shape)
            if len(points) < _SHORTEST:
                continue
            outline = self._outlines.setdefault(object_id, _Outline())
            outline.frames.append(index)
            under = _under(own.shape, points)
            outline.lags.append(
                np.array([np.nan if e is None else _mean(e, under) for e in near])
            )
            outline.shifts.append(_grid(own, points))

    def strengths(self, object_id: int) -> NDArray[np.float64]:
        """[T] mean strength of edges under an object's outline, NaN where not known."""
        found = np.full(len(self._places), np.nan)
        outline = self._outlines.get(object_id)
        if outline is not None:
            found[outline.frames] = [lags[MOST_LAG] for lags in outline.lags]
        return found

    def events(self) -> Iterator[AuditEvent]:
        """Objects whose outlines would lie better at another time or place."""
        for object_id, outline in self._outlines.items():
            if len(outline.frames) < _FEWEST:
                continue
            start, end = outline.frames[0], outline.frames[-1] + 1
            found = [_in_time(np.array(outline.lags)), self._in_space(outline)]
            best = max((one for one in found if one), default=None, key=lambda o: o[0])
            if best is not None:
                gain, kind, words = best
                sure = confidence(gain - 1, GAIN - 1)
                yield AuditEvent(object_id, kind, start, end, words, sure)

    def _read(self, place: int) -> NDArray[np.float32] | None:
        """Strength of edges [h, w] in a frame; None where there is no such image."""
        if not 0 <= place < len(self._video.frames):
            return None
        path = self._video.images.get(self._video.frames[place])
        if path is None:
            return None
        return edge_strength(self.reader.read(path, self._shape, SIDE, grey=True))

    def _in_space(self, outline: _Outline) -> tuple[float, ErrorKind, str] | None:
        scores = np.array(outline.shifts)
        found = _better(scores.reshape(len(scores), -1), scores[0].size // 2)
        if found is None:
            return None
        best, gain = found
        down, right = (SHIFTS[i] for i in divmod(best, len(SHIFTS)))
        scale = min(self._shape) / SIDE if min(self._shape) > SIDE else 1.0
        words = (
            f"edges are {gain:.2f} times as strong "
            f"{told_move(down * scale, right * scale)}"
        )
        return gain, ErrorKind.SHIFTED_IN_SPACE, words


def edge_strength(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Length of the gradient of a slightly blurred grey image [h, w], float32 [h, w].

    Square roots of lengths: one strong edge somewhere must not outweigh all others.
    """
    across, down = cv2.spatialGradient(cv2.GaussianBlur(image, (3, 3), 0))
    length = cv2.magnitude(across.astype(np.float32), down.astype(np.float32))
    return np.asarray(np.sqrt(length), dtype=np.float32)


def strength_under(masks: LabelMap, path: Path) -> float | None:
    """Mean strength of edges of an image under the outlines of all objects.

    Args:
        masks: [H, W] ids of objects, 0 elsewhere.
        path: of the image.

    Returns:
        The strength; None where outlines are too short to tell.

    Raises:
        InputError: the image cannot be read, or has other sides than masks.
    """
    shape = masks.shape[0], masks.shape[1]
    edges = edge_strength(ImageReader().read(path, shape, SIDE, grey=True))
    outlines = [
        _points(region, shape, edges.shape) for region in regions_of(masks).values()
    ]
    points = np.concatenate(outlines) if outlines else np.zeros((0, 2), np.int64)
    if len(points) < _SHORTEST:
        return None
    return _mean(edges, _under(edges.shape, points))


def _points(
    region: Region, shape: tuple[int, int], reduced: tuple[int, ...]
) -> NDArray[np.int64]:
    """[n, 2] rows and columns of an outline in the reduced image.

    Points on the frame's border are no edge of the object.
    """
    rows, columns = np.nonzero(contour(region.mask))
    rows, columns = rows + region.box.top, columns + region.box.left
    inside = (rows > 1) & (rows < shape[0] - 2) & (columns > 1)
    inside &= columns < shape[1] - 2
    rows, columns = rows[inside], columns[inside]
    step = max(1, len(rows) // _POINTS)
    scale = np.array([reduced[0] / shape[0], reduced[1] / shape[1]])
    points = np.stack([rows[::step], columns[::step]], axis=1) + 0.5
    return np.asarray(points * scale, dtype=np.int64)


def _under(shape: tuple[int, ...], points: NDArray[np.int64]) -> NDArray[np.int64]:
    """[n] places of points in a flattened image."""
    rows = np.minimum(points[:, 0], shape[0] - 1)
    return np.asarray(rows * shape[1] + np.minimum(points[:, 1], shape[1] - 1))


def _mean(edges: NDArray[np.float32], places: NDArray[np.int64]) -> float:
    """Mean strength of edges at places of the flattened image."""
    return float(edges.ravel()[places].mean())


def _grid(edges: NDArray[np.float32], points: NDArray[np.int64]) -> NDArray[np.float64]:
    """[7, 7] mean strength under an outline moved down and to the right."""
    most = max(SHIFTS)
    wide = cv2.copyMakeBorder(edges, most, most, most, most, cv2.BORDER_REPLICATE)
    width = wide.shape[1]
    moves = np.add.outer(np.multiply(SHIFTS, width), SHIFTS).reshape(-1, 1)
    places = _under(wide.shape, points + most) + moves
    means = wide.ravel()[places].mean(axis=1)
    return np.asarray(means.reshape(len(SHIFTS), -1), dtype=np.float64)


def _in_time(scores: NDArray[np.float64]) -> tuple[float, ErrorKind, str] | None:
    scores = scores[~np.isnan(scores).any(axis=1)]
    if len(scores) < _FEWEST:
        return None
    found = _better(scores, MOST_LAG)
    if found is None:
        return None
    best, gain = found
    lag = best - MOST_LAG
    side = "later" if lag > 0 else "earlier"
    words = (
        f"edges are {gain:.2f} times as strong in the images {abs(lag)} frame(s) {side}"
    )
    return gain, ErrorKind.SHIFTED_IN_TIME, words


def _better(scores: NDArray[np.float64], own: int) -> tuple[int, float] | None:
    """The column [T, n] that beats the own one clearly, and how many times.

    A gain must be many standard errors above zero; those of neighbouring frames are
    alike, so only every fourth counts as an observation.
    """
    means = scores.mean(axis=0)
    best = int(means.argmax())
    if best == own:
        return None
    gain = float(means[best] / max(means[own], 1e-6))
    difference = scores[:, best] - scores[:, own]
    error = difference.std() / np.sqrt(max(1.0, len(difference) / 4)) + 1e-6
    if gain < GAIN or difference.mean() / error < SIGMAS:
        return None
    return best, gain

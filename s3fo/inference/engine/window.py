"""The part of a frame that the network sees: all of it, or a window round an object.

Most of what a small network loses lies within a few pixels of an object's outline. A
window round the object, enlarged to as many pixels as the whole frame would have,
costs the same and shows the outline larger.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from s3fo.inference.engine.frames import STRIDE, Size, resize

CELL = 16
"""Side in pixels of the squares that tokens stand for. Windows move by whole ones."""

_ROOM = 1.2
"""Pixels that the network may see, in multiples of those of the whole frame."""

_ROUND = 2.2
"""Side of the scene round an object, in multiples of the object's..."""

_LEAST_SCENE = 0.35
"""...and at least this share of the frame's side."""

_EDGE = 1.35
"""Side that a window has at least, in multiples of the object's."""

_WORTH = 1.08
"""Enlargement below which a window is not worth it."""

_STAY = 0.12
"""Share of a window's side by which an object may leave its middle."""

SMALLEST = 128
"""Short side in pixels of frames below which no windows are cut from them."""


class Box(NamedTuple):
    """Rows top..bottom and columns left..right of an object, in pixels of the frame."""

    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def of(cls, mask: np.ndarray) -> Box:
        """The smallest box round a mask [H, W] bool that is not empty."""
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        ends = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        return cls(*(int(end) for end in ends))

    @property
    def size(self) -> Size:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left

    @property
    def middle(self) -> tuple[float, float]:
        """Row and column."""
        return (self.top + self.bottom) / 2, (self.left + self.right) / 2


class Window(NamedTuple):
    """What the network sees of a frame.

    Attributes:
        zoom: factor by which the frame is resized.
        top: first row, of the resized frame; a multiple of `CELL`.
        left: first column, likewise.
        height: rows, a multiple of `STRIDE`; zeros beyond the frame.
        width: columns, likewise.
    """

    zoom: float
    top: int
    left: int
    height: int
    width: int

    def cut(self, maps: Tensor, mode: str = "bilinear") -> Tensor:
        """Cut [C, H, W] out of maps of whole frames, resized by `mode`."""
        size = self._resized(maps.shape)
        if size != tuple(maps.shape[1:]):
            if mode == "nearest-exact":
                maps = F.interpolate(maps[None], size, mode=mode)[0]
            else:
                maps = _resize_smoothly(maps, size)
        part = maps[:, self.top : self.top + self.height]
        part = part[..., self.left : self.left + self.width]
        missing = self.width - part.shape[2], self.height - part.shape[1]
        return F.pad(part, (0, missing[0], 0, missing[1]))

    def put_back(self, probabilities: Tensor, shape: Size) -> Tensor:
        """Probabilities [K + 1, h, w] of the window as [K + 1, H, W] of the frame.

        All that the window does not show is background.
        """
        height, width = self._resized((len(probabilities), *shape))
        whole = probabilities.new_zeros(len(probabilities), height, width)
        whole[0] = 1
        rows = slice(self.top, min(self.top + self.height, height))
        columns = slice(self.left, min(self.left + self.width, width))
        shown = probabilities[:, : rows.stop - rows.start]
        whole[:, rows, columns] = shown[..., : columns.stop - columns.start]
        return resize(whole, shape)

    def cells_in(self, other: Window) -> Tensor:
        """Where this window's cells lie in another, [1, h, w, 2] in -1..1 (x, y)."""
        rows = self._cell_middles(self.height, self.top, other.zoom) - other.top
        columns = self._cell_middles(self.width, self.left, other.zoom) - other.left
        y, x = 2 * rows / other.height - 1, 2 * columns / other.width - 1
        grid = torch.meshgrid(y, x, indexing="ij")
        return torch.stack(grid[::-1], dim=-1)[None]

    def _cell_middles(self, side: int, start: int, zoom: float) -> Tensor:
        """Of the cells along a side, in pixels of the frame resized by another zoom."""
        middles = (torch.arange(side // CELL) + 0.5) * CELL + start
        return middles * (zoom / self.zoom)

    def _resized(self, shape: tuple[int, ...]) -> Size:
        return round(shape[1] * self.zoom), round(shape[2] * self.zoom)


class WindowChooser:
    """Chooses windows for one object, frame by frame.

    Args:
        shape: height and width of the frames.
        zoom: factor by which whole frames are resized for the network.
        most: largest factor by which a window is enlarged beyond that.
        mask: [H, W] bool, the object in its first frame.
    """

    def __init__(self, shape: Size, zoom: float, most: float, mask: np.ndarray) -> None:
        self._shape = shape
        usual = whole_frame(shape, zoom)
        pixels = _ROOM * usual.height * usual.width
        self.whole = _largest_whole_frame(shape, zoom, pixels)
        self._size, self._most = _window_size(
            shape, Box.of(mask).size, pixels, most * zoom
        )
        self.zooms = self._most > _WORTH * self.whole.zoom and most > 1
        self._zoom = self._most
        self._middle: tuple[float, float] | None = None
        self._last: Window | None = None

    def next(self, mask: np.ndarray | None, *, whole: bool = False) -> Window:
        """The window for the next frame.

        Args:
            mask: [H, W] bool, the object in the frame before; None if it is not
                found, or not surely.
            whole: show the whole frame in any case.
        """
        if mask is None or not self.zooms:
            self._middle = self._last = None
            return self.whole
        self._last = self._round(Box.of(mask))
        return self.whole if whole else self._last

    def _round(self, box: Box) -> Window:
        """A window round where the object will be, if it goes on as it went."""
        row, column = box.middle
        before = self._middle or box.middle
        self._middle = box.middle
        ahead = row - before[0], column - before[1]
        needed = [
            min(whole, _EDGE * side + 2 * abs(step))
            for whole, side, step in zip(self._shape, box.size, ahead, strict=True)
        ]
        fits = min(n / side for n, side in zip(self._size, needed, strict=True))
        if self._zoom > fits:
            self._zoom = fits / 1.15
        elif self._zoom < fits / 1.6:
            self._zoom = min(self._most, fits / 1.2)
        if self._zoom < _WORTH * self.whole.zoom:
            return self.whole
        middle = row + ahead[0], column + ahead[1]
        top, left = (
            _start(at * self._zoom, side, round(whole * self._zoom))
            for at, side, whole in zip(middle, self._size, self._shape, strict=True)
        )
        window = Window(self._zoom, top, left, *self._size)
        return self._last if self._last and _close(self._last, window) else window


def whole_frame(shape: Size, zoom: float) -> Window:
    """The window that shows a whole frame."""
    height, width = (_round_up(side * zoom) for side in shape)
    return Window(zoom, 0, 0, height, width)


def _resize_smoothly(maps: Tensor, size: Size) -> Tensor:
    """Resize [C, H, W] bilinearly, with antialiasing where it shrinks."""
    shrinks = size[0] < maps.shape[1]
    return F.interpolate(
        maps[None], size, mode="bilinear", align_corners=False, antialias=shrinks
    )[0]


def _largest_whole_frame(shape: Size, zoom: float, pixels: float) -> Window:
    """A whole frame of at most so many pixels."""
    largest = whole_frame(shape, zoom)
    for percent in range(101, 126):
        window = whole_frame(shape, zoom * percent / 100)
        if window.height * window.width <= pixels:
            largest = window
    return largest


def _window_size(
    shape: Size, box: Size, pixels: float, most: float
) -> tuple[Size, float]:
    """Height and width of the windows for an object, and their zoom at first."""
    scene = [
        min(whole, max(_ROUND * side, _LEAST_SCENE * whole))
        for whole, side in zip(shape, box, strict=True)
    ]
    zoom = min(math.sqrt(pixels / (scene[0] * scene[1])), most)
    limits = [_round_up(whole * zoom) for whole in shape]
    size = [min(n, _round_up(s * zoom)) for n, s in zip(limits, scene, strict=True)]
    while size[0] * size[1] > pixels:
        size[int(size[0] * scene[1] <= size[1] * scene[0])] -= STRIDE
    while True:
        wider = [
            axis
            for axis in (0, 1)
            if size[axis] < limits[axis]
            and (size[axis] + STRIDE) * size[1 - axis] <= pixels
        ]
        if not wider:
            return (size[0], size[1]), zoom
        size[min(wider, key=lambda axis: size[axis] / scene[axis])] += STRIDE


def _start(middle: float, side: int, whole: int) -> int:
    """Where a window begins that shows `middle` in its middle, in whole cells."""
    start = min(max(0.0, middle - side / 2), max(0, whole - side))
    return round(start / CELL) * CELL


def _close(one: Window, other: Window) -> bool:
    """Whether a window would hardly move."""
    return (
        (one.zoom, one.height, one.width) == (other.zoom, other.height, other.width)
        and abs(one.top - other.top) < _STAY * one.height
        and abs(one.left - other.left) < _STAY * one.width
    )


def _round_up(side: float) -> int:
    """A side, up to a multiple of the network's stride."""
    return math.ceil(round(side) / STRIDE) * STRIDE

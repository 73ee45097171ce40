"""What objects look like: descriptors, similarity.

A descriptor is a unit vector per region, and similarity is the cosine of two of
them. The one built in is made of colour and texture histograms and needs no model;
a deep one plugs in as a `FeatureExtractor`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.attributes.regions import Box, Region, union

Descriptors = NDArray[np.float32]
"""[n, d], rows of length 1 (or 0 where a region has nothing to describe)."""

_AB_BINS = 16
_AB_LOW, _AB_STEP = 80, 6
_L_BINS = 16
_TEXTURE_BINS = 10
_TEXTURE_CONTRAST = 4
_SMOOTHING = (0.75, 3.0)
"""In bins. The narrow one tells like colours apart, the wide one orders unlike ones."""
_WEIGHTS = (0.25, 0.25, 0.15, 0.15, 0.2)
"""Of colour narrow and wide, lightness narrow and wide, texture."""
_LENGTHS = (_AB_BINS**2, _AB_BINS**2, _L_BINS, _L_BINS, _TEXTURE_BINS)


class FeatureExtractor(Protocol):
    """Turns regions of an image into descriptors whose cosine is their similarity.

    Attributes:
        name: told beside every similarity, for values of two extractors do not
            compare.
        side: length in pixels to which the shorter image side is reduced.
    """

    name: str
    side: int

    def __call__(
        self, image: NDArray[np.uint8], regions: Sequence[Region]
    ) -> Descriptors:
        """Describe each region of an [H, W, 3] RGB image: [len(regions), d]."""
        ...


class ColourTexture:
    """Colour and texture histograms: cosine = mean of Bhattacharyya coefficients.

    Histograms, each normalised and square-rooted: CIELAB a x b (16 x 16 bins over
    -48..48) and L (16 bins), both with a narrow and a wide smoothing, and
    rotation-invariant local binary patterns of the eight neighbours. Smoothing lets
    similarity fall gradually with colour distance instead of dropping to 0 between
    adjacent bins.
    """

    name = "colour and texture"
    side = 160

    def __call__(
        self, image: NDArray[np.uint8], regions: Sequence[Region]
    ) -> Descriptors:
        """Describe each region of an [H, W, 3] RGB image: [len(regions), 554]."""
        if not regions:
            return np.zeros((0, sum(_LENGTHS)), dtype=np.float32)
        lab = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), dtype=np.uint8)
        codes = _codes(lab)
        pixels = [_inside(codes, region) for region in regions]
        owner = np.repeat(np.arange(len(regions)), [len(part) for part in pixels])
        return _descriptors(np.concatenate(pixels), owner, len(regions))


def local_binary_patterns(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rotation-invariant uniform local binary patterns (Ojala et al. 2002), P=8, R=1.

    A neighbour counts as brighter only by a margin, so that flat areas are flat.

    Args:
        grey: [H, W] uint8.

    Returns:
        [H, W] in 0..9: the number of brighter neighbours where they form one arc,
        9 where they do not.
    """
    height, width = grey.shape
    padded = np.pad(grey, 1, mode="edge")
    limit = grey.astype(np.int16) + _TEXTURE_CONTRAST
    code = np.zeros_like(grey)
    ring = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
    for bit, (row, column) in enumerate(ring):
        brighter = padded[row : row + height, column : column + width] > limit
        code |= brighter.view(np.uint8) << np.uint8(bit)
    return _uniform_pattern_table()[code]


def background_cells(shape: tuple[int, int], objects: Sequence[Region]) -> list[Region]:
    """Square patches of a frame without annotated objects.

    Args:
        shape: (height, width) of the frame.
        objects: all annotated objects of the frame.

    Returns:
        Cells of about a sixth of the shorter side with less than a tenth of their
        pixels on an object.
    """
    height, width = shape
    side = max(4, round(min(shape) / 6))
    taken = union(objects, Box(0, 0, height, width))
    rows, columns = height // side, width // side
    covered = taken[: rows * side, : columns * side]
    covered = covered.reshape(rows, side, columns, side).sum(axis=(1, 3))
    whole = np.ones((side, side), dtype=bool)
    return [
        Region(
            Box(row * side, column * side, (row + 1) * side, (column + 1) * side), whole
        )
        for row, column in np.argwhere(covered < 0.1 * side**2).tolist()
    ]


def eroded(region: Region) -> Region:
    """The region without its contour, where colours mix; itself if that is thin."""
    padded = np.pad(region.mask, 1).astype(np.uint8)
    core = cv2.erode(padded, np.ones((3, 3), np.uint8))[1:-1, 1:-1] > 0
    return Region(region.box, core) if 2 * core.sum() > region.area else region


def _codes(lab: NDArray[np.uint8]) -> NDArray[np.integer]:
    """Colour (8 bits), lightness (4) and texture bin (4) of each pixel, [H, W]."""
    table = ((np.arange(256) - _AB_LOW) // _AB_STEP).clip(0, _AB_BINS - 1)
    a, b = (table.astype(np.uint16)[lab[..., channel]] for channel in (1, 2))
    grey = np.ascontiguousarray(lab[..., 0])
    return (a << 12) | (b << 8) | (grey & 0xF0) | local_binary_patterns(grey)


def _inside(codes: NDArray[np.integer], region: Region) -> NDArray[np.integer]:
    box = region.box
    return codes[box.top : box.bottom, box.left : box.right][region.mask]


def _descriptors(
    codes: NDArray[np.integer], owner: NDArray[np.int64], n: int
) -> Descriptors:
    """Descriptors [n, d] of regions from the codes of all their pixels.

    Args:
        codes: [pixels] from `_codes`.
        owner: [pixels] index of the region each belongs to.
        n: number of regions.
    """

    def counts(bins: NDArray[np.integer], length: int) -> NDArray[np.float64]:
        flat = np.bincount(owner * length + bins, minlength=n * length)
        return flat.reshape(n, length).astype(np.float64)

    colour = counts(codes >> 8, _AB_BINS**2).reshape(n, _AB_BINS, _AB_BINS)
    lightness = counts((codes >> 4) & 15, _L_BINS)
    parts = [
        np.matmul(np.matmul(_blur(_AB_BINS, sigma), colour), _blur(_AB_BINS, sigma))
        for sigma in _SMOOTHING
    ]
    parts = [part.reshape(n, -1) for part in parts]
    parts += [lightness @ _blur(_L_BINS, sigma) for sigma in _SMOOTHING]
    parts.append(counts(codes & 15, _TEXTURE_BINS))
    return np.hstack(
        [
            np.sqrt(weight * part / np.maximum(part.sum(axis=1, keepdims=True), 1e-12))
            for weight, part in zip(_WEIGHTS, parts, strict=True)
        ]
    ).astype(np.float32)


@lru_cache(maxsize=4)
def _blur(bins: int, sigma: float) -> NDArray[np.float64]:
    """Gaussian smoothing over bins as a symmetric matrix [bins, bins]."""
    index = np.arange(bins)
    return np.exp(-((index[:, None] - index) ** 2) / (2 * sigma**2))


@lru_cache(maxsize=1)
def _uniform_pattern_table() -> NDArray[np.uint8]:
    codes = np.arange(256, dtype=np.uint8)
    bits = np.unpackbits(codes[:, None], axis=1)
    changes = (bits != np.roll(bits, 1, axis=1)).sum(axis=1)
    return np.where(changes <= 2, bits.sum(axis=1), 9).astype(np.uint8)

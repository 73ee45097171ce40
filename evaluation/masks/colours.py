"""Object ids from the colours of an image: palettes, colour channels, alpha.

Benchmarks write ids as palette indices and show them in the colours of DAVIS. Tools
that do not know this keep the colours and lose the indices: they write RGB images, or
palettes in an order of their own. The functions here are pure; what holds for a whole
video is decided in :mod:`evaluation.masks.decoder`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.integer[Any]]
"""[H, W] object ids, 0 = background."""

Pixel = TypeVar("Pixel", bound=np.generic)


@lru_cache(maxsize=1)
def davis_palette() -> NDArray[np.uint8]:
    """Colours of the object ids in DAVIS files, the Pascal VOC colour map.

    Id 1 is dark red, 2 dark green, 3 olive, ... The bits of an id, lowest first,
    go in turn to red, green and blue, highest colour bit first.

    Returns:
        [256, 3] uint8, read-only.
    """
    ids = np.arange(256)
    palette = np.zeros((256, 3), dtype=np.uint8)
    for bit in range(8):
        for channel in range(3):
            palette[:, channel] |= (
                ((ids >> (3 * bit + channel)) & 1) << (7 - bit)
            ).astype(np.uint8)
    palette.setflags(write=False)
    return palette


DAVIS_BYTES = davis_palette().tobytes()
"""The palette as PNG files hold it."""


def exchange_red_and_blue(ids: Ids) -> Ids:
    """The ids that the same colours have when red and blue are exchanged.

    >>> exchange_red_and_blue(np.array([0, 1, 2, 3, 4])).tolist()
    [0, 4, 2, 6, 1]
    """
    table = ids_of_colours(davis_palette()[:, ::-1])
    exchanged: Ids = table[ids].astype(ids.dtype)
    return exchanged


def ids_of_colours(colours: NDArray[np.uint8]) -> NDArray[np.int16]:
    """The ids that DAVIS's colours stand for.

    Args:
        colours: [..., 3] uint8 RGB.

    Returns:
        [...] int16; -1 where no id has the colour. 191 is taken for the 192 that some
        tools round it down from.
    """
    wide = colours.astype(np.int32)
    wide[wide == 191] = 192
    weights = np.array([65536, 256, 1])
    codes = wide @ weights
    known = davis_palette().astype(np.int64) @ weights
    order = np.argsort(known)
    nearest = order[np.searchsorted(known[order], codes).clip(max=255)]
    found: NDArray[np.int16] = np.where(known[nearest] == codes, nearest, -1).astype(
        np.int16
    )
    return found


@dataclass(frozen=True)
class PaletteOrder:
    """What the indices of a palette are.

    Attributes:
        by_colour: whether DAVIS's colours stand in an order of their own, so that
            colours tell the ids; None where that is open: of a few colours, seen in
            one file, indices may be meant as well.
        ids: [256] int16 id by colour of each index, -1 for colours that no id has.
    """

    by_colour: bool | None
    ids: NDArray[np.int16]


@lru_cache(maxsize=256)
def palette_order(palette: bytes) -> PaletteOrder:
    """Tell whether the colours or the indices of a palette are the ids.

    Indices are, as usual: with the palette of DAVIS (also with red and blue exchanged),
    with shades of grey, and with colours that are not those of DAVIS.

    Args:
        palette: RGB of each index, one after the other.
    """
    colours = np.frombuffer(palette[: len(palette) // 3 * 3], np.uint8).reshape(-1, 3)
    ids = np.full(256, -1, np.int16)
    ids[: len(colours)] = ids_of_colours(colours)[:256]
    places = np.flatnonzero(ids > 0)
    own = ids[places]
    coloured = len({tuple(c) for c in colours.tolist()} - {(0, 0, 0)})
    if np.array_equal(own, places) or 2 * len(set(own.tolist())) < coloured:
        return PaletteOrder(False, ids)
    background_first = bool(ids[0] == 0)
    grey = bool((colours[places] == colours[places][:, :1]).all()) and background_first
    if grey or np.array_equal(exchange_red_and_blue(own), places):
        return PaletteOrder(None if len(places) < 4 else False, ids)
    return PaletteOrder(True, ids)


def ids_by_colour(indices: Ids, order: PaletteOrder) -> Ids:
    """The ids that the colours of an image with a palette stand for.

    Args:
        indices: [H, W] uint8.
        order: of its palette.

    Raises:
        ValueError: it uses a colour that no id has; the index of that colour.
    """
    used = np.flatnonzero(np.bincount(indices.ravel(), minlength=256))
    foreign = used[order.ids[used] < 0]
    if len(foreign):
        raise ValueError(int(foreign[0]))
    by_colour: Ids = order.ids[indices].astype(np.uint8)
    return by_colour


def palette_of(data: bytes) -> bytes | None:
    """The palette of a PNG, from the bytes of its file; None if it has none.

    Looks at the chunks before the pixels only.
    """
    start = 8
    while start + 8 <= len(data):
        length = int.from_bytes(data[start : start + 4], "big")
        kind = data[start + 4 : start + 8]
        if kind == b"PLTE":
            return data[start + 8 : start + 8 + length]
        if kind in (b"IDAT", b"IEND"):
            return None
        start += 12 + length
    return None


def visible_colours(
    pixels: NDArray[np.uint8],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """Colours with transparent pixels black, and the alpha channel if it says anything.

    Args:
        pixels: [H, W, 2..4]: grey or RGB, perhaps with alpha last.

    Returns:
        [H, W, 3] uint8, and [H, W] uint8 alpha; None where it is the same everywhere.
    """
    if pixels.shape[2] == 3:
        return pixels, None
    colours = np.repeat(pixels[..., :1], 3, 2) if pixels.shape[2] == 2 else pixels
    colours, alpha = colours[..., :3], pixels[..., -1]
    if not alpha.size or alpha.min() == alpha.max():
        return colours, None
    return np.where(alpha[..., None] >= 128, colours, np.uint8(0)), alpha


def is_grey(colours: NDArray[np.generic]) -> bool:
    """Whether the channels of [H, W, C] colours are equal."""
    return bool((colours == colours[..., :1]).all())


def join_equal_channels(values: NDArray[Pixel]) -> NDArray[Pixel]:
    """One channel of [H, W, C] values where all are equal, so none of them says more.

    Args:
        values: of any shape.

    Returns:
        [H, W]; the values as they are where channels differ, or there are none.

    >>> join_equal_channels(np.full((2, 4, 3), 7)).shape
    (2, 4)
    """
    if values.ndim != 3 or not values.shape[2] or not is_grey(values):
        return values
    return values[..., 0]

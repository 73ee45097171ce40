"""The short way to the pixels of a plain PNG.

Masks are nearly always 8-bit grey or palette PNGs without interlacing, and of them
only the pixel values are wanted. For those this module does just the necessary: check
the chunks, inflate the pixels in one go, undo the row filters. Everything else, and
whatever has the slightest flaw, is left to Pillow.

Source of the format: Portable Network Graphics Specification, W3C, 2003.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

_inflater: Any = zlib
with contextlib.suppress(ImportError):
    # Many times as fast as zlib on the long runs that masks consist of.
    from zlib_ng import zlib_ng as _inflater

_START = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_GREY, _PALETTE = 0, 3
_LARGEST = 80_000_000
"""Pixels; Pillow warns of larger images."""


def decode_png_indices(data: bytes) -> NDArray[np.uint8] | None:
    """Decode a plain PNG: 8 bits, grey or palette, not interlaced, without a flaw.

    Args:
        data: the whole file.

    Returns:
        [H, W] palette indices or grey values, the same as Pillow gives; read-only,
        with a gap of one byte between rows. None if the file is not so plain, or has
        row filters and the compiled kernels are not in use.
    """
    size = _plain_size(data)
    if size is None:
        return None
    width, height = size
    pixels = _inflate(_pixel_data(data), height * (width + 1))
    if pixels is None:
        return None
    rows = np.frombuffer(pixels, np.uint8).reshape(height, width + 1)
    if rows[:, 0].any():
        return _unfilter(rows)
    return rows[:, 1:]


def _plain_size(data: bytes) -> tuple[int, int] | None:
    """(W, H) if the header announces a plain PNG."""
    if not data.startswith(_START) or len(data) < 33:
        return None
    width, height, *form = struct.unpack_from(">IIBBBBB", data, 16)
    plain = form in ([8, _GREY, 0, 0, 0], [8, _PALETTE, 0, 0, 0])
    return (width, height) if plain and 0 < width * height <= _LARGEST else None


def _pixel_data(data: bytes) -> bytes | None:
    """The compressed pixels, if the chunks are the usual ones and intact.

    That is: header, palette if the colour type wants one, perhaps transparency, pixel
    data, end, all with the right checksum.
    """
    order, pixels = b"", b""
    for kind, content in _chunks(data):
        pixels += content if kind == b"IDAT" else b""
        if kind == b"PLTE" and not (0 < len(content) <= 768 and len(content) % 3 == 0):
            return None
        order += kind if kind != b"IDAT" or not order.endswith(b"IDAT") else b""
    return pixels if order in _USUAL[data[25]] else None


_USUAL = {
    _GREY: {b"IHDRIDATIEND"},
    _PALETTE: {b"IHDRPLTEIDATIEND", b"IHDRPLTEtRNSIDATIEND"},
}


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of the chunks up to the end, or to the first damaged one."""
    start, kind = 8, b""
    while kind != b"IEND" and start + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, start)
        end = start + 8 + length
        checked = data[start + 4 : end]
        kind = checked[:4]
        if data[end : end + 4] != struct.pack(">I", zlib.crc32(checked)):
            return
        yield kind, checked[4:]
        start = end + 4


def _inflate(compressed: bytes | None, size: int) -> bytes | None:
    if compressed is None:
        return None
    try:
        pixels = _inflater.decompress(compressed, 15, size + 1)
    except _inflater.error:
        return None
    return pixels if len(pixels) == size else None


def _unfilter(rows: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Undo the row filters of [H, 1 + W] bytes, each row led by its filter type."""
    from evaluation.counting.kernels import are_compiled
    from evaluation.counting.kernels.native import function

    if not are_compiled():
        return None  # Pillow is much faster than numpy would be
    height, width = rows.shape[0], rows.shape[1] - 1
    pixels, zeros = rows.copy(), np.zeros(width, np.uint8)
    valid = function("unfilter")(pixels.ctypes.data, height, width, zeros.ctypes.data)
    return pixels[:, 1:] if valid else None

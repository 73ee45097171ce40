"""The short way to the pixels of a plain PNG.

Masks are nearly always 8-bit grey or palette PNGs without interlacing, and of them
only the pixel values are wanted. For those this module does just the necessary: check
the chunks, inflate the pixels in one go, undo the row filters. Everything else, and
whatever has the slightest flaw, is left to Pillow.

Source of the format: Portable Network Graphics Specification, W3C, 2003.
"""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation._utils.input_files import refuse_special
from evaluation._utils.native import library
from evaluation.errors import InputError

_inflater: Any = zlib
with contextlib.suppress(ImportError):
    # Many times as fast as zlib on the long runs that masks consist of.
    from zlib_ng import zlib_ng as _inflater

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_START = PNG_SIGNATURE + b"\0\0\0\rIHDR"
_END = b"IEND\xaeB`\x82"
_GREY, _PALETTE = 0, 3
_LARGEST = 80_000_000
"""Pixels that the short way decodes; Pillow warns of larger images."""

MAX_PIXELS = 1 << 27
"""Pixels of the largest image that is decoded at all: about 16,000 x 8,000, four times
a frame of 8K video. A few bytes can declare any size, and would take all memory."""

_COLOUR_TYPES = {
    0: "grey",
    2: "RGB colour",
    3: "indexed",
    4: "grey with alpha",
    6: "RGB colour with alpha",
}
"""Of the PNG specification, W3C 2003, section 11.2.2."""


@dataclass(frozen=True)
class PngHeader:
    """What the header of a PNG says.

    Attributes:
        width: pixels.
        height: pixels.
        bits: per sample, 1, 2, 4, 8 or 16.
        colour_type: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha.
        interlaced: whether the pixels come in passes.
    """

    width: int
    height: int
    bits: int
    colour_type: int
    interlaced: bool

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.height, self.width

    @property
    def is_indexed(self) -> bool:
        """Whether pixels are indices into a palette; these have at most 8 bits."""
        return self.colour_type == _PALETTE

    @property
    def kind(self) -> str:
        """``"indexed"``, or words such as ``"16-bit grey"``."""
        if self.is_indexed:
            return "indexed"
        return (
            f"{self.bits}-bit {_COLOUR_TYPES.get(self.colour_type, 'unknown colour')}"
        )


def parse_header(data: bytes) -> PngHeader | None:
    """Read the header from the first 33 bytes of a file; None if it is no PNG's.

    >>> parse_header(b"no PNG") is None
    True
    """
    if not data.startswith(_START) or len(data) < 33:
        return None
    width, height, bits, colour_type, _, _, passes = struct.unpack_from(
        ">IIBBBBB", data, 16
    )
    return PngHeader(width, height, bits, colour_type, bool(passes))


def read_header(path: str | os.PathLike[str]) -> PngHeader:
    """Read the header of a PNG file.

    Raises:
        InputError: there is no such file, it cannot be read, or is something else.
    """
    try:
        refuse_special(path)
        with open(path, "rb") as file:
            header = parse_header(file.read(33))
    except OSError as error:
        raise InputError(
            path, str(error.strerror), "a PNG file", "Write or copy this file again."
        ) from error
    if header is None:
        raise InputError(
            path, "something else than a PNG", "a PNG file", "Write this file as a PNG."
        )
    return header


def check_size(data: bytes, path: str | os.PathLike[str]) -> None:
    """Refuse a PNG that declares no pixels or too many, before memory is taken.

    Raises:
        InputError: its size is 0 or beyond `MAX_PIXELS`.
    """
    header = parse_header(data)
    if header is not None and not 0 < header.width * header.height <= MAX_PIXELS:
        raise InputError(
            path,
            f"a PNG of {header.width} x {header.height} pixels",
            f"at least 1 and at most {MAX_PIXELS:,} pixels, as large as the frame",
            "Write this mask again in the size of the frame.",
        )


def is_complete(data: bytes) -> bool:
    """Whether the bytes of a PNG reach to its end."""
    return _END in data


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of the chunks of a PNG; checksums are not looked at."""
    start = len(PNG_SIGNATURE)
    while data.startswith(PNG_SIGNATURE) and start + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, start)
        yield data[start + 4 : start + 8], data[start + 8 : start + 8 + length]
        start += 12 + length


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
    header = parse_header(data)
    if header is None or data[26:29] != b"\0\0\0":
        return None
    plain = header.bits == 8 and header.colour_type in (_GREY, _PALETTE)
    few = 0 < header.width * header.height <= _LARGEST
    return (header.width, header.height) if plain and few else None


def _pixel_data(data: bytes) -> bytes | None:
    """The compressed pixels, if the chunks are the usual ones and intact.

    That is: header, palette if the colour type wants one, perhaps transparency, pixel
    data, end, all with the right checksum.
    """
    order, pixels = b"", b""
    for kind, content in _intact_chunks(data):
        pixels += content if kind == b"IDAT" else b""
        if kind == b"PLTE" and not (0 < len(content) <= 768 and len(content) % 3 == 0):
            return None
        order += kind if kind != b"IDAT" or not order.endswith(b"IDAT") else b""
    return pixels if order in _USUAL[data[25]] else None


_USUAL = {
    _GREY: {b"IHDRIDATIEND"},
    _PALETTE: {b"IHDRPLTEIDATIEND", b"IHDRPLTEtRNSIDATIEND"},
}


def _intact_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
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


_HIGHEST_RATIO = 1032
"""Bytes that one compressed byte can become at most."""

_HARMLESS = 64 << 20
"""Bytes that may be inflated before anybody asks what they are."""


def _inflate(compressed: bytes | None, size: int) -> bytes | None:
    """The `size` bytes of a complete stream; None if it is damaged or holds more."""
    if compressed is None:
        return None
    if len(compressed) * _HIGHEST_RATIO > max(_HARMLESS, 4 * size):
        return _inflate_no_more(compressed, size)
    try:
        pixels = _inflater.decompress(compressed, 15, size + 1)
    except _inflater.error:
        return None
    return pixels if len(pixels) == size else None


def _inflate_no_more(compressed: bytes, size: int) -> bytes | None:
    """The same, in bounded memory: a small file may hold gigabytes."""
    stream = _inflater.decompressobj(15)
    try:
        pixels: bytes = stream.decompress(compressed, size + 1)
        rest = stream.decompress(stream.unconsumed_tail, 1)
    except _inflater.error:
        return None
    return pixels if len(pixels) == size and stream.eof and not rest else None


def _unfilter(rows: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Undo the row filters of [H, 1 + W] bytes, each row led by its filter type."""
    unfilter = library().functions.get("unfilter")
    if unfilter is None:
        return None  # Pillow is much faster than numpy would be
    height, width = rows.shape[0], rows.shape[1] - 1
    pixels, zeros = rows.copy(), np.zeros(width, np.uint8)
    valid = unfilter(pixels.ctypes.data, height, width, zeros.ctypes.data)
    return pixels[:, 1:] if valid else None

"""The short way to PNG pixels against Pillow, on files good and bad."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from evaluation.counting.kernels import are_compiled
from evaluation.masks.png import decode_png_indices

SIZES = [(1, 1), (1, 7), (5, 1), (3, 64), (9, 65), (40, 53)]
FILTERS = range(5)


def chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return (
        struct.pack(">I", len(content))
        + checked
        + struct.pack(">I", zlib.crc32(checked))
    )


def header(shape: tuple[int, int], *form: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", shape[1], shape[0], *form))


def png(*chunks: bytes) -> bytes:
    return b"".join([b"\x89PNG\r\n\x1a\n", *chunks, chunk(b"IEND", b"")])


def filtered(pixels: NDArray[np.uint8], kinds: NDArray[np.uint8]) -> bytes:
    """Apply PNG row filters, pixel by pixel as the specification says."""
    height, width = pixels.shape
    padded = np.zeros((height + 1, width + 1), np.int64)
    padded[1:, 1:] = pixels
    here, left = padded[1:, 1:], padded[1:, :-1]
    up, corner = padded[:-1, 1:], padded[:-1, :-1]
    guess = left + up - corner
    distances = np.stack([abs(guess - left), abs(guess - up), abs(guess - corner)])
    paeth = np.choose(distances.argmin(0), [left, up, corner])
    predictors = np.stack([0 * here, left, up, (left + up) // 2, paeth])
    chosen = predictors[kinds, np.arange(height)]
    rows = ((here - chosen) % 256).astype(np.uint8)
    return np.concatenate([kinds[:, None], rows], axis=1).tobytes()


def palette_png(
    pixels: NDArray[np.uint8], kinds: NDArray[np.uint8], colours: int = 256
) -> bytes:
    return png(
        header(pixels.shape, 8, 3, 0, 0, 0),
        chunk(b"PLTE", bytes(3 * colours)),
        chunk(b"IDAT", zlib.compress(filtered(pixels, kinds))),
    )


def pillow(data: bytes) -> NDArray[Any] | None:
    """What Pillow reads, None if it refuses."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return np.array(image)
    except (OSError, SyntaxError, ValueError):
        return None


def agrees(data: bytes) -> bool:
    """Whether the short way, if taken, leads where Pillow does."""
    short, long = decode_png_indices(data), pillow(data)
    return short is None or (long is not None and np.array_equal(short, long))


def noise(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.uint8]:
    return rng.integers(0, 256, shape, dtype=np.uint8)


def decode(data: bytes, filters: bool) -> Any:
    """What the short way reads; row filters without compiled kernels are Pillow's."""
    pixels = decode_png_indices(data)
    if pixels is None and filters and not are_compiled():
        return pillow(data)
    return pixels


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("kind", FILTERS)
def test_every_filter_type(shape: tuple[int, int], kind: int) -> None:
    pixels = noise(np.random.default_rng(kind), shape)
    data = palette_png(pixels, np.full(shape[0], kind, np.uint8))
    assert np.array_equal(pillow(data), pixels)  # the test's own encoder is right
    assert np.array_equal(decode(data, kind > 0), pixels)


@given(seed=st.integers(0, 2**32), height=st.integers(1, 30), width=st.integers(1, 90))
@settings(max_examples=100, deadline=None)
def test_mixed_filters(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    # Few values and smooth rows, so that the Paeth predictor meets ties.
    pixels = noise(rng, (height, width)) % rng.choice([2, 5, 256])
    data = palette_png(pixels, rng.integers(0, 5, height).astype(np.uint8))
    assert np.array_equal(decode(data, filters=True), pixels)


@pytest.mark.parametrize("mode", ["P", "L"])
@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"compress_level": 0}])
def test_what_pillow_writes_is_plain(mode: str, options: dict[str, Any]) -> None:
    pixels = noise(np.random.default_rng(1), (37, 70))
    image = Image.fromarray(pixels)
    if mode == "P":
        image.putpalette(bytes(range(256)) * 3)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    assert np.array_equal(decode(buffer.getvalue(), filters=True), pixels)


def test_pixel_data_in_many_chunks() -> None:
    pixels = noise(np.random.default_rng(2), (20, 33))
    compressed = zlib.compress(filtered(pixels, np.zeros(20, np.uint8)))
    parts = [compressed[i : i + 7] for i in range(0, len(compressed), 7)]
    chunks = [chunk(b"IDAT", part) for part in [b"", *parts, b""]]
    data = png(header((20, 33), 8, 0, 0, 0, 0), *chunks)
    assert np.array_equal(decode_png_indices(data), pixels)


@pytest.mark.parametrize("colours", [1, 2, 3, 16, 255, 256])
def test_palette_smaller_than_the_indices(colours: int) -> None:
    pixels = noise(np.random.default_rng(3), (8, 9))
    data = palette_png(pixels, np.zeros(8, np.uint8), colours)
    assert np.array_equal(decode_png_indices(data), pixels)
    assert agrees(data)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("colour_type", [0, 2, 3, 4, 6])
@pytest.mark.parametrize("interlaced", [0, 1])
def test_only_plain_files_are_taken(
    bits: int, colour_type: int, interlaced: int
) -> None:
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type]
    row = bytes(1 + (16 * bits * samples + 7) // 8)
    data = png(
        header((16, 16), bits, colour_type, 0, 0, interlaced),
        chunk(b"PLTE", bytes(768)) if colour_type == 3 else b"",
        chunk(b"IDAT", zlib.compress(row * (32 if interlaced else 16))),
    )
    plain = bits == 8 and colour_type in (0, 3) and not interlaced
    assert (decode_png_indices(data) is not None) == plain
    assert agrees(data)


def test_transparency_is_let_through_and_other_chunks_are_not() -> None:
    pixels = np.zeros((4, 4), np.uint8)
    pieces = {
        "head": header((4, 4), 8, 3, 0, 0, 0),
        "palette": chunk(b"PLTE", bytes(6)),
        "data": chunk(b"IDAT", zlib.compress(filtered(pixels, np.zeros(4, np.uint8)))),
    }
    clear = png(
        pieces["head"], pieces["palette"], chunk(b"tRNS", b"\0"), pieces["data"]
    )
    assert decode_png_indices(clear) is not None and agrees(clear)
    for extra in (b"gAMA", b"tEXt", b"iCCP", b"acTL", b"PLTE", b"IHDR"):
        data = png(pieces["head"], pieces["palette"], chunk(extra, b""), pieces["data"])
        assert decode_png_indices(data) is None
    for chunks in (["head", "data"], ["palette", "head", "data"], ["head", "palette"]):
        assert decode_png_indices(png(*(pieces[name] for name in chunks))) is None


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_damage_is_never_read_differently(draw: Any) -> None:
    rng = np.random.default_rng(draw.draw(st.integers(0, 1000)))
    pixels = noise(rng, (11, 13)) % 3
    data = palette_png(pixels, rng.integers(0, 5, 11).astype(np.uint8), 4)
    position = draw.draw(st.integers(0, len(data) - 1))
    if draw.draw(st.booleans()):
        data = data[:position]
    else:
        changed = (data[position] + draw.draw(st.integers(1, 255))) % 256
        data = data[:position] + bytes([changed]) + data[position + 1 :]
    assert agrees(data)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_damage_behind_a_right_checksum(draw: Any) -> None:
    rng = np.random.default_rng(draw.draw(st.integers(0, 1000)))
    kinds = rng.integers(0, 6, 11).astype(np.uint8)  # 5 is no filter type
    rows = filtered(noise(rng, (11, 13)) % 3, np.minimum(kinds, 4))
    rows = b"".join(
        bytes([kind]) + rows[14 * y + 1 : 14 * y + 14] for y, kind in enumerate(kinds)
    )
    rows = rows[: draw.draw(st.sampled_from([len(rows), len(rows) - 1, 14, 0]))]
    rows += b"\0" * draw.draw(st.sampled_from([0, 0, 0, 1, 14]))
    compressed = bytearray(zlib.compress(rows))
    if draw.draw(st.booleans()):
        position = draw.draw(st.integers(0, len(compressed) - 1))
        compressed[position] ^= draw.draw(st.integers(1, 255))
    tail = draw.draw(st.sampled_from([b"", b"", b"\0", b"more"]))
    data = png(
        header((11, 13), 8, 0, 0, 0, 0), chunk(b"IDAT", bytes(compressed) + tail)
    )
    assert agrees(data)


def test_flaws_are_left_to_pillow() -> None:
    pixels = np.ones((6, 6), np.uint8)
    good = palette_png(pixels, np.zeros(6, np.uint8))
    assert decode_png_indices(good) is not None
    assert decode_png_indices(good[:-1]) is None
    assert decode_png_indices(b"") is None
    assert decode_png_indices(good[:20]) is None
    assert decode_png_indices(b"\xff\xd8\xff" + good) is None
    short = zlib.compress(filtered(pixels, np.zeros(6, np.uint8))[:-1])
    data = png(header((6, 6), 8, 0, 0, 0, 0), chunk(b"IDAT", short))
    assert decode_png_indices(data) is None


def test_huge_headers_allocate_nothing() -> None:
    data = png(header((2**31 - 1, 2**31 - 1), 8, 0, 0, 0, 0), chunk(b"IDAT", b"x"))
    assert decode_png_indices(data) is None

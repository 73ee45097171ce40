"""COCO run-length encodings: every reader of JSON masks decodes them here.

A mask is a list of run lengths down the columns, background first. Compressed, each
length is written in characters of five bits, and from the fourth on as the difference
from the length two before. A decoder that trusts the runs to cover the mask leaves
pixels unset where they do not, so the runs are read and added up before any pixel is.

Source: `rleToString` and `rleFrString` of the COCO API describe the format.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.errors import InputError
from evaluation.masks.label_map import Mask

MAX_PIXELS = 1 << 27
"""Pixels of the largest mask that is decoded where nothing else limits its size: about
16,000 x 8,000, four times per frame of 8K video."""

_FIRST, _CONTINUES, _NEGATIVE = 48, 0x20, 0x10


def rle_size(
    rle: Mapping[str, Any], where: str = "COCO RLE", limit: int = MAX_PIXELS
) -> tuple[int, int]:
    """Height and width that an encoding declares, without decoding it.

    Args:
        rle: ``{"size": [H, W], ...}``.
        where: what to name in an error, e.g. file, frame and object.
        limit: pixels above which the size is refused.

    Raises:
        InputError: there is no size, or it is not two integers above 0, or too large.
    """
    try:
        height, width = (operator.index(side) for side in rle["size"])
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(where, f"without a usable size ({_reason(error)})") from error
    if height < 1 or width < 1 or height * width > limit:
        raise InputError(
            where,
            f"a run-length encoding of {height} x {width} pixels",
            f"a height and width above 0 and at most {limit:,} pixels, as large as "
            "the frame",
            "Correct the size in the file: [height, width] of the frame.",
        )
    return height, width


def decode_rle(
    rle: Mapping[str, Any], where: str = "COCO RLE", limit: int = MAX_PIXELS
) -> Mask:
    """Decode one COCO run-length encoded mask, compressed or as plain counts.

    Args:
        rle: ``{"size": [H, W], "counts": str | bytes | list of int}``; the runs go
            down the columns, background first.
        where: what to name in an error, e.g. file, frame and object.
        limit: pixels above which a declared size is refused before it takes memory.

    Returns:
        [H, W] bool.

    Raises:
        InputError: keys are missing, the size is out of bounds, or the runs do not
            cover exactly H x W pixels.

    Example:
        >>> decode_rle({"size": [2, 2], "counts": [1, 2, 1]}).tolist()
        [[False, True], [True, False]]
    """
    height, width = rle_size(rle, where, limit)
    try:
        counts = rle["counts"]
        runs = _plain(counts) if isinstance(counts, list) else _uncompress(counts)
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(where, f"that cannot be read ({_reason(error)})") from error
    _check_cover(runs, height, width, where)
    inside = np.zeros(len(runs), np.bool_)
    inside[1::2] = True
    return np.repeat(inside, runs).reshape(width, height).T


def encode_rle(mask: Mask) -> dict[str, object]:
    """Encode one mask as compressed COCO RLE, ready for JSON.

    Args:
        mask: [H, W] bool.

    Returns:
        ``{"size": [H, W], "counts": str}``.
    """
    from pycocotools import mask as coco

    rle = coco.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {
        "size": [int(side) for side in rle["size"]],
        "counts": rle["counts"].decode("ascii"),
    }


def _plain(counts: list[object]) -> NDArray[np.int64]:
    """Run lengths that are written as a list of integers."""
    if any(type(run) is not int or not 0 <= run <= MAX_PIXELS for run in counts):
        raise ValueError("a run that is no integer, negative or too long")
    return np.array(counts, dtype=np.int64)


def _uncompress(counts: str | bytes) -> NDArray[np.int64]:
    """Run lengths of the compressed form; [n] int64.

    Raises:
        ValueError: characters that do not occur in it, or a last number cut off.
    """
    if not isinstance(counts, (str, bytes)):
        raise ValueError(f"counts of type {type(counts).__name__}")
    text = counts.encode("ascii") if isinstance(counts, str) else counts
    codes = np.frombuffer(text, np.uint8).astype(np.int64) - _FIRST
    if codes.size and not 0 <= codes.min() <= codes.max() < 64:
        raise ValueError("characters that no run-length encoding has")
    last = (codes & _CONTINUES) == 0
    if codes.size and not last[-1]:
        raise ValueError("the last run is cut off")
    runs = _groups(codes, last)
    # From the fourth number on: differences from the number two before.
    runs[1::2] = np.cumsum(runs[1::2])
    runs[2::2] = np.cumsum(runs[2::2])
    return runs


def _groups(codes: NDArray[np.int64], last: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The signed numbers that groups of five-bit codes stand for, lowest bits first."""
    ends = np.flatnonzero(last)
    starts = np.concatenate(([0], ends[:-1] + 1)) if ends.size else ends
    lengths = ends - starts + 1
    if lengths.size and lengths.max() > 7:
        raise ValueError("a run of more than 35 bits")
    places = np.arange(codes.size) - np.repeat(starts, lengths)
    parts = (codes & 0x1F) << (5 * places)
    numbers: NDArray[np.int64] = (
        np.add.reduceat(parts, starts) if ends.size else parts[:0]
    )
    negative = (codes[ends] & _NEGATIVE) != 0
    numbers[negative] -= np.int64(1) << (5 * lengths[negative])
    return numbers


def _check_cover(runs: NDArray[np.int64], height: int, width: int, where: str) -> None:
    total, pixels = int(runs.sum()), height * width
    if total == pixels and (runs >= 0).all() and runs.size:
        return
    found = f"runs of {total:,} pixels in all"
    if runs.size and runs.min() < 0:
        found = "a run of negative length"
    raise InputError(
        where,
        f"a run-length encoding with {found}",
        f"runs that cover the mask of {height} x {width} = {pixels:,} pixels exactly",
        "The file is damaged or was cut off: write the masks again, e.g. with "
        "pycocotools.mask.encode.",
    )


def _unreadable(where: str, found: str) -> InputError:
    return InputError(
        where,
        f"a run-length encoding {found}",
        'COCO RLE: {"size": [height, width], "counts": ...} covering all pixels',
        "Write the mask again, e.g. with pycocotools.mask.encode.",
    )


def _reason(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else str(error)

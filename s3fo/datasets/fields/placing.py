"""Instance masks at their place in the picture, by FiftyOne's rules.

A mask fills its box, whatever its own resolution; a box may leave the frame. Where both
are of one size but for rounding, the mask was cut out of the frame: it lies there pixel
by pixel, and nothing is stretched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.errors import InputError
from evaluation.masks.colours import join_equal_channels

_LARGEST = 1 << 27
"""Pixels of the largest box that a mask is stretched into."""

_ROUNDING = 5e-3
"""Pixels that a corner may lie before the pixel that it means: boxes rounded to six
digits lie 0.002 before it in frames of 4096 pixels."""

_ONE_SIZE = 1.001
"""Pixels by which sizes of a mask and its box may differ by rounding: half of one at
either end."""

_DIGITS = (3, 4, 5)
"""Digits of boxes that were rounded, so that corners lie on either side of pixels."""

_FAR = 2.0
"""Values of a relative box from which on pixels are meant: twice the frame."""


def place_mask(
    mask: NDArray[np.integer | np.floating | np.bool_],
    box: Sequence[float],
    shape: tuple[int, int],
    where: str = "a label",
    *,
    binarize: bool | None = None,
) -> NDArray[np.bool_]:
    """Lay the mask of a `Detection` into its frame, as the App draws it.

    Args:
        mask: [h, w] of any resolution: booleans, or 0 and one other value.
        box: ``[x, y, width, height]`` relative to the frame; may reach over its edges.
        shape: height and width of the frame.
        where: what to name in an error.
        binarize: take whatever is not 0 for the object; None where the caller has no
            such option to offer.

    Returns:
        [H, W] bool; what lies outside the frame is cut off. (`to_segmentation` would
        press the whole mask into the part of the box that is inside, and stretch masks
        by a pixel where rounding moved an end of the box.)

    Raises:
        InputError: the box is no box or in pixels, or the mask is empty or unclear.

    >>> place_mask(np.ones((1, 1)), [0.5, 0, 0.5, 1], (2, 4))[0].tolist()
    [False, False, True, True]
    """
    top, bottom, left, right = _pixel_box(box, shape, where)
    inside = _as_mask(mask, where, binarize)
    if _was_cut_out(inside.shape, box, shape, (bottom - top, right - left)):
        top, left = (round(v * n) for v, n in zip((box[1], box[0]), shape, strict=True))
        bottom, right = top + inside.shape[0], left + inside.shape[1]
    if is_flat(box) and inside.any():
        raise InputError(
            where,
            f"a mask with a box of no extent, {[round(v, 4) for v in box]}",
            "the box that the mask fills",
            "Correct or delete this label.",
        )
    _refuse_uncropped(inside, (top, bottom, left, right), shape, where)
    full = np.zeros(shape, bool)
    if bottom <= top or right <= left:
        return full
    if inside.shape != (bottom - top, right - left):
        inside = _stretch(inside, bottom - top, right - left, where)
    rows = slice(max(top, 0), max(min(bottom, shape[0]), 0))
    columns = slice(max(left, 0), max(min(right, shape[1]), 0))
    if rows.stop > rows.start and columns.stop > columns.start:
        full[rows, columns] = inside[
            rows.start - top : rows.stop - top,
            columns.start - left : columns.stop - left,
        ]
    return full


def has_size_of(
    mask: Sequence[int], size: Sequence[float], frame: tuple[int, int]
) -> bool:
    """Whether a mask has the pixels of a box but for rounding.

    Args:
        mask: rows and columns of the mask.
        size: height and width of the box, relative to the frame.
        frame: height and width of the frame.

    >>> has_size_of((5, 10), (0.5, 0.249), (10, 40))
    True
    """
    return len(mask) == 2 and all(
        abs(own - part * whole) <= _ONE_SIZE
        for own, part, whole in zip(mask, size, frame, strict=True)
    )


def _was_cut_out(
    mask: tuple[int, ...],
    box: Sequence[float],
    frame: tuple[int, int],
    pixels: tuple[int, int],
) -> bool:
    """Whether a mask belongs on the pixels nearest to its box, at its own size.

    Importers cut masks out at the nearest pixels, and tools round boxes to a few
    digits; to round corners down and stretch the mask would change its pixels.

    Args:
        mask: rows and columns.
        box: of the label.
        frame: height and width.
        pixels: rows and columns of the box with corners rounded down.
    """
    if is_flat(box) or not has_size_of(mask, (box[3], box[2]), frame):
        return False
    return mask != pixels or _is_rounded(box, frame)


def _is_rounded(box: Sequence[float], frame: tuple[int, int]) -> bool:
    """Whether a corner is a pixel's, but for the few digits of the box."""
    error = rounding_error(box)
    return error > 0 and all(
        abs(v * n - round(v * n)) <= error * n + 1e-6
        for v, n in zip((box[1], box[0]), frame, strict=True)
    )


def rounding_error(box: Sequence[float]) -> float:
    """By how much numbers of a box may be off, by their few digits; 0 for many."""
    for digits in _DIGITS:
        if all(abs(v - round(v, digits)) < 1e-9 for v in box):
            return float(0.5 * 10**-digits)
    return 0.0


def is_flat(box: Sequence[float] | None) -> bool:
    """Whether a box has no extent, as those of objects that are not to be seen."""
    return bool(box) and len(box or ()) == 4 and 0 in tuple(box or ())[2:]


def _pixel_box(
    box: Sequence[float] | None, shape: tuple[int, int], where: str
) -> tuple[int, int, int, int]:
    """Top, bottom, left and right edge in pixels; FiftyOne rounds them down."""
    box = list(box or ())
    if len(box) != 4 or not all(math.isfinite(v) for v in box) or min(box[2:]) < 0:
        raise InputError(
            where,
            f"a bounding box {box}",
            "[x, y, width, height] relative to the frame, width and height from 0",
            "Correct or delete this label.",
        )
    if max(box) >= _FAR:  # what is far out on the left can be no pixels
        raise InputError(
            where,
            f"a bounding box {box}, in pixels as it seems",
            "[x, y, width, height] relative to the frame, 0..1",
            "Divide x and width by the frame's width, y and height by its height.",
        )
    x, y, width, height = box
    edges = (
        y * shape[0],
        (y + height) * shape[0],
        x * shape[1],
        (x + width) * shape[1],
    )
    top, bottom, left, right = (math.floor(edge + _ROUNDING) for edge in edges)
    return top, bottom, left, right


def _as_mask(
    mask: NDArray[np.integer | np.floating | np.bool_],
    where: str,
    binarize: bool | None,
) -> NDArray[np.bool_]:
    """A mask as booleans.

    Raises:
        InputError: it could mean several things.
    """
    mask = join_equal_channels(np.asarray(mask))
    if mask.ndim != 2 or not mask.size:
        raise InputError(
            where,
            f"a mask of shape {mask.shape}",
            "a mask of rows and columns",
            "Correct the mask, or delete the label if the object is not to be seen.",
        )
    if mask.dtype == bool:
        return mask.astype(bool, copy=False)
    if mask.dtype.kind == "f":
        values = np.unique(mask)
        if values.tolist() not in _PLAIN:
            raise InputError(
                where,
                f"a mask of {mask.dtype}, from {values[0]:.3g} to {values[-1]:.3g}",
                "a mask of booleans, or of 0 and 1",
                "Say from where on it is the object: label.mask = label.mask > 0.5 "
                "for probabilities, label.mask > 0 for logits.",
            )
    elif mask.dtype.kind not in "iu":
        raise InputError(
            where, f"a mask of {mask.dtype}", "booleans, or 0 and 1",
            "Correct or delete this label.",
        )  # fmt: skip
    inside: NDArray[np.bool_] = mask != 0
    highest = mask.max()
    if not binarize and (mask.min() < 0 or (inside & (mask != highest)).any()):
        listed = ", ".join(map(str, np.unique(mask)[:6]))
        raise InputError(
            where,
            f"a mask with the values {listed}",
            "a mask of booleans, or of 0 and one other value",
            "Say what is the object, e.g. label.mask = label.mask > 127"
            + ("." if binarize is None else ", or take whatever is not 0 (binarize)."),
        )
    return inside


def _refuse_uncropped(
    mask: NDArray[np.bool_],
    box: tuple[int, int, int, int],
    shape: tuple[int, int],
    where: str,
) -> None:
    """Refuse the mask of a whole frame with the box of the object in it.

    FiftyOne would press the whole into the box.

    Raises:
        InputError: the box lies around the object as if the mask were the frame.
    """
    top, bottom, left, right = box
    if mask.shape != shape or (bottom - top, right - left) == shape or not mask.any():
        return
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    around = (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1)
    if all(abs(own - other) <= 1 for own, other in zip(around, box, strict=True)):
        raise InputError(
            where,
            "a mask of the whole frame with a box of the object in it",
            "the mask inside the box: it fills the box, whatever its resolution",
            "Make it by fo.Detection.from_mask(mask, label=...), which crops.",
        )


_PLAIN = ([0.0], [1.0], [0.0, 1.0], [255.0], [0.0, 255.0])
"""Values of a mask of floating-point numbers that leave no doubt."""


def _stretch(
    mask: NDArray[np.bool_], height: int, width: int, where: str
) -> NDArray[np.bool_]:
    if height * width > _LARGEST:
        raise InputError(
            where,
            f"a bounding box of {width}x{height} pixels",
            "a box about as large as the frame",
            "Correct or delete this label.",
        )
    # The very call of FiftyOne, so that both show the same pixels.
    stretched: NDArray[np.bool_] = cv2.resize(
        mask.astype(np.uint8), (width, height)
    ).astype(bool)
    return stretched

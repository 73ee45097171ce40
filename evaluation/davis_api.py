"""`db_eval_iou` and `db_eval_boundary` of the DAVIS evaluation, faster.

Signatures and values are those of davis2017-evaluation, so changing the import is
enough::

    from evaluation import db_eval_boundary, db_eval_iou
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.counting import kernels, reference
from evaluation.counting.boundaries import TOLERANCE, diagonal, disk
from evaluation.masks.label_map import plain_array
from evaluation.metrics.boundary import boundary_f

Masks = NDArray[Any]
"""[..., H, W]; whatever is not 0 is the object."""

Flags = NDArray[np.bool_]
"""[H, W]."""

Words = NDArray[np.uint64]
"""The pixels of a mask, 64 per word."""


def db_eval_iou(
    annotation: Masks, segmentation: Masks, void_pixels: Masks | None = None
) -> float | NDArray[np.float64]:
    """Region similarity J of masks.

    Args:
        annotation: [..., H, W] true masks.
        segmentation: [..., H, W] predicted masks.
        void_pixels: [..., H, W] pixels to leave out; None for none.

    Returns:
        J of each mask, [...], or one number for [H, W]; 1 where both are empty.

    >>> db_eval_iou(np.array([[1, 1, 0]]), np.array([[0, 1, 1]]))
    0.3333333333333333
    """
    frames = _stacks(annotation, segmentation, void_pixels)
    scores = np.array([_jaccard(*sides) for sides in frames])
    shape = np.shape(annotation)[:-2]
    return scores.reshape(shape) if shape else float(scores[0])


def db_eval_boundary(
    annotation: Masks,
    segmentation: Masks,
    void_pixels: Masks | None = None,
    bound_th: float = TOLERANCE,
) -> float | NDArray[np.float64]:
    """Boundary accuracy F of masks.

    >>> import numpy as np
    >>> truth = np.zeros((20, 20), bool)
    >>> truth[5:15, 5:15] = True
    >>> float(db_eval_boundary(truth, truth))
    1.0

    Args:
        annotation: [H, W] or [T, H, W] true masks.
        segmentation: [H, W] or [T, H, W] predicted masks.
        void_pixels: the same shape, pixels to leave out; None for none.
        bound_th: tolerance as a share of the image diagonal, or in pixels from 1 on.

    Returns:
        F of each mask, [T], or one number for [H, W].

    Raises:
        ValueError: the masks have other than two or three dimensions.
    """
    if np.ndim(annotation) not in (2, 3):
        raise ValueError(
            "db_eval_boundary does not support tensors with "
            f"{np.ndim(annotation)} dimensions"
        )
    pairs = _frames(annotation, segmentation, void_pixels)
    scores = np.array([_boundary(*pair, bound_th) for pair in pairs])
    return scores if np.ndim(annotation) == 3 else float(scores[0])


def _jaccard(truth: Masks, found: Masks, void: Masks | None = None) -> float:
    """J of two masks in which whatever is not 0 is the object.

    Of packed bits, as reading the masks is most of the work.
    """
    truth, found = _packed(truth), _packed(found)
    shared, union = truth & found, truth | found
    if void is not None:
        clear = ~_packed(void)
        shared &= clear
        union &= clear
    total = _count_bits(union)
    return _count_bits(shared) / total if total else 1.0


def _packed(mask: Masks) -> Words:
    """The pixels that are not 0 as bits; zeros after the last one."""
    one_byte = mask.dtype in (np.uint8, np.bool_)
    bits = np.packbits(mask if one_byte else mask != 0)
    if bits.size % 8:
        bits = np.pad(bits, (0, -bits.size % 8))
    return bits.view(np.uint64)


def _count_bits(words: Words) -> int:
    if _HAS_BITWISE_COUNT:
        return int(np.bitwise_count(words).sum(dtype=np.int64))
    return int.from_bytes(words.tobytes(), "little").bit_count()


_HAS_BITWISE_COUNT = hasattr(np, "bitwise_count")
"""Whether numpy counts bits, as it does from version 2 on."""


def _boundary(truth: Flags, found: Flags, bound_th: float) -> float:
    radius = bound_th if bound_th >= 1 else np.ceil(bound_th * diagonal(truth.shape))
    if radius == int(radius):
        maps = truth.view(np.uint8), found.view(np.uint8)
        return float(boundary_f(kernels.count_frame(*maps, [1], int(radius)))[0])
    counts = np.array(reference.count_masks(truth, found, disk(radius)))
    return float(boundary_f(counts))


def _frames(
    annotation: Masks, segmentation: Masks, void_pixels: Masks | None
) -> Iterator[tuple[Flags, Flags]]:
    """Both masks of each frame as booleans, in one piece, without void."""
    for sides in _stacks(annotation, segmentation, void_pixels):
        truth, found, *void = (_bool(side) for side in sides)
        if void and void[0].any():
            # True above False: in the mask, and not void; one step instead of two.
            truth, found = truth > void[0], found > void[0]
        yield truth, found


def _stacks(
    annotation: Masks, segmentation: Masks, void_pixels: Masks | None
) -> Iterator[tuple[Masks, ...]]:
    """The masks of each frame, and its void if any.

    Frame by frame: a frame stays in the processor's cache, a video does not.
    """
    sides = [plain_array(side) for side in (annotation, segmentation)]
    if sides[0].shape != sides[1].shape:
        raise AssertionError(
            f"Annotation({sides[0].shape}) and segmentation:{sides[1].shape} "
            "dimensions do not match."
        )
    if void_pixels is not None:
        sides.append(plain_array(void_pixels))
    stacks = [side.reshape(-1, *side.shape[-2:]) for side in sides]
    yield from zip(*stacks, strict=True)


def _bool(mask: Masks) -> Flags:
    mask = np.ascontiguousarray(mask)
    if mask.dtype == np.uint8 and mask.size and mask.max() <= 1:
        return mask.view(bool)
    flags: Flags = mask if mask.dtype == bool else mask != 0
    return flags

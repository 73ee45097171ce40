"""`db_eval_iou` and `db_eval_boundary` of the DAVIS evaluation, faster.

Signatures and values are those of davis2017-evaluation, so changing the import is
enough::

    from evaluation import db_eval_boundary, db_eval_iou
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.counting import kernels, reference
from evaluation.counting.boundaries import TOLERANCE, diagonal, disk
from evaluation.masks.label_map import has_channels_last, plain_array
from evaluation.metrics.boundary import boundary_f

Masks = NDArray[Any]
"""[..., H, W]; whatever is not 0 is the object."""


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
    sides = _sides(annotation, segmentation, void_pixels)
    shape = sides[0].shape[:-2]
    counts = _compare(sides)
    if not counts[:, 0].any():
        _warn_of_nothing(sides)
    if not shape:
        shared, united = counts[0].tolist()
        return float(shared / united) if united else 1.0
    empty = np.ones(len(counts))
    united = counts[:, 1]
    scores = np.divide(counts[:, 0], united, out=empty, where=united > 0)
    return scores.reshape(shape)


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
    frames = _frames(_sides(annotation, segmentation, void_pixels))
    scores = np.array([_boundary(bound_th, *frame) for frame in frames])
    if not scores.any():
        _warn_of_nothing(_sides(annotation, segmentation, None))
    return scores if np.ndim(annotation) == 3 else float(scores[0])


def _compare(sides: Sequence[Masks]) -> NDArray[np.int64]:
    """[frames, 2] pixels that both masks have, and that either has."""
    if sides[0].itemsize == sides[1].itemsize == 1:
        return kernels.compare_masks(*sides)
    counts = [kernels.compare_masks(*frame) for frame in _frames(sides)]
    return np.array(counts, np.int64).reshape(-1, 2)


def _boundary(
    bound_th: float, truth: Masks, found: Masks, void: Masks | None = None
) -> float:
    radius = bound_th if bound_th >= 1 else np.ceil(bound_th * diagonal(truth.shape))
    if radius == int(radius):
        counts = kernels.count_mask_pair(truth, found, void, int(radius))
    else:
        known = True if void is None else void == 0
        masks = (truth != 0) & known, (found != 0) & known
        counts = np.array(reference.count_masks(*masks, disk(radius)))
    return float(boundary_f(counts))


_NAMES = "annotation", "segmentation", "void pixels"


def _sides(
    annotation: Masks, segmentation: Masks, void_pixels: Masks | None
) -> list[Masks]:
    """The masks, and what is void if anything, as arrays [..., H, W] of one shape."""
    sides = [plain_array(side) for side in (annotation, segmentation)]
    if void_pixels is not None:
        sides.append(plain_array(void_pixels))
    for i, side in enumerate(sides):
        if side.shape != sides[0].shape:
            raise AssertionError(
                f"Annotation({sides[0].shape}) and {_NAMES[i]}:{side.shape} "
                "dimensions do not match."
            )
        if has_channels_last(side.shape):
            frames, *size = side.shape
            warnings.warn(
                f"{_NAMES[i]} has shape {side.shape} and counts as {frames} masks "
                f"{size}: does it count masks last? Pass "
                "np.moveaxis(masks, -1, 0), then",
                stacklevel=3,
            )
        if odd := _unlike_masks(side):
            warnings.warn(f"{_NAMES[i]} has {odd}, then", stacklevel=3)
    return sides


def _warn_of_nothing(sides: Sequence[Masks]) -> None:
    """Warn of a video without any predicted pixel; of one frame it is no wonder."""
    truth, found = sides[:2]
    if found.ndim > 2 and len(found) > 1 and truth.any() and not found.any():
        warnings.warn(
            f"segmentation is 0 in all {len(found)} masks: were probabilities cut to "
            "whole numbers? Pass mask > 0.5, then",
            stacklevel=3,
        )


_SAMPLE, _LEVELS = 4096, 16
"""Pixels of small integers that are looked at, and values among them from which they
are no masks of one object."""


def _unlike_masks(side: Masks) -> str:
    """What speaks against masks, and what to pass instead; empty for masks."""
    if not side.size:
        return ""
    counts = "and whatever is not 0 counts as the object"
    if side.dtype == np.uint8:
        some = side.reshape(-1)[:: max(1, side.size // _SAMPLE)]
        if some.max() > _LEVELS and len(np.unique(some)) > _LEVELS:
            return f"many values, {counts}: are they probabilities? Pass mask > 127"
        return ""
    if side.dtype.kind != "f":
        return ""
    if side.min() < 0:
        return f"values below 0, {counts}: are they logits? Pass mask > 0"
    if side.max() <= 1 and ((side > 0) & (side < 1)).any():
        return (
            f"values between 0 and 1, {counts}: are they probabilities? Pass mask > 0.5"
        )
    return ""


def _frames(sides: Sequence[Masks]) -> Iterator[list[Masks]]:
    """The masks of each frame, one byte per pixel, and what is void.

    Frame by frame: a frame stays in the processor's cache, a video does not.
    """
    shape = sides[0].shape
    stacks = [side.reshape(math.prod(shape[:-2]), *shape[-2:]) for side in sides]
    for frame in zip(*stacks, strict=True):
        masks = [side if side.itemsize == 1 else side != 0 for side in frame[:2]]
        yield [*masks, *frame[2:]]

"""Error maps: what each pixel of a prediction is."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from evaluation.masks.label_map import LabelMap, Mask, as_label_map


class Pixel(IntEnum):
    """What a pixel of an error map is; its value in the map."""

    RIGHT = 0
    HIT = 1
    MISSED = 2
    FALSE = 3
    WRONG_IDENTITY = 4


PIXEL_NAMES: dict[Pixel, str] = {
    Pixel.HIT: "hit",
    Pixel.MISSED: "missed",
    Pixel.FALSE: "false",
    Pixel.WRONG_IDENTITY: "wrong identity",
}
"""Names for legends and mask targets; right background has none."""

PIXEL_COLOURS: dict[Pixel, str] = {
    Pixel.HIT: "#56B4E9",
    Pixel.MISSED: "#F0E442",
    Pixel.FALSE: "#D55E00",
    Pixel.WRONG_IDENTITY: "#7B2CBF",
}
"""Told apart under all three kinds of colour blindness, and by lightness alone
(Okabe and Ito's sky blue, yellow and vermilion, and a dark violet)."""

ErrorMap = NDArray[np.uint8]
"""[H, W] of `Pixel` values."""


def error_map(
    truth: LabelMap | Mapping[int, Mask],
    predicted: LabelMap | Mapping[int, Mask],
    object_id: int | None = None,
) -> ErrorMap:
    """Compare a frame pixel by pixel.

    Args:
        truth: ground truth; ids as in the prediction.
        predicted: the prediction.
        object_id: look at this object alone: then missed pixels are its own, false
            ones predicted for it, and either is of wrong identity if the other side
            has another object there. None looks at all objects.

    Returns:
        [H, W] of `Pixel` values.
    """
    gt, pred = as_label_map(truth, predicted), as_label_map(predicted, truth)
    if object_id is not None:
        gt, pred = _about(gt, pred, object_id)
    errors = np.zeros(gt.shape, np.uint8)
    errors[(gt != 0) & (gt == pred)] = Pixel.HIT
    errors[(gt != 0) & (pred == 0)] = Pixel.MISSED
    errors[(gt == 0) & (pred != 0)] = Pixel.FALSE
    errors[(gt != 0) & (pred != 0) & (gt != pred)] = Pixel.WRONG_IDENTITY
    return errors


def colour(code: str) -> tuple[int, int, int]:
    """Red, green and blue, 0..255, of a colour ``#RRGGBB``."""
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def lay_over(
    image: NDArray[np.uint8], errors: ErrorMap, opacity: float = 0.75
) -> NDArray[np.uint8]:
    """Colour an [H, W, 3] RGB image by an error map of its size.

    Below the colours the image is grey, so that they look the same everywhere.
    """
    blended = image.astype(np.float32)
    wrong_or_hit = errors != Pixel.RIGHT
    blended[wrong_or_hit] = blended[wrong_or_hit].mean(axis=1, keepdims=True)
    for pixel, code in PIXEL_COLOURS.items():
        here = errors == pixel
        blended[here] = (1 - opacity) * blended[here] + opacity * np.array(colour(code))
    return blended.astype(np.uint8)


def _about(gt: LabelMap, pred: LabelMap, object_id: int) -> tuple[LabelMap, LabelMap]:
    """Both maps where either has the object, background elsewhere."""
    concerned = (gt == object_id) | (pred == object_id)
    return np.where(concerned, gt, 0), np.where(concerned, pred, 0)

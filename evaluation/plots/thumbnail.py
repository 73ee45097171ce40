"""A frame in small: what is right and wrong in it, and a line of text."""

from __future__ import annotations

import cv2
import numpy as np

from evaluation.masks.label_map import LabelMap
from evaluation.plots.drawing import Picture, canvas
from evaluation.plots.errors import error_map, lay_over

_BAND = 0.18
"""Height of the line of text, of the picture's: read where a grid shows it tiny."""

_FONT, _CAPITAL = cv2.FONT_HERSHEY_SIMPLEX, 21
"""OpenCV's font, and how high its capitals are at scale 1, pixels."""


def frame_thumbnail(
    image: Picture | None,
    truth: LabelMap,
    predicted: LabelMap,
    text: str,
    width: int = 480,
) -> Picture:
    """Draw the errors of a frame over its image, with a line of text on top.

    FiftyOne's grid writes names and scores at the bottom.

    Args:
        image: [H, W, 3] RGB at the size of the masks; None draws on grey.
        truth: [H, W] ground truth.
        predicted: [H, W] prediction under the ids of the ground truth.
        text: in ASCII, as OpenCV writes no other.
        width: of the picture, pixels; never enlarged.

    Returns:
        [h, w, 3] RGB.
    """
    errors = error_map(truth, predicted)
    picture = lay_over(canvas(image, errors.shape), errors)
    scale = min(1.0, width / picture.shape[1])
    if scale < 1:
        size = (width, max(1, round(scale * picture.shape[0])))
        picture = np.asarray(
            cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8
        )
    height = picture.shape[0]
    band = max(12, round(_BAND * height))
    picture[:band] = picture[:band] // 4
    _write(picture[:band], text)
    return picture


def _write(band: Picture, text: str) -> None:
    """Write a line of text into a part of a picture, as large as fits."""
    height, width = band.shape[:2]
    margin = height // 6
    (at_one, _), _ = cv2.getTextSize(text, _FONT, 1, 1)
    scale = min(0.6 * height / _CAPITAL, (width - 2 * margin) / at_one)
    base = round((height + scale * _CAPITAL) / 2)
    stroke, white = max(1, round(2 * scale)), (255, 255, 255)
    cv2.putText(band, text, (margin, base), _FONT, scale, white, stroke, cv2.LINE_AA)

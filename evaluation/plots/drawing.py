"""Frames as pictures: read, tinted by object, cut out and shown without axes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from evaluation.attributes.regions import Box
from evaluation.errors import InputError
from evaluation.masks.label_map import LabelMap, davis_palette
from evaluation.masks.pictures import read_picture

Picture = NDArray[np.uint8]
"""[H, W, 3] RGB."""

_BLANK = 170


def frame_picture(
    images: Mapping[str, Path] | None, frame: str, shape: tuple[int, ...]
) -> Picture:
    """The image of a frame at the size of its masks; grey where there is none."""
    image = _stored(images[frame]) if images and frame in images else None
    if image is None:
        return canvas(None, shape)
    size = (shape[1], shape[0])
    if image.shape[:2] != shape:
        resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return np.asarray(resized[..., ::-1], dtype=np.uint8)
    return np.asarray(image[..., ::-1], dtype=np.uint8)


def _stored(path: Path) -> Picture | None:
    """The image in a file; none where there is no readable one."""
    try:
        return read_picture(path)
    except InputError:
        return None


def canvas(image: Picture | None, shape: tuple[int, ...]) -> Picture:
    """The image, or a grey one of that [H, W]."""
    return np.full((*shape, 3), _BLANK, np.uint8) if image is None else image


def outlined(image: Picture, label_map: LabelMap, object_id: int) -> Picture:
    """All objects tinted in their colours, the one in question strongly and edged."""
    tinted = image.astype(np.float32)
    for other in np.unique(label_map).tolist():
        if other == 0:
            continue
        weight = 0.6 if other == object_id else 0.3
        colour = davis_palette()[other % 256]
        here = label_map == other
        tinted[here] = (1 - weight) * tinted[here] + weight * colour
    picture = tinted.astype(np.uint8)
    mask = (label_map == object_id).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    thickness = max(1, round(min(label_map.shape) / 240))
    cv2.drawContours(picture, contours, -1, (255, 255, 255), thickness)
    return picture


def cut(picture: Picture, window: Box) -> Picture:
    """The part of a picture inside a window."""
    return picture[window.top : window.bottom, window.left : window.right]


def show(axes: Axes, picture: Picture, aspect: str = "auto") -> None:
    """Show a picture and nothing around it."""
    axes.imshow(picture, interpolation="bilinear", aspect=aspect)  # type: ignore[arg-type]
    axes.set_axis_off()

"""Scene cuts: where one camera shot ends and the next begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.attributes.images import ImageReader

CUT_DISTANCE = 0.35
"""Two consecutive frames further apart than this are two shots (SeC, section 5.1)."""

SHOT_SIDE = 120
"""Shorter side, in pixels, at which frames are compared."""

_STRIDE_SECONDS = 1 / 4

Histogram = NDArray[np.float32]
"""Normalised hue x saturation histogram, [30, 32]."""


def scene_cuts(
    frames: Sequence[str],
    images: Mapping[str, Path],
    fps: float,
    shape: tuple[int, int],
    known: Mapping[str, Histogram],
    reader: ImageReader,
) -> list[int]:
    """Find the cuts of a video.

    Frames a quarter of a second apart are compared first, and all frames in between
    only where those differ: the video looks different after a cut, so none is lost
    unless a shot is shorter than that.

    Args:
        frames: all frame names in playing order.
        images: image file by frame name; frames without one are passed over.
        fps: frames per second.
        shape: (height, width) of the masks.
        known: histograms of frames that have been read already, by frame name.
        reader: reads the images.

    Returns:
        Indices into `frames` of the first frame of each new shot.
    """
    shown = [index for index, frame in enumerate(frames) if frame in images]
    stride = max(1, int(fps * _STRIDE_SECONDS))
    looks = shown[::stride] + (shown[-1:] if (len(shown) - 1) % stride else [])

    def histogram(index: int) -> Histogram:
        frame = frames[index]
        if frame in known:
            return known[frame]
        return hue_saturation(reader.read(images[frame], shape, SHOT_SIDE))

    cuts: list[int] = []
    if not looks:
        return cuts
    before = histogram(looks[0])
    for last, index in pairwise(looks):
        now = histogram(index)
        if distance(before, now) > CUT_DISTANCE:
            between = [i for i in shown if last <= i <= index]
            parts = [before, *(histogram(i) for i in between[1:-1]), now]
            cuts += [
                later
                for later, one, two in zip(between[1:], parts, parts[1:], strict=False)
                if distance(one, two) > CUT_DISTANCE
            ]
        before = now
    return cuts


def hue_saturation(image: NDArray[np.uint8]) -> Histogram:
    """Histogram of an [H, W, 3] RGB image, taken at the size for comparing shots."""
    height, width = image.shape[:2]
    scale = SHOT_SIDE / min(height, width)
    if scale < 1:
        size = (round(width * scale), round(height * scale))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    histogram = cv2.calcHist([hsv], [0, 1], None, [30, 32], [0, 180, 0, 256])
    return np.asarray(histogram / histogram.sum(), dtype=np.float32)


def distance(one: Histogram, two: Histogram) -> float:
    """Bhattacharyya distance of two normalised histograms, 0..1."""
    return float(np.sqrt(max(0.0, 1.0 - float(np.sqrt(one * two).sum()))))

"""One colour for each object: in labels, mask files, panels, every method and video."""

from __future__ import annotations

import colorsys

from evaluation.labelmap import davis_palette

_GOLDEN_RATIO = 0.618034
_LIGHTER = 0.45
"""How far the colour of lines and words is moved to white."""


def object_colour(object_id: int) -> str:
    """The colour of an object everywhere: ground truth, every method, every video.

    That of DAVIS's palette, which mask files of most benchmarks and methods carry: the
    App shows such files in their own colours, whatever it is told.

    Args:
        object_id: at least 1.

    Returns:
        ``"#RRGGBB"``.
    """
    palette = davis_palette()
    if object_id < len(palette):
        return _hex(palette[object_id].tolist())
    hue = (object_id * _GOLDEN_RATIO) % 1.0
    return _hex([round(255 * part) for part in colorsys.hsv_to_rgb(hue, 0.75, 0.95)])


def line_colour(object_id: int) -> str:
    """`object_colour`, brightened: for lines and words on the App's dark ground."""
    code = object_colour(object_id)
    channels = [int(code[start : start + 2], 16) for start in (1, 3, 5)]
    brightest = max(*channels, 1)
    bright = [255 * channel / brightest for channel in channels]
    return _hex([round(part + _LIGHTER * (255 - part)) for part in bright])


def _hex(channels: list[int]) -> str:
    return "#{:02X}{:02X}{:02X}".format(*channels)

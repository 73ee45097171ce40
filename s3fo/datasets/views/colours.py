"""One colour for each object: in labels, mask files, panels, every method and video."""

from __future__ import annotations

import colorsys
import operator

from evaluation.masks.label_map import davis_palette

_GOLDEN_RATIO = 0.618034
_GAMMA = 2.2
_LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Shares of red, green and blue in how bright a colour is (ITU-R BT.709)."""

_VISIBLE = 0.25
"""Luminance of lines and words, of that of white."""


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
    """`object_colour`, as bright as can be seen on a dark and on a light ground.

    For lines and words. Darker or paler in linear light, of one luminance: its
    contrast is 3.5 to white and 4.7 to FiftyOne's dark grey (WCAG 2.1 asks for 3).
    """
    code = object_colour(object_id)
    channels = [int(code[start : start + 2], 16) for start in (1, 3, 5)]
    brightest = max(*channels, 1)
    light = [(channel / brightest) ** _GAMMA for channel in channels]
    luminance = sum(map(operator.mul, _LUMINANCE, light))
    if luminance > _VISIBLE:
        seen = [part * _VISIBLE / luminance for part in light]
    else:
        paler = (_VISIBLE - luminance) / (1 - luminance)
        seen = [part + paler * (1 - part) for part in light]
    return _hex([round(255 * part ** (1 / _GAMMA)) for part in seen])


def _hex(channels: list[int]) -> str:
    return "#{:02X}{:02X}{:02X}".format(*channels)

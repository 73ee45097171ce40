"""A suspicious stretch of ground truth at a glance: before, in it, and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from evaluation.masks.label_map import LabelMap
from evaluation.plots.drawing import cut, frame_picture, outlined, show
from evaluation.plots.strip import frame_label, name_row, window_around
from evaluation.plots.style import WIDTH, style

# Inches: beside the pictures, between them, the tallest picture, above them.
_LEFT, _GAP, _TALLEST, _ABOVE = 0.25, 0.03, 2.4, 0.2


def frames_of_strip(
    annotated: Sequence[str], start: str, end: str
) -> list[tuple[str, str]]:
    """What to look at: the frame before, the first and last one, and the frame after.

    Args:
        annotated: names of the video's annotated frames, in order.
        start: name of the first frame in question, annotated.
        end: name of the last one.

    Returns:
        What each is called, and its name; neighbours that there are.

    >>> frames_of_strip(["a", "b", "c"], "b", "b")
    [('before', 'a'), ('in question', 'b'), ('after', 'c')]
    >>> frames_of_strip(["a", "b", "c"], "a", "b")
    [('first', 'a'), ('last', 'b'), ('after', 'c')]
    """
    first, last = annotated.index(start), annotated.index(end)
    found = [("before", annotated[first - 1])] if first else []
    if first == last:
        found.append(("in question", start))
    else:
        found += [("first", start), ("last", end)]
    if last + 1 < len(annotated):
        found.append(("after", annotated[last + 1]))
    return found


def audit_strip(
    frames: Sequence[tuple[str, str]],
    maps: Mapping[str, LabelMap],
    object_id: int,
    images: Mapping[str, Path] | None = None,
    numbers: Mapping[str, int] | None = None,
) -> Figure:
    """Images and ground truth of an audited event, zoomed to its object.

    Args:
        frames: what they are called, and their names, as `frames_of_strip` gives them.
        maps: ground truth [H, W] of these frames.
        object_id: the object in question.
        images: image file by frame name; None draws on grey.
        numbers: what a player calls a frame, by its name, to be named as well.
    """
    shown = [maps[name] for _, name in frames]
    window = window_around([(one, one) for one in shown], object_id)
    cell = (WIDTH - _LEFT) / len(frames)
    row = min(_TALLEST, cell * window.height / window.width)
    height = 2 * row + _ABOVE
    with style():
        figure = Figure(figsize=(WIDTH, height))
        for column, (called, name) in enumerate(frames):
            image = frame_picture(images, name, maps[name].shape)
            truth = outlined(image, maps[name], object_id)
            for line, picture in enumerate((image, truth)):
                left, bottom = _LEFT + column * cell, (1 - line) * row
                axes = figure.add_axes(
                    (
                        left / WIDTH,
                        bottom / height,
                        (cell - _GAP) / WIDTH,
                        (row - _GAP) / height,
                    )
                )
                show(axes, cut(picture, window), "equal")
                if line == 0:
                    told = frame_label(name, (numbers or {}).get(name))
                    axes.set_title(f"{called}: {told}", pad=3)
                if column == 0:
                    name_row(axes, ("image", "ground truth")[line])
    return figure

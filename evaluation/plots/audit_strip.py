"""A suspicious stretch of ground truth at a glance: before, in it, and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from evaluation.masks.label_map import LabelMap
from evaluation.plots.drawing import Picture, cut, frame_picture, outlined
from evaluation.plots.strip import window_around


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


def audit_pictures(
    frames: Sequence[tuple[str, str]],
    maps: Mapping[str, LabelMap],
    object_id: int,
    images: Mapping[str, Path] | None = None,
) -> list[list[Picture]]:
    """Images and ground truth of an audited event, zoomed to its object.

    Args:
        frames: what they are called, and their names, as `frames_of_strip` gives them.
        maps: ground truth [H, W] of these frames.
        object_id: the object in question.
        images: image file by frame name; None draws on grey.

    Returns:
        A row of images and one with the ground truth over them.
    """
    window = window_around([(maps[name], maps[name]) for _, name in frames], object_id)
    plain = [frame_picture(images, name, maps[name].shape) for _, name in frames]
    truth = [
        outlined(image, maps[name], object_id)
        for image, (_, name) in zip(plain, frames, strict=True)
    ]
    return [[cut(picture, window) for picture in row] for row in (plain, truth)]

"""What do the boxes of a field say? `[x, y, width, height]`, or two corners.

FiftyOne cannot tell: a box of two corners is a box, too, larger and often beyond the
frame, and the mask is stretched into it. All boxes of a video are looked at together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import fiftyone as fo

from evaluation.errors import InputError
from s3fo.datasets.fields.masks import ObjectLabel

_LOOKED_AT = 200
"""Boxes of a video that are looked at, evenly spread."""

_FEW = 3
"""Different boxes of a video below which nothing can be said."""

_BEYOND = 1.001
"""Relative coordinate from which on a box leaves the frame."""


class _Box(NamedTuple):
    x: float
    y: float
    third: float
    fourth: float
    mask: tuple[int, ...] | None

    @classmethod
    def of(cls, label: fo.Detection) -> _Box:
        """The box of a label; no mask where it lies in a file."""
        x, y, third, fourth = label.bounding_box
        return cls(
            x, y, third, fourth, None if label.mask is None else label.mask.shape
        )

    @property
    def may_be_corners(self) -> bool:
        """Whether the last two may be right and bottom."""
        return self.x < self.third <= _BEYOND and self.y < self.fourth <= _BEYOND

    @property
    def leaves(self) -> bool:
        """Whether a box of this width and height reaches beyond the frame."""
        return self.x + self.third > _BEYOND or self.y + self.fourth > _BEYOND

    def fits(self, width: float, height: float, size: tuple[int, int]) -> bool:
        """Whether the mask has the pixels of such a box."""
        if self.mask is None or len(self.mask) != 2:
            return False
        wanted = (height * size[0], width * size[1])
        return all(
            abs(own - other) <= 1 for own, other in zip(self.mask, wanted, strict=True)
        )


def check_boxes(
    frames: Mapping[str, Sequence[ObjectLabel] | None],
    size: tuple[int, int],
    where: str,
) -> list[str]:
    """Look at the boxes of all labels of a video.

    Args:
        frames: its labels.
        size: height and width of its frames.
        where: the video, to name in an error.

    Returns:
        A note where most boxes leave the frame.

    Raises:
        InputError: they are two corners, as their masks or the frame say.
    """
    every = [
        _Box.of(label)
        for labels in frames.values()
        for label in labels or ()
        if isinstance(label, fo.Detection) and len(label.bounding_box or ()) == 4
    ]
    # Of an object that stands still one box may fit by chance, and so do all.
    boxes = list(dict.fromkeys(every))
    boxes = boxes[:: max(1, len(boxes) // _LOOKED_AT)]
    beyond = sum(box.leaves for box in boxes)
    as_corners = as_size = 0
    for box in boxes:
        whole = box.fits(box.third, box.fourth, size)
        as_size += whole
        corners = box.fits(box.third - box.x, box.fourth - box.y, size)
        as_corners += corners and not whole
    if len(boxes) < _FEW:
        return []
    many = 2 * beyond > len(boxes)
    told = 2 * as_corners > len(boxes) or (many and 2 * as_size <= len(boxes))
    if told and all(box.may_be_corners for box in boxes):
        raise InputError(
            where,
            f"boxes of two corners, as it seems, such as {list(boxes[0][:4])}: "
            + ("their masks are as large as these say" if as_corners else
               f"{beyond} of {len(boxes)} would leave the frame"),
            "[x, y, width, height] relative to the frame",
            "Set every box from [x1, y1, x2, y2] to [x1, y1, x2 - x1, y2 - y1].",
        )  # fmt: skip
    if not many:
        return []
    return [
        f"{where}: {beyond} of {len(boxes)} boxes reach beyond the frame; are they "
        "[x, y, width, height], x and y of the upper left corner?"
    ]

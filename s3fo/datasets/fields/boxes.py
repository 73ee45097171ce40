"""What do the boxes of a field say, and do masks have their rows and columns?

FiftyOne cannot tell: a box of two corners is a box, too, larger and often beyond the
frame, and the mask is stretched into it, as are masks with rows for columns. All boxes
of a video are looked at together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import fiftyone as fo

from evaluation.errors import InputError
from evaluation.masks.png import read_header
from s3fo.datasets.fields.masks import ObjectLabel
from s3fo.datasets.fields.placing import has_size_of, rounding_error

_LOOKED_AT = 200
"""Boxes of a video that are looked at, evenly spread."""

_FEW = 3
"""Different boxes of a video below which nothing can be said."""

_BEYOND = 1.001
"""Relative coordinate from which on a box leaves the frame."""

_SURE = 0.25
"""Pixels by which a mask may differ from a whole number more or less than its box."""


_HALF, _EXACT = 0.5, 1e-6
"""Pixels from which a corner may be another pixel's, and by which it is that one's."""


class _Box(NamedTuple):
    """Numbers of a box, and the shape of its mask, [rows, columns] or none."""

    x: float
    y: float
    third: float
    fourth: float
    mask: tuple[int, ...]

    @classmethod
    def of(cls, label: fo.Detection) -> _Box:
        """The box of a label, and rows and columns of its mask; none without a mask."""
        x, y, third, fourth = label.bounding_box
        return cls(x, y, third, fourth, _shape_of(label))

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
        return has_size_of(self.mask, (height, width), size)

    def is_turned(self, size: tuple[int, int]) -> bool:
        """Whether only rows taken for columns give the mask the pixels of its box."""
        turned = has_size_of(self.mask[::-1], (self.fourth, self.third), size)
        return turned and not self.fits(self.third, self.fourth, size)

    @property
    def is_square(self) -> bool:
        """Whether the mask fits its box alike when rows are taken for columns."""
        return abs(self.mask[0] - self.mask[1]) <= 2

    def excess(self, size: tuple[int, int]) -> int | None:
        """Pixels that the mask has more than its box, in height as in width."""
        if len(self.mask) != 2:
            return None
        wanted = self.fourth * size[0], self.third * size[1]
        more = [own - part for own, part in zip(self.mask, wanted, strict=True)]
        whole = {round(value) for value in more}
        sure = all(abs(value - round(value)) < _SURE for value in more)
        return whole.pop() if sure and len(whole) == 1 else None


def _shape_of(label: fo.Detection) -> tuple[int, ...]:
    """Rows and columns of a mask, also of one that lies in a file."""
    if label.mask is not None:
        return tuple(label.mask.shape[:2])
    if not label.mask_path:
        return ()
    try:
        header = read_header(label.mask_path)
    except InputError:
        return ()  # it is told when it is read
    return header.size


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
        A note where most boxes leave the frame, or all are a pixel too small or large.

    Raises:
        InputError: they are two corners, as their masks or the frame say; or masks
            have the sizes of their boxes with rows and columns exchanged.
    """
    # Of an object that stands still one box may fit by chance, and so do all.
    different = {
        tuple(label.bounding_box): label
        for labels in frames.values()
        for label in labels or ()
        if isinstance(label, fo.Detection) and len(label.bounding_box or ()) == 4
    }
    some = list(different.values())[:: max(1, len(different) // _LOOKED_AT)]
    boxes = [_Box.of(label) for label in some]
    if len(boxes) < _FEW:
        return []
    _refuse_corners(boxes, size, where)
    _refuse_turned(boxes, size, where)
    beyond = sum(box.leaves for box in boxes)
    if 2 * beyond > len(boxes):
        return [
            f"{where}: {beyond} of {len(boxes)} boxes reach beyond the frame; are they "
            "[x, y, width, height], x and y of the upper left corner?"
        ]
    excess = {box.excess(size) for box in boxes}
    if excess not in ({1}, {-1}):
        return _tell_rounded(boxes, size, where)
    more, why = ("larger", "without") if excess == {1} else ("smaller", "beyond")
    return [
        f"{where}: all masks are one pixel {more} than their boxes, across and down: "
        f"were these measured {why} their last pixels? Masks were laid at their own "
        "size from the upper left corners"
    ]


def _tell_rounded(
    boxes: Sequence[_Box], size: tuple[int, int], where: str
) -> list[str]:
    """A note where digits of boxes are too few to tell on which pixels masks lie."""
    errors = [rounding_error(box[:4]) for box in boxes]
    pixels = max(errors) * max(size)
    whole = all(
        abs(v * n - round(v * n)) < _EXACT
        for box in boxes
        for v, n in ((box.x, size[1]), (box.y, size[0]))
    )
    if whole or min(errors) == 0 or pixels <= _HALF:
        return []
    return [
        f"{where}: boxes were rounded to a few digits, so that masks may lie "
        f"{pixels:.1f} pixels beside their places; keep more digits"
    ]


def _refuse_corners(boxes: Sequence[_Box], size: tuple[int, int], where: str) -> None:
    """Refuse boxes that are two corners, as their masks or the frame say."""
    beyond = sum(box.leaves for box in boxes)
    as_corners = as_size = 0
    for box in boxes:
        whole = box.fits(box.third, box.fourth, size)
        as_size += whole
        corners = box.fits(box.third - box.x, box.fourth - box.y, size)
        as_corners += corners and not whole
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


def _refuse_turned(boxes: Sequence[_Box], size: tuple[int, int], where: str) -> None:
    """Refuse masks with rows for columns; square ones fit their boxes either way."""
    turned = sum(box.is_turned(size) for box in boxes)
    square = sum(len(box.mask) == 2 and box.is_square for box in boxes)
    if turned < _FEW or turned + square < len(boxes):
        return
    odd = next(box for box in boxes if box.is_turned(size))
    width, height = round(odd.third * size[1]), round(odd.fourth * size[0])
    raise InputError(
        where,
        f"masks of {odd.mask[0]} rows and {odd.mask[1]} columns, as it seems with rows "
        f"and columns exchanged: the box is {width} pixels wide and {height} high, and "
        "so it is with all others",
        "masks [rows, columns] that fill their boxes",
        "Turn every mask: label.mask = label.mask.T",
    )

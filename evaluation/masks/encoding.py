"""What do the values of a mask mean? Ids, a 0/255 mask, or soft edges taken for ids.

These questions are asked of the first masks of a video, by everything that takes masks
from people: evaluation, prediction, loading, attributes and import. Answers are told.
Masks of one object each, whatever they come from, are all read by `object_mask`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.errors import InputError
from evaluation.protocols import VOID

LabelMap = NDArray[np.integer[Any]]

_FEW, _MANY = 4, 32
_SPREAD = 16
"""Neighbouring values of a soft mask differ by less than this part of its range."""


AS_OBJECT = (
    "no pixel of the ground truth is 0, and object {} fills all corners and most of "
    "the frame: is it the background, which is 0?"
)
"""What to say where the background has an id."""

RIMMED = (
    "lower ids lie like a rim around objects; were the masks resized with "
    "interpolation? Ids are in doubt, then: resize them with nearest neighbours"
)
"""The note on ids that interpolation made."""


@dataclass(frozen=True)
class Encoding:
    """How the masks of a video encode objects, seen from one of them.

    Attributes:
        labels: the values above 0 in the mask, ascending.
        binary: whether it is a mask of 0 and 255, one object.
        void: whether 255 stands beside other ids, and is taken for unclear pixels.
        inverted: whether the one object fills the corners and most of the frame.
        full: whether there are several values, none of which is 0.
        blended: whether ids lie like a rim around others, as interpolation makes them.
    """

    labels: tuple[int, ...]
    binary: bool
    void: bool
    inverted: bool
    full: bool = False
    blended: bool = False

    @property
    def notes(self) -> list[str]:
        """What a person should know, in sentences without a subject."""
        notes = []
        if self.binary:
            notes.append("masks are 0/255: every non-zero pixel is object 1")
        if self.void:
            ids = ", ".join(str(label) for label in self.labels[:-1][:5])
            notes.append(
                f"255 beside ids {ids} is taken for unclear pixels (void), and is no "
                "object; give it another id if it is one"
            )
        if self.inverted:
            notes.append(
                "the object fills all corners and most of the frame; is the mask "
                "inverted (background white)?"
            )
        if self.full:
            ids = ", ".join(map(str, self.labels[:5]))
            notes.append(
                f"no pixel is 0, so that every pixel belongs to an object ({ids}); is "
                "one of these the background?"
            )
        if self.blended:
            notes.append(RIMMED)
        return notes


def encoding_of(label_map: LabelMap, where: str, void: int | None = VOID) -> Encoding:
    """Look at one mask.

    Args:
        label_map: [H, W] ids.
        where: what to name in an error.
        void: label for unclear pixels; None if all labels are ids.

    Raises:
        InputError: the mask has soft edges, whose grey levels would count as objects.
    """
    refuse_soft(label_map, where)
    labels = tuple(np.unique(label_map[label_map > 0]).tolist())
    eight_bit = label_map.dtype == np.uint8 and void is not None
    binary = eight_bit and labels == (void,)
    return Encoding(
        labels,
        binary,
        eight_bit and not binary and void in labels,
        len(labels) == 1 and fills_corners(label_map),
        len(labels) > 1 and bool(label_map.all()),
        len(labels) > 1 and is_blended(label_map),
    )


def without_background(label_map: LabelMap, where: str) -> InputError | None:
    """The complaint about a label map with several values, none of which is 0."""
    if label_map.size and label_map.all() and label_map.min() != label_map.max():
        return _without_background(label_map, where)
    return None


WITHOUT_SMOOTHING = (
    "Write the mask without smoothing: resize it with nearest neighbours, draw it "
    "without anti-aliasing, or threshold it at half of its brightness."
)
"""What to do about a mask with soft edges."""


def refuse_soft(label_map: LabelMap, where: str) -> None:
    """Refuse a mask with soft edges.

    Args:
        label_map: [H, W] ids.
        where: what to name in the error.

    Raises:
        InputError: it has soft edges.
    """
    if not is_soft(label_map):
        return
    levels = len(np.unique(label_map)) - 1
    raise InputError(
        where,
        f"a mask with soft edges: {levels} grey levels between its objects and the "
        "background, which would count as so many objects",
        "a mask in which every pixel is 0 or the id of an object",
        _sharpen(label_map),
    )


def _half(values: NDArray[Any]) -> float:
    """Half of the range of values that rise from 0 to the object."""
    highest = float(values.max())
    if highest <= 1 or values.dtype.kind == "f":
        return 127 if 128 <= highest <= 255 else highest / 2
    return 127 if 128 <= highest <= 255 else float(highest // 2)


def soft_threshold(values: NDArray[Any]) -> float | None:
    """Above which value soft masks show the object; None for masks that are not soft.

    Args:
        values: [H, W] numbers, the mask of one object.

    >>> soft_threshold(np.array([[0, 60, 130, 200, 255]])), soft_threshold(np.eye(3))
    (127, None)
    """
    if values.dtype.kind not in "iuf" or values.max() == 0:
        return None
    is_real = values.dtype.kind == "f"
    if not is_real and values.max() < _GREY:
        return None
    if len(np.unique(values[values != 0])) < _FEW_IDS:
        return None
    if is_real and values.min() < 0:
        return 0
    return 0.5 if is_real and values.max() <= 1 else _half(values)


def _sharpen(values: _Values) -> str:
    """What to do about soft edges, or whatever else rises from 0 to the object.

    To take all that is not 0 would take the faintest rim for the object.
    """
    half = _half(values)
    return (
        "Write the mask without smoothing (resize it with nearest neighbours), or "
        f"threshold soft edges and probabilities of an object at half: mask > {half:g}."
    )


def is_soft(label_map: LabelMap) -> bool:
    """Whether values look like grey levels of a smooth mask, not like ids.

    Of a smoothed mask most values occur only where a lower and a higher value meet, or
    neighbouring pixels differ by small parts of the whole range.

    Args:
        label_map: [H, W] uint8 or uint16.

    >>> is_soft(np.tile(np.arange(0, 252, 12, dtype=np.uint8), (8, 1)))
    True
    >>> is_soft(np.repeat(np.arange(20, dtype=np.uint8), 8).reshape(10, 16))
    False
    """
    values = np.unique(label_map)
    values = values[values > 0]
    n, highest = len(values), int(values[-1]) if len(values) else 0
    if n < 2 or (highest <= 2 * n < 2 * _MANY):
        return False
    import cv2  # takes longer to load than most benchmarks take to score

    pixels = np.ascontiguousarray(label_map)
    if pixels.dtype not in (np.uint8, np.uint16):
        pixels = pixels.astype(np.uint16)
    square = np.ones((3, 3), np.uint8)

    low, high = cv2.erode(pixels, square), cv2.dilate(pixels, square)
    solid = set(np.unique(pixels[low == high]).tolist())
    thin = [value for value in values.tolist() if value not in solid]
    if thin:
        places = np.isin(pixels, thin)
        between = float(((low < pixels) & (pixels < high))[places].mean())
        many = len(thin) >= max(_FEW - 1, (n + 1) // 2)
        all_but_the_highest = len(thin) == n - 1 and min(thin) >= 32
        if between > (0.5 if many else 0.9) and (many or all_but_the_highest):
            return True
    return n >= _MANY and _is_gradual(pixels, highest)


_ROWS = 120
"""Rows of a mask, evenly spread, that are looked at for rims."""

_RIM = 2
"""Pixels that interpolation spreads an edge over, at most."""

_FEWEST_STEPS = 16
"""Steps up to an object along the rows, by which its rim can be judged."""

_MANY_STEPS = 40
"""Steps from which chance hardly plays a role: fewer must agree better."""

_BLENDED = 0.35
"""Share of staircases among them. Ground truth of several objects has 0.1 as a rule,
and 0.4 to 0.9 once it was resized with interpolation."""

_Values = NDArray[Any]
"""[H, W] numbers of any kind."""

HALF = (
    "masks of one object have many values above 0 (soft edges): they were thresholded, "
    "mask > {:g} (binarize)"
)
"""The remark on soft masks that are thresholded with binarize."""

FAINT = (
    "masks have several values above 0 (soft edges?): every pixel that is not 0 counts "
    "(binarize), however faint"
)
"""The remark on soft masks that are read with binarize."""

_FEW_IDS = 4
"""Values besides 0 from which one mask hardly holds several objects."""

_GREY = 64
"""Ids of objects hardly go so high; grey levels do."""

_ONE_VALUE = "0 outside the object, and one other value inside it"

_OR_BINARIZE = (
    "Where whatever is not 0 shall be one object, evaluate takes binarize=True "
    "(--binarize)."
)


def object_mask(
    values: NDArray[Any],
    where: str,
    *,
    binarize: bool = False,
    notice: Callable[[str], None] = lambda text: None,
) -> NDArray[np.bool_]:
    """The mask of one object from an image or array that holds this object only.

    Such masks are 0 outside the object, and have one value inside, any. Others are
    probabilities, smoothed, or have no background: what belongs to the object is then
    not for us to guess.

    Args:
        values: [H, W] bool, integers or real numbers.
        where: what to name in an error.
        binarize: threshold soft masks at half, and of a few values take whatever is
            not 0; `notice` is told.
        notice: told what had to be decided.

    Returns:
        [H, W] bool.

    Raises:
        InputError: several values above 0 without `binarize`; several values none of
            which is 0; real numbers other than 0 and 1 without `binarize`.

    Example:
        >>> object_mask(np.array([[0, 200], [200, 0]]), "mask").tolist()
        [[False, True], [True, False]]
    """
    if values.ndim != 2 or values.dtype.kind not in "biuf":
        raise InputError(
            where,
            f"a mask of shape {values.shape}, type {values.dtype}",
            "a mask [H, W]: True or not 0 where the object is",
            "Pass booleans or integers, one two-dimensional mask per object.",
        )
    if values.dtype == bool:
        return values
    inside = np.asarray(values != 0)
    if not inside.any():
        return inside
    one_value = np.array_equal(inside, values == values.max())
    is_real = values.dtype.kind == "f"
    if one_value and not (is_real and values.max() != 1):
        return inside
    half = soft_threshold(values) if binarize else None
    if half is not None:
        notice(HALF.format(half))
        return np.asarray(values > half)
    if inside.all():
        raise _without_background(values, where)
    if not binarize:
        raise (
            _real_numbers(values, where) if is_real else _several_values(values, where)
        )
    if not one_value:
        notice(FAINT)
    return inside


def _without_background(values: _Values, where: str) -> InputError:
    levels = np.unique(values)
    if len(levels) > 2 or values.dtype.kind == "f":
        found = f"values {levels[0]:g} to {levels[-1]:g}, none of which is 0"
    else:
        found = " and ".join(f"{level}" for level in levels.tolist())
        found = f"values {found}, none of which is 0"
    return InputError(
        where,
        f"a mask without background: {found}",
        _ONE_VALUE,
        f"Write 0 where the object is not. {_threshold(values)}",
    )


def _threshold(values: _Values) -> str:
    """Where to cut values of one object that are no mask yet."""
    if values.min() < 0:
        return "These go below 0, as logits do: threshold them at 0 (mask > 0)."
    if values.max() <= 1:
        return "Threshold probabilities first (mask > 0.5)."
    half = _half(values)
    return (
        f"Threshold values from 0 to {values.max():g} at half of their range "
        f"(mask > {half:g}), logits at 0 (mask > 0)."
    )


def _real_numbers(values: _Values, where: str) -> InputError:
    return InputError(
        where,
        f"real numbers from {values.min():g} to {values.max():g} (probabilities or "
        "logits?)",
        "a mask: True or not 0 where the object is",
        _threshold(values),
    )


_AS_LABEL_MAP = (
    "They look like ids of several objects: one label map of all objects is the PNG "
    "<sequence>/<frame>.png, without folders of objects (in Python, the array [H, W] "
    "itself in place of {id: mask}). If they are one object:"
)


def are_ids(values: NDArray[Any]) -> bool:
    """Whether a mask [H, W] has several values above 0 that look like ids of objects.

    >>> are_ids(np.array([[0, 1, 1], [0, 2, 2]])), are_ids(np.array([[0, 255]]))
    (True, False)
    """
    if values.dtype.kind not in "iu" or not values.size:
        return False
    least, highest = int(values.min()), int(values.max())
    if least < 0 or not 2 <= highest < _GREY or len(np.unique(values[values > 0])) < 2:
        return False
    return not is_soft(values.astype(np.uint16))


def _several_values(values: _Values, where: str) -> InputError:
    levels = np.unique(values[values != 0]).tolist()
    listed = ", ".join(map(str, levels[:5])) + (", ..." if len(levels) > 5 else "")
    return InputError(
        where,
        f"a mask of one object with {len(levels)} values besides 0 ({listed}): soft "
        "edges, probabilities, or several objects?",
        _ONE_VALUE,
        _sharpen(values)
        if len(levels) >= _FEW_IDS and levels[-1] >= _GREY
        else f"{_AS_LABEL_MAP + ' ' if are_ids(values) else ''}{WITHOUT_SMOOTHING} "
        f"{_OR_BINARIZE}",
    )


def is_blended(label_map: LabelMap) -> bool:
    """Whether an object is rimmed by ids between its own and 0, as after blurring.

    Interpolation between 0 and id 3 makes 1 and 2: along a row of pixels, a step up to
    3 is a staircase. Objects that lie side by side make one only where three meet.

    Args:
        label_map: [H, W] uint8 or uint16.

    >>> is_blended(np.repeat(np.array([[0, 1, 2, 0]], np.uint8), (9, 1, 9, 9), 1))
    False
    >>> rows = np.repeat(np.array([[0, 1, 2, 0]], np.uint8), (9, 1, 9, 9), axis=1)
    >>> is_blended(np.repeat(rows, 60, axis=0))
    True
    """
    rows = label_map[:: max(1, len(label_map) // _ROWS)]
    width = rows.shape[1] - 1
    starts = np.flatnonzero(rows[:, 1:] != rows[:, :-1])
    if len(starts) < _FEWEST_STEPS:
        return False
    at = starts // width, starts % width
    lower, upper = rows[at], rows[at[0], at[1] + 1]
    tops = np.maximum(lower, upper)
    # A run between two steps of one row: its length, and the values on its sides.
    near = (np.diff(starts) <= _RIM) & (starts[1:] // width == starts[:-1] // width)
    before, inside, after = lower[:-1], upper[:-1], upper[1:]
    rising = (before < inside) & (inside < after)
    falling = (before > inside) & (inside > after)
    stairs = near & (inside > 0) & (rising | falling)
    of_stairs = np.bincount(np.maximum(before, after)[stairs])
    steps = np.bincount(tops)[: len(of_stairs)]
    share = np.where(steps < _MANY_STEPS, 0.6, _BLENDED)
    blended = (steps >= _FEWEST_STEPS) & (of_stairs > share * steps)
    blended[VOID : VOID + 1] = False  # drawn around objects on purpose
    return bool(blended.any())


def fills_corners(label_map: LabelMap | NDArray[np.bool_]) -> bool:
    """Whether all corners and most of a mask are not 0, but not all of it."""
    inside = label_map != 0
    corners = inside[0, 0] and inside[0, -1] and inside[-1, 0] and inside[-1, -1]
    return bool(corners) and 0.5 < float(inside.mean()) < 1


def background_as_object(label_map: LabelMap) -> int | None:
    """The object that fills all corners and most of a frame of which no pixel is 0.

    None where there is none, or no other object.
    """
    key = int(label_map[0, 0])
    if not key or not fills_corners(label_map == key) or not label_map.all():
        return None
    return key


def _is_gradual(label_map: LabelMap, highest: int) -> bool:
    """Whether most neighbours that differ do so by little."""
    wide = label_map.astype(np.int32)
    steps = np.abs(np.diff(wide, axis=1))
    steps = steps[steps > 0]
    return bool(steps.size) and float((steps < highest / _SPREAD).mean()) > 0.8

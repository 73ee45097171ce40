"""The mask of one FiftyOne label in its frame; what is unclear is refused by name.

`Detection` with `mask` or `mask_path`, and filled `Polyline`. FiftyOne's rules hold: a
mask fills its box, whatever its resolution, and boxes and outlines may leave the frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import cv2
import fiftyone as fo
import numpy as np
from numpy.typing import NDArray

from evaluation._utils.input_files import read_input
from evaluation.errors import InputError
from evaluation.masks.decoder import MaskDecoder
from evaluation.masks.label_map import LabelMap, Mask, join_objects
from s3fo.datasets.fields.placing import is_flat, place_mask

ObjectLabel: TypeAlias = fo.Detection | fo.Polyline
FrameLabels: TypeAlias = fo.Detections | fo.Detection | fo.Polylines | fo.Polyline

OBJECT_KINDS = (fo.Detections, fo.Detection, fo.Polylines, fo.Polyline)
"""Kinds of fields whose labels are objects with a shape."""


def objects_in(value: FrameLabels | None) -> list[ObjectLabel] | None:
    """The objects of a frame that are there; None where nothing was said about it.

    Args:
        value: of a field of one of `OBJECT_KINDS`.
    """
    if value is None:
        return None
    if isinstance(value, fo.Detections):
        labels = list(value.detections)
    elif isinstance(value, fo.Polylines):
        labels = list(value.polylines)
    else:
        labels = [value]
    return [label for label in labels if not _is_absent(label)]


def _is_absent(label: ObjectLabel) -> bool:
    """Whether a label says that its object is not to be seen: it has no extent.

    So the zoo's DAVIS-2017 has objects that are hidden.
    """
    if isinstance(label, fo.Polyline):
        return not any(label.points or ())
    if label.mask is not None:
        return is_flat(label.bounding_box) and not np.any(label.mask)
    return label.mask_path is None and is_flat(label.bounding_box)


def has_shape(label: ObjectLabel) -> bool:
    """Whether a label has a mask or an outline, not only a box."""
    return isinstance(label, fo.Polyline) or bool(label.has_mask)


def label_mask(
    label: ObjectLabel,
    size: tuple[int, int],
    where: str,
    *,
    binarize: bool | None = None,
) -> NDArray[np.bool_]:
    """The pixels of an object in its frame.

    Args:
        label: one of `objects_in`.
        size: height and width of the frame.
        where: the frame, to name in an error.
        binarize: take whatever is not 0 in a mask for the object; None where the
            caller has no such option to offer.

    Returns:
        [H, W] bool.

    Raises:
        InputError: no mask, an unclear one, a file that is not there, or a box that is
            no box.
    """
    where = f"{where}, {_name(label)}"
    if isinstance(label, fo.Polyline):
        return _polyline_mask(label, size, where)
    mask = label.mask
    if mask is None and label.mask_path:
        mask = _read_mask(label.mask_path, where)
    if mask is None:
        raise InputError(
            where,
            "a label without mask, but with a box",
            "labels with a mask and index, or a mask and instance",
            "Set its `mask` or `mask_path`, or delete the label if the object is not "
            "to be seen.",
        )
    return place_mask(mask, label.bounding_box, size, where, binarize=binarize)


def object_masks(
    labels: Sequence[ObjectLabel],
    numbers: Sequence[int],
    size: tuple[int, int],
    where: str,
    binarize: bool | None = None,
) -> dict[int, Mask]:
    """The masks of a frame's objects, those with more pixels first; they may overlap.

    Args:
        labels: those of `objects_in`.
        numbers: the id of the object of each of them.
        size: height and width of the frame.
        where: the frame, to name in an error.
        binarize: as for `label_mask`.

    Returns:
        Object id -> [H, W] bool; labels of one object are joined.

    Raises:
        InputError: as `label_mask`.
    """
    masks: dict[int, Mask] = {}
    for label, number in zip(labels, numbers, strict=True):
        mask = label_mask(label, size, where, binarize=binarize)
        masks[number] = masks[number] | mask if number in masks else mask
    larger_first = sorted(masks, key=lambda number: -int(masks[number].sum()))
    return {number: masks[number] for number in larger_first}


def paint(masks: Mapping[int, Mask], size: tuple[int, int]) -> tuple[LabelMap, bool]:
    """Lay masks into one label map; where they overlap the smaller lies on top.

    Args:
        masks: of `object_masks`.
        size: height and width of the frame.

    Returns:
        The label map, and whether any masks overlap.
    """
    if not masks:
        return np.zeros(size, np.uint8), False
    painted = join_objects(masks)
    total = sum(int(np.count_nonzero(mask)) for mask in masks.values())
    return painted, total > int(np.count_nonzero(painted))


def _name(label: ObjectLabel) -> str:
    kind = type(label).__name__
    index = "" if label.index is None else f", index {label.index}"
    return f"{kind} {label.label or ''}".strip() + f" ({label.id}{index})"


def read_mask_file(path: str, where: str) -> bytes:
    """The content of the file that a label refers to.

    Args:
        path: the label's `mask_path`.
        where: the label, to name in an error.

    Raises:
        InputError: it is not there, or cannot be read.
    """
    try:
        return read_input(path)
    except InputError as error:
        raise InputError(
            where,
            f"mask_path {path}: {error.found}",
            "a PNG of the mask",
            "Put the file back, or set the label's `mask_path` to where it is.",
        ) from error


def _read_mask(path: str, where: str) -> NDArray[np.bool_]:
    """A mask file: of a palette PNG the indices count, not the colours.

    FiftyOne would read the channels of its colours, and miss what has no red.
    """
    data = read_mask_file(path, where)
    decoded = MaskDecoder(binarize=True).decode(data, path)
    return np.asarray(decoded)


def _polyline_mask(
    label: fo.Polyline, size: tuple[int, int], where: str
) -> NDArray[np.bool_]:
    """The inside of a filled outline; of several shapes what is in any of them."""
    if not label.filled:
        raise InputError(
            where,
            "an outline that is not filled",
            "polylines with filled=True: their inside is the object",
            "Set `filled` to True if the inside is meant, or delete the label.",
        )
    height, width = size
    points = [np.asarray(shape, float).reshape(-1, 2) for shape in label.points]
    if not all(np.isfinite(shape).all() for shape in points) or any(
        np.abs(shape).max(initial=0) >= _FAR for shape in points
    ):
        raise InputError(
            where,
            "points that are not relative to the frame (pixels?)",
            "[x, y] in 0..1, a little outside at most",
            "Divide x by the frame's width and y by its height.",
        )
    full = np.zeros(size, np.uint8)
    # As FiftyOne draws them: corners are rounded down to whole pixels.
    corners = [np.floor(shape * (width, height)).astype(np.int32) for shape in points]
    cv2.fillPoly(full, [shape for shape in corners if len(shape)], 1)
    return full.astype(bool)


_FAR = 2.0
"""Relative coordinates from which on pixels are meant."""

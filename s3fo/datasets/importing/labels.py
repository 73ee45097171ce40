"""Masks -> FiftyOne labels: one `Detection` per object and frame."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import fiftyone as fo
import numpy as np
from numpy.typing import NDArray

from evaluation.counting.kernels import object_boxes
from s3fo.benchmarks.video import VideoSequence
from s3fo.datasets._fiftyone import (
    Id,
    derived_id,
    detection_document,
    detections_document,
)


class ObjectMask(NamedTuple):
    """One object in one frame.

    Attributes:
        object_id: at least 1.
        box: ``[x, y, width, height]`` relative to the picture, 0..1.
        pixels: [h, w] label map inside the box.
        value: what the object's pixels are in it.
    """

    object_id: int
    box: list[float]
    pixels: NDArray[np.integer]
    value: int

    @property
    def mask(self) -> NDArray[np.bool_]:
        """[h, w] bool, the object inside its box; made when asked for."""
        return np.asarray(self.pixels == self.value)


def masks_of_label_map(
    label_map: NDArray[np.integer], *, ignore: int | None = None
) -> list[ObjectMask]:
    """Every object of a label map, smallest id first.

    Args:
        label_map: [H, W] uint8 or uint16, 0 = background, k = object k.
        ignore: a pixel value that is no object.
    """
    ids, boxes = object_boxes(label_map)
    found = []
    for object_id, box in zip(ids.tolist(), boxes.tolist(), strict=True):
        if object_id != ignore:
            top, bottom, left, right = box
            pixels = label_map[top:bottom, left:right]
            relative = _relative_box(left, top, pixels.shape, label_map.shape)
            found.append(ObjectMask(object_id, relative, pixels, object_id))
    return found


def masks_of_frame(sequence: VideoSequence, frame: str) -> list[ObjectMask]:
    """Every object annotated in a frame; overlapping masks stay whole.

    Raises:
        InputError: the frame has no annotation, or its file is broken.
    """
    if sequence.object_masks is None:
        label_map, void = sequence.stored_annotation(frame)
        return masks_of_label_map(label_map, ignore=void)
    found = []
    for object_id, mask in sorted(sequence.read_object_masks(frame).items()):
        for item in masks_of_label_map(mask.astype(np.uint8)):
            found.append(item._replace(object_id=object_id))
    return found


def _relative_box(
    left: int, top: int, size: tuple[int, ...], shape: tuple[int, ...]
) -> list[float]:
    x, width = _relative_span(left, size[1], shape[1])
    y, height = _relative_span(top, size[0], shape[0])
    return [x, y, width, height]


def _relative_span(start: int, length: int, full: int) -> tuple[float, float]:
    """Start and length in parts of the whole, which FiftyOne makes the same pixels of.

    Its exporters multiply and cut decimals off: of 9.99999 pixels they would make 9,
    and shrink the mask into a box that is one pixel too small.
    """
    first = start / full
    while int(full * first) < start:
        first = math.nextafter(first, math.inf)
    extent = length / full
    while int(full * (first + extent)) < start + length:
        extent = math.nextafter(extent, math.inf)
    return first, extent


def categories_of(sequence: VideoSequence) -> dict[int, str | None]:
    """Category of the objects that the benchmark lists; decodes nothing."""
    if sequence.known_objects is None:
        return {}
    return {item.object_id: item.category for item in sequence.objects}


def object_label(object_id: int, categories: Mapping[int, str | None]) -> str:
    """What an object is called: its category, else ``"object 3"``."""
    return categories.get(object_id) or f"object {object_id}"


def object_instance(sequence: str, object_id: int) -> fo.Instance:
    """The instance that all labels of one object share.

    It follows from the names alone, so that ground truth and the predictions of
    any method, imported at any time, agree.
    """
    return fo.Instance(id=str(_instance_id(sequence, object_id)))


@lru_cache(maxsize=4096)
def _instance_id(sequence: str, object_id: int) -> Id:
    return derived_id(f"{sequence}/{object_id}")


def detections_of(
    sequence: str,
    objects: list[ObjectMask],
    categories: Mapping[int, str | None],
    *,
    with_masks: bool,
) -> fo.Detections:
    """The labels of one frame.

    Args:
        sequence: name of the sequence.
        objects: its objects in this frame.
        categories: category of each object id where known.
        with_masks: keep the masks in the labels, not only the boxes.
    """
    return fo.Detections(
        detections=[
            fo.Detection(
                label=object_label(item.object_id, categories),
                bounding_box=item.box,
                mask=item.mask if with_masks else None,
                index=item.object_id,
                instance=object_instance(sequence, item.object_id),
            )
            for item in objects
        ]
    )


def labels_document(
    sequence: str,
    objects: list[ObjectMask],
    categories: Mapping[int, str | None],
    *,
    with_masks: bool,
) -> dict[str, object]:
    """`detections_of` as MongoDB keeps it, made many times as fast.

    Args:
        sequence: name of the sequence.
        objects: its objects in this frame.
        categories: category of each object id where known.
        with_masks: keep the masks in the labels, not only the boxes.
    """
    return detections_document(
        [
            detection_document(
                object_label(item.object_id, categories),
                item.box,
                item.object_id,
                _instance_id(sequence, item.object_id),
                item.mask if with_masks else None,
            )
            for item in objects
        ]
    )


def object_spans(
    seen: Mapping[int, list[int]], categories: Mapping[int, str | None]
) -> fo.TemporalDetections:
    """One `TemporalDetection` per object, from its first to its last frame.

    Args:
        seen: the frames in which each object is seen, counted from 1, in order.
        categories: category of each object id where known.

    Returns:
        Labels with `index` (object id) and `visible_frames` (annotated frames in
        which the object is seen); `support` counts frames from 1.
    """
    return fo.TemporalDetections(
        detections=[
            fo.TemporalDetection(
                label=object_label(object_id, categories),
                support=[numbers[0], numbers[-1]],
                index=object_id,
                visible_frames=len(numbers),
            )
            for object_id, numbers in sorted(seen.items())
        ]
    )

"""Masks in a dataset's frame field -> what a method is shown: first appearances."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import Any, TypeAlias

import fiftyone as fo
import fiftyone.core.labels as fol
import numpy as np
from PIL import Image

from evaluation.errors import InputError
from evaluation.masks.sequence import ArraySequence
from s3fo.benchmarks import VideoObject, VideoSequence
from s3fo.benchmarks.video_file import iterate_frames
from s3fo.datasets.field_names import GROUND_TRUTH
from s3fo.datasets.fields.boxes import check_boxes
from s3fo.datasets.fields.masks import (
    OBJECT_KINDS,
    ObjectLabel,
    label_mask,
    objects_in,
)
from s3fo.datasets.fields.objects import Key, frame_text, identify
from s3fo.datasets.fields.segmentation import segmentation_map
from s3fo.datasets.fields.videos import Value

Frames: TypeAlias = Mapping[int, Any]
"""A sample's frames by number, from 1."""


@dataclass(frozen=True)
class FirstMasks:
    """The mask of every object in the frame of its first appearance.

    Attributes:
        masks: by frame name and object id, [H, W] bool.
        names: what each object is called; empty where nothing says so.
        instances: FiftyOne's id of the instance of each object that has no `index`.
    """

    masks: dict[str, dict[int, np.ndarray]]
    names: dict[int, str] = field(default_factory=dict)
    instances: dict[int, str] = field(default_factory=dict)


def prompt_fields(dataset: fo.Dataset) -> list[str]:
    """Frame fields that may hold first masks, the ground truth first.

    Error maps hold none; files of masks are found through the labels beside them.
    """
    schema = dataset.get_frame_field_schema()
    kinds = {
        name: getattr(item, "document_type", None) for name, item in schema.items()
    }
    labels = {name for name, kind in kinds.items() if kind in OBJECT_KINDS}
    errors = {f"{key}_errors" for key in dataset.list_evaluations()}
    maps = {
        name
        for name, kind in kinds.items()
        if kind is fol.Segmentation and name.removesuffix("_mask") not in labels
    }
    return sorted(
        labels | (maps - errors), key=lambda name: (name != GROUND_TRUTH, name)
    )


def videos_with_masks(dataset: fo.Dataset, name: str) -> list[str]:
    """Sequences that have at least one label in a frame field.

    Raises:
        InputError: there is none.
    """
    kind = dataset.get_field(f"frames.{name}").document_type
    inside = {fol.Detections: "detections.id", fol.Polylines: "polylines.id"}
    path = inside.get(kind, "id")
    labels = dataset.values(["sequence", f"frames.{name}.{path}"])
    found = [video for video, frames in zip(*labels, strict=True) if any(frames)]
    if not found:
        raise InputError(
            f"frames.{name}",
            "no masks in any video",
            "each object's mask in the frame of its first appearance",
            "Choose another field for the first masks, or fill this one.",
        )
    return found


def prompted_by(
    sequence: VideoSequence, read: Callable[[], FirstMasks]
) -> VideoSequence:
    """The same video with first masks from elsewhere, and no other annotation.

    Args:
        sequence: the video.
        read: gives its first masks; called when the video's turn comes.
    """

    def objects() -> tuple[VideoObject, ...]:
        return tuple(
            VideoObject(object_id, frame)
            for frame, masks in read().masks.items()
            for object_id in masks
        )

    return replace(
        sequence,
        annotations={},
        known_objects=None,
        binary=False,
        load_objects=objects,
        load_object_masks=lambda: ArraySequence(sequence.name, read().masks),
    )


def read_first_masks(frames: Frames, path: str, sequence: VideoSequence) -> FirstMasks:
    """Look through a video for the first mask of every object.

    Labels belong to one object if they share their `index`, or where they have none,
    their `instance`; objects known by their instance alone get the smallest free ids,
    in the order in which they appear.

    Args:
        frames: of the video's sample.
        path: of the field, without ``frames.``: labels with masks, or label maps.
        sequence: the video.

    Raises:
        InputError: a label without mask, or with neither index nor instance, boxes of
            two corners, or a label map of another size.
    """
    shape = _frame_shape(sequence)
    found = FirstMasks({})
    seen: set[Key] = set()
    values = _values(frames, path, sequence)
    known = _identified(values, sequence)
    check_boxes(
        {name: [label for label, _ in own] for name, own in known.items()},
        shape,
        f"sequence {sequence.name}",
    )
    numbers = _Numbers(
        {key for own in known.values() for _, key in own if isinstance(key, int)}
    )
    for name, value in values.items():
        objects = known[name]
        for key, label, read_mask in _objects(value, objects, sequence, shape, name):
            if key in seen:
                continue
            seen.add(key)
            object_id = numbers.of(key)
            found.masks.setdefault(name, {})[object_id] = read_mask()
            if label:
                found.names[object_id] = label
            if isinstance(key, str):
                found.instances[object_id] = key
    return found


def read_frame_masks(
    frames: Frames, path: str, sequence: VideoSequence, frame: str
) -> dict[Key, np.ndarray]:
    """Masks [H, W] bool of the objects in one frame of a field, by their keys.

    Args:
        frames: of the video's sample.
        path: of the field, without ``frames.``: labels with masks, or label maps.
        sequence: the video.
        frame: name of the frame.

    Raises:
        InputError: a label without mask, or with neither index nor instance, or a
            label map of another size.
    """
    values = _values(frames, path, sequence)
    if frame not in values:
        return {}
    objects, shape = _identified(values, sequence)[frame], _frame_shape(sequence)
    found = _objects(values[frame], objects, sequence, shape, frame)
    return {key: read() for key, _, read in found}


def _values(frames: Frames, path: str, sequence: VideoSequence) -> dict[str, Value]:
    """What a field holds in each frame of a video, by the frame's name."""
    return {
        name: _value(frames[number], path)
        for number, name in enumerate(sequence.frames, start=1)
        if number in frames
    }


def _identified(
    values: Mapping[str, Value], sequence: VideoSequence
) -> dict[str, list[tuple[ObjectLabel, Key]]]:
    """The labels of each frame, and which object each of them is."""
    labels = {
        name: None if isinstance(value, fol.Segmentation) else objects_in(value)
        for name, value in values.items()
    }
    keys = identify(sequence.name, labels, numbered=True).keys
    return {
        name: list(zip(own or (), keys[name], strict=True))
        for name, own in labels.items()
    }


_Object: TypeAlias = tuple[Key, str | None, Callable[[], np.ndarray]]
_LARGEST_ID = 65_535
"""Ids are pixels of 16-bit label maps; 0 is the background."""


class _Numbers:
    """Object ids for keys: an index that fits is one; others get the next free."""

    def __init__(self, indices: set[int]) -> None:
        self._indices = {index for index in indices if 1 <= index <= _LARGEST_ID}
        self._given: dict[Key, int] = {}

    def of(self, key: Key) -> int:
        """The object id of a key, the same whenever it is asked for."""
        if isinstance(key, int) and key in self._indices:
            return key
        if key not in self._given:
            taken = self._indices | set(self._given.values())
            self._given[key] = next(k for k in count(1) if k not in taken)
        return self._given[key]


def _value(frame: fo.Frame, path: str) -> Value:
    """What a field holds in a frame; the mask files that belong to it, if any."""
    value = frame[path]
    beside = f"{path}_mask"  # where datasets of many frames keep the masks of labels
    if isinstance(value, fol.Detections) and frame.has_field(beside):
        return frame[beside]
    return value


def _objects(
    value: Value,
    objects: Iterable[tuple[ObjectLabel, Key]],
    sequence: VideoSequence,
    shape: tuple[int, int],
    frame: str,
) -> Iterator[_Object]:
    """Key, name and mask of every object in a frame."""
    number = sequence.frames.index(frame) + 1
    place = f"{sequence.name}, {frame_text(frame, number)}"
    if isinstance(value, fol.Segmentation):
        label_map = _label_map(value, sequence, shape, place)
        for object_id in np.unique(label_map[label_map > 0]).tolist():
            yield object_id, None, partial(np.equal, label_map, object_id)
        return
    for label, key in objects:
        yield key, label.label, partial(label_mask, label, shape, place)


def _label_map(
    value: fol.Segmentation,
    sequence: VideoSequence,
    shape: tuple[int, int],
    place: str,
) -> np.ndarray:
    """Object ids [H, W] of a frame, void as background."""
    label_map = segmentation_map(value, place, [])
    if label_map.shape != shape:
        raise InputError(
            place,
            f"a mask of shape {label_map.shape}",
            f"a label map of {shape[1]}x{shape[0]} pixels",
            "Choose a field whose masks are object ids, at the size of the frames.",
        )
    if sequence.binary:
        return (label_map > 0).astype(np.uint8)
    if sequence.void is not None and label_map.dtype == np.uint8:
        return np.where(label_map >= sequence.void, 0, label_map)
    return label_map


def _frame_shape(sequence: VideoSequence) -> tuple[int, int]:
    """Height and width of a video's frames in pixels."""
    if sequence.images:
        with Image.open(sequence.images[sequence.frames[0]]) as image:
            return image.height, image.width
    assert sequence.video is not None, "frames are files, or inside a video"
    height, width = next(iterate_frames(sequence.video)).shape[:2]
    return height, width

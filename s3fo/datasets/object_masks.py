"""Masks of one object inside its labels, where else masks are only referred to.

With ``masks="reference"`` a frame has one picture of all objects, which the App cannot
take apart. When somebody wants to look at one object alone, its masks are read from
the files and put into the labels that it has anyway; there they stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import fiftyone as fo
from bson import Binary, ObjectId
from fiftyone.core.utils import serialize_numpy_array

from evaluation.labelmap import read_label_map
from s3fo.benchmarks import VideoSequence
from s3fo.datasets.fields import GROUND_TRUTH
from s3fo.datasets.labels import ObjectMask, masks_of_frame, masks_of_label_map
from s3fo.datasets.parallel import map_ahead
from s3fo.datasets.records import benchmark_of, recall_predictions
from s3fo.datasets.writing import update

MOST_FRAMES = 200
"""Frames that masks are put into at a time: as many as are read within a click."""


class _Missing(NamedTuple):
    """A label without mask: its frame, that frame's name, its place among labels."""

    frame_id: ObjectId
    frame: str
    place: int


def put_masks(
    dataset: fo.Dataset, field: str, sample_id: str, object_id: int, first: int
) -> None:
    """Give the labels of an object masks, in `MOST_FRAMES` frames at most.

    Args:
        dataset: made by `load_benchmark`.
        field: frame field: the ground truth, or a method's predictions.
        sample_id: of the video.
        object_id: index of the labels; others are left alone.
        first: number of the first frame, from 1.

    Raises:
        InputError: a file is broken.
    """
    if not dataset.has_frame_field(f"{field}_mask"):
        return  # The labels have masks from the beginning.
    (name,) = dataset.select(sample_id).values("sequence")
    sequence = benchmark_of(dataset)[name]
    read = _reader(dataset, field, sequence)

    def updated(item: _Missing) -> tuple[ObjectId, dict[str, Any]]:
        found = [own for own in read(item.frame) if own.object_id == object_id]
        mask = Binary(serialize_numpy_array(found[0].mask)) if found else None
        return item.frame_id, {f"{field}.detections.{item.place}.mask": mask}

    missing = list(_missing(dataset, field, sample_id, sequence, object_id, first))
    update(dataset, list(map_ahead(updated, missing, None)), frames=True)


def _missing(
    dataset: fo.Dataset,
    field: str,
    sample_id: str,
    sequence: VideoSequence,
    object_id: int,
    first: int,
) -> Iterator[_Missing]:
    root = f"{field}.detections"
    frames = dataset._frame_collection.find(
        {
            "_sample_id": ObjectId(sample_id),
            "frame_number": {"$gte": first, "$lt": first + MOST_FRAMES},
        },
        {"frame_number": 1, f"{root}.index": 1, f"{root}.mask": 1},
    )
    for document in frames:
        labels = (document.get(field) or {}).get("detections", [])
        for place, label in enumerate(labels):
            if label["index"] == object_id and label.get("mask") is None:
                frame = sequence.frames[document["frame_number"] - 1]
                yield _Missing(document["_id"], frame, place)


def _reader(
    dataset: fo.Dataset, field: str, sequence: VideoSequence
) -> Callable[[str], list[ObjectMask]]:
    if field == GROUND_TRUTH:
        return lambda frame: masks_of_frame(sequence, frame)
    folder = recall_predictions(dataset)[field].folder / sequence.name
    return lambda frame: _read(folder / f"{frame}.png", sequence.binary)


def _read(path: Path, binary: bool) -> list[ObjectMask]:
    label_map = read_label_map(path)
    return masks_of_label_map((label_map > 0).astype("uint8") if binary else label_map)

"""Masks of one object inside its labels, where else masks are only referred to.

With ``masks="reference"`` a frame has one picture of all objects, which the App cannot
take apart. When somebody wants to look at one object alone, its masks are read from
the files and put into the labels that it has anyway; there they stay.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import fiftyone as fo
import numpy as np
from bson import Binary, ObjectId

from evaluation.masks.label_map import read_label_map
from s3fo.benchmarks import VideoSequence
from s3fo.datasets.field_names import GROUND_TRUTH
from s3fo.datasets.importing.labels import (
    ObjectMask,
    masks_of_frame,
    masks_of_label_map,
)
from s3fo.datasets.importing.parallel import map_ahead
from s3fo.datasets.importing.writing import Update, update
from s3fo.datasets.schema import benchmark_of, recall_predictions

MOST_FRAMES = 500
"""Frames that masks are put into at a time: as many as are read within a click.

0.4 ms each at 480p, for the ground truth and for every method that is shown.
"""

_FRAMES_A_PIECE = 100
"""Frames that one thread reads at a time."""

_FASTEST = 1
"""Of zlib's levels: five times as fast as the usual one, half as large again."""


class _Missing(NamedTuple):
    """A label without mask: its frame, that frame's name, its place among labels."""

    frame_id: ObjectId
    frame: str
    place: int


def put_masks(
    dataset: fo.Dataset, field: str, sample_id: str, object_id: int, first: int
) -> int | None:
    """Give the labels of an object masks, in `MOST_FRAMES` frames at most.

    Args:
        dataset: made by `load_benchmark`.
        field: frame field: the ground truth, or a method's predictions.
        sample_id: of the video.
        object_id: index of the labels; others are left alone.
        first: number of the first frame, from 1.

    Returns:
        Number of the last frame that masks were put into; later ones may lack them.
        None where labels have masks from the beginning.

    Raises:
        InputError: a file is broken.
    """
    if not dataset.has_frame_field(f"{field}_mask"):
        return None
    (name,) = dataset.select(sample_id).values("sequence")
    sequence = benchmark_of(dataset)[name]
    read = _reader(dataset, field, sequence)

    def updates(piece: Sequence[_Missing]) -> list[Update]:
        return [
            (item.frame_id, {f"{field}.detections.{item.place}.mask": mask})
            for item in piece
            for mask in [_stored(read(item.frame), object_id)]
        ]

    missing = list(_missing(dataset, field, sample_id, sequence, object_id, first))
    starts = range(0, len(missing), _FRAMES_A_PIECE)
    pieces = (missing[start : start + _FRAMES_A_PIECE] for start in starts)
    for ready in map_ahead(updates, pieces):
        update(dataset, ready, frames=True)
    return first + MOST_FRAMES - 1


def _stored(objects: Sequence[ObjectMask], object_id: int) -> Binary | None:
    """The mask of an object as FiftyOne keeps it: a compressed npy file."""
    for item in objects:
        if item.object_id == object_id:
            with io.BytesIO() as file:
                np.save(file, item.mask)
                return Binary(zlib.compress(file.getvalue(), _FASTEST))
    return None


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

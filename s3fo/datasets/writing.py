"""Masks of many frames -> the database, in few bulk writes.

Frames are read in pieces on several threads, and written with one update a frame:
memory stays flat however long a video is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import fiftyone as fo
from bson import ObjectId
from pymongo import UpdateOne

from s3fo.benchmarks import VideoSequence
from s3fo.datasets.labels import (
    ObjectMask,
    categories_of,
    detections_document,
    segmentation_document,
)
from s3fo.datasets.parallel import map_ahead

MaskForm = Literal["instances", "reference"]
"""How masks are kept: inside each `Detection`, or as the path of the PNG."""

FRAMES_A_WRITE = 1_000
"""Frames that are held in memory and written together."""

_FRAMES_A_PIECE = 100
"""Frames that one thread reads at a time."""

Item = TypeVar("Item")
FrameUpdate = tuple[ObjectId, dict[str, Any]]
"""Id of a frame, and the new values by path below the frame."""


@dataclass(frozen=True)
class MaskSource:
    """Where the masks of one sample come from.

    Attributes:
        sequence: the sequence.
        read: gives the objects in a frame; called for `masked` frames only, on any
            thread.
        masked: names of the frames that have masks.
        files: PNG of each frame that has one.
        images: image of each frame, to be kept with it; empty to leave that alone.
        seen: filled while writing: the frames, counted from 1, in which each object
            is seen.
    """

    sequence: VideoSequence
    read: Callable[[str], list[ObjectMask]]
    masked: frozenset[str]
    files: Mapping[str, Path]
    images: Mapping[str, Path] = field(default_factory=dict)
    seen: dict[int, list[int]] = field(default_factory=dict)


class _Piece(NamedTuple):
    """Some frames of a sample, with the ids that they have in the database."""

    source: MaskSource
    first: int
    ids: Sequence[str]


class _Read(NamedTuple):
    """A piece ready to be written, and the object ids in each of its frames."""

    piece: _Piece
    updates: list[FrameUpdate]
    object_ids: list[list[int]]


def batches(
    items: Iterable[Item], frames: Callable[[Item], int]
) -> Iterator[list[Item]]:
    """Group items until a group has `FRAMES_A_WRITE` frames.

    Args:
        items: sequences in any form.
        frames: how many frames of one item have to be written.
    """
    batch: list[Item] = []
    held = 0
    for item in items:
        batch.append(item)
        held += frames(item)
        if held >= FRAMES_A_WRITE:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def declare_masks(dataset: fo.Dataset, field: str, form: MaskForm) -> None:
    """Make the frame fields that masks of one source need."""
    document = fo.EmbeddedDocumentField
    dataset.add_frame_field(field, document, embedded_doc_type=fo.Detections)
    dataset.add_frame_field(f"{field}.detections.index", fo.IntField)
    if form == "reference":
        mask_field = f"{field}_mask"
        dataset.add_frame_field(mask_field, document, embedded_doc_type=fo.Segmentation)


def write_masks(
    view: fo.DatasetView,
    field: str,
    sources: Sequence[MaskSource],
    form: MaskForm,
    workers: int | None = None,
) -> None:
    """Read and write the masks of some sequences.

    Args:
        view: the sequences' samples, in the order of `sources`, with all frames.
        field: frame field of the detections.
        sources: what to read and write.
        form: put masks into the labels, or refer to the files in `<field>_mask`.
        workers: threads that read; None means one per core.

    Raises:
        InputError: a mask cannot be read.
    """
    pieces = _pieces(view, sources)
    read = map_ahead(lambda piece: _read(piece, field, form), pieces, workers)
    for batch in batches(read, lambda item: len(item.updates)):
        update_frames(view, [update for item in batch for update in item.updates])
        for piece, _, object_ids in batch:
            for number, present in enumerate(object_ids, start=piece.first + 1):
                for object_id in present:
                    piece.source.seen.setdefault(object_id, []).append(number)


def update_frames(
    samples: fo.core.collections.SampleCollection, updates: Sequence[FrameUpdate]
) -> None:
    """Set values of many frames, each frame in one update.

    `set_values` needs one update for every field, and for every label in it.

    Args:
        samples: the dataset, or a view of it.
        updates: at most some thousand frames.
    """
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    operations = [
        UpdateOne({"_id": frame_id}, {"$set": {**values, "last_modified_at": now}})
        for frame_id, values in updates
    ]
    if operations:
        ids = [str(frame_id) for frame_id, _ in updates]
        samples._root_dataset._bulk_write(operations, ids=ids, frames=True)


def _pieces(view: fo.DatasetView, sources: Sequence[MaskSource]) -> Iterator[_Piece]:
    for source, ids in zip(sources, view.values("frames.id"), strict=True):
        for first in range(0, len(ids), _FRAMES_A_PIECE):
            yield _Piece(source, first, ids[first : first + _FRAMES_A_PIECE])


def _read(piece: _Piece, field: str, form: MaskForm) -> _Read:
    source, sequence = piece.source, piece.source.sequence
    categories = categories_of(sequence)
    updates: list[FrameUpdate] = []
    object_ids = []
    for frame_id, frame in zip(piece.ids, sequence.frames[piece.first :], strict=False):
        values: dict[str, Any] = {field: None}
        objects: list[ObjectMask] = []
        if frame in source.masked:
            objects = source.read(frame)
            values[field] = detections_document(
                sequence.name, objects, categories, with_masks=form == "instances"
            )
        if form == "reference":
            path = source.files.get(frame)
            values[f"{field}_mask"] = path and segmentation_document(str(path))
        if source.images:
            values["filepath"] = str(source.images[frame])
        updates.append((ObjectId(frame_id), values))
        object_ids.append([item.object_id for item in objects])
    return _Read(piece, updates, object_ids)

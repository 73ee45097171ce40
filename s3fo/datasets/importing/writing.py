"""Masks of many frames -> the database, in few bulk writes.

Frames are read in pieces on several threads, and written with one update per frame:
memory stays flat however long a video is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar

import fiftyone as fo

from s3fo.benchmarks import VideoSequence
from s3fo.benchmarks.layouts.files import path_text
from s3fo.choices import MaskForm
from s3fo.datasets._fiftyone import (
    Document,
    Id,
    Update,
    insert_frame_documents,
    new_id,
    segmentation_document,
    update_documents,
)
from s3fo.datasets.declaring import FieldKind, declare_fields
from s3fo.datasets.importing.labels import (
    ObjectMask,
    categories_of,
    labels_document,
)
from s3fo.datasets.parallel import map_ahead

FRAMES_A_WRITE = 1_000
"""Frames that are held in memory and written together."""

_FRAMES_A_PIECE = 100
"""Frames that one thread reads at a time."""

Item = TypeVar("Item")


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


Carry = Callable[[str, Document], Document | None]
"""Labels of a frame, by the id of its document, with what they take over."""


class _Piece(NamedTuple):
    """Some frames of a sample: their numbers, from 1, and the ids of their documents.

    `sample` is the sample's id where the documents are still to be made, else None.
    """

    source: MaskSource
    numbers: Sequence[int]
    ids: Sequence[str | Id]
    sample: str | None


class _Read(NamedTuple):
    """A piece ready to be written, and the object ids in each of its frames."""

    piece: _Piece
    updates: list[Update]
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
    path = f"frames.{field}"
    fields: dict[str, FieldKind] = {
        path: fo.Detections,
        f"{path}.detections.index": fo.IntField,
    }
    if form == "reference":
        fields[f"{path}_mask"] = fo.Segmentation
    declare_fields(dataset, fields)


def index_labels(dataset: fo.Dataset, field: str, attributes: Sequence[str]) -> None:
    """Index attributes of a frame field's labels.

    Opening such an attribute in the App's sidebar (its values, its bounds) then does
    not look at every frame. An index costs 6 microseconds per frame.
    """
    for name in attributes:
        dataset.create_index(f"frames.{field}.detections.{name}")


def write_masks(
    view: fo.DatasetView,
    field: str,
    sources: Sequence[MaskSource],
    form: MaskForm,
    workers: int | None = None,
    carry: Carry | None = None,
) -> None:
    """Read the masks of some sequences and write them to their frames.

    Args:
        view: the sequences' samples, in the order of `sources`, with all frames.
        field: frame field of the detections.
        sources: what to read and write.
        form: put masks into the labels, or refer to the files in `<field>_mask`.
        workers: threads that read; None means one per core.
        carry: what becomes of a frame's labels, by the id of its document.

    Raises:
        InputError: a mask cannot be read.
    """
    columns = view.values(["frames.frame_number", "frames.id"])
    pieces = (
        _Piece(source, numbers[part], ids[part], None)
        for source, numbers, ids in zip(sources, *columns, strict=True)
        for part in _parts(len(numbers))
    )
    for updates in _updates(pieces, field, form, workers, carry):
        update_documents(view, updates, frames=True)


def insert_frames(
    dataset: fo.Dataset,
    samples: Sequence[str],
    field: str,
    sources: Sequence[MaskSource],
    form: MaskForm,
    workers: int | None = None,
) -> None:
    """Make the frames of some sequences together with their masks.

    Frames that are made empty and filled later cost the database twice as much.

    Args:
        dataset: what to add frames to.
        samples: ids of the sequences' samples, which have no frames yet.
        field: frame field of the detections.
        sources: what to read and write.
        form: put masks into the labels, or refer to the files in `<field>_mask`.
        workers: threads that read; None means one per core.

    Raises:
        InputError: a mask cannot be read.
    """
    pieces = (
        _Piece(source, numbers, [new_id() for _ in numbers], sample)
        for source, sample in zip(sources, samples, strict=True)
        for part in _parts(len(source.sequence.frames))
        for numbers in [range(1, len(source.sequence.frames) + 1)[part]]
    )
    for updates in _updates(pieces, field, form, workers):
        insert_frame_documents(dataset, [values for _, values in updates])


def _parts(n_frames: int) -> Iterator[slice]:
    """What one thread reads at a time."""
    for first in range(0, n_frames, _FRAMES_A_PIECE):
        yield slice(first, first + _FRAMES_A_PIECE)


def _updates(
    pieces: Iterable[_Piece],
    field: str,
    form: MaskForm,
    workers: int | None,
    carry: Carry | None = None,
) -> Iterator[list[Update]]:
    """What to write, many frames at a time; then note which objects were seen."""
    read = map_ahead(lambda piece: _read(piece, field, form, carry), pieces, workers)
    for batch in batches(read, lambda item: len(item.updates)):
        yield [update for item in batch for update in item.updates]
        for piece, _, object_ids in batch:
            for number, present in zip(piece.numbers, object_ids, strict=True):
                for object_id in present:
                    piece.source.seen.setdefault(object_id, []).append(number)


def _read(piece: _Piece, field: str, form: MaskForm, carry: Carry | None) -> _Read:
    source, sequence = piece.source, piece.source.sequence
    categories = categories_of(sequence)
    updates: list[Update] = []
    object_ids = []
    # By their numbers: the dataset may have lost some frames.
    names = dict(enumerate(sequence.frames, start=1))
    for number, key in zip(piece.numbers, piece.ids, strict=True):
        frame = names.get(number, "")
        values: dict[str, object] = {field: None}
        if piece.sample:
            values |= {
                "_id": key,
                "_sample_id": Id(piece.sample),
                "frame_number": number,
            }
        objects: list[ObjectMask] = []
        if frame in source.masked:
            objects = source.read(frame)
            labels = labels_document(
                sequence.name, objects, categories, with_masks=form == "instances"
            )
            values[field] = carry(str(key), labels) if carry else labels
        if form == "reference":
            values[f"{field}_mask"] = (
                segmentation_document(path_text(source.files, frame))
                if frame in source.files
                else None
            )
        if source.images:
            values["filepath"] = path_text(source.images, frame)
        updates.append((key, values))
        object_ids.append([item.object_id for item in objects])
    return _Read(piece, updates, object_ids)

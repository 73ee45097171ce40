"""Masks of many frames -> the database, in few bulk writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import fiftyone as fo

from s3fo.benchmarks import VideoSequence
from s3fo.datasets.labels import ObjectMask, categories_of, detections_of

MaskForm = Literal["instances", "reference"]
"""How masks are kept: inside each `Detection`, or as the path of the PNG."""

FRAMES_A_WRITE = 1_000
"""Frames that are held in memory and written together."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class FrameMasks:
    """The masks of one sequence, read and ready to be written.

    Attributes:
        sequence: the sequence.
        objects: its objects in every frame; None where the frame has no mask file.
        files: PNG of each frame that has one.
    """

    sequence: VideoSequence
    objects: list[list[ObjectMask] | None]
    files: Mapping[str, Path]


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
    view: fo.DatasetView, field: str, items: list[FrameMasks], form: MaskForm
) -> None:
    """Write the masks of some sequences.

    Args:
        view: the sequences' samples, in the order of `items`, with all frames.
        field: frame field of the detections.
        items: what to write.
        form: put masks into the labels, or refer to the files in `<field>_mask`.
    """
    labels = [_detections(item, form) for item in items]
    view.set_values(f"frames.{field}", labels, validate=False)
    if form == "reference":
        masks = [_references(item) for item in items]
        view.set_values(f"frames.{field}_mask", masks, validate=False)


def _detections(item: FrameMasks, form: MaskForm) -> list[fo.Detections | None]:
    sequence = item.sequence
    categories = categories_of(sequence)
    return [
        None
        if objects is None
        else detections_of(
            sequence.name, objects, categories, with_masks=form == "instances"
        )
        for objects in item.objects
    ]


def _references(item: FrameMasks) -> list[fo.Segmentation | None]:
    return [
        fo.Segmentation(mask_path=str(item.files[frame]))
        if frame in item.files
        else None
        for frame in item.sequence.frames
    ]

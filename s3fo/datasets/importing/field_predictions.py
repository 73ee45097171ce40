"""Predictions that live in FiftyOne -> a results folder, so that they can be scored.

Whatever made them (a zoo model, annotators, an import of one's own): any frame field
with masks is a method. Scores come from files, so the masks are written to the cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
from PIL import Image

from evaluation._utils.cache_dir import user_cache
from evaluation._utils.input_files import refuse_special
from evaluation.errors import InputError
from evaluation.masks.label_map import join_objects, write_label_map
from s3fo.benchmarks import VideoSequence
from s3fo.benchmarks.video_file import iterate_frames
from s3fo.datasets.field_names import GROUND_TRUTH
from s3fo.datasets.importing.placing import place_mask
from s3fo.datasets.importing.predictions import add_predictions, content_of_results
from s3fo.datasets.schema import (
    Predictions,
    evaluations,
    load_benchmark_info,
    load_predictions_info,
    save_predictions_info,
)

_KINDS = (fo.Detections, fo.Segmentation)


def field_methods(dataset: fo.Dataset) -> list[str]:
    """Frame fields with masks that were not imported from files: methods all the same.

    Args:
        dataset: made by `load_benchmark`.
    """
    imported = load_predictions_info(dataset)
    own = {GROUND_TRUTH, *(f"{key}_errors" for key in evaluations(dataset))}
    own |= {name for name, record in imported.items() if not record.from_field}
    own |= {f"{name}_mask" for name in (GROUND_TRUTH, *imported)}
    return [
        name
        for name, kind in dataset.get_frame_field_schema().items()
        if getattr(kind, "document_type", None) in _KINDS and name not in own
    ]


def use_field(dataset: fo.Dataset, field: str) -> str:
    """Make a frame field of the dataset a method, or bring it up to date.

    `Detections` stay where they are. Objects are told apart by `index`, else by
    `instance`: labels that share the instance of an annotated object are that object,
    other instances are numbered on from the highest id; the index is then written to
    the labels. Frames without labels have no object. A `Segmentation`, whose pixel
    values are the ids, is imported beside itself as ``<field>_objects``.

    Args:
        dataset: made by `load_benchmark`.
        field: name of the frame field.

    Returns:
        Name of the method.

    Raises:
        InputError: no masks in it, or labels that belong to no object.
    """
    load_benchmark_info(dataset)  # refuses before anything is written
    folder = user_cache("fields", dataset.name, field)
    kind = dataset.get_frame_field_schema()[field].document_type
    if kind is fo.Detections:
        _give_indices(dataset, field)
    present = write_field(dataset, field, folder)
    if kind is fo.Segmentation:
        name = f"{field}_objects"
        add_predictions(dataset, folder, name)
        return name
    content = content_of_results(folder, present)
    if load_predictions_info(dataset).get(field) != Predictions(folder, content):
        made = {"field": f"frames.{field}"}
        save_predictions_info(
            dataset, field, Predictions(folder, content, made, from_field=True)
        )
    return field


def write_field(dataset: fo.Dataset, field: str, folder: Path) -> list[VideoSequence]:
    """Write a frame field as ``<sequence>/<frame>.png``, smaller objects on top.

    Args:
        dataset: made by `load_benchmark`.
        field: name of the frame field; its labels have an index.
        folder: where to.

    Returns:
        The videos that have labels.

    Raises:
        InputError: no masks in it, or labels that belong to no object.
    """
    benchmark = load_benchmark_info(dataset)
    if dataset.has_frame_field(field):
        for sequence in benchmark:
            _write_sequence(dataset, sequence, field, folder)
    present = [item for item in benchmark if (folder / item.name).is_dir()]
    if not present:
        raise InputError(
            f"field frames.{field}",
            "no masks",
            "labels with masks in at least one video",
            "Run the model that fills it, or choose another field.",
        )
    return present


def _give_indices(dataset: fo.Dataset, field: str) -> None:
    """Write the index of labels that have only an instance."""
    path = f"frames.{field}.detections.index"
    missing = dataset.has_field(path) and None not in dataset.values(path, unwind=True)
    if missing:
        return
    for sample in dataset.select_fields([f"frames.{field}", f"frames.{GROUND_TRUTH}"]):
        _index_video(sample, field)


def _index_video(sample: fo.Sample, field: str) -> None:
    ids: dict[Any, int] = {}
    highest = 0
    for _, frame in sample.frames.items():
        for label in _detections(frame, GROUND_TRUTH):
            highest = max(highest, label.index or 0)
            if (instance := _instance(label)) is not None:
                ids.setdefault(instance, label.index)
    for number, frame in sample.frames.items():
        changed = False
        for label in _detections(frame, field):
            if label.index is not None:
                continue
            instance = _instance(label)
            if instance is None:
                raise InputError(
                    f"{sample.filepath}, frame {number}",
                    f"a label of frames.{field} without index and instance",
                    "one or the other, the same through a video",
                    "Set `index` to the id of the annotated object.",
                )
            if instance not in ids:
                highest += 1
                ids[instance] = highest
            label.index = ids[instance]
            changed = True
        if changed:
            frame.save()


def _detections(frame: fo.Frame, field: str) -> list[fo.Detection]:
    labels = frame[field] if frame.has_field(field) else None
    return labels.detections if labels is not None else []


def _instance(label: fo.Detection) -> str | None:
    instance = getattr(label, "instance", None)
    return None if instance is None else instance.id


def _write_sequence(
    dataset: fo.Dataset, sequence: VideoSequence, field: str, folder: Path
) -> None:
    """Write the label maps of one video; none if it has no labels at all."""
    sample = dataset.one(fo.ViewField("sequence") == sequence.name)
    labels = {number: frame[field] for number, frame in sample.frames.items()}
    if all(label is None for label in labels.values()):
        return
    size = _size(sequence)
    for number, name in enumerate(sequence.frames, start=1):
        label_map = _label_map(labels.get(number), size, f"{sequence.name}/{name}")
        write_label_map(folder / sequence.name / f"{name}.png", label_map)


def _label_map(
    label: fo.Detections | fo.Segmentation | None, size: tuple[int, int], where: str
) -> np.ndarray:
    if label is None:
        return np.zeros(size, np.uint8)
    if isinstance(label, fo.Segmentation):
        mask = _index_mask(label)
        if mask is None:
            return np.zeros(size, np.uint8)
        if mask.shape != size:
            raise InputError(
                where,
                f"a mask of {mask.shape[1]}x{mask.shape[0]} pixels",
                f"{size[1]}x{size[0]}, as the frame",
                "Write the masks at the size of the frames.",
            )
        return mask
    masks: dict[int, np.ndarray] = {}
    for item, mask in sorted(_masks(label), key=lambda pair: -int(pair[1].sum())):
        if item.index < 1:
            raise InputError(
                where,
                f"a label with index {item.index}",
                "the id of an annotated object, from 1",
                "Set `index` of the labels to the ids of the ground truth.",
            )
        own = masks.setdefault(item.index, np.zeros(size, bool))
        own |= place_mask(mask, item.bounding_box, size)
    return join_objects(masks) if masks else np.zeros(size, np.uint8)


def _masks(label: fo.Detections) -> Iterator[tuple[fo.Detection, np.ndarray]]:
    for item in label.detections:
        if item.has_mask:
            yield item, item.get_mask() > 0


def _index_mask(label: fo.Segmentation) -> np.ndarray | None:
    """Pixel values of a segmentation: of files their indices, not their colours."""
    if label.mask is not None:
        return np.asarray(label.mask)
    if label.mask_path is None:
        return None
    refuse_special(label.mask_path)
    with Image.open(label.mask_path) as image:
        return np.asarray(image)


def _size(sequence: VideoSequence) -> tuple[int, int]:
    """Height and width of the frames, which the player's mp4 may exceed by a pixel."""
    if sequence.video:
        height, width = next(iterate_frames(sequence.video)).shape[:2]
        return height, width
    with Image.open(sequence.images[sequence.frames[0]]) as image:
        return image.height, image.width

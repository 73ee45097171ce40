"""A frame field -> ``<sequence>/<frame>.png``: what the files of a method would say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from itertools import count
from pathlib import Path

import fiftyone as fo
from PIL import Image

from evaluation._utils.atomic import new_folder
from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map, write_object_masks
from evaluation.notes import Note
from evaluation.options import DEFAULT_OPTIONS, InputOptions
from evaluation.protocols import VOID
from s3fo.benchmarks import VideoSequence
from s3fo.benchmarks.video_file import iterate_frames
from s3fo.datasets.field_names import GROUND_TRUTH
from s3fo.datasets.fields.boxes import check_boxes
from s3fo.datasets.fields.masks import FrameLabels, object_masks, objects_in, paint
from s3fo.datasets.fields.objects import Key, frame_text, identify
from s3fo.datasets.fields.segmentation import segmentation_map
from s3fo.datasets.schema import load_benchmark_info

_LARGEST_ID = 2**16 - 1


def write_field(
    dataset: fo.Dataset,
    field: str,
    folder: Path,
    *,
    options: InputOptions = DEFAULT_OPTIONS,
    give_indices: bool = False,
) -> tuple[list[VideoSequence], tuple[str, ...]]:
    """Write a frame field as ``<sequence>/<frame>.png``.

    Where objects overlap anywhere in it, each object gets masks of its own instead, as
    ``<sequence>/<object>/<frame>.png``. Frames in which the field is None get no file.
    What was in the folder before goes.

    Args:
        dataset: made by `load_benchmark`.
        field: name of the frame field.
        folder: where to; ours to replace.
        options: how masks are read.
        give_indices: write the ids of objects that are known by their instance to
            their labels.

    Returns:
        The videos that have labels, and notes about what had to be decided.

    Raises:
        InputError: no masks in it, unclear ones, or labels that belong to no object.
    """
    written = _write_all(dataset, field, folder, options, apart=False)
    if any(job.overlaps for job in written):
        written = _write_all(dataset, field, folder, options, apart=True)
    if give_indices:
        for job in written:
            _give_indices(dataset, job.sequence.name, field, job.indices)
    notes = (
        note.about(f"frames.{field}")
        if isinstance(note, Note)
        else f"frames.{field}: {note}"
        for job in written
        for note in job.notes
    )
    return [job.sequence for job in written], tuple(notes)


def _write_all(
    dataset: fo.Dataset, field: str, folder: Path, options: InputOptions, *, apart: bool
) -> list[_Video]:
    """Write every video that has labels, with the masks of objects apart or not."""
    written = []
    with new_folder(folder, replaces=True) as temporary:
        found = load_benchmark_info(dataset) if dataset.has_frame_field(field) else ()
        for sequence in found:
            values = _read(dataset, sequence, field)
            if all(value is None for value in values.values()):
                continue
            video = _Video(dataset, sequence, field, options, apart)
            video.write(values, temporary)
            written.append(video)
        if not written:
            raise InputError(
                f"field frames.{field}",
                "no masks",
                "labels with masks in at least one video",
                "Run the model that fills it, or choose another field.",
            )
    return written


_Values = dict[str, FrameLabels | fo.Segmentation | None]
"""Of each frame of a video, by name, what the field holds."""


def _read(dataset: fo.Dataset, sequence: VideoSequence, field: str) -> _Values:
    """What a field holds in each frame of a video.

    Raises:
        InputError: it holds something beyond the last frame.
    """
    view = dataset.select_by("sequence", [sequence.name])
    numbers, values = view.values(["frames.frame_number", f"frames.{field}"])
    by_number = dict(zip(numbers[0] or (), values[0] or (), strict=True))
    total = len(sequence.frames)
    beyond = [n for n, value in by_number.items() if value is not None and n > total]
    if beyond:
        raise InputError(
            f"frames.{field}, video {sequence.name}",
            f"labels in frame {beyond[0]}",
            f"labels in frames 1 to {total}",
            "Number the frames from 1, as the video has them: labels may be one frame "
            "late.",
        )
    return {name: by_number.get(n) for n, name in enumerate(sequence.frames, start=1)}


@dataclass
class _Video:
    """Writes the masks of one video.

    Attributes:
        apart: whether each object gets masks of its own.
        notes: what had to be decided.
        indices: the index that labels have to get, by their id.
        overlaps: whether objects overlap in any frame.
    """

    dataset: fo.Dataset
    sequence: VideoSequence
    field: str
    options: InputOptions
    apart: bool
    notes: list[str] = dataclass_field(default_factory=list)
    indices: dict[str, int] = dataclass_field(default_factory=dict)
    overlaps: bool = False

    def write(self, values: _Values, folder: Path) -> None:
        """Write them.

        Args:
            values: what the field holds in each frame.
            folder: of all videos.
        """
        lacking = [name for name, value in values.items() if value is None]
        if lacking:
            self.notes.append(
                f"{self.sequence.name}: None in {len(lacking)} of {len(values)} frames "
                f"({', '.join(lacking[:5])}{', ...' if len(lacking) > 5 else ''}), "
                "which have no prediction"
            )
        target = folder / self.sequence.name
        if any(isinstance(value, fo.Segmentation) for value in values.values()):
            for name, value in values.items():
                if isinstance(value, fo.Segmentation):
                    label_map = segmentation_map(value, self._where(name), self.notes)
                    write_label_map(target / f"{name}.png", label_map)
        else:
            self._write_objects(values, target)

    def _where(self, frame: str) -> str:
        place = frame_text(frame, self.sequence.frames.index(frame) + 1)
        return f"frames.{self.field}, {self.sequence.name}, {place}"

    def _write_objects(self, values: _Values, target: Path) -> None:
        labels = {name: objects_in(value) for name, value in values.items()}
        of_field = f"frames.{self.field}, "
        keys, told = identify(of_field + self.sequence.name, labels, numbered=True)
        self.notes.extend(note.removeprefix(of_field) for note in told)
        ids = self._object_ids(keys)
        size = _size(self.sequence)
        told = check_boxes(labels, size, of_field + self.sequence.name)
        self.notes.extend(note.removeprefix(of_field) for note in told)
        binarize = self.options.binarize
        for name, own in labels.items():
            if own is None:
                continue
            numbers = [ids[key] for key in keys[name]]
            masks = object_masks(own, numbers, size, self._where(name), binarize)
            if self.apart:
                every = sorted(set(ids.values()))
                write_object_masks(masks, every, size, target, name)
            else:
                painted, overlaps = paint(masks, size)
                self.overlaps |= overlaps
                write_label_map(target / f"{name}.png", painted)
        self.indices = {
            str(label.id): ids[key]
            for name, own in labels.items()
            for label, key in zip(own or (), keys[name], strict=True)
            if label.index != key
        }

    def _object_ids(self, keys: Mapping[str, list[Key]]) -> dict[Key, int]:
        """The id in the files of each object.

        Raises:
            InputError: an index below 1.
        """
        for frame, own in keys.items():
            low = [key for key in own if isinstance(key, int) and key < 1]
            if low:
                raise InputError(
                    self._where(frame),
                    f"a label with index {low[0]}",
                    "the id of an annotated object, from 1",
                    "Set `index` of the labels to the ids of the ground truth.",
                )
        annotated = _annotated_ids(self.dataset, self.sequence.name)
        every = list(dict.fromkeys(key for own in keys.values() for key in own))
        known = set(annotated.values())
        others = [str(key) for key in every if isinstance(key, int) if key not in known]
        if others:
            there = ", ".join(map(str, sorted(known))) or "there are none"
            self.notes.append(
                f"{self.sequence.name}: index {', '.join(others[:5])} is that of no "
                f"annotated object ({there})"
            )
        ids = _number_keys(every, annotated)
        own = [key for key in every if isinstance(key, str) and key not in annotated]
        if own:
            told = (
                f"{self.sequence.name}: {len(own)} instances are those of no annotated "
                f"object; numbered {', '.join(str(ids[key]) for key in own[:5])}"
            )
            self.notes.append(Note(told, "numbered-instances"))
        return ids


def _number_keys(every: Sequence[Key], annotated: Mapping[Key, int]) -> dict[Key, int]:
    """An id for each object: its index, if it fits, or that of its instance.

    Args:
        every: the objects.
        annotated: the id of annotated objects, by id and instance.
    """
    known = set(annotated.values())
    fits = {
        key
        for key in every
        if isinstance(key, int)
        and (key in known or (key <= _LARGEST_ID and key != VOID))
    }
    highest = max(known | fits, default=0)
    # Not the next id: ids that are all one too high count the background, too.
    first = highest + 2 if highest + 1 + len(every) < _LARGEST_ID else 1
    free = (n for n in count(first) if n not in known | fits and n != VOID)
    ids: dict[Key, int] = {}
    for key in every:
        own = key if key in fits else annotated.get(key)
        ids[key] = next(free) if own is None else int(own)
    return ids


def _annotated_ids(dataset: fo.Dataset, name: str) -> dict[Key, int]:
    """The id of each annotated object of a video, by its id and its instance."""
    view = dataset.select_by("sequence", [name])
    path = f"frames.{GROUND_TRUTH}.detections"
    indices, instances = view.values(
        [f"{path}.index", f"{path}.instance._id"], unwind=True
    )
    found: dict[Key, int] = {
        index: index
        for index in view.values("objects.detections.index", unwind=True)
        if index is not None
    }
    for index, instance in zip(indices, instances, strict=True):
        if index is not None:
            found.setdefault(index, index)
            if instance is not None:
                found.setdefault(str(instance), index)
    return found


def _give_indices(
    dataset: fo.Dataset, video: str, field: str, ids: Mapping[str, int]
) -> None:
    """Write the index of labels, by id, that are known by their instance only."""
    if not ids:
        return
    view = dataset.select_by("sequence", [video]).select_fields([f"frames.{field}"])
    for sample in view:
        for frame in sample.frames.values():
            labels = [
                label for label in objects_in(frame[field]) or () if label.id in ids
            ]
            for label in labels:
                label.index = ids[label.id]
            if labels:
                frame.save()


def _size(sequence: VideoSequence) -> tuple[int, int]:
    """Height and width of the frames, which the player's mp4 may exceed by a pixel."""
    if sequence.video:
        height, width = next(iterate_frames(sequence.video)).shape[:2]
        return height, width
    with Image.open(sequence.images[sequence.frames[0]]) as image:
        return image.height, image.width

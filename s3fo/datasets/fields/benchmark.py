"""A FiftyOne dataset that somebody else made -> a benchmark to score and load.

Such as the zoo's DAVIS-2017 (`voxel51/davis-2017`): images with masks in their labels.
Scores come from files, so the masks are written as label maps first.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import count
from os import PathLike
from pathlib import Path

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection

from evaluation._utils.atomic import new_folder, write_atomically
from evaluation._utils.names import counted
from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from evaluation.masks.encoding import refuse_soft
from evaluation.masks.label_map import LabelMap, read_label_map, write_label_map
from evaluation.masks.numbering.between_frames import TRUE_IDS_CHANGE, ids_change
from evaluation.protocols import VOID
from s3fo.benchmarks import Benchmark, VideoSequence, catalog
from s3fo.benchmarks.video_file import read_fps
from s3fo.datasets._fiftyone import root_dataset
from s3fo.datasets.fields.boxes import check_boxes
from s3fo.datasets.fields.masks import (
    OBJECT_KINDS,
    has_shape,
    object_masks,
    objects_in,
    paint,
)
from s3fo.datasets.fields.objects import TEXT, Identified, Key, identify
from s3fo.datasets.fields.segmentation import segmentation_map
from s3fo.datasets.fields.videos import FieldVideo, read_videos

_KINDS = (*OBJECT_KINDS, fo.Segmentation)
_LARGEST_ID = 2**16 - 1
_TOLD = 10
"""Ids written out in one note."""

MARK = "from_fiftyone.json"
"""File beside the masks that says where they come from: they are ours to replace."""


@dataclass(frozen=True)
class _Known:
    """What has to be known of a video before any is written: ids run through all.

    Attributes:
        identified: the keys of its labels.
        labelled: the frames with labels, and those that were looked at.
    """

    identified: Identified
    looked_at: tuple[str, ...]
    labelled: frozenset[str]


def benchmark_from_dataset(
    samples: SampleCollection,
    folder: str | PathLike[str],
    *,
    field: str = "ground_truth",
    sequence: str | None = None,
    name: str | None = None,
    split: str | None = None,
    progress: ProgressCallback | None = None,
) -> Benchmark:
    """Take a FiftyOne dataset of images or videos with object masks as a benchmark.

    >>> theirs = foz.load_zoo_dataset("https://github.com/voxel51/davis-2017",
    ...                               split="validation", format="image")
    >>> benchmark = benchmark_from_dataset(theirs, "davis", name="davis-2017")
    >>> dataset = s3fo.load_benchmark(benchmark)

    The field holds labels with masks, filled polylines, or label maps. The id of an
    object is its `index`; where labels have none, objects are told apart by
    `instance`, else by the number at the end of their `label`, or by labels that occur
    once per frame. An index that labels of different objects share, such as -1 on all,
    is no id. Ids that count from 0 are moved by one, for 0 is the background; others
    that a mask file cannot hold (-1, 255, 70000) are replaced. All that is told in the
    benchmark's notes. If only first frames show objects, only these count as annotated.
    Masks fill their boxes, and boxes may leave the frame, as in FiftyOne. Labels
    without mask stand for objects that are not to be seen if their box has no extent.

    Args:
        samples: a dataset or view. Images are grouped into sequences by the folder
            they lie in, videos are a sequence each.
        folder: where to write the masks, as ``Annotations/<sequence>/<frame>.png``.
            Masks that an earlier call wrote there are replaced.
        field: the labels (of the frames, in a video dataset).
        sequence: the field with the sequence's name, if it has one.
        name: catalog name of the benchmark, which tells how to score it; None
            takes the dataset's name and DAVIS-2017's rules.
        split: as in the catalog.
        progress: told after every sequence.

    Raises:
        InputError: no such field, labels without or with unclear masks, or without
            ids, or samples that are no videos or images.
    """
    folder, field = Path(folder), field.removeprefix("frames.")
    kind = _kind_of(samples, field)
    masks = folder / "Annotations"
    _refuse_others_masks(folder, masks)
    entry = catalog.get_entry(name, split) if name else None
    notes: list[str] = []
    known = {
        video.name: _look_at(video, kind)
        for video in read_videos(samples, field, sequence, notes)
    }
    ids, told = _number_objects({name: one.identified for name, one in known.items()})
    first_only = not any(one.labelled - {one.looked_at[0]} for one in known.values())
    sequences: list[VideoSequence] = []
    told += [note for one in known.values() for note in one.identified.notes]
    with new_folder(masks, replaces=True) as temporary:
        for video in read_videos(samples, field, sequence, []):
            own = known[video.name]
            frames = own.labelled if first_only else own.looked_at
            write = _Writer(temporary, ids[video.name], own, told)
            write(video, frames)
            sequences.append(_describe(video, frames, masks, write.drawn == {VOID}))
            if progress:
                progress(len(sequences), len(known), video.name)
    source = root_dataset(samples).name
    write_atomically(folder / MARK, json.dumps({"dataset": source}).encode())
    notes = [f"masks of the FiftyOne dataset {source}", *notes, *told]
    return Benchmark(
        name=name or source,
        split=entry.split if entry else split,
        root=folder,
        sequences=tuple(sequences),
        protocol=entry.protocol if entry else "davis-2017",
        notes=tuple(dict.fromkeys(notes)),
    )


def _kind_of(samples: SampleCollection, field: str) -> type:
    """What a field holds.

    Raises:
        InputError: no such field, or no masks in it.
    """
    video = samples.media_type == "video"
    schema = (
        samples.get_frame_field_schema() if video else samples.get_field_schema()
    ) or {}
    kinds = {key: getattr(kind, "document_type", None) for key, kind in schema.items()}
    fitting = sorted(key for key, kind in kinds.items() if kind in _KINDS)
    if field not in fitting:
        raise InputError(
            f"field {field!r}",
            f"none of this name with masks in {root_dataset(samples).name}",
            f"one of {', '.join(fitting) or 'none at all'}",
            "Name the field with the objects' masks.",
        )
    kind = kinds[field]
    assert isinstance(kind, type)
    return kind


def _refuse_others_masks(folder: Path, masks: Path) -> None:
    """Refuse to replace masks that this module did not write.

    Raises:
        InputError: the folder holds some.
    """
    if masks.exists() and not (folder / MARK).is_file():
        if masks.is_dir() and not any(masks.iterdir()):
            return
        raise InputError(
            masks,
            "masks that somebody else wrote",
            "a folder without them, or one that an earlier call wrote",
            "Give another folder; this one is left as it is.",
        )


def _look_at(video: FieldVideo, kind: type) -> _Known:
    """The objects of a video; their masks are not looked at yet.

    Raises:
        InputError: it has none, or labels that cannot be told apart.
    """
    looked_at = tuple(name for name, value in video.values.items() if value is not None)
    if kind is fo.Segmentation:
        none = Identified({}, [])
        if looked_at:
            return _Known(none, looked_at, frozenset(looked_at))
    labels = {}
    if kind is not fo.Segmentation:
        labels = {name: objects_in(value) for name, value in video.values.items()}
    labelled = frozenset(name for name, own in labels.items() if own)
    if not any(has_shape(label) for own in labels.values() for label in own or ()):
        raise InputError(
            f"sequence {video.name}",
            "no masks",
            "labels with masks",
            "Pass the field of the masks as `field`, or a view of the videos that "
            "have some.",
        )
    return _Known(identify(video.name, labels, by_text=True), looked_at, labelled)


def _number_objects(
    found: Mapping[str, Identified],
) -> tuple[dict[str, dict[Key, int]], list[str]]:
    """The id of each object in the files, by sequence and key, and notes about them.

    Files hold 1 to 65535; 255 marks unclear pixels in them.
    """
    keys = {
        name: {key for frame in own.keys.values() for key in frame}
        for name, own in found.items()
    }
    numbers = {key for own in keys.values() for key in own if isinstance(key, int)}
    notes: list[str] = []
    table: dict[Key, int] = {}
    if 0 in numbers and min(numbers) == 0 and max(numbers) < VOID - 1:
        notes.append("its ids count from 0: object k here is k - 1 there")
        table = {number: number + 1 for number in numbers}
    else:
        fit = {n for n in numbers if 0 < n <= _LARGEST_ID and n != VOID}
        free = (n for n in count(1) if n not in fit and n != VOID)
        table = {n: n if n in fit else next(free) for n in sorted(numbers)}
        others = [f"{n} -> {table[n]}" for n in sorted(numbers - fit)]
        if others:
            more = f" and {len(others) - _TOLD} more" if len(others) > _TOLD else ""
            notes.append(
                "ids that mask files cannot hold were replaced: "
                f"{', '.join(others[:_TOLD])}{more}"
            )
    ids: dict[str, dict[Key, int]] = {}
    for name, own in keys.items():
        texts = sorted(str(key) for key in own if not isinstance(key, int))
        taken = {table[key] for key in own if isinstance(key, int)}
        spare = (n for n in count(1) if n not in taken and n != VOID)
        ids[name] = table | {text: next(spare) for text in texts}
        if texts:
            told = ", ".join(text.removeprefix(TEXT) for text in texts[:5])
            notes.append(
                f"{name}: objects without index were numbered from "
                f"{ids[name][texts[0]]} on ({told})"
            )
    return ids, notes


class _Writer:
    """Writes the label maps of one video.

    Args:
        folder: of all videos.
        ids: the id of each object, by its key.
        known: what was found out about the video.
        notes: gets what had to be decided.

    Attributes:
        drawn: the ids in the files.
    """

    def __init__(
        self, folder: Path, ids: Mapping[Key, int], known: _Known, notes: list[str]
    ) -> None:
        self._folder, self._ids, self._known, self._notes = folder, ids, known, notes
        self.drawn: set[int] = set()
        self._overlapping: list[str] = []

    def __call__(self, video: FieldVideo, frames: Collection[str]) -> None:
        size = video.size()
        labels = {
            name: objects_in(value)
            for name, value in video.values.items()
            if not isinstance(value, fo.Segmentation)
        }
        self._notes.extend(check_boxes(labels, size, f"sequence {video.name}"))
        files: dict[str, Path] = {}
        for frame in video.values:
            if frame in frames:
                label_map = self._label_map(video, frame, size)
                self.drawn |= set(np.unique(label_map[label_map > 0]).tolist())
                files[frame] = self._folder / video.name / f"{frame}.png"
                write_label_map(files[frame], label_map)
        told = ids_change(list(files), lambda frame: read_label_map(files[frame]))
        if told:
            self._notes.append(f"{video.name}: {TRUE_IDS_CHANGE.format(told)}")
        if not self.drawn:
            raise InputError(
                f"sequence {video.name}",
                "masks without a pixel inside the frame",
                "objects to be seen",
                "Correct the masks and boxes, or leave this video out of the view.",
            )
        self._tell(video.name)

    def _tell(self, video: str) -> None:
        if self.drawn == {VOID}:
            self._notes.append(
                f"{video}: masks are 0/255: every non-zero pixel is object 1"
            )
        if self._overlapping:
            count = counted(len(self._overlapping), "frame")
            self._notes.append(
                f"{video}: objects overlap in {count} (first {self._overlapping[0]}): "
                "a label map has one object per pixel, so the smaller lies on top"
            )
        named = {key for own in self._known.identified.keys.values() for key in own}
        hidden = sorted({self._ids[key] for key in named} - self.drawn)
        if hidden:
            listed = ", ".join(map(str, hidden[:_TOLD]))
            self._notes.append(
                f"{video}: object {listed} covers no pixel "
                "of any frame: its masks are empty, outside, or behind others"
            )

    def _label_map(
        self, video: FieldVideo, frame: str, size: tuple[int, int]
    ) -> LabelMap:
        where = f"{video.name}, frame {frame}"
        value = video.values[frame]
        if isinstance(value, fo.Segmentation):
            return self._whole(value, size, where)
        numbers = [self._ids[key] for key in self._known.identified.keys[frame]]
        masks = object_masks(objects_in(value) or [], numbers, size, where)
        painted, overlaps = paint(masks, size)
        self._overlapping += [frame] * overlaps
        return painted

    def _whole(
        self, value: fo.Segmentation, size: tuple[int, int], where: str
    ) -> LabelMap:
        label_map = segmentation_map(value, where, self._notes)
        if label_map.shape != size:
            raise InputError(
                where,
                f"a mask of {label_map.shape[1]}x{label_map.shape[0]} pixels",
                f"{size[1]}x{size[0]}, as the frame",
                "Write the masks at the size of the frames.",
            )
        refuse_soft(label_map, where)
        return label_map


def _describe(
    video: FieldVideo, frames: Collection[str], masks: Path, binary: bool
) -> VideoSequence:
    return VideoSequence(
        video.name,
        tuple(video.values),
        video.images,
        {
            name: masks / video.name / f"{name}.png"
            for name in video.values
            if name in frames
        },
        binary=binary,
        video=video.video,
        fps=read_fps(video.video) if video.video else None,
    )

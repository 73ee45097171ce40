"""A FiftyOne dataset that somebody else made -> a benchmark to score and load.

Such as the zoo's DAVIS-2017 (`voxel51/davis-2017`): images with masks in their labels.
Scores come from files, so the masks are written as label maps first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import fiftyone as fo
import numpy as np
from PIL import Image

from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from evaluation.masks.label_map import LabelMap, join_objects, write_label_map
from evaluation.masks.sequence import natural
from evaluation.protocols import VOID
from s3fo.benchmarks import Benchmark, VideoSequence, catalog
from s3fo.benchmarks.video_file import count_frames, read_fps
from s3fo.datasets._fiftyone import root_dataset
from s3fo.datasets.importing.placing import place_mask

_LAST_NUMBER = re.compile(r"(\d+)\D*$")


class _Label(NamedTuple):
    """One object in one frame, as the dataset has it.

    `key` is the object's index, else what else tells objects of a video apart.
    """

    key: int | str
    box: Sequence[float]
    mask: np.ndarray


@dataclass(frozen=True)
class _Frames:
    """The frames of one sequence, in playing order.

    Attributes:
        name: of the sequence.
        names: of the frames.
        images: file of each frame; empty if they are inside `video`.
        labels: the objects of each frame; None where it is not labelled.
        video: the file that holds the frames; None for image files.
    """

    name: str
    names: tuple[str, ...]
    images: Mapping[str, Path]
    labels: list[list[_Label] | None]
    video: Path | None = None


def benchmark_from_dataset(
    samples: fo.core.collections.SampleCollection,
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

    The id of an object is its `index`; where labels have none, the number at the end
    of their `label`; else objects are told apart by `instance`, or by labels that
    occur once per frame. Ids that count from 0 are moved by one, for 0 is the
    background; others that a mask file cannot hold (-1, 255, 70000) are replaced, and
    told. If only first frames show objects, only these count as annotated. Masks fill
    their boxes, and boxes may leave the frame, as in FiftyOne.

    Args:
        samples: a dataset or view. Images are grouped into sequences by the folder
            they lie in, videos are a sequence each.
        folder: where to write the masks, as ``Annotations/<sequence>/<frame>.png``.
        field: the `Detections` with masks (of the frames, in a video dataset).
        sequence: the field with the sequence's name, if it has one.
        name: catalog name of the benchmark, which tells how to score it; None
            takes the dataset's name and DAVIS-2017's rules.
        split: as in the catalog.
        progress: told after every sequence.

    Raises:
        InputError: no such field, labels without masks, or without ids.
    """
    folder, field = Path(folder), field.removeprefix("frames.")
    _refuse_other_fields(samples, field)
    entry = catalog.get_entry(name, split) if name else None
    read = _videos if samples.media_type == "video" else _image_sequences
    found = list(read(samples, field, sequence))
    ids, notes = _number_objects(found)
    first_only = not any(_all_after_first(item) for item in found)
    sequences = []
    for index, item in enumerate(found):
        sequences.append(_write(item, folder, ids[item.name], first_only))
        if progress:
            progress(index + 1, len(found), item.name)
    notes = [f"masks of the FiftyOne dataset {root_dataset(samples).name}", *notes]
    return Benchmark(
        name=name or root_dataset(samples).name,
        split=entry.split if entry else split,
        root=folder,
        sequences=tuple(sequences),
        protocol=entry.protocol if entry else "davis-2017",
        notes=tuple(notes),
    )


def _refuse_other_fields(
    samples: fo.core.collections.SampleCollection, field: str
) -> None:
    video = samples.media_type == "video"
    schema = (
        samples.get_frame_field_schema() if video else samples.get_field_schema()
    ) or {}
    labels = {
        key
        for key, kind in schema.items()
        if getattr(kind, "document_type", None) is fo.Detections
    }
    if field not in labels:
        raise InputError(
            f"field {field!r}",
            f"none of this name with Detections in {root_dataset(samples).name}",
            f"one of {', '.join(sorted(labels)) or 'none at all'}",
            "Name the field with the objects' masks.",
        )


def _image_sequences(
    samples: fo.core.collections.SampleCollection, field: str, sequence: str | None
) -> Iterator[_Frames]:
    ids, paths = samples.values(["id", "filepath"])
    files = [Path(path) for path in paths]
    names = samples.values(sequence) if sequence else [p.parent.name for p in files]
    members: dict[str, list[tuple[str, str, Path]]] = {}
    for sample_id, path, name in zip(ids, files, names, strict=True):
        members.setdefault(str(name), []).append((path.stem, sample_id, path))
    for name in sorted(members, key=natural):
        ordered = sorted(members[name], key=lambda item: natural(item[0]))
        view = samples.select([item[1] for item in ordered], ordered=True)
        yield _Frames(
            name,
            tuple(item[0] for item in ordered),
            {item[0]: item[2] for item in ordered},
            _labels(name, view.values(_columns(field))),
        )


def _videos(
    samples: fo.core.collections.SampleCollection, field: str, sequence: str | None
) -> Iterator[_Frames]:
    for sample_id in samples.values("id"):
        view = samples.select(sample_id)
        (path,), (named,) = view.values(["filepath", sequence or "filepath"])
        name = str(named) if sequence else Path(path).stem
        (numbers,) = view.values("frames.frame_number")
        files: list[str | None] = []
        if samples.has_frame_field("filepath"):
            (files,) = view.values("frames.filepath")
        columns = [column[0] for column in view.values(_columns(f"frames.{field}"))]
        labels: list[list[_Label] | None] = _labels(name, columns)
        if files and all(files):
            frames = {Path(file).stem: Path(file) for file in files if file}
            yield _Frames(name, tuple(frames), frames, labels)
            continue
        total = count_frames(Path(path))
        by_number = dict(zip(numbers, labels, strict=True))
        yield _Frames(
            name,
            tuple(f"{index:05d}" for index in range(total)),
            {},
            [by_number.get(number) for number in range(1, total + 1)],
            Path(path),
        )


_Columns = Sequence[Sequence[Sequence[object] | None]]
"""Of each part of a label: by frame, by label; None where a frame has no labels."""


def _columns(field: str) -> list[str]:
    parts = (
        "id",
        "index",
        "label",
        "bounding_box",
        "mask",
        "mask_path",
        "instance._id",
    )
    return [f"{field}.detections.{part}" for part in parts]


def _labels(name: str, columns: _Columns) -> list[list[_Label] | None]:
    """The labels of each frame; those without a mask show an absent object.

    Raises:
        InputError: a label with a mask cannot be told from others.
    """
    frames: list[list[_Label] | None] = []
    by_instance: dict[str, int] = {}
    for ids, *parts in zip(*columns, strict=True):
        if ids is None:
            frames.append(None)
            continue
        found = []
        for index, label, box, mask, path, instance in zip(*parts, strict=True):
            if index is not None and instance is not None:
                by_instance[str(instance)] = int(index)
            if mask is None and path:
                mask = fo.Detection(mask_path=path).get_mask()
            if mask is not None:
                key = _key(name, index, label, instance)
                found.append(_Label(key, box, np.asarray(mask)))
        frames.append(found)
    frames = [
        labels
        and [one._replace(key=by_instance.get(str(one.key), one.key)) for one in labels]
        for labels in frames
    ]
    _refuse_ambiguous(name, frames)
    return frames


def _key(
    name: str, index: int | None, label: str | None, instance: object
) -> int | str:
    """What tells an object from the others of its video."""
    if index is not None:
        return int(index)
    if instance is not None:
        return str(instance)
    # The name of a sequence may end with a number of its own.
    match = _LAST_NUMBER.search((label or "").removeprefix(name))
    return int(match.group(1)) if match else f"label {label}"


def _refuse_ambiguous(name: str, frames: list[list[_Label] | None]) -> None:
    """Refuse labels that only their text could tell apart, where it does not.

    Raises:
        InputError: two of one text in one frame.
    """
    for labels in frames:
        texts = [one.key for one in labels or () if str(one.key).startswith("label ")]
        twice = next((text for text in texts if texts.count(text) > 1), None)
        if twice is not None:
            raise InputError(
                f"sequence {name}",
                f"two masks with {str(twice)!r} in one frame, and no index",
                "the object's id as `index`, an `instance` for each object, or the id "
                "at the end of `label`",
                "Set `index`, the same through a video.",
            )


def _number_objects(
    found: Sequence[_Frames],
) -> tuple[dict[str, dict[int | str, int]], list[str]]:
    """The id of each object in the files, by sequence and key, and notes about them.

    Files hold 1 to 65535; 255 marks unclear pixels in them.
    """
    keys = {item.name: {label.key for label in _all(item)} for item in found}
    numbers = {key for own in keys.values() for key in own if isinstance(key, int)}
    notes: list[str] = []
    table: dict[int | str, int] = {}
    if 0 in numbers and min(numbers) == 0 and max(numbers) < VOID - 1:
        notes.append("its ids count from 0: object k here is k - 1 there")
        table = {number: number + 1 for number in numbers}
    else:
        fit = {n for n in numbers if 0 < n < 2**16 and n != VOID}
        free = (n for n in count(1) if n not in fit and n != VOID)
        table = {n: n if n in fit else next(free) for n in sorted(numbers)}
        others = [f"{n} -> {table[n]}" for n in sorted(numbers - fit)]
        if others:
            notes.append(
                f"ids that mask files cannot hold were replaced: {', '.join(others)}"
            )
    ids: dict[str, dict[int | str, int]] = {}
    for name, own in keys.items():
        texts = sorted(str(key) for key in own if not isinstance(key, int))
        taken = {table[key] for key in own if isinstance(key, int)}
        spare = (n for n in count(1) if n not in taken and n != VOID)
        ids[name] = table | {text: next(spare) for text in texts}
        if texts:
            told = ", ".join(text.removeprefix("label ") for text in texts[:5])
            notes.append(
                f"{name}: objects without index were numbered from "
                f"{ids[name][texts[0]]} on ({told})"
            )
    return ids, notes


def _all(item: _Frames) -> Iterator[_Label]:
    return (label for labels in item.labels for label in labels or ())


def _all_after_first(item: _Frames) -> bool:
    return any(item.labels[1:])


def _write(
    item: _Frames, folder: Path, ids: Mapping[int | str, int], first_only: bool
) -> VideoSequence:
    """Write the label maps of a sequence, and describe it."""
    if not any(item.labels):
        raise InputError(
            f"sequence {item.name}",
            "no masks",
            "labels with masks",
            "Pass the field of the masks as `field`.",
        )
    size = _picture_size(item)
    annotations = {}
    for frame, labels in zip(item.names, item.labels, strict=True):
        if labels or (labels is not None and not first_only):
            path = folder / "Annotations" / item.name / f"{frame}.png"
            place = f"{item.name}, frame {frame}"
            write_label_map(path, _label_map(labels, size, ids, place))
            annotations[frame] = path
    return VideoSequence(
        item.name,
        item.names,
        item.images,
        annotations,
        video=item.video,
        fps=read_fps(item.video) if item.video else None,
    )


def _picture_size(item: _Frames) -> tuple[int, int]:
    """Height and width."""
    if item.video:
        from s3fo.benchmarks.video_file import iterate_frames

        height, width = next(iterate_frames(item.video)).shape[:2]
        return height, width
    with Image.open(item.images[item.names[0]]) as image:
        return image.height, image.width


def _label_map(
    labels: list[_Label],
    size: tuple[int, int],
    ids: Mapping[int | str, int],
    where: str,
) -> LabelMap:
    """Lay the masks into the picture; where they overlap the smaller lies on top."""
    masks: dict[int, np.ndarray] = {}
    for label in labels:
        number = ids[label.key]
        full = place_mask(label.mask, label.box, size, f"{where}, object {number}")
        masks[number] = masks[number] | full if number in masks else full
    larger_first = sorted(masks, key=lambda number: -int(masks[number].sum()))
    if not masks:
        return np.zeros(size, np.uint8)
    return join_objects({number: masks[number] for number in larger_first})

"""Videos of a dataset that somebody else made: their frames and what a field holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TypeAlias

import fiftyone as fo
from fiftyone.core.collections import SampleCollection
from PIL import Image

from evaluation._utils.names import check_names, note_several_videos, safe_name
from evaluation.errors import InputError
from evaluation.masks.sequence import natural
from s3fo.benchmarks.video_file import count_frames, iterate_frames
from s3fo.datasets._fiftyone import is_grouped_by_field, root_dataset
from s3fo.datasets.fields.masks import FrameLabels

Value: TypeAlias = FrameLabels | fo.Segmentation | None
"""What a field holds in one frame; None where the frame is not labelled."""


@dataclass(frozen=True)
class FieldVideo:
    """One video, in playing order.

    Attributes:
        name: of the video.
        values: what the field holds in each frame, by the frame's name.
        images: file of each frame; empty if they are inside `video`.
        video: the file that holds the frames; None for image files.
    """

    name: str
    values: Mapping[str, Value]
    images: Mapping[str, Path]
    video: Path | None = None

    def size(self) -> tuple[int, int]:
        """Height and width in pixels.

        Raises:
            InputError: the file is not there, or is no picture.
        """
        if self.video:
            height, width = next(iterate_frames(self.video)).shape[:2]
            return height, width
        path = next(iter(self.images.values()))
        try:
            with Image.open(path) as image:
                return image.height, image.width
        except OSError as error:
            raise InputError(
                path,
                f"no image that can be read ({error})",
                "the picture of a frame",
                "Put the file back, or leave this video out of the view.",
            ) from error


def read_videos(
    samples: SampleCollection, field: str, sequence: str | None, notes: list[str]
) -> Iterator[FieldVideo]:
    """The videos of a dataset, one after the other.

    Args:
        samples: a dataset or view of videos, or of images.
        field: of the images, or of the videos' frames.
        sequence: the field with the video's name; None takes folders or file names.
        notes: gets what had to be decided.

    Raises:
        InputError: samples that are neither, or whose names collide.
    """
    if is_grouped_by_field(samples):
        raise _unusable(
            samples,
            "groups of samples",
            "Pass the dataset that was grouped, and the grouping field as `sequence`.",
        )
    if not len(samples):
        raise _unusable(samples, "no samples", "Pass a view that shows some.")
    if samples.media_type == "video":
        yield from _films(samples, field, sequence, notes)
    elif samples.media_type in ("image", None):
        yield from _image_folders(samples, field, sequence, notes)
    elif samples.media_type == "group":
        raise _unusable(
            samples,
            "grouped samples",
            "Choose a slice: dataset.select_group_slices('left').",
        )
    else:
        raise _unusable(samples, f"{samples.media_type} samples", "Pass another view.")


def _unusable(samples: SampleCollection, found: str, remedy: str) -> InputError:
    return InputError(
        f"dataset {root_dataset(samples).name}", found, "images or videos", remedy
    )


def _image_folders(
    samples: SampleCollection, field: str, sequence: str | None, notes: list[str]
) -> Iterator[FieldVideo]:
    ids, paths = samples.values(["id", "filepath"])
    files = [Path(path) for path in paths]
    if sequence:
        names = _given_names(samples, sequence)
    else:
        by_folder = _distinct_names([path.parent for path in files], notes)
        names = [by_folder[path.parent] for path in files]
    members: dict[str, list[tuple[str, str, Path]]] = {}
    for sample_id, path, name in zip(ids, files, names, strict=True):
        members.setdefault(name, []).append((path.stem, sample_id, path))
    for name in sorted(members, key=natural):
        safe_name(name, "sequence", members[name][0][2])
        ordered = sorted(members[name], key=lambda item: natural(item[0]))
        frames = [item[0] for item in ordered]
        _refuse_twice(frames, name, [item[2] for item in ordered])
        check_names(frames, "frame", f"sequence {name}", ".png")
        notes += [f"{name}: {note}" for note in note_several_videos(frames)]
        view = samples.select([item[1] for item in ordered], ordered=True)
        values = dict(zip(frames, view.values(field), strict=True))
        yield FieldVideo(name, values, {item[0]: item[2] for item in ordered})


def _given_names(samples: SampleCollection, sequence: str) -> list[str]:
    """The values of the field with the videos' names.

    Raises:
        InputError: no such field, or a sample without name.
    """
    where = f"field {sequence!r}"
    if not samples.has_sample_field(sequence):
        raise InputError(
            where,
            f"none of this name in {root_dataset(samples).name}",
            "the field with each sample's video name",
            "Name another field as `sequence`, or leave it out.",
        )
    paths, values = samples.values(["filepath", sequence])
    for path, value in zip(paths, values, strict=True):
        if value is None or str(value) == "":
            raise InputError(
                f"{where} of {path}", "no value", "the name of its video",
                f"Set {sequence} on every sample, or leave these out of the view.",
            )  # fmt: skip
    return [safe_name(str(value), "sequence", where) for value in values]


def _distinct_names(places: Sequence[Path], notes: list[str]) -> dict[Path, str]:
    """A name for each path: its last part, or the last that tells them apart.

    Raises:
        InputError: no part of the paths does.
    """
    every = list(dict.fromkeys(places))
    parts = [PurePath(path).parts[::-1] for path in every]
    for depth in range(min(map(len, parts), default=0)):
        names = [own[depth] for own in parts]
        if len(set(names)) == len(every):
            if depth:
                notes.append(
                    f"videos were named by the folder {depth} above, as several end "
                    f"in {every[0].name} ({names[0]}, ...)"
                )
            return dict(zip(every, names, strict=True))
    twice = next(p for p in every if sum(p.name == q.name for q in every) > 1)
    raise InputError(
        str(twice),
        f"several videos whose paths end in {twice.name}",
        "a name for each video",
        "Put the videos' names into a field of the samples and pass it as `sequence`.",
    )


def _refuse_twice(frames: Sequence[str], name: str, paths: Sequence[Path]) -> None:
    seen: dict[str, Path] = {}
    for frame, path in zip(frames, paths, strict=True):
        if frame in seen:
            raise InputError(
                f"sequence {name}",
                f"two frames called {frame}: {seen[frame]} and {path}",
                "one file per frame",
                "Leave one of them out of the view, or pass a field with the videos' "
                "names as `sequence`.",
            )
        seen[frame] = path


def _films(
    samples: SampleCollection, field: str, sequence: str | None, notes: list[str]
) -> Iterator[FieldVideo]:
    ids, paths = samples.values(["id", "filepath"])
    if sequence:
        names = _given_names(samples, sequence)
    else:
        by_path = _distinct_names([Path(path) for path in paths], notes)
        found = [(Path(path), by_path[Path(path)]) for path in paths]
        names = [p.stem if own == p.name else own for p, own in found]
    _refuse_one_video_twice(names, paths)
    for sample_id, path, name in zip(ids, paths, names, strict=True):
        safe_name(name, "sequence", path)
        view = samples.select(sample_id)
        columns = ["frames.frame_number", f"frames.{field}"]
        (numbers,), (values,) = view.values(columns)
        by_number = dict(zip(numbers or (), values or (), strict=True))
        files: Sequence[str | None] = ()
        if samples.has_frame_field("filepath"):
            files = view.values("frames.filepath")[0] or ()
        if files and all(files):
            if list(by_number) != list(range(1, len(by_number) + 1)):
                notes.append(
                    f"{name}: only the {len(by_number)} frames that the dataset has "
                    "were taken; their numbers have gaps"
                )
            yield _from_files(name, by_number, [Path(str(file)) for file in files])
        else:
            yield _from_film(name, by_number, Path(path))


def _refuse_one_video_twice(names: Sequence[str], paths: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for name, path in zip(names, paths, strict=True):
        if name in seen:
            raise InputError(
                path,
                f"two samples of video {name}, the other {seen[name]}",
                "one sample per video: no clips, and a name for each",
                "Pass whole videos, or a field with the videos' names as `sequence`.",
            )
        seen[name] = path


def _from_files(
    name: str, by_number: Mapping[int, Value], files: Sequence[Path]
) -> FieldVideo:
    frames = [file.stem for file in files]
    _refuse_twice(frames, name, files)
    check_names(frames, "frame", f"sequence {name}", ".png")
    values = dict(zip(frames, by_number.values(), strict=True))
    return FieldVideo(name, values, dict(zip(frames, files, strict=True)))


def _from_film(name: str, by_number: Mapping[int, Value], path: Path) -> FieldVideo:
    if not path.is_file():
        raise InputError(
            path,
            "no such file",
            "the video of a sample",
            "Put it back, or leave this sample out of the view.",
        )
    total = count_frames(path)
    beyond = [n for n, value in by_number.items() if value is not None and n > total]
    if beyond:
        raise InputError(
            f"{path}, frame {beyond[0]}",
            f"labels beyond its last frame, which is {total}",
            "frame numbers from 1 on",
            "Number the frames as the video has them: labels may be late by some.",
        )
    values = {f"{n:05d}": by_number.get(n + 1) for n in range(total)}
    return FieldVideo(name, values, {}, path)

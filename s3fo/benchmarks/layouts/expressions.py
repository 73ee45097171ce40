"""The layout of MeViS: sentences that name objects, run lengths, and frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from evaluation._utils.json_files import parse, read_json
from evaluation.errors import InputError
from evaluation.masks.run_lengths import decode_rle, encode_rle
from evaluation.masks.sequence import MaskSequence, RleSequence
from s3fo.benchmarks.layouts.files import IMAGE_SUFFIXES, list_frames
from s3fo.benchmarks.layouts.layout import Found, find_missing, refuse_missing
from s3fo.benchmarks.layouts.split_folders import split_folder
from s3fo.benchmarks.video import VideoObject, VideoSequence

_FIX = "Unpack or download the file again."

Runs = Mapping[str, Any]
"""A COCO run-length encoding."""

Track = list[Any]
"""One `Runs` per frame of a video; None where the object is not."""


@dataclass(frozen=True)
class _Expression:
    exp: str
    anno_id: list[Any]


@dataclass(frozen=True)
class _Video:
    expressions: dict[str, _Expression]
    frames: list[str]


@dataclass(frozen=True)
class _Meta:
    videos: dict[str, _Video]


def read_expressions(root: Path, split: str, *, title: str) -> Found:
    """Read one split of MeViS whose masks are public.

    Every sentence is an object of its own: the union of what it names. Sentence k of
    the file is object k + 1, as 0 is background; results may count from either.

    Args:
        root: holds the split's folder with JPEGImages, meta_expressions.json and
            mask_dict.json.
        split: ``"train"`` or ``"valid-u"``.
        title: of the benchmark, for messages.

    Raises:
        InputError: not such a tree, or pieces are missing: all of them are named.
    """
    folder, notes = split_folder(root, split, title)
    source = folder / "meta_expressions.json"
    meta = parse(read_json(source, _FIX), _Meta, source, _FIX)
    masks_file = folder / "mask_dict.json"
    runs = parse(read_json(masks_file, _FIX), dict[str, Track], masks_file, _FIX)
    sequences = tuple(
        _sequence(folder, name, video, runs, masks_file)
        for name, video in meta.videos.items()
    )
    refuse_missing(
        folder,
        find_missing(sequences)
        or ([] if sequences else [f"no videos in {source.name}"]),
        f"the frames of every video in {source.name}",
        "Unpack the missing frames.",
    )
    return Found(folder, sequences, tuple(notes))


def _sequence(
    folder: Path,
    name: str,
    video: _Video,
    runs: Mapping[str, Track],
    source: Path,
) -> VideoSequence:
    objects = {}
    for key, expression in video.expressions.items():
        if not (key.isascii() and key.isdecimal()):
            raise InputError(
                folder / "meta_expressions.json",
                f"expression {key!r} of {name}",
                "expressions numbered from 0",
                _FIX,
            )
        if int(key) + 1 in objects:
            raise InputError(
                folder / "meta_expressions.json",
                f"two expressions of {name} with the number {int(key)}, one of them "
                f"{key!r}",
                "a number of its own for each",
                _FIX,
            )
        for annotation in map(str, expression.anno_id):
            if len(runs.get(annotation, ())) != len(video.frames):
                raise InputError(
                    source,
                    f"{len(runs.get(annotation, ()))} masks of annotation {annotation}",
                    f"one for each of the {len(video.frames)} frames of {name}",
                    _FIX,
                )
        objects[int(key) + 1] = expression
    load = partial(_load, name, video, objects, runs, source)
    return VideoSequence(
        name=name,
        frames=tuple(video.frames),
        images=list_frames(folder / "JPEGImages" / name, IMAGE_SUFFIXES),
        annotations={},
        load_objects=partial(_objects, video, objects, runs),
        load_object_masks=load,
    )


def _objects(
    video: _Video,
    objects: Mapping[int, _Expression],
    runs: Mapping[str, Track],
) -> tuple[VideoObject, ...]:
    """The sentences whose objects are to be seen, with their first frames."""
    found = []
    for object_id, expression in objects.items():
        for place, frame in enumerate(video.frames):
            if any(runs[str(item)][place] for item in expression.anno_id):
                found.append(VideoObject(object_id, frame, expression.exp))
                break
    return tuple(found)


def _load(
    name: str,
    video: _Video,
    objects: Mapping[int, _Expression],
    runs: Mapping[str, Track],
    source: Path,
) -> MaskSequence:
    frames: dict[str, dict[int, Runs]] = {frame: {} for frame in video.frames}
    for object_id, expression in objects.items():
        for place, frame in enumerate(video.frames):
            parts = [runs[str(item)][place] for item in expression.anno_id]
            parts = [part for part in parts if part]
            where = f"{source}, sequence {name}, frame {frame}"
            if parts:
                frames[frame][object_id] = _union(parts, where)
    masks = RleSequence(name, frames, str(source))
    masks.usual_offset = 1
    return masks


def _union(parts: list[Runs], where: str) -> Runs:
    if len(parts) == 1:
        return parts[0]
    masks = [decode_rle(part, where) for part in parts]
    return encode_rle(np.logical_or.reduce(masks))

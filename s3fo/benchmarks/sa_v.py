"""The layouts of SA-V: mask folders per object (val, test), run lengths (train)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from evaluation.errors import InputError
from evaluation.labelmap import decode_rle
from evaluation.sequence import MaskSequence, ObjectFolderSequence, RleSequence
from s3fo.benchmarks.files import (
    IMAGE_SUFFIXES,
    MASK_SUFFIXES,
    is_hidden,
    list_folders,
    list_frames,
    locate_root,
    read_text,
)
from s3fo.benchmarks.layout import (
    Found,
    describe_frames,
    gaps_in,
    refuse_gaps,
    shortfalls_in,
)
from s3fo.benchmarks.video import VideoObject, VideoSequence
from s3fo.benchmarks.video_file import count_frames

FPS = 24.0
ANNOTATED_EVERY = 4
_LAST_FOLDER = 65534
"""Label maps have 16 bits, and folder 0 is object 1."""

_IMAGES, _MASKS = "JPEGImages_24fps", "Annotations_6fps"
_ATTRIBUTES = (
    "type", "size_bucket", "size_abs", "size_rel", "visibility_changes", "frame_count",
)  # fmt: skip
_JSON_SUFFIXES = ("_manual.json", "_auto.json")


def read_sa_v(root: Path, split: str) -> Found:
    """Read SA-V val or test (folders) or train (videos and run-length JSON).

    Object folders and masklets are numbered from 0, which is the background of label
    maps: object k of this package is folder or masklet k - 1.

    Args:
        root: ``sav_<split>``, or the folder above it.
        split: ``"train"``, ``"val"`` or ``"test"``.

    Raises:
        InputError: not such a tree, or pieces are missing: all of them are named.
    """
    if split == "train":
        return _read_train(root)
    root, note = _root_of(root, split)
    listing = root / f"sav_{split}.txt"
    if listing.is_file():
        names = list(dict.fromkeys(read_text(listing).split()))
    else:
        names = list_folders(root / _IMAGES)
    sequences = tuple(_from_folders(root, name) for name in names)
    refuse_gaps(
        root,
        [*_misnumbered(root, names), *gaps_in(sequences)]
        or ([] if sequences else ["no videos"]),
        f"every video of the split in {_IMAGES} and {_MASKS}",
        "Unpack the missing pieces.",
    )
    notes = [note] if note else []
    if not listing.is_file():
        notes.append(f"no {listing.name}: all {len(names)} videos")
    shortfalls = shortfalls_in(sequences, _annotated_by_rule)
    for sequence in sequences:
        folders = _object_folders(root / _MASKS / sequence.name)
        shortfalls += _incomplete_objects(sequence, folders)
    return Found(root, sequences, tuple(notes), tuple(shortfalls))


def _root_of(root: Path, split: str) -> tuple[Path, str]:
    """The folder of the split, never that of the other one."""
    named = root / f"sav_{split}"
    found, note = locate_root(
        named if named.is_dir() else root, [_IMAGES], f"SA-V {split}"
    )
    other = {"val": "test", "test": "val"}[split]
    mine, others = f"sav_{split}", f"sav_{other}"
    if not (found / f"{mine}.txt").is_file() and (
        found.absolute().name == others or (found / f"{others}.txt").is_file()
    ):
        raise InputError(
            found,
            f"the folder of the split {other}",
            f"{mine} with {_IMAGES}, {_MASKS} and {mine}.txt",
            f"Name the split {other}, or another folder.",
        )
    return found, note


def _annotated_by_rule(sequence: VideoSequence) -> list[str]:
    names = [frame for frame in sequence.frames if frame.isdecimal()]
    return [frame for frame in names if int(frame) % ANNOTATED_EVERY == 0]


def _misnumbered(root: Path, names: list[str]) -> Iterator[str]:
    """Object folders that stand for the same object, or for none a label map has."""
    for name in names:
        folders = _object_folders(root / _MASKS / name)
        numbers = [int(folder) for folder in folders]
        if len(set(numbers)) < len(numbers):
            yield f"two folders of one object of {name} ({', '.join(folders)})"
        if max(numbers, default=0) > _LAST_FOLDER:
            yield f"object folder {max(numbers)} of {name}, above {_LAST_FOLDER}"


def _incomplete_objects(sequence: VideoSequence, folders: list[str]) -> Iterator[str]:
    """Object folders that lack masks of frames in which others have one."""
    masks = sequence.object_masks
    assert masks is not None, "every object has a folder"
    for folder in folders:
        there = masks.object_frames(int(folder) + 1)
        absent = [frame for frame in masks.frames if frame not in there]
        if absent:
            frames = describe_frames(absent)
            yield f"{sequence.name}: no mask in object folder {folder} of {frames}"


def _from_folders(root: Path, name: str) -> VideoSequence:
    images = list_frames(root / _IMAGES / name, IMAGE_SUFFIXES)
    masks = root / _MASKS / name
    return VideoSequence(
        name=name,
        frames=tuple(images),
        images=images,
        annotations={},
        load_object_masks=partial(load_object_folders, masks, name),
        fps=FPS,
    )


def load_object_folders(folder: Path, name: str) -> MaskSequence:
    """Masks of ``<folder>/<object>/<frame>.png``; folder ``000`` is object 1."""
    masks = ObjectFolderSequence(
        name,
        {
            int(number) + 1: dict(list_frames(folder / number, MASK_SUFFIXES))
            for number in _object_folders(folder)
        },
    )
    masks.folder_offset = 1
    return masks


def _object_folders(folder: Path) -> list[str]:
    return [name for name in list_folders(folder) if name.isdecimal()]


def _read_train(root: Path) -> Found:
    if not root.is_dir():
        raise InputError(root, "no such folder", "SA-V train", "Check the path.")
    videos = [path for path in sorted(root.rglob("*.mp4")) if not is_hidden(path.name)]
    gaps, sequences = [], []
    for path in videos:
        source = _json_beside(path)
        if source is None:
            gaps.append(f"no {path.stem}_manual.json or {path.stem}_auto.json")
            continue
        try:
            sequences.append(_from_json(path, source))
        except InputError as error:
            gaps.append(f"{path.relative_to(root)}: {error.found}")
    if not videos:
        gaps.append("no mp4 files")
    refuse_gaps(
        root,
        gaps,
        "<video>.mp4 with <video>_manual.json beside it",
        "Unpack the missing pieces.",
    )
    automatic = sum(_json_beside(path, _JSON_SUFFIXES[:1]) is None for path in videos)
    notes = (f"{automatic} videos have automatic masklets only",) if automatic else ()
    return Found(root, tuple(sequences), notes)


def _json_beside(
    video: Path, suffixes: tuple[str, ...] = _JSON_SUFFIXES
) -> Path | None:
    places = [video.with_name(video.stem + suffix) for suffix in suffixes]
    return next((place for place in places if place.is_file()), None)


def _from_json(video: Path, source: Path) -> VideoSequence:
    """Frames from the video; masks are not parsed before somebody asks."""
    return VideoSequence(
        name=video.stem,
        frames=tuple(f"{index:05d}" for index in range(count_frames(video))),
        images={},
        annotations={},
        load_objects=partial(masklet_objects, source),
        load_object_masks=partial(load_masklets, source),
        video=video,
        fps=FPS,
    )


def load_masklets(path: Path) -> MaskSequence:
    """Masks of one ``<video>_manual.json``; masklet 0 is object 1.

    Raises:
        InputError: not a file of masklets.
    """
    content = _read_masklets(path)
    frames = {
        _frame_name(index): {
            int(number) + 1: rle
            for number, rle in zip(content["masklet_id"], masks, strict=True)
            if rle
        }
        for index, masks in enumerate(content["masklet"])
    }
    masks = RleSequence(content["video_id"], frames, str(path))
    masks.folder_offset = 1
    return masks


def masklet_objects(path: Path) -> tuple[VideoObject, ...]:
    """Objects of one ``<video>_manual.json`` with their official attributes.

    Raises:
        InputError: not a file of masklets.
    """
    content = _read_masklets(path)
    named = {
        name: content[f"masklet_{name}"]
        for name in _ATTRIBUTES
        if f"masklet_{name}" in content
    }
    return tuple(
        VideoObject(
            int(number) + 1,
            _frame_name(_first_index(content["masklet"], position)),
            attributes={name: values[position] for name, values in named.items()},
        )
        for position, number in enumerate(content["masklet_id"])
    )


def _first_index(frames: list[list[Any]], position: int) -> int:
    """Annotated frame in which a masklet first shows; 0 if it never does.

    ``masklet_first_appeared_frame`` is not used: whether it counts the annotated
    frames or those of the video is written nowhere.
    """
    for index, masks in enumerate(frames):
        if masks[position] and decode_rle(masks[position]).any():
            return index
    return 0


def _frame_name(annotated_index: int) -> str:
    return f"{annotated_index * ANNOTATED_EVERY:05d}"


def _read_masklets(path: Path) -> dict[str, Any]:
    text = read_text(path)
    try:
        content: dict[str, Any] = json.loads(text)
        count = len(content["masklet_id"])
        if len(set(content["masklet_id"])) < count:
            raise ValueError("masklet ids that are not unique")
        for masks in content["masklet"]:
            if len(masks) != count:
                raise ValueError(f"a frame with {len(masks)} of {count} masklets")
        content["video_id"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            path, f"something else ({error})", "SA-V masklets", "Unpack it again."
        ) from error
    return content

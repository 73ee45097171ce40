"""The layouts of SA-V: mask folders per object (val, test), run lengths (train)."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from evaluation.errors import InputError
from evaluation.sequence import MaskSequence, ObjectFolderSequence, RleSequence
from s3fo.benchmarks.files import (
    IMAGE_SUFFIXES,
    MASK_SUFFIXES,
    list_folders,
    list_frames,
    locate_root,
)
from s3fo.benchmarks.layout import Found, gaps_in, refuse_gaps
from s3fo.benchmarks.video import VideoObject, VideoSequence
from s3fo.benchmarks.video_file import count_frames

FPS = 24.0
ANNOTATED_EVERY = 4
_IMAGES, _MASKS = "JPEGImages_24fps", "Annotations_6fps"
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
    named = root / f"sav_{split}"
    root, note = locate_root(
        named if named.is_dir() else root, [_IMAGES], f"SA-V {split}"
    )
    listing = root / f"sav_{split}.txt"
    if listing.is_file():
        names = listing.read_text().split()
    else:
        names = list_folders(root / _IMAGES)
    sequences = tuple(_from_folders(root, name) for name in names)
    gaps = gaps_in(sequences)
    refuse_gaps(
        root,
        gaps or ([] if sequences else ["no videos"]),
        f"every video of the split in {_IMAGES} and {_MASKS}",
        "Unpack the missing pieces.",
    )
    notes = [note] if note else []
    if not listing.is_file():
        notes.append(f"no {listing.name}: all {len(names)} videos")
    return Found(root, sequences, tuple(notes))


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
            for number in list_folders(folder)
            if number.isdigit()
        },
    )
    masks.folder_offset = 1
    return masks


def _read_train(root: Path) -> Found:
    if not root.is_dir():
        raise InputError(root, "no such folder", "SA-V train", "Check the path.")
    videos = sorted(root.rglob("*.mp4"))
    gaps, sequences = [], []
    for path in videos:
        source = _json_beside(path)
        if source is None:
            gaps.append(f"no {path.stem}_manual.json or {path.stem}_auto.json")
        else:
            sequences.append(_from_json(path, source))
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
        for name in ("type", "size_bucket", "size_rel", "visibility_changes")
        if f"masklet_{name}" in content
    }
    return tuple(
        VideoObject(
            int(number) + 1,
            _frame_name(int(content["masklet_first_appeared_frame"][position])),
            attributes={name: values[position] for name, values in named.items()},
        )
        for position, number in enumerate(content["masklet_id"])
    )


def _frame_name(annotated_index: int) -> str:
    return f"{annotated_index * ANNOTATED_EVERY:05d}"


def _read_masklets(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text())
        for key in (
            "video_id",
            "masklet",
            "masklet_id",
            "masklet_first_appeared_frame",
        ):
            content[key]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            path, f"something else ({error})", "SA-V masklets", "Unpack it again."
        ) from error
    return content

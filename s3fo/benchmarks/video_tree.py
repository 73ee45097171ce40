"""The layout of YouTube-VOS, MOSE and LVOS: one tree a split, with meta files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from evaluation.errors import InputError
from s3fo.benchmarks.files import FrameFiles, list_folders, locate_root
from s3fo.benchmarks.layout import (
    Found,
    gaps_in,
    refuse_gaps,
    sequence_from_folders,
)
from s3fo.benchmarks.meta import ObjectMeta, VideoMeta, read_meta
from s3fo.benchmarks.video import VideoObject, VideoSequence

_SPLIT_FOLDERS = {"train": ["train"], "val": ["valid", "val"], "test": ["test"]}


@dataclass(frozen=True)
class TreeRules:
    """In what the benchmarks of this layout differ.

    Attributes:
        title: name for messages.
        fps: of the frames.
        late_objects: objects may appear after the first annotated frame.
        listed: results are wanted only for the frames the meta file lists.
        all_frames_fps: of the separate download of all frames; None without one.
        seen: whether an object of a video is of a kind seen in training.
    """

    title: str
    fps: float | None
    late_objects: bool
    listed: bool = False
    all_frames_fps: float | None = None
    seen: Callable[[str, ObjectMeta], bool | None] = lambda video, item: None


def read_video_tree(
    root: Path, split: str, rules: TreeRules, *, all_frames: bool = False
) -> Found:
    """Read one split: ``<split>/{JPEGImages,Annotations}/<video>`` and meta files.

    Meta files (``meta.json``, ``meta_<split>.json``, ``<split>_meta*.json`` and the
    like, beside the split's folder or in it) name the objects; without any the masks
    do.

    Args:
        root: the folder with the split's folder, or that folder itself; one level
            too high or low is noticed.
        split: ``"train"``, ``"val"`` or ``"test"``.
        rules: of the benchmark.
        all_frames: take the images from ``<split>_all_frames``.

    Raises:
        InputError: not such a tree, or pieces are missing: all of them are named.
    """
    folder, notes = _split_folder(root, split, rules)
    images = folder / "JPEGImages"
    if all_frames:
        images = _all_frames_folder(folder, rules)
    meta = read_meta(_meta_files(folder, split))
    names = list(meta) or list_folders(folder / "Annotations") or list_folders(images)
    if not meta:
        notes.append("no meta file: objects are read from the masks")
    build = partial(_sequence, images, folder / "Annotations", rules, all_frames)
    sequences = tuple(
        build(name, meta.get(name, VideoMeta())) for name in sorted(names)
    )
    gaps = gaps_in(sequences) + _unmasked_objects(sequences)
    if not sequences:
        gaps = ["no videos"]
    refuse_gaps(
        folder,
        gaps,
        f"every video of {rules.title} {split} in JPEGImages and Annotations",
        "Unpack the missing pieces.",
    )
    return Found(folder, sequences, (*notes, *_short_of_frames(sequences, meta)))


def _short_of_frames(
    sequences: tuple[VideoSequence, ...], meta: dict[str, VideoMeta]
) -> list[str]:
    """A note if there are fewer frames than meta files say; MOSE v2 has lengths."""
    short = [
        f"{sequence.name} ({len(sequence.frames)} of {length})"
        for sequence in sequences
        if (length := meta.get(sequence.name, VideoMeta()).length)
        and len(sequence.frames) < length
    ]
    shown = ", ".join(short[:5]) + (", ..." if len(short) > 5 else "")
    return [f"fewer frames than the meta file says: {shown}"] if short else []


def _split_folder(root: Path, split: str, rules: TreeRules) -> tuple[Path, list[str]]:
    names = _SPLIT_FOLDERS[split]
    landmarks = [f"{name}/JPEGImages" for name in names]
    try:
        found, note = locate_root(root, landmarks, f"{rules.title} {split}")
    except InputError:
        if (root / "JPEGImages").is_dir():
            return root, [f"taking {root} for the split {split}"]
        raise
    folder = next(found / name for name in names if (found / name).is_dir())
    return folder, [note] if note else []


def _all_frames_folder(folder: Path, rules: TreeRules) -> Path:
    name = f"{folder.name}_all_frames"
    places = [
        place / name / "JPEGImages"
        for place in (folder.parent / "all_frames", folder.parent, folder)
    ]
    for place in places:
        if place.is_dir():
            return place
    raise InputError(
        folder.parent,
        f"no {name}",
        f"{name}/JPEGImages, a separate download of {rules.title}",
        f"Unpack it to {places[0].parent}.",
    )


def _meta_files(folder: Path, split: str) -> list[Path]:
    """Meta files that belong to the split, plain ones before those that add to them."""
    stems = {split, folder.name, *_SPLIT_FOLDERS[split]}
    patterns = ["meta.json"]
    for stem in sorted(stems):
        patterns += [f"meta_{stem}.json", f"{stem}_meta.json", f"{stem}_*meta*.json"]
    inside = [path for pattern in patterns for path in sorted(folder.glob(pattern))]
    beside = [
        path for pattern in patterns[1:] for path in sorted(folder.parent.glob(pattern))
    ]
    return list(dict.fromkeys(inside + beside))


def _sequence(
    images: Path,
    masks: Path,
    rules: TreeRules,
    all_frames: bool,
    name: str,
    meta: VideoMeta,
) -> VideoSequence:
    sequence = sequence_from_folders(
        name,
        images / name,
        masks / name,
        late_objects=rules.late_objects,
        fps=rules.all_frames_fps if all_frames else rules.fps,
        attributes=meta.attributes,
    )
    objects = _objects(sequence, meta, rules)
    listed = {frame for item in meta.objects.values() for frame in item.frames}
    wanted = tuple(frame for frame in sequence.frames if frame in listed)
    return replace(
        sequence,
        known_objects=objects,
        listed_frames=wanted if wanted and rules.listed else None,
    )


def _objects(
    sequence: VideoSequence, meta: VideoMeta, rules: TreeRules
) -> tuple[VideoObject, ...] | None:
    """The objects of the meta file; None if it does not say where each begins."""
    objects = []
    for object_id, item in meta.objects.items():
        first = _first_frame(sequence, item)
        if first is None and not rules.late_objects and sequence.annotated_frames:
            first = sequence.annotated_frames[0]
        if first is None:
            return None
        extras = {"caption": item.caption, "attributes": item.attributes}
        objects.append(
            VideoObject(
                object_id,
                first,
                item.category,
                rules.seen(sequence.name, item),
                item.frame_range,
                {key: value for key, value in extras.items() if value},
            )
        )
    return tuple(objects) or None


def _first_frame(sequence: VideoSequence, item: ObjectMeta) -> str | None:
    """First listed frame that has a mask."""
    if item.frames:
        return next(
            (f for f in item.frames if f in sequence.annotations), item.frames[0]
        )
    if item.frame_range:
        start, stop = item.frame_range
        return next(
            (f for f in sequence.annotated_frames if start <= _number(f) < stop), None
        )
    return None


def _number(frame: str) -> int:
    return int(frame) if frame.isdigit() else -1


def _unmasked_objects(sequences: tuple[VideoSequence, ...]) -> list[str]:
    gaps = []
    for sequence in sequences:
        if isinstance(sequence.annotations, FrameFiles) and sequence.annotations:
            listed = sequence.objects if sequence.known_objects else ()
            late = [
                f"object {item.object_id} ({item.first_frame})"
                for item in listed
                if item.first_frame not in sequence.annotations
            ]
            if late:
                gaps.append(f"no first mask of {sequence.name}: {', '.join(late)}")
    return gaps

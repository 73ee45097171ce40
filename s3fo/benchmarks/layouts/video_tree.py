"""The layout of YouTube-VOS, MOSE and LVOS: one tree per split, with meta files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from evaluation.masks.sequence import natural
from s3fo.benchmarks.layouts.files import FrameFiles, list_folders
from s3fo.benchmarks.layouts.layout import (
    Found,
    describe_frames,
    find_missing,
    find_missing_files,
    refuse_missing,
    sequence_from_folders,
    shorten,
)
from s3fo.benchmarks.layouts.meta import ObjectMeta, VideoMeta, read_meta
from s3fo.benchmarks.layouts.split_folders import (
    all_frames_folder,
    meta_files,
    split_folder,
)
from s3fo.benchmarks.video import VideoObject, VideoSequence


@dataclass(frozen=True)
class TreeRules:
    """In what the benchmarks of this layout differ.

    Attributes:
        title: name for messages.
        fps: of the frames.
        late_objects: objects may appear after the first annotated frame.
        public: splits with masks of every frame (of every listed one, if `listed`).
        listed: results are wanted only for the frames the meta file lists.
        all_frames_fps: of the separate download of all frames; None without one.
        seen: whether an object of a video is of a kind seen in training.
    """

    title: str
    fps: float | None
    late_objects: bool
    public: tuple[str, ...] = ("train",)
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
    folder, notes = split_folder(root, split, rules.title)
    images, masks = folder / "JPEGImages", folder / "Annotations"
    if all_frames:
        images = all_frames_folder(folder, rules.title)
    meta = read_meta(meta_files(folder, split))
    present = list_folders(images)
    names = list(meta) or list_folders(masks) or present
    notes += _notes_on_meta(meta, present)
    build = partial(_sequence, images, masks, rules, all_frames)
    sequences = tuple(
        build(name, meta.get(name, VideoMeta())) for name in sorted(names, key=natural)
    )
    gaps = find_missing(sequences) + _unmasked_objects(sequences)
    if rules.listed:
        gaps += _find_without_images(sequences, meta)
    refuse_missing(
        folder,
        gaps if sequences else ["no videos"],
        f"every video of {rules.title} {split} in JPEGImages and Annotations",
        "Unpack the missing pieces.",
    )
    missing_files = _missing_files(sequences, meta, rules, split)
    return Found(folder, sequences, tuple(notes), tuple(missing_files))


def _notes_on_meta(meta: dict[str, VideoMeta], present: list[str]) -> list[str]:
    if not meta:
        return ["no meta file: objects are read from the masks"]
    extra = [name for name in present if name not in meta]
    if extra:
        return [f"videos that no meta file names are left out: {shorten(extra)}"]
    return []


def _find_without_images(
    sequences: tuple[VideoSequence, ...], meta: dict[str, VideoMeta]
) -> list[str]:
    """Frames that results are wanted for, but of which there is no image."""
    gaps = []
    for sequence in sequences:
        listed = meta.get(sequence.name, VideoMeta()).listed_frames()
        absent = sorted(listed - set(sequence.frames))
        if absent and sequence.frames:
            what = f"listed frame of {sequence.name}"
            gaps.append(f"no image for {describe_frames(absent, what)}")
    return gaps


def _missing_files(
    sequences: tuple[VideoSequence, ...],
    meta: dict[str, VideoMeta],
    rules: TreeRules,
    split: str,
) -> list[str]:
    """Frames, masks and objects that the numbering or the meta files promise."""

    def masked(sequence: VideoSequence) -> Sequence[str]:
        if split not in rules.public:
            return ()
        return sequence.listed_frames or () if rules.listed else sequence.frames

    lengths = {name: video.length for name, video in meta.items() if video.length}
    found = find_missing_files(sequences, masked, lengths)
    for name, video in meta.items():
        unlisted = [key for key, item in video.objects.items() if not item.frames]
        if rules.listed and 0 < len(unlisted) < len(video.objects):
            ids = ", ".join(map(str, unlisted))
            found.append(f"{name}: the meta file lists no frames of object {ids}")
    return found


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
    listed = meta.listed_frames()
    wanted = tuple(frame for frame in sequence.frames if frame in listed)
    return replace(
        sequence,
        known_objects=_objects(sequence, meta, rules),
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
    """First listed frame that has a mask, else the first; None without a list."""
    if item.frames:
        return next(
            (f for f in item.frames if f in sequence.annotations), item.frames[0]
        )
    if item.frame_range:
        start, stop = item.frame_range
        within = [f for f in sequence.frames if start <= _number(f) < stop]
        return next(
            (f for f in within if f in sequence.annotations), next(iter(within), None)
        )
    return None


def _number(frame: str) -> int:
    return int(frame) if frame.isdecimal() else -1


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

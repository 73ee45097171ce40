"""Plain folders: one of images, one of masks, named alike; or a video and a mask."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path

from evaluation._utils.input_files import is_file, is_folder
from evaluation._utils.names import note_several_videos
from evaluation.errors import InputError
from evaluation.masks.encoding import Encoding, encoding_of
from evaluation.masks.folders import describe
from evaluation.masks.ignored import IGNORED, may_ignore
from evaluation.masks.png import read_header
from s3fo.benchmarks.benchmark import Benchmark
from s3fo.benchmarks.layouts.files import (
    IMAGE_SUFFIXES,
    MASK_SUFFIXES,
    FrameFiles,
    list_folders,
    list_frames,
    system_folders,
)
from s3fo.benchmarks.layouts.layout import (
    describe_frames,
    find_missing,
    refuse_missing,
    shorten,
    unnumbered,
)
from s3fo.benchmarks.layouts.mask_names import (
    VIDEO_SUFFIXES,
    check_masks_path,
    masks_of_frames,
    only_mask,
)
from s3fo.benchmarks.validation.renumbered import note_renumbered
from s3fo.benchmarks.video import VideoSequence
from s3fo.benchmarks.video_file import count_frames, note_missing_frames, read_fps

_GENERIC_NAMES = {"jpegimages", "images", "frames", "480p", "rgb", "img"}


def open_folders(
    images: str | PathLike[str],
    masks: str | PathLike[str] | None = None,
    *,
    name: str | None = None,
    protocol: str = "davis-2017",
    fps: float | None = None,
) -> Benchmark:
    """Take any two folders as a benchmark.

    Args:
        images: ``<images>/<sequence>/<frame>.jpg``, or the frames of one sequence
            directly, or one video file.
        masks: ``<masks>/<sequence>/<frame>.png`` likewise, or one mask file for the
            first frame of the only sequence. None: there are no masks.
        name: name of the benchmark; default the name of the image folder.
        protocol: name of the evaluation protocol to score with.
        fps: frames per second, where it is known.

    Raises:
        InputError: no images, masks that match no image, or gaps: all are named.
    """
    images, masks = Path(images), None if masks is None else Path(masks)
    if masks is not None:
        check_masks_path(masks)
    notes: list[str] = []
    sequences = tuple(
        replace(sequence, fps=sequence.fps or fps)
        for sequence in _sequences(images, masks, notes)
    )
    notes += _masks_as_images(sequences)
    notes += note_renumbered(sequences)
    sequences = _read_alike(sequences, notes)
    for sequence in sequences:
        if odd := unnumbered(sequence.frames):
            names = describe_frames(odd)
            notes.append(f"{sequence.name}: not numbered like the others: {names}")
    if masks is not None:
        _refuse_unmasked(sequences, masks, notes)
    return Benchmark(
        name=name or _telling_name(images),
        split=None,
        root=images,
        sequences=sequences,
        protocol=protocol,
        notes=tuple(notes),
    )


def _masks_as_images(sequences: tuple[VideoSequence, ...]) -> list[str]:
    """A note where images are PNGs with a palette, as masks are."""
    found = []
    for sequence in sequences:
        first = next(iter(sequence.images.values()), None)
        if first is None or first.suffix.lower() != ".png":
            continue
        with contextlib.suppress(InputError):  # told where the image is read
            if read_header(first).is_indexed:
                found.append(sequence.name)
    if not found:
        return []
    return [
        f"images of {shorten(found)} are PNGs with a palette, as masks are: is it the "
        "folder of masks that was given for that of images?"
    ]


def _sequences(
    images: Path, masks: Path | None, notes: list[str]
) -> list[VideoSequence]:
    if is_file(images):
        return [_from_video(images, masks, notes)]
    frames = list_frames(images, IMAGE_SUFFIXES)
    if frames:
        return [_single_sequence(images, frames, masks, notes)]
    image_root = _descend(images, IMAGE_SUFFIXES, notes)
    if masks is not None and is_file(masks):
        return [_only_sequence(image_root, masks, notes)]
    mask_root = _descend(masks, MASK_SUFFIXES, notes) if masks else None
    pictured = _find_images(image_root, notes)
    if mask_root:
        unexpected = [name for name in list_folders(mask_root) if name not in pictured]
        if unexpected:
            notes.append(f"masks without images are left out: {shorten(unexpected)}")
    return [
        VideoSequence(
            name=name,
            frames=tuple(files),
            images=files,
            annotations=masks_of_frames(mask_root / name, tuple(files), name, notes)
            if mask_root
            else {},
        )
        for name, files in pictured.items()
    ]


def _find_images(image_root: Path, notes: list[str]) -> dict[str, FrameFiles]:
    """The images of each folder that has any; the others are told."""
    found = {
        name: list_frames(image_root / name, IMAGE_SUFFIXES)
        for name in list_folders(image_root)
    }
    bare = [name for name, files in found.items() if not files]
    bare += system_folders(image_root)
    if bare:
        notes.append(f"folders without images are left out: {shorten(bare)}")
    return {name: files for name, files in found.items() if files}


def _descend(folder: Path, suffixes: tuple[str, ...], notes: list[str]) -> Path:
    """The folder whose subfolders hold files, at most two levels down."""
    level = folder
    for _ in range(3):
        inside = list_folders(level)
        if any(list_frames(level / name, suffixes) for name in inside):
            if level != folder:
                notes.append(f"folder given too high: using {level}")
            return level
        if len(inside) != 1:
            break
        level = level / inside[0]
    raise _nothing_usable(folder, suffixes)


def _nothing_usable(folder: Path, suffixes: tuple[str, ...]) -> InputError:
    """Say what lies in a folder, where it holds no sequences of images or masks."""
    expected = f"<sequence>/<frame>{suffixes[0]}"
    if folder.suffix.lower() in VIDEO_SUFFIXES and not folder.exists():
        return InputError(
            folder,
            "no such video file",
            f"a video file that is there, or a folder of {expected}",
            f"Check the name: {folder.absolute()} was looked for.",
        )
    if not is_folder(folder):
        found = "a file" if folder.exists() else "no such folder"
        return InputError(folder, found, expected, "Check the path.")
    videos = sorted(n for n in os.listdir(folder) if n.endswith(VIDEO_SUFFIXES))
    if videos:
        return InputError(
            folder,
            f"{len(videos)} videos ({shorten(videos)})",
            f"{expected}, or one video file",
            f"Give one of them, such as {folder / videos[0]}.",
        )
    for place in (folder, *(folder / name for name in list_folders(folder)[:6])):
        others = describe(place)
        if others[0].isdecimal():
            return InputError(
                folder,
                f"{others} in {place}, which are not read",
                f"{expected} (of {', '.join(suffixes)})",
                f"Convert them to {suffixes[0]} files, e.g. with ImageMagick.",
            )
    found = ", ".join(list_folders(folder)[:6]) or describe(folder)
    fix = "Give the folder that holds one folder of frames per sequence."
    return InputError(folder, found, expected, fix)


def _only_sequence(image_root: Path, masks: Path, notes: list[str]) -> VideoSequence:
    """The one sequence that a single mask can belong to."""
    found = _find_images(image_root, notes)
    if len(found) > 1:
        names = list(found)
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        raise InputError(
            masks,
            f"one mask file for {len(names)} sequences ({shown})",
            "a folder of <sequence>/<frame>.png, or the frames of one sequence",
            f"Give {image_root / names[0]} as images, say, or a folder of masks.",
        )
    ((name, frames),) = found.items()
    return _single_sequence(image_root / name, frames, masks, notes)


def _single_sequence(
    images: Path, frames: FrameFiles, masks: Path | None, notes: list[str]
) -> VideoSequence:
    name = _telling_name(images)
    notes += [f"{name}: {note}" for note in note_several_videos(frames)]
    return VideoSequence(
        name=name,
        frames=tuple(frames),
        images=frames,
        annotations=_masks_of_one(masks, name, tuple(frames), notes),
    )


def _from_video(path: Path, masks: Path | None, notes: list[str]) -> VideoSequence:
    """Frames are numbered from ``00000``."""
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        raise InputError(
            path,
            f"a {path.suffix or 'suffix-less'} file",
            f"a folder, or a video ({', '.join(VIDEO_SUFFIXES)})",
            "Pass one of these names.",
        )
    frames = tuple(f"{index:05d}" for index in range(count_frames(path)))
    if note := note_missing_frames(path):
        notes.append(note)
    return VideoSequence(
        name=path.stem,
        frames=frames,
        images={},
        annotations=_masks_of_one(masks, path.stem, frames, notes, invented=True),
        video=path,
        fps=read_fps(path),
    )


def _masks_of_one(
    masks: Path | None,
    name: str,
    frames: tuple[str, ...],
    notes: list[str],
    *,
    invented: bool = False,
) -> Mapping[str, Path]:
    """Masks of the only sequence: a file, their folder, or a folder above it."""
    if masks is None:
        return {}
    if is_file(masks):
        return only_mask(masks, frames, invented, notes)
    folder = masks if list_frames(masks, MASK_SUFFIXES) else masks / name
    return masks_of_frames(folder, frames, name, notes, invented=invented)


def _refuse_unmasked(
    sequences: tuple[VideoSequence, ...], masks: Path, notes: list[str]
) -> None:
    """Some sequences without masks are noted, all without are refused."""
    gaps = find_missing(sequences, annotated=False)
    bare = [item.name for item in sequences if not item.annotated_frames]
    if len(bare) == len(sequences):
        gaps.append(f"no mask named like a frame of {', '.join(bare[:5])}")
    elif bare:
        notes.append(f"no masks of {len(bare)} sequences: {', '.join(bare)}")
    refuse_missing(
        masks, gaps, "masks named like the images", "Name both alike, frame by frame."
    )


def _read_alike(
    sequences: tuple[VideoSequence, ...], notes: list[str]
) -> tuple[VideoSequence, ...]:
    """Settle for each video how its masks encode objects, and tell it.

    Raises:
        InputError: the first mask of a video has soft edges.
    """
    told: dict[str, list[str]] = {}
    settled = []
    for sequence in sequences:
        encoding = _encoding(sequence)
        notes_on = list(encoding.notes) if encoding else []
        if encoding and may_ignore(encoding.labels) and sequence.ignored is not None:
            notes_on.append(IGNORED)
        for note in notes_on:
            told.setdefault(note, []).append(sequence.name)
        settled.append(replace(sequence, binary=bool(encoding and encoding.binary)))
    for note, names in told.items():
        everywhere = len(names) == len(sequences)
        notes.append(note if everywhere else f"{shorten(names)}: {note}")
    return tuple(settled)


def _encoding(sequence: VideoSequence) -> Encoding | None:
    """How the first mask that is not empty encodes objects; None without any."""
    for frame in sequence.annotated_frames:
        label_map, void = sequence.stored_annotation(frame)
        if label_map.any():
            return encoding_of(label_map, str(sequence.annotations[frame]), void)
    return None


def _telling_name(folder: Path) -> str:
    folder = folder.absolute()
    while folder.name.lower() in _GENERIC_NAMES and folder.parent.name:
        folder = folder.parent
    return folder.stem if folder.is_file() else folder.name

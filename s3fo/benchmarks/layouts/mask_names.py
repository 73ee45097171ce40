"""Which mask of a plain folder belongs to which frame; whatever is guessed is told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from evaluation._utils.input_files import is_folder
from evaluation.errors import InputError
from evaluation.masks.names import match_names
from s3fo.benchmarks.layouts.files import MASK_SUFFIXES, FrameFiles, list_frames

VIDEO_SUFFIXES = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v")


def check_masks_path(masks: Path) -> None:
    """Refuse what cannot be masks: nothing there, a video, another kind of file.

    Raises:
        InputError: says what it is.
    """
    if is_folder(masks):
        return
    expected = "a folder of <sequence>/<frame>.png, or one PNG mask of the first frame"
    if not masks.exists():
        raise InputError(masks, "no such file or folder", expected, "Check the path.")
    suffix = masks.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        fix = "Write its frames as PNG masks: a video changes pixel values, and ids."
        raise InputError(masks, "a video", expected, fix)
    if suffix not in (*MASK_SUFFIXES, ".jpg", ".jpeg"):
        found = f"a {suffix} file" if suffix else "a file without an ending"
        raise InputError(masks, found, expected, "Convert the mask to PNG.")


def only_mask(
    masks: Path, frames: tuple[str, ...], invented: bool, notes: list[str]
) -> dict[str, Path]:
    """The frame of a single mask: the one it is called after, else the first.

    Args:
        masks: the file.
        frames: names of the frames.
        invented: whether the names are ours, of a video without any.
        notes: told where another reading is possible.
    """
    stem = masks.stem
    if stem in frames and not invented:
        if stem != frames[0]:
            notes.append(f"{masks.name} is the mask of frame {stem}, not the first")
        return {stem: masks}
    if any(character.isdecimal() for character in stem) and stem != frames[0]:
        notes.append(f"{masks.name} is taken for the mask of the first frame")
    return {frames[0]: masks}


def masks_of_frames(
    folder: Path,
    frames: tuple[str, ...],
    sequence: str,
    notes: list[str],
    *,
    invented: bool = False,
) -> Mapping[str, Path]:
    """The masks in a folder by the frames they belong to.

    Args:
        folder: of PNG masks.
        frames: names of the frames.
        sequence: name of the video.
        notes: told how names were matched, if they differ.
        invented: whether the frames' names are ours, counted from 0.
    """
    files = list_frames(folder, MASK_SUFFIXES)
    if not files or not frames:
        return files
    names = tuple(files)
    if invented and len(names) == 1 and names[0].isdecimal():
        if names[0] != frames[0]:
            notes.append(f"{sequence}: its only mask {names[0]} is for the first frame")
        return _rename(files, {frames[0]: names[0]})
    if _counts_from_one(names, frames):
        notes.append(
            f"{sequence}: masks count from 1 ({names[0]} to {names[-1]}), frames from "
            f"0; {names[0]} is the mask of {_earlier(names[0], frames)}"
        )
        return _rename(files, {_earlier(name, frames): name for name in names})
    if invented and names[0].isdecimal() and int(names[0]) > 0:
        notes.append(
            f"{sequence}: frames of a video count from {frames[0]}, so {names[0]} is "
            f"the mask of frame number {int(names[0]) + 1}"
        )
    match = match_names(frames, names)
    if not match.rule:
        return files
    first = next(iter(match.names))
    notes.append(f"{sequence}: masks matched {match.rule} ({match.names[first]})")
    unmatched = {name: name for name in names if name not in match.names.values()}
    return _rename(files, {**match.names, **unmatched})


def _counts_from_one(names: tuple[str, ...], frames: tuple[str, ...]) -> bool:
    """Whether masks are numbered from 1 for frames numbered from 0: one goes beyond."""
    if not all(n.isascii() and n.isdecimal() for n in (*names, frames[0], frames[-1])):
        return False
    numbers = [int(name) for name in names]
    whole = int(frames[0]) == 0 and int(frames[-1]) == len(frames) - 1
    return whole and min(numbers) >= 1 and max(numbers) == len(frames)


def _earlier(name: str, frames: tuple[str, ...]) -> str:
    return frames[int(name) - 1]


def _rename(files: FrameFiles, names: Mapping[str, str]) -> FrameFiles:
    return FrameFiles(files.folder, {k: files.names[name] for k, name in names.items()})

"""Keep what people put among the masks of a video when these are made anew."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from evaluation.errors import InputError


def keep_foreign(old: Path, new: Path, frames: Sequence[str], before: int) -> list[str]:
    """Bring what s3fo did not write from a video's old folder into its new one.

    Only files called like a frame's mask are s3fo's own, and of a video that is now
    shorter, those numbered alike. All others are linked or copied, not moved: until the
    new folder is in place, the old one stays whole.

    Args:
        old: folder that is about to be replaced; it may be missing.
        new: finished folder of masks that comes in its place.
        frames: names of the video's frames.
        before: how many frames it had when the old masks were made.

    Returns:
        Names of the files and folders that were kept, sorted.

    Raises:
        InputError: one of them stands where a new mask belongs.
        OSError: one of them cannot be read.
    """
    own = {f"{frame}.png" for frame in frames}
    forms = {_form(name) for name in own} if before > len(frames) else set()

    def is_own(name: str) -> bool:
        return name in own or _form(name) in forms

    if not old.is_dir():
        return []
    with os.scandir(old) as entries:
        foreign = [
            entry
            for entry in entries
            if not is_own(entry.name) or not entry.is_file(follow_symlinks=False)
        ]
    for entry in foreign:
        if os.path.lexists(new / entry.name):
            raise InputError(
                entry.path,
                "something that s3fo did not make, in the place of a mask",
                "a mask of an earlier run, or nothing",
                "Move it out of the results folder.",
            )
        _keep(entry, new / entry.name)
    return sorted(entry.name for entry in foreign)


def _form(name: str) -> str:
    """A name with all its digits alike."""
    return re.sub(r"[0-9]", "0", name)


def _keep(entry: os.DirEntry[str], place: Path) -> None:
    if entry.is_symlink():
        os.symlink(os.readlink(entry.path), place)
    elif entry.is_dir():
        shutil.copytree(entry.path, place, symlinks=True, copy_function=_link_or_copy)
    else:
        _link_or_copy(entry.path, str(place))


def _link_or_copy(source: str, place: str) -> None:
    """A second name of the same file; a copy where the disk has no such names."""
    try:
        os.link(source, place, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, place, follow_symlinks=False)

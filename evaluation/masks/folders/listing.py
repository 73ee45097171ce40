"""What lies in a folder, whatever else does."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path

from evaluation._utils.input_files import refuse_special, why_unreadable
from evaluation.errors import InputError


def refuse_dangling(folder: Path, pattern: re.Pattern[str] | None = None) -> None:
    """Refuse a visible link that leads nowhere: nobody can say what it stood for.

    Args:
        folder: where to look.
        pattern: only links called so; None for all.

    Raises:
        InputError: there is one.
    """
    for name in sorted(list_folder(folder)):
        if not name.startswith(".") and (not pattern or pattern.fullmatch(name)):
            refuse_special(folder / name)


def names_missing(folder: Path, names: Collection[str]) -> bool:
    """Whether none of the named sequences is a folder in `folder`."""
    return set(subfolders(folder)).isdisjoint(names)


def describe(folder: Path) -> str:
    """What is in a folder, for an error message."""
    if not folder.is_dir():
        return "nothing"
    try:
        files = [name for name in os.listdir(folder) if not name.startswith(".")]
    except OSError as error:
        return why_unreadable(folder, error)
    if not files:
        return "an empty folder"
    slashed = [name for name in files if "\\" in name]
    if slashed:
        return (
            f"{len(slashed)} files such as {min(slashed)}, with backslashes in their "
            "names: a zip from Windows, unpacked so that its folders were lost"
        )
    images = [f for f in files if f.lower().endswith(_IMAGES)]
    if images:
        ending = os.path.splitext(min(images))[1].lower()
        kind = "image files" if ending == ".png" else f"{ending} files"
        return f"{len(images)} {kind} such as {min(images)}"
    inside = sorted(files)[:5]
    return "only " + ", ".join(inside) + (", ..." if len(files) > len(inside) else "")


_IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".npy")


def png_files(folder: Path) -> dict[str, str]:
    """PNG files by frame name; plain strings, as there may be very many."""
    files = [
        name
        for name in list_folder(folder)
        if name[-4:].lower() == ".png" and name[0] != "." and "\\" not in name
    ]
    found = {name[:-4]: os.path.join(folder, name) for name in files}
    if len(found) < len(files):
        kept = {os.path.basename(path) for path in found.values()}
        twin = next(name for name in files if name not in kept)
        raise InputError(
            folder,
            f"two masks of one frame: {twin}, and {twin[:-4]} with another ending",
            "one mask per frame",
            "Remove one of them.",
        )
    return found


def list_folder(folder: Path) -> list[str]:
    """Names in a folder; none where it cannot be read, such as ``lost+found``."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def subfolders(folder: Path) -> list[str]:
    """Names of the visible folders in a folder; none where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.name
                for entry in entries
                if not entry.name.startswith((".", "__MACOSX")) and _is_folder(entry)
            )
    except OSError:
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder or leads to one; links in a circle are none."""
    try:
        return entry.is_dir()
    except OSError:
        return False

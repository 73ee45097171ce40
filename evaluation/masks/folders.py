"""Find sequences of masks in a folder tree, whatever lies around them."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from evaluation.errors import InputError
from evaluation.masks.sequence import FileSequence, MaskSequence, ObjectFolderSequence

MAX_DEPTH = 3
"""How many folders may lie between the folder given and those of the sequences."""

_PREFERRED = ("Annotations", "Annotations_6fps", "480p")
"""Folders to go into where there are several, in the benchmarks' own layouts."""


def open_ground_truth_folder(root: Path) -> dict[str, MaskSequence]:
    """Find the annotated sequences below a folder.

    Takes the folder of the sequences itself, or one a few levels above, such as the
    root of DAVIS. Sequences hold one PNG a frame, or numbered object folders that do.

    Raises:
        InputError: there are no sequences, or more than one place could be meant.
    """
    _must_be_folder(root)
    level = root
    for _ in range(MAX_DEPTH + 1):
        folders = _subfolders(level)
        if any(_is_sequence(level / name) for name in folders):
            found = {name: _open(level / name) for name in folders}
            return {
                name: sequence for name, sequence in found.items() if sequence.frames
            }
        level = _step_down(root, level, folders)
    raise _no_sequences(root)


def open_results_folder(root: Path, names: Collection[str]) -> dict[str, MaskSequence]:
    """Find the named sequences below a results folder.

    One or more folders may lie around them (as after unpacking an archive).

    Args:
        root: results folder.
        names: sequences of the ground truth.

    Returns:
        Those of the named sequences that are there; others are not looked at.

    Raises:
        InputError: none of the sequences is there, or several sets of them.
    """
    _must_be_folder(root)
    levels = [root]
    for _ in range(MAX_DEPTH + 1):
        holders = [d for d in levels if not names_missing(d, names)]
        if len(holders) > 1:
            listed = ", ".join(str(d.relative_to(root)) for d in holders)
            raise InputError(
                root,
                f"more than one set of results ({listed})",
                "one folder per sequence",
                "Give the folder of one set.",
            )
        if holders:
            present = set(_subfolders(holders[0]))
            return {name: _open(holders[0] / name) for name in names if name in present}
        levels = [d / name for d in levels for name in _subfolders(d)]
    raise _none_of_the_sequences(root, names)


def names_missing(folder: Path, names: Collection[str]) -> bool:
    """Whether none of the named sequences is a folder in `folder`."""
    return set(_subfolders(folder)).isdisjoint(names)


def describe(folder: Path) -> str:
    """What is in a folder, for an error message."""
    if not folder.is_dir():
        return "nothing"
    files = [entry for entry in os.listdir(folder) if not entry.startswith(".")]
    if not files:
        return "an empty folder"
    images = [f for f in files if f.lower().endswith((".png", ".jpg", ".jpeg"))]
    if images:
        return f"{len(images)} image files such as {sorted(images)[0]}"
    shown = sorted(files)[:5]
    return "only " + ", ".join(shown) + (", ..." if len(files) > len(shown) else "")


def _open(folder: Path) -> MaskSequence:
    objects = {
        int(name): _png_files(folder / name)
        for name in _subfolders(folder)
        if _is_object_name(name)
    }
    objects = {object_id: files for object_id, files in objects.items() if files}
    if objects:
        return ObjectFolderSequence(folder.name, objects)
    sequence = FileSequence(folder.name, _png_files(folder))
    if not sequence.frames and any(folder.glob("*.[jJ][pP]*[gG]")):
        sequence.remark("there are JPEG files, but JPEG changes object ids")
    return sequence


def _png_files(folder: Path) -> dict[str, str]:
    """PNG files by frame name; plain strings, as there may be very many."""
    return {
        name[:-4]: os.path.join(folder, name)
        for name in os.listdir(folder)
        if name[-4:].lower() == ".png" and name[0] != "."
    }


def _subfolders(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(
            entry.name
            for entry in entries
            if not entry.name.startswith((".", "__MACOSX")) and entry.is_dir()
        )


def _is_sequence(folder: Path) -> bool:
    if _png_files(folder):
        return True
    return any(
        _is_object_name(name) and _png_files(folder / name)
        for name in _subfolders(folder)
    )


def _is_object_name(name: str) -> bool:
    """Whether a folder is called like one object, e.g. ``003``, not like a video."""
    return name.isdigit() and len(name) <= 3


def _step_down(root: Path, level: Path, folders: list[str]) -> Path:
    preferred = [name for name in _PREFERRED if name in folders]
    if preferred:
        return level / preferred[0]
    inside = [name for name in folders if _subfolders(level / name)]
    if not inside:
        raise _no_sequences(root)
    if len(inside) > 1:
        raise InputError(
            level,
            f"several folders that hold folders ({', '.join(inside[:5])})",
            "one folder per sequence, with the masks of its frames",
            "Give the folder of the sequences.",
        )
    return level / inside[0]


def _must_be_folder(root: Path) -> None:
    if not root.is_dir():
        raise InputError(
            root,
            "a file" if root.exists() else "no such folder",
            "a folder with one folder of masks per sequence",
            "Check the path.",
        )


def _no_sequences(root: Path) -> InputError:
    remedy = "Check the path."
    if _png_files(root):
        remedy = f"Give the folder above it, {root.resolve().parent}, or its like."
    return InputError(
        root,
        describe(root),
        "one folder per sequence with PNG masks in it",
        remedy,
    )


def _none_of_the_sequences(root: Path, names: Collection[str]) -> InputError:
    shown = sorted(names)[:5]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    remedy = "Check that results and ground truth belong to the same benchmark."
    if _png_files(root):
        remedy = f"Give the folder above it, {root.resolve().parent}, or its like."
    return InputError(
        root,
        f"none of the sequences of the ground truth, but {describe(root)}",
        f"one folder per sequence ({', '.join(shown)}{more})",
        remedy,
    )

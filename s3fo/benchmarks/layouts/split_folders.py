"""Where the pieces of a split lie in the layout of YouTube-VOS, MOSE and LVOS."""

from __future__ import annotations

import os
from pathlib import Path

from evaluation._utils.input_files import is_folder
from evaluation.errors import InputError
from s3fo.benchmarks.layouts.files import (
    find_archives,
    find_files,
    list_folders,
    locate_root,
)

SPLIT_FOLDERS = {
    "train": ["train"],
    "val": ["valid", "val"],
    "valid-u": ["valid_u"],
    "test": ["test"],
}
"""What the folder of each split may be called, the published name first."""


def split_folder(root: Path, split: str, title: str) -> tuple[Path, list[str]]:
    """The folder of a split, and what to tell the user about it.

    Args:
        root: the folder with the split's folder, or that folder itself.
        split: ``"train"``, ``"val"`` or ``"test"``.
        title: of the benchmark, for messages.

    Raises:
        InputError: there is none, or it is the folder of another split.
    """
    names = SPLIT_FOLDERS[split]
    title = f"{title} {split}"
    has_images = is_folder(root / "JPEGImages")
    owner = _split_called(root.absolute().name)
    inside = [root / name for name in names if is_folder(root / name / "JPEGImages")]
    if has_images and owner is None and not inside:
        return root, [f"taking {root} for the split {split}"]
    landmarks = [f"{name}/JPEGImages" for name in names]
    try:
        found, note = locate_root(root, landmarks, title)
    except InputError as error:
        if has_images:
            raise _other_split(root, str(owner), title, landmarks[0]) from None
        raise _without_images(root, names, title) or error from None
    folders = (found / name for name in names)
    folder = next(place for place in folders if is_folder(place / "JPEGImages"))
    return folder, [note] if note else []


def _split_called(name: str) -> str | None:
    """The split whose folder may have this name."""
    return next((key for key, names in SPLIT_FOLDERS.items() if name in names), None)


def _other_split(root: Path, other: str, title: str, landmark: str) -> InputError:
    return InputError(
        root,
        f"the folder of the split {other}",
        f"{title}: a folder with {landmark} inside",
        f"Name the split {other}, or another folder.",
    )


def _without_images(root: Path, names: list[str], title: str) -> InputError | None:
    """What to say of the split's folder if it is there but lacks its images."""
    for folder in (root.absolute(), *(root / name for name in names)):
        if folder.name not in names or not is_folder(folder):
            continue
        archives = find_archives(folder)
        return InputError(
            folder,
            ", ".join([*list_folders(folder)[:6], *archives]) or "an empty folder",
            f"{title}: JPEGImages, Annotations and the meta file",
            f"Unpack {', '.join(archives) or 'JPEGImages'} there.",
        )
    return None


def all_frames_folder(folder: Path, title: str) -> Path:
    """The images of a split's separate download of all frames.

    Raises:
        InputError: there is none.
    """
    name = f"{folder.name}_all_frames"
    places = [
        place / name / "JPEGImages"
        for place in (folder.parent / "all_frames", folder.parent, folder)
    ]
    for place in places:
        if is_folder(place):
            return place
    raise InputError(
        folder.parent,
        f"no {name}",
        f"{name}/JPEGImages, a separate download of {title}",
        f"Unpack it to {places[0].parent}.",
    )


def meta_files(folder: Path, split: str) -> list[Path]:
    """Meta files that belong to the split, plain ones before those that add to them."""
    stems = {split, folder.name, *SPLIT_FOLDERS[split]}
    patterns = ["meta.json"]
    for stem in sorted(stems):
        patterns += [f"meta_{stem}.json", f"{stem}_meta.json", f"{stem}_*meta*.json"]
    inside = [path for pattern in patterns for path in find_files(folder, pattern)]
    beside = [
        path
        for pattern in (patterns[1:] if os.access(folder.parent, os.R_OK) else [])
        for path in find_files(folder.parent, pattern)
    ]
    return list(dict.fromkeys(inside + beside))

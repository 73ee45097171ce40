"""The masks of one video, from its folder."""

from __future__ import annotations

import re
from pathlib import Path

from evaluation.errors import InputError
from evaluation.masks.folders.listing import (
    describe,
    png_files,
    refuse_dangling,
    subfolders,
)
from evaluation.masks.sequence import FileSequence, MaskSequence, ObjectFolderSequence


def open_sequence(folder: Path) -> MaskSequence:
    """The masks of one video: object folders, PNGs, or PNGs in the only folder."""
    objects = object_folders(folder)
    if objects:
        by_object = ObjectFolderSequence(folder.name, objects)
        for name in subfolders(folder):
            if object_number(name) not in (None, *objects):
                by_object.remark(f"object folder {folder / name} holds no PNG masks")
        return by_object
    files = png_files(folder)
    if files:
        return FileSequence(folder.name, files)
    holders = [name for name in subfolders(folder) if png_files(folder / name)]
    chosen = holders if len(holders) == 1 else [n for n in holders if is_generic(n)]
    if len(chosen) == 1:
        files = png_files(folder / chosen[0])
        sequence = FileSequence(folder.name, files)
        sequence.remark(f"masks were read from its folder {chosen[0]}")
        return sequence
    sequence = FileSequence(folder.name, {})
    sequence.remark(_why_empty(folder))
    return sequence


def _why_empty(folder: Path) -> str:
    inside = describe(folder)
    if any(inside.find(ending) >= 0 for ending in (".jpg", ".jpeg")):
        return f"{inside}, but JPEG changes object ids"
    return f"{inside}, but no PNG masks"


def object_folders(folder: Path) -> dict[int, dict[str, str]]:
    """PNG files by object id and frame, where folders are called like objects."""
    refuse_dangling(folder, _OBJECT_NAME)
    objects: dict[int, dict[str, str]] = {}
    for name in subfolders(folder):
        number = object_number(name)
        files = png_files(folder / name) if number is not None else {}
        if number is None or not files:
            continue
        if number in objects:
            raise InputError(
                folder,
                f"two folders for object {number}, one of them {name}",
                "one folder per object",
                "Remove or rename one of them.",
            )
        objects[number] = files
    return objects


def is_sequence(folder: Path) -> bool:
    """Whether a folder holds the masks of a video, in object folders or directly."""
    return bool(png_files(folder)) or any(
        object_number(name) is not None and png_files(folder / name)
        for name in subfolders(folder)
    )


_OBJECT_NAME = re.compile(
    r"(?:(?:obj(?:ect)?|inst(?:ance)?|id|track|mask)[ _-]?\d+|\d{1,3})", re.IGNORECASE
)


def object_number(name: str) -> int | None:
    """Number of a folder that is called like one object, e.g. ``003`` or ``obj_1``."""
    if not name.isascii() or not _OBJECT_NAME.fullmatch(name):
        return None
    return int(re.sub(r"\D", "", name))


_GENERIC = {
    "annotation", "annotations", "gt", "ground_truth", "groundtruth", "label", "labels",
    "mask", "masks", "pred", "preds", "prediction", "predictions", "result", "results",
    "segmentation", "segmentations", "seg", "sequences", "videos", "480p", "1080p",
    "train", "val", "valid", "test", "output", "outputs", "data",
}  # fmt: skip


def is_generic(name: str) -> bool:
    """Whether a folder is called like a kind of content, not like a video."""
    return name.lower() in _GENERIC

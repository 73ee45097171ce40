"""The masks of one video, from its folder."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from pathlib import Path

from evaluation._utils.names import counted
from evaluation.errors import InputError
from evaluation.masks.folders.listing import (
    describe,
    png_files,
    refuse_dangling,
    subfolders,
)
from evaluation.masks.names import shown
from evaluation.masks.sequence import FileSequence, MaskSequence, ObjectFolderSequence


def open_sequence(folder: Path, truth: MaskSequence | None = None) -> MaskSequence:
    """The masks of one video: object folders, PNGs, or PNGs in the only folder.

    Args:
        folder: of the video.
        truth: its ground truth, which tells what long numbers are.
    """
    objects = object_folders(folder, of_video=True)
    if not objects and truth is not None and _are_objects_of(folder, truth):
        objects = object_folders(folder, of_video=True, known=True)
    if objects:
        by_object = ObjectFolderSequence(folder.name, objects)
        by_object.left_out = tuple(_other_folders(folder))
        for remark in _left_out(folder, objects, by_object.left_out):
            by_object.remark(remark)
        if not any(object_number(name) is not None for name in subfolders(folder)):
            by_object.remark(
                f"its folders {shown(subfolders(folder))} were read as objects: they "
                "hold the frames of the ground truth, and are called like its ids"
            )
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
    why, sequence.remedy = _why_empty(folder)
    sequence.is_void = _holds_nothing(folder)
    sequence.remark(why)
    return sequence


def _are_objects_of(folder: Path, truth: MaskSequence) -> bool:
    """Whether folders of long numbers are objects: `<object>/<frame>.png`.

    They might be frames that hold a mask per object. Folders must be called like ids of
    the ground truth and files like its frames, and not the other way round.
    """
    names = subfolders(folder)
    if not names or not all(name.isascii() and name.isdecimal() for name in names):
        return False
    inside = [set(png_files(folder / name)) for name in names]
    if not all(inside):
        return False
    frames, files = set(truth.frames), set().union(*inside)
    if not files <= frames or 2 * len(files) < len(frames):
        return False
    ends = (truth.frames[0], truth.frames[len(frames) // 2], truth.frames[-1])
    ids = truth.annotated_ids() or truth.labels_in(dict.fromkeys(ends))
    other_way = set(names) <= frames and _numbers(files) <= ids
    return _numbers(names) <= ids and not other_way


def _numbers(names: Iterable[str]) -> set[int]:
    """Names as numbers; -1 for one that is none."""
    return {int(n) if n.isascii() and n.isdecimal() else -1 for n in names}


def _other_folders(folder: Path) -> list[str]:
    """Folders beside those of objects that hold masks and are called like none."""
    return [
        name
        for name in subfolders(folder)
        if object_number(name, of_video=True) is None and png_files(folder / name)
    ]


def _left_out(
    folder: Path, objects: Collection[int], others: Iterable[str]
) -> list[str]:
    """What to say of folders and masks that are none of the objects."""
    remarks = []
    for name in others:
        _refuse_odd_number(folder, name)
        remarks.append(
            f"its folder {name} was left out, though it holds masks: it is called "
            "like no object; if it is one, name it by the object's id"
        )
    for name in subfolders(folder):
        number = object_number(name, of_video=True)
        if number is not None and number not in objects:
            remarks.append(f"object folder {folder / name} holds no PNG masks")
    beside = png_files(folder)
    if beside:
        remarks.append(
            f"{len(beside)} PNG files such as {min(beside)}.png were left out, as "
            "they lie beside folders of objects; if they are the masks, give a folder "
            "without the folders of objects"
        )
    return remarks


def _refuse_odd_number(folder: Path, name: str) -> None:
    """Refuse masks beside objects in a folder called ``-2`` or ``x2``: it is one, too.

    Raises:
        InputError: the folder is called so.
    """
    if re.fullmatch(r"\D?\d+", name):
        raise InputError(
            folder / name,
            f"masks in a folder called {name} beside folders of objects",
            "objects called by their ids: 0, 1, 2, ...",
            "Rename it to the id of its object, or move it elsewhere if it is none.",
        )


def _why_empty(folder: Path) -> tuple[str, str]:
    """What lies in a folder without masks, and what to do about it."""
    if _holds_nothing(folder):
        return "its folder holds no masks", "Put its masks there."
    inside = describe(folder)
    if any(f"{ending} files" in inside for ending in _LOSSY):
        return (
            f"{inside}, but JPEG changes object ids",
            "Write the masks again, as PNG, with the program that made them: JPEG has "
            "changed their ids, and converting these files does not bring them back.",
        )
    if ".webp files" in inside:
        return (
            f"{inside}, but no PNG masks",
            "Convert them to PNG, pixel by pixel, if they were written without loss; "
            "WebP with loss has changed object ids: then write the masks again, as "
            "PNG, with the program that made them.",
        )
    if any(f"{ending} files" in inside for ending in _LOSSLESS):
        return (
            f"{inside}, but no PNG masks",
            "Convert them to PNG, pixel by pixel, and name them after the frames.",
        )
    holders = [name for name in subfolders(folder) if png_files(folder / name)]
    if holders and all(name.isdecimal() for name in holders):
        return (
            f"{len(holders)} numbered folders of PNG masks such as {holders[0]}",
            f"If they are objects, call them obj_{holders[0]} and the like; if they "
            "are frames, write one label map per frame in their place.",
        )
    if holders and len(holders) == len(subfolders(folder)):
        return (
            f"{counted(len(holders), 'folder')} of PNG masks such as {holders[0]}, "
            "without a number",
            f"{OBJECTS_BY_NAME} If they are no objects, put one PNG mask per frame in "
            "their place.",
        )
    return (
        f"{inside}, but no PNG masks",
        "Put one PNG mask per frame there, called like the frames.",
    )


OBJECTS_BY_NAME = (
    "If folders such as these are objects, call them by the ids of the ground truth's "
    "objects: obj_1, obj_2."
)
"""What to do where folders of objects have no numbers."""


_LOSSY = (".jpg", ".jpeg")
_LOSSLESS = (".tif", ".tiff", ".bmp", ".gif", ".npy")


def _holds_nothing(folder: Path) -> bool:
    """Whether there is no visible file in a folder, or in one inside it."""

    def refuse(error: OSError) -> None:
        raise error  # what cannot be read is not empty

    try:
        return not any(
            name[0] != "."
            for _, _, names in os.walk(folder, onerror=refuse)
            for name in names
        )
    except OSError:
        return False


def object_folders(
    folder: Path, *, of_video: bool = False, known: bool = False
) -> dict[int, dict[str, str]]:
    """PNG files by object id and frame, where folders are called like objects.

    Args:
        folder: that holds them.
        of_video: whether the folder is known to be a video, so that long numbers are
            objects, too, beside others. Elsewhere they may be videos.
        known: whether long numbers are known to be objects without others beside them.
    """
    refuse_dangling(folder, _OBJECT_NAME)
    objects: dict[int, dict[str, str]] = {}
    called: dict[int, str] = {}
    names = subfolders(folder)
    # Long numbers alone may be frames that hold a mask per object.
    short = (n for n in names if object_number(n) is not None)
    of_video = of_video and (known or any(png_files(folder / n) for n in short))
    for name in names:
        number = object_number(name, of_video=of_video)
        files = png_files(folder / name) if number is not None else {}
        if number is None or not files:
            continue
        if number in objects:
            raise InputError(
                folder,
                f"two folders for object {number}: {called[number]} and {name}",
                "one folder per object",
                "Remove or rename one of them.",
            )
        objects[number], called[number] = files, name
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


def object_number(name: str, *, of_video: bool = False) -> int | None:
    """Number of a folder that is called like one object, e.g. ``003`` or ``obj_1``.

    Args:
        name: of the folder.
        of_video: whether it lies in a video: any number is an object's, then.
    """
    if not name.isascii():
        return None
    if not (_OBJECT_NAME.fullmatch(name) or (of_video and name.isdecimal())):
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

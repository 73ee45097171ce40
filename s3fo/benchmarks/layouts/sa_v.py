"""The layout of SA-V: a mask folder per object (val, test); see `sa_v_train`, too."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from evaluation._utils.input_files import is_file, is_folder
from evaluation._utils.names import check_names
from evaluation.errors import InputError
from evaluation.formats.sa_v import ANNOTATED_EVERY
from evaluation.masks.sequence import MaskSequence, ObjectFolderSequence
from s3fo.benchmarks.layouts.files import (
    IMAGE_SUFFIXES,
    MASK_SUFFIXES,
    list_folders,
    list_frames,
    locate_root,
    read_text,
)
from s3fo.benchmarks.layouts.layout import (
    Found,
    describe_frames,
    find_missing,
    find_missing_files,
    refuse_missing,
    shorten,
)
from s3fo.benchmarks.layouts.sa_v_train import FPS, read_train
from s3fo.benchmarks.video import VideoSequence

_LAST_FOLDER = 65534
"""Label maps have 16 bits, and folder 0 is object 1."""

_IMAGES, _MASKS = "JPEGImages_24fps", "Annotations_6fps"


def read_sa_v(root: Path, split: str) -> Found:
    """Read SA-V val or test (folders) or train (videos and run-length JSON).

    Object folders and masklets are numbered from 0, which is the background of label
    maps: object k of this package is folder or masklet k - 1.

    Args:
        root: ``sav_<split>``, or the folder above it.
        split: ``"train"``, ``"val"`` or ``"test"``.

    Raises:
        InputError: not such a tree, or pieces are missing: all of them are named.
    """
    if split == "train":
        return read_train(root)
    root, note = _root_of(root, split)
    listing = root / f"sav_{split}.txt"
    if is_file(listing):
        names = list(dict.fromkeys(read_text(listing).split()))
        check_names(names, "sequence", listing)
    else:
        names = list_folders(root / _IMAGES)
    sequences = tuple(_from_folders(root, name) for name in names)
    refuse_missing(
        root,
        [*_find_misnumbered(root, names), *find_missing(sequences)]
        or ([] if sequences else ["no videos"]),
        f"every video of the split in {_IMAGES} and {_MASKS}",
        "Unpack the missing pieces.",
    )
    notes = [note] if note else []
    if not is_file(listing):
        notes.append(f"no {listing.name}: all {len(names)} videos")
    missing_files = find_missing_files(sequences, _annotated_by_rule)
    for sequence in sequences:
        missing_files += _incomplete_objects(sequence, root / _MASKS / sequence.name)
    return Found(root, sequences, tuple(notes), tuple(missing_files))


def _root_of(root: Path, split: str) -> tuple[Path, str]:
    """The folder of the split, never that of the other one."""
    named = root / f"sav_{split}"
    found, note = locate_root(
        named if is_folder(named) else root, [_IMAGES], f"SA-V {split}"
    )
    other = {"val": "test", "test": "val"}[split]
    mine, others = f"sav_{split}", f"sav_{other}"
    if not is_file(found / f"{mine}.txt") and (
        found.absolute().name == others or is_file(found / f"{others}.txt")
    ):
        raise InputError(
            found,
            f"the folder of the split {other}",
            f"{mine} with {_IMAGES}, {_MASKS} and {mine}.txt",
            f"Name the split {other}, or another folder.",
        )
    return found, note


def _annotated_by_rule(sequence: VideoSequence) -> list[str]:
    names = [frame for frame in sequence.frames if frame.isdecimal()]
    return [frame for frame in names if int(frame) % ANNOTATED_EVERY == 0]


def _find_misnumbered(root: Path, names: list[str]) -> Iterator[str]:
    """Object folders that stand for the same object, or for none a label map has."""
    for name in names:
        folders = _object_folders(root / _MASKS / name)
        numbers = [int(folder) for folder in folders]
        if doubled := _two_of_one(name, folders):
            yield doubled
        if max(numbers, default=0) > _LAST_FOLDER:
            yield f"object folder {max(numbers)} of {name}, above {_LAST_FOLDER}"


def _two_of_one(name: str, folders: list[str]) -> str:
    """What to say of folders of a video that stand for the same object."""
    if len(set(map(int, folders))) == len(folders):
        return ""
    return f"two folders of one object of {name} ({', '.join(folders)})"


def _incomplete_objects(sequence: VideoSequence, folder: Path) -> Iterator[str]:
    """Object folders that lack masks of frames in which others have one."""
    folders = _object_folders(folder)
    unnumbered = [name for name in list_folders(folder) if name not in folders]
    masks = sequence.object_masks
    assert masks is not None, "every object has a folder"
    if unnumbered:
        yield f"{sequence.name}: no numbers of objects: folders {shorten(unnumbered)}"
    for number in folders:
        there = masks.object_frames(int(number) + 1)
        absent = [frame for frame in masks.frames if frame not in there]
        if absent:
            frames = describe_frames(absent)
            yield f"{sequence.name}: no mask in object folder {number} of {frames}"


def _from_folders(root: Path, name: str) -> VideoSequence:
    images = list_frames(root / _IMAGES / name, IMAGE_SUFFIXES)
    masks = root / _MASKS / name
    return VideoSequence(
        name=name,
        frames=tuple(images),
        images=images,
        annotations={},
        load_object_masks=partial(load_object_folders, masks, name),
        fps=FPS,
    )


def load_object_folders(folder: Path, name: str) -> MaskSequence:
    """Masks of ``<folder>/<object>/<frame>.png``; folder ``000`` is object 1.

    Raises:
        InputError: two folders are of one object.
    """
    if doubled := _two_of_one(name, _object_folders(folder)):
        fix = "Remove or rename one of them."
        raise InputError(folder, doubled, "one folder per object", fix)
    objects = {
        int(number) + 1: dict(list_frames(folder / number, MASK_SUFFIXES))
        for number in _object_folders(folder)
    }
    masks = ObjectFolderSequence(name, objects)
    masks.folder_offset = 1
    return masks


def _object_folders(folder: Path) -> list[str]:
    return [name for name in list_folders(folder) if name.isdecimal()]

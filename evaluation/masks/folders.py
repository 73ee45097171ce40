"""Find sequences of masks in a folder tree, whatever lies around them."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from evaluation._utils.input_files import refuse_special, why_unreadable
from evaluation.errors import InputError
from evaluation.masks.encoding import is_soft
from evaluation.masks.label_map import LabelMap, read_label_map
from evaluation.masks.names import Match, match_names, match_sequences, shown
from evaluation.masks.sequence import FileSequence, MaskSequence, ObjectFolderSequence
from evaluation.protocols import VOID

MAX_DEPTH = 3
"""How many folders may lie between the folder given and those of the sequences."""

_PREFERRED = ("Annotations", "Annotations_6fps", "480p")
"""Folders to go into where there are several, in the benchmarks' own layouts."""


def open_ground_truth_folder(
    root: Path, notes: list[str] | None = None
) -> dict[str, MaskSequence]:
    """Find the annotated sequences below a folder.

    Takes the folder of the sequences itself, or one a few levels above, such as the
    root of a benchmark. Sequences hold one PNG per frame, or numbered object
    folders that do.

    Args:
        root: the folder.
        notes: gets a sentence about every folder that is left out.

    Raises:
        InputError: there are no sequences, more than one place could be meant, or a
            sequence is a link that leads nowhere.
    """
    _must_be_folder(root)
    level = root
    for _ in range(MAX_DEPTH + 1):
        folders = subfolders(level)
        if any(_is_sequence(level / name) for name in folders):
            inside = _folder_of_videos(level, folders)
            if inside is None:
                _refuse_dangling(level)
                every = {name: open_sequence(level / name) for name in folders}
                found = {name: one for name, one in every.items() if one.frames}
                _tell_guess(level, found)
                if notes is not None:
                    notes += _left_out(level, every)
                return found
            level = inside
            continue
        level = _step_down(root, level, folders)
    raise _no_sequences(root)


def _left_out(level: Path, sequences: Mapping[str, MaskSequence]) -> list[str]:
    """What to say about folders beside the sequences that are not scored."""
    notes = [
        f"{name} of the ground truth was skipped: {'; '.join(one.remarks())}"
        for name, one in sequences.items()
        if not one.frames
    ]
    hidden = sorted(n for n in _list_folder(level) if n.startswith("."))
    return notes + [
        f"{name} of the ground truth was skipped: a hidden folder, though it holds "
        f"masks; rename it if it is a sequence"
        for name in hidden
        if _is_sequence(level / name)
    ]


def _refuse_dangling(folder: Path, pattern: re.Pattern[str] | None = None) -> None:
    """Refuse a visible link that leads nowhere: nobody can say what it stood for.

    Args:
        folder: where to look.
        pattern: only links called so; None for all.

    Raises:
        InputError: there is one.
    """
    for name in sorted(_list_folder(folder)):
        if not name.startswith(".") and (not pattern or pattern.fullmatch(name)):
            refuse_special(folder / name)


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
    holder = find_holder(root, names)
    match = match_sequences(names, subfolders(holder)) if holder else Match({}, "")
    if holder is None:
        holder, match = _find_nearly_named(root, names)
    if holder is None:
        raise _none_of_the_sequences(root, names)
    found = {}
    for name, folder in match.names.items():
        found[name] = open_sequence(holder / folder)
        remark_name(found[name], name, folder, match.rule)
    return found


def remark_name(masks: MaskSequence, name: str, own: str, rule: str) -> None:
    """Tell which name the masks of a video have, if it is not that of the video."""
    if own == name:
        return
    masks.remark(f"sequences were matched {rule}: {_told(own, rule)} for {name}")


def _told(name: str, rule: str) -> str:
    """A name; the characters where it looks the same as another."""
    return ascii(name) if "Unicode" in rule else name


def find_holder(root: Path, names: Collection[str]) -> Path | None:
    """The folder below `root`, or itself, with folders called like the sequences.

    The highest level that has any counts, at most `MAX_DEPTH` below `root`.

    Returns:
        The folder; None if there is none.

    Raises:
        InputError: there is no such folder, or there are several sets of sequences.
    """
    _must_be_folder(root)
    levels = [root]
    for _ in range(MAX_DEPTH + 1):
        holders = [folder for folder in levels if not names_missing(folder, names)]
        if len(holders) > 1:
            listed = ", ".join(str(folder.relative_to(root)) for folder in holders)
            raise InputError(
                root,
                f"more than one set of results ({listed})",
                "one folder per sequence",
                f"Give the folder of one set, such as {holders[0]}.",
            )
        if holders:
            return holders[0]
        levels = [folder / name for folder in levels for name in subfolders(folder)]
    return None


def _find_nearly_named(root: Path, names: Collection[str]) -> tuple[Path | None, Match]:
    """The highest folder whose folders are called nearly like the sequences."""
    levels = [root]
    for _ in range(MAX_DEPTH + 1):
        for folder in levels:
            match = match_names(sorted(names), subfolders(folder))
            if match.names:
                return folder, match
        levels = [folder / name for folder in levels for name in subfolders(folder)]
    return None, Match({}, "")


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


def open_sequence(folder: Path) -> MaskSequence:
    """The masks of one video: object folders, PNGs, or PNGs in the only folder."""
    objects = _object_folders(folder)
    if objects:
        by_object = ObjectFolderSequence(folder.name, objects)
        for name in subfolders(folder):
            if _object_number(name) not in (None, *objects):
                by_object.remark(f"object folder {folder / name} holds no PNG masks")
        return by_object
    files = _png_files(folder)
    if files:
        return FileSequence(folder.name, files)
    holders = [name for name in subfolders(folder) if _png_files(folder / name)]
    chosen = holders if len(holders) == 1 else [n for n in holders if _is_generic(n)]
    if len(chosen) == 1:
        files = _png_files(folder / chosen[0])
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


def _object_folders(folder: Path) -> dict[int, dict[str, str]]:
    """PNG files by object id and frame, where folders are called like objects."""
    _refuse_dangling(folder, _OBJECT_NAME)
    objects: dict[int, dict[str, str]] = {}
    for name in subfolders(folder):
        number = _object_number(name)
        files = _png_files(folder / name) if number is not None else {}
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


def _png_files(folder: Path) -> dict[str, str]:
    """PNG files by frame name; plain strings, as there may be very many."""
    files = [
        name
        for name in _list_folder(folder)
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


def _list_folder(folder: Path) -> list[str]:
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


def _is_sequence(folder: Path) -> bool:
    return bool(_png_files(folder)) or any(
        _object_number(name) is not None and _png_files(folder / name)
        for name in subfolders(folder)
    )


_OBJECT_NAME = re.compile(
    r"(?:(?:obj(?:ect)?|inst(?:ance)?|id|track|mask)[ _-]?\d+|\d{1,3})", re.IGNORECASE
)


def _object_number(name: str) -> int | None:
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


def _is_generic(name: str) -> bool:
    """Whether a folder is called like a kind of content, not like a video."""
    return name.lower() in _GENERIC


def _folder_of_videos(level: Path, folders: list[str]) -> Path | None:
    """The only folder of a level, if its numbered folders are videos, not objects.

    Videos may be called ``01`` and ``02``, as objects are. They are videos if the
    folder around them is called like a kind of content, a mask in them has several
    ids, or their masks have several sizes.
    """
    numbered = [name for name in folders if _object_folders(level / name)]
    if len(numbered) != 1 or any(_png_files(level / name) for name in folders):
        return None
    folder = level / numbered[0]
    objects = _object_folders(folder)
    if len(objects) == 1 and not _is_generic(folder.name):
        return None
    return folder if _is_generic(folder.name) or _are_videos(objects) else None


def _tell_guess(level: Path, found: dict[str, MaskSequence]) -> None:
    """Tell where a single video's numbered folders could have been videos as well."""
    (one,) = found.values() if len(found) == 1 else (None,)
    if not isinstance(one, ObjectFolderSequence):
        return
    names = [n for n in subfolders(level / one.name) if _object_number(n) is not None]
    if len(names) > 1 and all(name.isdecimal() and len(name) < 3 for name in names):
        one.remark(
            f"its folders {shown(names)} were read as objects of one video; if they "
            f"are videos, give {level / one.name}"
        )


def _are_videos(objects: dict[int, dict[str, str]]) -> bool:
    """Whether masks in numbered folders are those of whole videos."""
    shapes, several = set(), False
    for files in objects.values():
        frames = sorted(files)
        for frame in {frames[0], frames[len(frames) // 2], frames[-1]}:
            with contextlib.suppress(OSError, InputError):
                mask = read_label_map(files[frame])
                shapes.add(mask.shape)
                several = several or _has_ids(mask)
    return several or len(shapes) > 1


def _has_ids(mask: LabelMap) -> bool:
    """Whether a mask has several objects; grey levels of one object are none."""
    labels = set(np.unique(mask).tolist())
    return 0 in labels and len(labels - {0, VOID}) > 1 and not is_soft(mask)


def _step_down(root: Path, level: Path, folders: list[str]) -> Path:
    preferred = [name for name in _PREFERRED if name in folders]
    if preferred:
        return level / preferred[0]
    inside = [name for name in folders if subfolders(level / name)]
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
    return InputError(
        root,
        describe(root),
        "one folder per sequence with PNG masks in it",
        _way_out(
            root, f"Give the folder that holds the sequences of masks, not {root}."
        ),
    )


def _none_of_the_sequences(root: Path, names: Collection[str]) -> InputError:
    wanted = sorted(names)[:5]
    more = f" and {len(names) - len(wanted)} more" if len(names) > len(wanted) else ""
    return InputError(
        root,
        f"none of the sequences of the ground truth, but {describe(root)}",
        f"one folder per sequence ({', '.join(wanted)}{more})",
        _way_out(root, "Check that results and ground truth belong to one benchmark."),
    )


def _way_out(root: Path, otherwise: str) -> str:
    if any("\\" in name for name in _list_folder(root)):
        return (
            "Unpack the archive again with a tool that knows Windows zips, e.g. 7-Zip."
        )
    if _png_files(root):
        return f"Give the folder above it, {root.resolve().parent}, or its like."
    return otherwise

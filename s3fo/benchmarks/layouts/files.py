"""Listing folders as benchmarks need it: natural order, unexpected files ignored."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

from evaluation._utils.input_files import (
    dangling,
    is_file,
    is_folder,
    kind_of,
    read_input,
    refuse_special,
    unreadable_folder,
)
from evaluation.errors import InputError
from evaluation.masks.pictures import IMAGE_SUFFIXES
from evaluation.masks.sequence import natural

MASK_SUFFIXES = (".png",)


class FrameFiles(Mapping[str, Path]):
    """The frame files of one folder, ``{frame name: path}`` in playing order.

    Paths are made when asked for: a benchmark of half a million frames holds
    names only.

    Args:
        folder: where the files are.
        files: file name of each frame name, in playing order.
    """

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.folder = folder
        self._prefix = str(folder / "_")[:-1]
        self._files = dict(files)

    def __getitem__(self, frame: str) -> Path:
        return self.folder / self._files[frame]

    def text(self, frame: str) -> str:
        """The path of a frame's file as text."""
        return self._prefix + self._files[frame]

    @property
    def names(self) -> Mapping[str, str]:
        """File name of each frame name, in playing order."""
        return self._files

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, frame: object) -> bool:
        return frame in self._files

    def __repr__(self) -> str:
        return f"FrameFiles({str(self.folder)!r}, {len(self)} frames)"


def path_text(files: Mapping[str, Path], frame: str) -> str:
    """The path of a frame's file as text.

    Where many files are opened, making a `Path` of each takes longer than opening it.
    """
    return files.text(frame) if isinstance(files, FrameFiles) else str(files[frame])


def absolute_files(files: Mapping[str, Path]) -> Mapping[str, Path]:
    """The same files with absolute paths; the same object where they are already."""
    if isinstance(files, FrameFiles):
        if files.folder.is_absolute():
            return files
        return FrameFiles(files.folder.absolute(), files.names)
    if all(path.is_absolute() for path in files.values()):
        return files
    return {frame: path.absolute() for frame, path in files.items()}


def list_frames(folder: Path, suffixes: Iterable[str]) -> FrameFiles:
    """Frame files of a folder with one of the suffixes; anything else is unexpected.

    Hidden files (such as macOS's ``._00000.jpg``) are ignored, too. Of two files with
    the same stem the one whose suffix is listed first counts. An absent folder has
    no frames.

    Raises:
        InputError: the folder cannot be read, or what is called like a frame is none:
            a link that leads nowhere, a pipe, a folder among frames.
    """
    rank = {suffix: position for position, suffix in enumerate(suffixes)}
    found: dict[str, tuple[int, str]] = {}
    folders = []
    for entry in _entries(folder):
        stem, suffix = os.path.splitext(entry.name)
        position = rank.get(suffix.lower())
        if position is None or position > found.get(stem, (len(rank), ""))[0]:
            continue
        if _is_file(entry):
            found[stem] = (position, entry.name)
        elif _is_folder(entry):
            folders.append(entry.path)
        else:
            raise _no_frame(entry.path)
    if found and folders:  # alone, they are sequences whose names hold a dot
        raise _no_frame(min(folders))
    ordered = sorted(found, key=natural)
    return FrameFiles(folder, {stem: found[stem][1] for stem in ordered})


def list_folders(folder: Path) -> list[str]:
    """Names of the visible subfolders in natural order; none if it is absent.

    Raises:
        InputError: the folder cannot be read, or something in it may stand for a
            folder, but is none: a link that leads nowhere, say, unless its name has the
            ending of a file.
    """
    names = []
    for entry in _entries(folder):
        if _is_folder(entry):
            names.append(entry.name)
        elif not _is_file(entry) and not _ends_like_a_file(entry.name):
            refuse_special(entry.path)
    return sorted(names, key=natural)


def holds_folders(folder: Path) -> bool:
    """Whether there is a visible folder in a folder.

    Raises:
        InputError: the folder cannot be read.
    """
    return any(_is_folder(entry) for entry in _entries(folder))


def find_files(folder: Path, pattern: str) -> list[Path]:
    """Visible files of a folder whose names fit a shell pattern, sorted.

    Raises:
        InputError: the folder cannot be read, or what is called so is no file.
    """
    found = [
        folder / entry.name
        for entry in _entries(folder)
        if fnmatchcase(entry.name, pattern)
    ]
    for path in found:
        if not is_file(path):
            raise InputError(path, "a folder", "a file", "Rename or remove it.")
    return sorted(found)


def find_files_below(root: Path, pattern: str) -> list[Path]:
    """As `find_files`, in a folder and all folders below it, linked ones included."""
    found: list[Path] = []
    seen: set[str] = set()
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        if (real := os.path.realpath(folder)) not in seen:  # links may lead back up
            seen.add(real)
            found += find_files(folder, pattern)
            waiting += [folder / name for name in list_folders(folder)]
    return sorted(found)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """What is visible in a folder; nothing if it is absent."""
    if not is_folder(folder):
        return
    try:
        with os.scandir(folder) as entries:
            yield from (entry for entry in entries if not is_hidden(entry.name))
    except OSError as error:
        raise unreadable_folder(folder, error) from error


_SYSTEM = ("lost+found", "$RECYCLE.BIN", "System Volume Information", "__MACOSX")
"""Folders that systems put beside people's own, often unreadable."""


def is_hidden(name: str) -> bool:
    """Whether a file or folder is a system's own, such as ``._00000.jpg``."""
    return name.startswith((".", "__MACOSX")) or name in _SYSTEM


def system_folders(folder: Path) -> list[str]:
    """Names of a system's own visible folders in a folder, for a note."""
    with suppress(OSError):
        return sorted(name for name in os.listdir(folder) if name in _SYSTEM)
    return []


_FILE_SUFFIXES = (
    *IMAGE_SUFFIXES, ".txt", ".md", ".json", ".csv", ".yaml", ".yml", ".xml", ".pdf",
    ".zip", ".tar", ".gz", ".tgz", ".mp4", ".avi", ".mov", ".mkv", ".py", ".sh",
)  # fmt: skip


def _ends_like_a_file(name: str) -> bool:
    return name.lower().endswith(_FILE_SUFFIXES)


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Links count as what they lead to."""
    try:
        return entry.is_file()
    except OSError:  # links in a circle
        return False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _no_frame(path: str) -> InputError:
    """What to say of something that is called like a frame, but is no file."""
    found = dangling(path) or kind_of(os.lstat(path).st_mode)
    return InputError(
        path,
        found,
        "the file of a frame",
        "Fetch or copy the file, or remove this to leave the frame out.",
    )


def read_text(path: Path) -> str:
    """A text file in UTF-8, with or without the mark that Windows puts in front.

    Raises:
        InputError: it cannot be read, or is in another encoding.
    """
    data = read_input(path, "a text file in UTF-8", "Copy or unpack it again.")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InputError(
            path, "text in another encoding", "UTF-8", "Save it as UTF-8."
        ) from error


def locate_root(root: Path, landmarks: Iterable[str], what: str) -> tuple[Path, str]:
    """Find the folder that holds one of the landmarks, given one near it.

    Looks at `root`, then at its subfolders (root given one level too high), then at
    the three folders above it (too low).

    Args:
        root: the folder the user gave.
        landmarks: names of which one must be inside, e.g. ``["JPEGImages"]``.
        what: what is looked for, for the error message.

    Returns:
        The folder, and what to tell the user about it (empty if it is `root`).

    Raises:
        InputError: nothing like it around `root`; zips waiting there are named.
    """
    landmarks = list(landmarks)

    def is_root(folder: Path) -> bool:
        places = [folder / landmark for landmark in landmarks]
        return any(is_folder(place) or is_file(place) for place in places)

    if is_root(root):
        return root, ""
    if not is_folder(root):
        found = "a file" if root.exists() else "no such folder"
        raise InputError(
            root, found, _expected_text(what, landmarks), "Check the path."
        )
    below = [root / name for name in list_folders(root) if is_root(root / name)]
    if len(below) == 1:
        return below[0], f"root given one level too high: using {below[0]}"
    for parent in list(root.absolute().parents)[:3]:
        if is_root(parent):
            return parent, f"root given too low: using {parent}"
    raise _no_root(root, landmarks, what, below)


def _expected_text(what: str, landmarks: list[str]) -> str:
    return f"{what}: a folder with {' or '.join(landmarks)} inside"


def _no_root(
    root: Path, landmarks: list[str], what: str, candidates: list[Path]
) -> InputError:
    expected = _expected_text(what, landmarks)
    if candidates:
        names = ", ".join(folder.name for folder in candidates)
        return InputError(
            root,
            f"several candidates ({names})",
            expected,
            "Pass the path of one of these folders.",
        )
    archives = find_archives(root)
    if archives:
        names = ", ".join(archives)
        return InputError(
            root,
            f"archives not yet unpacked ({names})",
            expected,
            f"Unpack the archives into {root}.",
        )
    inside = ", ".join(list_folders(root)[:6]) or "no subfolders"
    return InputError(root, inside, expected, "Give the folder that holds it.")


def find_archives(folder: Path) -> list[str]:
    """Names of the zip and tar archives lying in a folder."""
    endings = (".zip", ".tar", ".tar.gz", ".tgz")
    return sorted(
        entry.name
        for entry in _entries(folder)
        if entry.name.lower().endswith(endings) and _is_file(entry)
    )

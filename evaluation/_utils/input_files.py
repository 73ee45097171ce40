"""Files and folders that people give: what cannot be read is named, never awaited."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from evaluation.errors import InputError

FilePath = str | os.PathLike[str]


def read_input(
    path: FilePath,
    expected: str = "a file that can be read",
    fix: str = "Copy or fetch this file again, or remove it and what refers to it.",
) -> bytes:
    """Read a whole regular file.

    Args:
        path: of the file.
        expected: what it should be, for the error.
        fix: what to do where it is not, for the error.

    Returns:
        Its bytes.

    Raises:
        InputError: it is missing, cannot be read, or is no regular file: opening a
            pipe, say, would wait for its other end without end.

    Example:
        >>> read_input("/nowhere/mask.png")
        Traceback (most recent call last):
        ...
        evaluation.errors.InputError: /nowhere/mask.png: found no such file; expected \
a file that can be read. Copy or fetch this file again, or remove it and what refers \
to it.
    """
    try:
        kind = os.stat(path).st_mode
        if stat.S_ISREG(kind):
            with open(path, "rb") as file:
                return file.read()
        found = kind_of(kind)
    except OSError as error:
        found = why_unreadable(path, error)
        raise InputError(path, found, expected, fix) from error
    raise InputError(path, found, expected, fix)


def why_unreadable(path: FilePath, error: OSError) -> str:
    """What to say is there, where the system refused to read a path."""
    nowhere = dangling(path)
    if nowhere:
        return nowhere
    if isinstance(error, FileNotFoundError):
        return "no such file"
    kind = "folder" if os.path.isdir(path) else "file"
    return f"a {kind} that cannot be read ({error.strerror})"


def dangling(path: FilePath) -> str:
    """What to say of a link that leads nowhere, or in a circle; "" of all else."""
    if not os.path.islink(path) or os.path.exists(path):
        return ""
    return f"a link to {os.readlink(path)}, which is not there"


def kind_of(mode: int) -> str:
    """What a path is, by the mode that the system tells."""
    kinds = {
        stat.S_IFREG: "a file",
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe (fifo)",
        stat.S_IFSOCK: "a socket",
    }
    return kinds.get(stat.S_IFMT(mode), "a device")


def is_folder(path: FilePath) -> bool:
    """Whether a folder is there.

    Raises:
        InputError: on the way lies a link that leads nowhere, or what is neither file
            nor folder, or nobody may look.
    """
    return stat.S_ISDIR(_mode_of(path))


def is_file(path: FilePath) -> bool:
    """Whether a regular file is there.

    Raises:
        InputError: as for `is_folder`.
    """
    return stat.S_ISREG(_mode_of(path))


def refuse_special(path: FilePath) -> None:
    """Refuse what is neither file nor folder, such as a link that leads nowhere.

    Nobody can say what it stood for.

    Raises:
        InputError: it is one.
    """
    found = dangling(path)
    if found:
        fix = "Fetch what the link leads to, or remove the link to leave it out."
        raise InputError(path, found, "a file or folder", fix)
    with contextlib.suppress(OSError):
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            fix = "Replace it by what it stands for, or remove it."
            raise InputError(path, kind_of(mode), "a file or folder", fix)


def unreadable_folder(folder: FilePath, error: OSError) -> InputError:
    """What to say of a folder that the system does not let us list."""
    return InputError(
        folder,
        why_unreadable(folder, error),
        "a folder that can be read",
        "Give yourself the right to read it, or move it elsewhere.",
    )


def _mode_of(path: FilePath) -> int:
    """What the system tells of a path; 0 if nothing is there."""
    refuse_special(path)
    try:
        return os.stat(path).st_mode
    except OSError as error:
        for above in Path(path).parents:
            if os.path.lexists(above):
                refuse_special(above)
                break
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            return 0
        raise unreadable_folder(path, error) from error

"""Files and folders that appear complete or not at all.

Everything that this software writes goes through here. A name of something unfinished
starts with a dot and ends in ``.part``; it holds the process that writes it, so that
what a killed process left behind is found and removed by the next one.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from evaluation._utils.fingerprint import short_digest
from evaluation.errors import InputError

FilePath = str | os.PathLike[str]

OLD_SECONDS = 24 * 3600.0
"""Age after which an unfinished file of another machine counts as left behind."""

_PART = re.compile(r"\.s3fo-(?P<host>[0-9a-f]{6})-(?P<pid>\d+)-[0-9a-f]{12}\.part")


def write_atomically(path: FilePath, content: bytes | Callable[[Path], None]) -> None:
    """Write a file under a temporary name beside it, then rename it.

    Args:
        path: the file; its folder is made if missing. A link is replaced, not
            followed.
        content: the bytes, or a function that fills the file it is given.

    Raises:
        OSError: it cannot be written; nothing half-written stays.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = part_path(path.parent)
    try:
        if callable(content):
            content(temporary)
        else:
            temporary.write_bytes(content)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def write_all(folder: FilePath, files: Mapping[str, bytes]) -> None:
    """Write several files that belong together; the last one vouches for the others.

    All of them are written under temporary names first, so that a full disk changes
    nothing; then they are renamed in their order.

    Raises:
        OSError: they cannot be written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    remove_left_behind(folder)
    written: dict[str, Path] = {}
    try:
        for name, content in files.items():
            written[name] = part_path(folder)
            written[name].write_bytes(content)
        for name, temporary in written.items():
            os.replace(temporary, folder / name)
    finally:
        for temporary in written.values():
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(path: FilePath, *, replaces: bool = False) -> Iterator[Path]:
    """Fill a folder that appears under its name when it is complete.

    Args:
        path: the folder to make.
        replaces: whether a folder of this name is replaced. The caller has checked
            that it is ours to replace.

    Yields:
        The temporary folder to fill, beside `path`.

    Raises:
        FileExistsError: somebody else made it in the meantime, and `replaces` is not
            set; what was filled is removed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_left_behind(path.parent)
    temporary = part_path(path.parent)
    temporary.mkdir()
    try:
        yield temporary
        if replaces:
            swap_in(temporary, path)
        else:
            _move_where_nothing_is(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def swap_in(new: Path, target: Path) -> None:
    """Put a finished folder in the place of another one, which is removed.

    Where the system can exchange two names at once (Linux), there is no moment
    without either. Elsewhere the old folder is moved aside first.
    """
    if _exchange(new, target):
        shutil.rmtree(new, ignore_errors=True)
        return
    old = part_path(target.parent)
    moved = False
    try:
        with contextlib.suppress(FileNotFoundError):
            os.rename(target, old)
            moved = True
        os.rename(new, target)
    except BaseException:
        if moved and not target.exists():
            os.rename(old, target)
        raise
    if moved:
        shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange the names of two folders at once; False where that is not possible.

    Source: renameat2(2) of the Linux manual, with RENAME_EXCHANGE.
    """
    if sys.platform != "linux" or not other.is_dir() or other.is_symlink():
        return False
    import ctypes

    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    try:
        rename = ctypes.CDLL(None).renameat2
        names = os.fsencode(one), os.fsencode(other)
        return bool(rename(here, names[0], here, names[1], exchange) == 0)
    except (OSError, AttributeError):
        return False


def remove_inside(path: FilePath, owner: FilePath) -> None:
    """Remove a file or folder, provided that it lies in a folder that we own.

    Links are removed themselves, never what they lead to.

    Args:
        path: what to remove; it may be missing.
        owner: the folder it must lie in.

    Raises:
        InputError: it lies elsewhere, or is the folder itself.
    """
    path = require_inside(path, owner)
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path)


def require_inside(path: FilePath, owner: FilePath) -> Path:
    """Return a path if it lies below a folder, links resolved.

    Raises:
        InputError: it lies elsewhere, or is the folder itself.
    """
    path = Path(path)
    inside = Path(os.path.realpath(path.parent), path.name)
    top = Path(os.path.realpath(owner))
    if path.name in ("", ".", "..") or top not in inside.parents:
        raise InputError(
            path,
            "a path that leads out of its folder",
            f"something inside {owner}",
            "Correct the name or the link that leads elsewhere.",
        )
    return path


def require_writable(folder: FilePath) -> Path:
    """Look whether files can be written in a folder, before hours of work.

    What killed processes left unfinished there is removed.

    Args:
        folder: it may be missing; then the nearest folder above it counts.

    Raises:
        InputError: nothing can be written there.
    """
    folder = Path(folder)
    present = next(
        (
            path
            for path in (folder, *folder.absolute().parents)
            if os.path.lexists(path)
        ),
        folder,
    )
    probe = part_path(present)
    try:
        if not present.is_dir():
            raise NotADirectoryError(20, f"{present} is no folder")
        probe.write_bytes(bytes(4096))
    except OSError as error:
        raise unwritable(folder, error) from error
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
    remove_left_behind(folder)
    return folder


def unwritable(place: FilePath, error: OSError) -> InputError:
    """What to say of a place that the system does not let us write to."""
    return InputError(
        place,
        f"a place that cannot be written to ({error.strerror or error})",
        "a folder that can be written to, with room in it",
        "Write to another folder, or make room there.",
    )


def part_path(folder: Path) -> Path:
    """A new name for something unfinished, hidden, that tells whose it is."""
    owner = f"{host_id()}-{os.getpid()}"
    return folder / f".s3fo-{owner}-{uuid.uuid4().hex[:12]}.part"


def remove_left_behind(folder: FilePath) -> int:
    """Remove what killed processes left unfinished in a folder; not its subfolders.

    Returns:
        How many files and folders were removed.
    """
    count = 0
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            made = _PART.fullmatch(entry.name)
            if made and _is_left_behind(entry, made["host"], int(made["pid"])):
                with contextlib.suppress(OSError, InputError):
                    remove_inside(entry.path, folder)
                    count += 1
    return count


def process_lives(pid: int) -> bool:
    """Whether a process of this machine runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return pid < 1 << 31
    with contextlib.suppress(OSError, IndexError):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state not in ("Z", "X")
    return True


def _is_left_behind(entry: os.DirEntry[str], host: str, pid: int) -> bool:
    if host == host_id():
        return not process_lives(pid)
    return time.time() - entry.stat(follow_symlinks=False).st_mtime > OLD_SECONDS


def _move_where_nothing_is(new: Path, target: Path) -> None:
    """Rename a folder; the target must not exist, or be an empty folder."""
    if os.path.lexists(target) and not _is_empty_folder(target):
        raise FileExistsError(17, "File exists", str(target))
    os.rename(new, target)  # fails by itself where a filled folder is


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


@lru_cache(maxsize=1)
def host_id() -> str:
    """A few characters that stand for this machine since its last start.

    Process ids are told apart by it: containers have a set of their own each.
    """
    known = [os.uname().nodename]
    for source in ("/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid"):
        with contextlib.suppress(OSError):
            found = os.path.islink(source)
            known.append(os.readlink(source) if found else Path(source).read_text())
    return short_digest(repr(known).encode(), 3).hex()

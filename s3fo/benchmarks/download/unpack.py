"""Archives -> folders, with nothing outside the folder and nothing half done."""

from __future__ import annotations

import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError

_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,  # of zipfile: encrypted
)


class _Member(NamedTuple):
    """One entry of an archive; `open` is None for folders."""

    name: str
    open: Callable[[], IO[bytes] | None] | None


def unpack(
    archive: Path, folder: Path, *, progress: ProgressCallback | None = None
) -> None:
    """Write the files of a zip or tar archive into a folder.

    Args:
        archive: zip, or tar with any compression.
        folder: where to put them; made if it is not there.
        progress: told after every hundred files.

    Raises:
        InputError: the archive is broken, holds links or devices, or names files
            outside the folder. What was written before that stays.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as source:
                _refuse_full_disk(folder, source)
                _write(_zip_members(source), len(source.infolist()), folder, progress)
        else:
            with tarfile.open(archive) as packed:
                _write(_tar_members(packed), 0, folder, progress)
    except _BROKEN as error:
        # Of tarfile it is one line for each compression that was tried.
        reason = str(error).splitlines() or [type(error).__name__]
        raise InputError(
            archive,
            f"an archive that cannot be read ({reason[0].rstrip(':')})",
            "a whole zip or tar",
            "Download it again.",
        ) from error


def _zip_members(source: zipfile.ZipFile) -> Iterator[_Member]:
    for item in source.infolist():
        # The upper half holds Unix's file mode: links are written as small files.
        if (item.external_attr >> 16) & 0o170000 == 0o120000:
            raise _unsafe(source.filename, item.filename, "a link")
        content = None if item.is_dir() else lambda item=item: source.open(item)
        yield _Member(item.filename, content)


def _tar_members(source: tarfile.TarFile) -> Iterator[_Member]:
    for item in source:
        if not (item.isfile() or item.isdir()):
            raise _unsafe(str(source.name), item.name, "a link or device")
        content = None if item.isdir() else lambda item=item: source.extractfile(item)
        yield _Member(item.name, content)


def _write(
    members: Iterator[_Member],
    total: int,
    folder: Path,
    progress: ProgressCallback | None,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for count, member in enumerate(members, start=1):
        path = folder / _inside(folder, member.name)
        if member.open is None:
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        content = member.open()
        assert content is not None, "only files are opened"
        with content, path.open("wb") as file:
            shutil.copyfileobj(content, file)
        if progress and (count % 100 == 0 or count == total):
            progress(count, max(total, count), "unpacked")


def _inside(folder: Path, name: str) -> PurePosixPath:
    """The path of a member below the folder it is written to."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in (path.parts or ("",))[0]:
        raise _unsafe(folder, name, "a path that leads outside")
    return path


def _unsafe(archive: str | Path | None, name: str, what: str) -> InputError:
    return InputError(
        str(archive), f"{what}: {name}", "files and folders", "Do not trust this file."
    )


def _refuse_full_disk(folder: Path, source: zipfile.ZipFile) -> None:
    needed = sum(item.file_size for item in source.infolist())
    present = next(path for path in (folder, *folder.parents) if path.is_dir())
    free = shutil.disk_usage(present).free
    if needed > free:
        raise InputError(
            present,
            f"{free // 1_000_000} MB free",
            f"{needed // 1_000_000} MB for what {source.filename} holds",
            "Make room, or name another folder.",
        )

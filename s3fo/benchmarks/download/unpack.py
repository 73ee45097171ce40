"""Archives -> folders, with nothing outside the folder and nothing half done."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from evaluation._utils.atomic import require_inside, unwritable
from evaluation._utils.names import safe_name
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


_COMPRESSIONS = {b"\x1f\x8b": gzip, b"BZh": bz2, b"\xfd7zXZ\0": lzma}
"""By the first bytes of a file."""

_CHUNK = 1 << 20
_BLOCK = 512
"""Bytes of a tar's blocks; two empty ones are its end."""

_MOST_TIMES = 200
"""How many times its size an archive may hold: images and masks are packed already."""

_UNSUSPICIOUS = 1 << 30
"""Bytes that any archive may hold."""


class _Member(NamedTuple):
    """One entry of an archive; `open` is None for folders."""

    name: str
    open: Callable[[], IO[bytes] | None] | None


def unpack(
    archive: Path, folder: Path, *, progress: ProgressCallback | None = None
) -> None:
    """Write the files of a zip or tar archive into a folder.

    The archive is read to its end, so that its check sums are looked at.

    Args:
        archive: zip, or tar with any compression.
        folder: where to put them; made if it is not there.
        progress: told after every hundred files.

    Raises:
        InputError: the archive is broken, holds links or devices, names files outside
            the folder or a file twice, or grows beyond all measure; or the folder
            cannot be written to. What was written before that stays.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as source:
                _refuse_full_disk(folder, source)
                total = len(source.infolist())
                _write(archive, _zip_members(source), total, folder, progress)
        else:
            with _tar_stream(archive) as stream:
                with tarfile.open(fileobj=stream, mode="r|") as packed:
                    members = _tar_members(archive, packed, folder)
                    _write(archive, members, 0, folder, progress)
                stream.read_to_end()
    except _BROKEN as error:
        # Of tarfile it is one line for each compression that was tried.
        reason = str(error).splitlines() or [type(error).__name__]
        raise InputError(
            archive,
            f"an archive that cannot be read ({reason[0].rstrip(':')})",
            "a whole zip or tar",
            "Download it again.",
        ) from error
    except OSError as error:
        raise unwritable(folder, error) from error


class _Stream:
    """The uncompressed bytes of a tar, which must end in empty blocks."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._tail = file, b""

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._tail = (self._tail + data)[-_BLOCK:]
        return data

    def read_to_end(self) -> None:
        """Read what is left, so that check sums are looked at.

        Raises:
            tarfile.ReadError: the end is missing.
        """
        while self.read(_CHUNK):
            pass
        if self._tail != bytes(_BLOCK):
            raise tarfile.ReadError("it breaks off: no end of archive")


@contextmanager
def _tar_stream(archive: Path) -> Iterator[Any]:
    """The bytes inside a tar archive, by the compression that its start tells."""
    with archive.open("rb") as file:
        start = file.read(6)
    opening: Callable[..., Any] = open
    for magic, module in _COMPRESSIONS.items():
        if start.startswith(magic):
            opening = module.open
    with opening(archive, "rb") as file:
        try:
            yield _Stream(file)
        except (gzip.BadGzipFile, EOFError) as error:
            raise tarfile.ReadError(str(error) or "it breaks off") from error
        except OSError as error:
            if error.errno is None:  # of bz2: invalid data
                raise tarfile.ReadError(str(error)) from error
            raise


def _zip_members(source: zipfile.ZipFile) -> Iterator[_Member]:
    for item in source.infolist():
        # The upper half holds Unix's file mode: links are written as small files.
        if (item.external_attr >> 16) & 0o170000 == 0o120000:
            raise _unsafe(source.filename, item.filename, "a link")
        content = None if item.is_dir() else lambda item=item: source.open(item)
        yield _Member(item.filename, content)


def _tar_members(
    archive: Path, source: tarfile.TarFile, folder: Path
) -> Iterator[_Member]:
    for item in source:
        if not (item.isfile() or item.isdir()):
            raise _unsafe(archive, item.name, "a link or device")
        if item.issparse():  # a few bytes may stand for terabytes of nothing
            raise _unsafe(archive, item.name, "a sparse file")
        _inside(archive, item.name)
        _refuse_by_filter(archive, item, folder)
        content = None if item.isdir() else lambda item=item: source.extractfile(item)
        yield _Member(item.name, content)


def _refuse_by_filter(archive: Path, item: tarfile.TarInfo, folder: Path) -> None:
    """Refuse what tarfile's own filter for data refuses, where Python has it (PEP 706).

    Only its checks count: files are written here without rights, owners or times.
    """
    data_filter = getattr(tarfile, "data_filter", None)
    if data_filter is None:
        return
    try:
        data_filter(item, str(folder))
    except tarfile.FilterError as error:
        raise _unsafe(archive, item.name, f"what tarfile refuses ({error})") from error


def _write(
    archive: Path,
    members: Iterator[_Member],
    total: int,
    folder: Path,
    progress: ProgressCallback | None,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    room = max(_UNSUSPICIOUS, _MOST_TIMES * archive.stat().st_size)
    written: set[Path] = set()
    checked: set[Path] = set()
    for count, member in enumerate(members, start=1):
        path = folder / _inside(archive, member.name)
        if member.open is None:
            require_inside(path / "file", folder)
            path.mkdir(parents=True, exist_ok=True)
            continue
        if path in written:
            raise _unsafe(archive, member.name, "a file that is in it twice")
        written.add(path)
        if path.parent not in checked:  # a link may lead out of the folder
            require_inside(path.parent / "file", folder)
            path.parent.mkdir(parents=True, exist_ok=True)
            checked.add(path.parent)
        content = member.open()
        assert content is not None, "only files are opened"
        with content, path.open("wb") as file:
            while data := content.read(_CHUNK):
                room -= len(data)
                if room < 0:
                    raise _unsafe(archive, member.name, "far more than its size holds")
                file.write(data)
        if progress and (count % 100 == 0 or count == total):
            progress(count, max(total, count), "unpacked")


def _inside(archive: Path, name: str) -> PurePosixPath:
    """The path of a member below the folder it is written to."""
    path = PurePosixPath(name.replace("\\", "/"))
    parts = path.parts or ("..",)
    if path.is_absolute() or ".." in parts or ":" in parts[0]:
        raise _unsafe(archive, name, "a path that leads outside")
    for part in path.parts:
        # Hidden files are harmless, and Macs put them into every archive.
        safe_name(part.lstrip(".") or part, "member", archive)
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

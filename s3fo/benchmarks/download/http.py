"""Resumable, verified, atomic download of one file.

The standard library does it: pooch, the usual choice, begins again from the first
byte whenever a connection breaks, and these files have gigabytes.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import asdict, dataclass, replace
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from evaluation._utils.atomic import write_atomically
from evaluation._utils.fingerprint import file_sha256
from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from s3fo.benchmarks.download.archives import RemoteFile

_CHUNK = 1 << 20
_MEGA = 1_000_000
_TIMEOUT = 60.0
_PAUSE = 2.0
"""Seconds before a broken connection is tried again."""

_TRIES = 4
"""Tries in a row that may bring no byte."""


@dataclass(frozen=True)
class Origin:
    """Where a file came from; kept beside it as ``<name>.origin.json``.

    Attributes:
        url: its address.
        size: bytes of the whole file.
        etag: the host's name for this edition, if it has one.
        modified: when the host says it was last changed.
        sha256: check sum of the file that came first; None before it was whole.
        published: whether that sum was compared with a published one. If not, it
            says only that later downloads are the same as the first.
    """

    url: str
    size: int | None = None
    etag: str | None = None
    modified: str | None = None
    sha256: str | None = None
    published: bool = False


def download(
    file: RemoteFile, folder: Path, *, progress: ProgressCallback | None = None
) -> Path:
    """Fetch a file into a folder, unless it is there; then check it.

    What has come stays as ``<name>.part`` when the connection breaks or the user
    interrupts; the next call goes on from there, if the host still has that edition.

    Args:
        file: what to fetch.
        folder: where to put it.
        progress: told in megabytes, while fetching.

    Returns:
        Its path.

    Raises:
        InputError: it is unavailable, or is not what it should be.
    """
    target = folder / file.name
    if not target.is_file():
        if file.url is None:
            raise InputError(target, "nothing", file.name, "Download it by hand.")
        folder.mkdir(parents=True, exist_ok=True)
        _fetch(file, target, progress)
    _check(file, target)
    return target


def origin_of(path: Path) -> Origin | None:
    """What is known of a downloaded file; None if it did not come by `download`."""
    try:
        return Origin(**json.loads(_origin_path(path).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def forget(path: Path) -> None:
    """Delete a downloaded file and what is remembered of it."""
    path.unlink()
    _origin_path(path).unlink()


def _origin_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.origin.json")


def _keep_origin(path: Path, origin: Origin) -> None:
    write_atomically(_origin_path(path), json.dumps(asdict(origin), indent=1).encode())


def _fetch(file: RemoteFile, target: Path, progress: ProgressCallback | None) -> None:
    """Try until the file is whole, as long as it grows."""
    part = target.with_name(f"{file.name}.part")
    fruitless = 0
    while True:
        before = _length(part)
        try:
            _continue(file, target, part, progress)
            break
        except HTTPError as error:
            if error.code < 500:
                raise _refused_error(file, target, f"HTTP {error.code}") from error
            reason = f"HTTP {error.code}"
        except (OSError, HTTPException) as error:
            reason = str(error) or type(error).__name__
        fruitless = 0 if _length(part) > before else fruitless + 1
        if fruitless >= _TRIES:
            raise _refused_error(file, target, reason)
        time.sleep(_PAUSE)
    os.replace(part, target)


def _continue(
    file: RemoteFile, target: Path, part: Path, progress: ProgressCallback | None
) -> None:
    """Ask for what is missing of `part`, and append it."""
    assert file.url is not None, "the caller looked"
    known = origin_of(target)
    if known is None or known.url != file.url:
        known = Origin(file.url)
    start = _length(part)
    if start and start == known.size:
        return
    request = Request(file.url, headers={"User-Agent": "s3fo"})
    edition = known.etag or known.modified
    if start and edition:
        # Only if it is still that edition; else the host sends the whole new one.
        request.add_header("Range", f"bytes={start}-")
        request.add_header("If-Range", edition)
    with urlopen(request, timeout=_TIMEOUT) as response:
        if response.status != 206:
            start = 0
        origin = _origin(file.url, response, start)
        if not start:
            # The bytes of another edition must not be taken for this one's.
            part.unlink(missing_ok=True)
        if file.size and origin.size not in (None, file.size):
            raise _refused_error(file, target, f"{origin.size} bytes, not {file.size}")
        _keep_origin(target, replace(origin, sha256=known.sha256))
        _refuse_full_disk(target, (origin.size or 0) - start)
        _append(response, part, start, origin.size, progress)


def _origin(url: str, response: HTTPResponse, start: int) -> Origin:
    """What the host says of the file it begins to send from byte `start`."""
    headers = response.headers
    length = headers.get("Content-Length")
    size = start + int(length) if length else None
    if start and not headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        raise ConnectionError(f"asked for {start}-, got {headers['Content-Range']}")
    etag = headers.get("ETag")
    # A weak one promises no equal bytes.
    strong = etag if etag and not etag.startswith("W/") else None
    return Origin(url, size, strong, headers.get("Last-Modified"))


def _append(
    response: HTTPResponse,
    part: Path,
    start: int,
    size: int | None,
    progress: ProgressCallback | None,
) -> None:
    label = f"MB of {part.name.removesuffix('.part')}"
    done = start
    with part.open("ab" if start else "wb") as file:
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            done += len(chunk)
            if progress:
                progress(done // _MEGA, max(size or done, 1) // _MEGA, label)
    # `read` is content with less than was announced.
    if size is not None and (done != size or _length(part) != size):
        raise ConnectionError(f"it broke off after {done} of {size} bytes")


def _length(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _refuse_full_disk(target: Path, missing: int) -> None:
    free = shutil.disk_usage(target.parent).free
    if missing > free:
        raise InputError(
            target.parent,
            f"{free // _MEGA} MB free",
            f"{missing // _MEGA} MB for {target.name}",
            "Make room, or name another folder.",
        )


def _check(file: RemoteFile, target: Path) -> None:
    """Compare a file with its published sum, or else with what came first.

    A downloaded file that fails is deleted; one that a person put there is not.
    """
    origin = origin_of(target)
    published = file.sha256 or _published_sum(file)
    wanted = published or (origin.sha256 if origin else None)
    if wanted is None and origin is None:
        return
    found = file_sha256(target)
    if wanted not in (None, found):
        error = _changed_error(target, found, str(wanted), published=bool(published))
        if origin:
            target.unlink()
        raise error
    if origin:
        _keep_origin(target, replace(origin, sha256=found, published=bool(published)))


def _published_sum(file: RemoteFile) -> str | None:
    """From the publisher's list; None without one, or if it does not name the file."""
    if file.sums is None:
        return None
    try:
        with urlopen(Request(file.sums), timeout=_TIMEOUT) as response:
            lines = response.read(_CHUNK).decode(errors="replace").splitlines()
    except (OSError, HTTPException):
        return None
    for line in lines:
        words = line.split()
        if len(words) == 2 and words[1].lstrip("*").split("/")[-1] == file.name:
            return str(words[0]).lower()
    return None


def _refused_error(file: RemoteFile, target: Path, reason: str) -> InputError:
    return InputError(
        str(file.url),
        f"download failed ({reason})",
        "a publicly downloadable file",
        f"Try again later (what has come is kept), or put {file.name} into "
        f"{target.parent} by hand.",
    )


def _changed_error(
    target: Path, found: str, wanted: str, *, published: bool
) -> InputError:
    remedy = "Download it again."
    if not published:
        remedy += f" If its authors changed it, delete {_origin_path(target).name}."
    return InputError(
        target,
        f"{target.stat().st_size} bytes with sha256 {found}",
        f"{'the published' if published else 'the first download:'} sha256 {wanted}",
        remedy,
    )

"""`fetch_benchmark`: get a split from its host, or say what to get by hand."""

from __future__ import annotations

import shutil
from itertools import count
from os import PathLike
from pathlib import Path

from evaluation._utils.atomic import (
    new_folder,
    remove_left_behind,
    require_writable,
)
from evaluation._utils.claims import Claims, wait_a_little
from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from s3fo.benchmarks.catalog import Entry, get_entry
from s3fo.benchmarks.download.archives import RemoteFile, files_of
from s3fo.benchmarks.download.http import download, forget, origin_of
from s3fo.benchmarks.download.unpack import unpack

CLAIMS = ".s3fo"
"""Folder in which processes say what they are downloading."""

_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")


def fetch_benchmark(
    name: str,
    folder: str | PathLike[str],
    *,
    split: str | None = None,
    progress: ProgressCallback | None = None,
) -> Path:
    """Download and unpack one split, unless that was done before.

    Archives that a person has put into `folder` are taken as if they had been
    downloaded, so this unpacks benchmarks that only people can download, too.

    Args:
        name: catalog name of the benchmark.
        folder: where downloads go; the split is unpacked to a folder inside.
        split: e.g. ``"val"``; None means its usual one.
        progress: told of megabytes, then of files.

    Returns:
        The folder to open the benchmark from.

    Raises:
        InputError: manual download is required (then it says what, from where, to
            where), or the download failed or is not what it should be.
    """
    entry, folder = get_entry(name, split), Path(folder)
    files = files_of(entry.name, entry.split)
    place = folder / _unpacked_name(files) if files else folder
    if files and place.is_dir():
        return place
    absent = [file for file in files if not (folder / file.name).is_file()]
    if not files or any(file.url is None for file in absent):
        raise InputError(
            f"{entry.title} {entry.split}",
            f"nothing of it in {folder}",
            entry.layout,
            by_hand(entry, folder),
        )
    require_writable(folder)
    with Claims(folder / CLAIMS) as claims:
        for tries in count():
            if claims.take(place.name):
                break
            if progress:
                progress(0, 1, f"waiting for {claims.holder(place.name)}")
            wait_a_little(tries)
        if not place.is_dir():  # nobody else did it meanwhile
            _fetch_and_unpack(files, folder, place, progress)
    return place


def _fetch_and_unpack(
    files: tuple[RemoteFile, ...],
    folder: Path,
    place: Path,
    progress: ProgressCallback | None,
) -> None:
    remove_left_behind(folder)
    paths = [download(file, folder, progress=progress) for file in files]
    own = [path for path in paths if origin_of(path)]  # Not those a person put there.
    try:
        _unpack_all(paths, place, progress)
    except InputError:
        for path in own:
            forget(path)
        raise
    for path in own:
        path.unlink()


def by_hand(entry: Entry, folder: Path) -> str:
    """How to download a split manually, in a few sentences.

    Args:
        entry: the split.
        folder: where `fetch_benchmark` looks for archives.
    """
    files = files_of(entry.name, entry.split)
    terms = f"{entry.download} (licence: {entry.licence})"
    own = f"{entry.unpack} Then give that folder (`root`; `source_dir` in the zoo)"
    if not files:
        return f"Download it by hand from {terms}. {own}."
    names = " and ".join(file.name for file in files)
    sums = "".join(
        f" {file.name} has sha256 {file.sha256}." for file in files if file.sha256
    )
    them = "it as it is" if len(files) == 1 else "them as they are"
    return (
        f"Download {names} by hand from {terms}.{sums} Put {them} into "
        f"{folder} and try again. Or: {own}."
    )


def _unpacked_name(files: tuple[RemoteFile, ...]) -> str:
    """Name of the folder for what these files hold; other splits may share it."""
    stems = [
        file.name.removesuffix(ending)
        for file in files
        for ending in _ARCHIVES
        if file.name.endswith(ending)
    ]
    return "+".join(stems)


def _is_archive(name: str) -> bool:
    return name.endswith(_ARCHIVES)


def _unpack_all(
    paths: list[Path], place: Path, progress: ProgressCallback | None
) -> None:
    """Unpack side by side into a folder that appears when all is there."""
    with new_folder(place) as passing:
        for path in paths:
            if _is_archive(path.name):
                unpack(path, passing, progress=progress)
            else:
                shutil.copy2(path, passing / path.name)

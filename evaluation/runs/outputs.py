"""Outputs are never inputs: what a command writes lies apart from all that it reads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from evaluation.errors import InputError

FilePath = str | os.PathLike[str]

_FIX = "Choose another folder with --out (out=)."


def refuse_among_inputs(
    outs: Iterable[FilePath | None], sources: Iterable[object], fix: str = _FIX
) -> None:
    """Refuse to write into ground truth, results or images, or anywhere inside them.

    A folder that lies in them would be taken for a video, or for another result, by
    the next command, and files there may be replaced.

    Args:
        outs: folders that will be written to; None for none.
        sources: what is read, as `folders_read` takes it.
        fix: what to do about it.

    Raises:
        InputError: one of them is a folder that is read, or lies inside one.
    """
    read = {folder for source in sources for folder in folders_read(source)}
    for out in outs:
        if out is None:
            continue
        place = resolved(out)
        for folder in sorted(read & {place, *place.parents}):
            if not folder.is_dir():
                continue
            where = "a folder" if folder == place else f"a folder inside {folder},"
            raise InputError(
                out,
                f"{where} that masks or images are read from",
                "a folder for outputs, apart from ground truth, results and images",
                fix,
            )


def folders_read(source: object) -> set[Path]:
    """Folders that belong to an input as a whole, links resolved.

    Args:
        source: a path; or something with `sequences`, such as a benchmark: the folders
            of their images and annotations, and those around several of them.
    """
    if isinstance(source, (str, os.PathLike)):
        return {resolved(source)}
    if isinstance(source, (list, tuple, set)):
        return {folder for one in source for folder in folders_read(one)}
    found: set[Path] = set()
    for kind in ("images", "annotations"):
        own = (_folder_of(getattr(one, kind, None)) for one in _sequences(source))
        folders = {folder for folder in own if folder is not None}
        around = [folder.parent for folder in folders]
        found |= folders | {folder for folder in around if around.count(folder) > 1}
    return found


def resolved(path: FilePath) -> Path:
    """A path without links on the way."""
    return Path(os.path.realpath(path))


def _sequences(source: object) -> Iterable[object]:
    return tuple(getattr(source, "sequences", ()))


def _folder_of(files: object) -> Path | None:
    """The folder of the files of a video, if they lie in one."""
    if not isinstance(files, Mapping) or not files:
        return None
    folder = getattr(files, "folder", None)
    if folder is None and len(files) == 1:
        return None  # a single mask was given: what lies beside it is not read
    first = next(iter(files)) if folder is None else None
    return resolved(folder if folder is not None else Path(files[first]).parent)

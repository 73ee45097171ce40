"""What a report measured stays in its folder, until what it was measured on changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from evaluation._utils.atomic import write_atomically
from evaluation._utils.fingerprint import digest_stream, encoded
from evaluation._utils.version import __version__
from evaluation.masks.open import Source, open_ground_truth
from evaluation.results.table_folder import discard_tables

Kept = TypeVar("Kept")


def digest(*parts: object) -> str:
    """Key made of anything whose `repr` tells it, and of the software's version."""
    text = repr((__version__, *parts))
    return digest_stream([text.encode()])


def truth_key(
    ground_truth: Source,
    images: Mapping[str, Mapping[str, Path]],
    names: Collection[str],
) -> str:
    """Key of what attributes are measured on: masks by content, images by state."""
    return digest_stream(_truth_parts(ground_truth, images, names))


def _truth_parts(
    ground_truth: Source,
    images: Mapping[str, Mapping[str, Path]],
    names: Collection[str],
) -> Iterator[bytes]:
    for name, masks in open_ground_truth(ground_truth).sequences.items():
        if name not in names:
            continue
        for frame in masks.frames:
            yield encoded(f"{name}/{frame}") + masks.digest(frame)
        for frame, path in images.get(name, {}).items():
            if os.path.exists(path):
                state = os.stat(path)
                yield encoded(f"{frame} {state.st_size} {state.st_mtime_ns}")


def load_kept(folder: Path, key: str, load: Callable[[Path], Kept]) -> Kept | None:
    """What was measured under this key; None if it is not there, or unreadable."""
    path = folder / "key"
    if not path.is_file() or path.read_text() != key:
        return None
    try:
        return load(folder)
    except (ValueError, KeyError):  # damaged, or of another form: measured again
        discard_tables(folder)  # the key says that they are ours
        return None


_Seen = dict[str, tuple[int, int]]
_WRITTEN = "written"
"""File in the folder of what was measured: names of all that a report wrote."""


def files_of_report(out: Path) -> _Seen:
    """Tables and figures in the folder of a report, each with what tells it rewritten.

    Args:
        out: the folder of the report.
    """
    found: _Seen = {}
    for inside in ("tables", "figures"):
        for place, _, names in os.walk(out / inside):
            for name in names:
                state = os.lstat(Path(place, name))
                path = Path(place, name).relative_to(out).as_posix()
                found[path] = state.st_ino, state.st_mtime_ns
    return found


def remove_earlier(out: Path, kept: Path, before: _Seen) -> None:
    """Remove what the report before wrote and this one did not; nothing else.

    Args:
        out: the folder of the report.
        kept: where it keeps what was measured.
        before: `files_of_report` of the folder before this report wrote there.
    """
    now = files_of_report(out)
    written = [path for path, state in now.items() if before.get(path) != state]
    note = kept / _WRITTEN
    earlier = (
        note.read_text(errors="surrogateescape").split("\n") if note.is_file() else []
    )
    for path in {*earlier} & {*now} - {*written}:
        (out / path).unlink(missing_ok=True)
    write_atomically(note, "\n".join(written).encode(errors="surrogateescape"))


def keep(folder: Path, key: str) -> None:
    """Mark the folder as holding it, once everything else is written."""
    write_atomically(folder / "key", key.encode())

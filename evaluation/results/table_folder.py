"""Which files of a folder of saved tables are ours: only these are ever replaced.

The record of saved tables (a JSON file) names them. While they are being replaced, a
hidden manifest names those that are about to come, so that a folder in which a killed
process left tables without their record can be written to again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from evaluation._utils.atomic import write_atomically
from evaluation._utils.json_files import read_json
from evaluation.errors import InputError

DIGESTS = "tables"
"""Key of the JSON file: digest of each table's file by its name."""

_ENDINGS = (".parquet", ".csv")
_FIX = "Choose another folder with --out, or move this file away."


def require_ours(
    folder: Path, record: str = "scores", names: Collection[str] = ()
) -> set[str]:
    """Refuse to write over files that `save_tables` did not make.

    Args:
        folder: that is to be written to; it may be missing.
        record: name of the JSON file, without its ending.
        names: of the tables' files that are to be written.

    Returns:
        Names of the tables' files that are ours.

    Raises:
        InputError: a file of one of these names is there, and is something else.
    """
    ours = _read_record(folder, record) | _read_announcement(folder, record)
    for name in names:
        if name not in ours and os.path.lexists(folder / name):
            raise InputError(
                folder / name,
                "a file of another program",
                f"a table that {record}.json beside it tells of, or no such file",
                _FIX,
            )
    return ours


@contextmanager
def announce(folder: Path, record: str, names: Collection[str]) -> Iterator[None]:
    """Name the tables that are about to be replaced, until they are.

    Args:
        folder: of the tables.
        record: name of the JSON file, without its ending.
        names: of the tables' files.

    Raises:
        OSError: nothing can be written there.
    """
    path = _manifest(folder, record)
    every = sorted({*names, *_read_announcement(folder, record)})
    write_atomically(path, json.dumps(every).encode())
    before = {name: _state(folder / name) for name in names}
    try:
        yield
    except BaseException:
        # Tables that did come stay ours.
        if before == {name: _state(folder / name) for name in names}:
            _forget(path)
        raise
    _forget(path)


def discard_tables(folder: Path) -> None:
    """Remove saved tables and their records from a folder that is the caller's own.

    Args:
        folder: all tables and records in it are removed, damaged ones too.
    """
    for ending in (*_ENDINGS, ".json"):
        for path in folder.glob(f"*{ending}"):
            with suppress(OSError):
                path.unlink()


def _read_record(folder: Path, record: str) -> set[str]:
    """Names of the tables that a record tells of.

    Raises:
        InputError: the file is no record of saved tables.
    """
    path = folder / f"{record}.json"
    if not os.path.lexists(path):
        return set()
    found = read_json(path, _FIX, f"the record of saved {record}")
    tables = found.get(DIGESTS) if isinstance(found, Mapping) else None
    ours = isinstance(tables, Mapping) and all(
        name.endswith(_ENDINGS) and isinstance(own, str) for name, own in tables.items()
    )
    # Scores may be saved without tables.
    if not ours or not (tables or {"fingerprint", "version", "notes"} <= {*found}):
        raise InputError(
            path, "a file of another program", f"saved {record}, or no such file", _FIX
        )
    return set(tables or ())


def _read_announcement(folder: Path, record: str) -> set[str]:
    """Names of tables that a killed process may have left without their record."""
    try:
        names = json.loads(_manifest(folder, record).read_bytes())
    except (OSError, ValueError):
        return set()
    return {name for name in names if isinstance(name, str)}


def _manifest(folder: Path, record: str) -> Path:
    return folder / f".{record}-tables.json"


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _forget(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)

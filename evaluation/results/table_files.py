"""Tables kept in a folder: one Parquet file each, and a JSON file of facts."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from evaluation._utils.atomic import write_atomically
from evaluation.errors import InputError


def save_tables(
    folder: str | os.PathLike[str],
    record: str,
    facts: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
) -> None:
    """Write `<name>.parquet` per table, then `<record>.json`: whole or not at all.

    Args:
        folder: made where it is missing.
        record: name of the JSON file; it comes last, so where it is, all is.
        facts: its content.
        tables: by name.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        data: bytes = table.to_parquet(None, index=False)
        write_atomically(folder / f"{name}.parquet", data)
    write_atomically(folder / f"{record}.json", json.dumps(facts).encode())


def load_tables(
    folder: str | os.PathLike[str],
    record: str,
    facts: Collection[str],
    names: Iterable[str],
    remedy: str,
) -> tuple[dict[str, Any], list[pd.DataFrame]]:
    """Read what `save_tables` wrote.

    Args:
        folder: that it was written to.
        record: name of the JSON file.
        facts: that it must hold.
        names: of the tables.
        remedy: what to do where they are missing or damaged.

    Returns:
        The facts, and the tables in the order of their names.

    Raises:
        InputError: one of the files is not there, or damaged.
    """
    folder = Path(folder)
    path = folder / f"{record}.json"
    try:
        found = json.loads(path.read_text())
        tables = [read_table(folder / f"{name}.parquet", remedy) for name in names]
    except FileNotFoundError as error:
        raise InputError(
            folder,
            f"no saved {record}",
            f"{record}.json with its Parquet tables",
            remedy,
        ) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(path, f"damaged JSON ({error})", "JSON", remedy) from error
    if not isinstance(found, dict) or not set(facts) <= set(found):
        wanted = f"a record with {', '.join(facts)}"
        raise InputError(path, "JSON of something else", wanted, remedy)
    return found, tables


def read_table(path: Path, remedy: str) -> pd.DataFrame:
    """Read a Parquet file.

    Args:
        path: of the file.
        remedy: what to do where it is damaged.

    Raises:
        FileNotFoundError: it is not there.
        InputError: it is damaged.
    """
    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:  # what pyarrow's errors are
        raise InputError(
            path, f"a damaged table ({error})", "a Parquet file", remedy
        ) from error

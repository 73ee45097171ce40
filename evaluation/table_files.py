"""Tables kept in a folder: one Parquet file each, and a JSON file of facts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from evaluation.errors import InputError
from evaluation.labelmap import write_atomically


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
    folder: str | os.PathLike[str], record: str, names: Iterable[str], remedy: str
) -> tuple[dict[str, Any], list[pd.DataFrame]]:
    """Read what `save_tables` wrote.

    Args:
        folder: that it was written to.
        record: name of the JSON file.
        names: of the tables.
        remedy: what to do where they are missing.

    Returns:
        The facts, and the tables in the order of their names.

    Raises:
        InputError: one of the files is not there.
    """
    folder = Path(folder)
    try:
        facts = json.loads((folder / f"{record}.json").read_text())
        tables = [pd.read_parquet(folder / f"{name}.parquet") for name in names]
    except FileNotFoundError as error:
        raise InputError(
            folder,
            f"no saved {record}",
            f"{record}.json with its Parquet tables",
            remedy,
        ) from error
    return facts, tables

"""Tables on disk: one file each, and a JSON file that says what they rest on.

The JSON file is written last and holds a digest of every table, so tables of two
different evaluations, as a killed one may leave them, are never read as one.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation._utils.atomic import unwritable, write_all
from evaluation._utils.escape import csv_words
from evaluation._utils.fingerprint import digest
from evaluation._utils.json_files import plain, read_json
from evaluation._utils.names import any_name_in_tables, storable
from evaluation.errors import InputError
from evaluation.notes import note_facts, stored_notes
from evaluation.protocols import ScoringProtocol
from evaluation.results.encode import Columns, encode_csv, encode_parquet
from evaluation.results.shards import SHARD
from evaluation.results.table_folder import DIGESTS, announce, require_ours

if TYPE_CHECKING:
    import pandas as pd

    from evaluation.results.scores import Scores

DOCUMENT = "scores.json"
SCORE_TABLES = ("frames", "objects", "sequences")
FORMATS = ("parquet", "csv")
SHARD_RECORD = "shard_record"
"""Key of the JSON file: the `ScoreRecord` of scores that are of one shard."""

_KINDS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("sequence", "frame", "group"), csv_words),
    **dict.fromkeys(("object", "proposal", "n_frames"), int),
    **dict.fromkeys(("gt_area", "pred_area", "gt_digest"), int),
}
"""Type of the columns of scores that are no fractions."""

_SCORES_FIX = "Copy the whole folder, or score again with --out."


def save_tables(
    folder: str | os.PathLike[str],
    record: str,
    facts: Mapping[str, object],
    tables: Mapping[str, pd.DataFrame | Columns],
    format: str = "parquet",  # noqa: A002
) -> None:
    """Write `<name>.parquet` per table, then `<record>.json`.

    Args:
        folder: made where it is missing.
        record: name of the JSON file; it comes last, so where it is, all is.
        facts: its content.
        tables: by name.
        format: ``"parquet"`` or ``"csv"``.

    Raises:
        InputError: another format, files there that are not ours, or the folder
            cannot be written to; what lies there is then as it was.
    """
    if format not in FORMATS:
        raise InputError(
            "format",
            repr(format),
            "'parquet' or 'csv'",
            "Pass format='parquet' or format='csv'.",
        )
    folder = Path(folder)
    files = {
        f"{name}.{format}": _encode(table, format) for name, table in tables.items()
    }
    ours = require_ours(folder, record, files)
    digests = {name: digest(content) for name, content in files.items()}
    document = json.dumps({**facts, DIGESTS: digests}, indent=1, allow_nan=False)
    try:
        with announce(folder, record, files):
            write_all(folder, files | {f"{record}.json": document.encode()})
        for name in ours - set(files):  # of the other format
            if name.rpartition(".")[0] in tables:
                (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error


@any_name_in_tables()
def load_tables(
    folder: str | os.PathLike[str],
    record: str,
    facts: Collection[str],
    names: Iterable[str],
    remedy: str,
) -> tuple[dict[str, Any], list[pd.DataFrame]]:
    """Read what `save_tables` wrote as Parquet.

    Args:
        folder: that it was written to.
        record: name of the JSON file.
        facts: that it must hold.
        names: of the tables.
        remedy: what to do where they are missing or damaged.

    Returns:
        The facts, and the tables in the order of their names.

    Raises:
        InputError: a file is not there, is damaged, or belongs to another record.
    """
    folder = Path(folder)
    document = _read_document(folder, record, facts, remedy)
    files = [folder / f"{name}.parquet" for name in names]
    missing = [path.name for path in files if not path.is_file()]
    if missing:
        raise InputError(
            folder,
            f"no saved {record}: {', '.join(missing)} missing",
            f"{record}.json with its Parquet tables",
            remedy,
        )
    digests = document.pop(DIGESTS, {})
    return document, [_read_parquet(path, digests, remedy) for path in files]


def save_scores(
    scores: Scores,
    folder: Path,
    format: str,  # noqa: A002
    record: Mapping[str, object] | None = None,
) -> Path:
    """Write `scores` into `folder`; see :meth:`Scores.save`."""
    document: dict[str, Any] = {
        **(scores.to_json_dict() if format in FORMATS else {}),
        "protocol_fields": scores.protocol.to_dict() if format in FORMATS else {},
        "format": format,
        "note_facts": plain(note_facts(scores.notes)),
    }
    if scores.fingerprints:
        document["fingerprints"] = dict(scores.fingerprints)
    if scores.track_columns is not None:
        document["tracks"] = plain(scores.track_columns)
    if record is not None:
        # A shard is not what its results folder comes to: no list of runs shows it.
        document[SHARD_RECORD if SHARD in scores.inputs else "record"] = dict(record)
    tables = (
        {name: getattr(scores, f"{name[:-1]}_columns") for name in SCORE_TABLES}
        if format in FORMATS
        else {}
    )
    save_tables(folder, DOCUMENT.removesuffix(".json"), document, tables, format)
    return folder


def read_scores(folder: Path) -> dict[str, Any]:
    """Read the fields of `Scores` from `folder`; see :meth:`Scores.load`."""
    wanted = ("protocol_fields", "fingerprint", "notes", "inputs", "version", "format")
    document = _read_document(folder, "scores", wanted, _SCORES_FIX)
    form, digests = document["format"], document.get(DIGESTS, {})
    if form not in FORMATS:
        raise InputError(
            folder / DOCUMENT, f"format {form!r}", "'parquet' or 'csv'", _SCORES_FIX
        )
    frames, objects = (
        _read_columns(folder / f"{name}.{form}", digests)
        for name in ("frames", "objects")
    )
    try:
        protocol = ScoringProtocol(**document["protocol_fields"])
    except (TypeError, ValueError) as error:
        raise InputError(
            folder / DOCUMENT,
            f"a protocol that is none ({error})",
            "scores that Scores.save wrote",
            _SCORES_FIX,
        ) from error
    return {
        "protocol": protocol,
        "frame_columns": frames,
        "object_columns": objects,
        "notes": stored_notes(document["notes"], document.get("note_facts")),
        "track_columns": document.get("tracks"),
        "fingerprints": document.get("fingerprints", {}),
        "options": _options_of(document),
        **{key: document[key] for key in ("fingerprint", "inputs", "version")},
    }


def _options_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Input options; early versions kept them in the record of the results only."""
    record = document.get("record") or document.get(SHARD_RECORD) or {}
    known = document.get("options", record.get("options", {}))
    return dict(known) if isinstance(known, Mapping) else {}


def _encode(table: pd.DataFrame | Columns, format: str) -> bytes:  # noqa: A002
    if isinstance(table, Mapping):
        return encode_parquet(table) if format == "parquet" else encode_csv(table)
    table = _with_storable_texts(table)
    if format == "parquet":
        encoded: bytes = table.to_parquet(None, index=False)
        return encoded
    return str(table.to_csv(None, index=False)).encode()


def _with_storable_texts(table: pd.DataFrame) -> pd.DataFrame:
    changed = {}
    for name in table.select_dtypes(["object", "string"]):
        values = table[name].tolist()
        texts = {value for value in values if isinstance(value, str)}
        if texts != set(map(storable, texts)):
            changed[str(name)] = [
                storable(value) if isinstance(value, str) else value for value in values
            ]
    return table.assign(**changed) if changed else table


def _read_document(
    folder: Path, record: str, facts: Collection[str], remedy: str
) -> dict[str, Any]:
    path = folder / f"{record}.json"
    if not path.is_file():
        raise InputError(
            folder, f"no saved {record}", f"{record}.json with its tables", remedy
        )
    found = read_json(path, remedy, f"the record of saved {record}")
    digests = found.get(DIGESTS, {}) if isinstance(found, dict) else None
    if not isinstance(digests, dict) or not set(facts) <= set(found):
        wanted = f"a record with {', '.join(facts)}"
        raise InputError(path, "JSON of something else", wanted, remedy)
    document: dict[str, Any] = found
    return document


def _checked_bytes(path: Path, digests: Mapping[str, object], remedy: str) -> bytes:
    """A table's file, if it is the one that the record was written for."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            path,
            f"no such table ({error.strerror})",
            "the table that was saved beside the JSON file",
            remedy,
        ) from error
    if digests.get(path.name) != digest(content):
        damaged = "a damaged table, or one of another evaluation than its JSON file"
        raise InputError(
            path,
            f"{damaged} tells of"
            if path.name in digests
            else "a table of which its JSON file does not tell",
            "tables and JSON file that were saved together",
            remedy,
        )
    return content


def _read_parquet(
    path: Path, digests: Mapping[str, object], remedy: str
) -> pd.DataFrame:
    import pandas as pd

    content = _checked_bytes(path, digests, remedy)
    try:
        return pd.read_parquet(io.BytesIO(content))
    except (OSError, ValueError, MemoryError, TypeError, KeyError) as error:
        raise InputError(
            path, f"a damaged table ({error})", "a Parquet file", remedy
        ) from error


def _read_columns(path: Path, digests: Mapping[str, object]) -> dict[str, list[object]]:
    import pandas as pd

    if path.suffix == ".parquet":
        table = _read_parquet(path, digests, _SCORES_FIX)
        return {str(name): table[name].tolist() for name in table}
    content = _checked_bytes(path, digests, _SCORES_FIX)
    # Texts first, as pandas would take the sequence "0012" for a number.
    try:
        texts = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
        return {
            str(name): [_KINDS.get(str(name), _number)(text) for text in texts[name]]
            for name in texts
        }
    except (ValueError, OSError) as error:
        raise InputError(
            path, f"a damaged table ({error})", "a CSV file", _SCORES_FIX
        ) from error


def _number(text: str) -> float:
    return float(text or "nan")

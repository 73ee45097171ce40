"""Scores on disk: three tables and a JSON that says what they rest on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evaluation._utils.atomic import write_atomically
from evaluation.errors import InputError
from evaluation.protocols import Protocol
from evaluation.results.encode import encode_csv, encode_parquet
from evaluation.results.scores import Scores, plain

DOCUMENT = "scores.json"
TABLES = ("frames", "objects", "sequences")
FORMATS = ("parquet", "csv")

_KINDS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("sequence", "frame", "group"), str),
    **dict.fromkeys(("object", "proposal", "n_frames", "gt_area", "pred_area"), int),
}
"""Type of the columns that are no fractions."""


def save_scores(scores: Scores, folder: Path, format: str) -> Path:  # noqa: A002
    """Write `scores` into `folder`; see :meth:`Scores.save`."""
    if format not in FORMATS:
        raise InputError(
            "format", repr(format), "'parquet' or 'csv'", "Choose one of them."
        )
    encode = encode_parquet if format == "parquet" else encode_csv
    for name in TABLES:
        columns = getattr(scores, f"{name[:-1]}_columns")
        write_atomically(folder / f"{name}.{format}", encode(columns))
        for other in FORMATS:
            if other != format:
                (folder / f"{name}.{other}").unlink(missing_ok=True)
    document = {
        **scores.to_json_dict(),
        "protocol_fields": scores.protocol.to_dict(),
        "format": format,
    }
    if scores.track_columns is not None:
        document["tracks"] = plain(scores.track_columns)
    text = json.dumps(document, indent=1, allow_nan=False)
    write_atomically(folder / DOCUMENT, text.encode())
    return folder


def load_scores(folder: Path) -> Scores:
    """Read scores from `folder`; see :meth:`Scores.load`."""
    document = _read_document(folder / DOCUMENT)
    frames, objects = (
        _read_table(folder / f"{name}.{document['format']}", document["format"])
        for name in ("frames", "objects")
    )
    return Scores(
        Protocol(**document["protocol_fields"]),
        frames,
        objects,
        document["fingerprint"],
        tuple(document["notes"]),
        document["inputs"],
        document["version"],
        document.get("tracks"),
    )


def _read_document(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(path.read_text())
        if "protocol_fields" in document and document.get("format") in FORMATS:
            return document
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        pass
    raise InputError(
        path,
        "no saved scores",
        "the JSON file that Scores.save writes beside its tables",
        "Give the folder that was passed to Scores.save.",
    )


def _read_table(path: Path, format: str) -> dict[str, list[Any]]:  # noqa: A002
    import pandas as pd

    from evaluation.results.table_files import read_table

    remedy = "Copy the whole folder, or score again."
    if not path.is_file():
        raise InputError(
            path,
            "no such table",
            "the table that Scores.save wrote beside its JSON",
            remedy,
        )
    if format == "parquet":
        table = read_table(path, remedy)
        return {str(name): table[name].tolist() for name in table}
    # Texts first, as pandas would take the sequence "0012" for a number.
    texts = pd.read_csv(path, dtype=str, keep_default_na=False)
    return {
        str(name): [_KINDS.get(str(name), _number)(text) for text in texts[name]]
        for name in texts
    }


def _number(text: str) -> float:
    return float(text or "nan")

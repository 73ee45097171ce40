"""Runs found by looking, as a table; what differs between two of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.errors import InputError
from evaluation.runs.schema import (
    RUN_FILE,
    SCORES_FOLDER,
    Run,
    ScoreRecord,
    published_key,
    read_run,
)

if TYPE_CHECKING:
    import pandas as pd

MAX_DEPTH = 6
"""How deep below the folder given runs are looked for."""


def find_runs(root: str | os.PathLike[str] = ".") -> list[Run]:
    """All runs in a folder and below it, in order of their paths.

    Raises:
        InputError: no such folder, or a damaged record.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(root, "no such folder", "a folder", "Check the path.")
    found: list[Run] = []
    for name, folders, files in os.walk(root):
        folder = Path(name)
        run = read_run(folder) if _may_be_run(folder, folders, files) else None
        if run is not None and (run.made or run.scores):
            found.append(run)
            folders.clear()
        elif len(folder.relative_to(root).parts) >= MAX_DEPTH:
            folders.clear()
        else:
            folders[:] = sorted(item for item in folders if not item.startswith("."))
    return found


def runs_table(runs: Iterable[Run]) -> pd.DataFrame:
    """One row a run and protocol it was scored by.

    Columns: run (folder), method, benchmark, protocol, J&F, J, F (fractions; the
    J&F that the benchmark publishes), n_sequences, n_objects, fps, started, scored,
    state (``current``, ``masks changed``, ``not scored``), fingerprint.
    """
    import pandas as pd

    rows = []
    for run in runs:
        made = {
            "run": str(run.folder),
            "method": run.method,
            "benchmark": run.made.get("benchmark") or "",
            "fps": run.frames_per_second,
            "started": run.made.get("started", ""),
        }
        for record in run.scores.values():
            state = "current" if run.is_current(record) else "masks changed"
            rows.append(made | _scored(record) | {"state": state})
        if not run.scores:
            rows.append(made | {"state": "not scored"})
    columns = (
        "run", "method", "benchmark", "protocol", "J&F", "J", "F", "n_sequences",
        "n_objects", "fps", "started", "scored", "state", "fingerprint",
    )  # fmt: skip
    table = pd.DataFrame(rows, columns=list(columns))
    words = ["protocol", "scored", "fingerprint"]
    table[words] = table[words].fillna("")
    return table


def compare_runs(first: Run, second: Run) -> pd.DataFrame:
    """What differs between two runs: how they were made, and what they score.

    Returns:
        One row a difference: `what`, `first`, `second`, and `difference`
        (second - first) of scores, which are fractions.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    one, other = _flat(first.made), _flat(second.made)
    for key in dict.fromkeys((*one, *other)):
        if one.get(key) != other.get(key):
            rows.append({"what": key, "first": one.get(key), "second": other.get(key)})
    for name in dict.fromkeys((*first.scores, *second.scores)):
        pair = [run.scores[name] for run in (first, second) if name in run.scores]
        if len(pair) < 2:
            who = [name in run.scores for run in (first, second)]
            states = ["scored" if yes else "not scored" for yes in who]
            rows.append({"what": name, "first": states[0], "second": states[1]})
            continue
        rows += _score_rows(name, *pair)
    return pd.DataFrame(rows, columns=["what", "first", "second", "difference"])


def _score_rows(
    name: str, one: ScoreRecord, other: ScoreRecord
) -> list[dict[str, Any]]:
    keys = dict.fromkeys((*one.summary, *other.summary))
    rows: list[dict[str, Any]] = []
    for key in keys:
        a, b = one.summary.get(key), other.summary.get(key)
        delta = b - a if a is not None and b is not None else None
        rows.append(
            {"what": f"{name} {key}", "first": a, "second": b, "difference": delta}
        )
    for key in ("n_sequences", "n_objects", "ground_truth"):
        if getattr(one, key) != getattr(other, key):
            values = {"first": getattr(one, key), "second": getattr(other, key)}
            rows.append({"what": f"{name} {key}", **values})
    return rows


def _flat(made: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one level; videos and times are no settings."""
    flat: dict[str, Any] = {}
    for key, value in made.items():
        if not prefix and key in ("sequences", "started", "failures"):
            continue
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _scored(record: ScoreRecord) -> dict[str, Any]:
    boundary = "F_adaptive" if published_key(record.protocol) != "J&F" else "F"
    return {
        "protocol": record.protocol_name,
        "J&F": record.summary.get(published_key(record.protocol)),
        "J": record.summary.get("J"),
        "F": record.summary.get(boundary),
        "n_sequences": record.n_sequences,
        "n_objects": record.n_objects,
        "scored": record.scored,
        "fingerprint": record.fingerprint,
    }


def _may_be_run(folder: Path, folders: list[str], files: list[str]) -> bool:
    return RUN_FILE in files or SCORES_FOLDER in folders

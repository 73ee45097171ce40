"""Runs found by looking, as a table; what differs between two of them.

There is no server and no list to keep: what a results folder says of itself (`schema`)
and what evaluations left of it (`score_records`) is all there is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation._utils.json_files import read_json
from evaluation._utils.names import counted
from evaluation.errors import InputError
from evaluation.runs.schema import RUN_FILE, RunRecord, flat
from evaluation.runs.score_records import (
    SCORES_FOLDER,
    ScoreRecord,
    headline_metric_of,
    mask_digest,
)

if TYPE_CHECKING:
    import pandas as pd

MAX_DEPTH = 6
"""How deep below the folder given runs are looked for."""

SAVED = "scores.json"
"""What `Scores.save` writes beside its tables."""


@dataclass(frozen=True)
class RunFolder:
    """A results folder and what is known about it.

    Attributes:
        folder: the results folder; where only saved scores are left, their folder.
        record: how the masks were made; None where they are from elsewhere.
        scores: records of its evaluations, by protocol.
    """

    folder: Path
    record: RunRecord | None
    scores: Mapping[str, ScoreRecord]

    @property
    def method(self) -> str:
        """Name of the method; the folder's where nothing says."""
        return self.record.method if self.record else self.folder.resolve().name

    @property
    def frames_per_second(self) -> float | None:
        """Speed of the prediction, reading and writing included; None if unknown."""
        return (self.record.frames_per_second or None) if self.record else None

    @cached_property
    def masks(self) -> str:
        """Digest of the mask files as they are now."""
        return mask_digest(self.folder)

    def is_current(self, record: ScoreRecord) -> bool:
        """Whether both masks and ground truth still are those that were scored."""
        return not self.outdated(record)

    def state(self, protocol: str) -> str:
        """``scored``, ``not scored``, or what changed since it was scored."""
        if protocol not in self.scores:
            return "not scored"
        return self.outdated(self.scores[protocol]) or "scored"

    def outdated(self, record: ScoreRecord) -> str:
        """What changed since masks were scored: masks, ground truth; "" for nothing."""
        if record.masks != mask_digest(self.folder, record.masks):
            return "masks changed"
        return "ground truth changed" if record.truth_changed() else ""


def read_run(folder: str | os.PathLike[str]) -> RunFolder:
    """Read what a results folder says about itself; nothing, perhaps.

    Raises:
        InputError: no such folder, or a damaged record.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(
            folder, "no such folder", "a results folder", "Check the path."
        )
    records = [
        ScoreRecord.load(path)
        for path in sorted((folder / SCORES_FOLDER).glob("*.json"))
        if path.name != SAVED and _is_record(path)
    ]
    for place in (folder, folder / SCORES_FOLDER):
        saved = read_saved_record(place)
        if saved is not None and saved.results in ("", str(folder.absolute())):
            records.append(saved)
    return RunFolder(folder, RunRecord.load(folder), _newest(records))


def read_saved_record(folder: Path) -> ScoreRecord | None:
    """The record among saved scores; None where there are none, or older ones.

    Raises:
        InputError: it is damaged.
    """
    path = folder / SAVED
    if not path.is_file():
        return None
    content = read_json(path, "Delete this file and score again.", "saved scores")
    if not isinstance(content, dict) or not isinstance(content.get("record"), dict):
        return None
    return ScoreRecord.parse(content["record"], path)


def saved_scores_outdated(folder: Path) -> str:
    """What changed since scores were saved in a folder: masks, ground truth, or "".

    Nothing is known of scores of some sequences, and of masks that are gone.

    Args:
        folder: that `Scores.save` wrote.

    Raises:
        InputError: its record is damaged.
    """
    record = read_saved_record(folder)
    if record is None:
        return ""
    if record.masks and record.results and Path(record.results).is_dir():
        return RunFolder(Path(record.results), None, {}).outdated(record)
    return "ground truth changed" if record.truth_changed() else ""


def find_runs(root: str | os.PathLike[str] = ".") -> list[RunFolder]:
    """All runs in a folder and below it, in order of their paths.

    Scores that were saved elsewhere below it belong to the run that they are of.

    Raises:
        InputError: no such folder, or a damaged record.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(root, "no such folder", "a folder", "Check the path.")
    found: dict[Path, RunFolder] = {}
    saved: list[tuple[Path, ScoreRecord]] = []
    for folder, is_run in _walk(root):
        run = read_run(folder) if is_run else None
        if run is not None and (run.record or run.scores):
            found[folder.resolve()] = run
        record = read_saved_record(folder)
        if record is not None:
            saved.append((folder, record))
    for folder, record in saved:
        place = Path(record.results or folder)
        place = place if place.is_dir() else folder
        known = found.get(place.resolve()) or RunFolder(
            place, RunRecord.load(place), {}
        )
        scores = _newest([*known.scores.values(), record])
        found[place.resolve()] = replace(known, scores=scores)
    return sorted(found.values(), key=lambda run: str(run.folder))


def _walk(root: Path) -> Iterator[tuple[Path, bool]]:
    """Folders that may be runs or hold saved scores; of what is in runs, scores only.

    Yields:
        the folder, and whether it may be a run.
    """
    for name, folders, files in os.walk(root):
        folder = Path(name)
        is_run = RUN_FILE in files or SCORES_FOLDER in folders
        if is_run or SAVED in files:
            yield folder, is_run
        kept = [name for name in folders if not name.startswith(".")]
        if is_run and _says_something(folder):
            kept = [name for name in kept if (folder / name / SAVED).is_file()]
        if len(folder.relative_to(root).parts) >= MAX_DEPTH:
            kept = []
        folders[:] = sorted(kept)


def _says_something(folder: Path) -> bool:
    run = read_run(folder)
    return bool(run.record or run.scores)


def _newest(records: Iterable[ScoreRecord]) -> dict[str, ScoreRecord]:
    """By protocol; of several the one scored last."""
    ordered = sorted(records, key=lambda record: record.scored)
    return {record.protocol_name: record for record in ordered}


def runs_table(runs: Iterable[RunFolder]) -> pd.DataFrame:
    """One row per run and protocol it was scored by.

    Columns: run (folder), method, benchmark, protocol, J&F, J, F (fractions; the
    J&F that the benchmark publishes), n_sequences, n_objects, fps, started, scored,
    state (``current``, ``masks changed``, ``ground truth changed``, ``not scored``),
    fingerprint.
    """
    import pandas as pd

    rows = []
    for run in runs:
        made = {
            "run": str(run.folder),
            "method": run.method,
            "benchmark": (run.record.benchmark or "") if run.record else "",
            "fps": run.frames_per_second,
            "started": run.record.started if run.record else "",
        }
        mixed = _mixture(run)
        for record in run.scores.values():
            state = run.outdated(record) or "current"
            rows.append(made | _score_columns(record) | {"state": state + mixed})
        if not run.scores:
            rows.append(made | {"state": "not scored" + mixed})
    columns = (
        "run", "method", "benchmark", "protocol", "J&F", "J", "F", "n_sequences",
        "n_objects", "fps", "started", "scored", "state", "fingerprint",
    )  # fmt: skip
    table = pd.DataFrame(rows, columns=list(columns))
    words = ["protocol", "scored", "fingerprint"]
    table[words] = table[words].astype(object).fillna("")
    return table


def compare_runs(first: RunFolder, second: RunFolder) -> pd.DataFrame:
    """What differs between two runs: how they were made, and what they score.

    Scores of masks, or of a ground truth, that changed since are left out. What else
    keeps scores from being compared, `differences.note_runs` tells.

    Returns:
        One row per difference: `what`, `first`, `second`, and `difference`
        (second - first) of scores, which are fractions.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    one, other = _settings(first), _settings(second)
    for key in dict.fromkeys((*one, *other)):
        if one.get(key) != other.get(key):
            rows.append({"what": key, "first": one.get(key), "second": other.get(key)})
    for name in dict.fromkeys((*first.scores, *second.scores)):
        states = [run.state(name) for run in (first, second)]
        if states == ["scored", "scored"]:
            rows += _score_rows(name, first.scores[name], second.scores[name])
        else:
            rows.append({"what": name, "first": states[0], "second": states[1]})
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
    if one.applied != other.applied:
        words = [
            ", ".join(f"{k} {v}" for k, v in record.applied.items()) or "none"
            for record in (one, other)
        ]
        rows.append({"what": f"{name} options", "first": words[0], "second": words[1]})
    return rows


def _settings(run: RunFolder) -> dict[str, Any]:
    """What is recorded of a run in one level; videos and times are no settings."""
    if run.record is None:
        return {}
    left_out = {
        "sequences", "started", "failures", "run", "state", "replaces", "others",
        "format", "frames_per_second",
    }  # fmt: skip
    content = run.record.to_json()
    return flat({key: v for key, v in content.items() if key not in left_out})


def _mixture(run: RunFolder) -> str:
    """What to say of videos in the folder that another method made."""
    others = run.record.others if run.record else {}
    if not others:
        return ""
    methods = ", ".join(sorted({video.method for video in others.values()}))
    return f"; {counted(len(others), 'video')} of another run ({methods})"


def _score_columns(record: ScoreRecord) -> dict[str, Any]:
    adaptive = record.protocol.get("boundary") == "adaptive"
    boundary = "F_adaptive" if adaptive else "F"
    return {
        "protocol": record.protocol_name,
        "J&F": record.summary.get(headline_metric_of(record.protocol)),
        "J": record.summary.get("J"),
        "F": record.summary.get(boundary),
        "n_sequences": record.n_sequences,
        "n_objects": record.n_objects,
        "scored": record.scored,
        "fingerprint": record.fingerprint,
    }


def _is_record(path: Path) -> bool:
    """Whether a JSON file claims to be a score record; other files may lie there."""
    try:
        content = read_json(path, "")
    except InputError:
        return True  # so that reading it says what is wrong
    return isinstance(content, dict) and {"protocol", "summary"} <= content.keys()


def one_per_folder(folders: Sequence[Path]) -> dict[str, Path]:
    """Names for results folders: their own, longer where two are called alike.

    Raises:
        InputError: a folder is given twice.
    """
    paths = [folder.resolve() for folder in folders]
    for length in range(1, 1 + max(len(path.parts) for path in paths)):
        names = ["-".join(path.parts[-length:]) for path in paths]
        if len(set(names)) == len(names):
            return dict(zip(names, folders, strict=True))
    raise InputError(
        ", ".join(map(str, folders)),
        "a results folder twice",
        "each folder once",
        "Leave one out.",
    )

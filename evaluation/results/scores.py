"""`Scores`: what an evaluation comes to, as tables."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation._utils.fingerprint import digest_stream, encoded
from evaluation._utils.json_files import plain
from evaluation._utils.names import any_name_in_tables
from evaluation._utils.version import __version__
from evaluation.errors import InputError
from evaluation.metrics.aggregate import METRICS, summarise
from evaluation.metrics.tracking.clear import SUMMED as CLEAR_COUNTS
from evaluation.metrics.tracking.identity import COUNTS as IDENTITY_COUNTS
from evaluation.metrics.tracking.objects import COLUMNS as OBJECT_COLUMNS
from evaluation.metrics.tracking.video import tracking, tracking_summary
from evaluation.protocols import ScoringProtocol
from evaluation.results.same_rules import require_one_protocol
from evaluation.results.shards import (
    joined_inputs,
    joined_notes,
    joined_options,
)
from evaluation.results.storage import read_scores, save_scores
from evaluation.results.text import format_scores

if TYPE_CHECKING:
    import pandas as pd

Table = Mapping[str, Sequence[Any]]
"""Columns of equal length by name."""


@dataclass(frozen=True)
class Scores:
    """Scores of one results folder under one protocol; fractions 0..1.

    >>> import numpy as np
    >>> from evaluation import score
    >>> truth = np.zeros((5, 20, 20), np.uint8)
    >>> truth[:, 5:15, 5:15] = 1
    >>> scores = score({"cat": np.roll(truth, 2, axis=2)}, {"cat": truth})
    >>> scores.frames["J"].round(4).tolist()
    [0.6667, 0.6667, 0.6667]
    >>> scores.objects["sequence"].tolist(), round(scores.summary["J"], 4)
    (['cat'], 0.6667)

    Attributes:
        protocol: the rules.
        frame_columns: the `frames` table as columns, see there.
        object_columns: the `objects` table as columns, see there.
        fingerprint: digest of all masks that were read.
        notes: what a reader of the numbers should know, in sentences; those that
            merged scores join are `Note`s, which have what they say as data, too.
        inputs: names of the results and of the ground truth, and where its files are.
        version: version of the software that made them; empty for this one.
        track_columns: counts of the tracking metrics, one row per sequence and class,
            where the protocol has any: see `tracking`.
        fingerprints: digest of the masks of each sequence, of which `fingerprint` is
            made; empty where they are not known.
        options: input options that may have changed the numbers, by name: those not
            at their defaults; ``missing``, ``resize`` and ``void`` only where they had
            a use.
    """

    protocol: ScoringProtocol
    frame_columns: Table
    object_columns: Table
    fingerprint: str
    notes: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    track_columns: Table | None = None
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def frames(self) -> pd.DataFrame:
        """One row per object and frame.

        Columns: sequence, object (int), frame (name), J, F, gt_area, pred_area
        (pixels); F_adaptive under MOSE v2; gt_digest, a checksum of the true mask (0
        where it is empty), by which a changed ground truth is told.
        """
        return _data_frame(self.frame_columns)

    @cached_property
    def objects(self) -> pd.DataFrame:
        """One row per object.

        Columns: sequence, object, J&F, J_mean, J_recall, J_decay, F_mean, F_recall,
        F_decay, V, n_frames, and J and F of disappearance and reappearance (NaN
        where an object has none). Where the protocol has them: F_adaptive_mean,
        J&F_adaptive, group (seen, unseen), proposal (matched id, 0 for none), and
        HOTA, DetA, AssA, DetRe, IDSW, Frag of each object.
        """
        return _data_frame(self.object_columns)

    @cached_property
    def sequences(self) -> pd.DataFrame:
        """One row per sequence: number of objects, J&F, J, F as means over objects."""
        return _data_frame(self.sequence_columns)

    @cached_property
    def sequence_columns(self) -> Table:
        """The `sequences` table as columns."""
        table: dict[str, list[Any]] = {
            key: [] for key in ("sequence", "n_objects", "J&F", "J", "F")
        }
        rows: dict[str, list[int]] = {}
        for i, name in enumerate(self.object_columns["sequence"]):
            rows.setdefault(name, []).append(i)
        for name, indices in rows.items():
            region = self._mean("J_mean", indices)
            boundary = self._mean("F_mean", indices)
            values = (name, len(indices), (region + boundary) / 2, region, boundary)
            for key, value in zip(table, values, strict=True):
                table[key].append(value)
        return table

    @cached_property
    def summary(self) -> dict[str, float]:
        """Metric -> score over everything, the way the protocol averages.

        Always J&F, J, F, J_recall, J_decay, F_recall, F_decay, V; where there are
        any, J&F_adaptive, F_adaptive, the scores of disappearance and reappearance,
        and J_seen, J_unseen and so on. Where the protocol has tracking metrics, these
        by their names in TrackEval (means over the thresholds).
        """
        return summarise(self.object_columns, self.protocol) | self._track_summary()

    @cached_property
    def tracking(self) -> dict[str, dict[str, Any]]:
        """Tracking metrics over everything; empty where the protocol has none.

        Returns:
            ``HOTA``, ``CLEAR`` and ``Identity`` (``Concepts`` for SA-Co), each
            TrackEval's names -> number, or -> [19] values per threshold.
        """
        if self.track_columns is None:
            return {}
        return tracking(self.track_columns, self.protocol.tracking)

    def _track_summary(self, scale: float = 1.0) -> dict[str, float]:
        if self.track_columns is None:
            return {}
        summary = tracking_summary(self.track_columns, self.protocol.tracking)
        counts = {*CLEAR_COUNTS, *IDENTITY_COUNTS, "FP_per_frame"}
        return {k: v if k in counts else scale * v for k, v in summary.items()}

    @cached_property
    def summary_percent(self) -> dict[str, float]:
        """The summary in percent, as tools that print percent compute it."""
        percent = summarise(self.object_columns, self.protocol, scale=100.0)
        return percent | self._track_summary(100.0)

    def to_json_dict(self) -> dict[str, object]:
        """All but the frames as one JSON object; fractions, NaN as null."""
        headline = ("sequence", "object")
        columns = {**{key: key for key in headline}, "J&F": "J&F", **METRICS}
        columns |= {key: key for key in OBJECT_COLUMNS}
        columns |= {"n_frames": "n_frames", "group": "group", "proposal": "proposal"}
        present = {k: c for k, c in columns.items() if c in self.object_columns}
        rows = zip(*(self.object_columns[c] for c in present.values()), strict=True)
        document = {
            "protocol": self.protocol.name,
            "protocol_rules": self.protocol.rules(),
            **self.summary,
            "objects": [dict(zip(present, row, strict=True)) for row in rows],
            "notes": list(self.notes),
            "inputs": dict(self.inputs),
            "options": dict(self.options),
            "fingerprint": self.fingerprint,
            "version": self.version or __version__,
        }
        cleaned: dict[str, Any] = plain(document)
        return cleaned

    def format_table(self, *, per_object: bool = False) -> str:
        """The table that the official tools print, as text."""
        return format_scores(self, per_object=per_object)

    def save(
        self,
        folder: str | Path,
        *,
        format: str = "parquet",  # noqa: A002
        record: Mapping[str, object] | None = None,
    ) -> Path:
        """Write all tables and what they rest on into a folder.

        Args:
            folder: made if missing; earlier scores in it are replaced.
            format: ``"parquet"`` or ``"csv"``.
            record: a `ScoreRecord` as plain values, by which lists of runs know which
                results folder the scores are of.

        Returns:
            The folder.
        """
        return save_scores(self, Path(folder), format, record)

    @staticmethod
    def load(folder: str | Path) -> Scores:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: the folder holds no scores, or not all of them.
        """
        return Scores(**read_scores(Path(folder)))

    def _mean(self, column: str, indices: Sequence[int]) -> float:
        import numpy as np

        return float(np.mean([self.object_columns[column][i] for i in indices]))


SavedScores = Scores | str | os.PathLike[str]
"""Scores, or the folder that they were saved in."""


def as_scores(given: SavedScores, where: str = "scores") -> Scores:
    """Scores as they are, or those that were saved in a folder.

    Args:
        given: the scores, or the folder.
        where: what to call them in an error.

    Raises:
        InputError: it is neither; or the folder holds no scores, or not all of them.
    """
    if isinstance(given, (str, os.PathLike)):
        return Scores.load(os.fspath(given))
    if not hasattr(given, "protocol"):
        raise InputError(
            where,
            f"a {type(given).__name__}",
            "Scores, or a folder that they were saved in",
            "Pass what evaluation.score or Scores.load returned, or the folder's path.",
        )
    return given


@any_name_in_tables()
def merge(shards: Sequence[SavedScores]) -> Scores:
    """Put the scores of different sequences, made apart, into one.

    Of all shards of a run, it gives what one run over everything would: tables,
    summary, fingerprint and notes.

    >>> import numpy as np
    >>> from evaluation import score
    >>> truth = np.zeros((5, 20, 20), np.uint8)
    >>> truth[:, 5:15, 5:15] = 1
    >>> exact = score({"cat": truth}, {"cat": truth})
    >>> late = score({"dog": np.roll(truth, 2, axis=2)}, {"dog": truth})
    >>> round(merge([exact, late]).summary["J"], 4)
    0.8333

    Args:
        shards: at least one, or folders they were saved in; of the same results and
            ground truth by the same protocol and options, no sequence twice. Their
            order plays no role. Those that say which shard they are (`s3fo evaluate
            --shard`) must be complete; where sequences were chosen by name, a note
            tells how many of the ground truth are missing.

    Raises:
        InputError: results, ground truths, protocols or options differ, a sequence is
            in more than one, or a shard is missing.
    """
    if not shards:
        raise InputError("shards", "none", "at least one", "Name what to merge.")
    return _merge([as_scores(shard, "shards") for shard in shards])


def _merge(shards: Sequence[Scores]) -> Scores:
    require_one_protocol(
        [shard.protocol for shard in shards],
        where="shards",
        remedy="Score all shards with the same protocol.",
    )
    _check_no_sequence_twice(shards)
    options = joined_options(shards)
    inputs = joined_inputs([shard.inputs for shard in shards])
    first = shards[0]
    tracks = [s.track_columns for s in shards if s.track_columns is not None]
    # In order of name, as all tables are and one run tells them.
    every = {k: v for shard in shards for k, v in shard.fingerprints.items()}
    fingerprints = dict(sorted(every.items()))
    known = all(shard.fingerprints for shard in shards)
    return Scores(
        first.protocol,
        _stack([shard.frame_columns for shard in shards]),
        _stack([shard.object_columns for shard in shards]),
        total_fingerprint(fingerprints) if known else _fingerprint_of(shards),
        ordered_notes(joined_notes(shards)),
        inputs,
        _one_version(shards),
        _stack(tracks) if tracks else None,
        fingerprints if known else {},
        options,
    )


def _check_no_sequence_twice(shards: Sequence[Scores]) -> None:
    owners: dict[str, int] = {}
    for i, shard in enumerate(shards):
        for sequence in shard.sequence_columns["sequence"]:
            if owners.setdefault(sequence, i) != i:
                raise InputError(
                    "shards",
                    f"sequence {sequence} in two of them",
                    "each sequence in one shard",
                    "Leave out one of the two.",
                )


def _one_version(shards: Sequence[Scores]) -> str:
    """The version that scored all shards.

    Raises:
        InputError: there are several, whose numbers need not go together.
    """
    versions = sorted({shard.version or __version__ for shard in shards})
    if len(versions) > 1:
        raise InputError(
            "shards",
            f"scores of the versions {' and '.join(versions)}",
            "scores of one version of s3fo",
            "Score all shards with the same version.",
        )
    return "" if not any(shard.version for shard in shards) else versions[0]


def total_fingerprint(fingerprints: Mapping[str, str]) -> str:
    """Digest of all masks, from those of the sequences, whatever their order."""
    return digest_stream(
        encoded(f"{name}\0{fingerprints[name]}\n") for name in sorted(fingerprints)
    )


def _fingerprint_of(shards: Sequence[Scores]) -> str:
    """Digest of shards of which those of the sequences are not known."""
    if len(shards) == 1:
        return shards[0].fingerprint
    return digest_stream(sorted(shard.fingerprint.encode() for shard in shards))


def ordered_notes(notes: Sequence[str]) -> tuple[str, ...]:
    """Each note once, in an order that does not depend on who made which."""
    return tuple(sorted(set(notes)))


def _stack(tables: Sequence[Table]) -> Table:
    """Tables below each other, sequences in order of name."""
    columns = list(dict.fromkeys(name for table in tables for name in table))
    rows: list[tuple[Any, ...]] = []
    for table in tables:
        missing = [math.nan] * len(table["sequence"])
        rows += zip(*(table.get(name, missing) for name in columns), strict=True)
    rows.sort(key=lambda row: row[0])
    return {name: [row[i] for row in rows] for i, name in enumerate(columns)}


@any_name_in_tables()
def _data_frame(columns: Table) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(dict(columns))

"""What an evaluation of a results folder came to, as one small JSON file.

It lies in the results folder (``<results>/scores/<protocol>.json``) where that was
asked for, or among the tables that an evaluation saved. It takes no part in scoring.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation._utils.atomic import write_atomically
from evaluation._utils.fingerprint import digest_file, digest_stream, encoded
from evaluation._utils.json_files import parse, read_json
from evaluation._utils.machine import installed_versions
from evaluation.errors import InputError
from evaluation.notes import note_facts, stored_notes
from evaluation.options import DEFAULT_OPTIONS
from evaluation.protocols import ScoringProtocol
from evaluation.results.shards import TRUTH_PLACE
from evaluation.results.storage import DOCUMENT, SHARD_RECORD
from evaluation.runs.schema import utc_now

if TYPE_CHECKING:
    from evaluation.results.scores import Scores

SCORES_FOLDER = "scores"

_STRICT = DEFAULT_OPTIONS.to_dict()
_FIX = "Delete this file and score again."
_PACKAGES = ("s3fo", "numpy", "opencv-python-headless", "pandas", "scipy")


@dataclass(frozen=True)
class ScoreRecord:
    """What one evaluation of a results folder came to.

    Attributes:
        protocol: fields of the `ScoringProtocol`.
        summary: metric -> fraction, as `Scores.summary`; None where undefined.
        n_sequences: videos that were scored.
        n_objects: objects that were scored.
        n_frames: frames of all objects that were scored.
        fingerprint: digest of all masks that were read, ground truth included.
        masks: digest of names and sizes of the result's mask files, by which a
            record is known to be out of date.
        ground_truth: its name or folder.
        options: non-default preprocessing of the masks, as `evaluation.score` names it.
        notes: of the scores.
        versions: of Python and the packages that took part.
        scored: when, UTC.
        results: the folder of masks it is of; "" in that folder itself.
        sequences: names of the videos that were scored; empty in older records.
        truth: digest of the true masks' files, by which a change of them is known;
            "" where there are none, and in older records.
        truth_place: folder or file that holds them.
        effective: those of the options that had a use; None in older records.
        note_facts: kinds and data of the notes; None in older records.
    """

    protocol: Mapping[str, Any]
    summary: Mapping[str, float | None]
    n_sequences: int
    n_objects: int
    n_frames: int
    fingerprint: str
    masks: str = ""
    ground_truth: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    scored: str = ""
    results: str = ""
    sequences: tuple[str, ...] = ()
    truth: str = ""
    truth_place: str = ""
    effective: Mapping[str, Any] | None = None
    note_facts: tuple[Mapping[str, Any], ...] | None = None

    @property
    def applied(self) -> Mapping[str, Any]:
        """The options that may have changed the numbers."""
        return self.options if self.effective is None else self.effective

    @property
    def told(self) -> tuple[str, ...]:
        """The notes, with what they say as data."""
        return stored_notes(self.notes, self.note_facts)

    def truth_changed(self) -> bool:
        """Whether the true masks are others than were scored against, if it is known.

        Those that are no longer where they were say nothing.
        """
        now = truth_digest(self.truth_place, self.sequences) if self.truth else ""
        return bool(now) and now != self.truth

    @property
    def protocol_name(self) -> str:
        """Name of the protocol."""
        return str(self.protocol["name"])

    @classmethod
    def of(
        cls,
        scores: Scores,
        folder: Path | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> ScoreRecord:
        """The record of scores; `folder` holds the masks, where there is one."""
        summary = {
            key: None if math.isnan(value) else value
            for key, value in scores.summary.items()
        }
        table = scores.object_columns
        names = tuple(sorted(set(table["sequence"])))
        place = scores.inputs.get(TRUTH_PLACE, "")
        return cls(
            protocol=scores.protocol.to_dict(),
            summary=summary,
            n_sequences=len(set(table["sequence"])),
            n_objects=len(table["sequence"]),
            n_frames=sum(table["n_frames"]),
            fingerprint=scores.fingerprint,
            masks=mask_digest(folder) if folder and folder.is_dir() else "",
            ground_truth=scores.inputs.get("ground_truth", ""),
            options=dict(options or {}),
            notes=tuple(map(str, scores.notes)),
            note_facts=tuple(note_facts(scores.notes)),
            versions=installed_versions(_PACKAGES),
            scored=utc_now(),
            results=str(folder.absolute()) if folder else "",
            sequences=names,
            truth=truth_digest(place, names),
            truth_place=place,
            effective=dict(scores.options),
        )

    @classmethod
    def load(cls, path: Path) -> ScoreRecord:
        """Read one.

        Raises:
            InputError: it is damaged, or no such record.
        """
        return cls.parse(read_json(path, _FIX, "a score record"), path)

    @classmethod
    def parse(cls, content: Any, path: Path) -> ScoreRecord:
        """Make one of parsed JSON; `path` is named in errors.

        Raises:
            InputError: it is no such record.
        """
        record = parse(content, cls, path, _FIX)
        try:
            ScoringProtocol(**record.protocol)
        except (TypeError, ValueError) as error:
            raise InputError(
                path, f"a protocol that is none ({error})", "fields of a protocol", _FIX
            ) from error
        return record

    def as_json(self) -> dict[str, Any]:
        """Plain values, as they are stored."""
        return asdict(self)


def leave_record(
    scores: Scores, results: str | os.PathLike[str], **options: Any
) -> Path | None:
    """Leave a record of scores in the results folder they are of.

    Args:
        scores: of everything in the folder, not of some of its sequences.
        results: the folder.
        options: that `evaluation.score` was called with; the defaults are left out.

    Returns:
        The record's file; None where the results are no folder or not ours to write.
    """
    folder = Path(results)
    if not folder.is_dir() or not _is_writable(folder):
        return None
    record = replace(ScoreRecord.of(scores, folder, changed(options)), results="")
    path = folder / SCORES_FOLDER / f"{record.protocol_name}.json"
    write_atomically(path, (json.dumps(record.as_json(), indent=1) + "\n").encode())
    return path


def merged_record(scores: Scores, shards: Sequence[Path]) -> ScoreRecord | None:
    """The record of scores that were merged from saved shards of one run.

    Args:
        scores: of all of them.
        shards: the folders that they were saved in.

    Returns:
        The record; None where one of the folders holds no shard.

    Raises:
        InputError: the shards are of other masks, or were scored with other options,
            or true masks changed since.
    """
    records = []
    for folder in shards:
        path = folder / DOCUMENT
        content = read_json(path, _FIX, "the record of a shard").get(SHARD_RECORD)
        if content is None:
            return None
        records.append(ScoreRecord.parse(content, path))
    first = records[0]
    for folder, other in zip(shards, records, strict=True):
        for what in ("options", "masks"):
            if getattr(other, what) != getattr(first, what):
                raise InputError(
                    folder,
                    f"a shard that was scored with other {what} than {shards[0]}",
                    "shards of one run",
                    "Score all shards of the same masks with the same options.",
                )
        if other.truth_changed():
            raise InputError(
                folder,
                f"a shard whose true masks in {other.truth_place} changed since it "
                "was scored",
                "shards of one ground truth, as it is now",
                "Score this shard again (s3fo evaluate with the same --shard and "
                "--out), and merge then.",
            )
    fresh = ScoreRecord.of(scores, options=first.options)
    return replace(fresh, masks=first.masks, results=first.results)


def changed(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the input options that are not at their defaults."""
    return {key: value for key, value in options.items() if value != _STRICT[key]}


def headline_metric_of(protocol: Mapping[str, Any] | ScoringProtocol) -> str:
    """Which metric of a summary the benchmark of a protocol publishes."""
    if isinstance(protocol, ScoringProtocol):
        return protocol.headline_metric
    if "headline" in protocol:
        return str(protocol["headline"])
    # Records of older versions name no headline.
    return "J&F_adaptive" if protocol["boundary"] == "adaptive" else "J&F"


_WITH_ENDS = "ends:"
"""Begins digests that know how files end; those of earlier versions do not."""

_END = 20
"""Bytes at the end of a PNG file: checksums of its pixels, and the last chunk."""


def mask_digest(folder: Path, earlier: str = "") -> str:
    """Digest of all PNG files below a folder: names, sizes and checksums of pixels.

    Args:
        folder: with masks.
        earlier: a digest that it is to be compared with; those of earlier versions
            know names and sizes alone.
    """
    if earlier and not earlier.startswith(_WITH_ENDS):
        return digest_stream(_names_and_sizes(folder, 0))
    return _WITH_ENDS + digest_stream(_names_and_sizes(folder, _END))


def truth_digest(place: str, sequences: Sequence[str]) -> str:
    """Digest of the true masks of some videos, as `mask_digest` takes it of results.

    Args:
        place: folder or file that holds them.
        sequences: names of the videos.

    Returns:
        "" where there is nothing any more.
    """
    root = Path(place)
    if not place or not root.exists():
        return ""
    if root.is_file():
        return digest_file(root).hex()
    folders = [root / name for name in sequences if (root / name).is_dir()]
    return digest_stream(
        part
        for folder in (folders if len(folders) == len(sequences) else [root])
        for part in (encoded(folder.name), *_names_and_sizes(folder, _END))
    )


def _names_and_sizes(folder: Path, end: int) -> Iterator[bytes]:
    for name, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(files):
            if file[-4:].lower() == ".png":
                path = os.path.join(name, file)
                relative = os.path.relpath(path, folder)
                size = os.path.getsize(path)
                yield encoded(f"{relative}\0{size}\n")
                if end:
                    yield _end_of(path, max(0, size - end))


def _end_of(path: str, start: int) -> bytes:
    """The rest of a file; empty where it cannot be read, as scoring will tell."""
    try:
        with open(path, "rb", buffering=0) as file:
            file.seek(start)
            return file.read(_END)
    except OSError:
        return b""


def _is_writable(folder: Path) -> bool:
    """Whether its owner lets anybody write there: an administrator always could."""
    return bool(folder.stat().st_mode & 0o222) and os.access(folder, os.W_OK)

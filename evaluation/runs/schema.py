"""The run registry: what each results folder is, told by small JSON files in it.

``<results>/run.json`` (written by prediction) says how the masks were made;
``<results>/scores/<protocol>.json`` (left by every evaluation) what they score, by
which rules, on which masks. There is no server and no list to keep: `run_list` finds
runs by looking. Neither file takes part in scoring.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation._utils.atomic import write_atomically
from evaluation._utils.versions import installed_versions
from evaluation.errors import InputError
from evaluation.options import DEFAULT_OPTIONS
from evaluation.protocols import Protocol

if TYPE_CHECKING:
    from evaluation.results.scores import Scores

RUN_FILE = "run.json"
SCORES_FOLDER = "scores"

_STRICT = DEFAULT_OPTIONS.to_dict()
_PACKAGES = ("s3fo", "numpy", "opencv-python-headless", "pandas", "scipy")


@dataclass(frozen=True)
class ScoreRecord:
    """What one evaluation of a results folder came to.

    Attributes:
        protocol: fields of the `Protocol`.
        summary: metric -> fraction, as `Scores.summary`; None where undefined.
        n_sequences: videos that were scored.
        n_objects: objects that were scored.
        n_frames: frames of all objects that were scored.
        fingerprint: digest of all masks that were read, ground truth included.
        masks: digest of names and sizes of the result's mask files, by which a
            record is known to be out of date.
        ground_truth: its name or folder.
        options: what was mended on the way in, as `evaluation.score` names it.
        notes: of the scores.
        versions: of Python and the packages that took part.
        scored: when, UTC.
    """

    protocol: Mapping[str, str]
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

    @property
    def protocol_name(self) -> str:
        """Name of the protocol."""
        return self.protocol["name"]

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
        return cls(
            protocol=scores.protocol.to_dict(),
            summary=summary,
            n_sequences=len(set(table["sequence"])),
            n_objects=len(table["sequence"]),
            n_frames=sum(table["n_frames"]),
            fingerprint=scores.fingerprint,
            masks=mask_digest(folder) if folder else "",
            ground_truth=scores.inputs.get("ground_truth", ""),
            options=dict(options or {}),
            notes=tuple(scores.notes),
            versions=installed_versions(_PACKAGES),
            scored=datetime.now(timezone.utc).isoformat("T", "seconds"),
        )

    @classmethod
    def load(cls, path: Path) -> ScoreRecord:
        """Read one.

        Raises:
            InputError: it is damaged, or no such record.
        """
        try:
            content = json.loads(path.read_text())
            content["notes"] = tuple(content["notes"])
            Protocol(**content["protocol"])
            return cls(**content)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise InputError(
                path,
                f"a damaged score record ({error})",
                "the JSON that an evaluation leaves",
                "Delete this file and score again.",
            ) from error


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
    mended = {key: value for key, value in options.items() if value != _STRICT[key]}
    record = ScoreRecord.of(scores, folder, mended)
    path = folder / SCORES_FOLDER / f"{record.protocol_name}.json"
    write_atomically(path, (json.dumps(asdict(record), indent=1) + "\n").encode())
    return path


@dataclass(frozen=True)
class Run:
    """A results folder and what is known about it.

    Attributes:
        folder: the results folder.
        made: content of its ``run.json``; empty where the masks are from elsewhere.
        scores: records of its evaluations, by protocol.
    """

    folder: Path
    made: Mapping[str, Any]
    scores: Mapping[str, ScoreRecord]

    @property
    def method(self) -> str:
        """Name of the method; the folder's where nothing says."""
        return str(self.made.get("method") or self.folder.resolve().name)

    @property
    def frames_per_second(self) -> float | None:
        """Speed of the prediction, reading and writing included; None if unknown."""
        speed = self.made.get("frames_per_second")
        return float(speed) if speed else None

    @cached_property
    def masks(self) -> str:
        """Digest of the mask files as they are now."""
        return mask_digest(self.folder)

    def is_current(self, record: ScoreRecord) -> bool:
        """Whether the masks still are those that were scored."""
        return record.masks == self.masks


def read_run(folder: str | os.PathLike[str]) -> Run:
    """Read what a results folder says about itself; nothing, perhaps.

    Raises:
        InputError: no such folder, or a damaged record.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(
            folder, "no such folder", "a results folder", "Check the path."
        )
    return Run(
        folder,
        _read_made(folder / RUN_FILE),
        {
            path.stem: ScoreRecord.load(path)
            for path in sorted((folder / SCORES_FOLDER).glob("*.json"))
            if _is_record(path)
        },
    )


def published_key(protocol: Mapping[str, str] | Protocol) -> str:
    """Which metric of a summary the benchmark of a protocol publishes."""
    fields = protocol.to_dict() if isinstance(protocol, Protocol) else protocol
    if "headline" in fields:
        return fields["headline"]
    # Records of older versions name no headline.
    return "J&F_adaptive" if fields["boundary"] == "adaptive" else "J&F"


def mask_digest(folder: Path) -> str:
    """Digest of the names and sizes of all PNG files below a folder."""
    digest = hashlib.blake2b(digest_size=16)
    for name, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(files):
            if file[-4:].lower() == ".png":
                path = os.path.join(name, file)
                relative = os.path.relpath(path, folder)
                digest.update(f"{relative}\0{os.path.getsize(path)}\n".encode())
    return digest.hexdigest()


def _is_writable(folder: Path) -> bool:
    """Whether its owner lets anybody write there: an administrator always could."""
    return bool(folder.stat().st_mode & 0o222) and os.access(folder, os.W_OK)


def _read_made(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InputError(
            path, f"a damaged run record ({error})", "JSON", "Delete this file."
        ) from error
    # Other programs have files of this name, too.
    return content if isinstance(content, dict) and "method" in content else {}


def _is_record(path: Path) -> bool:
    """Whether a JSON file claims to be a score record; other files may lie there."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return True  # so that reading it says what is wrong
    return isinstance(content, dict) and {"protocol", "summary"} <= content.keys()

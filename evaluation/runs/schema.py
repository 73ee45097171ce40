"""`run.json`: the one description of how the masks in a results folder were made.

It holds what is common to all videos (method, settings, machine) and a record of each.
Several processes may fill one folder: while they do, the record of a video that is new
lies in a file of its own in ``<results>/.s3fo``, and whoever reads, merges. A video's
record also tells which settings made its masks, so that what an earlier run left is
never taken for this one's.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from evaluation._utils.atomic import unwritable, write_atomically
from evaluation._utils.claims import JOURNAL
from evaluation._utils.fingerprint import digest_json
from evaluation._utils.json_files import parse, read_json
from evaluation._utils.machine import hardware, installed_versions
from evaluation._utils.names import printable
from evaluation.errors import InputError

RUN_FILE = "run.json"
FORMAT = 2
"""Raised when the meaning changes. Format 1 did not tell videos of other runs apart."""

_PACKAGES = (
    "s3fo",
    "numpy",
    "opencv-python-headless",
    "av",
    "torch",
    "transformers",
)
_FIX = (
    "Restore it from a copy, or delete it: its masks can be scored without it, but "
    "not added to."
)


@dataclass(frozen=True)
class VideoInputs:
    """What the masks of a video were made from.

    Attributes:
        images: digest of its frames' names and files.
        prompts: digest of its first masks, pixel by pixel.
        state: digest of the paths, sizes and times of all its files, by which most
            are known again without being read; "" where that cannot be.
    """

    images: str
    prompts: str
    state: str = ""


@dataclass(frozen=True)
class VideoRecord:
    """How the masks of one video were made.

    Attributes:
        frames: frames of the video that the method saw.
        seconds: that it took, reading and writing included.
        run: the run that made them, as in `RunRecord.run`.
        made_by: digest of the method and its settings; "" before format 2.
        method: its name.
        device: what it ran on.
        machine: where.
        finished: when, UTC.
        notes: what a person should know about this video's masks.
        peak_memory_mb: peak of the memory in use meanwhile: of the GPU where it ran on
            one, else of the process; None where it cannot be told.
        inputs: what they were made from; None where that was not kept.
    """

    frames: int
    seconds: float
    run: str = ""
    made_by: str = ""
    method: str = ""
    device: str = ""
    machine: str = ""
    finished: str = ""
    notes: tuple[str, ...] = ()
    peak_memory_mb: float | None = None
    inputs: VideoInputs | None = None


@dataclass(frozen=True)
class RunRecord:
    """What made the masks of a results folder, and how fast.

    Attributes:
        method: name of the method.
        settings: everything that changes its results (weights by their hash).
        device: what the method ran on.
        benchmark: name of the benchmark, if it has one.
        sequences: of each finished video, how it was made.
        failures: of each failed video, what went wrong.
        started: when the folder was begun, UTC.
        versions: of the packages that took part.
        hardware: the machine that began it.
        format: of this record.
        run: a name of its own, so that doing it all again can be told from going on.
        state: whether everything asked for was gone through.
        replaces: whether it was begun to replace an earlier run.
        others: records of videos whose masks were made by another method or with other
            settings: what an interrupted replacement leaves.
        frames_per_second: over all finished videos; 0 before the first.
    """

    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    device: str = "cpu"
    benchmark: str | None = None
    sequences: Mapping[str, VideoRecord] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    started: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    hardware: Mapping[str, Any] = field(default_factory=dict)
    format: int = 1
    run: str = ""
    state: Literal["running", "done"] = "done"
    replaces: bool = False
    others: Mapping[str, VideoRecord] = field(default_factory=dict)
    frames_per_second: float = 0.0

    @classmethod
    def begin(
        cls,
        method: str,
        settings: Mapping[str, Any],
        device: str = "cpu",
        benchmark: str | None = None,
        *,
        replaces: bool = False,
    ) -> RunRecord:
        """The record of a run that begins now, on this machine."""
        return cls(
            method,
            json.loads(json.dumps(settings, default=dict)),
            str(device),
            benchmark,
            started=utc_now(),
            versions=installed_versions(_PACKAGES),
            hardware=hardware(),
            format=FORMAT,
            run=uuid.uuid4().hex[:12],
            state="running",
            replaces=replaces,
        )

    @property
    def made_by(self) -> str:
        """Digest of the method and its settings."""
        return digest_json([self.method, self.settings])

    def video(
        self,
        frames: int,
        seconds: float,
        notes: tuple[str, ...] = (),
        peak_memory_mb: float | None = None,
        inputs: VideoInputs | None = None,
    ) -> VideoRecord:
        """The record of one video that this run has finished now."""
        return VideoRecord(
            frames,
            round(seconds, 4),
            self.run,
            self.made_by,
            self.method,
            self.device,
            os.uname().nodename,
            utc_now(),
            notes,
            peak_memory_mb,
            inputs,
        )

    def with_videos(self, videos: Mapping[str, VideoRecord]) -> RunRecord:
        """This record with these videos, told apart by what made them."""
        mark = self.made_by
        own = {name: v for name, v in videos.items() if v.made_by in ("", mark)}
        others = {name: v for name, v in videos.items() if name not in own}
        return replace(
            self,
            sequences=own,
            others=others,
            failures={k: v for k, v in self.failures.items() if k not in own},
            frames_per_second=round(speed(own.values()), 3),
        )

    def videos(self) -> dict[str, VideoRecord]:
        """Records of all videos, those of other runs too; each tells what made it."""
        mark = self.made_by
        own = {
            name: video if video.made_by else replace(
                video, made_by=mark, method=self.method, run=self.run
            )
            for name, video in self.sequences.items()
        }  # fmt: skip
        return {**self.others, **own}

    def to_json(self) -> dict[str, Any]:
        """The record as plain values, videos in order of their names."""
        ordered = {
            key: dict(sorted(getattr(self, key).items()))
            for key in ("sequences", "failures", "others")
        }
        return asdict(replace(self, **ordered))  # type: ignore[arg-type]

    def save(self, folder: Path) -> None:
        """Write ``run.json`` into a results folder.

        Raises:
            InputError: that is no folder, or it cannot be written to.
        """
        text = json.dumps(self.to_json(), indent=1, default=dict) + "\n"
        try:
            write_atomically(folder / RUN_FILE, text.encode())
        except OSError as error:
            raise unwritable(folder, error) from error

    @classmethod
    def load(cls, folder: Path) -> RunRecord | None:
        """Read the record of a results folder, with what was done since merged in.

        Returns:
            The record, of the videos that are there; None if there is none, or a file
            of this name that is not ours.

        Raises:
            InputError: it is there, but damaged.
        """
        # First, as a process that predicts moves its entries from here into run.json.
        entries = read_journal(folder)
        record = read_run_file(folder / RUN_FILE)
        if record is None:
            return None
        there = set(folders_in(folder))
        fresh = {e.sequence: e.record for e in entries if e.is_in_place(folder)}
        known = {k: v for k, v in record.videos().items() if k in there}
        if not fresh and len(known) == len(record.sequences) + len(record.others):
            return record
        return record.with_videos({**known, **fresh})

    def changes_from(self, other: RunRecord) -> dict[str, tuple[Any, Any]]:
        """What would make other masks: by setting, what it was and what it is now."""
        if self.method != other.method:
            return {"method": (other.method, self.method)}
        was, now = flat(other.settings), flat(self.settings)
        return {
            name: (was.get(name, "unset"), now.get(name, "unset"))
            for name in sorted(was.keys() | now.keys())
            if was.get(name) != now.get(name)
        }


def read_run_file(path: Path) -> RunRecord | None:
    """Read a ``run.json`` alone; None if it is missing or of another program.

    Raises:
        InputError: it is damaged, or of a later version of this software.
    """
    if not path.is_file():
        return None
    content = read_json(path, _FIX, "a run record")
    if not isinstance(content, dict) or "method" not in content:
        return None
    record = parse(content, RunRecord, path, _FIX)
    if record.format > FORMAT:
        raise InputError(
            path,
            f"a run record of format {record.format}",
            f"format {FORMAT} or earlier",
            "Update s3fo, or choose another folder.",
        )
    return record


@dataclass(frozen=True)
class JournalEntry:
    """A video that was done since ``run.json`` was last written.

    Attributes:
        sequence: the video.
        folder: number (inode) of its folder of masks, from before it got its name: an
            entry of a process that was killed in between speaks of no folder.
        record: how the masks were made.
        path: of the entry's file.
    """

    sequence: str
    folder: int
    record: VideoRecord
    path: str = ""

    def is_in_place(self, results: Path) -> bool:
        """Whether the folder that it speaks of has the video's name."""
        try:
            found = os.stat(results / self.sequence, follow_symlinks=False)
        except OSError:
            return False
        return found.st_ino == self.folder


def read_journal(folder: Path) -> list[JournalEntry]:
    """What processes have done in a results folder since ``run.json`` was written."""
    found = []
    for path in sorted((folder / JOURNAL).glob("*.video")):
        try:
            entry = parse(read_json(path, _FIX), JournalEntry, path, _FIX)
        except InputError:  # merged and removed meanwhile, or half-written by no one
            continue
        if entry.sequence == os.path.basename(entry.sequence):
            found.append(replace(entry, path=str(path)))
    return found


def speed(records: Iterable[VideoRecord]) -> float:
    """Frames per second over some videos; 0 without any."""
    done = list(records)
    seconds = sum(record.seconds for record in done)
    return sum(record.frames for record in done) / seconds if seconds else 0.0


def folders_in(folder: Path) -> list[str]:
    """Names of the visible folders in a folder, sorted; links do not count."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.name
                for entry in entries
                if not entry.name.startswith(".")
                and entry.is_dir(follow_symlinks=False)
            )
    except OSError:
        return []


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by their dotted names: ``engine.top_k``."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def utc_now() -> str:
    """The time now in UTC, to the second."""
    return datetime.now(timezone.utc).isoformat("T", "seconds")


def listed(names: list[str]) -> str:
    """The first few names, for messages."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(printable(name).strip("'") for name in names[:5]) + more

"""The results folder that predict fills, alone or with other processes."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Literal

from evaluation._utils.atomic import (
    remove_left_behind,
    require_writable,
    unwritable,
)
from evaluation._utils.claims import JOURNAL, Claims, wait_a_little
from evaluation._utils.fingerprint import digest
from evaluation.errors import InputError
from evaluation.runs.schema import (
    FORMAT,
    RUN_FILE,
    RunRecord,
    VideoRecord,
    folders_in,
    listed,
    read_journal,
    read_run_file,
)
from s3fo.benchmarks.video import VideoSequence
from s3fo.inference.running.foreign_files import keep_foreign
from s3fo.inference.running.inputs import changes
from s3fo.inference.running.mask_folders import is_finished, put_in_place, refuse_inputs

__all__ = ["ResultsFolder", "RunRecord", "refuse_inputs"]

_MERGE_EVERY = 5.0
"""Seconds between two updates of ``run.json`` at least."""


class ResultsFolder:
    """A results folder while this process predicts into it; a context manager.

    Several processes may have one open: each video belongs to the one that claimed
    it, and appears in the folder, with its record, when it is complete.

    Args:
        path: the folder.
        fresh: the record to begin with.
        sequences: the videos to segment.
        overwrite: whether to do all videos again, replacing an earlier run.

    Raises:
        InputError: when entered: the folder holds inputs, or masks of another kind or
            of unknown origin, or it cannot be written to.
    """

    def __init__(
        self,
        path: Path,
        fresh: RunRecord,
        sequences: Sequence[VideoSequence],
        *,
        overwrite: bool = False,
    ) -> None:
        self.path = path
        self._overwrite = overwrite
        self._names = [sequence.name for sequence in sequences]
        self._frames = {sequence.name: sequence.frames for sequence in sequences}
        refuse_inputs(path, sequences)
        require_writable(path)
        self._damaged = False
        self.record = self._begin(replace(fresh, replaces=overwrite))
        self._claims = Claims(path / JOURNAL)
        self.changed: dict[str, str] = {}
        """Of each video with masks of other inputs, what of these has changed."""
        self.untold: set[str] = set()
        """Videos kept whose record does not say from which inputs they were made."""
        self._failed: dict[str, str] = {}
        self._solved: set[str] = set()
        self._failures: dict[str, str] = {}
        self._known: dict[str, VideoRecord] = {}
        self._merged_entries: list[str] = []
        self._seen: object = None
        self._threads = threading.Lock()
        self._merged = self._merge_took = 0.0

    def __enter__(self) -> ResultsFolder:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._claims.__enter__()
        except OSError as error:
            raise unwritable(self.path, error) from error
        try:
            self._refuse_company()
            remove_left_behind(self.path)
            self._publish_record()
        except BaseException:
            self._claims.__exit__(None, None, None)
            raise
        self._failed_before = frozenset(self.record.failures)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with suppress(*(() if error is None else (InputError, OSError))):
                self._merge(done=error is None)
        finally:
            self._claims.__exit__(kind, error, trace)

    def has(self, sequence: VideoSequence, frames: Iterable[str]) -> bool:
        """Whether this run has already made the masks of these frames of a video.

        Of a video that ended early, there are as many as it held. Masks whose images
        or first masks have changed since do not count; `changed` tells of them.
        """
        name = sequence.name
        video = self._videos().get(name)
        if video is not None and sequence.video is not None:
            held = set(sequence.frames[: video.frames])
            frames = [frame for frame in frames if frame in held]
        made = (
            video is not None
            and video.made_by == self.record.made_by
            and (video.run == self.record.run or not self.record.replaces)
            and is_finished(self.path / name, frames)
        )
        if made and video is not None and video.inputs is None:
            self.untold.add(name)
        return made and video is not None and not self._has_changed(sequence, video)

    def _has_changed(self, sequence: VideoSequence, video: VideoRecord) -> bool:
        try:
            what = changes(sequence, video.inputs)
        except (InputError, OSError):
            return True  # whoever segments it says why, and keeps the masks
        if what:
            self.changed[sequence.name] = what
        return bool(what)

    def _videos(self) -> dict[str, VideoRecord]:
        """What is recorded of the videos, by all processes.

        ``run.json`` is read anew only if it changed: it is large where videos are many.
        """
        # First, as another process moves its entries from here into run.json.
        entries = read_journal(self.path)
        seen = _state(self.path / RUN_FILE)
        if seen != self._seen:
            record = read_run_file(self.path / RUN_FILE)
            self._known = record.videos() if record else {}
            self._failures = dict(record.failures) if record else {}
            self._seen = seen
        fresh = {e.sequence: e.record for e in entries if e.is_in_place(self.path)}
        return {**self._known, **fresh}

    def take(self, name: str) -> bool:
        """Claim a video; False while another process is at it."""
        return self._claims.take(name)

    def release(self, name: str) -> None:
        """Give a video back."""
        self._claims.release(name)

    def holder(self, name: str) -> str:
        """The other process that is at a video, for messages; "" if none is."""
        return str(self._claims.holder(name) or "")

    def failed_elsewhere(self, name: str) -> str | None:
        """Why another process failed at a video since this one began."""
        if name in self._failed_before:
            return None
        self._videos()
        return self._failures.get(name)

    def may_replace(self, name: str) -> bool:
        """Whether what lies at a video's place was made by s3fo, and so is replaced."""
        return name in self._videos()

    def publish(self, made: Path, name: str, record: VideoRecord) -> VideoRecord:
        """Give a finished folder of masks its name, and note how it was made.

        What somebody else put into an earlier folder of the video is kept in the new.

        Returns:
            The record, with a note of what was kept.

        Raises:
            InputError: something that s3fo did not make lies there.
        """
        target, replaces = self.path / name, self.may_replace(name)
        if replaces and not target.is_symlink():
            before = self._videos()[name].frames
            kept = keep_foreign(target, made, self._frames[name], before)
            if kept:
                note = f"{target}: kept what s3fo did not make ({listed(kept)})"
                record = replace(record, notes=(*record.notes, note))
        entry = {
            "sequence": name,
            "folder": made.stat().st_ino,
            "record": asdict(record),
        }
        self._claims.write(f"{digest(name)}.video", json.dumps(entry))
        put_in_place(made, target, replaces=replaces)
        return record

    def video_done(self, name: str) -> None:
        """Tell of a finished video; ``run.json`` follows now and then, and at the end.

        Bringing it up to date reads the records of all videos, which takes long where
        there are many.
        """
        self._solved.add(name)
        if time.monotonic() - self._merged > max(_MERGE_EVERY, 20 * self._merge_took):
            self._merge()

    def video_failed(self, name: str, reason: str) -> None:
        """Tell of a failed video, so that no other process tries it, too."""
        self._failed[name] = reason
        self._merge()

    def _merge(self, *, done: bool = False) -> None:
        """Bring ``run.json`` up to date with the videos' records."""
        began = time.monotonic()
        with self._sole():
            known = read_run_file(self.path / RUN_FILE)
            if known is not None and known.made_by != self.record.made_by:
                return  # another run has replaced this one
            known = self._merged_record(known or self.record)
            state: Literal["done", "running"] = "done" if done else "running"
            self.record = replace(known, state=state)
            self.record.save(self.path)
            self._drop_merged()
        self._merged = time.monotonic()
        self._merge_took = self._merged - began

    def _merged_record(self, known: RunRecord) -> RunRecord:
        """A record with what was done since, by all processes."""
        done = [e for e in read_journal(self.path) if e.is_in_place(self.path)]
        self._merged_entries = [entry.path for entry in done]
        told = {k: v for k, v in known.failures.items() if k not in self._solved}
        merged = replace(known, failures=told | self._failed)
        there = set(folders_in(self.path))
        videos = {k: v for k, v in merged.videos().items() if k in there}
        fresh = {entry.sequence: entry.record for entry in done}
        return merged.with_videos({**videos, **fresh})

    def _drop_merged(self) -> None:
        """Remove entries that ``run.json`` now has, and those of dead processes.

        Nobody is at a video any more once its claim is gone, so an entry whose folder
        is not in place then never will be.
        """
        for entry in read_journal(self.path):
            free = entry.sequence not in self._claims.taken and (
                self._claims.holder(entry.sequence) is None
            )
            lost = free and not entry.is_in_place(self.path)
            if lost or entry.path in self._merged_entries:
                with suppress(OSError):
                    os.unlink(entry.path)

    @contextmanager
    def _sole(self) -> Iterator[None]:
        """While no other process changes ``run.json``."""
        with self._threads:
            for tries in count():
                if self._claims.take(RUN_FILE):
                    break
                wait_a_little(tries)
            try:
                yield
            finally:
                self._claims.release(RUN_FILE)

    def _begin(self, fresh: RunRecord) -> RunRecord:
        """The record to go on with, or `fresh`; writes nothing."""
        # Before the record is read: what another process finishes after this look is
        # no masks of unknown origin, and what it finished before is on record.
        there = [name for name in self._names if os.path.lexists(self.path / name)]
        if (self.path / RUN_FILE).exists():
            old = self._load(fresh)
            if old is None:
                raise InputError(
                    self.path / RUN_FILE,
                    "a file of another program",
                    "the record of an earlier run, or an empty folder",
                    "Choose another folder with --out (out=).",
                )
        else:
            old = None
        self._refuse_unknown(there, old)
        if old is None:
            return fresh
        if self._overwrite:
            unfinished = old.replaces and old.state == "running"
            return old if unfinished and not fresh.changes_from(old) else fresh
        if not old.videos():
            return fresh  # nothing was finished, so no masks can mix
        self._refuse_changes(old, fresh)
        return replace(old, state="running")

    def _load(self, fresh: RunRecord) -> RunRecord | None:
        """The folder's record; a damaged one is made anew from those of the videos.

        Such are there of what was done since the record was last written.
        """
        try:
            return RunRecord.load(self.path)
        except InputError as error:
            done = [e for e in read_journal(self.path) if e.is_in_place(self.path)]
            if not done:
                raise InputError(
                    error.where,
                    error.found,
                    error.expected,
                    f"Restore it from a copy, choose another folder with --out (out=), "
                    f"or move {self.path} elsewhere, masks and all, and run the same "
                    "command again.",
                ) from error
            self._damaged = True
            known = replace(fresh, replaces=False)
            return known.with_videos({entry.sequence: entry.record for entry in done})

    def _refuse_unknown(self, there: list[str], old: RunRecord | None) -> None:
        """Masks that no record vouches for are somebody else's: never replaced."""
        known = {*old.sequences, *old.others} if old else set()
        unknown = [
            name
            for name in there
            if (self.path / name).is_symlink() or name not in known
        ]
        if unknown:
            raise InputError(
                self.path,
                f"results of unknown origin ({listed(unknown)}): no record of s3fo "
                "vouches for them",
                "an empty folder, or results of an earlier run of this command",
                "Choose another folder with --out (out=). Nothing that s3fo did not "
                "make is ever replaced, also with --overwrite.",
            )

    def _refuse_changes(self, old: RunRecord, fresh: RunRecord) -> None:
        changes = fresh.changes_from(old)
        mixed = sorted(set(self._names) & set(old.others)) if not old.replaces else []
        if not changes and not mixed:
            return
        was = [f"{name} {value}" for name, (value, _) in changes.items()]
        wanted = [f"{name} {value}" for name, (_, value) in changes.items()]
        found = f"masks made with {', '.join(was)}"
        if mixed and not changes:
            found = f"{listed(mixed)}, made by {old.others[mixed[0]].method}"
            wanted = [f"method {fresh.method} and its settings"]
        raise InputError(
            self.path,
            found,
            f"an empty folder, or masks made with {', '.join(wanted)}",
            "Choose another folder with --out (out=), or replace them with "
            "--overwrite (overwrite=True).",
        )

    def _refuse_company(self) -> None:
        """Replacing a run is no work to share: two would undo each other's."""
        others = self._claims.others()
        if self._overwrite and others:
            raise InputError(
                self.path,
                f"{others[0]}, which is writing there",
                "no other process in the folder while it is overwritten",
                "Wait until it is done, or leave out --overwrite to share its work.",
            )

    def _publish_record(self) -> None:
        """Write ``run.json``, unless another process with the same settings did."""
        with self._sole():
            if self._damaged:
                self.record.save(self.path)
            there = read_run_file(self.path / RUN_FILE)
            if there is not None:
                there = self._merged_record(there)
            shared = there is not None and (there.videos() or self._claims.others())
            if there is not None and shared and not self._overwrite:
                self._refuse_changes(there, self.record)
                self.record = replace(there, state="running", format=FORMAT)
            elif there is not None:
                self.record = self.record.with_videos(there.videos())
            self.record.save(self.path)
            self._drop_merged()


def _state(path: Path) -> tuple[int, int] | None:
    """What changes when a file is replaced."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino

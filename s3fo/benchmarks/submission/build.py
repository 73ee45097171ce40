"""Zips for benchmark servers: checked first, then written."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from evaluation._utils.atomic import write_atomically
from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from evaluation.masks.sequence import natural
from evaluation.runs.score_records import SCORES_FOLDER
from s3fo.benchmarks.benchmark import Benchmark
from s3fo.benchmarks.catalog import SubmissionFormat, get_entry
from s3fo.benchmarks.layouts.files import MASK_SUFFIXES, is_hidden
from s3fo.benchmarks.submission.checks import (
    check_sequence,
    find_exchanged,
    find_results,
    frame_files,
    note_empty,
    note_readings,
    refuse_unfit,
    unwritable,
    writable,
)
from s3fo.benchmarks.submission.mask_files import MaskFiles
from s3fo.benchmarks.submission.next_frames import warn_of_other_frames
from s3fo.benchmarks.video import VideoSequence

# The zip's own time stamps: equal masks give equal zips.
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Submission:
    """A zip that was written.

    Attributes:
        path: where it is.
        sequences: videos in it.
        frames: masks in it.
        upload_to: the server it is for, which may be closed; see `page`.
        ignored: folders and files of the results that were left out.
        remark: what else to know before uploading.
        page: address that takes it now; None if the server is closed.
        of_published: videos that the server wants, where the folder of the benchmark
            has fewer; else 0.
    """

    path: Path
    sequences: int
    frames: int
    upload_to: str
    ignored: tuple[str, ...]
    remark: str = ""
    page: str | None = None
    of_published: int = 0


def write_submission(
    results: str | PathLike[str],
    benchmark: Benchmark,
    out: str | PathLike[str],
    *,
    form: SubmissionFormat | None = None,
    progress: ProgressCallback | None = None,
) -> Submission:
    """Write the zip a benchmark's server wants.

    Every mask is checked before anything is written: all videos and frames are
    there, of the image's size, indexed PNG, with no id that the first masks do not
    have. Masks whose ids are their colours, not their indices, as `evaluate` finds by
    the masks given, are written anew with ids for indices. What the server does not
    want (other folders, other frames) is left out.

    Args:
        results: results folder ``<results>/<sequence>/<frame>.png``; one folder may
            lie around the sequences.
        benchmark: the split it answers.
        out: the zip to write.
        form: the server's format; default that of the catalog.
        progress: told after every video.

    Raises:
        InputError: no server takes submissions for this split, the zip cannot be
            written, or the results are not fit; all reasons are listed.
    """
    out = writable(Path(out))
    form = form or _catalog_form(benchmark)
    results = find_results(Path(results), benchmark)
    problems: list[str] = []
    files: list[tuple[str, MaskFiles, str]] = []
    found = frame_files(results, benchmark)
    for index, sequence in enumerate(benchmark):
        wanted = _wanted_frames(sequence, form)
        own = found.get(sequence.name)
        wrong = check_sequence(own, sequence, wanted)
        problems += wrong
        if not wrong and isinstance(own, MaskFiles):
            files += [(f"{sequence.name}/{f}.png", own, f) for f in wanted if f in own]
        if progress:
            progress(index + 1, len(benchmark), sequence.name)
    problems += find_exchanged(found, benchmark)
    problems += note_empty(found, benchmark, lambda one: _wanted_frames(one, form))
    warn_of_other_frames(found, benchmark, lambda one: _wanted_frames(one, form))
    refuse_unfit(results, benchmark, problems)
    note_readings(found)
    prefix = f"{form.folder}/" if form.folder else ""
    _write_zip(out, ((prefix + name, own.content(f)) for name, own, f in files))
    ignored = _unexpected_files(results, benchmark)
    return Submission(
        out,
        len(benchmark),
        len(files),
        form.server,
        ignored,
        form.remark,
        form.page,
        benchmark.of_published,
    )


def _wanted_frames(sequence: VideoSequence, form: SubmissionFormat) -> tuple[str, ...]:
    if form.frames == "listed" and sequence.listed_frames is not None:
        return sequence.listed_frames
    return sequence.frames


def _catalog_form(benchmark: Benchmark) -> SubmissionFormat:
    entry = get_entry(benchmark.name, benchmark.split)
    if entry.submission is None:
        home = "score it at home" if entry.public else "no public evaluation server"
        raise InputError(
            f"{entry.title} {entry.split}",
            "no server that takes submissions",
            "a split with a server",
            f"Its ground truth is {'' if entry.public else 'not '}public: {home}. "
            "For another server, pass its format in Python: "
            "s3fo.benchmarks.write_submission(..., form=SubmissionFormat(...)).",
        )
    return entry.submission


def _unexpected_files(results: Path, benchmark: Benchmark) -> tuple[str, ...]:
    """What lies in the results but is not asked for."""
    names = {*(sequence.name for sequence in benchmark), SCORES_FOLDER}
    with os.scandir(results) as entries:
        other = [
            entry.name
            for entry in entries
            if entry.name not in names
            and not is_hidden(entry.name)
            and (not entry.is_file() or entry.name.lower().endswith(MASK_SUFFIXES))
        ]
    return tuple(sorted(other, key=natural))


def _write_zip(out: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write under a temporary name, then rename. PNGs are compressed already."""

    def fill(part: Path) -> None:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
            for name, content in files:
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)

    try:
        write_atomically(out, fill)
    except OSError as error:
        raise unwritable(out, error) from error

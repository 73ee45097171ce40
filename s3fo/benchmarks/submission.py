"""Zips for benchmark servers: checked first, then written."""

from __future__ import annotations

import os
import uuid
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from evaluation.errors import InputError
from evaluation.labelmap import read_label_map
from evaluation.progress import ProgressCallback
from evaluation.runs import SCORES_FOLDER
from s3fo.benchmarks.benchmark import Benchmark
from s3fo.benchmarks.catalog import SubmissionFormat, get_entry
from s3fo.benchmarks.files import MASK_SUFFIXES, list_folders, list_frames
from s3fo.benchmarks.video import VideoSequence

_MAX_LISTED = 20
# The zip's own time stamps: equal masks give equal zips.
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Submission:
    """A zip that was written.

    Attributes:
        path: where it is.
        sequences: videos in it.
        frames: masks in it.
        upload_to: the server it is for.
        ignored: folders and files of the results that were left out.
    """

    path: Path
    sequences: int
    frames: int
    upload_to: str
    ignored: tuple[str, ...]


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
    have. What the server does not want (other folders, other frames) is left out.

    Args:
        results: results folder ``<results>/<sequence>/<frame>.png``.
        benchmark: the split it answers.
        out: the zip to write.
        form: the server's format; default that of the catalogue.
        progress: told after every video.

    Raises:
        InputError: nobody takes submissions for this split, or the results are not
            fit; all reasons are listed.
    """
    results, out = Path(results), Path(out)
    form = form or _catalogue_form(benchmark)
    problems: list[str] = []
    files: list[tuple[str, Path]] = []
    for index, sequence in enumerate(benchmark):
        wanted = _wanted_frames(sequence, form)
        problems += check_sequence(results / sequence.name, sequence, wanted)
        for frame in wanted:
            path = results / sequence.name / f"{frame}.png"
            files.append((f"{sequence.name}/{frame}.png", path))
        if progress:
            progress(index + 1, len(benchmark), sequence.name)
    if problems:
        raise _unfit(results, benchmark, problems)
    prefix = f"{form.folder}/" if form.folder else ""
    _write_zip(out, ((prefix + name, path) for name, path in files))
    ignored = _strays(results, benchmark)
    return Submission(out, len(benchmark), len(files), form.server, ignored)


def check_sequence(
    folder: Path, sequence: VideoSequence, wanted: Iterable[str]
) -> list[str]:
    """What is wrong with the masks of one video, one sentence each.

    Args:
        folder: its results.
        sequence: the video.
        wanted: names of the frames that must be there.
    """
    if not folder.is_dir():
        return [f"{sequence.name}: missing"]
    missing = [frame for frame in wanted if not (folder / f"{frame}.png").is_file()]
    problems = []
    if missing:
        shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        problems.append(f"{sequence.name}: {len(missing)} frames missing ({shown})")
    prompts = sequence.prompt_frames()
    if not prompts:
        return [f"{sequence.name}: the benchmark has no first mask of it"]
    shape = sequence.read_annotation(next(iter(prompts))).shape
    allowed = set(sequence.object_ids)
    for frame in wanted:
        if frame not in missing:
            problems += _mask_problems(folder / f"{frame}.png", shape, allowed)
    return problems


def _mask_problems(
    path: Path, shape: tuple[int, ...], allowed: set[int]
) -> Iterable[str]:
    place = f"{path.parent.name}/{path.name}"
    try:
        if not is_indexed_png(path):
            yield f"{place}: no 8-bit indexed PNG"
            return
        label_map = read_label_map(path)
    except InputError as error:
        yield f"{place}: {error.found}"
        return
    if label_map.shape != shape:
        found = f"{label_map.shape[1]}x{label_map.shape[0]}"
        yield f"{place}: {found} pixels, not {shape[1]}x{shape[0]}"
    extra = {int(value) for value in np.unique(label_map)} - allowed - {0}
    if extra:
        yield f"{place}: ids {sorted(extra)} that no first mask has"


def is_indexed_png(path: Path) -> bool:
    """Whether a file is a PNG with a palette and at most 8 bits a pixel."""
    header = path.read_bytes()[:33]
    return header[12:16] == b"IHDR" and header[25] == 3


def _wanted_frames(sequence: VideoSequence, form: SubmissionFormat) -> tuple[str, ...]:
    if form.frames == "listed" and sequence.listed_frames is not None:
        return sequence.listed_frames
    return sequence.frames


def _catalogue_form(benchmark: Benchmark) -> SubmissionFormat:
    entry = get_entry(benchmark.name, benchmark.split)
    if entry.submission is None:
        home = "score it at home" if entry.public else "nobody scores it"
        raise InputError(
            f"{entry.title} {entry.split}",
            "no server that takes submissions",
            "a split with a server",
            f"Its ground truth is {'' if entry.public else 'not '}public: {home}, or "
            "name the format yourself.",
        )
    return entry.submission


def _strays(results: Path, benchmark: Benchmark) -> tuple[str, ...]:
    """What lies in the results but is not asked for."""
    names = {*(sequence.name for sequence in benchmark), SCORES_FOLDER}
    folders = [name for name in list_folders(results) if name not in names]
    loose = [f"{name}.png" for name in list_frames(results, MASK_SUFFIXES)]
    return tuple(folders + loose)


def _unfit(results: Path, benchmark: Benchmark, problems: list[str]) -> InputError:
    listed = "".join(f"\n  - {problem}" for problem in problems[:_MAX_LISTED])
    more = len(problems) - _MAX_LISTED
    if more > 0:
        listed += f"\n  - and {more} more"
    return InputError(
        results,
        f"{len(problems)} problems:{listed}\n",
        f"masks of every frame that {benchmark.name} {benchmark.split} wants",
        "Mend these and try again; nothing was written.",
    )


def _write_zip(out: Path, files: Iterable[tuple[str, Path]]) -> None:
    """Write under a temporary name, then rename. PNGs are compressed already."""
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.{uuid.uuid4().hex}.part")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
            for name, path in files:
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), path.read_bytes())
        os.replace(partial, out)
    finally:
        partial.unlink(missing_ok=True)

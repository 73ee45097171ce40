"""The JSON that the evaluation code of BURST reads, from a results folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from evaluation._utils.atomic import write_atomically
from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from evaluation.masks.label_map import LabelMap
from evaluation.masks.run_lengths import encode_rle
from s3fo.benchmarks.benchmark import Benchmark
from s3fo.benchmarks.layouts.burst import (
    annotation_file,
    read_annotations,
    sequence_name,
)
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


def write_burst_predictions(
    results: str | PathLike[str],
    benchmark: Benchmark,
    out: str | PathLike[str],
    *,
    progress: ProgressCallback | None = None,
) -> Path:
    """Write predicted masks in the format of the ground truth of BURST.

    The official evaluation of the exemplar-guided task reads this file. Objects that
    are not seen in a frame have no entry there, as it asks for.

    Args:
        results: results folder ``<dataset>_-_<video>/<frame>.png``; frames that are
            not annotated are not looked at.
        benchmark: a split of BURST.
        out: the JSON file to write.
        progress: told after every video.

    Raises:
        InputError: masks are missing, of another size, or with ids of no object (all
            that is wrong is listed), or the file cannot be written.
    """
    out = writable(Path(out))
    results = find_results(Path(results), benchmark)
    problems: list[str] = []
    files = frame_files(results, benchmark)
    for sequence in benchmark:
        problems += check_sequence(
            files.get(sequence.name),
            sequence,
            sequence.listed_frames or (),
            indexed=False,
        )
    problems += find_exchanged(files, benchmark)
    problems += note_empty(files, benchmark, lambda one: one.listed_frames or ())
    warn_of_other_frames(files, benchmark, lambda one: one.listed_frames or ())
    refuse_unfit(results, benchmark, problems)
    note_readings(files)
    fit = {k: own for k, own in files.items() if not isinstance(own, InputError)}
    content = _predictions(fit, benchmark, progress)
    try:
        write_atomically(out, json.dumps(content).encode())
    except OSError as error:
        raise unwritable(out, error) from error
    return out


def _predictions(
    files: Mapping[str, MaskFiles],
    benchmark: Benchmark,
    progress: ProgressCallback | None,
) -> dict[str, Any]:
    """The annotations with predicted masks in the place of their own."""
    source = annotation_file(benchmark.root, benchmark.split or "val", "all")
    content = read_annotations(source)
    names = {sequence.name for sequence in benchmark}
    entries = [entry for entry in content["sequences"] if sequence_name(entry) in names]
    for index, entry in enumerate(entries):
        name = sequence_name(entry)
        entry["segmentations"] = [
            _segmentations(files[name].read(frame)) for frame in _frames(entry)
        ]
        if progress:
            progress(index + 1, len(entries), name)
    content["sequences"] = entries
    return content


def _frames(entry: dict[str, Any]) -> list[str]:
    return [Path(path).stem for path in entry["annotated_image_paths"]]


def _segmentations(label_map: LabelMap) -> dict[str, dict[str, Any]]:
    return {
        str(track): {"rle": encode_rle(label_map == track)["counts"]}
        for track in np.unique(label_map[label_map > 0]).tolist()
    }

"""The JSON that the evaluation code of BURST reads, from a results folder."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.labelmap import encode_rle, read_label_map, write_atomically
from evaluation.progress import ProgressCallback
from s3fo.benchmarks.benchmark import Benchmark
from s3fo.benchmarks.burst import annotation_file, read_annotations, sequence_name
from s3fo.benchmarks.layout import refuse_gaps


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
        InputError: masks are missing: all of them are named.
    """
    results, out = Path(results), Path(out)
    source = annotation_file(benchmark.root, benchmark.split or "val", "all")
    content = read_annotations(source)
    names = {sequence.name for sequence in benchmark}
    entries = [entry for entry in content["sequences"] if sequence_name(entry) in names]
    wanted = {sequence_name(entry): _frames(entry) for entry in entries}
    _refuse_missing(results, wanted)
    for index, entry in enumerate(entries):
        name = sequence_name(entry)
        entry["segmentations"] = [
            _segmentations(results / name / f"{frame}.png") for frame in wanted[name]
        ]
        if progress:
            progress(index + 1, len(entries), name)
    content["sequences"] = entries
    write_atomically(out, json.dumps(content).encode())
    return out


def _refuse_missing(results: Path, wanted: dict[str, list[str]]) -> None:
    missing = [
        f"{name}/{frame}.png"
        for name, frames in wanted.items()
        for frame in frames
        if not (results / name / f"{frame}.png").is_file()
    ]
    refuse_gaps(
        results,
        missing,
        "a mask of every annotated frame",
        "Predict them (all frames, or those the benchmark lists).",
    )


def _frames(entry: dict[str, Any]) -> list[str]:
    return [Path(path).stem for path in entry["annotated_image_paths"]]


def _segmentations(path: Path) -> dict[str, dict[str, Any]]:
    label_map = read_label_map(path)
    return {
        str(track): {"rle": encode_rle(label_map == track)["counts"]}
        for track in np.unique(label_map[label_map > 0]).tolist()
    }

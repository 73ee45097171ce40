"""A large evaluated dataset for benchmarks of the App: a few real videos, copied.

Some synthetic videos are loaded, scored, measured and searched for failures the usual
way; then their documents are copied in the database, under new names and with scores
and attributes varied at random, until there are as many as wanted.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
from bson import ObjectId

import s3fo
from evaluation.masks.label_map import write_label_map
from s3fo.benchmarks import Benchmark, write_synthetic
from s3fo.benchmarks.synthetic import Factors
from s3fo.datasets import (
    audit_ground_truth,
    compute_attributes,
    find_failures,
    map_similar_failures,
)
from s3fo.datasets.field_names import shown_attributes
from s3fo.datasets.schema import save_benchmark_info

METHODS = ("steady", "careless", "late")
"""Off by 2 pixels; by 4, with exchanged and lost objects; by 6."""
OBJECTS = 3

_MAPPED = 2_000
"""How many failures of a method are on its map: the most costly."""

_FRAMES_A_WRITE = 2_000


def make_dataset(
    folder: Path,
    name: str,
    videos: int,
    frames: int,
    size: tuple[int, int],
) -> fo.Dataset:
    """A dataset with evaluations of all methods, attributes, failures and an audit.

    Two of the methods have a map of their failures.

    Args:
        folder: the drawn videos and results are written there.
        name: of the dataset.
        videos: how many, at least as many as are drawn.
        frames: of each video.
        size: (height, width) in pixels.
    """
    benchmark = write_synthetic(
        folder / "drawn", videos=_factors(frames), size=size, textures="procedural"
    )
    dataset = s3fo.load_benchmark(benchmark, dataset_name=name, masks="reference")
    compute_attributes(dataset)
    for method in METHODS:
        results = _write_results(benchmark, folder / method, METHODS.index(method))
        s3fo.add_predictions(dataset, results, method)
        s3fo.evaluate(dataset, method)
        find_failures(dataset, method, error_maps=False)
    audit_ground_truth(dataset)
    _multiply(dataset, benchmark, folder, videos)
    dataset.reload()
    for method in METHODS[:2]:
        map_similar_failures(dataset, method, k=_MAPPED)
    return dataset


def _factors(frames: int) -> dict[str, Factors]:
    drawn = {
        "calm": {},
        "crossing": {"crossing": True},
        "hidden": {"occlusion": 0.9, "occlusion_frames": frames // 8},
        "growing": {"growth": 2.5, "deformation": 0.8},
    }
    common = Factors(objects=OBJECTS, length=frames, size=0.03)
    return {name: replace(common, **own) for name, own in drawn.items()}


def _write_results(benchmark: Benchmark, folder: Path, number: int) -> Path:
    """Ground truth moved by some pixels; a careless method swaps and loses objects."""
    for sequence in benchmark:
        swap, lose = len(sequence.frames) // 3, 2 * len(sequence.frames) // 3
        for index, frame in enumerate(sequence.frames):
            label_map = np.roll(sequence.read_annotation(frame), 2 + 2 * number, 1)
            if METHODS[number] == "careless" and index >= swap:
                label_map = np.array([0, 2, 1, 3], np.uint8)[label_map]
            if index >= lose:
                label_map[label_map == 3] = 0
            write_label_map(folder / sequence.name / f"{frame}.png", label_map)
    return folder


def _multiply(dataset: fo.Dataset, drawn: Benchmark, folder: Path, videos: int) -> None:
    """Copy the documents of the drawn videos under new names."""
    sequences = list(drawn.sequences)
    copies = [
        (source, f"{source.name}-{number:04d}")
        for number in range(len(sequences), videos)
        for source in [sequences[number % len(sequences)]]
    ]
    for source, name in copies:
        for method in METHODS:
            (folder / method / name).symlink_to(folder / method / source.name)
        sequences.append(replace(source, name=name))
    save_benchmark_info(
        dataset, replace(drawn, sequences=tuple(sequences)), "reference"
    )
    originals = {doc["sequence"]: doc for doc in dataset._sample_collection.find()}
    chance = random.Random(0)
    ids = {}
    documents = []
    for source, name in copies:
        document = _varied(originals[source.name], chance)
        document.update(_id=ObjectId(), sequence=name, filepath=f"{folder}/{name}")
        ids.setdefault(source.name, []).append(document["_id"])
        documents.append(document)
    if documents:
        dataset._sample_collection.insert_many(documents)
    for source, copied in ids.items():
        _copy_frames(dataset, originals[source]["_id"], copied)


def _varied(document: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """A copy with new labels, other scores and other attributes."""
    document = deepcopy(document)
    numbers = [item.name for item in shown_attributes() if item.kind == "number"]
    stretch = {name: chance.lognormvariate(0, 0.4) for name in numbers}
    for label in _labels(document):
        label["_id"] = ObjectId()
        for name in numbers:
            if label.get(name) is not None:
                label[name] *= stretch[name]
        for name in ("J", "F"):
            if label.get(name) is not None:
                label[name] = min(1.0, max(0.0, label[name] + chance.gauss(0, 0.1)))
        if label.get("JF") is not None:
            label["JF"] = (label["J"] + label["F"]) / 2
    return document


def _labels(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for value in document.values():
        if isinstance(value, dict):
            yield from value.get("detections", ())


def _copy_frames(dataset: fo.Dataset, source: ObjectId, copies: list[ObjectId]) -> None:
    """Give the samples `copies` the frames of the sample `source`."""
    frames = list(dataset._frame_collection.find({"_sample_id": source}))
    batch: list[dict[str, Any]] = []
    for sample in copies:
        batch += [
            {**frame, "_id": ObjectId(), "_sample_id": sample} for frame in frames
        ]
        if len(batch) >= _FRAMES_A_WRITE:
            dataset._frame_collection.insert_many(batch)
            batch = []
    if batch:
        dataset._frame_collection.insert_many(batch)

"""Every split of the catalog as a dataset, evaluated later in another process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from benchmark_trees import burst, sa_v, write_entry
from small_benchmark import cache, own_name

import s3fo
from evaluation.masks.label_map import read_label_map
from evaluation.scoring import score
from s3fo.benchmarks import Benchmark, open_benchmark
from s3fo.benchmarks.catalog import ENTRIES, Entry
from s3fo.datasets import load_benchmark_info
from s3fo.inference import predict

pytestmark = pytest.mark.fiftyone

__all__ = ["cache"]

LATER = """
import json, sys
import s3fo
from evaluation.scoring import score
from s3fo.datasets import open_dataset, load_benchmark_info, load_predictions_info
for name in sys.argv[1:]:
    dataset = open_dataset(name)
    if name.endswith("sa-v-val"):
        scores = s3fo.evaluate(dataset, "copy")
    else:  # The same without the slow part, which writes into the dataset.
        folder = load_predictions_info(dataset)["copy"].folder
        benchmark = load_benchmark_info(dataset)
        binarize = all(sequence.binary for sequence in benchmark)
        scores = score(folder, benchmark, benchmark.protocol, binarize=binarize)
    print("scores", json.dumps([name, scores.summary]))
"""


def case(entry: Entry) -> tuple[str, str, bool, bool]:
    """What matters here; of the splits that are alike in it one stands for all."""
    all_frames = entry.split.endswith("all-frames")
    return entry.layout, entry.protocol, entry.public, all_frames


CASES = list({case(entry): entry for entry in ENTRIES}.values())
PUBLIC = [entry for entry in CASES if entry.public]


@dataclass
class Loaded:
    """A dataset, what it was loaded from, and where results of it are to lie."""

    dataset: fo.Dataset
    benchmark: Benchmark
    results: Path


def title(entry: Entry) -> str:
    return f"{entry.name} {entry.split}"


@pytest.fixture(scope="module")
def loaded(cache, tmp_path_factory) -> Iterator[dict[str, Loaded]]:
    """Every entry as a dataset."""
    root = tmp_path_factory.mktemp("entries")
    made = {}
    for entry in CASES:
        place = root / title(entry)
        write_entry(place / "data", entry)
        benchmark = open_benchmark(entry.name, place / "data", split=entry.split)
        dataset = s3fo.load_benchmark(
            benchmark, dataset_name=own_name(title(entry).replace(" ", "-"))
        )
        made[title(entry)] = Loaded(dataset, benchmark, place / "copy")
    yield made
    for item in made.values():
        item.dataset.delete()


@pytest.fixture(scope="module")
def scored_later(loaded: dict[str, Loaded]) -> dict[str, dict[str, float]]:
    """Scores in another process, by name of the dataset, of all that have masks."""
    names = [loaded[title(entry)].dataset.name for entry in PUBLIC]
    for item in (loaded[title(entry)] for entry in PUBLIC):
        predict(item.benchmark, item.results, method="copy")
        s3fo.add_predictions(item.dataset, item.results, "copy")
    done = subprocess.run(
        [sys.executable, "-c", LATER, *names], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("scores ")]
    return dict(json.loads(line.removeprefix("scores ")) for line in lines)


@pytest.mark.parametrize("entry", CASES, ids=title)
def test_an_entry_as_a_dataset(loaded, entry):
    item = loaded[title(entry)]
    assert item.dataset.values("sequence") == [one.name for one in item.benchmark]
    counts = item.dataset.values("metadata.total_frame_count")
    assert counts == [len(one.frames) for one in item.benchmark]
    again = load_benchmark_info(item.dataset)
    assert (again.name, again.split, again.protocol) == (
        item.benchmark.name,
        item.benchmark.split,
        entry.protocol,
    )
    for old, new in zip(item.benchmark, again, strict=True):
        assert (new.frames, new.annotated_frames) == (old.frames, old.annotated_frames)
        assert (new.objects, new.prompt_frames()) == (old.objects, old.prompt_frames())
        for frame in new.annotated_frames:
            assert np.array_equal(
                new.read_annotation(frame), old.read_annotation(frame)
            )


@pytest.mark.slow  # tests/datasets/test_evaluate.py evaluates one benchmark at once
@pytest.mark.parametrize("entry", PUBLIC, ids=title)
def test_an_entry_is_evaluated_later(loaded, scored_later, entry):
    item = loaded[title(entry)]
    later = scored_later[item.dataset.name]
    binarize = entry.name == "davis-2016"
    expected = score(item.results, item.benchmark, entry.protocol, binarize=binarize)
    assert 0 < later["J&F"] <= 1
    assert later == pytest.approx(dict(expected.summary), nan_ok=True)


def test_options_of_a_benchmark_are_kept(cache, tmp_path):
    burst(tmp_path)
    benchmark = open_benchmark("burst", tmp_path, annotations="first-frame")
    dataset = s3fo.load_benchmark(
        benchmark, dataset_name=own_name("options"), video="none"
    )
    try:
        again = load_benchmark_info(fo.load_dataset(dataset.name))
        (old,), (new,) = benchmark, again
        assert again.options == {"annotations": "first-frame"}
        assert set(new.read_object_masks("frame0005")) == {9}
        assert new.objects == old.objects
    finally:
        dataset.delete()


def test_masks_by_reference_of_objects_that_are_kept_apart(cache, tmp_path):
    """SA-V has no label maps to refer to: they are drawn, overlaps and all."""
    benchmark = open_benchmark("sa-v", sa_v(tmp_path), split="val")
    dataset = s3fo.load_benchmark(
        benchmark,
        dataset_name=own_name("apart"),
        masks="reference",
    )
    try:
        for sequence, paths in zip(
            benchmark, dataset.values("frames.ground_truth_mask.mask_path"), strict=True
        ):
            shown = dict(zip(sequence.frames, paths, strict=True))
            assert [f for f in shown if shown[f]] == list(sequence.annotated_frames)
            for frame in sequence.annotated_frames:
                assert np.array_equal(
                    read_label_map(shown[frame]), sequence.read_annotation(frame)
                )
        assert dataset.mask_targets["ground_truth_mask"]["#808000"] == "object 3"
    finally:
        dataset.delete()

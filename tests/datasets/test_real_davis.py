"""Real video, real masks of a real method, the official evaluator's numbers."""

from __future__ import annotations

import json

import fiftyone as fo
from small_benchmark import own_name

import s3fo
from s3fo.benchmarks import open_folders


def test_osvos_on_davis_2016_to_the_last_digit(shared):
    root = shared / "data" / "davis2016-val"
    benchmark = open_folders(
        root / "JPEGImages" / "480p",
        root / "Annotations" / "480p",
        name="davis-2016-part",
        protocol="davis-2016",
    )
    official = json.loads((shared / "fixtures/metrics/d16.json").read_text())
    expected = official["protocols"]["davis_semi"]
    dataset = s3fo.load_benchmark(benchmark, dataset_name=own_name("davis-2016"))
    try:
        assert (len(dataset), dataset.count("frames")) == (10, 645)
        results = shared / "fixtures/metrics/inputs/d16/pred"
        s3fo.add_predictions(dataset, results, "osvos")
        scores = s3fo.evaluate(dataset, "osvos")
        assert scores.summary["J&F"] == 0.7602996605670876
        shown = dataset.load_evaluation_results("osvos").metrics()
        assert shown["J&F"] == 0.7602996605670876
        for sample in dataset:
            assert_object(sample, expected)
    finally:
        dataset.delete()


def assert_object(sample: fo.Sample, expected: dict) -> None:
    """Every number of the official evaluator stands where the App shows it."""
    (span,) = sample.osvos_objects.detections
    official = expected["per_object"][f"{sample.sequence}_1"]
    assert (span.J, span.J_recall, span.J_decay) == (
        official["JM"],
        official["JR"],
        official["JD"],
    )
    assert (span.F, span.F_recall, span.F_decay) == (
        official["FM"],
        official["FR"],
        official["FD"],
    )
    shown = {"J": [], "F": []}
    for frame in list(sample.frames.values())[1:-1]:
        found = {d.index: d for d in frame.osvos.detections}
        for name, values in shown.items():
            values.append(found[1][name] if 1 in found else None)
    for name, values in shown.items():
        official_values = expected["per_frame"][sample.sequence][name][0]
        pairs = zip(values, official_values, strict=True)
        assert all(value in (None, official) for value, official in pairs)
        assert values.count(None) <= official_values.count(0.0)

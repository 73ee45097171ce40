"""The dataset that the App is tested with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import fiftyone as fo
from small_benchmark import own_name

import s3fo
from s3fo.benchmarks import write_synthetic
from s3fo.benchmarks.synthetic import PRESETS
from s3fo.inference import predict
from s3fo.plugin import install

_NAMES = ("crossing", "away-and-back", "near-and-far")


@contextmanager
def three_videos(
    folder: Path, name: str, methods: Sequence[str]
) -> Iterator[fo.Dataset]:
    """Three synthetic videos with the masks and scores of some baselines."""
    install()
    videos = {name: PRESETS["mini"].videos[name] for name in _NAMES}
    benchmark = write_synthetic(folder / "data", videos=videos)
    dataset = s3fo.load_benchmark(benchmark, dataset_name=own_name(name))
    for method in methods:
        predict(benchmark, folder / method, method=method)
        s3fo.add_predictions(dataset, folder / method, method)
        s3fo.evaluate(dataset, method)
    yield dataset
    dataset.delete()

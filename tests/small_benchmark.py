"""A small benchmark, results of a method that errs in known ways, and a dataset.

Fixtures for every test that needs FiftyOne; a folder's ``conftest.py`` imports them,
before FiftyOne's environment is set, so FiftyOne must not be imported here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import s3fo
from evaluation.masks.label_map import write_label_map
from s3fo.benchmarks import Benchmark, write_synthetic
from s3fo.benchmarks.synthetic import Factors

if TYPE_CHECKING:
    import fiftyone as fo

VIDEOS = {
    "alone": Factors(objects=1, length=6, size=0.08),
    "pair": Factors(objects=2, length=8, size=0.06),
}


def own_name(name: str) -> str:
    """A dataset name that no other process uses: FiftyOne's database is shared.

    All processes of a user talk to the one server that is running, whichever folder
    they ask for.
    """
    return f"test-{os.getpid()}-{name}"


def write_video(path: Path, pictures: list[np.ndarray]) -> Path:
    """An mp4 of [H, W, 3] uint8 RGB pictures of one even size."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache per process, for all the folders of tests that take this fixture."""
    folder = os.environ.get("S3FO_TESTS_CACHE") or str(tmp_path_factory.mktemp("cache"))
    os.environ["S3FO_TESTS_CACHE"] = os.environ["S3FO_CACHE_DIR"] = folder
    return Path(folder)


@pytest.fixture(scope="session")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    """Two videos of odd size, with one and two objects."""
    root = tmp_path_factory.mktemp("benchmark")
    return write_synthetic(root, videos=VIDEOS, size=(61, 93), textures="procedural")


def write_results(benchmark: Benchmark, folder: Path, shift: int = 1) -> Path:
    """Ground truth moved to the right; object 2 is lost in frame 4."""
    for sequence in benchmark:
        for number, frame in enumerate(sequence.frames):
            label_map = np.roll(sequence.read_annotation(frame), shift, axis=1)
            if number == 4:
                label_map[label_map == 2] = 0
            write_label_map(folder / sequence.name / f"{frame}.png", label_map)
    return folder


@pytest.fixture
def results(benchmark: Benchmark, tmp_path: Path) -> Path:
    return write_results(benchmark, tmp_path / "shifted")


@pytest.fixture
def dataset(benchmark: Benchmark) -> Iterator[fo.Dataset]:
    loaded = s3fo.load_benchmark(benchmark, dataset_name=own_name("small"))
    yield loaded
    if not loaded.deleted:
        loaded.delete()


@pytest.fixture
def predicted(dataset: fo.Dataset, results: Path) -> fo.Dataset:
    """The dataset with the results imported as ``shifted``."""
    s3fo.add_predictions(dataset, results, "shifted")
    return dataset


def make_predicted(benchmark: Benchmark, folder: Path, name: str) -> fo.Dataset:
    """What `predicted` gives, for fixtures whose dataset serves several tests."""
    dataset = s3fo.load_benchmark(benchmark, dataset_name=own_name(name))
    s3fo.add_predictions(dataset, write_results(benchmark, folder), "shifted")
    return dataset


@contextmanager
def copied(dataset: fo.Dataset) -> Iterator[fo.Dataset]:
    """A copy for a test to change: FiftyOne makes one in a fraction of the time."""
    copy = dataset.clone(f"{dataset.name}-copy")
    try:
        yield copy
    finally:
        if not copy.deleted:
            copy.delete()


@pytest.fixture(scope="session")
def explained_once(
    benchmark: Benchmark, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[fo.Dataset]:
    """``shifted`` evaluated as ``k``, with attributes and failures; to be copied."""
    dataset = make_predicted(benchmark, tmp_path_factory.mktemp("k"), "explained")
    s3fo.evaluate(dataset, "shifted", "k", workers=1)
    s3fo.datasets.compute_attributes(dataset, workers=1)
    s3fo.datasets.find_failures(dataset, "k", error_maps=False)
    yield dataset
    dataset.delete()


@pytest.fixture
def explained(explained_once: fo.Dataset) -> Iterator[fo.Dataset]:
    """A copy of `explained_once`."""
    with copied(explained_once) as copy:
        yield copy

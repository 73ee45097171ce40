"""The FiftyOne dataset that a benchmark is loaded into: made, or found and checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import fiftyone as fo
from filelock import Timeout

from evaluation.errors import InputError
from s3fo.benchmarks import Benchmark, catalog
from s3fo.datasets.declaring import declare_fields
from s3fo.datasets.locking import lock_of, sole_writer
from s3fo.datasets.schema import remembered


@contextmanager
def sole_load(name: str) -> Iterator[None]:
    """Keep a second load of the same dataset out until this one ends, or is killed.

    Raises:
        InputError: another load is running on this machine.
    """
    lock = lock_of(f"{name} load")
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise InputError(
            f"dataset {name}",
            "another load of it, which is running",
            "one load at a time",
            "Wait for it, then try again: what is there already is left alone.",
        ) from error
    try:
        with sole_writer(name):
            yield
    finally:
        lock.release()


def open_or_make(name: str, benchmark: Benchmark) -> tuple[fo.Dataset, bool]:
    """The dataset of that name, and whether it was made just now.

    Raises:
        InputError: it holds something else.
    """
    if fo.dataset_exists(name):
        dataset = fo.load_dataset(name)
        if dataset.media_type not in (None, "video") or (
            len(dataset) and not dataset.has_sample_field("sequence")
        ):
            raise InputError(
                f"dataset {name}",
                "a FiftyOne dataset that holds something else",
                f"none, or an earlier load of {benchmark.name}",
                "Give another dataset name.",
            )
        _refuse_other_benchmark(dataset, benchmark)
        _refuse_fewer_videos(dataset, benchmark)
        if not dataset.has_frame_field("filepath"):  # declared last
            _declare_fields(dataset)
        return dataset, False
    dataset = fo.Dataset(name, persistent=True)
    _declare_fields(dataset)
    return dataset, True


def _refuse_other_benchmark(dataset: fo.Dataset, benchmark: Benchmark) -> None:
    """Complain if the dataset holds another benchmark of the catalog, or split."""
    facts = remembered(dataset)
    held = facts.get("benchmark"), facts.get("split")
    if held[0] in catalog.names() and held != (benchmark.name, benchmark.split):
        raise InputError(
            f"dataset {dataset.name}",
            " ".join(map(str, held)),
            f"none, or an earlier load of {benchmark.name} {benchmark.split or ''}",
            "Give another dataset name: each is scored by itself.",
        )


def _refuse_fewer_videos(dataset: fo.Dataset, benchmark: Benchmark) -> None:
    """Complain if a choice of videos would take the place of more."""
    if not benchmark.partial or not dataset.has_sample_field("sequence"):
        return
    chosen = {sequence.name for sequence in benchmark}
    others = sorted(set(dataset.values("sequence")) - chosen - {None})
    if others:
        raise InputError(
            f"dataset {dataset.name}",
            f"{len(others)} videos that were not chosen ({others[0]}, ...)",
            f"none, or only videos of the {len(chosen)} chosen ones",
            "Give another dataset name, or load the whole split.",
        )


def _declare_fields(dataset: fo.Dataset) -> None:
    dataset.media_type = "video"
    declare_fields(
        dataset,
        {
            "sequence": fo.StringField,
            "split": fo.StringField,
            "fps": fo.FloatField,
            "num_objects": fo.IntField,
            "categories": fo.ListField(fo.StringField(), null=True),
            "attributes": fo.ListField(fo.StringField(), null=True),
            "content": fo.StringField,
            "objects": fo.TemporalDetections,
            "objects.detections.index": fo.IntField,
            "objects.detections.visible_frames": fo.IntField,
            "frames.filepath": fo.StringField,
        },
    )
    dataset.create_index("sequence", unique=True)

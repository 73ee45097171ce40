"""What a dataset remembers: which files its ground truth and predictions came from.

Scores come from the files, never from what FiftyOne holds, so a dataset must be
able to give its benchmark back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fiftyone as fo

from evaluation.errors import InputError
from s3fo.benchmarks import (
    Benchmark,
    catalog,
    open_benchmark,
)
from s3fo.datasets.reading.cache import cached
from s3fo.datasets.selection import dataset_and_videos
from s3fo.datasets.video_records import Facts, video_from_json, video_to_json

INFO = "s3fo"
"""Key of `dataset.info` under which this package keeps its own facts."""

_RUN = "s3fo_benchmark"


def open_dataset(name: str) -> fo.Dataset:
    """A dataset that was loaded earlier, by its name.

    Raises:
        InputError: there is no such dataset, or it is damaged.
    """
    if not fo.dataset_exists(name):
        known = ", ".join(fo.list_datasets()) or "there are none yet"
        raise InputError(
            "dataset",
            repr(name),
            f"one of FiftyOne's datasets ({known})",
            "Load a benchmark first, e.g. with `s3fo load`.",
        )
    try:
        return fo.load_dataset(name)
    except Exception as error:
        # Whatever it is: others write to a database, too, and other versions.
        raise InputError(
            f"dataset {name!r}",
            f"a dataset that FiftyOne cannot read ({type(error).__name__}: {error})",
            "one that this version of FiftyOne wrote whole",
            "Delete it (in Python: import fiftyone.core.odm as foo; "
            f"foo.delete_dataset({name!r})) and load it again.",
        ) from error


def save_benchmark_info(dataset: fo.Dataset, benchmark: Benchmark, masks: str) -> None:
    """Keep what it takes to open the benchmark again.

    Args:
        dataset: made from `benchmark`.
        benchmark: what was loaded.
        masks: ``"instances"`` or ``"reference"``.
    """
    remember(
        dataset,
        predictions=remembered(dataset).get("predictions", {}),
        benchmark=benchmark.name,
        split=benchmark.split,
        root=str(benchmark.root),
        protocol=benchmark.protocol,
        masks=masks,
        notes=[str(note) for note in benchmark.notes],
        options=dict(benchmark.options),
        loaded_as=dataset.name,
        **_published_facts(benchmark),
    )
    _save_records(dataset, benchmark.name, [video_to_json(item) for item in benchmark])


def _save_records(dataset: fo.Dataset, benchmark: str, records: list[Facts]) -> None:
    """Keep what describes the videos, in a run: it may be large."""
    config = dataset.init_run(method="s3fo", benchmark=benchmark)
    dataset.register_run(_RUN, config, overwrite=True)
    results = dataset.init_run_results(_RUN, sequences=records)
    dataset.save_run_results(_RUN, results, overwrite=True)


def _published_facts(benchmark: Benchmark) -> dict[str, str]:
    """What people must know to use and cite the benchmark."""
    if benchmark.name not in catalog.names():
        return {}
    entry = catalog.get_entry(benchmark.name, benchmark.split)
    return {
        "title": entry.title,
        "about": entry.about,
        "licence": entry.licence,
        "citation": entry.citation,
        "download": entry.download,
    }


def load_benchmark_info(dataset: fo.core.collections.SampleCollection) -> Benchmark:
    """The benchmark that a dataset was loaded from, opened again.

    Only videos whose samples are still in the dataset, or in a view of it, are in it.

    Raises:
        InputError: the dataset was not made by `load_benchmark`, its samples were all
            deleted, or the benchmark's
            folder is not there any more.
    """
    dataset, shown = dataset_and_videos(dataset, "open its benchmark")
    root = Path(_facts(dataset)["root"])
    if not root.exists():  # a folder, or one video's mp4
        raise InputError(
            f"dataset {dataset.name}",
            f"no {root}, which its benchmark was loaded from",
            "the benchmark where it was",
            f"If it has moved: `s3fo relocate {dataset.name} --root FOLDER`, "
            "s3fo.relocate(dataset, folder), or 'Relocate files' in the App.",
        )
    benchmark = moved_benchmark(dataset)
    there = set(dataset.values("sequence") if shown is None else shown)
    kept_names = [item.name for item in benchmark if item.name in there]
    if len(kept_names) == len(benchmark):
        return benchmark
    if not kept_names:
        raise InputError(
            f"dataset {dataset.name}",
            "no sample of its benchmark; they were deleted",
            "at least one video",
            "Load the benchmark again: `s3fo load`, or s3fo.load_benchmark.",
        )
    return benchmark.subset(kept_names)


def moved_benchmark(dataset: fo.Dataset, root: Path | None = None) -> Benchmark:
    """The benchmark that a dataset was loaded from, opened in another place.

    Args:
        dataset: made by `load_benchmark`.
        root: what the folder that it was loaded from is now; None means the same.

    Returns:
        The benchmark, with absolute paths.

    Raises:
        InputError: the dataset was not made by `load_benchmark`.
    """
    facts = _facts(dataset)
    name, split, old = facts["benchmark"], facts["split"], Path(facts["root"])
    new = (root or old).absolute()
    options = facts.get("options", {})
    records = dataset.load_run_results(_RUN).sequences
    if any(record["per_object_masks"] for record in records):
        opened = open_benchmark(name, new, split=split, **options)
        return opened.subset(record["name"] for record in records)
    sequences = tuple(video_from_json(record, old, new) for record in records)
    notes = tuple(facts["notes"])
    protocol = facts["protocol"]
    return Benchmark(name, split, new, sequences, protocol, notes, options)


def _facts(dataset: fo.Dataset) -> Facts:
    facts = remembered(dataset)
    if "benchmark" not in facts:
        raise InputError(
            f"dataset {dataset.name}",
            "a dataset of other origin",
            "a dataset made by s3fo.load_benchmark",
            "Load the benchmark with s3fo first.",
        )
    if not dataset.has_run(_RUN):
        _fetch_records(dataset, facts)
    return facts


def _fetch_records(dataset: fo.Dataset, facts: Facts) -> None:
    """Copy the videos' records into the clone of a view: FiftyOne leaves runs behind.

    Raises:
        InputError: the dataset that it was made of is gone.
    """
    name = facts.get("loaded_as", "")
    source = fo.load_dataset(name) if name and fo.dataset_exists(name) else None
    if source is None or not source.has_run(_RUN):
        raise InputError(
            f"dataset {dataset.name}",
            "the clone of a view, which FiftyOne makes without what s3fo keeps of the "
            "benchmark's files",
            f"the dataset that it was made of ({name or 'unknown'}) beside it",
            "Clone the dataset as a whole, and delete samples from the clone; or load "
            "the benchmark again.",
        )
    records = source.load_run_results(_RUN).sequences
    _save_records(dataset, facts["benchmark"], records)


def benchmark_of(dataset: fo.Dataset) -> Benchmark:
    """The benchmark that a dataset was loaded from, opened once a process.

    Raises:
        InputError: the dataset was not made by `load_benchmark`.
    """
    loaded = dataset.get_run_info(_RUN).timestamp if dataset.has_run(_RUN) else None
    return cached(dataset, ("benchmark",), loaded, lambda: load_benchmark_info(dataset))


@dataclass(frozen=True)
class Predictions:
    """Where an imported prediction field came from.

    Attributes:
        folder: the results folder.
        content: hash of the files that were read.
        made: how the masks were made (method, settings with the weights' hash,
            versions, hardware), where the folder records it.
        from_field: whether the masks were written from the labels, not read into them:
            the field is somebody else's.
        options: how the files were read, where not as usual, by name.
        labels: the labels as they were imported, see `describe_labels`; empty where
            that is not known.
    """

    folder: Path
    content: str
    made: Mapping[str, Any] | None = field(default=None, compare=False)
    from_field: bool = field(default=False, compare=False)
    options: Mapping[str, Any] = field(default_factory=dict, compare=False)
    labels: Mapping[str, Any] = field(default_factory=dict, compare=False)


def save_predictions_info(
    dataset: fo.Dataset, name: str, predictions: Predictions | None
) -> None:
    """Keep what a prediction field was read from; None forgets it."""
    facts = remembered(dataset)
    kept = {key: value for key, value in facts["predictions"].items() if key != name}
    if predictions:
        folder = str(predictions.folder)
        kept[name] = {
            "folder": folder,
            "content": predictions.content,
            "made": predictions.made,
            "from_field": predictions.from_field,
            "options": dict(predictions.options),
            "labels": dict(predictions.labels),
        }
    remember(dataset, predictions=kept)


def load_predictions_info(dataset: fo.Dataset) -> dict[str, Predictions]:
    """What every imported prediction field was read from, in order of import."""
    return {
        name: Predictions(
            Path(record["folder"]),
            record["content"],
            record.get("made"),
            record.get("from_field", False),
            record.get("options", {}),
            record.get("labels", {}),
        )
        for name, record in remembered(dataset).get("predictions", {}).items()
    }


def evaluations(dataset: fo.Dataset) -> list[str]:
    """Keys of all evaluations, oldest first; FiftyOne itself lists them by name."""
    keys = dataset.list_evaluations()
    return sorted(keys, key=lambda key: dataset.get_evaluation_info(key).timestamp)


FIRST_MADE = "first_made"
"""Fact of a dataset: keys of its evaluations in the order in which each first came."""


def remember_evaluation(dataset: fo.Dataset, eval_key: str) -> None:
    """Keep an evaluation's place among those there are, also if it is made again."""
    there = evaluations(dataset)
    first = [key for key in remembered(dataset).get(FIRST_MADE, []) if key in there]
    remember(dataset, **{FIRST_MADE: list(dict.fromkeys([*first, *there, eval_key]))})


def remembered(dataset: fo.Dataset) -> Facts:
    """This package's facts about a dataset: benchmark, split, protocol, ..."""
    return dict(dataset.info.get(INFO, {}))


def remember(dataset: fo.Dataset, **facts: object) -> None:
    """Keep facts about a dataset, beside those it has or in their place."""
    dataset.info[INFO] = {**remembered(dataset), **facts}
    dataset.save()

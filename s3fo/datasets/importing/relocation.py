"""Files that a dataset refers to have moved: tell it where they are now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import fiftyone as fo

from evaluation.errors import InputError
from evaluation.options import InputOptions
from s3fo.benchmarks import Benchmark, VideoSequence
from s3fo.benchmarks.layouts.files import path_text
from s3fo.datasets._fiftyone import Update, root_dataset, update_documents
from s3fo.datasets.field_names import GROUND_TRUTH
from s3fo.datasets.importing.predictions import content_of_results
from s3fo.datasets.importing.results import PredictedVideo, open_predictions
from s3fo.datasets.importing.stored_masks import (
    annotations_to_show,
    predictions_to_show,
)
from s3fo.datasets.importing.videos import is_only_named, make_video
from s3fo.datasets.locking import sole_writer
from s3fo.datasets.schema import (
    Predictions,
    load_predictions_info,
    moved_benchmark,
    remembered,
    save_benchmark_info,
    save_predictions_info,
)


@dataclass(frozen=True)
class Relocation:
    """What `relocate` did.

    Attributes:
        frames: frames whose paths were renewed.
        videos: mp4 files that were made again, for they were gone.
        missing: what is still not where the dataset says, one sentence each.
    """

    frames: int
    videos: int
    missing: tuple[str, ...]


def relocate(
    dataset: fo.core.collections.SampleCollection,
    root: str | PathLike[str] | None = None,
    *,
    predictions: Mapping[str, str | PathLike[str]] | None = None,
) -> Relocation:
    """Tell a dataset where its files are now; labels, scores and tags stay.

    For data that moved, and for datasets of early versions, which kept relative
    paths. Nothing is changed unless everything that is named holds the same files as
    before; the contents of prediction folders are compared, too.

    >>> moved = Path(root).rename(f"{root}-moved")
    >>> _ = relocate(dataset, moved, predictions={"copy": f"{root}-copy"})
    >>> dataset.first().frames[1].filepath.startswith(str(moved))
    True

    Args:
        dataset: a dataset made by `load_benchmark`, or a view, which means all of it.
        root: where the benchmark is now; None where it has not moved.
        predictions: name of a method -> its results folder now.

    Raises:
        InputError: no such method, or a folder lacks files or holds others.
    """
    dataset = root_dataset(dataset)
    with sole_writer(dataset):
        return _relocate(dataset, root, predictions or {})


def _relocate(
    dataset: fo.Dataset,
    root: str | PathLike[str] | None,
    predictions: Mapping[str, str | PathLike[str]],
) -> Relocation:
    known = load_predictions_info(dataset)
    moved = {name: Path(folder).absolute() for name, folder in predictions.items()}
    benchmark = moved_benchmark(dataset, None if root is None else Path(root))
    if root is not None:
        _check_files(benchmark)
    for name, folder in moved.items():
        _check_predictions(name, folder, known, benchmark)
    frames = renew_paths(dataset, benchmark)
    save_benchmark_info(dataset, benchmark, remembered(dataset)["masks"])
    for name, folder in moved.items():
        options = InputOptions(**known[name].options)
        frames += _renew_predictions(dataset, name, folder, benchmark, options)
        save_predictions_info(dataset, name, replace(known[name], folder=folder))
    videos = _renew_videos(dataset, benchmark)
    return Relocation(frames, videos, tuple(_missing(dataset, benchmark)))


def renew_paths(dataset: fo.Dataset, benchmark: Benchmark) -> int:
    """Write the paths of images and annotations where they differ; return how many.

    Args:
        dataset: with the benchmark's videos, whose labels are left alone.
        benchmark: with absolute paths.
    """
    known = set(dataset.values("sequence"))
    return sum(
        _renew_sequence(dataset, sequence)
        for sequence in benchmark
        if sequence.name in known
    )


def _renew_sequence(dataset: fo.Dataset, sequence: VideoSequence) -> int:
    images = {
        frame: path_text(sequence.images, frame)
        for frame in (() if sequence.video else sequence.images)
    }
    renewed = _renew_column(dataset, sequence, "filepath", images)
    if dataset.has_frame_field(f"{GROUND_TRUTH}_mask"):
        shown = annotations_to_show(sequence)
        masks = {frame: str(shown[frame]) for frame in shown}
        path = f"{GROUND_TRUTH}_mask.mask_path"
        renewed = max(renewed, _renew_column(dataset, sequence, path, masks))
    if sequence.video:
        view = dataset.select_by("sequence", [sequence.name])
        if view.values("filepath") != [str(sequence.video)]:
            view.set_values("filepath", [str(sequence.video)])
    return renewed


def _renew_column(
    dataset: fo.Dataset, sequence: VideoSequence, field: str, files: Mapping[str, str]
) -> int:
    """Write a path of every frame that has one and whose file is elsewhere now."""
    view = dataset.select_by("sequence", [sequence.name])
    paths = ["frames.id", "frames.frame_number", f"frames.{field}"]
    columns = [column[0] for column in view.values(paths)]
    updates: list[Update] = []
    names = dict(enumerate(sequence.frames, start=1))
    for frame_id, number, stored in zip(*columns, strict=True):
        wanted = files.get(names.get(number, ""))
        if stored is not None and wanted is not None and stored != wanted:
            updates.append((frame_id, {field: wanted}))
    if updates:
        update_documents(dataset, updates, frames=True)
    return len(updates)


def _check_files(benchmark: Benchmark) -> None:
    """Complain about a root that lacks files, before anything is changed."""
    gone = [
        path
        for sequence in benchmark
        for path in (*sequence.images.values(), *sequence.annotations.values())
        if not path.is_file()
    ]
    if gone:
        raise InputError(
            benchmark.root,
            f"{len(gone)} files missing, e.g. {gone[0]}",
            f"the files of {benchmark.name}, in the same folders as before",
            "Give the folder that now holds what the old root held.",
        )


def _check_predictions(
    name: str, folder: Path, known: Mapping[str, Predictions], benchmark: Benchmark
) -> None:
    if name not in known:
        raise InputError(
            "predictions",
            repr(name),
            f"one of {', '.join(known) or 'no methods yet'}",
            "Name a method of the dataset.",
        )
    options = InputOptions(**known[name].options)
    content = content_of_results(folder, benchmark.sequences, options)
    if content != known[name].content:
        raise InputError(
            folder,
            f"other masks than were imported as {name!r}",
            "the same masks in another place",
            "Import them again with `s3fo import-predictions`, which replaces the old.",
        )


def _renew_predictions(
    dataset: fo.Dataset,
    name: str,
    folder: Path,
    benchmark: Benchmark,
    options: InputOptions,
) -> int:
    if not dataset.has_frame_field(f"{name}_mask"):
        return 0
    return sum(
        _renew_column(
            dataset,
            video.sequence,
            f"{name}_mask.mask_path",
            _shown(video),
        )
        for video in open_predictions(folder, benchmark.sequences, options)
    )


def _shown(video: PredictedVideo) -> dict[str, str]:
    """The files that the App shows of the predictions of a video."""
    shown = predictions_to_show(video)
    return {frame: str(shown[frame]) for frame in shown}


def _renew_videos(dataset: fo.Dataset, benchmark: Benchmark) -> int:
    """Make the player's mp4 files again where the cache lost them."""
    paths = dict(zip(*dataset.values(["sequence", "filepath"]), strict=True))
    made = 0
    for sequence in benchmark:
        if sequence.name not in paths:
            continue
        path = Path(paths[sequence.name])
        if sequence.video or path.is_file() or is_only_named(path):
            continue
        video = make_video(sequence)
        view = dataset.select_by("sequence", [sequence.name])
        view.set_values("filepath", [str(video.path)])
        made += 1
    return made


def _missing(dataset: fo.Dataset, benchmark: Benchmark) -> list[str]:
    found = []
    if not benchmark.root.exists():
        found.append(f"the benchmark: there is no {benchmark.root}")
    for name, record in load_predictions_info(dataset).items():
        if not record.folder.exists():
            found.append(f"the masks of {name}: there is no {record.folder}")
    return found

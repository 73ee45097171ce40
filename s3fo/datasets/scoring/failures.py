"""Failures on a dataset: clips that open where a method broke, and error maps."""

from __future__ import annotations

import io
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone import ViewField
from PIL import Image

from evaluation._utils.atomic import write_atomically
from evaluation._utils.cache_dir import user_cache
from evaluation._utils.names import file_name
from evaluation._utils.progress import ProgressCallback
from evaluation.attributes import Attributes
from evaluation.errors import InputError
from evaluation.failures import CIRCUMSTANCES, ComparedMasks, FailureKind, Failures
from evaluation.failures import find_failures as find
from evaluation.plots.errors import error_map
from s3fo.datasets.declaring import FieldKind, declare_fields
from s3fo.datasets.locking import sole_writer
from s3fo.datasets.parallel import map_ahead
from s3fo.datasets.reading import tables
from s3fo.datasets.schema import load_benchmark_info
from s3fo.datasets.scoring.from_files import scores_from_files
from s3fo.datasets.scoring.review import (
    labels_of_events,
    reviewed_events,
    store_unmatched,
)
from s3fo.datasets.selection import dataset_and_videos, refuse_parts
from s3fo.datasets.views import appearance as views
from s3fo.datasets.views.clips import clips_of_events
from s3fo.datasets.views.evaluation_views import save_views
from s3fo.datasets.views.failure_maps import delete_failure_map

_NUMBERS = {
    "index": fo.IntField,
    "other": fo.IntField,
    "rank": fo.IntField,
    "worst_frame": fo.IntField,
    "cost": fo.FloatField,
    "severity": fo.FloatField,
    "worst_J": fo.FloatField,
    "worst_F": fo.FloatField,
    "recovers": fo.BooleanField,
    "mutual": fo.BooleanField,
}


def find_failures(
    dataset: fo.core.collections.SampleCollection,
    eval_key: str,
    *,
    attributes: Attributes | bool = True,
    error_maps: bool = True,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> Failures:
    """Find the failures behind an evaluation, and show them on the dataset.

    There appear

    - ``<eval_key>_failures``: one `TemporalDetection` per event, labelled by its
      kind, with object, cost (in J&F of the benchmark), severity (frames of J&F
      lost), worst frame and circumstances of its onset; clips of it
      (`failure_clips`) open where it began;
    - ``frames.<eval_key>_errors``: error maps (hit, missed, false, wrong identity);
    - saved views "<eval_key> identity swaps" and "... after return".

    They belong to the scores of `eval_key`: when other scores replace those, or the
    evaluation is deleted, they go, and have to be found again.

    >>> failures = find_failures(dataset, "first", error_maps=False)
    >>> len(dataset.first()["first_failures"].detections) == len(failures.events)
    True

    Args:
        dataset: a dataset with the evaluation `eval_key` on it, made by `evaluate`, or
            a view that chooses some of its videos: all videos of the evaluation are
            looked at, and the tables hold those of the view.
        eval_key: the evaluation.
        attributes: as for `evaluation.find_failures`.
        error_maps: whether to make them; they are kept in the cache folder.
        workers: threads; None takes one a processor.
        progress: called as frames get done.

    Returns:
        The failures as tables.

    Raises:
        InputError: no such evaluation, or its files are gone or have changed.
    """
    dataset, shown = dataset_and_videos(dataset, "find failures")
    scores, folder = scores_from_files(dataset, eval_key, workers)
    benchmark = load_benchmark_info(dataset)
    options = tables.input_options(dataset, eval_key)
    failures = find(
        folder,
        benchmark,
        scores,
        options=options,
        attributes=attributes,
        workers=workers,
        progress=progress,
    )
    with sole_writer(dataset):
        write_failures(dataset, eval_key, failures)
        if error_maps:
            masks = ComparedMasks(folder, benchmark, scores, options)
            _write_error_maps(dataset, eval_key, masks, workers)
        views.apply_defaults(dataset)
        save_views(dataset, eval_key)
    return failures if shown is None else _of_videos(failures, shown)


def _of_videos(failures: Failures, names: Sequence[str]) -> Failures:
    """The failures of some videos; what they cost is still part of all that is lost."""
    frames, events = (
        table[table["sequence"].isin(list(names))].reset_index(drop=True)
        for table in (failures.frames, failures.events)
    )
    return replace(failures, frames=frames, events=events)


def write_failures(dataset: fo.Dataset, eval_key: str, failures: Failures) -> None:
    """Show the events as ``<eval_key>_failures``, replacing earlier ones.

    What people said of earlier events (`failure_tags`) is kept on those found again,
    and remembered for those that are not.

    Args:
        dataset: made by `load_benchmark`.
        eval_key: the evaluation they are about.
        failures: of the same benchmark.
    """
    field = f"{eval_key}_failures"
    fields: dict[str, FieldKind] = {
        field: fo.TemporalDetections,
        **{f"{field}.detections.{name}": kind for name, kind in _NUMBERS.items()},
        f"{field}.detections.onset": fo.ListField(fo.StringField()),
    }
    declare_fields(dataset, fields)
    reviewed = reviewed_events(dataset, eval_key)
    events = dict(iter(failures.events.groupby("sequence", sort=False)))
    scored = set(failures.frames["sequence"])
    values = {
        sequence.name: labels_of_events(
            events.get(sequence.name), sequence.frames, reviewed, _more
        )
        for sequence in load_benchmark_info(dataset)
        if sequence.name in scored
    }
    delete_failure_map(dataset, eval_key)
    # Events of videos that were not scored this time would keep ranks of last time.
    dataset.clear_sample_field(field)
    dataset.set_values(field, values, key_field="sequence")
    store_unmatched(dataset, eval_key, reviewed)


def failure_clips(
    dataset: fo.Dataset,
    eval_key: str,
    kind: FailureKind | str | None = None,
    k: int | None = None,
) -> fo.DatasetView:
    """Clips of failure events, the most costly first.

    >>> clips = failure_clips(dataset, "first", k=1)
    >>> clips.media_type
    'video'

    Args:
        dataset: with failures on it.
        eval_key: the evaluation they are about.
        kind: only this kind, e.g. ``"identity swap"``.
        k: at most so many.

    Raises:
        InputError: no failures were found for this evaluation, or no such kind.
    """
    field = _failure_field(dataset, eval_key)
    paths = [f"{field}.detections.{name}" for name in ("id", "label", "rank")]
    wanted = None if kind is None else _checked_kind(kind)
    events = [
        (rank, label_id)
        for label_id, label, rank in zip(
            *dataset.values(paths, unwind=True), strict=True
        )
        if wanted in (None, label)
    ]
    return event_clips(dataset, eval_key, [own for _, own in sorted(events)[:k]])


def event_clips(
    dataset: fo.Dataset, eval_key: str, ids: Sequence[str], *, as_given: bool = False
) -> fo.DatasetView:
    """Clips of some failure events, the most costly first.

    Each knows its video, and is called by its kind and its cost in points of J&F.

    Args:
        dataset: with failures on it.
        eval_key: the evaluation they are about.
        ids: of the events' labels.
        as_given: whether they come in the order of `ids` instead.
    """
    field = _failure_field(dataset, eval_key)
    # On the tiles: FiftyOne shows of a label its name alone.
    points = (ViewField("cost") * 1000).round() / 10
    told = (points > 0).if_else(
        points.to_string().concat(" points"), "under 0.1 points"
    )
    named = ViewField("label").concat(", ", told)
    return clips_of_events(dataset, field, ids, named, as_given=as_given)


def _checked_kind(kind: FailureKind | str) -> str:
    names = [item.value for item in FailureKind]
    name = kind.value if isinstance(kind, FailureKind) else kind
    if name not in names:
        raise InputError(
            "kind",
            repr(kind),
            f"one of {', '.join(names)}",
            "Pass one of these as `kind`.",
        )
    return name


def _failure_field(dataset: fo.Dataset, eval_key: str) -> str:
    field = f"{eval_key}_failures"
    refuse_parts(dataset, "show failures")
    if not dataset.has_sample_field(field):
        raise InputError(
            f"dataset {dataset.name}",
            f"no failures of {eval_key!r}",
            "failures found earlier",
            "Find them first with s3fo.find_failures(dataset, eval_key).",
        )
    return field


def _more(row: Mapping[Hashable, Any]) -> dict[str, Any]:
    """What failures have beside events of other kinds."""
    return {
        "worst_frame": int(row["worst"]),
        "cost": float(row["cost"]),
        "severity": float(row["loss"]),
        "worst_J": float(row["worst_J"]),
        "worst_F": float(row["worst_F"]),
        "recovers": bool(row["recovers"]),
        "mutual": bool(row["mutual"]),
        "onset": [name for name in CIRCUMSTANCES if row.get(name)],
    }


def _error_folder(dataset: fo.Dataset, eval_key: str) -> Path:
    return user_cache("errors", file_name(dataset.name), file_name(eval_key))


def _write_error_maps(
    dataset: fo.Dataset, eval_key: str, masks: ComparedMasks, workers: int | None
) -> None:
    """Error maps as grey PNGs that the frames refer to, one write per sequence."""
    field = f"{eval_key}_errors"
    declare_fields(dataset, {f"frames.{field}": fo.Segmentation})
    folder = _error_folder(dataset, eval_key)

    def draw(name: str) -> tuple[str, dict[str, Path]]:
        paths = {}
        for frame in masks.pairs[name].gt.frames:
            paths[frame] = folder / name / f"{frame}.png"
            _write_grey(paths[frame], error_map(*masks.read(name, frame)))
        return name, paths

    frames = {item.name: item.frames for item in load_benchmark_info(dataset)}
    for name, paths in map_ahead(draw, list(masks.pairs), workers):
        view = dataset.select_by("sequence", [name])
        by_number = dict(enumerate(frames[name], start=1))
        shown = [
            paths.get(by_number.get(number, ""))
            for number in view.values("frames.frame_number")[0]
        ]
        labels = [path and fo.Segmentation(mask_path=str(path)) for path in shown]
        view.set_values(f"frames.{field}", [labels], validate=False)


def _write_grey(path: Path, pixels: np.ndarray) -> None:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    write_atomically(path, buffer.getvalue())

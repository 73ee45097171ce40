"""A results folder -> labels beside the ground truth."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import fiftyone as fo
from PIL import Image

from evaluation._utils.fingerprint import digest_stream, encoded
from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError, InputWarning
from evaluation.options import DEFAULT_OPTIONS, InputOptions
from evaluation.runs.registry import read_run
from s3fo.benchmarks import VideoSequence
from s3fo.datasets._fiftyone import root_dataset
from s3fo.datasets.importing.changed_labels import (
    KeptLabelsWarning,
    describe_labels,
    edited_labels,
    labels_under_way,
    note_changed_labels,
)
from s3fo.datasets.importing.inference_runs import save_inference_run
from s3fo.datasets.importing.kept_labels import replace_labels
from s3fo.datasets.importing.mask_forms import check_room
from s3fo.datasets.importing.results import (
    PredictedVideo,
    open_predictions,
    read_sizes,
)
from s3fo.datasets.importing.stored_masks import predictions_to_show
from s3fo.datasets.importing.writing import (
    MaskSource,
    batches,
    declare_masks,
    index_labels,
    write_masks,
)
from s3fo.datasets.locking import sole_writer
from s3fo.datasets.schema import (
    Predictions,
    load_benchmark_info,
    load_predictions_info,
    moved_benchmark,
    remember,
    remembered,
    save_predictions_info,
)
from s3fo.datasets.selection import dataset_and_videos
from s3fo.datasets.views import appearance as views


def add_predictions(
    dataset: fo.core.collections.SampleCollection,
    results: str | Path,
    name: str,
    *,
    options: InputOptions | None = None,
    missing: str = "error",
    resize: str | None = None,
    binarize: bool = False,
    void: int | None = None,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> list[str]:
    """Import the masks that a method wrote, as ``frames.<name>``.

    The same object gets the same label, colour and instance as in the ground truth.
    Importing unchanged files again does nothing. Changed ones replace what was
    there, and evaluations of it are deleted, for they no longer hold. Labels of frames
    whose masks are the same stay with tags and attributes, and objects of the others
    keep theirs. Videos whose labels were edited since the import (objects, boxes,
    masks) keep them, with a warning: to take the files' masks there,
    `remove_predictions` first.

    >>> without_results = add_predictions(dataset, f"{root}-copy", name="copy")
    >>> without_results
    []
    >>> "copy" in dataset.get_frame_field_schema()
    True

    Args:
        dataset: a dataset made by `load_benchmark`. Of a view, the dataset gets all
            masks, for a field is one of the whole dataset.
        results: folder of ``<sequence>/<frame>.png`` index masks, or in any other form
            that `evaluate` takes: one folder per object, a JSON file.
        name: what to call the method; a valid Python identifier.
        options: how masks are read and matched, as in `evaluation.score`; the same
            goes for scoring them. An import takes masks of another size as they are
            with `resize` (FiftyOne stretches them), reads them with `binarize`, and
            returns what is missing in any case.
        missing: the same, by name.
        resize: the same.
        binarize: the same.
        void: the same.
        workers: threads that decode; None means one per core.
        progress: told after each sequence.

    Returns:
        Names of the sequences of the dataset or view that the folder has no results
        for.

    Raises:
        InputError: an unusable name, no results for any sequence, a broken PNG, one
            of another size than the video, or a video too long for yet another
            source of masks inside the labels. The dataset is then as it was.
    """
    dataset, shown = dataset_and_videos(dataset, "import predictions")
    results = Path(results).absolute()
    chosen = InputOptions.of(
        options, missing=missing, resize=resize, binarize=binarize, void=void
    )
    sequences = load_benchmark_info(dataset).sequences
    check_name(dataset, name)
    opened = _open(results, sequences, chosen)
    present = [video.sequence for video in opened]
    record = read_run(results).record if results.is_dir() else None
    made = record.to_json() if record else None
    # Videos that were deleted from the dataset count: their loss changes no mask.
    content = content_of_results(results, moved_benchmark(dataset).sequences, chosen)
    found = Predictions(results, content, made, options=chosen.changed())
    with sole_writer(dataset):
        check_name(dataset, name)
        if not _is_there(dataset, name, found):
            kept = set(load_predictions_info(dataset)) | {name}
            check_room(present, remembered(dataset)["masks"], sources=1 + len(kept))
            if chosen.resize is None:
                _check_sizes(opened)
            labels = _replace(dataset, name, results, opened, workers, progress)
            found = replace(found, labels=labels)
            save_predictions_info(dataset, name, found)
            for note in note_changed_labels(dataset, name):
                warnings.warn(note, KeptLabelsWarning, stacklevel=2)
            save_inference_run(dataset, name, made)
            views.apply_defaults(dataset)
    there = {entry.name for entry in present}
    wanted = [entry.name for entry in sequences] if shown is None else shown
    return [name for name in wanted if name not in there]


def _is_there(dataset: fo.Dataset, name: str, found: Predictions) -> bool:
    """Whether just these masks were imported, and are still there."""
    known = load_predictions_info(dataset).get(name)
    return known == found and dataset.has_frame_field(name)


def remove_predictions(
    dataset: fo.core.collections.SampleCollection, name: str
) -> None:
    """Take a method's masks, and all evaluations of them, out of the dataset.

    A field that was not imported from files stays; it is no method any more. The
    results folder stays in any case.

    Args:
        dataset: the dataset, or a view of it: a field is one of the whole dataset.
        name: of the method.

    Raises:
        InputError: there is no such method.
    """
    dataset = root_dataset(dataset)
    known = load_predictions_info(dataset)
    if name not in known:
        raise InputError(
            f"dataset {dataset.name}",
            f"no predictions {name!r}",
            f"one of its methods ({', '.join(known) or 'none'})",
            "Pass the name of one of them.",
        )
    with sole_writer(dataset):
        _remove(dataset, name)
        views.apply_defaults(dataset)


def _remove(dataset: fo.Dataset, name: str) -> None:
    """Take masks and evaluations out, also of an import that came to no end."""
    _remove_evaluations(dataset, name)
    fields = [
        field for field in (name, f"{name}_mask") if dataset.has_frame_field(field)
    ]
    known = load_predictions_info(dataset).get(name)
    if known is None or not known.from_field:
        dataset.delete_frame_fields(fields)
    save_predictions_info(dataset, name, None)
    save_inference_run(dataset, name, None)


def _remove_evaluations(dataset: fo.Dataset, name: str) -> None:
    for eval_key in dataset.list_evaluations():
        config = dataset.get_evaluation_info(eval_key).config
        if getattr(config, "pred_field", None) == f"frames.{name}":
            dataset.delete_evaluation(eval_key)


def _replace(
    dataset: fo.Dataset,
    name: str,
    results: Path,
    predicted: Sequence[PredictedVideo],
    workers: int | None,
    progress: ProgressCallback | None,
) -> dict[str, Any]:
    """Write under a passing name first: an error leaves what was there alone.

    Before the field gets its name it is remembered as ours, but as of no content: an
    import that is killed here is done again by the next one.

    Returns:
        What to remember of the labels, as `describe_labels` does.
    """
    passing = f"{name}_importing"
    for left in passing_fields(dataset):  # by an import that was killed
        _remove(dataset, left.removesuffix("_mask"))
    remember(dataset, importing=passing)
    declare_masks(dataset, passing, remembered(dataset)["masks"])
    try:
        _write(dataset, passing, predicted, workers, progress)
    except BaseException:
        _remove(dataset, passing)
        raise
    imported = dataset.count(f"frames.{passing}.detections")
    edited = _take_names(dataset, passing, name, results)
    index_labels(dataset, name, ("label", "index"))
    labels = describe_labels(dataset, name, leave_out=edited)
    return {**labels, "labels": imported}


def _take_names(
    dataset: fo.Dataset, passing: str, name: str, results: Path
) -> Mapping[str, str]:
    """Give fields that were written their names; labels that are there are kept.

    Returns:
        What was edited and kept, as `edited_labels` does.
    """
    edited: Mapping[str, str] = {}
    if name in load_predictions_info(dataset) and dataset.has_frame_field(name):
        edited = edited_labels(dataset, name)
        under_way = labels_under_way(edited)
        begun = Predictions(results, "", None, labels=under_way)
        save_predictions_info(dataset, name, begun)
        _remove_evaluations(dataset, name)
        replace_labels(dataset, name, passing, edited)
        dataset.delete_frame_field(passing)
    else:
        save_predictions_info(dataset, name, Predictions(results, "", None))
    for field, final in ((passing, name), (f"{passing}_mask", f"{name}_mask")):
        if dataset.has_frame_field(field):
            if dataset.has_frame_field(final):
                dataset.delete_frame_field(final)
            dataset.rename_frame_field(field, final)
    return edited


def passing_fields(dataset: fo.Dataset) -> set[str]:
    """Frame fields that an import fills, or left behind when it was killed."""
    name = remembered(dataset).get("importing")
    fields = {name, f"{name}_mask"} if name else set()
    return {own for own in fields if dataset.has_frame_field(own)}


def _write(
    dataset: fo.Dataset,
    field: str,
    predicted: Sequence[PredictedVideo],
    workers: int | None,
    progress: ProgressCallback | None,
) -> None:
    form = remembered(dataset)["masks"]
    done = 0
    for batch in batches(predicted, lambda video: len(video.sequence.frames)):
        names = [video.sequence.name for video in batch]
        view = dataset.select_by("sequence", names, ordered=True)
        write_masks(view, field, [_source(video) for video in batch], form, workers)
        for name in names:
            done += 1
            if progress:
                progress(done, len(predicted), f"{name} {done}/{len(predicted)}")


def _source(video: PredictedVideo) -> MaskSource:
    return MaskSource(
        video.sequence,
        read=video.objects,
        masked=frozenset(video.names),
        files=predictions_to_show(video),
    )


def content_of_results(
    results: Path,
    sequences: Sequence[VideoSequence],
    options: InputOptions = DEFAULT_OPTIONS,
) -> str:
    """Hash of all masks of a results folder that belong to some sequences."""
    return digest_stream(_parts(results, sequences, options))


def _parts(
    results: Path, sequences: Sequence[VideoSequence], options: InputOptions
) -> Iterator[bytes]:
    if options.binarize:
        yield b"binarized"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        for video in _open(results, sequences, options):
            for frame, name in video.names.items():
                yield encoded(f"{video.sequence.name}/{frame}")
                yield video.masks.digest(name)


def _open(
    results: Path, sequences: Sequence[VideoSequence], options: InputOptions
) -> list[PredictedVideo]:
    """Open results; without any, say what a folder of results looks like."""
    try:
        return open_predictions(results, sequences, options)
    except InputError as error:
        if error.where != str(results):
            raise
        first = sequences[0]
        raise InputError(
            results,
            error.found,
            f"folders such as {first.name}/{first.frames[0]}.png",
            error.remedy,
        ) from error


def check_name(dataset: fo.Dataset, name: str) -> None:
    """Whether `add_predictions` takes this name, before it takes any work.

    Raises:
        InputError: it is no identifier, or a field of other content.
    """
    imported = {
        known
        for known, record in load_predictions_info(dataset).items()
        if not record.from_field
    }
    taken = set(dataset.get_frame_field_schema()) - imported
    plain = name.isidentifier() and not name.startswith("_") and name != "pk"
    if not plain or name in taken:
        raise InputError(
            "name",
            repr(name) + (", a field of other content" if name in taken else ""),
            "a free name of letters, digits and underscores",
            "For example 's3' or 'cutie'.",
        )


def _check_sizes(predicted: Sequence[PredictedVideo]) -> None:
    """Compare sizes, by headers where possible, before anything is written."""
    for video in predicted:
        images = video.sequence.images
        size = None
        for frame, where, own in read_sizes(video):
            if frame not in images:
                continue
            if size is None:
                size = _image_size(images[frame])
            if own != size:
                raise InputError(
                    where,
                    f"a mask of {own[1]}x{own[0]} pixels",
                    f"{size[1]}x{size[0]}, as the frame it belongs to",
                    "Write the masks at the size of the frames, or resize them "
                    "(resize='nearest', --resize nearest).",
                )


def _image_size(path: Path) -> tuple[int, int]:
    """Height and width in pixels.

    Raises:
        InputError: it is no image.
    """
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except OSError as error:
        raise InputError(
            path,
            f"something that is no image ({error})",
            "a PNG",
            "Write the file again; a copy may have been cut short.",
        ) from error

"""A results folder -> labels beside the ground truth."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import fiftyone as fo
from PIL import Image

from evaluation._utils.fingerprint import encoded
from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from evaluation.masks.label_map import read_label_map
from evaluation.runs.registry import read_run
from s3fo.benchmarks import VideoSequence
from s3fo.datasets.importing.labels import ObjectMask, masks_of_label_map
from s3fo.datasets.importing.mask_forms import check_room
from s3fo.datasets.importing.source import sole_work
from s3fo.datasets.importing.stored_masks import files_to_show
from s3fo.datasets.importing.writing import (
    MaskSource,
    batches,
    declare_masks,
    index_labels,
    write_masks,
)
from s3fo.datasets.schema import (
    Predictions,
    load_benchmark_info,
    load_predictions_info,
    remembered,
    save_predictions_info,
)
from s3fo.datasets.views import appearance as views


def add_predictions(
    dataset: fo.Dataset,
    results: str | Path,
    name: str,
    *,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> list[str]:
    """Import the masks that a method wrote, as ``frames.<name>``.

    The same object gets the same label, colour and instance as in the ground truth.
    Importing unchanged files again does nothing. Changed ones replace what was
    there, and evaluations of it are deleted, for they no longer hold.

    Args:
        dataset: made by `load_benchmark`.
        results: folder of ``<sequence>/<frame>.png`` index masks.
        name: what to call the method; a valid Python identifier.
        workers: threads that decode; None means one per core.
        progress: told after each sequence.

    Returns:
        Names of the dataset's sequences that the folder has no results for.

    Raises:
        InputError: an unusable name, no results for any sequence, a broken PNG, one
            of another size than the video, or a video too long for yet another
            source of masks inside the labels. The dataset is then as it was.
    """
    results = Path(results).absolute()
    sequences = load_benchmark_info(dataset).sequences
    check_name(dataset, name)
    present = [entry for entry in sequences if (results / entry.name).is_dir()]
    if not present:
        raise _no_results(results, sequences)
    record = read_run(results).record
    made = record.to_json() if record else None
    found = Predictions(results, content_of_results(results, present), made)
    if load_predictions_info(dataset).get(name) != found:
        kept = set(load_predictions_info(dataset)) | {name}
        check_room(present, remembered(dataset)["masks"], sources=1 + len(kept))
        _check_sizes(results, present)
        with sole_work(dataset.name, f"import of {name}"):
            _replace(dataset, name, results, present, workers, progress)
            save_predictions_info(dataset, name, found)
        views.apply_defaults(dataset)
    return [entry.name for entry in sequences if entry not in present]


def remove_predictions(dataset: fo.Dataset, name: str) -> None:
    """Take a method's masks, and all evaluations of them, out of the dataset."""
    for eval_key in dataset.list_evaluations():
        config = dataset.get_evaluation_info(eval_key).config
        if getattr(config, "pred_field", None) == f"frames.{name}":
            dataset.delete_evaluation(eval_key)
    fields = [
        field for field in (name, f"{name}_mask") if dataset.has_frame_field(field)
    ]
    dataset.delete_frame_fields(fields)
    save_predictions_info(dataset, name, None)


def _replace(
    dataset: fo.Dataset,
    name: str,
    results: Path,
    sequences: Sequence[VideoSequence],
    workers: int | None,
    progress: ProgressCallback | None,
) -> None:
    """Write under a passing name first: an error leaves what was there alone.

    Before the field gets its name it is remembered as ours, but as of no content: an
    import that is killed here is done again by the next one.
    """
    passing = f"{name}_importing"
    if dataset.has_frame_field(passing):  # of an import that was killed
        remove_predictions(dataset, passing)
    declare_masks(dataset, passing, remembered(dataset)["masks"])
    try:
        _write(dataset, passing, results, sequences, workers, progress)
    except BaseException:
        remove_predictions(dataset, passing)
        raise
    if name in load_predictions_info(dataset):
        remove_predictions(dataset, name)
    save_predictions_info(dataset, name, Predictions(results, "", None))
    for field, final in ((passing, name), (f"{passing}_mask", f"{name}_mask")):
        if dataset.has_frame_field(field):
            if dataset.has_frame_field(final):
                dataset.delete_frame_field(final)
            dataset.rename_frame_field(field, final)
    index_labels(dataset, name, ("label", "index"))


def _write(
    dataset: fo.Dataset,
    field: str,
    results: Path,
    sequences: Sequence[VideoSequence],
    workers: int | None,
    progress: ProgressCallback | None,
) -> None:
    form = remembered(dataset)["masks"]
    done = 0
    for batch in batches(sequences, lambda entry: len(entry.frames)):
        names = [entry.name for entry in batch]
        view = dataset.select_by("sequence", names, ordered=True)
        sources = [_source(results, entry) for entry in batch]
        write_masks(view, field, sources, form, workers)
        for entry in batch:
            done += 1
            if progress:
                progress(done, len(sequences), f"{entry.name} {done}/{len(sequences)}")


def _source(results: Path, sequence: VideoSequence) -> MaskSource:
    files = dict(mask_files(results, sequence))
    return MaskSource(
        sequence,
        read=lambda frame: _read_file(files[frame], sequence.binary),
        masked=frozenset(files),
        files=files_to_show(files, binary=sequence.binary),
    )


def _read_file(path: Path, binary: bool) -> list[ObjectMask]:
    label_map = read_label_map(path)
    return masks_of_label_map((label_map > 0).astype("uint8") if binary else label_map)


def mask_files(results: Path, sequence: VideoSequence) -> Iterator[tuple[str, Path]]:
    """The result files that belong to frames of the sequence."""
    folder = results / sequence.name
    there = {path.name for path in folder.iterdir()}
    for frame in sequence.frames:
        if f"{frame}.png" in there:
            yield frame, folder / f"{frame}.png"


def content_of_results(results: Path, sequences: Sequence[VideoSequence]) -> str:
    """Hash of all masks of a results folder that belong to some sequences."""
    digest = hashlib.blake2b(digest_size=16)
    for sequence in sequences:
        for frame, path in mask_files(results, sequence):
            digest.update(encoded(f"{sequence.name}/{frame}"))
            digest.update(hashlib.blake2b(path.read_bytes(), digest_size=16).digest())
    return digest.hexdigest()


def check_name(dataset: fo.Dataset, name: str) -> None:
    """Whether `add_predictions` takes this name, before it takes any work.

    Raises:
        InputError: it is no identifier, or a field of other content.
    """
    taken = set(dataset.get_frame_field_schema()) - set(load_predictions_info(dataset))
    if not name.isidentifier() or name in taken:
        raise InputError(
            "name",
            repr(name) + (", a field of other content" if name in taken else ""),
            "a free name of letters, digits and underscores",
            "For example 's3' or 'cutie'.",
        )


def _check_sizes(results: Path, sequences: Sequence[VideoSequence]) -> None:
    """Compare headers only: cheap enough to do before anything is written."""
    for sequence in sequences:
        size = None
        for frame, path in mask_files(results, sequence):
            if frame not in sequence.images:
                continue
            if size is None:
                size = _image_size(sequence.images[frame])
            if _image_size(path) != size:
                raise InputError(
                    path,
                    "a mask of {}x{} pixels".format(*_image_size(path)),
                    "{}x{}, as the frame it belongs to".format(*size),
                    "Write the masks at the size of the frames.",
                )


def _image_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels.

    Raises:
        InputError: it is no image.
    """
    try:
        with Image.open(path) as image:
            return image.size
    except OSError as error:
        raise InputError(
            path,
            f"something that is no image ({error})",
            "a PNG",
            "Write the file again; a copy may have been cut short.",
        ) from error


def _no_results(results: Path, sequences: Sequence[VideoSequence]) -> InputError:
    found = "no such folder"
    if results.is_dir():
        inside = sorted(path.name for path in results.iterdir())[:5]
        found = f"no sequence of this dataset ({', '.join(inside) or 'empty'})"
    first = sequences[0]
    return InputError(
        results,
        found,
        f"folders such as {first.name}/{first.frames[0]}.png",
        "Give the folder that holds one folder per sequence.",
    )

"""`convert`: read masks in one format, write them in another."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from evaluation._utils.atomic import require_writable
from evaluation._utils.cache_dir import user_cache
from evaluation.errors import InputError
from evaluation.masks.folders import folders_of
from evaluation.masks.ignored import ignored_among
from evaluation.masks.label_map import NO_OBJECT
from evaluation.masks.numbering import count_from_one
from evaluation.masks.sequence import MaskSequence
from evaluation.runs.outputs import refuse_among_inputs
from s3fo.choices import OverlapRule
from s3fo.convert.formats import FORMATS
from s3fo.convert.ids import take_ids, take_mots_ids
from s3fo.convert.reading import detect, read
from s3fo.convert.videos import Video, as_video
from s3fo.convert.writing import write

if TYPE_CHECKING:
    import fiftyone as fo


_MOTS = ("mots", "mots-png")
"""Formats whose ids tell the class, and that have regions to ignore."""

_APART = "Give a path outside the folder that is converted."


@dataclass(frozen=True)
class Conversion:
    """What was converted.

    Attributes:
        source_format: format that was read.
        target_format: format that was written.
        out: what was written.
        sequences: how many videos.
        frames: how many frames, all videos together.
        objects: how many objects, all videos together.
        notes: what was odd about the source.
    """

    source_format: str
    target_format: str
    out: str
    sequences: int
    frames: int
    objects: int
    notes: tuple[str, ...] = ()


def convert(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    target_format: str,
    *,
    source_format: str | None = None,
    on_overlap: OverlapRule = "error",
    ids_from: str | os.PathLike[str] | None = None,
) -> Conversion:
    """Write masks in another format; ids and names of frames stay as they are.

    From MOTS to other formats ids become those of the objects, without the class, where
    no two objects have one number then; regions that MOTS ignores are left out, which
    the notes tell.

    Label maps, where 0 is the background, have no object 0: where masks are kept object
    by object from 0 on, 1 is added to all ids, which the notes tell.

    Args:
        source: masks in any of `FORMATS`; for ``fiftyone`` ``"DATASET:FIELD"``.
        out: the file or folder to make; it must not be there yet. For ``fiftyone``
            ``"DATASET:FIELD"``, a dataset with these videos and a new field.
        target_format: one of `FORMATS`.
        source_format: one of `FORMATS`; None looks what it is. Where nothing is called
            so, ``"DATASET:FIELD"`` is a field of FiftyOne.
        on_overlap: what becomes of masks that overlap where the format keeps one
            object per pixel: ``"error"``, or ``"smaller-on-top"``.
        ids_from: masks of the same videos whose ids the objects take, in ascending
            order, where the ids are not those already: of the ground truth for
            results whose ids tell the class (MOTS), or the other way round.

    Raises:
        InputError: the source cannot be read, the format cannot keep its masks, or
            `out` is there already or lies in the source, or where ids are from.

    >>> convert("DAVIS/Annotations/480p", "davis.json", "youtube-vis")
    """
    target = _known_format(target_format)
    rules = get_args(OverlapRule)
    if on_overlap not in rules:
        expected = " or ".join(map(repr, rules))
        raise InputError("on_overlap", repr(on_overlap), expected, "Pass one of them.")
    origin = _known_format(source_format) if source_format else _format_of(source)
    if target != "fiftyone":
        _require_place(Path(out), source)
        fix = "Give a path outside the folder that ids are taken from."
        refuse_among_inputs([out], [ids_from] if ids_from else [], fix)
    with tempfile.TemporaryDirectory() as folder:
        if ids_from is not None:
            sequences = _with_ids_of(Path(ids_from), source, origin, Path(folder))
        else:
            sequences = _open(source, origin, Path(folder), target in _MOTS)
        if target != "fiftyone":
            refuse_among_inputs([out], folders_of(sequences.values()), _APART)
        numbered = sequences if FORMATS[target].overlaps else count_from_one(sequences)
        videos = [as_video(numbered[name]) for name in sorted(numbered)]
        if target == "fiftyone":
            _into_dataset(videos, str(out), on_overlap)
        else:
            try:
                write(videos, Path(out), target, on_overlap)
            except FileExistsError as error:  # made since it was looked for
                raise _taken(out, "something that was made there meanwhile") from error
        told = [r for name in sorted(numbered) for r in numbered[name].remarks()]
        notes = list(dict.fromkeys(told))
        notes += _note_empty_videos(videos, target)
        if any(numbered[name] is not sequences[name] for name in sequences):
            notes.append(
                f"objects count from 0, which is the background in {target}: 1 was "
                "added to the id of every object, 0 became 1, and so on"
            )
    return Conversion(
        origin,
        target,
        str(out),
        len(videos),
        sum(len(video.frames) for video in videos),
        sum(
            len(set(video.object_ids) - {ignored_among(set(video.object_ids))})
            for video in videos
        ),
        tuple(notes),
    )


def _require_place(out: Path, source: str | os.PathLike[str]) -> None:
    """Refuse an output that is there already, lies in the source, or has no place.

    Raises:
        InputError: it does.
    """
    # Before it is said to be there: what is to be converted should not be removed.
    refuse_among_inputs([out], [source], _APART)
    if os.path.lexists(out):
        raise _taken(out, "something that is there already")
    require_writable(out.parent)


def _taken(out: str | os.PathLike[str], found: str) -> InputError:
    expected, fix = "a path where nothing is", "Remove it, or give another path."
    return InputError(str(out), found, expected, fix)


def _note_empty_videos(videos: Sequence[Video], target: str) -> list[str]:
    """Notes on videos without objects, where the format keeps objects alone."""
    if target not in ("object-folders", "json"):
        return []
    return [
        f"{video.name}: no object in any frame; object {NO_OBJECT} of empty masks "
        "keeps the video"
        for video in videos
        if not video.object_ids
    ]


def _format_of(source: str | os.PathLike[str]) -> str:
    """Name of the format of a source: what lies there, or DATASET:FIELD.

    Raises:
        InputError: it is none that can be told.
    """
    name, colon, field = str(source).rpartition(":")
    is_name = bool(name and colon and field) and not set(field) & set("/\\")
    if is_name and not os.path.lexists(source):
        return "fiftyone"
    return detect(Path(source))


def _open(
    source: str | os.PathLike[str], origin: str, folder: Path, whole_ids: bool
) -> dict[str, MaskSequence]:
    if origin != "fiftyone":
        return read(Path(source), origin, whole_ids=whole_ids)
    from evaluation.masks.open import open_ground_truth
    from s3fo.datasets import benchmark_from_dataset, open_dataset
    from s3fo.datasets.schema import remembered

    name, field = _dataset_and_field(str(source))
    dataset = open_dataset(name)
    labels = folder / "labels"
    if "benchmark" not in remembered(dataset):
        benchmark = benchmark_from_dataset(dataset, labels, field=field)
        found = dict(open_ground_truth(benchmark).sequences)
        for note in benchmark.notes:
            next(iter(found.values())).remark(note)
        return found
    return _loaded_masks(dataset, field, labels)


def _with_ids_of(
    other: Path, source: str | os.PathLike[str], origin: str, folder: Path
) -> dict[str, MaskSequence]:
    """The masks of a source with the ids that other masks of the videos have."""
    form = detect(other)
    both = origin in _MOTS and form in _MOTS
    sequences = _open(source, origin, folder, both)
    others = read(other, form, whole_ids=both)
    if both:
        return take_mots_ids(sequences, others, other)
    return take_ids(sequences, others, other)


def _loaded_masks(
    dataset: fo.Dataset, field: str, folder: Path
) -> dict[str, MaskSequence]:
    """Masks of a dataset that we loaded: the files that a field came from.

    Labels that were edited since are written as they are.
    """
    from evaluation.masks.open import open_ground_truth
    from s3fo.datasets.field_names import GROUND_TRUTH
    from s3fo.datasets.fields.writing import write_field
    from s3fo.datasets.importing.changed_labels import has_changed, truth_was_edited
    from s3fo.datasets.schema import load_benchmark_info, load_predictions_info

    imported = load_predictions_info(dataset).get(field)
    of_files = imported is not None and not imported.from_field
    if field == GROUND_TRUTH:
        edited = truth_was_edited(dataset)
    else:
        edited = of_files and has_changed(dataset, field)
    if field == GROUND_TRUTH and not edited:
        return dict(open_ground_truth(load_benchmark_info(dataset)).sequences)
    if imported is not None and of_files and not edited:
        return read(imported.folder, detect(imported.folder))
    write_field(dataset, field, folder)
    written = read(folder, detect(folder))
    if edited:
        for masks in written.values():
            masks.remark(
                f"labels of {field} were edited since they were read from files: they "
                "were written as they are in the dataset"
            )
    return written


def _into_dataset(videos: list[Video], out: str, on_overlap: str) -> None:
    """Write a field, and beside it the files that it is scored from."""
    from s3fo.datasets import add_predictions, open_dataset

    name, field = _dataset_and_field(out)
    dataset = open_dataset(name)
    results = user_cache("converted", name, field)
    shutil.rmtree(results, ignore_errors=True)
    results.parent.mkdir(parents=True, exist_ok=True)
    write(videos, results, "davis", on_overlap)
    add_predictions(dataset, results, field)


def _dataset_and_field(text: str) -> tuple[str, str]:
    name, colon, field = text.rpartition(":")
    if not (name and colon and field):
        raise InputError(
            repr(text),
            "no dataset and field",
            "DATASET:FIELD, e.g. davis-2017-val:ground_truth",
            "Pass both names with a colon between them.",
        )
    return name, field


def _known_format(name: str) -> str:
    if name in FORMATS:
        return name
    near = get_close_matches(name, FORMATS, n=1)
    raise InputError(
        "format",
        repr(name),
        f"one of {', '.join(FORMATS)}",
        f"Did you mean {near[0]}?" if near else "Pass one of these names.",
    )

"""`convert`: read masks in one format, write them in another."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from evaluation.errors import InputError
from evaluation.masks.sequence import MaskSequence
from s3fo.convert.formats import FORMATS
from s3fo.convert.reading import detect, read
from s3fo.convert.videos import as_video
from s3fo.convert.writing import write

OVERLAP_RULES = ("error", "smaller-on-top")


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
    on_overlap: str = "error",
) -> Conversion:
    """Write masks in another format; ids and names of frames stay as they are.

    Args:
        source: masks in any of `FORMATS`; for ``fiftyone`` ``"DATASET:FIELD"``.
        out: the file or folder to make; it must not be there yet. For ``fiftyone``
            ``"DATASET:FIELD"``, a dataset with these videos and a new field.
        target_format: one of `FORMATS`.
        source_format: one of `FORMATS`; None looks what it is.
        on_overlap: what becomes of masks that overlap where the format keeps one
            object per pixel: ``"error"``, or ``"smaller-on-top"``.

    Raises:
        InputError: the source cannot be read, the format cannot keep its masks, or
            `out` is there already.

    >>> convert("DAVIS/Annotations/480p", "davis.json", "youtube-vis")
    """
    target = _known_format(target_format)
    if on_overlap not in OVERLAP_RULES:
        raise InputError(
            "on_overlap", repr(on_overlap), " or ".join(map(repr, OVERLAP_RULES)),
            "Pass one of them.",
        )  # fmt: skip
    origin = _known_format(source_format) if source_format else detect(Path(source))
    if target != "fiftyone" and os.path.lexists(out):
        raise InputError(
            str(out),
            "something that is there already",
            "a path where nothing is",
            "Remove it, or give another path.",
        )
    with tempfile.TemporaryDirectory() as folder:
        sequences = _open(source, origin, Path(folder))
        videos = [as_video(sequences[name]) for name in sorted(sequences)]
        if target == "fiftyone":
            results = Path(folder) / "results"
            write(videos, results, "davis", on_overlap)
            _into_dataset(results, str(out))
        else:
            write(videos, Path(out), target, on_overlap)
        notes = [r for name in sorted(sequences) for r in sequences[name].remarks()]
    return Conversion(
        origin,
        target,
        str(out),
        len(videos),
        sum(len(video.frames) for video in videos),
        sum(len(video.object_ids) for video in videos),
        tuple(notes),
    )


def _open(
    source: str | os.PathLike[str], origin: str, folder: Path
) -> dict[str, MaskSequence]:
    if origin != "fiftyone":
        return read(Path(source), origin)
    from evaluation.masks.open import open_ground_truth
    from s3fo.datasets import benchmark_from_dataset, open_dataset

    name, field = _dataset_and_field(str(source))
    benchmark = benchmark_from_dataset(
        open_dataset(name), folder / "labels", field=field
    )
    return dict(open_ground_truth(benchmark).sequences)


def _into_dataset(results: Path, out: str) -> None:
    from s3fo.datasets import add_predictions, open_dataset

    name, field = _dataset_and_field(out)
    add_predictions(open_dataset(name), results, field)


def _dataset_and_field(text: str) -> tuple[str, str]:
    name, colon, field = text.rpartition(":")
    if not (name and colon and field):
        raise InputError(
            repr(text),
            "no dataset and field",
            "DATASET:FIELD, e.g. davis-2017-val:ground_truth",
            "Name both, with a colon between them.",
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
        f"Did you mean {near[0]}?" if near else "Choose one of them.",
    )

"""`object_attributes`: a benchmark's ground truth in, tables of attributes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pandas as pd

from evaluation._utils.names import any_name_in_tables
from evaluation._utils.parallel import run_in_order
from evaluation._utils.progress import ProgressCallback
from evaluation.attributes.appearance import ColourTexture, FeatureExtractor
from evaluation.attributes.definitions import ATTRIBUTES, OFFICIAL
from evaluation.attributes.observe import observe
from evaluation.attributes.summarise import object_frames, summarise_object
from evaluation.attributes.tables import Attributes
from evaluation.attributes.video import (
    NOTHING_ANNOTATED,
    AnnotatedVideo,
    choose_videos,
    odd_masks,
    open_videos,
)
from evaluation.errors import InputError
from evaluation.masks.blanks import blank_between
from evaluation.options import InputOptions

ASSUMED_FPS = 24.0
"""Frames per second where a benchmark does not say: DAVIS'."""

Measured = tuple[pd.DataFrame, list[dict[str, Any]], list[str]]


@any_name_in_tables()
def object_attributes(
    ground_truth: object,
    *,
    images: str | Path | bool | None = None,
    sequences: Collection[str] | None = None,
    extractor: FeatureExtractor | None = None,
    appearance_rate: float = 4.0,
    min_gap: float = 0.05,
    fps: float | None = None,
    options: InputOptions | None = None,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> Attributes:
    """Measure what makes each object of a benchmark hard, from its ground truth.

    >>> import numpy as np
    >>> truth = np.zeros((5, 20, 20), np.uint8)
    >>> truth[:, 5:15, 5:15] = 1
    >>> attributes = object_attributes({"cat": truth})
    >>> float(attributes.objects.loc[0, "size"])  # of the image
    0.25

    Args:
        ground_truth: a benchmark or list of sequences, or bare masks as
            `evaluation.score` takes them, e.g. a folder `<sequence>/<frame>.png`.
        images: beside bare masks, the folder `<root>/<sequence>/<frame>.jpg`; False
            leaves the images of a benchmark alone (no appearance, no scene cuts).
        sequences: names of the sequences wanted; None takes all.
        extractor: describes appearance for the similarities; None uses colour and
            texture histograms.
        appearance_rate: look at appearance at most this often per second.
        min_gap: absences shorter than this many seconds are not counted as such.
        fps: frames per second of the videos, overriding what the sequences say. Of
            bare masks without images, the numbers in their names count the frames.
        options: how masks are read, as for `evaluation.score`; of a ground truth alone
            `binarize` and `void` count.
        workers: threads; None takes one a processor. The result does not depend on
            it.
        progress: called as frames get done.

    Returns:
        Tables `objects` and `frames`, and notes about what could not be measured.

    Raises:
        InputError: no masks, unknown sequence names, broken images, or a rate that is
            not above 0.
    """
    _check_positive("fps", fps)
    _check_positive("appearance_rate", appearance_rate)
    folder = images if isinstance(images, (str, Path)) else None
    opened = open_videos(ground_truth, folder, fps, InputOptions.of(options))
    videos = choose_videos(opened, sequences)
    described = None if images is False else extractor or ColourTexture()

    def job(video: AnnotatedVideo, on_step: Callable[[], None]) -> Measured:
        return measure_video(video, described, appearance_rate, min_gap, fps, on_step)

    sizes = [len(video.annotated_frames) for video in videos]
    return _assemble(run_in_order(job, videos, sizes, workers, progress), described)


def _check_positive(name: str, rate: float | None) -> None:
    if rate is not None and not rate > 0:
        raise InputError(
            name,
            f"{rate}",
            "a number above 0",
            "Leave it out, or give frames per second above 0.",
        )


def measure_video(
    video: AnnotatedVideo,
    extractor: FeatureExtractor | None,
    appearance_rate: float,
    min_gap: float,
    fps: float | None = None,
    on_step: Callable[[], None] = lambda: None,
) -> Measured:
    """Frames table, rows of the objects table and notes of one video."""
    known_fps = fps or getattr(video, "fps", None)
    rate = known_fps or ASSUMED_FPS
    seen = observe(video, rate, extractor, appearance_rate, on_step)
    categories = {
        item.object_id: item.category
        for item in getattr(video, "known_objects", None) or ()
    }
    ids = sorted({*seen.rows, *categories})
    official = getattr(video, "attributes", None)
    neighbours = Counter(categories.values())
    tables, rows = [], []
    for object_id in ids:
        frames = object_frames(seen, object_id)
        tables.append(frames)
        category = categories.get(object_id)
        rows.append(
            {
                "sequence": video.name,
                "object": object_id,
                "category": category,
                "n_objects": len(ids),
                "same_category": neighbours[category] - 1 if category else None,
                "fps": known_fps,
                "n_frames": len(video.frames),
                "descriptor": seen.descriptors.get(object_id),
                "official": None if official is None else tuple(official),
                **summarise_object(frames, seen, video, min_gap),
            }
        )
    # An object that is nowhere gives the columns of a video without objects.
    frames = pd.concat(tables or [object_frames(seen, 0).iloc[:0]], ignore_index=True)
    frames.insert(0, "sequence", video.name)
    notes = [*_notes(video, known_fps, extractor), *seen.notes]
    shown = [
        any(t in own for own in seen.rows.values()) for t in range(len(seen.frames))
    ]
    notes += filter(None, [blank_between(shown)])
    return frames, rows, notes if ids else [*notes, NOTHING_ANNOTATED]


def _notes(
    video: AnnotatedVideo, fps: float | None, extractor: FeatureExtractor | None
) -> list[str]:
    """What could not be measured of a video, or only with an assumption."""
    annotated, all_frames = len(video.annotated_frames), len(video.frames)
    notes = []
    if fps is None:
        notes.append(f"frames per second unknown, {ASSUMED_FPS:g} assumed")
    if annotated == 1:
        notes.append("only one frame annotated: nothing that changes with time")
    elif annotated < all_frames:
        notes.append(
            "not every frame annotated: what happens between annotations is not seen"
        )
    notes += odd_masks(video)
    if extractor is not None and not video.images:
        notes.append("no images: no similarity, no appearance change, no scene cuts")
    return notes


def _assemble(
    results: list[Measured], extractor: FeatureExtractor | None
) -> Attributes:
    """Put the videos' tables together, with columns in their order and types."""
    rows = [row for _, video_rows, _ in results for row in video_rows]
    keys = ["sequence", "object", "descriptor"]
    objects = pd.DataFrame(rows, columns=None if rows else [*keys, "official"])
    descriptors = objects[keys].dropna(ignore_index=True)
    objects = objects.drop(columns="descriptor")
    for attribute in ATTRIBUTES.values():
        if attribute.name not in objects:
            objects[attribute.name] = None
        column = objects[attribute.name]
        if attribute.kind == "tag":
            objects[attribute.name] = column.astype("boolean")
        elif attribute.kind == "bucket":
            objects[attribute.name] = pd.Categorical(
                column, categories=list(attribute.buckets), ordered=True
            )
        elif attribute.kind == "count":
            objects[attribute.name] = pd.to_numeric(column).astype("Int64")
        else:
            objects[attribute.name] = pd.to_numeric(column).astype("float64")
    objects = _with_official(objects)
    notes = Counter(note for *_, video_notes in results for note in video_notes)
    return Attributes(
        objects=objects,
        frames=pd.concat([frames for frames, *_ in results], ignore_index=True),
        descriptors=descriptors,
        notes=tuple(
            f"{note} ({count} of {len(results)} sequences)"
            for note, count in notes.items()
        ),
        extractor=extractor.name if extractor else "none",
    )


def _with_official(objects: pd.DataFrame) -> pd.DataFrame:
    """Official tags beside the computed ones; they are facts of whole sequences."""
    tags = objects.pop("official")
    for tag in sorted({tag for tags_of in tags.dropna() for tag in tags_of}):
        objects[OFFICIAL + tag] = pd.array(
            [pd.NA if own is None else tag in own for own in tags], dtype="boolean"
        )
    return objects

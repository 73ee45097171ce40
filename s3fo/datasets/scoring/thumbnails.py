"""Thumbnails for the grid: of each video the frame in which a method is worst.

First frames, which the grid shows of videos, are always right: their masks are given.
"""

from __future__ import annotations

import io
from pathlib import Path

import fiftyone as fo
from PIL import Image

from evaluation._utils.atomic import write_atomically
from evaluation._utils.cache_dir import user_cache
from evaluation._utils.names import file_name
from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from evaluation.masks.label_map import as_label_map
from evaluation.metrics.worst import worst_position
from evaluation.plots.drawing import frame_picture
from evaluation.plots.thumbnail import frame_thumbnail
from s3fo.datasets.field_names import thumbnail_field
from s3fo.datasets.locking import sole_writer
from s3fo.datasets.parallel import map_ahead
from s3fo.datasets.reading import frame_table, tables
from s3fo.datasets.scoring.from_files import compared_masks
from s3fo.datasets.selection import refuse_parts
from s3fo.datasets.views import appearance as views

_QUALITY = 85


def make_thumbnails(
    dataset: fo.Dataset,
    eval_key: str,
    *,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> int:
    """Draw the worst frame of every video, for the grid.

    The worst frame is the one in which the mean J&F of the objects scored in it is
    lowest; the picture has its hits, misses, false pixels and wrong identities, in the
    colours of error maps. The pictures lie in the cache folder; the field
    ``<eval_key>_thumbnail`` names them, and is one of the dataset's media fields, which
    the App's grid can show instead of the videos. It goes with the evaluation.

    Args:
        dataset: evaluated.
        eval_key: the evaluation.
        workers: threads; None takes one per processor.
        progress: told after each video.

    Returns:
        How many there are: one per scored video.

    Raises:
        InputError: a view, no such evaluation, or files that are gone.
    """
    refuse_parts(dataset, "make thumbnails")
    scored = tables.object_scores(dataset, eval_key).objects
    if scored.empty:
        raise InputError(
            f"evaluation {eval_key!r}",
            "no scored object",
            "at least one",
            "Evaluate the predictions again.",
        )
    videos = dict(zip(scored["sequence"], scored["sample_id"], strict=True))
    made = dataset.get_evaluation_info(eval_key).timestamp
    folder = user_cache("thumbnails", file_name(dataset.name), file_name(eval_key))

    def draw(name: str) -> tuple[str, str]:
        number, score = worst_frame(dataset, eval_key, videos[name])
        # Another name than that of earlier scores: browsers keep what they have seen.
        path = folder / f"{file_name(name)}-{number}-{made:%y%m%d%H%M%S}.jpg"
        _draw(dataset, eval_key, name, number, score, path)
        return name, str(path)

    paths: dict[str, str] = {}
    for name, path in map_ahead(draw, list(videos), workers):
        paths[name] = path
        if progress:
            progress(len(paths), len(videos), name)
    with sole_writer(dataset):
        field = thumbnail_field(eval_key)
        dataset.add_sample_field(field, fo.StringField)
        dataset.clear_sample_field(field)
        dataset.set_values(field, paths, key_field="sequence")
        config = dataset.app_config
        config.media_fields = list(dict.fromkeys([*config.media_fields, field]))
        dataset.save()
        views.apply_defaults(dataset)
    return len(paths)


def worst_frame(
    dataset: fo.Dataset, eval_key: str, sample_id: str
) -> tuple[int, float]:
    """The frame of a video in which the objects' mean J&F is lowest, and that mean.

    Args:
        dataset: evaluated.
        eval_key: the evaluation.
        sample_id: of the video.

    Returns:
        Its number, from 1; 0..1. The first of those that are equally low; 1 and NaN
        where no frame was scored.
    """
    frames = frame_table.object_frames(dataset, eval_key, sample_id)
    frames = frames.dropna(subset=["J", "F"])
    if frames.empty:
        return 1, float("nan")
    means = ((frames["J"] + frames["F"]) / 2).groupby(frames["number"]).mean()
    lowest = worst_position(means)
    return int(means.index.to_list()[lowest]), float(means.iloc[lowest])


def _draw(
    dataset: fo.Dataset,
    eval_key: str,
    sequence: str,
    number: int,
    score: float,
    path: Path,
) -> None:
    video, masks = compared_masks(dataset, eval_key, sequence)
    frame = video.frames[number - 1]
    truth, predicted = masks.read(sequence, frame)
    maps = as_label_map(truth, predicted), as_label_map(predicted, truth)
    image = frame_picture(video.images, frame, maps[0].shape)
    text = f"frame {number}: J&F {score:.3f}"
    buffer = io.BytesIO()
    picture = Image.fromarray(frame_thumbnail(image, *maps, text))
    picture.save(buffer, format="JPEG", quality=_QUALITY)
    write_atomically(path, buffer.getvalue())

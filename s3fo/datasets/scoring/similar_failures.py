"""Failures by their looks: a map of them, and those most alike."""

from __future__ import annotations

import fiftyone as fo
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation._utils.progress import ProgressCallback
from evaluation.attributes.appearance import ColourTexture, FeatureExtractor
from evaluation.attributes.regions import Box, Region, region_of
from evaluation.errors import InputError
from evaluation.failures import ComparedMasks
from evaluation.masks.label_map import LabelMap, as_label_map
from evaluation.plots.drawing import Picture, cut, frame_picture
from evaluation.plots.strip import window_around
from s3fo.benchmarks import VideoSequence
from s3fo.datasets._fiftyone import has_id
from s3fo.datasets.locking import sole_writer
from s3fo.datasets.reading import tables
from s3fo.datasets.reading.cache import cached
from s3fo.datasets.reading.scope import limited_to
from s3fo.datasets.scoring.from_files import compared_masks
from s3fo.datasets.selection import refuse_parts
from s3fo.datasets.views.brain_maps import save_map
from s3fo.datasets.views.failure_maps import failure_map_names

Vectors = NDArray[np.float32]
"""[n, d] descriptors of length 1."""


_REMEDY = (
    "Map the failures: the operator 'Map failures by looks', or "
    "s3fo.datasets.map_similar_failures(dataset, eval_key)."
)


def map_similar_failures(
    dataset: fo.Dataset,
    eval_key: str,
    features: FeatureExtractor | None = None,
    *,
    k: int | None = None,
    method: str = "pca",
    progress: ProgressCallback | None = None,
) -> fo.DatasetView:
    """Describe what failures look like, for the panel Failure map and FiftyOne Brain.

    Each event is described in its worst frame, cut to the object and what was predicted
    for it: half of the descriptor is of these pixels, half of all that is cut out, so
    that the cosine of two is the mean of how alike the objects and the surroundings
    are. There appear

    - the Brain run ``<eval_key>_failure_map``: a point per event, which the panel
      Failure map colours by kind or cost, and FiftyOne's Embeddings panel shows, too
      (that of FiftyOne 1.22 colours points of videos only, not of clips);
    - the Brain run ``<eval_key>_similar_failures``: what `similar_failures` reads, and
      FiftyOne's ``clips.sort_by_similarity`` (which centres the descriptors first);
    - the saved view "<eval_key> failures by looks", the clips that both are about.

    They go when the failures go.

    Args:
        dataset: with failures of the evaluation.
        eval_key: the evaluation.
        features: describes pixels; `s3fo.inference.S3Features()` is S3's vision
            transformer, None is colour and texture.
        k: only the most costly events; None takes all.
        method: of the map: ``"pca"``, ``"tsne"`` or, where installed, ``"umap"``.
        progress: told after each event.

    Returns:
        The clips: one per event, its id that of the event's label.

    Raises:
        InputError: fewer than two events, or files that are gone.
    """
    refuse_parts(dataset, "map failures")
    with limited_to(None):
        events = tables.event_table(dataset, eval_key)
    events = events if k is None else events.head(k)
    if len(events) < 2:
        raise InputError(
            f"evaluation {eval_key!r}",
            f"{len(events)} failure events",
            "at least two",
            "Find failures first: s3fo.find_failures(dataset, eval_key), or the "
            "operator 'Find failures'.",
        )
    found = _describe_all(dataset, eval_key, events, features, progress)
    field = f"{eval_key}_failures"
    view = dataset.filter_labels(field, has_id(list(found)))
    clips = view.to_clips(field, other_fields=["sequence"])
    vectors = np.stack([found[name] for name in clips.values("id")])
    with sole_writer(dataset):
        save_map(dataset, clips, vectors, method=method, **failure_map_names(eval_key))
    return clips


def similar_failures(
    dataset: fo.Dataset, eval_key: str, event: str, k: int | None = 10
) -> pd.DataFrame:
    """The failures that look most like one, itself first.

    Args:
        dataset: with a map of the evaluation's failures (`map_similar_failures`).
        eval_key: the evaluation.
        event: id of the event's label, as in ``<eval_key>_failures``.
        k: how many; None takes all.

    Returns:
        Rows of `tables.event_table` with `similarity`, the cosine, -1..1.

    Raises:
        InputError: there is no map, or it does not have the event.
    """
    alike = failure_similarities(dataset, eval_key, event)
    events = tables.event_table(dataset, eval_key)
    events = events[events["id"].isin(alike)]
    events = events.assign(similarity=events["id"].map(alike))
    ranked = events.sort_values("similarity", ascending=False, ignore_index=True)
    return ranked.head(k) if k is not None else ranked


def failure_similarities(
    dataset: fo.Dataset, eval_key: str, event: str
) -> dict[str, float]:
    """How alike each mapped failure is to one: id of its label -> cosine.

    Raises:
        InputError: there is no map, or it does not have the event.
    """
    key = failure_map_names(eval_key)["index_key"]
    if key not in dataset.list_brain_runs():
        raise _no_map(eval_key)
    made = dataset.get_brain_info(key).timestamp
    ids, vectors = cached(
        dataset, ("failure vectors", key), made, lambda: _load_stored(dataset, key)
    )
    if event not in ids:
        raise InputError(
            f"the map of {eval_key!r}",
            "other events",
            f"event {event}",
            f"Failures were found anew, or only some were mapped. {_REMEDY}",
        )
    cosines = vectors @ vectors[ids.index(event)]
    return dict(zip(ids, cosines.tolist(), strict=True))


def failure_points(
    dataset: fo.Dataset, eval_key: str
) -> dict[str, tuple[float, float]]:
    """Where each mapped failure is on the map: id of its label -> x and y.

    Raises:
        InputError: there is no map.
    """
    key = failure_map_names(eval_key)["map_key"]
    if key not in dataset.list_brain_runs():
        raise _no_map(eval_key)
    made = dataset.get_brain_info(key).timestamp

    def read() -> dict[str, tuple[float, float]]:
        found = dataset.load_brain_results(key, cache=False)
        places = zip(found.sample_ids, found.points.tolist(), strict=True)
        return {str(own): (float(x), float(y)) for own, (x, y) in places}

    return cached(dataset, ("failure points", key), made, read)


def _no_map(eval_key: str) -> InputError:
    return InputError(
        f"evaluation {eval_key!r}",
        "no map of its failures",
        "one that was made earlier",
        _REMEDY,
    )


def has_failure_map(dataset: fo.Dataset, eval_key: str) -> bool:
    """Whether the looks of an evaluation's failures are known."""
    names = failure_map_names(eval_key)
    return names["index_key"] in dataset.list_brain_runs()


def _load_stored(dataset: fo.Dataset, key: str) -> tuple[list[str], Vectors]:
    # Read anew: an index that has sorted has centred its descriptors in place.
    index = dataset.load_brain_results(key, cache=False)
    vectors, ids, _ = index.get_embeddings()
    return [str(own) for own in ids], np.array(vectors, dtype=np.float32)


def _describe_all(
    dataset: fo.Dataset,
    eval_key: str,
    events: pd.DataFrame,
    features: FeatureExtractor | None,
    progress: ProgressCallback | None,
) -> dict[str, Vectors]:
    """The descriptor of each event under the id of its label."""
    extractor = features or ColourTexture()
    found: dict[str, Vectors] = {}
    for name, own in events.groupby("sequence", sort=False):
        video, masks = compared_masks(dataset, eval_key, str(name))
        for event in own.to_dict("records"):
            frame = video.frames[int(event["worst"]) - 1]
            found[event["id"]] = _describe(
                video, masks, frame, int(event["object"]), extractor
            )
            if progress:
                progress(len(found), len(events), str(name))
    return found


def _describe(
    video: VideoSequence,
    masks: ComparedMasks,
    frame: str,
    object_id: int,
    extractor: FeatureExtractor,
) -> Vectors:
    """The descriptor of an object and its prediction in a frame, [d] of length 1."""
    truth, predicted = masks.read(video.name, frame)
    maps = as_label_map(truth, predicted), as_label_map(predicted, truth)
    image = frame_picture(video.images, frame, maps[0].shape)
    vector = crop_descriptor(image, *maps, object_id, extractor)
    return vector


def crop_descriptor(
    image: Picture,
    truth: LabelMap,
    predicted: LabelMap,
    object_id: int,
    extractor: FeatureExtractor,
) -> Vectors:
    """Describe an object, what was predicted for it, and what is around both.

    Args:
        image: [H, W, 3] RGB.
        truth: [H, W] ground truth.
        predicted: [H, W] prediction under the ids of the ground truth.
        object_id: the object.
        extractor: describes regions of an image.

    Returns:
        [d] of length 1: the object's half, then that of all that is cut out.
    """
    window = window_around([(truth, predicted)], object_id)
    crop = np.ascontiguousarray(cut(image, window))
    whole = Region(Box(0, 0, *crop.shape[:2]), np.ones(crop.shape[:2], dtype=bool))
    concerned = (truth == object_id) | (predicted == object_id)
    own = region_of(concerned[window.top : window.bottom, window.left : window.right])
    both = np.concatenate(list(extractor(crop, [own or whole, whole])))
    return np.asarray(both / max(float(np.linalg.norm(both)), 1e-12), np.float32)

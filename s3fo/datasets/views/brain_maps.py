"""Clips in FiftyOne Brain: a map of them by descriptors, and an index of the same."""

from __future__ import annotations

import fiftyone as fo
import fiftyone.brain as fob
import numpy as np
from numpy.typing import NDArray


def save_map(
    dataset: fo.Dataset,
    clips: fo.DatasetView,
    vectors: NDArray[np.float32],
    *,
    map_key: str,
    index_key: str,
    view: str,
    method: str = "pca",
) -> None:
    """Save a map of clips, an index that sorts them by similarity, and their view.

    Args:
        dataset: that the clips are of; earlier runs of the same names are replaced.
        clips: one per label.
        vectors: [len(clips), d], of length 1: their cosine is the similarity.
        map_key: Brain run for the App's Embeddings panel.
        index_key: Brain run for `sort_by_similarity`.
        view: name of the saved view, which both runs are about.
        method: of the map: ``"pca"``, ``"tsne"`` or, where installed, ``"umap"``.
    """
    delete_map(dataset, map_key=map_key, index_key=index_key, view=view)
    fob.compute_visualization(
        clips,
        embeddings=vectors,
        method=method,
        brain_key=map_key,
        **_settings(method, len(vectors)),
    )
    fob.compute_similarity(
        clips,
        embeddings=vectors,
        backend="sklearn",
        metric="cosine",
        brain_key=index_key,
    )
    dataset.save_view(view, clips, overwrite=True)


def delete_map(dataset: fo.Dataset, *, map_key: str, index_key: str, view: str) -> None:
    """Take out what `save_map` saved under these names, as far as it is there."""
    for key in {map_key, index_key} & set(dataset.list_brain_runs()):
        dataset.delete_brain_run(key)
    if dataset.has_saved_view(view):
        dataset.delete_saved_view(view)


def _settings(method: str, count: int) -> dict[str, float]:
    """What a method needs to be told where there are few objects."""
    if method != "tsne":
        return {}
    return {"perplexity": min(30.0, (count - 1) / 3), "pca_dims": min(50, count)}

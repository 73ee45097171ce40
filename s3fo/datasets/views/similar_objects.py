"""Objects by their looks in FiftyOne Brain: a map of them, and the most alike."""

from __future__ import annotations

import fiftyone as fo
import numpy as np
from numpy.typing import NDArray

from evaluation.attributes import Attributes
from evaluation.errors import InputError
from s3fo.datasets._fiftyone import has_id
from s3fo.datasets.views.brain_maps import save_map

MAP, INDEX = "looks", "similar_objects"
"""Names of the Brain runs: the map, and the index that sorts by similarity."""

VIEW = "objects by looks"
"""Saved view of the clips, one per object, that both runs are about."""


def map_similar_objects(
    dataset: fo.Dataset, attributes: Attributes, *, method: str = "pca"
) -> fo.DatasetView:
    """Give FiftyOne Brain a descriptor of every object.

    Descriptors are those the similarities were measured with: the mean over the looks
    at an object, of length 1, so that the index' cosine is `similarity`. Earlier runs
    of the same names are replaced. There appear

    - the Brain run ``looks``: a point per object for the App's Embeddings panel;
    - the Brain run ``similar_objects``: ``clips.sort_by_similarity(clip_id, k=10,
      brain_key="similar_objects")`` has the objects most alike first;
    - the saved view "objects by looks", the clips that both are about.

    Args:
        dataset: made by `load_benchmark`.
        attributes: of the same benchmark, measured with images; from `S3Features` as
            extractor where more than colour and texture should count.
        method: of the map: ``"pca"``, ``"tsne"`` or, where installed, ``"umap"``.

    Returns:
        The clips: one per object, its id that of the object's label.

    Raises:
        InputError: the attributes describe fewer than two of the dataset's objects.
    """
    described = _by_label(dataset, attributes)
    if len(described) < 2:
        raise InputError(
            "attributes",
            f"descriptors of {len(described)} objects of dataset {dataset.name}",
            "of two objects or more",
            "Measure them with images, on the same benchmark.",
        )
    kept = has_id(described)
    clips = dataset.filter_labels("objects", kept).to_clips("objects")
    vectors = np.stack([described[name] for name in clips.values("id")])
    save_map(
        dataset,
        clips,
        vectors,
        map_key=MAP,
        index_key=INDEX,
        view=VIEW,
        method=method,
    )
    return clips


def _by_label(
    dataset: fo.Dataset, attributes: Attributes
) -> dict[str, NDArray[np.float32]]:
    """Descriptor of each object under the id of its label."""
    known = {
        (row["sequence"], row["object"]): row["descriptor"]
        for row in attributes.descriptors.to_dict("records")
    }
    sequences, labels = dataset.values(["sequence", "objects.detections"])
    return {
        span.id: known[sequence, span.index]
        for sequence, spans in zip(sequences, labels, strict=True)
        for span in spans or ()
        if (sequence, span.index) in known
    }

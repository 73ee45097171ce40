"""Labels as MongoDB keeps them, made by hand.

FiftyOne's label classes cost a tenth of a millisecond an object, twice: with millions
of objects that is most of the time of an import.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bson import Binary, ObjectId
from fiftyone.core.utils import serialize_numpy_array
from numpy.typing import NDArray


def detection_document(
    label: str,
    box: Sequence[float],
    index: int,
    instance: ObjectId,
    mask: NDArray[np.bool_] | None = None,
) -> dict[str, object]:
    """One `Detection`.

    Args:
        label: of the object.
        box: ``[x, y, width, height]`` relative to the picture, 0..1.
        index: object id.
        instance: id of the instance that all labels of the object share.
        mask: [h, w] bool, the object inside its box; None keeps the box alone.
    """
    document: dict[str, object] = {
        "_id": ObjectId(),
        "_cls": "Detection",
        "attributes": {},
        "tags": [],
        "label": label,
        "bounding_box": box,
        "index": index,
        "instance": {"_id": instance, "_cls": "Instance"},
    }
    if mask is not None:
        document["mask"] = Binary(serialize_numpy_array(mask))
    return document


def detections_document(detections: list[dict[str, object]]) -> dict[str, object]:
    """The `Detections` of one frame, of what `detection_document` gave."""
    return {"_cls": "Detections", "detections": detections}


def segmentation_document(mask_path: str) -> dict[str, object]:
    """A `Segmentation` that refers to a mask file."""
    return {
        "_id": ObjectId(),
        "_cls": "Segmentation",
        "tags": [],
        "mask_path": mask_path,
    }

"""Checksums of objects, by which a changed ground truth is known where areas stay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.counting.kernels import object_boxes
from evaluation.masks.label_map import LabelMap, object_digest
from evaluation.masks.pairs import Masks


def object_digests(masks: Masks) -> dict[int, int]:
    """Checksum of each object of a frame that has pixels, as `object_digest` gives it.

    >>> import numpy as np
    >>> label_map = np.zeros((6, 6), np.uint8)
    >>> label_map[1:3, 1:3] = 7
    >>> object_digests(label_map) == object_digests({7: label_map == 7})
    True
    >>> object_digests(label_map) == object_digests(np.roll(label_map, 1, axis=1))
    False

    Args:
        masks: a label map [H, W], or object id -> mask [H, W].
    """
    if isinstance(masks, dict):
        found = {
            key: object_digests(mask.view("u1")).get(1) for key, mask in masks.items()
        }
        return {key: digest for key, digest in found.items() if digest is not None}
    ids, boxes = object_boxes(masks)
    return {
        key: object_digest(top, left, masks[top:bottom, left:right] == key)
        for key, (top, bottom, left, right) in zip(
            ids.tolist(), boxes.tolist(), strict=True
        )
    }


def digests_of(label_map: LabelMap, ids: NDArray[np.int64]) -> NDArray[np.uint64]:
    """[n] checksums of objects of a label map, 0 for those that it does not show.

    Args:
        label_map: [H, W].
        ids: [n] of the objects.
    """
    known = object_digests(label_map)
    return np.array([known.get(key, 0) for key in ids.tolist()], np.uint64)

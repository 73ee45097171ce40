"""Appearance of objects: similarity to one another, to the background, over time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.attributes.appearance import (
    FeatureExtractor,
    background_cells,
    eroded,
)
from evaluation.attributes.images import ImageReader
from evaluation.attributes.regions import Region, regions_of
from evaluation.attributes.shots import Histogram, hue_saturation
from evaluation.masks.label_map import LabelMap, Mask

Row = dict[str, Any]


class AppearanceTracker:
    """Appearance of the objects of one video, frame after frame.

    Args:
        extractor: describes regions of an image.
        images: image file by frame name.
        rate: look at most this often per second; appearance changes slowly.
        reader: reads the images.

    Attributes:
        shots: histogram of every image read, by frame name, to find cuts with.
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        images: Mapping[str, Path],
        rate: float,
        reader: ImageReader,
    ) -> None:
        self._reader = reader
        self._extractor = extractor
        self._images = images
        self._pause = 1 / rate
        self._next = -np.inf
        self._first: dict[int, NDArray[np.float32]] = {}
        self._sums: dict[int, NDArray[np.float32]] = {}
        self._pairs: dict[tuple[int, int], list[float]] = defaultdict(list)
        self.shots: dict[str, Histogram] = {}

    def step(
        self,
        frame: str,
        time: float,
        annotation: LabelMap | Mapping[int, Mask],
        shape: tuple[int, int],
    ) -> dict[int, Row]:
        """Look at an annotated frame, if it has an image and a look is due.

        Returns:
            object id -> `similarity` to and id of the most similar other object,
            `background_similarity`, `appearance_change` since the first look.
        """
        if time < self._next - 1e-9 or frame not in self._images:
            return {}
        self._next = time + self._pause
        image = self._reader.read(self._images[frame], shape, self._extractor.side)
        self.shots[frame] = hue_saturation(image)
        return self._describe(image, regions_of(_scale(annotation, image.shape)))

    def similarity(self) -> dict[tuple[int, int], float]:
        """Mean similarity of pairs of objects over the looks that showed both."""
        return {pair: float(np.mean(values)) for pair, values in self._pairs.items()}

    def descriptors(self) -> dict[int, NDArray[np.float32]]:
        """Mean descriptor of each object, length 1."""
        return {
            object_id: total / max(float(np.linalg.norm(total)), 1e-12)
            for object_id, total in self._sums.items()
        }

    def _describe(
        self, image: NDArray[np.uint8], regions: Mapping[int, Region]
    ) -> dict[int, Row]:
        ids = list(regions)
        cells = background_cells(image.shape[:2], list(regions.values()))
        descriptors = self._extractor(
            image, [*(eroded(regions[key]) for key in ids), *cells]
        )
        objects, background = descriptors[: len(ids)], descriptors[len(ids) :]
        similarity = objects @ objects.T
        rows: dict[int, Row] = {}
        for index, object_id in enumerate(ids):
            mine = objects[index]
            self._sums[object_id] = self._sums.get(object_id, 0) + mine
            first = self._first.setdefault(object_id, mine)
            rows[object_id] = {
                "appearance_change": 1 - float(first @ mine),
                **self._nearest(ids, index, similarity[index]),
            }
            if len(background):
                rows[object_id]["background_similarity"] = float(
                    (background @ mine).max()
                )
        return rows

    def _nearest(
        self, ids: Sequence[int], index: int, similarity: NDArray[np.float32]
    ) -> Row:
        """The most similar other object of the frame; remembers all pairs."""
        best: Row = {}
        for other, value in enumerate(similarity.tolist()):
            if other == index:
                continue
            self._pairs[ids[index], ids[other]].append(value)
            if value > best.get("similarity", -np.inf):
                best = {"similarity": value, "similar_to": ids[other]}
        return best


def _scale(
    annotation: LabelMap | Mapping[int, Mask], shape: Sequence[int]
) -> LabelMap | dict[int, Mask]:
    """The annotation at an image's size, nearest pixel."""
    size = (shape[1], shape[0])
    if isinstance(annotation, Mapping):
        return {
            object_id: cv2.resize(
                mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST
            )
            > 0
            for object_id, mask in annotation.items()
        }
    small = cv2.resize(annotation, size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(small, dtype=annotation.dtype)

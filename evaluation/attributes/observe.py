"""One walk through a video: everything that can be said frame by frame.

The walk keeps a second of history per object and nothing else, so memory does not
grow with the length of the video.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.attributes.appearance import FeatureExtractor
from evaluation.attributes.appearance_tracker import AppearanceTracker
from evaluation.attributes.geometry import border_contact, shape_of
from evaluation.attributes.images import ImageReader
from evaluation.attributes.motion import Motion
from evaluation.attributes.occlusion import box_overlap, contact
from evaluation.attributes.regions import Region, regions_of
from evaluation.attributes.shots import scene_cuts
from evaluation.attributes.video import AnnotatedVideo, read_objects
from evaluation.masks.label_map import LabelMap, Mask

Row = dict[str, Any]


@dataclass
class Observations:
    """What a walk through one video has seen.

    Attributes:
        frames: names of the annotated frames.
        positions: their indices among all frames of the video.
        fps: frames per second of the video.
        rows: per object id, one row per annotated frame in which it is visible,
            by index into `frames`.
        cuts: indices (among all frames) of the first frame of each new shot; None
            without images.
        similarity: mean similarity of two objects over the frames showing both.
        descriptors: mean descriptor of each object.
        notes: what was odd about the images.
    """

    frames: list[str]
    positions: NDArray[np.int64]
    fps: float
    rows: dict[int, dict[int, Row]] = field(default_factory=lambda: defaultdict(dict))
    cuts: list[int] | None = None
    similarity: dict[tuple[int, int], float] = field(default_factory=dict)
    descriptors: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @cached_property
    def times(self) -> NDArray[np.float64]:
        """Seconds from the start of the video, of each annotated frame."""
        return self.positions / self.fps


def observe(
    video: AnnotatedVideo,
    fps: float,
    extractor: FeatureExtractor | None,
    appearance_rate: float,
    on_step: Callable[[], None],
) -> Observations:
    """Measure every visible object in every annotated frame.

    Args:
        video: the video with its ground truth.
        fps: frames per second of `video.frames`.
        extractor: describes appearance; None leaves images alone.
        appearance_rate: look at appearance at most this often per second.
        on_step: called once per annotated frame; may raise to stop.
    """
    position = {frame: index for index, frame in enumerate(video.frames)}
    annotated = list(video.annotated_frames)
    positions = np.array([position[frame] for frame in annotated], dtype=np.int64)
    seen = Observations(annotated, positions, fps)
    motion = Motion()
    looks, reader = None, ImageReader()
    if extractor and video.images:
        looks = AppearanceTracker(extractor, video.images, appearance_rate, reader)
    shape: tuple[int, int] | None = None
    for index, (frame, time) in enumerate(zip(annotated, seen.times, strict=True)):
        on_step()
        annotation = read_objects(video, frame)
        shape = _shape_of_annotation(annotation, shape)
        if shape is None:
            continue
        regions = regions_of(annotation)
        rows = frame_rows(regions, shape)
        appearance = looks.step(frame, time, annotation, shape) if looks else {}
        for object_id, row in rows.items():
            moved = motion.step(object_id, regions[object_id], time, shape)
            seen.rows[object_id][index] = row | moved | appearance.get(object_id, {})
    if looks is not None and shape is not None:
        seen.similarity, seen.descriptors = looks.similarity(), looks.descriptors()
        seen.cuts = scene_cuts(
            video.frames, video.images, fps, shape, looks.shots, reader
        )
    seen.notes = reader.notes
    return seen


def frame_rows(regions: Mapping[int, Region], shape: tuple[int, int]) -> dict[int, Row]:
    """What one annotated frame says about each of its objects.

    Args:
        regions: the visible objects by id.
        shape: (height, width) of the frame.

    Returns:
        object id -> area (pixels), checksum of the pixels, box and centroid (0..1 of
        the frame's sides), border contact, shape, box overlap, contact, crowdedness,
        neighbours.
    """
    height, width = shape
    diagonal = float(np.hypot(height, width))
    rows = {}
    for object_id, region in regions.items():
        others = [other for key, other in regions.items() if key != object_id]
        box, (row, column) = region.box, region.centroid
        around = box.doubled()
        crowd = sum(other.box.intersection(around).area for other in others)
        rows[object_id] = {
            "area": region.area,
            "digest": region.digest,
            "area_fraction": region.area / (height * width),
            "box_x": box.left / width,
            "box_y": box.top / height,
            "box_width": box.width / width,
            "box_height": box.height / height,
            "centroid_x": (column + 0.5) / width,
            "centroid_y": (row + 0.5) / height,
            "border_contact": border_contact(region, shape),
            "box_overlap": box_overlap(region, others),
            "contact": contact(region, others, diagonal),
            "crowdedness": crowd / around.area,
            "neighbours": len(others),
            **shape_of(region.normalised),
        }
    return rows


def _shape_of_annotation(
    annotation: LabelMap | Mapping[int, Mask], known: tuple[int, int] | None
) -> tuple[int, int] | None:
    """(height, width); an annotation without any object mask tells none."""
    if isinstance(annotation, Mapping):
        mask = next(iter(annotation.values()), None)
        return known if mask is None else (mask.shape[0], mask.shape[1])
    return annotation.shape[0], annotation.shape[1]

"""`VideoSequence`: the one description of a video that everything downstream takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class VideoObject:
    """One annotated object of a sequence.

    Attributes:
        object_id: pixel value in the label maps, at least 1.
        first_frame: name of the frame in which it first appears.
        category: what it is, where the benchmark says so.
    """

    object_id: int
    first_frame: str
    category: str | None = None


@dataclass(frozen=True)
class VideoSequence:
    """One video of a benchmark: frames, annotations, objects.

    Attributes:
        name: unique within the benchmark.
        frames: frame names (file stems) in playing order.
        images: image file of each frame.
        annotations: index-mask file of each annotated frame (may be fewer).
        objects: the annotated objects, sorted by id.
        fps: frames per second of `frames`; None when unknown.
        attributes: official attribute tags of the sequence, if there are any.
    """

    name: str
    frames: tuple[str, ...]
    images: Mapping[str, Path]
    annotations: Mapping[str, Path]
    objects: tuple[VideoObject, ...] = ()
    fps: float | None = None
    attributes: tuple[str, ...] = field(default=())

"""Small videos drawn on the spot: ellipses that move, hide and change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np

Ellipse = tuple[float, float, float, float]
"""Centre x, centre y, half width, half height; fractions of frame width and height
(half width and half height both of the height)."""

Path_ = Callable[[int], Ellipse | None]
"""Where an object is in frame t; None where it is not."""


@dataclass(frozen=True)
class DrawnVideo:
    """A video in memory, with what attributes ask of a video."""

    name: str
    label_maps: Mapping[str, np.ndarray]
    frames: Sequence[str]
    images: Mapping[str, Path] = field(default_factory=dict)
    fps: float | None = 24.0
    attributes: tuple[str, ...] | None = None
    known_objects: Sequence[SimpleNamespace] | None = None

    @property
    def annotated_frames(self) -> list[str]:
        return [frame for frame in self.frames if frame in self.label_maps]

    def read_annotation(self, frame: str) -> np.ndarray:
        return self.label_maps[frame]

    def every(self, step: int) -> DrawnVideo:
        """The video at a step-th of its frame rate."""
        frames = list(self.frames)[::step]
        return replace(
            self,
            frames=frames,
            label_maps={frame: self.label_maps[frame] for frame in frames},
            images={f: path for f, path in self.images.items() if f in frames},
            fps=None if self.fps is None else self.fps / step,
        )

    def annotated_only(self, frames: Sequence[str]) -> DrawnVideo:
        """The video with ground truth in some frames only."""
        return replace(self, label_maps={f: self.label_maps[f] for f in frames})


def draw(
    objects: Mapping[int, Path_],
    length: int,
    size: tuple[int, int] = (180, 320),
    name: str = "video",
    walls: Sequence[Path_] = (),
) -> DrawnVideo:
    """Draw label maps; later objects lie over earlier ones, walls over all."""
    label_maps = {}
    for t in range(length):
        label_map = np.zeros(size, np.uint8)
        for object_id, path in [*objects.items(), *((0, wall) for wall in walls)]:
            place = path(t)
            if place is not None:
                ellipse(label_map, place, object_id)
        label_maps[f"{t:05d}"] = label_map
    return DrawnVideo(name, label_maps, list(label_maps))


def ellipse(canvas: np.ndarray, place: Ellipse, value: int | tuple) -> None:
    """Fill an ellipse, with sub-pixel precision."""
    height, width = canvas.shape[:2]
    x, y, half_width, half_height = place
    rows, columns = np.ogrid[:height, :width]
    inside = ((columns + 0.5 - x * width) / (half_width * height)) ** 2 + (
        (rows + 0.5 - y * height) / (half_height * height)
    ) ** 2 <= 1
    canvas[inside] = value


def paint(
    video: DrawnVideo,
    folder: Path,
    colours: Mapping[int, tuple[int, int, int]],
    seed: int = 0,
) -> DrawnVideo:
    """Write noisy images of a drawn video, every object in its colour (RGB)."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    images = {}
    for frame in video.frames:
        label_map = video.label_maps[frame]
        image = np.full((*label_map.shape, 3), colours[0], np.int16)
        for object_id, colour in colours.items():
            image[label_map == object_id] = colour
        image += rng.integers(-12, 13, image.shape, dtype=np.int16)
        path = folder / f"{frame}.png"
        cv2.imwrite(str(path), image.clip(0, 255).astype(np.uint8)[..., ::-1])
        images[frame] = path
    return replace(video, images=images)


def still(x: float, y: float, half: float) -> Path_:
    """A disk that stays where it is."""
    return lambda t: (x, y, half, half)


def travel(start: float, speed: float, y: float, half: float) -> Path_:
    """A disk moving to the right by `speed` frame widths a frame."""
    return lambda t: (start + speed * t, y, half, half)


def during(path: Path_, shown: Callable[[int], bool]) -> Path_:
    """The same, but only in some frames."""
    return lambda t: path(t) if shown(t) else None

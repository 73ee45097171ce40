"""Actors before a background, and how one frame of them is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

# Coverage of a pixel is measured on this many sub-pixels in each direction.
_SUBPIXELS = 4
_FIXED_POINT_BITS = 4


@dataclass(frozen=True)
class Outline:
    """A closed wobbly curve r(angle) = 1 + sum of harmonics, or a long bar.

    Attributes:
        amplitudes: [N] size of each harmonic (from the second on).
        phases: [N] radians.
        stretch: width and height of the unit shape are multiplied by this.
        square: draw a rectangle instead.
    """

    amplitudes: np.ndarray
    phases: np.ndarray
    stretch: tuple[float, float] = (1.0, 1.0)
    square: bool = False

    def points(self, deformation: float) -> np.ndarray:
        """The curve as a polygon, [M, 2] (x, y) around (0, 0), about 1 in radius.

        Args:
            deformation: radians by which the harmonics have turned against each
                other; 0 is the shape at rest.
        """
        if self.square:
            corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
            return corners * self.stretch
        angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
        order = np.arange(2, 2 + len(self.amplitudes))
        turned = self.phases + deformation * np.where(order % 2, 1.0, -0.7)
        waves = self.amplitudes * np.cos(angle[:, None] * order + turned)
        radius = np.maximum(1 + waves.sum(axis=1), 0.2)
        circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return circle * radius[:, None] * self.stretch


@dataclass(frozen=True)
class Motion:
    """Where an actor is in every frame; in between, on a straight line.

    Attributes:
        x: [T] column of its centre, pixels.
        y: [T] row of its centre, pixels.
        radius: [T] pixels.
        angle: [T] radians.
        deformation: [T] radians, see `Outline.points`.
    """

    x: np.ndarray
    y: np.ndarray
    radius: np.ndarray
    angle: np.ndarray
    deformation: np.ndarray

    def at(self, time: float) -> tuple[float, float, float, float, float]:
        """(x, y, radius, angle, deformation) at a time in frames."""
        frames = np.arange(len(self.x))
        values = (self.x, self.y, self.radius, self.angle, self.deformation)
        x, y, radius, angle, deformation = (
            float(np.interp(time, frames, value)) for value in values
        )
        return x, y, radius, angle, deformation


@dataclass(frozen=True)
class Actor:
    """Something that moves through the scene.

    Attributes:
        object_id: its id in the masks; 0 for what nobody annotates (distractors,
            occluders).
        outline: its shape.
        texture: [S, S, 3] uint8, covers the shape and moves with it.
        motion: where it is.
    """

    object_id: int
    outline: Outline
    texture: np.ndarray
    motion: Motion

    def polygon(self, time: float) -> np.ndarray:
        """Its outline in the frame, [M, 2] (x, y) pixels."""
        x, y, radius, angle, deformation = self.motion.at(time)
        cos, sin = np.cos(angle) * radius, np.sin(angle) * radius
        turn = np.array([[cos, sin], [-sin, cos]])
        return self.outline.points(deformation) @ turn + (x, y)


@dataclass(frozen=True)
class Scene:
    """A video before it is drawn.

    Attributes:
        name: name of the sequence.
        size: (height, width), pixels.
        length: frames.
        background: [H', W', 3] uint8, larger than the frame.
        camera: [length, 2] offset (x, y) of the frame in the background, pixels.
        actors: far ones first.
        light: [length] brightness factor.
        shutter: fraction of a frame's time during which light falls in (motion
            blur); 0 is an instant.
        antialias: soft edges in the frames (masks are always hard).
        noise: standard deviation of the sensor noise, grey levels.
        factors: what this video was made to show, kept as ground truth.
    """

    name: str
    size: tuple[int, int]
    length: int
    background: np.ndarray
    camera: np.ndarray
    actors: tuple[Actor, ...]
    light: np.ndarray
    shutter: float = 0.0
    antialias: bool = True
    noise: float = 2.0
    factors: dict[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Extent:
    """How much of an object a frame shows, pixels.

    Attributes:
        visible: pixels of its mask.
        in_frame: pixels it would have if nothing stood before it.
        whole: pixels it would have if the frame had no borders either.
    """

    visible: int
    in_frame: int
    whole: int


def render(
    scene: Scene, index: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, dict[int, Extent]]:
    """Draw one frame.

    Returns:
        image [H, W, 3] uint8 RGB, label map [H, W] uint8 and the extent of each
        object. A pixel belongs to an object that covers at least half of it, at the
        middle of the exposure.
    """
    coverages = [_coverage(actor, index, scene.size) for actor in scene.actors]
    label_map = np.zeros(scene.size, np.uint8)
    extents: dict[int, Extent] = {}
    for actor, coverage in zip(scene.actors, coverages, strict=True):
        label_map[coverage.window][coverage.inside] = actor.object_id
    for actor, coverage in zip(scene.actors, coverages, strict=True):
        if actor.object_id:
            visible = int((label_map == actor.object_id).sum())
            in_frame = int(coverage.inside.sum())
            extents[actor.object_id] = Extent(visible, in_frame, coverage.whole)
    image = _expose(scene, index)
    image *= float(scene.light[index])
    grain = rng.standard_normal(scene.size, np.float32) * np.float32(scene.noise)
    image += grain[..., None]
    # Rounds and clips to 0..255.
    return cv2.convertScaleAbs(np.maximum(image, 0, out=image)), label_map, extents


def _expose(scene: Scene, index: int) -> np.ndarray:
    """The picture [H, W, 3] float32, averaged over the exposure."""
    if scene.shutter <= 0:
        return _draw(scene, index)
    offsets = (np.arange(7) / 6 - 0.5) * scene.shutter
    picture = sum(_draw(scene, index + offset) for offset in offsets)
    return np.asarray(picture / np.float32(len(offsets)), np.float32)


def _draw(scene: Scene, time: float) -> np.ndarray:
    """The picture [H, W, 3] float32 at an instant."""
    frames = np.arange(scene.length)
    x, y = (float(np.interp(time, frames, axis)) for axis in scene.camera.T)
    height, width = scene.size
    shift = np.array([[1, 0, x], [0, 1, y]], float)
    picture = cv2.warpAffine(
        scene.background,
        shift,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    ).astype(np.float32)
    for actor in scene.actors:
        coverage = _coverage(actor, time, scene.size)
        if coverage.alpha.size:
            alpha = coverage.alpha if scene.antialias else coverage.inside
            patch = _texture_patch(actor, time, coverage)
            part = picture[coverage.window]
            part += (patch - part) * alpha[..., None].astype(np.float32)
    return picture


@dataclass(frozen=True)
class _Coverage:
    """The part of the frame an actor touches.

    Attributes:
        window: rows and columns of that part.
        alpha: [h, w] float32, covered fraction of each of its pixels.
        whole: covered pixels, those outside the frame included.
    """

    window: tuple[slice, slice]
    alpha: np.ndarray
    whole: int

    @property
    def inside(self) -> np.ndarray:
        """[h, w] bool: at least half covered."""
        return self.alpha >= 0.5


def _coverage(actor: Actor, time: float, size: tuple[int, int]) -> _Coverage:
    polygon = actor.polygon(time)
    left, top = np.floor(polygon.min(axis=0)).astype(int) - 1
    right, bottom = np.ceil(polygon.max(axis=0)).astype(int) + 2
    fine = np.zeros(
        ((bottom - top) * _SUBPIXELS, (right - left) * _SUBPIXELS), np.uint8
    )
    # Sub-pixel i has its centre at (i + 0.5) / _SUBPIXELS - 0.5 of a pixel.
    corners = (polygon - (left, top) + 0.5) * _SUBPIXELS - 0.5
    fixed = np.round(corners * 2**_FIXED_POINT_BITS).astype(np.int32)
    cv2.fillPoly(fine, [fixed], 255, shift=_FIXED_POINT_BITS)
    rows, columns = bottom - top, right - left
    alpha = cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_AREA)
    alpha = alpha.astype(np.float32) / 255
    y0, y1 = (int(np.clip(edge, 0, size[0])) for edge in (top, bottom))
    x0, x1 = (int(np.clip(edge, 0, size[1])) for edge in (left, right))
    seen = alpha[y0 - top : y1 - top, x0 - left : x1 - left]
    if y0 == y1 or x0 == x1:
        seen = alpha[:0, :0]
        y1, x1 = y0, x0
    return _Coverage((slice(y0, y1), slice(x0, x1)), seen, int((alpha >= 0.5).sum()))


def _texture_patch(actor: Actor, time: float, coverage: _Coverage) -> np.ndarray:
    """The actor's texture [h, w, 3] float32 as it lies in its window."""
    x, y, radius, angle, _ = actor.motion.at(time)
    side = actor.texture.shape[0]
    # The texture spans 2.8 radii, so that wobbling outlines stay within it.
    scale = side / (2.8 * radius)
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    rows, columns = coverage.window
    dx, dy = columns.start - x, rows.start - y
    to_texture = np.array(
        [
            [cos, sin, cos * dx + sin * dy + side / 2],
            [-sin, cos, -sin * dx + cos * dy + side / 2],
        ]
    )
    return cv2.warpAffine(
        actor.texture,
        to_texture,
        (columns.stop - columns.start, rows.stop - rows.start),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    ).astype(np.float32)

"""Random geometry and colour for training clips, in numpy and OpenCV.

All geometry of a frame (sequence transform, frame transform, resize, crop) is one
affine matrix and so one interpolation; content that an intermediate canvas would have
cut away may therefore stay visible, which is the only difference from a chain of
separate transforms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

MEAN_COLOUR = (124, 116, 104)  # RGB, of ImageNet
_GREY = np.array([0.299, 0.587, 0.114], np.float32)


def identity() -> np.ndarray:
    """The 3 x 3 affine matrix that moves nothing."""
    return np.eye(3)


def flip(width: int) -> np.ndarray:
    """Mirror an image of `width` pixels from left to right."""
    return np.array([[-1.0, 0, width - 1], [0, 1, 0], [0, 0, 1]])


def random_affine(
    rng: Generator,
    size: tuple[int, int],
    *,
    degrees: float = 0.0,
    shear: float = 0.0,
    scale: tuple[float, float] = (1.0, 1.0),
    shift: float = 0.0,
) -> np.ndarray:
    """Random rotation, shear, scale about the centre, and shift.

    Args:
        rng: source of randomness.
        size: (height, width) of the canvas, for the centre.
        degrees: largest rotation.
        shear: largest shear angle along x, in degrees.
        scale: range of the scale factor.
        shift: largest translation, as a share of the canvas.

    Returns:
        3 x 3 matrix, source to target pixel coordinates (x, y, 1).
    """
    angle = math.radians(rng.uniform(-degrees, degrees))
    slant = math.tan(math.radians(rng.uniform(-shear, shear)))
    factor = rng.uniform(*scale)
    dx, dy = rng.uniform(-shift, shift, 2) * (size[1], size[0])
    return affine(size, angle, slant, factor, dx, dy)


def affine(
    size: tuple[int, int],
    angle: float,
    slant: float,
    factor: float,
    dx: float,
    dy: float,
) -> np.ndarray:
    """Rotate (radians), shear and scale about the centre of (H, W), then shift."""
    cx, cy = (size[1] - 1) / 2, (size[0] - 1) / 2
    cos, sin = math.cos(angle), math.sin(angle)
    linear = factor * np.array([[cos, -sin], [sin, cos]]) @ [[1, slant], [0, 1]]
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = np.array([cx + dx, cy + dy]) - linear @ [cx, cy]
    return matrix


def crop(x: float, y: float, width: float, height: float, size: int) -> np.ndarray:
    """Map the box (x, y, width, height) in pixels onto a `size` x `size` square."""
    sx, sy = size / width, size / height
    # Pixel centres: the box edge x - 0.5 becomes the square's edge -0.5.
    return np.array(
        [
            [sx, 0, (0.5 - x) * sx - 0.5],
            [0, sy, (0.5 - y) * sy - 0.5],
            [0, 0, 1],
        ]
    )


def random_resized_crop(
    rng: Generator,
    size: tuple[int, int],
    side: int,
    scale: tuple[float, float],
    ratio: tuple[float, float] = (3 / 4, 4 / 3),
) -> np.ndarray:
    """A box of random area and aspect, mapped onto a square of `side` pixels.

    Args:
        rng: source of randomness.
        size: (height, width) of the image.
        side: of the square, in pixels.
        scale: range of the box area, as a share of the image.
        ratio: range of width / height (log-uniform).
    """
    height, width = size
    for _ in range(10):
        area = height * width * rng.uniform(*scale)
        aspect = math.exp(rng.uniform(math.log(ratio[0]), math.log(ratio[1])))
        w, h = math.sqrt(area * aspect), math.sqrt(area / aspect)
        if w <= width and h <= height:
            return crop(
                rng.uniform(0, width - w), rng.uniform(0, height - h), w, h, side
            )
    w = min(width, height * ratio[1])
    h = min(height, width / ratio[0])
    return crop((width - w) / 2, (height - h) / 2, w, h, side)


def resize_and_crop(rng: Generator, size: tuple[int, int], side: int) -> np.ndarray:
    """Short side to `side` pixels, then a random square of that side."""
    short = min(size)
    x, y = rng.uniform(0, size[1] - short), rng.uniform(0, size[0] - short)
    return crop(x, y, short, short, side)


def warp_image(
    image: np.ndarray,
    matrix: np.ndarray,
    side: int,
    fill: tuple[int, int, int] = MEAN_COLOUR,
) -> np.ndarray:
    """Bilinear warp of an RGB image [H, W, 3] uint8 to [side, side, 3]."""
    return cv2.warpAffine(
        image,
        matrix[:2],
        (side, side),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=fill,
    )


def warp_labels(labels: np.ndarray, matrix: np.ndarray, side: int) -> np.ndarray:
    """Nearest-neighbour warp of a label map [H, W] to [side, side], 0 outside."""
    return cv2.warpAffine(labels, matrix[:2], (side, side), flags=cv2.INTER_NEAREST)


def warp_soft(mask: np.ndarray, matrix: np.ndarray, side: int) -> np.ndarray:
    """Bilinear warp of a mask [H, W] float32 in 0..1, 0 outside."""
    return cv2.warpAffine(mask, matrix[:2], (side, side), flags=cv2.INTER_LINEAR)


def spline_map(
    rng: Generator, side: int, points: int = 12, sigma: float = 0.02
) -> tuple[np.ndarray, np.ndarray]:
    """A random thin-plate-spline warp as the two maps `cv2.remap` takes.

    Control points sit at random places of a regular grid and are displaced by
    N(0, sigma) of the side.

    Returns:
        x and y source coordinates, [side, side] float32 each.
    """
    coarse = 25
    chosen = rng.choice(coarse * coarse, points, replace=False)
    centres = np.stack([chosen % coarse, chosen // coarse], 1) / (coarse - 1)
    shift = rng.normal(0, sigma, (points, 2))
    system = np.zeros((points + 3, points + 3))
    system[:points, :points] = _spline_kernel(centres, centres)
    system[:points, points:] = np.c_[np.ones(points), centres]
    system[points:, :points] = system[:points, points:].T
    target = np.vstack([shift, np.zeros((3, 2))])
    weights = np.linalg.solve(system + 1e-9 * np.eye(points + 3), target)
    # The displacement is smooth: it is evaluated on a coarse grid and enlarged.
    axis = (np.arange(coarse) + 0.5) / coarse
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    field = _spline_kernel(grid, centres) @ weights[:points]
    field += np.c_[np.ones(len(grid)), grid] @ weights[points:]
    field = (field.reshape(coarse, coarse, 2) * side).astype(np.float32)
    field = cv2.resize(field, (side, side), interpolation=cv2.INTER_LINEAR)
    x, y = np.meshgrid(np.arange(side, dtype=np.float32), np.arange(side))
    return x + field[..., 0], y.astype(np.float32) + field[..., 1]


def remap(
    values: np.ndarray,
    maps: tuple[np.ndarray, np.ndarray],
    *,
    nearest: bool = False,
    fill: tuple[int, int, int] | int = 0,
) -> np.ndarray:
    """Apply the maps of :func:`spline_map` to an image or a label map."""
    method = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    return cv2.remap(
        values, *maps, method, borderMode=cv2.BORDER_CONSTANT, borderValue=fill
    )


@dataclass(frozen=True)
class ColourJitter:
    """Ranges of a colour jitter: factors are drawn from 1 - x .. 1 + x.

    Attributes:
        brightness: range of the factor on the values.
        contrast: range of the factor on the distance to the mean grey.
        saturation: range of the factor on the distance to each pixel's grey.
        hue: largest hue shift, as a share of the colour circle.
    """

    brightness: float
    contrast: float
    saturation: float
    hue: float = 0.0

    def matrix(self, rng: Generator) -> tuple[np.ndarray, float]:
        """A random draw: a 3 x 3 colour matrix and the contrast factor."""
        light = 1 + rng.uniform(-self.brightness, self.brightness)
        contrast = 1 + rng.uniform(-self.contrast, self.contrast)
        colour = 1 + rng.uniform(-self.saturation, self.saturation)
        matrix = light * (
            colour * np.eye(3) + (1 - colour) * np.ones((3, 1)) * _GREY[None]
        )
        if self.hue:
            matrix = _hue_rotation(rng.uniform(-self.hue, self.hue)) @ matrix
        return matrix, contrast


def grey_matrix() -> np.ndarray:
    """The colour matrix that removes all colour."""
    return np.ones((3, 1)) * _GREY[None].astype(float)


def recolour(
    image: np.ndarray, matrix: np.ndarray, contrast: float = 1.0
) -> np.ndarray:
    """Apply a colour matrix, then a contrast about the mean grey, to RGB uint8."""
    full = np.zeros((3, 4))
    full[:, :3] = contrast * matrix
    if contrast != 1.0:
        mean = float(_GREY @ (matrix @ np.array(cv2.mean(image)[:3])))
        full[:, 3] = (1 - contrast) * mean
    return cv2.transform(image, full)


def _hue_rotation(turn: float) -> np.ndarray:
    """Rotate colours about the grey axis by `turn` of the circle (in YIQ)."""
    cos, sin = math.cos(2 * math.pi * turn), math.sin(2 * math.pi * turn)
    to_yiq = np.array(
        [[0.299, 0.587, 0.114], [0.596, -0.274, -0.321], [0.211, -0.523, 0.311]]
    )
    rotation = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    return np.linalg.inv(to_yiq) @ rotation @ to_yiq


def _spline_kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    squared = ((a[:, None] - b[None]) ** 2).sum(-1)
    return 0.5 * squared * np.log(squared + 1e-12)

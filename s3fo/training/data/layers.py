"""Still images as moving layers, and how layers lie over one another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator

from s3fo.training.data import augmentation as aug
from s3fo.training.data.augmentation import ColourJitter
from s3fo.training.data.sources import StillImage


class ClipRequest(NamedTuple):
    """What the loop asks a clip maker for.

    Attributes:
        number: running number of the clip; all its randomness follows from it.
        progress: how far training is, 0..1.
        num_objects: the most objects it may hold.
        num_frames: T.
        side: S, in pixels.
    """

    number: int
    progress: float
    num_objects: int
    num_frames: int
    side: int


@dataclass(frozen=True)
class StillStyle:
    """How still images become moving layers; defaults are those of S3's stage 1.

    Attributes:
        sequence_scale: scale of an image, the same in all frames.
        frame_degrees: rotation, of every frame anew; likewise the next two.
        frame_scale: scale.
        frame_shear: shear in degrees.
        frame_shift: translation, as a share of the side.
        spline_probability: chance of a thin-plate-spline warp, per frame.
        spline_sigma: standard deviation of its displacements, share of the side.
        part_probability: chance that one mask value is the object instead of all.
        occluder_probability: chance that a pasted object carries no label.
        most_pasted: most pasted images, beyond those that make objects.
        sequence_colour: colour jitter, the same in all frames.
        frame_colour: colour jitter, of every frame anew.
        grey_probability: chance that the sequence has no colour.
    """

    sequence_scale: tuple[float, float] = (0.5, 2.0)
    frame_degrees: float = 20.0
    frame_scale: tuple[float, float] = (0.5, 2.0)
    frame_shear: float = 10.0
    frame_shift: float = 0.0
    spline_probability: float = 0.33
    spline_sigma: float = 0.02
    part_probability: float = 0.0
    occluder_probability: float = 0.0
    most_pasted: int = 0
    sequence_colour: ColourJitter = field(
        default_factory=lambda: ColourJitter(0.1, 0.05, 0.05, 0.05)
    )
    frame_colour: ColourJitter = field(
        default_factory=lambda: ColourJitter(0.1, 0.05, 0.05)
    )
    grey_probability: float = 0.05


class Layer(NamedTuple):
    """An image that moves: frames [T, S, S, 3] uint8, masks [T, S, S] float32."""

    frames: np.ndarray
    masks: np.ndarray


def still_layer(
    rng: Generator, still: StillImage, style: StillStyle, request: ClipRequest
) -> Layer:
    """A still image as a moving layer of `request.num_frames` frames."""
    image, labels = still.read()
    soft = choose_object(rng, labels, style.part_probability)
    size, side = labels.shape, request.side
    sequence = aug.random_affine(rng, size, scale=style.sequence_scale)
    if rng.random() < 0.5:
        sequence = sequence @ aug.flip(size[1])
    colour = draw_colour(rng, style.sequence_colour, style.grey_probability)
    frames, masks = [], []
    for _ in range(request.num_frames):
        moved = aug.random_affine(
            rng,
            size,
            degrees=style.frame_degrees,
            scale=style.frame_scale,
            shear=style.frame_shear,
            shift=style.frame_shift,
        )
        matrix = aug.resize_and_crop(rng, size, side) @ moved @ sequence
        frame = aug.warp_image(image, matrix, side)
        mask = aug.warp_soft(soft, matrix, side)
        if rng.random() < style.spline_probability:
            maps = aug.spline_map(rng, side, sigma=style.spline_sigma)
            frame = aug.remap(frame, maps, fill=aug.MEAN_COLOUR)
            mask = aug.remap(mask, maps)
        frames.append(colour_frame(rng, frame, colour, style.frame_colour))
        masks.append(mask)
    return Layer(np.stack(frames), np.stack(masks))


def moving_layer(frames: np.ndarray, labels: np.ndarray) -> Layer:
    """The objects of a clip, frames and labels [T, S, S(, 3)], as one moving layer.

    The masks are blurred (5 x 5, sigma 1), so that no hard edge gives them away.
    """
    hard = (labels > 0).astype(np.float32)
    soft = [cv2.GaussianBlur(mask, (5, 5), 1.0) for mask in hard]
    return Layer(frames, np.stack(soft))


def choose_object(
    rng: Generator, labels: np.ndarray, part_probability: float
) -> np.ndarray:
    """Mask [H, W] float32 of all of `labels`, or of one of its larger values."""
    if rng.random() < part_probability:
        counts = np.bincount(labels.ravel())
        counts[0] = 0
        large = np.flatnonzero(counts > 0.01 * labels.size)
        if len(large):
            return (labels == rng.choice(large)).astype(np.float32)
    return (labels > 0).astype(np.float32)


def paste(frames: np.ndarray, labels: np.ndarray, layer: Layer, label: int) -> None:
    """Paste a layer over frames [T, S, S, 3] and labels [T, S, S], in place."""
    for t, mask in enumerate(layer.masks):
        blend = cv2.blendLinear(frames[t], layer.frames[t], 1 - mask, mask)
        frames[t] = blend
        labels[t][mask > 0.5] = label


def paste_clip(
    frames: np.ndarray,
    labels: np.ndarray,
    other_frames: np.ndarray,
    other_labels: np.ndarray,
) -> None:
    """Paste the objects of a second clip over a first one, in place.

    Masks are blurred for the colours; labels stay apart.
    """
    offset = int(labels.max())
    masks = moving_layer(other_frames, other_labels).masks
    for t, soft in enumerate(masks):
        hard = other_labels[t] > 0
        frames[t] = cv2.blendLinear(frames[t], other_frames[t], 1 - soft, soft)
        labels[t][hard] = other_labels[t][hard] + offset


Colour = tuple[np.ndarray, float]


def draw_colour(rng: Generator, jitter: ColourJitter, grey: float) -> Colour:
    """A random colour change that stays the same over a sequence."""
    matrix, contrast = jitter.matrix(rng)
    return (aug.grey_matrix() @ matrix if rng.random() < grey else matrix), contrast


def colour_frame(
    rng: Generator, frame: np.ndarray, sequence: Colour, jitter: ColourJitter
) -> np.ndarray:
    """Change a frame by its sequence's colours and a random draw of its own."""
    matrix, contrast = jitter.matrix(rng)
    return aug.recolour(frame, matrix @ sequence[0], contrast * sequence[1])

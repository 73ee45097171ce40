"""Training clips: synthetic ones from still images, real ones from annotated videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
from numpy.random import Generator

from evaluation.errors import InputError
from s3fo.training.data import augmentation as aug
from s3fo.training.data.augmentation import ColourJitter
from s3fo.training.data.layers import (
    ClipRequest,
    Layer,
    StillStyle,
    colour_frame,
    draw_colour,
    moving_layer,
    paste,
    paste_clip,
    still_layer,
)
from s3fo.training.data.sources import StillImage, TrainingVideo


class Clip(NamedTuple):
    """A training clip.

    Attributes:
        frames: RGB uint8 [T, S, S, 3].
        labels: uint8 [T, S, S]; 1..num_objects are the objects of the first frame.
        num_objects: how many there are.
    """

    frames: np.ndarray
    labels: np.ndarray
    num_objects: int


class ClipMaker(Protocol):
    """A source of clips."""

    def __call__(self, rng: Generator, item: int, request: ClipRequest) -> Clip:
        """Make a clip from material number `item`."""
        ...

    def __len__(self) -> int:
        """How many items there are."""
        ...


@dataclass(frozen=True)
class VideoStyle:
    """How annotated videos become clips; defaults are those of S3's stage 2.

    Attributes:
        max_skip: (progress, frames) pairs: from that share of the training on, a
            frame is at most so many video frames from another one of its clip.
        degrees: rotation, shear: of the whole clip.
        shear: in degrees.
        crop_scale: area of the crop as a share of the frame.
        frame_degrees: rotation of every frame anew, as if the camera shook.
        frame_scale: likewise, range of the scale factor.
        frame_shift: likewise, largest translation, as a share of the crop.
        paste_probability: chance that a second clip is pasted when there is room.
        sequence_colour: colour jitter, the same in all frames.
        frame_colour: colour jitter, of every frame anew.
        grey_probability: chance that the clip has no colour.
    """

    max_skip: tuple[tuple[float, int], ...] = ((0, 5), (0.1, 10), (0.3, 15), (0.8, 5))
    degrees: float = 25.0
    shear: float = 20.0
    crop_scale: tuple[float, float] = (0.36, 1.0)
    frame_degrees: float = 0.0
    frame_scale: tuple[float, float] = (1.0, 1.0)
    frame_shift: float = 0.0
    paste_probability: float = 0.5
    sequence_colour: ColourJitter = field(
        default_factory=lambda: ColourJitter(0.1, 0.03, 0.03)
    )
    frame_colour: ColourJitter = field(
        default_factory=lambda: ColourJitter(0.1, 0.05, 0.05)
    )
    grey_probability: float = 0.05

    def skip_at(self, progress: float, interval: int = 1) -> int:
        """Largest gap between frames, in annotated frames `interval` frames apart."""
        current = [skip for start, skip in self.max_skip if progress >= start][-1]
        return max(1, current // interval)


@dataclass(frozen=True)
class StillClips:
    """Synthetic clips: an image and pasted objects, each moving on its own."""

    images: Sequence[StillImage]
    style: StillStyle = field(default_factory=StillStyle)

    def __len__(self) -> int:
        return len(self.images)

    def __call__(self, rng: Generator, item: int, request: ClipRequest) -> Clip:
        """A clip on image `item` with objects of other images pasted over it."""
        style = self.style
        base = still_layer(rng, self.images[item], style, request)
        frames, labels = base.frames, (base.masks > 0.5).astype(np.uint8)
        pasted = int(rng.integers(0, request.num_objects + style.most_pasted))
        for label in range(2, pasted + 2):
            layer = self.layer(rng, request)
            paste(frames, labels, layer, self._label(rng, label))
        return finish(frames, labels, request.num_objects, rng)

    def layer(self, rng: Generator, request: ClipRequest) -> Layer:
        """A random image of the set as a moving layer."""
        image = self.images[int(rng.integers(len(self.images)))]
        return still_layer(rng, image, self.style, request)

    def _label(self, rng: Generator, label: int) -> int:
        return 0 if rng.random() < self.style.occluder_probability else label


@dataclass(frozen=True)
class VideoClips:
    """Clips from annotated videos; an item is a frame of a video to start from."""

    videos: Sequence[TrainingVideo]
    style: VideoStyle = field(default_factory=VideoStyle)
    min_frames: int = 3

    def __post_init__(self) -> None:
        if not self.starts:
            raise InputError(
                "training videos",
                f"none of {len(self.videos)} with {self.min_frames} annotated frames",
                f"videos of at least {self.min_frames} annotated frames",
                "Add longer videos or train on shorter clips.",
            )

    @property
    def starts(self) -> list[tuple[int, int]]:
        """(video, annotated frame) of every item."""
        return _starts(tuple(len(v.frames) for v in self.videos), self.min_frames)

    def __len__(self) -> int:
        return len(self.starts)

    def __call__(self, rng: Generator, item: int, request: ClipRequest) -> Clip:
        """A clip around item `item`, perhaps with a second one pasted over it."""
        frames, labels = self.raw(rng, item, request)
        objects = len(np.unique(labels[0][labels[0] > 0]))
        if (
            objects < request.num_objects
            and rng.random() < self.style.paste_probability
        ):
            other = self.raw(rng, int(rng.integers(len(self))), request)
            paste_clip(frames, labels, *other)
        return finish(frames, labels, request.num_objects, rng)

    def raw(
        self, rng: Generator, item: int, request: ClipRequest
    ) -> tuple[np.ndarray, np.ndarray]:
        """Augmented frames [T, S, S, 3] and label maps [T, S, S] around an item.

        The first label map holds an object, unless 5 x 20 attempts fail.
        """
        starts = self.starts
        video, start = starts[item % len(starts)]
        for _ in range(5):
            indices = self._pick(rng, video, start, request)
            if indices is not None:
                break
            video, start = starts[int(rng.integers(len(starts)))]
        else:
            indices = self._sample(rng, video, start, request)
        pairs = [self.videos[video].read(index) for index in indices]
        return self._augment(rng, pairs, request)

    def _pick(
        self, rng: Generator, video: int, start: int, request: ClipRequest
    ) -> list[int] | None:
        for _ in range(20):
            indices = self._sample(rng, video, start, request)
            if self.videos[video].read_labels(indices[0]).any():
                return indices
        return None

    def _sample(
        self, rng: Generator, video: int, start: int, request: ClipRequest
    ) -> list[int]:
        """Frame indices: each within the largest gap of one chosen before it."""
        length = len(self.videos[video].frames)
        reach = self.style.skip_at(request.progress, self.videos[video].interval)
        skip = max(reach, request.num_frames)
        chosen, near = [start], set()
        while len(chosen) < request.num_frames:
            last = chosen[-1]
            near |= set(range(max(0, last - skip), min(length, last + skip + 1)))
            chosen.append(int(rng.choice(sorted(near - set(chosen)))))
        return sorted(chosen, reverse=bool(rng.random() < 0.5))

    def _augment(
        self,
        rng: Generator,
        pairs: list[tuple[np.ndarray, np.ndarray]],
        request: ClipRequest,
    ) -> tuple[np.ndarray, np.ndarray]:
        style, (height, width) = self.style, pairs[0][1].shape
        before = aug.flip(width) if rng.random() < 0.5 else aug.identity()
        size = (height, width)
        before = (
            aug.random_affine(rng, size, degrees=style.degrees, shear=style.shear)
            @ before
        )
        for _ in range(5):
            box = aug.random_resized_crop(rng, size, request.side, style.crop_scale)
            matrix = box @ before
            first = aug.warp_labels(pairs[0][1], matrix, request.side)
            if first.any():
                break
        colour = draw_colour(rng, style.sequence_colour, style.grey_probability)
        frames, labels = [], []
        for image, label_map in pairs:
            shaken = self._shake(rng, request.side) @ matrix
            frame = aug.warp_image(image, shaken, request.side)
            frames.append(colour_frame(rng, frame, colour, style.frame_colour))
            labels.append(aug.warp_labels(label_map, shaken, request.side))
        return np.stack(frames), np.stack(labels)

    def _shake(self, rng: Generator, side: int) -> np.ndarray:
        return aug.random_affine(
            rng,
            (side, side),
            degrees=self.style.frame_degrees,
            scale=self.style.frame_scale,
            shift=self.style.frame_shift,
        )


@dataclass(frozen=True)
class MixedClips:
    """Real clips and synthetic ones in a fixed proportion.

    A real clip with room for more objects gets moving objects pasted over it, of still
    images or of other real clips, some of them without a label, as occluders.

    Attributes:
        videos: the real clips.
        stills: the synthetic clips.
        real_share: share of the clips that are real.
        moving_share: share of the pasted objects that come from a real clip.
        distractor_share: share of those that come from the very video they are pasted
            over: objects that look like the clip's own.
        occluded_share: share of the real clips with an occluder.
    """

    videos: VideoClips
    stills: StillClips
    real_share: float = 0.6
    moving_share: float = 0.0
    distractor_share: float = 0.0
    occluded_share: float = 0.25

    def __len__(self) -> int:
        return len(self.videos) + len(self.stills)

    def __call__(self, rng: Generator, item: int, request: ClipRequest) -> Clip:
        """A real or synthetic clip; `item` picks the material of either kind."""
        if rng.random() >= self.real_share:
            return self.stills(rng, item % len(self.stills), request)
        frames, labels = self.videos.raw(rng, item % len(self.videos), request)
        labels = labels.astype(np.uint8)
        for label in self._paste(rng, request.num_objects, int(labels.max())):
            paste(frames, labels, self._layer(rng, item, request), label)
        return finish(frames, labels, request.num_objects, rng)

    def _layer(self, rng: Generator, item: int, request: ClipRequest) -> Layer:
        if rng.random() >= self.moving_share:
            return self.stills.layer(rng, request)
        if rng.random() >= self.distractor_share:
            item = int(rng.integers(len(self.videos)))
        return moving_layer(*self.videos.raw(rng, item, request))

    def _paste(self, rng: Generator, wanted: int, highest: int) -> list[int]:
        """Labels of the objects to paste; 0 is an occluder."""
        labels = [highest + i for i in range(1, wanted)]
        if rng.random() < self.occluded_share:
            labels.insert(int(rng.integers(len(labels) + 1)), 0)
        return labels


def finish(frames: np.ndarray, labels: np.ndarray, most: int, rng: Generator) -> Clip:
    """Number the objects of the first frame 1..K; a random `most` of them at most."""
    present = np.unique(labels[0])
    present = present[present > 0]
    if len(present) > most:
        present = np.sort(rng.choice(present, most, replace=False))
    table = np.zeros(int(labels.max()) + 1, np.uint8)
    table[present] = np.arange(1, len(present) + 1)
    return Clip(frames, table[labels], len(present))


@lru_cache(maxsize=8)
def _starts(lengths: tuple[int, ...], least: int) -> list[tuple[int, int]]:
    return [
        (video, frame)
        for video, length in enumerate(lengths)
        if length >= least
        for frame in range(length)
    ]

"""What attributes need of a video, and how to see a folder of masks as videos."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from evaluation.errors import InputError
from evaluation.labelmap import LabelMap, Mask, read_label_map


class AnnotatedVideo(Protocol):
    """The part of a video description that attributes and failures read.

    `fps`, `attributes` (official tags), `known_objects` (with categories) and
    `object_masks` (overlapping annotations) are used where a video has them.

    Attributes:
        name: unique within the benchmark.
        frames: names of all frames in playing order.
        images: image file by frame name; may be empty.
        annotated_frames: names of the frames with ground truth.
    """

    @property
    def name(self) -> str:
        """Unique within the benchmark."""
        ...

    @property
    def frames(self) -> Sequence[str]:
        """Names of all frames in playing order."""
        ...

    @property
    def images(self) -> Mapping[str, Path]:
        """Image file by frame name; may be empty."""
        ...

    @property
    def annotated_frames(self) -> Sequence[str]:
        """Names of the frames with ground truth."""
        ...

    def read_annotation(self, frame: str) -> LabelMap:
        """Label map [H, W] of an annotated frame, void as background."""
        ...


@dataclass(frozen=True)
class FolderVideo:
    """A folder of label maps, with a folder of images beside it or not."""

    name: str
    masks: Mapping[str, Path]
    images: Mapping[str, Path]
    fps: float | None = None

    @cached_property
    def frames(self) -> tuple[str, ...]:
        """Names of all frames: images and masks together, in natural order."""
        return tuple(sorted({*self.images, *self.masks}, key=natural_key))

    @cached_property
    def annotated_frames(self) -> tuple[str, ...]:
        """Names of the frames with a mask."""
        return tuple(sorted(self.masks, key=natural_key))

    @cached_property
    def binary(self) -> bool:
        """Whether the masks are 0/255 pictures of one object."""
        values = np.unique(read_label_map(self.masks[self.annotated_frames[0]]))
        return set(values.tolist()) <= {0, 255} and 255 in values

    def read_annotation(self, frame: str) -> LabelMap:
        """Label map [H, W]; 255 is void, unless it is the only object there is."""
        label_map = read_label_map(self.masks[frame])
        if self.binary:
            return (label_map > 0).astype(np.uint8)
        void = label_map == 255
        if void.any():
            label_map[void] = 0
        return label_map


def open_videos(
    ground_truth: Any,
    images: str | Path | None = None,
    fps: float | None = None,
) -> list[AnnotatedVideo]:
    """The videos of a benchmark, of a list of sequences, or of a folder of masks.

    Args:
        ground_truth: an object with `.sequences`, an iterable of sequences, or a
            folder `<root>/<sequence>/<frame>.png`.
        images: `<root>/<sequence>/<frame>.jpg` beside a mask folder.
        fps: of the videos in a mask folder.

    Raises:
        FileNotFoundError: the folder does not exist.
        InputError: it holds no sequence with masks.
    """
    if isinstance(ground_truth, (str, Path)):
        return _folder_videos(Path(ground_truth), Path(images) if images else None, fps)
    sequences: Iterable[AnnotatedVideo] = getattr(
        ground_truth, "sequences", ground_truth
    )
    return list(sequences)


def read_objects(video: AnnotatedVideo, frame: str) -> LabelMap | dict[int, Mask]:
    """Ground truth of a frame: masks per object where they may overlap."""
    masks = getattr(video, "object_masks", None)
    return video.read_annotation(frame) if masks is None else masks.read(frame)


def read_image(path: Path, shape: tuple[int, int], side: int) -> NDArray[np.uint8]:
    """Read an image, reduced while decoding so that its short side is about `side`.

    Args:
        path: image file.
        shape: (height, width) expected of the full image.
        side: wanted length of the shorter side, pixels; never enlarged.

    Returns:
        [h, w, 3] RGB uint8.

    Raises:
        InputError: the file cannot be read as an image.
    """
    factor = max(1, min(shape) // side)
    flag = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2}.get(
        factor,
        cv2.IMREAD_REDUCED_COLOR_4 if factor < 8 else cv2.IMREAD_REDUCED_COLOR_8,
    )
    image = cv2.imread(str(path), flag)
    if image is None:
        raise InputError(
            path,
            "a missing or broken image" if path.exists() else "no file",
            "a JPEG or PNG",
            "Repair the file, or compute attributes from masks alone.",
        )
    short = min(image.shape[:2])
    if short > side:
        size = (
            round(image.shape[1] * side / short),
            round(image.shape[0] * side / short),
        )
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def natural_key(name: str) -> list[tuple[int, str]]:
    """Sort key that puts 9 before 10 whatever the padding."""
    return [
        (int(part), "") if part.isdigit() else (-1, part)
        for part in re.split(r"(\d+)", name)
    ]


def _folder_videos(
    root: Path, images: Path | None, fps: float | None
) -> list[AnnotatedVideo]:
    if not root.is_dir():
        raise FileNotFoundError(f"no folder {root}")
    videos: list[AnnotatedVideo] = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        masks = {path.stem: path for path in folder.glob("*.png")}
        pictures = (
            {
                path.stem: path
                for path in (images / folder.name).glob("*")
                if path.suffix.lower() in {".jpg", ".jpeg", ".png"}
            }
            if images
            else {}
        )
        if masks:
            videos.append(FolderVideo(folder.name, masks, pictures, fps))
    if not videos:
        raise InputError(
            root,
            "no sub-folder with PNG masks",
            "<root>/<sequence>/<frame>.png",
            "Give the folder that holds one folder per sequence.",
        )
    return videos

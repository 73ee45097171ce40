"""Training material on disk: pairs of image and mask, and annotated videos."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import cv2
import numpy as np

from evaluation.errors import InputError, InputWarning
from evaluation.masks.label_map import read_label_map
from evaluation.masks.pictures import IMAGE_SUFFIXES, note_few_bits, read_picture
from s3fo.benchmarks.layouts.folders import open_folders
from s3fo.benchmarks.video import VideoSequence


@dataclass(frozen=True)
class StillImage:
    """An image and its mask; any non-zero value is foreground, values are parts."""

    image: Path
    mask: Path

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """RGB uint8 [H, W, 3] and label map [H, W].

        Raises:
            InputError: a file is broken or the two have different sizes.
        """
        image, labels = read_image(self.image), read_label_map(self.mask)
        _require_same_size(self.mask, image, labels)
        return image, labels


@dataclass(frozen=True)
class TrainingVideo:
    """A video whose frames are annotated (frames without annotation are left out).

    Attributes:
        sequence: the video.
        interval: annotated frames are this many frames apart in the original video;
            the reach of clips is counted in frames of the original.
    """

    sequence: VideoSequence
    interval: int = 1

    @property
    def frames(self) -> tuple[str, ...]:
        """Names of the annotated frames."""
        return self.sequence.annotated_frames

    def shortened(self, frames: int) -> TrainingVideo:
        """The same video with its first `frames` annotated frames only."""
        return replace(self, sequence=self.sequence.only(self.frames[:frames]))

    def read_labels(self, index: int) -> np.ndarray:
        """Label map [H, W] of annotated frame `index`."""
        return self.sequence.read_annotation(self.frames[index])

    def read(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """RGB uint8 [H, W, 3] and label map [H, W] of annotated frame `index`.

        Raises:
            InputError: a file is broken or the two have different sizes.
        """
        frame = self.frames[index]
        image, labels = (
            read_image(self.sequence.images[frame]),
            self.sequence.read_annotation(frame),
        )
        _require_same_size(self.sequence.annotations[frame], image, labels)
        return image, labels


def read_image(path: Path) -> np.ndarray:
    """RGB uint8 [H, W, 3].

    Raises:
        InputError: the file is missing or no image.
    """
    fix = "Replace the file or take it out of the training folder."
    return cv2.cvtColor(read_picture(path, fix), cv2.COLOR_BGR2RGB)


def still_images(
    images: str | PathLike[str],
    masks: str | PathLike[str] | None = None,
    *,
    times: int = 1,
) -> list[StillImage]:
    """All pairs of image and mask under a folder.

    Args:
        images: folder of images, searched through all levels. Without `masks`: a
            folder with subfolders ``images`` and ``masks``, or one in which
            ``x.png`` is the mask of ``x.jpg`` (DUTS, FSS and the like).
        masks: folder of masks, named and nested like the images.
        times: how often every pair is repeated.

    Raises:
        InputError: no pairs, or an image without a mask (named).
    """
    root = Path(images)
    if masks is None and (root / "images").is_dir() and (root / "masks").is_dir():
        root, masks = root / "images", root / "masks"
    mask_root = Path(masks) if masks is not None else root
    found = []
    for path in _images_under(root, beside_masks=masks is None):
        mask = (mask_root / path.relative_to(root)).with_suffix(".png")
        if not mask.is_file():
            raise InputError(
                path,
                f"no mask {mask}",
                "one PNG mask per image, named alike",
                "Add the mask or remove the image.",
            )
        found.append(StillImage(path, mask))
    if not found:
        raise InputError(
            root,
            "no images" if root.is_dir() else "no such folder",
            "images with masks",
            "Give a folder of images and one of masks, or one with x.jpg beside x.png.",
        )
    _tell_of_few_bits(still.image for still in found)
    return found * times


def training_videos(
    folder: str | PathLike[str],
    masks: str | PathLike[str] | None = None,
    *,
    only: Iterable[str] | None = None,
    without: Iterable[str] = (),
    interval: int = 1,
) -> list[TrainingVideo]:
    """Annotated videos of a folder.

    Args:
        folder: a benchmark-like folder with ``JPEGImages`` and ``Annotations``, or
            the folder of images (``<sequence>/<frame>.jpg``).
        masks: folder of masks, where `folder` holds images only.
        only: names of the videos to take; None for all.
        without: names of videos to leave out (validation, say).
        interval: of the annotated frames, see `TrainingVideo`. The published recipes
            take 2 for DAVIS, 3 for OVIS, 5 for YouTube-VOS, MOSE and BURST.

    Raises:
        InputError: no annotated video, or a name in `only` does not exist.
    """
    root = Path(folder)
    if masks is None:
        root, masks = root / "JPEGImages", root / "Annotations"
    if not root.is_dir():
        raise InputError(
            root,
            "no such folder",
            "<sequence>/<frame>.jpg",
            "Give a folder with JPEGImages and Annotations, or images and masks.",
        )
    sequences = open_folders(root, masks).sequences
    known = {sequence.name for sequence in sequences}
    missing = sorted(set(only or ()) - known)
    if missing:
        raise InputError(
            root, f"no video {missing[0]}", "all listed videos", "Correct the list."
        )
    wanted = (set(only) if only is not None else known) - set(without)
    videos = [
        TrainingVideo(sequence, interval)
        for sequence in sequences
        if sequence.name in wanted and sequence.annotated_frames
    ]
    _tell_of_few_bits(video.sequence.images[video.frames[0]] for video in videos)
    return videos


def _tell_of_few_bits(images: Iterable[Path]) -> None:
    """Warn of folders whose images of 16 bits use few of them; once per folder."""
    for folder, path in {path.parent: path for path in images}.items():
        note = note_few_bits(path)
        if note:
            warnings.warn(f"{folder}: {note}", InputWarning, stacklevel=3)


def _images_under(root: Path, beside_masks: bool) -> Sequence[Path]:
    # Beside its mask x.png, the image itself cannot be a PNG.
    suffixes = IMAGE_SUFFIXES[:2] if beside_masks else IMAGE_SUFFIXES
    return sorted(p for p in root.rglob("*") if p.suffix.lower() in suffixes)


def _require_same_size(path: Path, image: np.ndarray, labels: np.ndarray) -> None:
    if image.shape[:2] != labels.shape[:2]:
        raise InputError(
            path,
            f"a mask of {labels.shape[1]}x{labels.shape[0]} pixels",
            f"{image.shape[1]}x{image.shape[0]} like its image",
            "Resize the mask (nearest neighbour) or remove the pair.",
        )

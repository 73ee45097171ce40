"""Small, format-true benchmark trees for the tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np

from evaluation.labelmap import write_label_map

SIZE = (24, 32)


def write_image(path: Path, value: int = 90, size: tuple[int, int] = SIZE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((*size, 3), value, np.uint8))


def label_map(
    ids: Iterable[int], shift: int = 0, size: tuple[int, int] = SIZE
) -> np.ndarray:
    """One 5x5 square for each id, side by side, moved right by `shift` pixels."""
    pixels = np.zeros(size, np.uint16 if max(ids, default=0) > 255 else np.uint8)
    for position, object_id in enumerate(ids):
        left = 1 + 6 * position + shift
        pixels[4:9, left : left + 5] = object_id
    return pixels


def write_mask(path: Path, ids: Iterable[int], shift: int = 0) -> None:
    write_label_map(path, label_map(list(ids), shift))


def write_sequence(
    images: Path,
    masks: Path,
    name: str,
    frames: Iterable[str],
    annotated: Mapping[str, Iterable[int]],
) -> None:
    """Images of all frames, masks with the given ids for some of them."""
    for index, frame in enumerate(frames):
        write_image(images / name / f"{frame}.jpg", 60 + index)
        if frame in annotated:
            write_mask(masks / name / f"{frame}.png", annotated[frame], index)


def names(count: int, step: int = 1, digits: int = 5, first: int = 0) -> list[str]:
    return [f"{first + index * step:0{digits}d}" for index in range(count)]


def write_davis(
    root: Path,
    sequences: Mapping[str, Iterable[int]],
    *,
    year: int = 2017,
    split: str = "val",
    frames: int = 4,
    resolution: str = "480p",
    first_only: bool = False,
) -> Path:
    """A DAVIS tree: object ids by sequence name."""
    for name, ids in sequences.items():
        stems = names(frames)
        annotated = {stem: ids for stem in (stems[:1] if first_only else stems)}
        write_sequence(
            root / "JPEGImages" / resolution,
            root / "Annotations" / resolution,
            name,
            stems,
            annotated,
        )
    path = root / "ImageSets" / str(year) / f"{split}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name}\n" for name in sequences))
    return root


def write_tree(
    folder: Path,
    videos: Mapping[str, Mapping[str, Iterable[int]]],
    frames: Iterable[str],
) -> Path:
    """``<folder>/{JPEGImages,Annotations}/<video>``: ids by annotated frame."""
    for name, annotated in videos.items():
        write_sequence(
            folder / "JPEGImages", folder / "Annotations", name, frames, annotated
        )
    return folder


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def write_object_folders(
    folder: Path, frames: Iterable[str], objects: Mapping[str, Mapping[str, np.ndarray]]
) -> None:
    """SA-V annotations of one video: masks by object folder and frame."""
    for number, masks in objects.items():
        for frame in frames:
            mask = masks.get(frame, np.zeros(SIZE, bool))
            write_label_map(folder / number / f"{frame}.png", mask.astype(np.uint8))


def square(left: int, width: int = 6) -> np.ndarray:
    """A boolean mask with one square."""
    mask = np.zeros(SIZE, bool)
    mask[4 : 4 + width, left : left + width] = True
    return mask

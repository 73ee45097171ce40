"""Two tiny videos of squares, the labels others might make of them, and J by numpy.

The squares are drawn by hand, and J is computed here, so that what the product says is
compared with something that it did not make itself.
"""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo
import numpy as np
from PIL import Image

import s3fo
from evaluation.masks.label_map import write_label_map
from s3fo.benchmarks import open_folders

HEIGHT, WIDTH = 24, 36
LENGTHS = {"left": 5, "right": 6}


def truth(video: str, t: int) -> np.ndarray:
    """Object 1 moves to the right, object 2 rests; neither touches the other."""
    label_map = np.zeros((HEIGHT, WIDTH), np.uint8)
    label_map[2:10, 3 + 2 * t : 11 + 2 * t] = 1
    label_map[14:22, 20:30] = 2
    return label_map[:, ::-1] if video == "right" else label_map


def predicted(video: str, t: int) -> np.ndarray:
    """Object 1 one pixel too high, object 2 without its last two rows."""
    label_map = np.zeros((HEIGHT, WIDTH), np.uint8)
    shown = truth(video, t)
    label_map[np.roll(shown == 1, -1, axis=0)] = 1
    label_map[(shown == 2) & (np.arange(HEIGHT) < 20)[:, None]] = 2
    return label_map


def mean_j(made=predicted, lengths=LENGTHS, objects=(1, 2)) -> float:
    """J by DAVIS 2017: without first and last frames, over frames, then objects."""
    values = []
    for video, length in lengths.items():
        for k in objects:
            frames = []
            for t in range(1, length - 1):
                ours, theirs = made(video, t) == k, truth(video, t) == k
                union = (ours | theirs).sum()
                frames.append((ours & theirs).sum() / union if union else 1.0)
            values.append(np.mean(frames))
    return float(np.mean(values))


def write_clips(root: Path) -> None:
    for video, length in LENGTHS.items():
        for t in range(length):
            label_map = truth(video, t)
            write_label_map(root / "masks" / video / f"{t:05d}.png", label_map)
            path = root / "images" / video / f"{t:05d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.stack([label_map * 90] * 3, axis=2)).save(path)


def load_clips(root: Path, name: str) -> fo.Dataset:
    write_clips(root)
    benchmark = open_folders(root / "images", root / "masks")
    return s3fo.load_benchmark(benchmark, dataset_name=name)


def box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in pixels."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def label_of(mask: np.ndarray, **facts) -> fo.Detection:
    """A label with the mask inside its box."""
    left, top, right, bottom = box_of(mask)
    box = [
        left / WIDTH,
        top / HEIGHT,
        (right - left) / WIDTH,
        (bottom - top) / HEIGHT,
    ]
    facts = {"label": "thing", **facts}
    return fo.Detection(bounding_box=box, mask=mask[top:bottom, left:right], **facts)


def labels_of(label_map: np.ndarray, **facts) -> list[fo.Detection]:
    return [
        label_of(label_map == k, index=k, **facts)
        for k in np.unique(label_map[label_map > 0]).tolist()
    ]


def fill(dataset: fo.Dataset, field: str, make) -> None:
    """Set a frame field: `make` gets the video's name and the frame, from 0."""
    for sample in dataset.iter_samples(autosave=True):
        for number, frame in sample.frames.items():
            frame[field] = make(sample["sequence"], number - 1)

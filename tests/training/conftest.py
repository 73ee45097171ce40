from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from evaluation.masks.label_map import write_label_map
from s3fo.training.data.sources import TrainingVideo, still_images, training_videos
from s3fo.training.recipes import Phase, Recipe


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def paint(path: Path, label_map: np.ndarray, seed: int) -> None:
    """A noisy image whose objects have a colour of their own."""
    rng = np.random.default_rng(seed)
    colours = np.array([[60, 90, 60], [200, 60, 40], [40, 60, 210]])
    image = colours[label_map] + rng.integers(-25, 25, (*label_map.shape, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image.clip(0, 255).astype(np.uint8)[..., ::-1])


def discs(t: int, count: int = 2, size: tuple[int, int] = (96, 128)) -> np.ndarray:
    label_map = np.zeros(size, np.uint8)
    for label in range(1, count + 1):
        centre = (20 + 35 * label + 3 * t, 25 * label + 2 * t)
        cv2.circle(label_map, centre, 18, label, -1)
    return label_map


@pytest.fixture(scope="session")
def video_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two videos of eight frames with two moving discs each."""
    root = tmp_path_factory.mktemp("videos")
    for number, name in enumerate(("one", "two")):
        for t in range(8):
            label_map = discs(t)
            paint(root / "JPEGImages" / name / f"{t:05d}.jpg", label_map, 9 * number)
            mask = root / "Annotations" / name / f"{t:05d}.png"
            mask.parent.mkdir(parents=True, exist_ok=True)
            write_label_map(mask, label_map)
    return root


@pytest.fixture(scope="session")
def still_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four images with masks of two values."""
    root = tmp_path_factory.mktemp("stills")
    for number in range(4):
        paint(root / "images" / f"{number}.jpg", discs(number), number)
        (root / "masks").mkdir(exist_ok=True)
        write_label_map(root / "masks" / f"{number}.png", discs(number))
    return root


@pytest.fixture
def videos(video_folder: Path) -> list[TrainingVideo]:
    return training_videos(video_folder)


@pytest.fixture
def stills(still_folder: Path) -> list:
    return still_images(still_folder)


@pytest.fixture
def tiny_recipe() -> Callable[..., Recipe]:
    """A recipe that a test can run: `tiny` network, small crops, few steps."""

    def make(**changes) -> Recipe:
        settings = {
            "name": "test",
            "model": "tiny_r18",
            "material": "videos",
            "phases": (Phase(0, 64, 3, 2, 1),),
            "iterations": 4,
            "max_objects": 2,
            "learning_rate": 1e-3,
            "encoder_rate": 1.0,
            "seed": 5,
        }
        from s3fo.training.losses import PointSampling

        return Recipe(**{"points": PointSampling(256), **settings, **changes})

    return make

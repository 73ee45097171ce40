"""The videos that settings are chosen on: none of a benchmark's val or test split.

    python -m benchmarks.validation DAVIS_TRAIN --out runs/validation

DAVIS_TRAIN is a folder with JPEGImages and Annotations of DAVIS-2016 train; taken are
the two videos of it that the shipped weights were not trained on, enlarged to 480
pixels. Beside them come synthetic videos, harder than the presets' and of another seed.
Two real videos are few, and enlarging adds no detail: what is measured here tells
settings of one network apart, not how well it does on other videos.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2

from evaluation.masks.label_map import write_label_map
from evaluation.masks.pictures import write_picture
from s3fo.benchmarks import Benchmark, open_folders, write_synthetic
from s3fo.benchmarks.synthetic.factors import Factors
from s3fo.training.data.sources import TrainingVideo, read_image, training_videos

HELD_OUT = ("dog-agility", "hike")
SIZE = (480, 854)
FRAMES = 20
SEED = 77
PROTOCOL = "davis-2017"

HARD = {
    "occluded-0": Factors(length=24, occlusion=0.5, occlusion_frames=10, cast=10),
    "crossing-0": Factors(
        length=24, objects=3, crossing=True, size=0.045, speed=12.0, cast=20
    ),
    "small-0": Factors(length=24, size=0.003, speed=20.0, blur=0.5, cast=30),
}
"""Synthetic videos; speeds are pixels of 480p frames."""


def enlarge(video: TrainingVideo, out: Path, height: int) -> None:
    """Write a video in frames of so many pixels height into `out`."""
    name = video.sequence.name
    for index, frame in enumerate(video.frames):
        labels = video.read_labels(index)
        factor = height / labels.shape[0]
        size = (2 * round(labels.shape[1] * factor / 2), height)
        image = read_image(video.sequence.images[frame])
        large = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
        path = out / "JPEGImages" / name / f"{frame}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(path, large[:, :, ::-1], 95)
        masks = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
        write_label_map(out / "Annotations" / name / f"{frame}.png", masks)


def write_validation(
    train: Path, out: Path, frames: int = FRAMES, size: tuple[int, int] = SIZE
) -> Benchmark:
    """Write the split and open it.

    Args:
        train: folder with JPEGImages and Annotations.
        out: folder to write into.
        frames: the first ones that are taken of each real video.
        size: height and width of the frames; real ones keep their aspect.
    """
    real = out / "held-out"
    for video in training_videos(train, only=HELD_OUT):
        if not (real / "Annotations" / video.sequence.name).is_dir():
            enlarge(video.shortened(frames), real, size[0])
    drawn = write_synthetic(out / "hard", videos=HARD, seed=SEED, size=size, workers=1)
    held_out = open_folders(real / "JPEGImages", real / "Annotations")
    sequences = (*held_out.sequences, *drawn.sequences)
    return Benchmark("validation", None, out, sequences, PROTOCOL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/validation"))
    arguments = parser.parse_args()
    for sequence in write_validation(arguments.train, arguments.out):
        print(sequence.name, len(sequence.frames), "frames")


if __name__ == "__main__":
    main()

"""What attributes and failures cost, and how well attributes follow what is known.

Times are CPU times of this process per object and frame, on one core, reading files
included, least of several rounds. With `--follow`, rank correlations of attributes
with the factors that the synthetic preset `attributes` varies, for three seeds. With
`--changes`, how far attributes of real masks change with resolution and frame rate.

    python -m benchmarks.attributes [--short] [--follow] [--changes] [--markdown FILE]
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SEEDS = (0, 1, 2)
ANSWERS = {
    "occlusion": "occlusion",
    "occlusion-frames": "occlusion",
    "size": "size",
    "speed": "speed",
    "length": "length",
    "absence": "disappearance",
    "similarity": "background_similarity",
    "distractors": "background_similarity",
    "deformation": "deformation",
    "rotation": "deformation",
    "growth": "scale_change",
    "illumination": "appearance_change",
}
"""Swept factor -> the attribute that answers to it."""

CHANGES = {
    "240p": (2, 1, True),
    "12 fps": (1, 2, True),
    "6 fps": (1, 4, True),
    "masks of every 5th frame": (1, 5, False),
}
"""What is changed -> pixels and frames left out (one in n stays), and whether the
others are taken out of the video, too, rather than out of its ground truth."""

SMALL = 0.02
"""Changes of values below this are given in units of it."""

LIMIT = 3.0
"""Milliseconds per object and frame at 480p that attributes may take."""


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="less data")
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--markdown", type=Path, help="also write the table there")
    parser.add_argument("--follow", action="store_true", help="rank correlations")
    parser.add_argument("--changes", action="store_true", help="other sizes and rates")
    options = parser.parse_args()
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = "1"  # read when numpy comes, below
    lines = cost_table(options.shared, options.short)
    if options.follow:
        lines += ["", *follow_table()]
    if options.changes:
        lines += ["", *changes_table(options.shared)]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.markdown:
        options.markdown.write_text(text)


def cost_table(shared: Path, short: bool) -> list[str]:
    """Milliseconds per object and frame."""
    lines = [
        f"{platform.processor() or platform.machine()}, Python "
        f"{platform.python_version()}, one thread",
        "",
        "Milliseconds per object and frame:",
        "",
        "| data | objects x frames | attributes, masks only | attributes, with images "
        "| of that, reading masks | failures |",
        "|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name, data in datasets(shared, Path(folder), short):
            lines.append(measured(name, *data, rounds=2 if short else 3))
    return lines


def follow_table() -> list[str]:
    """Spearman's rho of each factor's steps and its attribute, a column per seed."""
    from evaluation.attributes import ATTRIBUTES as defined
    from s3fo.inference import S3Features

    rhos: dict[tuple[str, str], list[float]] = {}
    for seed in SEEDS:
        for extractor in (None, S3Features()):
            for key, rho in correlations(seed, extractor):
                rhos.setdefault(key, []).append(rho)
    lines = [
        "Spearman's rho of the steps of a factor and the attribute, seeds "
        f"{', '.join(map(str, SEEDS))}, frames of 135 x 240:",
        "",
        "| factor | attribute | looks by | rho |",
        "|---|---|---|---|",
    ]
    for (factor, looks), values in rhos.items():
        if looks == "colour and texture" or defined[ANSWERS[factor]].pictures:
            cells = ", ".join(f"{value:.2f}" for value in values)
            shown = looks if defined[ANSWERS[factor]].pictures else ""
            lines.append(f"| {factor} | {ANSWERS[factor]} | {shown} | {cells} |")
    return lines


def correlations(seed: int, extractor: Any) -> Iterator[tuple[tuple[str, str], float]]:
    """(factor, extractor) and its rho, for every sweep of the preset."""
    from evaluation import object_attributes
    from s3fo.benchmarks.synthetic import write_synthetic
    from s3fo.benchmarks.synthetic.factors import swept_factor

    with tempfile.TemporaryDirectory() as folder:
        benchmark = write_synthetic(folder, "attributes", seed=seed, size=(135, 240))
        measured = object_attributes(benchmark, extractor=extractor)
    objects = measured.objects[measured.objects["object"] == 1]
    factors = objects["sequence"].map(swept_factor)
    steps = objects["sequence"].str.rpartition("-")[2].astype(int)
    for factor, attribute in ANSWERS.items():
        own = factors == factor
        values = objects.loc[own, attribute].astype(float)
        yield (factor, measured.extractor), values.corr(steps[own], method="spearman")


def changes_table(shared: Path) -> list[str]:
    """Median and largest relative change of each attribute over the real videos."""
    import numpy as np

    from evaluation import object_attributes
    from evaluation.attributes import ATTRIBUTES as defined
    from evaluation.masks.open import open_ground_truth

    truth = open_ground_truth(shared / "fixtures/metrics/inputs/d16/gt").sequences
    masks = {
        name: {frame: np.asarray(one.read(frame)) for frame in one.frames}
        for name, one in truth.items()
    }
    names = [
        name
        for name, one in defined.items()
        if one.kind == "number" and not one.pictures and name != "length"
    ]
    plain = object_attributes(masks, fps=24).objects[names]
    changes = {}
    for label, (pixels, frames, taken_out) in CHANGES.items():
        fps = 24 / frames if taken_out else 24
        changed = {name: thinned(one, pixels, frames, taken_out)
                   for name, one in masks.items()}  # fmt: skip
        other = object_attributes(changed, fps=fps).objects[names]
        change = (other - plain).abs() / plain.abs().clip(lower=SMALL)
        changes[label] = change.median(), change.max()
    lines = [
        f"Median and largest change against 480p and 24 fps over {len(masks)} videos "
        f"of DAVIS-2016 val, relative (values below {SMALL}: in units of {SMALL}):",
        "",
        f"| attribute | {' | '.join(CHANGES)} |",
        "|---|" + "---|" * len(CHANGES),
    ]
    for name in names:
        cells = " | ".join(
            f"{100 * median[name]:.0f}, {100 * largest[name]:.0f} %"
            for median, largest in changes.values()
        )
        lines.append(f"| {name} | {cells} |")
    return lines


def thinned(masks: Any, pixels: int, frames: int, taken_out: bool) -> dict[str, Any]:
    """One in `pixels` pixels and one in `frames` masks, numbered anew or not."""
    kept = list(masks.items())[::frames]
    return {
        f"{index:05d}" if taken_out else frame: mask[::pixels, ::pixels]
        for index, (frame, mask) in enumerate(kept)
    }


def datasets(shared: Path, folder: Path, short: bool) -> list[tuple[str, tuple]]:
    """Name -> (ground truth, images, results); synthetic ones everywhere."""
    from s3fo.benchmarks.synthetic import Factors, write_synthetic

    length = 12 if short else 40
    found = []
    for count in (1, 5):
        videos = {
            f"v{i}": Factors(objects=count, length=length, size=0.04) for i in range(2)
        }
        root = folder / str(count)
        benchmark = write_synthetic(root, videos=videos, size=(480, 854))
        masks = next(iter(benchmark.sequences[0].annotations.values())).parents[1]
        found.append((f"synthetic, {count} objects", (benchmark, None, masks)))
    real = shared / "fixtures/metrics/inputs/d16"
    if real.is_dir() and not short:
        images = shared / "data/davis2016-val/JPEGImages/480p"
        data = (real / "gt", images, real / "pred")
        found.append(("DAVIS-2016, 10 videos, OSVOS", data))
    return found


def measured(name: str, truth: Any, images: Any, results: Path, rounds: int) -> str:
    """One row of the table."""
    from evaluation import find_failures, object_attributes, score
    from evaluation.attributes.video import open_videos

    def read() -> None:
        for video in open_videos(truth):
            for frame in video.annotated_frames:
                video.read_annotation(frame)

    scores = score(results, truth, "davis-2017", workers=1)
    table = object_attributes(truth, images=False, workers=1).frames
    rows = len(table)
    jobs: list[Callable[[], Any]] = [
        lambda: object_attributes(truth, images=False, workers=1),
        lambda: object_attributes(truth, images=images, workers=1),
        read,
        lambda: find_failures(results, truth, scores, attributes=False, workers=1),
    ]
    costs = [1000 * least(job, rounds) / rows for job in jobs]
    cells = " | ".join(f"{cost:.2f}" for cost in costs)
    if costs[1] > LIMIT:
        print(f"{name}: {costs[1]:.2f} ms is above {LIMIT} ms", file=sys.stderr)
    return f"| {name} | {rows} | {cells} |"


def least(job: Callable[[], Any], rounds: int) -> float:
    """Least CPU time of several rounds, seconds."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        job()
        times.append(time.process_time() - start)
    return min(times)


if __name__ == "__main__":
    import cv2

    cv2.setNumThreads(1)
    main()

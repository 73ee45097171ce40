"""How well trained weights segment: predict, score, and one table of it all.

    python -m benchmarks.segmentation davis-2016=DAVIS davis-2017=VIDEOS synthetic

Each argument is a protocol and a folder of annotated videos: one with ``JPEGImages``
and ``Annotations``, or with such a pair in every video's own folder. ``synthetic`` is
the built-in `attributes` preset, whose scores are listed for every level of every
factor. Masks are kept in ``--out``, and a call that was interrupted goes on there.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import torch

from evaluation import Scores, score
from evaluation.errors import InputError
from s3fo.benchmarks import Benchmark, VideoSequence, open_folders, write_synthetic
from s3fo.benchmarks.synthetic.factors import PRESETS, swept_factor
from s3fo.cli.console import progress_bar
from s3fo.inference import predict

SYNTHETIC = "synthetic"
MEASURES = ("J&F", "J", "F")
# Where the swept factor is not called like the property that it changes.
FACTORS = {"occlusion-frames": "occlusion_frames", "absence": "absence_frames"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", metavar="PROTOCOL=FOLDER")
    parser.add_argument("--weights", default="s3-small")
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--out", type=Path, default=Path("runs/segmentation"))
    parser.add_argument("--markdown", type=Path, help="also write the tables there")
    parser.add_argument("--short", action="store_true", help="12 frames per video")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    parts = [f"`{arguments.weights}`, `size={arguments.size}`, one thread\n"]
    for entry in arguments.sets:
        benchmark = open_set(entry, arguments.out)
        if arguments.short:
            kept = tuple(item.only(item.frames[:12]) for item in benchmark)
            benchmark = replace(benchmark, sequences=kept)
        parts.append(measured(benchmark, arguments))
    text = "\n".join(parts)
    print(text)
    if arguments.markdown:
        arguments.markdown.write_text(text)


def open_set(entry: str, out: Path) -> Benchmark:
    """The videos that one argument names, with their protocol."""
    if entry == SYNTHETIC:
        return write_synthetic(out / "benchmark", "attributes")
    protocol, separator, folder = entry.partition("=")
    if not separator:
        raise InputError("sets", entry, "PROTOCOL=FOLDER", "For example davis-2016=X.")
    root = Path(folder)
    pairs = [root] if (root / "JPEGImages").is_dir() else sorted(root.iterdir())
    sequences: list[VideoSequence] = []
    for pair in pairs:
        images, masks = (resolution(pair / n) for n in ("JPEGImages", "Annotations"))
        sequences += open_folders(images, masks, protocol=protocol).sequences
    return Benchmark(root.name, None, root, tuple(sequences), protocol)


def resolution(folder: Path) -> Path:
    """DAVIS keeps its videos one level deeper."""
    return folder / "480p" if (folder / "480p").is_dir() else folder


def measured(benchmark: Benchmark, arguments: argparse.Namespace) -> str:
    """Predict, score, and put the scores into a section of Markdown."""
    started = time.process_time()
    with progress_bar(benchmark.name) as progress:
        run = predict(
            benchmark,
            arguments.out / benchmark.name,
            weights=arguments.weights,
            size=arguments.size,
            progress=progress,
        )
    if run.failures:
        raise SystemExit(f"failed: {run.failures}")
    seconds = time.process_time() - started
    frames = sum(len(item.frames) for item in benchmark if item.name in run.finished)
    scores = score(run.out, benchmark, benchmark.protocol, workers=1)
    values = ", ".join(f"{name} {scores.summary[name]:.3f}" for name in MEASURES)
    lines = [f"## {benchmark.name}, protocol `{benchmark.protocol}`", "", values]
    if frames:
        lines[-1] += f"; {seconds / frames:.2f} CPU-seconds per frame"
    synthetic = benchmark.name.startswith(SYNTHETIC)
    table = (by_factor if synthetic else by_object)(scores)
    return "\n".join([*lines, "", table, ""])


def by_object(scores: Scores) -> str:
    """One row per object."""
    lines = [f"| sequence | object | {' | '.join(MEASURES)} |", "|---|---|---|---|---|"]
    columns = ("sequence", "object", "J&F", "J_mean", "F_mean")
    for row in scores.objects[list(columns)].itertuples(index=False):
        numbers = " | ".join(f"{value:.3f}" for value in row[2:])
        lines.append(f"| {row[0]} | {row[1]} | {numbers} |")
    return "\n".join(lines)


def by_factor(scores: Scores) -> str:
    """One row per factor: J&F of object 1, which it applies to, level by level."""
    objects = scores.objects
    reached = objects[objects["object"] == 1].set_index("sequence")["J&F"]
    levels: dict[str, list[str]] = {}
    for name, factors in PRESETS["attributes"].videos.items():
        factor = str(swept_factor(name))
        value = getattr(factors, FACTORS.get(factor, factor))
        levels.setdefault(factor, []).append(f"{value:g}: {reached[name]:.3f}")
    rows = (f"| {name} | {', '.join(found)} |" for name, found in levels.items())
    return "\n".join(["| factor | level: J&F |", "|---|---|", *rows])


if __name__ == "__main__":
    main()

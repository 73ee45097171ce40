"""Cutie by this project's engine beside the package rf-cutie: time and space.

    python -m benchmarks.cutie [--size base] [--frames 15] [--threads 1]

Both have the same random weights and segment the same clip of 854 x 480 pixels in one
process, frame by frame in turns, with Cutie's settings for DAVIS. Per frame are told
CPU-seconds and the peak of resident memory above what was resident before; the first
frame (prompt) and the second (first use of every stage) are left out. The probabilities
of every frame are compared.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "inference"))

from cutie_reference import reference_config, reference_network

from benchmarks.memory import forget_peak, resident_mb
from s3fo.inference.engine.config import InferenceConfig
from s3fo.inference.engine.propagator import Propagator
from s3fo.model import build_network, load_weights, optimise_for_inference

HEIGHT, WIDTH = 480, 854


def clip(frames: int) -> list[Tensor]:
    """Frames [3, H, W] of a textured plane that moves."""
    torch.manual_seed(0)
    cells = torch.rand(1, 3, 60, 120)
    size = (HEIGHT, WIDTH + 4 * frames)
    plane = torch.nn.functional.interpolate(cells, size, mode="bicubic")[0].clamp(0, 1)
    return [plane[..., 4 * t : 4 * t + WIDTH].contiguous() for t in range(frames)]


def first_masks(objects: int) -> Tensor:
    """Label map [H, W] with objects side by side."""
    masks = torch.zeros(HEIGHT, WIDTH, dtype=torch.long)
    for k in range(objects):
        masks[120:360, 60 + 240 * k : 240 + 240 * k] = k + 1
    return masks


def measure(step: Callable[[], Tensor]) -> tuple[Tensor, float, float]:
    """Result, CPU-seconds, and MB above what was resident before."""
    forget_peak()
    before = resident_mb()
    started = time.process_time()
    result = step()
    return result, time.process_time() - started, resident_mb(peak=True) - before


@torch.inference_mode()
def compare(size: str, objects: int, frames: int) -> str:
    """A row of the table: both engines on a clip."""
    from cutie.inference.inference_core import InferenceCore

    network = reference_network(size)
    own = build_network(f"cutie-{size}").eval()
    load_weights(own, network.state_dict())
    engines = (
        InferenceCore(network, reference_config(size)),
        Propagator(optimise_for_inference(own, None), InferenceConfig()),
    )
    masks, ids = first_masks(objects), list(range(1, objects + 1))
    seconds: list[list[float]] = [[], []]
    extra: list[list[float]] = [[], []]
    largest = 0.0
    for t, frame in enumerate(clip(frames)):
        given: tuple = (masks, ids) if t == 0 else ()
        found = []
        for side in (0, 1) if t % 2 else (1, 0):
            p, spent, space = measure(partial(engines[side].step, frame, *given))
            found.append(p)
            if t > 1:
                seconds[side].append(spent)
                extra[side].append(space)
        largest = max(largest, float((found[0] - found[1]).abs().max()))
    mean = [sum(values) / len(values) for values in seconds]
    peak = [max(values) for values in extra]
    return (
        f"| cutie-{size}, {objects} objects | {mean[0]:.2f} | {mean[1]:.2f} "
        f"| {mean[0] / mean[1]:.2f} | {peak[0]:.0f} | {peak[1]:.0f} "
        f"| {peak[1] / peak[0]:.2f} | {largest:.1e} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=["base", "small"], default="base")
    parser.add_argument("--frames", type=int, default=15)
    parser.add_argument("--objects", type=int, nargs="+", default=[1, 3])
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    warnings.simplefilter("ignore")
    print(
        "| network | rf-cutie, CPU-s | s3fo, CPU-s | ratio "
        "| rf-cutie, extra MB | s3fo, extra MB | ratio | largest difference |\n"
        "|---|---|---|---|---|---|---|---|"
    )
    for objects in given.objects:
        print(compare(given.size, objects, given.frames), flush=True)


if __name__ == "__main__":
    main()

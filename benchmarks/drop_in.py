"""How fast `db_eval_iou` and `db_eval_boundary` are beside their definitions in numpy.

The definitions are those of davis2017-evaluation, step by step: booleans, sums, the
dilation of OpenCV. CPU time, one thread, the least of several tries, taking turns; the
values must be equal bit for bit.

    python -m benchmarks.drop_in [--markdown FILE]
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

FRAMES = 70
SIZE = (480, 854)


def region(truth: Any, found: Any, void: Any = None) -> Any:
    """J of masks [..., H, W] by its definition."""
    truth, found = truth.astype(bool), found.astype(bool)
    void = np.zeros_like(found) if void is None else void.astype(bool)
    shared = np.sum(found & truth & np.logical_not(void), axis=(-2, -1))
    united = np.sum((found | truth) & np.logical_not(void), axis=(-2, -1))
    return np.where(united > 0, shared / np.maximum(united, 1), 1.0)


def boundary(truth: Any, found: Any, void: Any = None) -> Any:
    """F of masks [H, W] or [T, H, W] by its definition."""
    import cv2

    from evaluation.counting.boundaries import boundary_map, disk

    if truth.ndim == 3:
        voids = [None] * len(truth) if void is None else void
        return np.array([boundary(*m) for m in zip(truth, found, voids, strict=True)])
    known = True if void is None else np.logical_not(void.astype(bool))
    lines = [boundary_map(mask.astype(bool) & known) for mask in (truth, found)]
    element = disk(np.ceil(0.008 * np.linalg.norm(truth.shape)))
    grown = [cv2.dilate(line.astype(np.uint8), element) for line in lines]
    lengths = [np.sum(line) for line in lines]
    recall, precision = (
        np.sum(line * other) / length if length else float(not lengths[1 - i])
        for i, (line, other, length) in enumerate(
            zip(lines, grown[::-1], lengths, strict=True)
        )
    )
    both = precision + recall
    return 2 * precision * recall / both if both else 0.0


def drawn_masks() -> list[np.ndarray]:
    """True and predicted masks of a moving blob, and void: [T, H, W] bool."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]

    def blob(x: float, y: float, radius: float, waves: int) -> np.ndarray:
        turn = np.arctan2(rows - y, columns - x)
        distance = np.hypot(rows - y, columns - x)
        return distance < radius * (1 + 0.1 * np.cos(waves * turn))

    drawn = [
        (
            blob(250 + 5 * t, 230, 120, 5),
            blob(252 + 5 * t, 232, 118, 6),
            blob(400, 230, 40, 4),
        )
        for t in range(FRAMES)
    ]
    return [np.stack(side) for side in zip(*drawn, strict=True)]


def least(call: Callable[[], Any], tries: int) -> float:
    """Seconds of CPU time, the least of several tries."""
    times = []
    for _ in range(tries):
        start = time.process_time_ns()
        call()
        times.append(time.process_time_ns() - start)
    return min(times) / 1e9


def rows() -> list[str]:
    """One row of the table per function and kind of input."""
    from evaluation import db_eval_boundary, db_eval_iou

    lines = []
    sides = drawn_masks()
    for kind in (np.bool_, np.uint8, np.float32, np.int64):
        cast = [side.astype(kind) for side in sides]
        for count, used in ((1, [side[0] for side in cast]), (FRAMES, cast)):
            for void in (False, True):
                masks = used if void else used[:2]
                cells = [
                    compare(ours, theirs, masks, count)
                    for ours, theirs in (
                        (db_eval_iou, region),
                        (db_eval_boundary, boundary),
                    )
                ]
                what = "1 frame" if count == 1 else f"{count} frames"
                what += " with void" if void else ""
                name = np.dtype(kind).name
                lines.append(f"| {name} | {what} | {' | '.join(cells)} |")
                print(lines[-1], flush=True)
    return lines


def compare(ours: Any, theirs: Any, masks: list[np.ndarray], count: int) -> str:
    """Microseconds per frame of both, and their ratio."""
    if not np.array_equal(ours(*masks), theirs(*masks)):
        raise SystemExit(f"{ours.__name__} has other values")
    tries = 60 if count == 1 else 5
    fast = least(lambda: ours(*masks), 4 * tries) / count
    slow = least(lambda: theirs(*masks), tries) / count
    return f"{1e6 * fast:.0f} / {1e6 * slow:.0f} | {slow / fast:.1f}x"


def main() -> None:
    """Measure, print, write where asked."""
    import cv2

    cv2.setNumThreads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", type=Path, help="write the table here")
    options = parser.parse_args()
    from evaluation.counting import kernels

    text = "\n".join(
        [
            "# `db_eval_iou` and `db_eval_boundary` beside their definitions in numpy",
            "",
            f"Microseconds of CPU time per frame of {SIZE[1]}x{SIZE[0]}, ours / the "
            "definition; equal values. Made by `python -m benchmarks.drop_in`; "
            f"{kernels.describe()}, Python {platform.python_version()}, "
            f"numpy {np.__version__}.",
            "",
            "| masks | of | `db_eval_iou` | ratio | `db_eval_boundary` | ratio |",
            "|---|---|---|---|---|---|",
            *rows(),
        ]
    )
    if options.markdown:
        options.markdown.write_text(text + "\n")


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    main()

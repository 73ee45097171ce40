"""How fast the evaluation is, beside vos-benchmark, on the same masks in one run.

Installs vos-benchmark from the package index into a folder of its own; it then uses
the numpy, OpenCV and Pillow that we use. Every job is a fresh process with one thread;
the peers take turns, and the least CPU time (user and system) of each counts. Both must
come to the same J and F.

    python benchmarks/evaluation.py [--short] [--shared DIR] [--markdown FILE]
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

PEER = "vos-benchmark==0.1.0"
PEER_NEEDS = ("scikit-image", "tqdm")
SIZE_480P = (480, 854)
SIZE_4K = (2160, 3840)
sys.path.remove(str(Path(__file__).parent))  # there, `evaluation` is this file
ONE_THREAD = {
    name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
}


# --- what is measured, each in a process of its own ---------------------------------


def run_ours(gt: str, pred: str, workers: str = "1") -> dict[str, float]:
    """Score a folder as anybody would."""
    from evaluation.scoring import score

    summary = score(pred, gt, "vos-benchmark", workers=int(workers)).summary
    return {"J": summary["J"], "F": summary["F"]}


def run_first(gt: str, pred: str) -> dict[str, float]:
    """Score a folder when nothing has been compiled; tells what compiling took."""
    from evaluation.counting import kernels

    start = time.process_time()
    kernels.prepare()
    compiling = time.process_time() - start
    return {**run_ours(gt, pred), "compiling": compiling}


def run_peer(gt: str, pred: str) -> dict[str, float]:
    """Do what vos-benchmark's workers do, without starting any."""
    import cv2
    from vos_benchmark.benchmark import VideoEvaluator

    cv2.setNumThreads(1)
    evaluate = VideoEvaluator(gt, pred)
    objects: dict[str, list[float]] = {"J": [], "F": []}
    for name in sorted(os.listdir(gt)):
        _, iou, boundary_f = evaluate(name)
        objects["J"] += iou.values()
        objects["F"] += boundary_f.values()
    return {name: float(np.mean(values)) / 100 for name, values in objects.items()}


def run_kernels(short: str) -> dict[str, float]:
    """Count decoded frames with ours and with vos-benchmark's per-frame function."""
    import cv2
    from vos_benchmark.evaluator import Evaluator

    from evaluation.counting import kernels
    from evaluation.counting.boundaries import tolerance_radius

    cv2.setNumThreads(1)
    kernels.prepare()
    times = {}
    sizes = {"480p": SIZE_480P, "4K": SIZE_4K}
    for name, objects in (("480p", 1), ("480p", 20), ("4K", 1), ("4K", 5)):
        frames = list(draw_frames(sizes[name], objects, 3, seed=objects))
        radius = tolerance_radius(sizes[name])
        ours = [partial(kernels.count_present, *frame, radius) for frame in frames]
        peer = [partial(Evaluator().feed_frame, pred, gt) for gt, pred in frames]
        times[f"ours, {name}, {objects}"] = least(ours, 20)
        times[f"peer, {name}, {objects}"] = least(peer, 1 if short == "True" else 3)
    return times


def least(calls: list[Callable[[], Any]], repeats: int) -> float:
    """Mean over calls of the least seconds each took."""
    total = 0.0
    for call in calls:
        durations = []
        for _ in range(repeats):
            start = time.process_time()
            call()
            durations.append(time.process_time() - start)
        total += min(durations)
    return total / len(calls)


# --- masks --------------------------------------------------------------------------


def draw_frames(size: tuple[int, int], objects: int, frames: int, seed: int) -> Any:
    """Wobbling blobs, and predictions with somewhat different outlines."""
    import cv2

    rng = np.random.default_rng(seed)
    height, width = size
    radius = 0.35 * height / np.sqrt(objects)
    angles = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    waves = rng.normal(0, 0.12, (objects, 6)) / np.arange(1, 7)
    phases = rng.uniform(0, 2 * np.pi, (objects, 6))
    centres = rng.uniform(0.15, 0.85, (objects, 2)) * (width, height)
    speeds = rng.normal(0, 0.004 * width, (objects, 2))
    for t in range(frames):
        pair = []
        for noise in (0.0, 0.03):
            label_map = np.zeros(size, np.uint8)
            for k in range(objects):
                turns = np.outer(angles, np.arange(1, 7)) + phases[k] + 0.1 * t
                wobble = 1 + np.cos(turns) @ waves[k] + rng.normal(0, noise, 120)
                around = np.stack([np.cos(angles), np.sin(angles)], 1) * wobble[:, None]
                centre = (centres[k] + t * speeds[k]) % (width, height)
                points = np.round(centre + radius * around).astype(np.int32)
                cv2.fillPoly(label_map, [points], k + 1)
            pair.append(label_map)
        yield tuple(pair)


def write_masks(
    root: Path, objects: int, sequences: int, frames: int
) -> tuple[Path, Path]:
    """A ground-truth and a results folder of drawn masks."""
    from evaluation.masks.label_map import write_label_map

    for sequence in range(sequences):
        drawn = draw_frames(SIZE_480P, objects, frames, seed=sequence)
        for t, (gt, pred) in enumerate(drawn):
            write_label_map(root / "gt" / f"{sequence:03}" / f"{t:05}.png", gt)
            write_label_map(root / "pred" / f"{sequence:03}" / f"{t:05}.png", pred)
    return root / "gt", root / "pred"


def davis_like(root: Path, shared: Path | None, short: bool) -> tuple[Path, Path]:
    """DAVIS-2016 masks against OSVOS's, every sequence twice; else drawn ones."""
    real = shared and shared / "fixtures" / "metrics" / "inputs" / "d16"
    if not real or not real.is_dir():
        return write_masks(root, 1, 4 if short else 20, 20 if short else 65)
    for part in ("gt", "pred"):
        for sequence in sorted((real / part).iterdir()):
            for i in range(1 if short else 2):
                shutil.copytree(sequence, root / part / f"{sequence.name}-{i}")
    return root / "gt", root / "pred"


def long_video(root: Path, source: Path, frames: int) -> tuple[Path, Path]:
    """One video as long as wanted, of links to the frames of others."""
    for part in ("gt", "pred"):
        files = sorted((source / part).glob("*/*.png"))
        (root / part / "long").mkdir(parents=True)
        for t in range(frames):
            link = root / part / "long" / f"{t:06}.png"
            link.symlink_to(files[t % len(files)])
    return root / "gt", root / "pred"


def repeated(root: Path, source: Path, times: int) -> tuple[Path, Path]:
    """The same sequences several times over, as links."""
    for part in ("gt", "pred"):
        (root / part).mkdir(parents=True)
        for sequence in (source / part).iterdir():
            for i in range(times):
                (root / part / f"{sequence.name}-{i}").symlink_to(sequence)
    return root / "gt", root / "pred"


# --- measuring ----------------------------------------------------------------------


@dataclass
class Usage:
    """What a process took: CPU and wall seconds, megabytes; and what it printed."""

    cpu: float
    wall: float
    memory: float
    result: dict[str, float]


def measure(job: str, *arguments: Any, path: Path, cache: Path) -> Usage:
    """Run one of the jobs above in a fresh process."""
    paths = os.pathsep.join([str(Path(__file__).parents[1]), str(path)])
    environment = {
        **os.environ,
        **ONE_THREAD,
        "PYTHONPATH": paths,
        "S3FO_CACHE_DIR": str(cache),
    }
    command = [sys.executable, __file__, "--job", job, *map(str, arguments)]
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{job} failed")
    wall = time.perf_counter() - start
    cpu = used.ru_utime + used.ru_stime
    kilobyte = 1 if sys.platform == "linux" else 1024
    return Usage(cpu, wall, used.ru_maxrss / kilobyte / 1024, json.loads(output))


def in_turns(
    masks: tuple[Path, Path], repeats: int, **places: Path
) -> tuple[Usage, Usage]:
    """The best of both on one job, taking turns."""
    pairs = [
        (measure("ours", *masks, **places), measure("peer", *masks, **places))
        for _ in range(repeats)
    ]
    ours = min((pair[0] for pair in pairs), key=lambda usage: usage.cpu)
    peer = min((pair[1] for pair in pairs), key=lambda usage: usage.cpu)
    for name in ("J", "F"):
        if abs(ours.result[name] - peer.result[name]) > 1e-12:
            raise SystemExit(f"{name} differs: {ours.result}, {peer.result}")
    return ours, peer


def install_peer(folder: Path) -> Path:
    """Put vos-benchmark, and what of its needs is missing here, into a folder."""
    missing = [name for name in PEER_NEEDS if not _installed(name)]
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "-t", str(folder)]
    subprocess.run([*pip, PEER, *missing], check=True)
    return folder


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


# --- the table ----------------------------------------------------------------------

Row = tuple[str, str, str, str, str]


def compare(root: Path, shared: Path | None, short: bool) -> list[Row]:
    """Measure everything; rows of job, ours, peer, ratio, bar.

    In a short run there are no bars for whole jobs: starting Python decides there.
    """
    places = {"path": install_peer(root / "peer"), "cache": root / "cache"}
    repeats = 1 if short else 3
    davis = davis_like(root / "davis", shared, short)
    rows: list[Row] = []
    first = measure("first", *davis, **places)
    ours, peer = in_turns(davis, repeats, **places)
    count = len(list(davis[0].glob("*/*.png")))
    name = f"DAVIS-like, {len(list(davis[0].iterdir()))} sequences, {count} frames"
    rows.append(_row(name, ours, peer, None if short else 10))
    once = first.result["compiling"]
    rest = Usage(first.cpu - once, first.wall, first.memory, {})
    rows.append(
        _row(
            f"the same, first run but {once:.1f} s to compile",
            rest,
            peer,
            None if short else 6,
        )
    )
    for objects, sequences, frames, bar in ((5, 10, 105, 15), (20, 3, 105, 25)):
        if short:
            sequences, frames = 1, 60
        masks = write_masks(root / f"{objects}", objects, sequences, frames)
        ours, peer = in_turns(masks, 1 if objects == 20 else repeats, **places)
        name = f"{objects} objects, {sequences * frames} frames, 480p"
        rows.append(_row(name, ours, peer, None if short else bar))
    rows += kernel_rows(measure("kernels", short, **places).result)
    rows += memory_and_scaling(root, short, **places)
    return rows


def _row(name: str, ours: Usage, peer: Usage, bar: float | None) -> Row:
    return (
        name,
        f"{ours.cpu:.2f} s, {ours.memory:.0f} MB",
        f"{peer.cpu:.2f} s, {peer.memory:.0f} MB",
        f"{peer.cpu / ours.cpu:.1f}x",
        f">= {bar}x" if bar else "",
    )


def kernel_rows(times: dict[str, float]) -> list[Row]:
    """Rows of the per-frame functions alone."""
    rows = []
    for case, bar in (
        ("480p, 1", ""),
        ("480p, 20", ""),
        ("4K, 1", 120),
        ("4K, 5", 300),
    ):
        ours, peer = times[f"ours, {case}"], times[f"peer, {case}"]
        name = f"a decoded frame, {case} object{'s' * (case[-1] != '1')}"
        wanted = f">= {bar}x" if bar else ""
        took = f"{1e3 * ours:.3f} ms", f"{1e3 * peer:.0f} ms"
        rows.append((name, *took, f"{peer / ours:.0f}x", wanted))
    growth = times["ours, 480p, 20"] / times["ours, 480p, 1"]
    rows.append(
        ("a decoded frame, 20 objects against 1", "", "", f"{growth:.2f}", "<= 2.5")
    )
    return rows


def memory_and_scaling(root: Path, short: bool, **places: Path) -> list[Row]:
    """Rows about a long video of 20 objects and about several workers."""
    frames = 500 if short else 10_000
    masks = long_video(root / "long", root / "20", frames)
    usage = measure("ours", *masks, **places)
    took = f"{usage.cpu:.2f} s, {usage.memory:.0f} MB"
    rows: list[Row] = [(f"20 objects, {frames} frames", took, "", "", "<= 200 MB")]
    if short:
        return rows
    masks = repeated(root / "repeated", root / "davis", 10)
    runs = [
        min(measure("ours", *masks, n, **places).wall for _ in range(3))
        for n in (1, 2, 4)
    ]
    walls = " / ".join(f"{wall:.2f} s" for wall in runs)
    gain = f"{runs[0] / runs[2]:.2f}x"
    name = f"{len(list(masks[0].iterdir()))} sequences, wall time of 1 / 2 / 4 workers"
    rows.append((name, walls, "", gain, ""))
    return rows


def as_markdown(rows: list[Row]) -> str:
    """The table, with the machine and the versions."""
    names = (
        "numpy",
        "numba",
        "llvmlite",
        "zlib-ng",
        "pillow",
        "opencv-python-headless",
    )
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}"
        for name in names
        if _installed(name)
    )
    lines = [
        "# Evaluation beside vos-benchmark",
        "",
        "CPU seconds (user and system) and peak memory of a whole process with one "
        "thread; same masks, same J and F, taking turns in one run of "
        "`benchmarks/evaluation.py`.",
        "",
        f"{_processor()}, {os.cpu_count()} processors, {platform.system()}; Python "
        f"{platform.python_version()}, {versions}; {PEER.replace('==', ' ')}.",
        "",
        "| job | ours | vos-benchmark | ratio | wanted |",
        "|---|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        return next(
            line.split(": ")[1].strip() for line in file if "model name" in line
        )


def main() -> None:
    """Measure, print the table, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="a minute, for CI")
    parser.add_argument("--shared", type=Path, help="reference data with real masks")
    parser.add_argument("--markdown", type=Path, help="write the table here")
    parser.add_argument("--job", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        name, *arguments = options.job
        print(json.dumps(globals()[f"run_{name}"](*arguments)))
        return
    with tempfile.TemporaryDirectory() as folder:
        table = as_markdown(compare(Path(folder), options.shared, options.short))
    print(table)
    if options.markdown:
        options.markdown.write_text(table)


if __name__ == "__main__":
    main()

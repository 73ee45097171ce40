"""How fast the evaluation is, beside vos-benchmark, on the same masks in one run.

Installs vos-benchmark from the package index into a folder of its own; it then uses
the numpy, OpenCV and Pillow that we use. Ours is `s3fo evaluate` as typed, start-up
included; every job is a fresh process with one thread. The two take turns; the median
of their CPU time (user and system) counts. Both must come to the same J and F.

    python benchmarks/evaluation.py [--short] [--shared DIR] [--markdown FILE]
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import io
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


def run_ours(gt: str, pred: str, *options: str) -> dict[str, float]:
    """Type `s3fo evaluate` and read what it prints."""
    from s3fo.cli import main

    words = [pred, "--gt", gt, "--protocol", "vos-benchmark", "--workers", "1"]
    sys.argv = ["s3fo", "evaluate", *words, "--json", "--no-record", *options]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        main()
    summary = json.loads(printed.getvalue())
    return {"J": summary["J"], "F": summary["F"]}


def run_workers(gt: str, pred: str, workers: str) -> dict[str, float]:
    """Score with several processes."""
    from evaluation import score

    return {"J": score(pred, gt, "vos-benchmark", workers=int(workers)).summary["J"]}


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


Masks = tuple[Path, Path]
"""Folders of ground truth and of results."""


def write_masks(root: Path, objects: int, sequences: int, frames: int) -> Masks:
    """A ground-truth and a results folder of drawn masks."""
    from evaluation.masks.label_map import write_label_map

    for sequence in range(sequences):
        drawn = draw_frames(SIZE_480P, objects, frames, seed=sequence)
        for t, (gt, pred) in enumerate(drawn):
            write_label_map(root / "gt" / f"{sequence:03}" / f"{t:05}.png", gt)
            write_label_map(root / "pred" / f"{sequence:03}" / f"{t:05}.png", pred)
    return root / "gt", root / "pred"


def davis_like(root: Path, shared: Path | None, short: bool) -> Masks:
    """DAVIS-2016 masks against OSVOS's, every sequence twice; else drawn ones."""
    real = shared and shared / "fixtures" / "metrics" / "inputs" / "d16"
    if not real or not real.is_dir():
        return write_masks(root, 1, 4 if short else 20, 20 if short else 65)
    for part in ("gt", "pred"):
        for sequence in sorted((real / part).iterdir()):
            for i in range(1 if short else 2):
                shutil.copytree(sequence, root / part / f"{sequence.name}-{i}")
    return root / "gt", root / "pred"


def long_video(root: Path, source: Path, frames: int) -> Masks:
    """One video as long as wanted, of links to the frames of others."""
    for part in ("gt", "pred"):
        files = sorted((source / part).glob("*/*.png"))
        (root / part / "long").mkdir(parents=True)
        for t in range(frames):
            link = root / part / "long" / f"{t:06}.png"
            link.symlink_to(files[t % len(files)])
    return root / "gt", root / "pred"


def repeated(root: Path, source: Path, times: int) -> Masks:
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


def measure(job: str, *arguments: Any, path: Path, home: Path | None = None) -> Usage:
    """Run one of the jobs above in a fresh process.

    Args:
        job: its name.
        arguments: what it takes.
        path: where vos-benchmark is.
        home: where our packages are, unless beside this file.
    """
    packages = home or Path(__file__).parents[1]
    environment = {
        **os.environ,
        **ONE_THREAD,
        "PYTHONPATH": os.pathsep.join([str(packages), str(path)]),
        "S3FO_CACHE_DIR": str(path / "cache"),
        "PYTHONDONTWRITEBYTECODE": "",  # as usual: the first run writes it
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


def in_turns(masks: Masks, repeats: int, path: Path) -> tuple[Usage, Usage]:
    """The medians of both on one job, taking turns."""
    pairs = [
        (
            measure("ours", *masks, "--no-cache", path=path),
            measure("peer", *masks, path=path),
        )
        for _ in range(repeats)
    ]
    ours, peer = (median(list(usages)) for usages in zip(*pairs, strict=True))
    for name in ("J", "F"):
        if abs(ours.result[name] - peer.result[name]) > 1e-12:
            raise SystemExit(f"{name} differs: {ours.result}, {peer.result}")
    return ours, peer


def median(usages: list[Usage]) -> Usage:
    """The usage with the median CPU time."""
    return sorted(usages, key=lambda usage: usage.cpu)[(len(usages) - 1) // 2]


def fresh_copy(folder: Path) -> Path:
    """Our packages without any bytecode, as if installed this minute."""
    bytecode = shutil.ignore_patterns("__pycache__", "weights")
    for package in ("evaluation", "s3fo"):
        source = Path(__file__).parents[1] / package
        shutil.copytree(source, folder / package, ignore=bytecode)
    return folder


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

MANY_OBJECTS = ((5, 10, 105, 40), (20, 3, 105, 60))
SMALL = ((5, 1, 70, 3), (20, 1, 70, 3), (1, 20, 65, 1), (2, 30, 67, 1))
"""Objects, videos, frames of each, and: the ratio wanted, or how often to measure."""


def compare(root: Path, shared: Path | None, short: bool) -> list[Row]:
    """Measure everything; rows of job, ours, peer, ratio, bar.

    In a short run there are no bars for whole jobs: starting Python decides there.
    """
    path = install_peer(root / "peer")
    repeats = 1 if short else 3
    davis = davis_like(root / "davis", shared, short)
    ours, peer = in_turns(davis, repeats, path)
    count = len(list(davis[0].glob("*/*.png")))
    name = f"DAVIS-like, {len(list(davis[0].iterdir()))} sequences, {count} frames"
    rows = [_row(name, ours, peer, None if short else 20)]
    rows += variants(root, davis, peer, repeats, path, short)
    for objects, sequences, frames, bar in MANY_OBJECTS:
        if short:
            sequences, frames = 1, 60
        masks = write_masks(root / f"{objects}", objects, sequences, frames)
        ours, peer = in_turns(masks, 1, path)
        name = f"{objects} objects, {sequences * frames} frames, 480p"
        rows.append(_row(name, ours, peer, None if short else bar))
    for objects, sequences, frames, times in () if short else SMALL:
        folder = root / f"small-{objects}-{sequences}"
        masks = write_masks(folder, objects, sequences, frames)
        ours, peer = in_turns(masks, times, path)
        videos = "1 video" if sequences == 1 else f"{sequences} videos"
        name = f"{videos} of {frames} frames, {objects} objects"
        rows.append(_row(name, ours, peer, None))
    rows += kernel_rows(measure("kernels", short, path=path).result)
    rows += memory_and_scaling(root, short, path)
    return rows


def variants(
    root: Path, masks: Masks, peer: Usage, repeats: int, path: Path, short: bool
) -> list[Row]:
    """Rows of the same job: first run, tables saved, and without compiled kernels."""
    plain = [*masks, "--no-cache"]
    first = median(
        [
            measure("ours", *plain, path=path, home=fresh_copy(root / f"fresh-{i}"))
            for i in range(repeats)
        ]
    )
    saved = median(
        [
            measure("ours", *plain, "--out", root / "out", path=path)
            for _ in range(repeats)
        ]
    )
    os.environ["S3FO_KERNELS"] = "reference"
    slow = measure("ours", *plain, path=path)
    del os.environ["S3FO_KERNELS"]
    return [
        _row("the same, first run", first, peer, None if short else 15),
        _row("the same with --out", saved, peer, None),
        _row("the same without compiled kernels", slow, peer, None),
    ]


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
        ("4K, 1", 275),
        ("4K, 5", 1200),
    ):
        ours, peer = times[f"ours, {case}"], times[f"peer, {case}"]
        name = f"a decoded frame, {case} object{'s' * (case[-1] != '1')}"
        wanted = f">= {bar}x" if bar else ""
        took = f"{1e3 * ours:.3f} ms", f"{1e3 * peer:.0f} ms"
        rows.append((name, *took, f"{peer / ours:.0f}x", wanted))
    growth = times["ours, 480p, 20"] / times["ours, 480p, 1"]
    rows.append(
        ("a decoded frame, 20 objects against 1", "", "", f"{growth:.2f}", "<= 2")
    )
    return rows


def memory_and_scaling(root: Path, short: bool, path: Path) -> list[Row]:
    """Rows about a long video of 20 objects and about several workers."""
    frames = 500 if short else 10_000
    masks = long_video(root / "long", root / "20", frames)
    rows: list[Row] = []
    for label, options in (("", []), (", with --out", ["--out", root / "out"])):
        usage = measure("ours", *masks, "--no-cache", *options, path=path)
        took = f"{usage.cpu:.2f} s, {usage.memory:.0f} MB"
        rows.append((f"20 objects, {frames} frames{label}", took, "", "", "<= 130 MB"))
    if short:
        return rows
    masks = repeated(root / "repeated", root / "davis", 10)
    runs = [
        min(measure("workers", *masks, n, path=path).wall for _ in range(2))
        for n in (1, 2, 4)
    ]
    walls = " / ".join(f"{wall:.2f} s" for wall in runs)
    gain = f"{runs[0] / min(runs):.2f}x"
    name = f"{len(list(masks[0].iterdir()))} sequences, wall time of 1 / 2 / 4 workers"
    rows.append((name, walls, "", gain, ""))
    return rows


def as_markdown(rows: list[Row]) -> str:
    """The table, with the machine and the versions."""
    names = (
        "numpy",
        "typer",
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
        "thread, start-up included and nothing subtracted; ours is `s3fo evaluate` as "
        "typed. Same masks, same J and F, taking turns in one run of "
        "`benchmarks/evaluation.py`.",
        "",
        f"{_processor()} ({_kernels()}), {os.cpu_count()} processors, "
        f"{platform.system()}; Python {platform.python_version()}, "
        f"{versions}; {PEER.replace('==', ' ')}.",
        "",
        "| job | ours | vos-benchmark | ratio | wanted |",
        "|---|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def _kernels() -> str:
    from evaluation.counting import kernels

    return kernels.describe()


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
    parser.add_argument("--job", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
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

"""How fast HOTA, CLEAR, IDF1 and J&F are, beside TrackEval, on the same masks.

Needs `pip install --no-deps trackeval==1.3.0`. Every job is a fresh process with one
thread; the two take turns; the median of the CPU time counts, from the first mask read
to the figures, imports left out. Both must come to the same HOTA, MOTA and IDF1.

    python benchmarks/tracking.py
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.remove(str(Path(__file__).parent))  # there, `evaluation` may be a file
ROOT = Path(__file__).parent.parent
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
SIZE = (480, 854)
REPEATS = 3
JOBS = {"4 to 6 objects": (4, 6), "20 to 24 objects": (20, 24)}
"""By name: how many objects the ground truth and the results have."""
SEQUENCES, FRAMES = 6, 20
FIELDS = ("HOTA", "MOTA", "IDF1")


def make(root: Path, objects: int, tracks: int) -> None:
    """Write discs that move, and results that lose, change and misplace them."""
    from evaluation.masks.label_map import write_label_map

    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    names = [f"s{number:02d}" for number in range(SEQUENCES)]
    for name in names:
        start, speed = rng.random((objects, 2)) * SIZE, rng.normal(0, 3, (objects, 2))
        radius = rng.uniform(0.06, 0.16, objects) * SIZE[0]
        for frame in range(FRAMES):
            truth, result = np.zeros((2, *SIZE), np.uint8)
            for k in range(objects):
                at = start[k] + speed[k] * frame
                truth[np.hypot(rows - at[0], columns - at[1]) < radius[k]] = k + 1
                at = at + rng.normal(0, radius[k] * 0.08, 2)
                found = np.hypot(rows - at[0], columns - at[1])
                changed = frame > FRAMES // 2 and k < tracks - objects
                if rng.random() < 0.95:
                    near = found < radius[k] * rng.uniform(0.9, 1.1)
                    result[near] = objects + k + 1 if changed else k + 1
            file = f"{name}/{frame:05d}.png"
            write_label_map(root / "gt" / file, truth)
            write_label_map(root / "trackers/t/data" / file, result)
    (root / "sequences.txt").write_text("\n".join(names) + "\n")


def run_ours(root: str) -> dict[str, float]:
    """Score with `trackeval-davis`: J&F, HOTA, CLEAR and IDF1 at once."""
    import scipy.optimize  # noqa: F401  # also loaded with TrackEval

    from evaluation import score

    start = time.process_time()
    scores = score(
        f"{root}/trackers/t/data", f"{root}/gt", "trackeval-davis", workers=1
    )
    figures = {field: scores.summary[field] for field in FIELDS}
    return {"cpu": time.process_time() - start, **figures}


def run_trackeval(root: str, *metrics: str) -> dict[str, float]:
    """Score with TrackEval's own evaluator."""
    import trackeval

    quiet = dict.fromkeys(
        [
            "USE_PARALLEL",
            "PRINT_RESULTS",
            "PRINT_CONFIG",
            "TIME_PROGRESS",
            "OUTPUT_SUMMARY",
            "OUTPUT_DETAILED",
            "PLOT_CURVES",
        ],
        False,
    )
    layout = {
        "GT_FOLDER": f"{root}/gt",
        "TRACKERS_FOLDER": f"{root}/trackers",
        "TRACKERS_TO_EVAL": ["t"],
        "TRACKER_SUB_FOLDER": "data",
        "SPLIT_TO_EVAL": "val",
        "SEQMAP_FILE": f"{root}/sequences.txt",
        "PRINT_CONFIG": False,
    }
    start = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        evaluator = trackeval.Evaluator(
            trackeval.Evaluator.get_default_eval_config() | quiet
        )
        dataset = trackeval.datasets.DAVIS(
            trackeval.datasets.DAVIS.get_default_dataset_config() | layout
        )
        chosen = [getattr(trackeval.metrics, name)() for name in metrics]
        results, _ = evaluator.evaluate([dataset], chosen)
    cpu = time.process_time() - start
    total = results["DAVIS"]["t"]["COMBINED_SEQ"]["general"]
    hota = float(np.mean(total["HOTA"]["HOTA"]))
    figures = (hota, total["CLEAR"]["MOTA"], total["Identity"]["IDF1"])
    return {"cpu": cpu, **dict(zip(FIELDS, map(float, figures), strict=True))}


RUNS: dict[str, Any] = {"ours": run_ours, "trackeval": run_trackeval}
TRACKING = ("trackeval", "HOTA", "CLEAR", "Identity")
PEERS = {
    "ours": ("ours",),
    "TrackEval, without J&F": TRACKING,
    "TrackEval": (*TRACKING, "JAndF"),
}


def fresh(words: tuple[str, ...], root: Path) -> dict[str, float]:
    """Run one peer in a process of its own."""
    which, *metrics = words
    command = [sys.executable, __file__, which, str(root), *metrics]
    environment = os.environ | dict.fromkeys(THREADS, "1") | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Print the table."""
    print(f"| masks | {' | '.join(PEERS)} | ratios |")
    print("|---" * (len(PEERS) + 2) + "|")
    for name, counts in JOBS.items():
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), *counts)
            times: dict[str, list[float]] = {peer: [] for peer in PEERS}
            for _ in range(REPEATS):
                figures = set()
                for peer, words in PEERS.items():
                    result = fresh(words, Path(folder))
                    times[peer].append(result.pop("cpu"))
                    figures.add(tuple(result.values()))
                if len(figures) != 1:
                    raise SystemExit(f"The figures differ: {figures}")
        ours, *others = [statistics.median(seconds) for seconds in times.values()]
        cells = " | ".join(f"{seconds:.2f} s" for seconds in (ours, *others))
        ratios = ", ".join(f"{seconds / ours:.0f}x" for seconds in others)
        job = f"{SEQUENCES * FRAMES} frames, 480p, {name}"
        print(f"| {job} | {cells} | {ratios} |")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        which, *words = sys.argv[1:]
        print(json.dumps(RUNS[which](*words)))
    else:
        main()

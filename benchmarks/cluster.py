"""What engines cost beyond the videos: overhead per task and video, and scaling.

    python -m benchmarks.cluster [--short] [--videos N] [--on debug local ray slurm]

Two methods: `copy`, whose work is next to nothing, tells the overhead of a job, a task
and a video; a program that only waits tells how work scales over tasks at once, also on
a machine with fewer processors than that, on the engine that was named last. Everything
is compared with one process that does the same by `predict`. Seconds on the clock;
CPU-seconds are those of this process and its children, so of `debug` and `local`.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from s3fo.benchmarks import write_synthetic
from s3fo.benchmarks.synthetic import Factors
from s3fo.cluster import run
from s3fo.inference import predict

FRAMES, SIZE = 10, (120, 214)
PROGRAM = """
import os, shutil, sys, time
frames, masks, out = sys.argv[1:]
time.sleep({seconds})
first = sorted(os.listdir(masks))[0]
for name in sorted(os.listdir(frames)):
    shutil.copy(os.path.join(masks, first), os.path.join(out, name[:-3] + "png"))
"""


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="8 videos, local only")
    parser.add_argument("--videos", type=int, help="200; short: 8")
    parser.add_argument("--on", nargs="+", default=["debug", "local"])
    parser.add_argument(
        "--wait", type=float, default=20, help="seconds per video; 20, short: 1"
    )
    options = parser.parse_args()
    wait = 1 if options.short else options.wait
    videos = options.videos or (8 if options.short else 200)
    with tempfile.TemporaryDirectory(prefix="s3fo-cluster-") as folder:
        root = Path(folder) / "benchmark"
        factors = {f"v{i:04d}": Factors(objects=1, length=FRAMES) for i in range(4)}
        write_synthetic(root, videos=factors, size=SIZE, textures="procedural")
        multiply(root, videos)
        overhead(Path(folder), root, videos, options.on)
        scaling(Path(folder), root, 8, options.on[-1], wait)


def multiply(root: Path, videos: int) -> None:
    """Links to the drawn videos under new names, until there are as many as wanted."""
    for place in (root / "JPEGImages" / "480p", root / "Annotations" / "480p"):
        drawn = sorted(path.name for path in place.iterdir())
        for number in range(len(drawn), videos):
            source = drawn[number % len(drawn)]
            (place / f"v{number:04d}").symlink_to(source)
    names = "".join(f"v{number:04d}\n" for number in range(videos))
    for listing in (root / "ImageSets").rglob("val.txt"):
        listing.write_text(names)


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and of all processors, that some work takes."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)

    def cpu() -> float:
        used = [resource.getrusage(kind) for kind in kinds]
        return sum(one.ru_utime + one.ru_stime for one in used)

    start, before = time.time(), cpu()
    work()
    return time.time() - start, cpu() - before


def overhead(folder: Path, root: Path, videos: int, engines: list[str]) -> None:
    """What a job, a task and a video cost where the work is next to nothing."""
    given = {"root": root, "method": "copy"}
    base = measured(lambda: predict("davis-2017", folder / "one", **given))  # type: ignore[arg-type]
    print(f"{videos} videos of {FRAMES} frames, method copy; one process: "
          f"{base[0]:.1f} s, {base[1]:.1f} CPU-s\n")  # fmt: skip
    print(
        "| engine | tasks | seconds | CPU-s | more CPU-ms per video | per task, CPU-s |"
    )
    print("|---|---|---|---|---|---|")
    for on in engines:
        for tasks in (2, 8):
            out = folder / f"{on.partition(':')[0]}-{tasks}"
            spent = measured(
                lambda on=on, tasks=tasks, out=out: done(
                    run("predict", "davis-2017", out, on=on, tasks=tasks,
                        parallel=2, gpus=0, **given)  # type: ignore[arg-type]
                )
            )  # fmt: skip
            more = spent[1] - base[1]
            print(
                f"| {on} | {tasks} | {spent[0]:.1f} | {spent[1]:.1f} | "
                f"{1000 * more / videos:.1f} | {more / tasks:.2f} |", flush=True
            )  # fmt: skip


def scaling(folder: Path, root: Path, videos: int, on: str, wait: float) -> None:
    """How work that only waits scales over tasks at once."""
    program = folder / "program.py"
    program.write_text(PROGRAM.format(seconds=wait))
    command = f"{sys.executable} {program} {{frames}} {{masks}} {{out}}"
    names = [f"v{number:04d}" for number in range(videos)]
    print(f"\n{videos} videos that take {wait:g} s each, on {on}\n")
    print("| tasks at once | seconds | of the work alone | efficiency |")
    print("|---|---|---|---|")
    for parallel in (1, 2, 4, 8):
        out = folder / f"scaling-{parallel}"
        seconds, _ = measured(
            lambda out=out, parallel=parallel: done(
                run("predict", "davis-2017", out, root=root, on=on, sequences=names,
                    tasks=parallel, parallel=parallel, gpus=0, method="command",
                    command=command)
            )
        )  # fmt: skip
        least = videos * wait / parallel
        print(f"| {parallel} | {seconds:.1f} | {least:.1f} | {least / seconds:.2f} |",
              flush=True)  # fmt: skip


def done(job: object) -> None:
    """Refuse to measure what failed."""
    failures = getattr(job, "failures", {})
    if failures:
        raise RuntimeError(str(failures))


if __name__ == "__main__":
    main()

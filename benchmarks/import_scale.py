"""What large benchmarks cost in FiftyOne: import, scores, filters, memory.

    python -m benchmarks.import_scale [--short] [--markdown FILE]

Two synthetic benchmarks of 854 x 480 pixels and three objects: 1000 videos of 100
frames, and one of 8000 frames (with `--short`: 30 videos of 50 frames, and 600
frames). One video is drawn; the others are hard links to its files in another order.

Costs are CPU-milliseconds a frame of this process and of the MongoDB server together:
on a shared machine time on the clock says little. Videos are not encoded (`video=
"none"`) except in the rows that say mp4. Answers of filters are seconds on the clock.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import fiftyone as fo
import psutil
from fiftyone import ViewField

import s3fo
from evaluation.scoring import score
from s3fo.benchmarks import Benchmark, open_folders, write_synthetic
from s3fo.benchmarks.synthetic import Factors
from s3fo.datasets import write_scores

OBJECTS, SIZE, DRAWN = 3, (480, 854), 100


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="a fiftieth of the data")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--markdown", type=Path, help="also write the tables there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="s3fo-scale-") as folder:
        os.environ["S3FO_CACHE_DIR"] = f"{folder}/cache"
        lines = measured(Path(folder), options.short, options.workers)
    text = "\n".join(lines) + "\n"
    print(text)
    if options.markdown:
        options.markdown.write_text(text)


def measured(folder: Path, short: bool, workers: int) -> list[str]:
    """All tables as lines of Markdown."""
    videos, frames, long = (30, 50, 600) if short else (1000, 100, 8000)
    source = draw(folder / "drawn")
    wide = open_folders(*link(source, folder / "wide", videos, frames), name="wide")
    deep = open_folders(*link(source, folder / "deep", 1, long), name="deep")
    lines = [
        about(),
        "",
        "| step | data | CPU-ms a frame | of that MongoDB | MB more |",
    ]
    lines.append("|---|---|---|---|---|")
    answers: list[str] = []
    for benchmark in (wide, deep):
        for form in ("reference", "instances"):
            name = f"s3fo-scale-{os.getpid()}-{benchmark.name}-{form}"
            try:
                lines += import_costs(benchmark, name, form, workers)
                answers += filter_times(fo.load_dataset(name), form)
            finally:
                if fo.dataset_exists(name):
                    fo.delete_dataset(name)
    lines += encoding_costs(wide, workers)
    head = ["", "| question | data | masks | seconds |", "|---|---|---|---|"]
    return lines + head + answers


def about() -> str:
    """Machine and versions."""
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores of {platform.machine()}, Python "
        f"{platform.python_version()}, FiftyOne {fo.__version__}, load {load:.0f}"
    )


def draw(root: Path) -> tuple[list[Path], list[Path]]:
    """Images and masks of one video."""
    factors = Factors(objects=OBJECTS, length=DRAWN)
    drawn = write_synthetic(root, videos={"drawn": factors}, size=SIZE)["drawn"]
    files = (drawn.images, drawn.annotations)
    images, masks = ([kind[frame] for frame in drawn.frames] for kind in files)
    return images, masks


def link(
    source: tuple[list[Path], list[Path]], root: Path, videos: int, frames: int
) -> tuple[Path, Path]:
    """Folders of images and masks: every video another order of the drawn frames."""
    folders = root / "images", root / "masks"
    for files, folder in zip(source, folders, strict=True):
        for video in range(videos):
            where = folder / f"video{video:04d}"
            where.mkdir(parents=True)
            for frame in range(frames):
                drawn = files[(video + frame) % len(files)]
                os.link(drawn, where / f"{frame:05d}{drawn.suffix}")
    return folders


def import_costs(
    benchmark: Benchmark, name: str, form: str, workers: int
) -> Iterator[str]:
    """Rows: load, load again, predictions, scores."""
    frames = sum(len(sequence.frames) for sequence in benchmark)
    data = f"{len(benchmark)} x {frames // len(benchmark)}, {form}"
    row = Rows(data, frames)

    def load() -> fo.Dataset:
        return s3fo.load_benchmark(
            benchmark, dataset_name=name, masks=form, video="none", workers=workers
        )

    with row.measure("import"):
        dataset = load()
    with row.measure("import again, nothing changed"):
        load()
    # The annotations themselves as results: a copy of the folder costs nothing.
    results = next(iter(benchmark.sequences[0].annotations.values())).parents[1]
    with row.measure("import predictions"):
        s3fo.add_predictions(dataset, results, "copy", workers=workers)
    scores = score(results, benchmark, "davis-2017", workers=workers)
    with row.measure("write scores"):
        write_scores(dataset, "copy", "copy", scores)
    return iter(row.lines)


def encoding_costs(benchmark: Benchmark, workers: int) -> list[str]:
    """Rows: some videos imported with mp4, and again into another dataset."""
    some = replace(benchmark, sequences=benchmark.sequences[:4])
    frames = sum(len(sequence.frames) for sequence in some)
    row = Rows(f"4 x {frames // 4}, reference", frames)
    for step in ("import, encoding mp4", "import, mp4 in the cache"):
        name = f"s3fo-scale-{os.getpid()}-mp4"
        with row.measure(step):
            dataset = s3fo.load_benchmark(
                some, dataset_name=name, masks="reference", workers=workers
            )
        dataset.delete()
    return row.lines


class Rows:
    """Collects table rows of one data set."""

    def __init__(self, data: str, frames: int) -> None:
        self.data, self.frames = data, frames
        self.lines: list[str] = []

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Costs of what is done inside, as a row."""
        server = mongod()
        forget_peak()
        memory = resident_mb("VmRSS")
        own, theirs = time.process_time(), cpu_seconds(server)
        yield
        own, theirs = time.process_time() - own, cpu_seconds(server) - theirs
        total, part = (1e3 * value / self.frames for value in (own + theirs, theirs))
        extra = resident_mb("VmHWM") - memory
        self.lines.append(
            f"| {step} | {self.data} | {total:.2f} | {part:.2f} | {extra:.0f} |"
        )
        print(self.lines[-1], flush=True)


def mongod() -> psutil.Process:
    """The process of the MongoDB server that FiftyOne talks to."""
    pid = fo.core.odm.get_db_conn().command("serverStatus")["pid"]
    return psutil.Process(int(pid))


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time so far."""
    times = process.cpu_times()
    return times.user + times.system


def resident_mb(name: str) -> float:
    """Resident memory (``VmRSS``) or its peak (``VmHWM``) in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    raise OSError(f"no {name} in /proc/self/status")


def forget_peak() -> None:
    """Start a new peak of resident memory."""
    Path("/proc/self/clear_refs").write_text("5")


def filter_times(dataset: fo.Dataset, form: str) -> list[str]:
    """Rows: how long typical questions take to answer."""
    detections = "frames.copy.detections"
    low = ViewField("J") < 0.5
    video = dataset.first()["sequence"]
    clip = [(1, 10)]
    questions: dict[str, Callable[[], object]] = {
        "sidebar: J below 0.5 in frames": lambda: len(
            dataset.filter_labels("frames.copy", low, only_matches=True)
        ),
        "sidebar: bounds of J": lambda: dataset.bounds(f"{detections}.J"),
        "sidebar: count of labels": lambda: dataset.count_values(f"{detections}.label"),
        "match: J&F of the video": lambda: len(dataset.match(ViewField("copy_JF") < 1)),
        "match: one video": lambda: dataset.match(
            ViewField("sequence") == video
        ).first(),
        "match_frames: object 2 there": lambda: len(
            dataset.match_frames(
                ViewField("copy.detections").map(ViewField("index")).contains([2])
            )
        ),
        "to_clips: objects": lambda: len(dataset.to_clips("objects")),
        "to_clips: supports": lambda: len(dataset.to_clips([clip] * len(dataset))),
    }
    frames = dataset.count("frames")
    rows = []
    for question, ask in questions.items():
        seconds = []
        for _ in range(2):
            start = time.perf_counter()
            try:
                ask()
            except Exception as error:  # what breaks is a result too
                rows.append(
                    f"| {question} | {frames} frames | {form} | {error!r:.80} |"
                )
                break
            seconds.append(time.perf_counter() - start)
        else:
            rows.append(
                f"| {question} | {frames} frames | {form} | {min(seconds):.2f} |"
            )
        print(rows[-1], flush=True)
    return rows


if __name__ == "__main__":
    main()

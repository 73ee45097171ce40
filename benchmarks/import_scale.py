"""What large benchmarks cost in FiftyOne: import, scores, filters, memory.

    python -m benchmarks.import_scale [--short] [--only wide-reference ...]

Two synthetic benchmarks of 854 x 480 pixels and three objects: 1000 videos of 100
frames (wide), and one of 8000 frames (deep), each with masks by reference and inside
the labels (instances); and four videos with mp4. `--short`: 30 videos of 50 frames, and
600 frames. One video is drawn; the others are hard links to its files in another order.

All costs are CPU time of this process, all its threads, and of the MongoDB server
together: on a shared machine time on the clock says little. A question's is the best of
three; seconds on the clock stand beside it. Videos are not encoded (`video="none"`) but
in the rows that say mp4. The whole measurement writes some gigabytes of database.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import fiftyone as fo
import psutil
from fiftyone import ViewField
from fiftyone.server.lightning import (
    LightningInput,
    LightningPathInput,
    lightning_resolver,
)

import s3fo
from evaluation._utils.cache_dir import user_cache
from evaluation.errors import InputError
from evaluation.scoring import score
from s3fo.benchmarks import Benchmark, open_folders, write_synthetic
from s3fo.benchmarks.synthetic import Factors
from s3fo.datasets import write_scores
from s3fo.datasets.importing.labels import masks_of_frame
from s3fo.datasets.views import appearance as views

OBJECTS, SIZE, DRAWN = 3, (480, 854), 100
ASKED = 3
PARTS = ("wide-reference", "wide-instances", "deep-reference", "deep-instances", "mp4")


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="a fiftieth of the data")
    parser.add_argument("--videos", type=int, help="wide ones; 1000, short: 30")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    videos = options.videos or (30 if options.short else 1000)
    sizes = (videos, 50, 600) if options.short else (videos, 100, 8000)
    with tempfile.TemporaryDirectory(prefix="s3fo-scale-") as folder:
        kernels = user_cache("kernels")
        os.environ["S3FO_CACHE_DIR"] = f"{folder}/cache"
        if kernels.is_dir():
            shutil.copytree(kernels, user_cache("kernels"))
        for line in measured(Path(folder), sizes, options.only, options.workers):
            print(line, flush=True)


def measured(
    folder: Path, sizes: tuple[int, int, int], parts: Sequence[str], workers: int
) -> Iterator[str]:
    """All tables as lines of Markdown."""
    videos, frames, long = sizes
    source = draw(folder / "drawn")
    wide = open_folders(*link(source, folder / "wide", videos, frames), name="wide")
    deep = open_folders(*link(source, folder / "deep", 1, long), name="deep")
    first = wide.sequences[0]
    masks_of_frame(first, first.frames[0])  # compiles, if this machine never did
    yield about()
    yield ""
    yield "| step | data | CPU-ms per frame | of that MongoDB | MB more |"
    yield "|---|---|---|---|---|"
    answers: list[str] = []
    for part in parts:
        name = f"s3fo-scale-{os.getpid()}-{part}"
        try:
            if part == "mp4":
                yield from encoding_costs(wide, workers)
                continue
            which, form = part.split("-")
            benchmark = wide if which == "wide" else deep
            yield from import_costs(benchmark, name, form, workers)
            answers += question_costs(fo.load_dataset(name), form)
        except InputError as error:
            yield f"| import | {part} | refused: {error} | | |"
        finally:
            if fo.dataset_exists(name):
                fo.delete_dataset(name)
    yield from ("", "| question | data | CPU-s | s on the clock |", "|---|---|---|---|")
    yield from answers


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
    with row.measure("part of each: the App's defaults, and a view of the images"):
        views.apply_defaults(dataset)
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
        print(self.lines[-1], file=sys.stderr, flush=True)


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


def questions(dataset: fo.Dataset) -> dict[str, Callable[[], object]]:
    """What people and the App ask of a dataset."""
    labels = "frames.copy.detections"
    video, clip = dataset.first()["sequence"], [(1, 10)]
    low, second = ViewField("J") < 0.5, ViewField("copy.detections.index").contains(2)
    worst = ViewField("J_min") < 0.5
    return {
        "sidebar opens J": lambda: sidebar(dataset, f"{labels}.J"),
        "sidebar opens label": lambda: sidebar(dataset, f"{labels}.label"),
        "sidebar opens J_min of objects": lambda: sidebar(
            dataset, "copy_objects.detections.J_min"
        ),
        "filter_labels: J below 0.5, frames": lambda: len(
            dataset.filter_labels("frames.copy", low, only_matches=True)
        ),
        "filter_labels: J_min below 0.5, objects": lambda: len(
            dataset.filter_labels("copy_objects", worst)
        ),
        "match_frames: object 2 there": lambda: len(dataset.match_frames(second)),
        "bounds of J, frames": lambda: dataset.bounds(f"{labels}.J"),
        "count of labels, frames": lambda: dataset.count_values(f"{labels}.label"),
        "count of labels, objects": lambda: dataset.count_values(
            "objects.detections.label"
        ),
        "match: J&F of the video": lambda: len(dataset.match(ViewField("copy_JF") < 1)),
        "match: one video": lambda: dataset.match(
            ViewField("sequence") == video
        ).first(),
        "to_clips: objects": lambda: len(dataset.to_clips("objects")),
        "to_clips: supports": lambda: len(dataset.to_clips([clip] * len(dataset))),
    }


def sidebar(dataset: fo.Dataset, path: str) -> object:
    """What the App's server asks when a field is opened in the sidebar."""
    index = f"{path.removeprefix('frames.')}_1"
    known = path in dataset.get_index_information()
    asked = LightningPathInput(path=path, index=index if known else None)
    # `get_async_db_conn` belongs to the loop that runs, as in the server.
    context = SimpleNamespace(db=None)

    async def ask() -> object:
        context.db = fo.core.odm.get_async_db_conn()
        wanted = LightningInput(dataset=dataset.name, paths=[asked])
        return await lightning_resolver(wanted, SimpleNamespace(context=context))

    return asyncio.run(ask())


def question_costs(dataset: fo.Dataset, form: str) -> Iterator[str]:
    """Rows: what typical questions take to answer."""
    frames, server = dataset.count("frames"), mongod()
    for question, ask in questions(dataset).items():
        costs, clock = [], []
        for _ in range(ASKED):
            start = time.perf_counter()
            before = time.process_time() + cpu_seconds(server)
            ask()
            costs.append(time.process_time() + cpu_seconds(server) - before)
            clock.append(time.perf_counter() - start)
        row = f"| {question} | {frames} frames, {form} "
        row += f"| {min(costs):.2f} | {min(clock):.2f} |"
        print(row, file=sys.stderr, flush=True)
        yield row


if __name__ == "__main__":
    main()

"""The predict loop: sequences in, results folder out, for every method."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import get_args

from evaluation._utils.claims import wait_a_little
from evaluation._utils.names import counted
from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from evaluation.masks.pictures import note_few_bits
from evaluation.runs.schema import VideoRecord, listed, speed
from s3fo.benchmarks.benchmark import Benchmark
from s3fo.benchmarks.opening import open_benchmark
from s3fo.benchmarks.video import VideoSequence
from s3fo.choices import SavedFrames
from s3fo.inference.methods.base import AnyMethod, VideoMethod
from s3fo.inference.methods.registry import build_method, find_method
from s3fo.inference.presets import preset_for
from s3fo.inference.running.inputs import inputs_of
from s3fo.inference.running.jobs import Job, Outcome, Reporter
from s3fo.inference.running.memory_use import PeakMemory
from s3fo.inference.running.record import ResultsFolder, RunRecord
from s3fo.inference.running.segmenting import segment_video


@dataclass(frozen=True)
class PredictionSummary:
    """What a call of `predict` did.

    Attributes:
        out: the results folder.
        finished: names of the videos done now.
        kept: names of the videos that were already complete, or that other processes
            did meanwhile.
        failures: of each failed video, what went wrong. Callers must look at it: a
            run with failures is not a success.
        frames_per_second: of the videos done now, reading and writing included.
        notes: what to know about the masks of videos done now.
    """

    out: Path
    finished: tuple[str, ...]
    kept: tuple[str, ...]
    failures: dict[str, str]
    frames_per_second: float
    notes: tuple[str, ...] = ()


def predict(
    sequences: str | Benchmark | VideoSequence | Iterable[VideoSequence],
    out: str | PathLike[str],
    *,
    root: str | PathLike[str] | None = None,
    split: str | None = None,
    method: str | AnyMethod = "s3",
    frames: str = "all",
    overwrite: bool = False,
    progress: ProgressCallback | None = None,
    **options: object,
) -> PredictionSummary:
    """Run a method over sequences and write ``<out>/<sequence>/<frame>.png``.

    Of the annotations only the mask of each object in the frame of its first
    appearance is shown to the method. A video's folder appears when it is complete,
    and complete videos are kept, unless their images or first masks changed since, so
    an interrupted call can simply be repeated. A
    video that fails is recorded and the others go on. ``<out>/run.json`` tells how
    the masks were made. Several processes may run the same call at once: they share
    the videos, and each returns when all are done.

    >>> done = predict("synthetic", f"{root}-copy", root=root, method="copy")
    >>> len(done.finished), done.failures
    (1, {})

    Args:
        sequences: what to segment; a name means that benchmark in the folder `root`.
        out: the results folder.
        root: where the named benchmark lies.
        split: which split of it.
        method: a method, or the name of one of `list_methods`.
        frames: which frames to save: ``"all"``, or ``"listed"`` for those the
            benchmark wants (all where it has no list).
        overwrite: re-run completed videos, replacing a run with other settings; only
            masks that s3fo made are ever replaced.
        progress: told after every frame, with frames/s and time left.
        options: of the method: ``size``, ``weights``, ``device``, ... One that has
            ``memory`` settings takes the benchmark's unless told otherwise.

    Returns:
        What was done. Look at `failures`.

    Raises:
        InputError: no sequences, unknown options, or `out` cannot be written or
            holds the masks of another method or of other settings.
    """
    if frames not in get_args(SavedFrames):
        raise InputError(
            "frames",
            repr(frames),
            "'all' or 'listed'",
            "Pass frames='all' or frames='listed'.",
        )
    if isinstance(sequences, str):
        sequences = open_benchmark(sequences, root or ".", split=split)
    method = method_for(sequences, method, options)
    listing = list_sequences(sequences)
    name = sequences.name if isinstance(sequences, Benchmark) else None
    _refuse_twins(listing)
    fresh = RunRecord.begin(method.name, method.settings, method.device, name)
    jobs = [(item, _frames_to_save(item, frames)) for item in listing]
    folder = ResultsFolder(Path(out), fresh, listing, overwrite=overwrite)
    with folder:
        return _run(jobs, folder, method, progress)


def method_for(
    sequences: object, method: str | AnyMethod, options: dict[str, object]
) -> AnyMethod:
    """The method by its name, with the settings that a benchmark asks for.

    Args:
        sequences: what it is to segment.
        method: a name, or a method that is built.
        options: of the method, where it is to be built.

    Raises:
        InputError: unknown method or options, or options for one that is built.
    """
    if not isinstance(method, str):
        if options:
            raise InputError(
                "options",
                ", ".join(options),
                "none with a built method",
                "Pass them to build_method, e.g. build_method('s3', size=240).",
            )
        return method
    if isinstance(sequences, Benchmark) and "memory" in find_method(method).options:
        options = {"memory": preset_for(sequences.name), **_given_options(options)}
    return build_method(method, **options)


def list_sequences(
    sequences: Benchmark | VideoSequence | Iterable[VideoSequence],
) -> list[VideoSequence]:
    """Videos, however they were given.

    Raises:
        InputError: there are none.
    """
    listing = [sequences] if isinstance(sequences, VideoSequence) else list(sequences)
    if not listing:
        raise InputError(
            "sequences",
            "none",
            "at least one",
            "Pass a benchmark or folder that has sequences.",
        )
    return listing


def _run(
    jobs: Sequence[Job],
    folder: ResultsFolder,
    method: AnyMethod,
    progress: ProgressCallback | None,
) -> PredictionSummary:
    """Do what is to be done, and wait for what other processes are at."""
    todo = [job for job in jobs if not _is_done(job, folder, method)]
    report = Reporter(jobs, todo, progress)
    finished: dict[str, VideoRecord] = {}
    failures: dict[str, str] = {}
    tries = 0
    while todo:
        left: list[Job] = []
        for outcome in _segment_all(todo, folder, method, report):
            if outcome.busy:
                left.append(outcome.job)
            elif outcome.failure:
                failures[outcome.name] = outcome.failure
            elif outcome.record:
                finished[outcome.name] = outcome.record
                folder.video_done(outcome.name)
        tries = tries + 1 if len(left) == len(todo) else 0
        todo = left
        if todo:
            report.wait(folder.holder(todo[0][0].name), len(todo))
            wait_a_little(tries)
    names = [sequence.name for sequence, _ in jobs]
    kept = tuple(name for name in names if name not in {*finished, *failures})
    notes = tuple(note for record in finished.values() for note in record.notes)
    notes += _made_anew(folder, tuple(finished)) + _kept_untold(folder)
    pace = speed(finished.values())
    return PredictionSummary(folder.path, tuple(finished), kept, failures, pace, notes)


def _segment_all(
    todo: Sequence[Job], folder: ResultsFolder, method: AnyMethod, report: Reporter
) -> Iterator[Outcome]:
    """Segment the videos that no other process is at; yields what came of each."""
    if not isinstance(method, VideoMethod):
        for job in todo:
            report.begin(job[0])
            outcome = _attempt(job, folder, method, report.frame_done)
            report.finish(outcome)
            yield outcome
        return
    with ThreadPoolExecutor(max(1, method.parallel), "segment") as pool:
        running = [
            pool.submit(_attempt, job, folder, method, lambda: None) for job in todo
        ]
        try:
            for done in as_completed(running):
                outcome = done.result()
                report.begin(outcome.job[0])
                for _ in outcome.job[0].frames if outcome.record else ():
                    report.frame_done()
                report.finish(outcome)
                yield outcome
        except BaseException:  # interrupted: no thread may be waited for
            pool.shutdown(wait=False, cancel_futures=True)
            getattr(method, "stop", lambda: None)()
            raise


def _attempt(
    job: Job, folder: ResultsFolder, method: AnyMethod, frame_done: Callable[[], None]
) -> Outcome:
    """Segment a video, unless another process is at it or just did it."""
    name = job[0].name
    if not folder.take(name):
        return Outcome(job, busy=True)
    try:
        elsewhere = folder.failed_elsewhere(name)
        if elsewhere is not None:
            return Outcome(job, failure=f"{elsewhere} (told by another process)")
        if _is_done(job, folder, method):
            return Outcome(job)
        return Outcome(job, record=_segment(job, folder, method, frame_done))
    except Exception as error:  # the other videos must go on
        failure = _explain(error)
        folder.video_failed(name, failure)
        return Outcome(job, failure=failure)
    finally:
        folder.release(name)


def _segment(
    job: Job, folder: ResultsFolder, method: AnyMethod, frame_done: Callable[[], None]
) -> VideoRecord:
    sequence, saved = job
    # Programs have a memory of their own, which nobody here sees.
    memory = None if isinstance(method, VideoMethod) else PeakMemory(method.device)
    started = time.perf_counter()
    inputs = inputs_of(sequence)  # before it is read: it may change meanwhile
    made: list[VideoRecord] = []
    seen = 0

    def count_frame() -> None:
        nonlocal seen
        seen += 1
        frame_done()

    def publish(masks: Path) -> None:
        seconds = time.perf_counter() - started
        peak = memory.megabytes() if memory else None
        count = seen or len(sequence.frames)
        notes = _notes(sequence, count)
        record = folder.record.video(count, seconds, notes, peak, inputs)
        made.append(folder.publish(masks, sequence.name, record))

    segment_video(sequence, method, folder.path, saved, count_frame, publish)
    return made[0]


def _made_anew(folder: ResultsFolder, finished: tuple[str, ...]) -> tuple[str, ...]:
    """Which videos were done again because their inputs changed."""
    by_change: dict[str, list[str]] = {}
    for name in finished:
        if name in folder.changed:
            by_change.setdefault(folder.changed[name], []).append(name)
    return tuple(
        f"{len(names)} video{'s' * (len(names) > 1)} made anew: {what} changed since "
        f"({listed(names)})"
        for what, names in by_change.items()
    )


def _kept_untold(folder: ResultsFolder) -> tuple[str, ...]:
    """Which videos were kept though their record says not what they were made from."""
    names = sorted(folder.untold)
    if not names:
        return ()
    return (
        f"{counted(len(names), 'video')} kept whose record does not say from which "
        f"images and first masks they were made ({listed(names)}); --overwrite "
        "(overwrite=True) makes all anew",
    )


def _notes(sequence: VideoSequence, seen: int) -> tuple[str, ...]:
    """What a person should know about the masks of a video."""
    if sequence.video is None:
        few = note_few_bits(sequence.images[sequence.frames[0]])
        return (f"{sequence.name}: {few}",) if few else ()
    if seen == len(sequence.frames):
        return ()
    return (
        f"{sequence.video} ends after {seen} of the {len(sequence.frames)} frames that "
        "it promises; there are masks of these only",
    )


def _is_done(job: Job, folder: ResultsFolder, method: AnyMethod) -> bool:
    sequence, saved = job
    return folder.has(sequence, saved) and _wrote_all(method, sequence)


def _refuse_twins(sequences: Sequence[VideoSequence]) -> None:
    """Two videos of one name would share a folder, and one would be lost."""
    seen: set[str] = set()
    for sequence in sequences:
        if sequence.name in seen:
            raise InputError(
                "sequences",
                f"two videos named {sequence.name}",
                "a name of its own for each video",
                "Rename one of the two folders or files.",
            )
        seen.add(sequence.name)


def _given_options(options: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in options.items() if value is not None}


def _wrote_all(method: AnyMethod, sequence: VideoSequence) -> bool:
    """Whether what the method writes besides masks is there, if it writes anything."""
    has_written = getattr(method, "has_written", None)
    return has_written is None or bool(has_written(sequence))


def _frames_to_save(sequence: VideoSequence, which: str) -> tuple[str, ...]:
    if which == "listed" and sequence.listed_frames is not None:
        return sequence.listed_frames
    return sequence.frames


def _explain(error: Exception) -> str:
    text = str(error) or "no message"
    return text if isinstance(error, InputError) else f"{type(error).__name__}: {text}"

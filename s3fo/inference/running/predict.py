"""The predict loop: sequences in, results folder out, for every method."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from s3fo.benchmarks.benchmark import Benchmark
from s3fo.benchmarks.opening import open_benchmark
from s3fo.benchmarks.video import VideoSequence
from s3fo.inference.methods.base import AnyMethod, Method, VideoMethod
from s3fo.inference.methods.registry import build_method, find_method
from s3fo.inference.presets import preset_for
from s3fo.inference.running.pace import Pace
from s3fo.inference.running.reader import read_frames
from s3fo.inference.running.record import RunRecord, open_record
from s3fo.inference.running.writer import MaskWriter, is_finished


@dataclass(frozen=True)
class Run:
    """What a call of `predict` did.

    Attributes:
        out: the results folder.
        finished: names of the videos done now.
        kept: names of the videos that were already complete.
        failures: of each failed video, what went wrong. Callers must look at it: a
            run with failures is not a success.
        frames_per_second: of the videos done now, reading and writing included.
    """

    out: Path
    finished: tuple[str, ...]
    kept: tuple[str, ...]
    failures: dict[str, str]
    frames_per_second: float


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
    **options: Any,
) -> Run:
    """Run a method over sequences and write ``<out>/<sequence>/<frame>.png``.

    Of the annotations only the mask of each object in the frame of its first
    appearance is shown to the method. A video's folder appears when it is complete,
    and complete videos are kept, so an interrupted call can simply be repeated. A
    video that fails is recorded and the others go on. ``<out>/run.json`` tells how
    the masks were made.

    Args:
        sequences: what to segment; a name means that benchmark in the folder `root`.
        out: the results folder.
        root: where the named benchmark lies.
        split: which split of it.
        method: a method, or the name of one of `list_methods`.
        frames: which frames to save: ``"all"``, or ``"listed"`` for those the
            benchmark wants (all where it has no list).
        overwrite: do complete videos again, replacing a run with other settings.
        progress: told after every frame, with frames/s and time left.
        options: of the method: ``size``, ``weights``, ``device``, ... One that has
            ``memory`` settings takes the benchmark's unless told otherwise.

    Returns:
        What was done. Look at `failures`.

    Raises:
        InputError: no sequences, unknown options, or `out` cannot be written or
            holds the masks of another method or of other settings.
    """
    if frames not in ("all", "listed"):
        raise InputError("frames", repr(frames), "'all' or 'listed'", "Choose one.")
    if isinstance(sequences, str):
        sequences = open_benchmark(sequences, root or ".", split=split)
    if isinstance(method, str):
        if isinstance(sequences, Benchmark) and "memory" in find_method(method).options:
            options = {"memory": preset_for(sequences.name), **_given(options)}
        method = build_method(method, **options)
    elif options:
        raise InputError("options", ", ".join(options), "none with a built method", "")
    listing = [sequences] if isinstance(sequences, VideoSequence) else list(sequences)
    if not listing:
        raise InputError("sequences", "none", "at least one", "Check the benchmark.")
    name = sequences.name if isinstance(sequences, Benchmark) else None
    fresh = RunRecord(method.name, method.settings, method.device, name)
    videos = [item.name for item in listing]
    record = open_record(Path(out), fresh, videos, overwrite=overwrite)
    jobs = [(item, _frames_to_save(item, frames)) for item in listing]
    return _run(jobs, Path(out), method, record, progress)


Job = tuple[VideoSequence, tuple[str, ...]]


def _run(
    jobs: Sequence[Job],
    out: Path,
    method: AnyMethod,
    record: RunRecord,
    progress: ProgressCallback | None,
) -> Run:
    kept = [
        item.name
        for item, saved in jobs
        if item.name in record.sequences
        and is_finished(out / item.name, saved)
        and _wrote_all(method, item)
    ]
    record.save(out)
    todo = [job for job in jobs if job[0].name not in kept]
    report = _Reporter(jobs, todo, progress)
    finished: list[str] = []
    failures: dict[str, str] = {}
    for sequence, seconds, error in _segment_all(todo, method, out, report):
        if error is not None:
            failures[sequence.name] = _explain(error)
            report.fail(sequence)
        else:
            record.sequences[sequence.name] = {
                "frames": len(sequence.frames),
                "seconds": round(seconds, 4),
            }
            finished.append(sequence.name)
        record.failures = failures
        record.save(out)
    speed = _frames_per_second(record, finished)
    return Run(out, tuple(finished), tuple(kept), failures, speed)


def _segment_all(
    todo: Sequence[Job], method: AnyMethod, out: Path, report: _Reporter
) -> Iterator[tuple[VideoSequence, float, Exception | None]]:
    """Segment videos; yields each with its seconds and what went wrong, if anything."""
    if not isinstance(method, VideoMethod):
        for sequence, saved in todo:
            report.begin(sequence)
            yield _timed(sequence, method, out, saved, report.frame_done)
        return
    with ThreadPoolExecutor(max(1, method.parallel), "segment") as pool:
        running = [
            pool.submit(_timed, sequence, method, out, saved, lambda: None)
            for sequence, saved in todo
        ]
        try:
            for done in as_completed(running):
                sequence, seconds, error = done.result()
                report.begin(sequence)
                for _ in sequence.frames if error is None else ():
                    report.frame_done()
                yield sequence, seconds, error
        except BaseException:  # interrupted: no thread may be waited for
            pool.shutdown(wait=False, cancel_futures=True)
            getattr(method, "stop", lambda: None)()
            raise


def _timed(
    sequence: VideoSequence,
    method: AnyMethod,
    out: Path,
    saved: tuple[str, ...],
    frame_done: Callable[[], None],
) -> tuple[VideoSequence, float, Exception | None]:
    started = time.perf_counter()
    try:
        segment_video(sequence, method, out, saved, frame_done)
    except Exception as error:  # the other videos must go on
        return sequence, 0.0, error
    return sequence, time.perf_counter() - started, None


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _wrote_all(method: AnyMethod, sequence: VideoSequence) -> bool:
    """Whether what the method writes besides masks is there, if it writes anything."""
    has_written = getattr(method, "has_written", None)
    return has_written is None or bool(has_written(sequence))


def segment_video(
    sequence: VideoSequence,
    method: AnyMethod,
    out: Path,
    saved: Iterable[str],
    frame_done: Callable[[], None] = lambda: None,
) -> None:
    """Segment one video; its folder appears complete or not at all.

    Frames before the first object get an empty label map.

    Args:
        sequence: the video.
        method: follows the objects.
        out: the results folder.
        saved: names of the frames to write.
        frame_done: called after every frame; never for a `VideoMethod`.

    Raises:
        InputError: no object to follow, a broken frame, sizes that do not match.
    """
    if not sequence.prompt_frames():
        raise InputError(
            sequence.name,
            "no annotated object",
            "a mask of each object in the frame of its first appearance",
            "Give the folder with these masks.",
        )
    with MaskWriter(out / sequence.name) as writer:
        if isinstance(method, VideoMethod):
            method.segment(sequence, tuple(saved), writer.unfinished)
        else:
            _segment_frames(sequence, method, writer, frozenset(saved), frame_done)


def _segment_frames(
    sequence: VideoSequence,
    method: Method,
    writer: MaskWriter,
    wanted: frozenset[str],
    frame_done: Callable[[], None],
) -> None:
    prompts, last_frame = sequence.prompt_frames(), sequence.frames[-1]
    shape: tuple[int, ...] | None = None
    begun = False
    method.start(sequence)
    with closing(read_frames(sequence)) as frames:
        for frame, image in frames:
            shape = shape or image.shape
            _check_size(sequence, frame, "an image", image.shape, shape)
            prompt = sequence.read_prompt(frame) if frame in prompts else None
            if prompt is not None:
                _check_size(sequence, frame, "a mask", prompt.shape, shape[:2])
            begun = begun or prompt is not None
            if begun:
                label_map = method.step(image, prompt, last=frame == last_frame)
            else:
                label_map = np.zeros(image.shape[:2], np.uint8)
            if frame in wanted:
                writer.write(frame, label_map)
            frame_done()


def _check_size(
    sequence: VideoSequence,
    frame: str,
    what: str,
    found: tuple[int, ...],
    expected: tuple[int, ...],
) -> None:
    if found != expected:
        raise InputError(
            f"{sequence.name}, frame {frame}",
            f"{what} of {found[1]}x{found[0]} pixels",
            f"{expected[1]}x{expected[0]}, as in the first frame",
            "Use images and masks of one resolution.",
        )


def _frames_to_save(sequence: VideoSequence, which: str) -> tuple[str, ...]:
    if which == "listed" and sequence.listed_frames is not None:
        return sequence.listed_frames
    return sequence.frames


def _explain(error: Exception) -> str:
    text = str(error) or "no message"
    return text if isinstance(error, InputError) else f"{type(error).__name__}: {text}"


def _frames_per_second(record: RunRecord, names: list[str]) -> float:
    entries = [record.sequences[name] for name in names]
    seconds = sum(entry["seconds"] for entry in entries)
    return sum(entry["frames"] for entry in entries) / seconds if seconds else 0.0


class _Reporter:
    """Turns finished frames into progress: all videos, this video, pace."""

    def __init__(
        self,
        jobs: Sequence[Job],
        todo: Sequence[Job],
        progress: ProgressCallback | None,
    ) -> None:
        self._total = sum(len(sequence.frames) for sequence, _ in jobs)
        ahead = sum(len(sequence.frames) for sequence, _ in todo)
        self._done = self._total - ahead
        self._pace = Pace(ahead)
        self._progress = progress

    def begin(self, sequence: VideoSequence) -> None:
        self._sequence, self._frame = sequence, 0

    def frame_done(self) -> None:
        self._frame += 1
        self._done += 1
        self._pace.frame_done()
        length = len(self._sequence.frames)
        self._tell(f"{self._sequence.name} {self._frame}/{length}, {self._pace}")

    def fail(self, sequence: VideoSequence) -> None:
        rest = len(sequence.frames) - self._frame
        self._pace.skip(rest)
        self._done += rest
        self._tell(f"{sequence.name} failed, {self._pace}")

    def _tell(self, label: str) -> None:
        if self._progress:
            self._progress(self._done, self._total, label)

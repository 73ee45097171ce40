"""The predict loop: sequences in, results folder out, for every method."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from evaluation._utils.claims import wait_a_little
from evaluation._utils.names import counted
from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from evaluation.runs.schema import VideoRecord, listed, speed
from s3fo.benchmarks.benchmark import Benchmark
from s3fo.benchmarks.opening import open_benchmark
from s3fo.benchmarks.video import VideoSequence
from s3fo.inference.methods.base import AnyMethod, Method, VideoMethod
from s3fo.inference.methods.registry import build_method, find_method
from s3fo.inference.presets import preset_for
from s3fo.inference.running.inputs import inputs_of
from s3fo.inference.running.memory_use import PeakMemory
from s3fo.inference.running.pace import Pace
from s3fo.inference.running.reader import (
    VideoEndsEarly,
    image_orientation,
    read_frames,
)
from s3fo.inference.running.record import ResultsFolder, RunRecord
from s3fo.inference.running.writer import MaskWriter


@dataclass(frozen=True)
class Run:
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
) -> Run:
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
    if frames not in ("all", "listed"):
        raise InputError(
            "frames",
            repr(frames),
            "'all' or 'listed'",
            "Pass frames='all' or frames='listed'.",
        )
    if isinstance(sequences, str):
        sequences = open_benchmark(sequences, root or ".", split=split)
    method = method_for(sequences, method, options)
    listing = [sequences] if isinstance(sequences, VideoSequence) else list(sequences)
    if not listing:
        raise InputError(
            "sequences",
            "none",
            "at least one",
            "Pass a benchmark or folder that has sequences.",
        )
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


Job = tuple[VideoSequence, tuple[str, ...]]


def _run(
    jobs: Sequence[Job],
    folder: ResultsFolder,
    method: AnyMethod,
    progress: ProgressCallback | None,
) -> Run:
    """Do what is to be done, and wait for what other processes are at."""
    todo = [job for job in jobs if not _is_done(job, folder, method)]
    report = _Reporter(jobs, todo, progress)
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
    return Run(folder.path, tuple(finished), kept, failures, pace, notes)


@dataclass(frozen=True)
class _Outcome:
    """What came of one video: busy elsewhere, failed, done here, or done elsewhere."""

    job: Job
    busy: bool = False
    failure: str = ""
    record: VideoRecord | None = None

    @property
    def name(self) -> str:
        return self.job[0].name


def _segment_all(
    todo: Sequence[Job], folder: ResultsFolder, method: AnyMethod, report: _Reporter
) -> Iterator[_Outcome]:
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
) -> _Outcome:
    """Segment a video, unless another process is at it or just did it."""
    name = job[0].name
    if not folder.take(name):
        return _Outcome(job, busy=True)
    try:
        elsewhere = folder.failed_elsewhere(name)
        if elsewhere is not None:
            return _Outcome(job, failure=f"{elsewhere} (told by another process)")
        if _is_done(job, folder, method):
            return _Outcome(job)
        return _Outcome(job, record=_segment(job, folder, method, frame_done))
    except Exception as error:  # the other videos must go on
        failure = _explain(error)
        folder.video_failed(name, failure)
        return _Outcome(job, failure=failure)
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


def segment_video(
    sequence: VideoSequence,
    method: AnyMethod,
    out: Path,
    saved: Iterable[str],
    frame_done: Callable[[], None] = lambda: None,
    publish: Callable[[Path], None] | None = None,
) -> None:
    """Segment one video; its folder appears complete or not at all.

    Frames before the first object get an empty label map.

    Args:
        sequence: the video.
        method: follows the objects.
        out: the results folder.
        saved: names of the frames to write.
        frame_done: called after every frame; never for a `VideoMethod`.
        publish: gives the finished folder of masks its name; by default that of the
            sequence in `out`, where nothing may be yet.

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
    with MaskWriter(out / sequence.name, publish) as writer:
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
    with closing(_as_far_as_it_goes(sequence)) as frames:
        for frame, image in frames:
            shape = shape or image.shape
            _check_size(sequence, frame, "an image", image.shape, shape)
            prompt = sequence.read_prompt(frame) if frame in prompts else None
            if prompt is not None:
                _refuse_turned(sequence, frame, image.shape[:2], prompt.shape)
                _check_size(sequence, frame, "a mask", prompt.shape, shape[:2])
            begun = begun or prompt is not None
            if begun:
                label_map = method.step(image, prompt, last=frame == last_frame)
            else:
                label_map = np.zeros(image.shape[:2], np.uint8)
            if frame in wanted:
                writer.write(frame, label_map)
            frame_done()


def _as_far_as_it_goes(
    sequence: VideoSequence,
) -> Generator[tuple[str, np.ndarray], None, None]:
    """The frames of a sequence; a video that was cut ends where it ends."""
    count = 0
    with closing(read_frames(sequence)) as frames:
        try:
            for item in frames:
                count += 1
                yield item
        except VideoEndsEarly:
            if not count:
                raise


def _refuse_turned(
    sequence: VideoSequence,
    frame: str,
    image: tuple[int, ...],
    mask: tuple[int, ...],
) -> None:
    """Refuse images that viewers turn, unless the mask's size tells it was not.

    Masks drawn on what a viewer shows do not lie on the stored pixels.
    """
    if sequence.video is not None:
        return
    path = sequence.images[frame]
    turn = image_orientation(path)
    turned = image[::-1] if turn >= 5 else image
    if turn == 1 or mask == image != turned:
        return
    raise InputError(
        path,
        f"EXIF orientation {turn}: viewers turn this image, and its mask "
        + ("was drawn on the turned one" if mask == turned != image else "may or may "
        "not have been drawn on the turned one"),
        "images without an orientation tag, as their masks have none",
        "Turn the pixels and drop the tag, e.g. mogrify -auto-orient *.jpg, where the "
        "masks were drawn on what a viewer shows; else only drop the tag, e.g. "
        "exiftool -Orientation= *.jpg.",
    )  # fmt: skip


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

    def finish(self, outcome: _Outcome) -> None:
        """Count the frames of a video that will not be seen here."""
        sequence = outcome.job[0]
        rest = len(sequence.frames) - self._frame
        if outcome.busy or not rest:
            return
        self._pace.skip(rest)
        self._done += rest
        how = "failed" if outcome.failure else "done by another process"
        self._tell(f"{sequence.name} {how}, {self._pace}")

    def wait(self, holder: str, videos: int) -> None:
        """Nothing is left but what other processes are at."""
        self._tell(f"waiting for {videos} videos, the first with {holder}")

    def _tell(self, label: str) -> None:
        if self._progress:
            self._progress(self._done, self._total, label)

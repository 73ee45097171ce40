"""Is the benchmark in this folder complete? Compared with the catalog's counts."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields

from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from s3fo.benchmarks.benchmark import Benchmark
from s3fo.benchmarks.catalog import Counts, Entry, get_entry
from s3fo.benchmarks.layouts.layout import describe_frames
from s3fo.benchmarks.validation.image_files import file_problems
from s3fo.benchmarks.video import VideoSequence


@dataclass(frozen=True)
class Validation:
    """What `validate` found.

    Attributes:
        found: the counts of the folder.
        expected: the counts of the catalog.
        problems: one sentence each; empty if all is well.
    """

    found: Counts
    expected: Counts
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def rows(self) -> list[tuple[str, int | None, int | None]]:
        """(what, found, expected) of every count, for tables."""
        return [
            (
                item.name,
                getattr(self.found, item.name),
                getattr(self.expected, item.name),
            )
            for item in fields(Counts)
        ]


def validate(
    benchmark: Benchmark,
    *,
    deep: bool = False,
    progress: ProgressCallback | None = None,
) -> Validation:
    """Compare a benchmark with its catalog entry, and look into its files.

    Every image and mask file must be whole and have the size of the others, and each
    object must show in the frame it is said to appear in.

    Args:
        benchmark: as opened.
        deep: decode every annotation, not only those in which objects appear.
        progress: told after every video.
    """
    entry = _entry(benchmark)
    expected = entry.counts if entry else Counts()
    # What a server scores has few annotations, and all are prompts.
    deep = deep or (entry is not None and not entry.public)
    problems: list[str] = []
    counts = []
    with ThreadPoolExecutor() as pool:
        results = pool.map(lambda item: _inspect(item, deep), benchmark.sequences)
        for index, (count, wrong) in enumerate(results):
            counts.append(count)
            problems += wrong
            if progress:
                name = benchmark.sequences[index].name
                progress(index + 1, len(benchmark), name)
    found = Counts(
        len(benchmark),
        sum(count.objects or 0 for count in counts),
        sum(count.frames or 0 for count in counts),
        sum(count.masks or 0 for count in counts),
    )
    problems = [*_differences(found, expected), *benchmark.missing_files, *problems]
    return Validation(found, expected, tuple(problems))


def _entry(benchmark: Benchmark) -> Entry | None:
    """What the catalog says of it; None if it is none of the catalog's."""
    try:
        return get_entry(benchmark.name, benchmark.split)
    except InputError:
        return None


def _differences(found: Counts, expected: Counts) -> list[str]:
    return [
        f"{getattr(found, item.name)} {item.name}, "
        f"the catalog says {getattr(expected, item.name)}"
        for item in fields(Counts)
        if getattr(expected, item.name) not in (None, getattr(found, item.name))
    ]


def _inspect(sequence: VideoSequence, deep: bool) -> tuple[Counts, list[str]]:
    """Counts and problems of one video."""
    problems: list[str] = []
    objects = 0
    try:
        problems += file_problems(sequence)
        objects = len(sequence.objects)
        problems += _object_problems(sequence, deep)
    except InputError as error:
        # A file that `file_problems` has named cannot be decoded, either.
        problems = problems or [f"{sequence.name}: {error}"]
    masks = len(sequence.annotated_frames)
    return Counts(1, objects, len(sequence.frames), masks), problems


def _object_problems(sequence: VideoSequence, deep: bool) -> Iterable[str]:
    """Objects that do not show where they should, and ids that are no objects."""
    annotated = sequence.annotated_frames
    if annotated and not sequence.objects:
        yield f"{sequence.name}: its masks show no object"
        return
    frames = set(sequence.frames)
    beyond = [frame for frame in annotated if frame not in frames]
    if beyond:
        masks = describe_frames(beyond)
        yield f"{sequence.name}: masks of {masks} that the video does not have"
    prompts = sequence.prompt_frames()
    strange: dict[int, str] = {}
    for frame in annotated if deep else prompts:
        masks_here = sequence.read_object_masks(frame)
        shown = {object_id for object_id, mask in masks_here.items() if mask.any()}
        for object_id in sorted(set(prompts.get(frame, ())) - shown):
            yield f"{sequence.name}, frame {frame}: object {object_id} is not there"
        for object_id in sorted(shown - set(sequence.object_ids)):
            strange.setdefault(object_id, frame)
    known = ", ".join(map(str, sequence.object_ids))
    for object_id, frame in strange.items():
        yield (
            f"{sequence.name}, frame {frame}: id {object_id} is in the mask, but the "
            f"objects are {known}"
        )

"""Is the benchmark in this folder complete? Compared with the catalogue's counts."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path

from evaluation.errors import InputError
from evaluation.progress import ProgressCallback
from s3fo.benchmarks.benchmark import Benchmark
from s3fo.benchmarks.catalog import Counts, get_entry
from s3fo.benchmarks.video import VideoSequence


@dataclass(frozen=True)
class Validation:
    """What `validate` found.

    Attributes:
        found: the counts of the folder.
        expected: the counts of the catalogue.
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
    """Compare a benchmark with its catalogue entry, and look into its files.

    Looks at the first image and mask of every video: they must be readable and of
    one size.

    Args:
        benchmark: as opened.
        deep: read every annotation, and check that each object shows in the frame it
            is said to appear in.
        progress: told after every video.
    """
    expected = _expected(benchmark)
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
    problems = _differences(found, expected) + problems
    return Validation(found, expected, tuple(problems))


def _expected(benchmark: Benchmark) -> Counts:
    try:
        return get_entry(benchmark.name, benchmark.split).counts
    except InputError:
        return Counts()


def _differences(found: Counts, expected: Counts) -> list[str]:
    return [
        f"{getattr(found, item.name)} {item.name}, "
        f"the catalogue says {getattr(expected, item.name)}"
        for item in fields(Counts)
        if getattr(expected, item.name) not in (None, getattr(found, item.name))
    ]


def _inspect(sequence: VideoSequence, deep: bool) -> tuple[Counts, list[str]]:
    """Counts and problems of one video."""
    problems: list[str] = []
    objects = 0
    try:
        objects = len(sequence.objects)
        if not objects and sequence.annotated_frames:
            problems.append(f"{sequence.name}: its masks show no object")
        problems += _size_problems(sequence)
        if deep:
            problems += _absent_objects(sequence)
    except (InputError, OSError) as error:
        problems.append(f"{sequence.name}: {error}")
    masks = len(sequence.annotated_frames)
    return Counts(1, objects, len(sequence.frames), masks), problems


def _size_problems(sequence: VideoSequence) -> Iterable[str]:
    frame = next((f for f in sequence.annotated_frames if f in sequence.images), None)
    if frame is None:
        return
    image = _image_size(sequence.images[frame])
    mask = sequence.read_annotation(frame).shape
    if image != mask:
        yield (
            f"{sequence.name}, frame {frame}: the image is {image[1]}x{image[0]}, "
            f"its mask {mask[1]}x{mask[0]}"
        )


def _image_size(path: Path) -> tuple[int, int]:
    """(height, width) of an image file, from its header."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return image.height, image.width
    except UnidentifiedImageError as error:
        raise InputError(path, "no image", "an image file", "Copy it again.") from error


def _absent_objects(sequence: VideoSequence) -> Iterable[str]:
    prompts = sequence.prompt_frames()
    for frame in sequence.annotated_frames:
        masks = sequence.read_object_masks(frame)
        shown = {object_id for object_id, mask in masks.items() if mask.any()}
        for object_id in sorted(set(prompts.get(frame, ())) - shown):
            yield f"{sequence.name}, frame {frame}: object {object_id} is not there"

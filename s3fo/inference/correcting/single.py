"""Chosen corrections in one pass: what the App's "Correct here" runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from pathlib import Path

import numpy as np

from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from evaluation.masks.open import open_ground_truth
from evaluation.protocols import ScoringProtocol, get_protocol
from s3fo.benchmarks.benchmark import Benchmark
from s3fo.inference.correcting.method import CorrectedMethod, Prompting
from s3fo.inference.correcting.plans import Planned
from s3fo.inference.methods.base import AnyMethod
from s3fo.inference.running.predict import PredictionSummary, method_for, predict

DrawnMasks = Callable[[str, str], Mapping[int, np.ndarray]]
"""Sequence and frame -> masks [H, W] of objects, to correct by."""


def correct_at(
    benchmark: Benchmark,
    out: str | PathLike[str],
    frames: Mapping[str, Mapping[str, Iterable[int]]],
    *,
    method: str | AnyMethod = "s3",
    masks: DrawnMasks | None = None,
    protocol: str | ScoringProtocol | None = None,
    overwrite: bool = False,
    progress: ProgressCallback | None = None,
    **options: object,
) -> PredictionSummary:
    """Segment videos with corrections of chosen objects in chosen frames.

    >>> run = correct_at(  # doctest: +SKIP
    ...     benchmark, "results/corrected", {"cat": {"00002": [1]}}, method="s3"
    ... )

    Args:
        benchmark: the videos; those without corrections are left out.
        out: results folder to write. Videos whose corrections changed are done again.
        frames: sequence -> frame -> ids of the objects that are corrected there.
        method: a method that goes frame by frame, or the name of one.
        masks: to correct by; None takes those of the ground truth.
        protocol: of the ground truth; None takes the benchmark's own.
        overwrite: re-run completed videos, replacing a run with other settings.
        progress: told after every frame.
        options: of the method, as for `predict`.

    Returns:
        What was done. Look at `failures`.

    Raises:
        InputError: no corrections, a sequence, frame or object that is not there, an
            object that is not known yet in that frame, or what `predict` refuses.
    """
    _check(benchmark, frames)
    built = method_for(benchmark, method, options)
    chosen = benchmark.subset(frames)
    plan = {
        name: {frame: tuple(ids) for frame, ids in own.items()}
        for name, own in frames.items()
    }
    given = "ground truth" if masks is None else "drawn"
    corrected = CorrectedMethod(
        built,
        Planned(plan, {}, {"policy": "chosen frames", "masks": given}),
        Prompting("mask", 1),
        open_ground_truth(chosen).sequences,
        get_protocol(protocol or benchmark.protocol),
        Path(out) / ".corrections",
        masks,
    )
    # Masks that were drawn anew have the same names: nothing tells them apart.
    again = overwrite or masks is not None
    return predict(chosen, out, method=corrected, overwrite=again, progress=progress)


def _check(
    benchmark: Benchmark, frames: Mapping[str, Mapping[str, Iterable[int]]]
) -> None:
    """Refuse corrections of what is not there."""
    if not any(ids for own in frames.values() for ids in own.values()):
        raise InputError(
            "corrections",
            "none",
            "at least one object in one frame",
            "Name a sequence, a frame and an object.",
        )
    for sequence in benchmark.subset(frames):
        place = {frame: index for index, frame in enumerate(sequence.frames)}
        first = {item.object_id: item.first_frame for item in sequence.objects}
        annotated = set(sequence.annotated_frames)
        for frame, ids in frames[sequence.name].items():
            for object_id in ids:
                begun = object_id in first and place[first[object_id]] < place.get(
                    frame, -1
                )
                if not begun or frame not in annotated:
                    raise InputError(
                        f"{sequence.name}, frame {frame}, object {object_id}",
                        "a correction of what is not followed there",
                        "an annotated frame after the object's first one",
                        f"Choose among the objects {', '.join(map(str, first))} and "
                        "the frames after their first masks.",
                    )

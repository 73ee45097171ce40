"""`correct`: a method's videos segmented again and again, with corrections."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path

import pandas as pd

from evaluation._utils.progress import ProgressCallback
from evaluation.corrections import (
    IOU_THRESHOLD,
    N_CLICKS,
    Corrections,
    check_choices,
    pass_tables,
)
from evaluation.protocols import ScoringProtocol
from evaluation.scoring import Scores
from s3fo.benchmarks.benchmark import Benchmark
from s3fo.benchmarks.opening import open_benchmark
from s3fo.benchmarks.video import VideoSequence
from s3fo.inference.correcting.method import Prompting, how_corrected
from s3fo.inference.correcting.plans import FrameObjects, Plan
from s3fo.inference.correcting.task import Made, Task
from s3fo.inference.methods.base import AnyMethod
from s3fo.inference.running.predict import method_for


def correct(
    sequences: str | Benchmark | VideoSequence | Iterable[VideoSequence],
    out: str | PathLike[str],
    *,
    root: str | PathLike[str] | None = None,
    split: str | None = None,
    method: str | AnyMethod = "s3",
    policy: str = "worst",
    prompt: str = "mask",
    budget: int = 3,
    clicks: int = N_CLICKS,
    threshold: float = IOU_THRESHOLD,
    events: int | None = 0,
    protocol: str | ScoringProtocol | None = None,
    overwrite: bool = False,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
    **options: object,
) -> Corrections:
    """Measure what corrections by a simulated user regain, as a curve of J&F.

    In `out` appear ``corrections-0`` (plain predictions), ``corrections-1``, ...: one
    results folder per number of corrections, which everything that reads results
    reads; ``prompts`` with what was corrected; the tables, which `Corrections.load`
    reads; and the curve as ``corrections.png`` and ``.svg``. Finished videos are kept,
    so an interrupted call can be repeated, also with a larger budget, and several
    processes can share one.

    >>> done = correct(
    ...     "synthetic", f"{root}-corrected", root=root, method="copy", budget=1
    ... )
    >>> done.curve["budget"].tolist(), done.curve["corrections"].tolist()[0]
    ([0, 1], 0)

    Args:
        sequences: videos with public ground truth; a name means that benchmark in the
            folder `root`.
        out: folder to write.
        root: where the named benchmark lies.
        split: which split of it.
        method: a method that goes frame by frame, or the name of one.
        policy: ``"worst"``: each pass corrects, of every object, the frame with the
            lowest J, and the video is segmented again with all corrections;
            ``"online"``: the first frame with an IoU below `threshold` is corrected,
            and segmentation goes on from there (both: SAM 2).
        prompt: ``"mask"``; for methods that take them, ``"clicks"`` or ``"box"``.
        budget: corrections per object at most, 1 to 8 in SAM 2's evaluation; 0 only
            predicts.
        clicks: of one correction with the prompt ``"clicks"``.
        threshold: of the policy ``"online"``.
        events: measure also what a correction at the onset of each of so many failure
            events regains, the costliest first; None takes all. Each takes another
            pass over its video.
        protocol: rules to score by; None takes the benchmark's own. Only frames that
            count under it are corrected.
        overwrite: re-run completed videos, replacing passes with other settings.
        workers: processes that score.
        progress: told after every frame.
        options: of the method, as for `predict`.

    Returns:
        The curve, by object too, what was corrected, and events.

    Raises:
        InputError: a method that takes no corrections or not of this kind, videos
            without ground truth, a video that failed, or what `predict` refuses.
    """
    check_choices(policy, prompt, budget, clicks, threshold, events)
    if isinstance(sequences, str):
        sequences = open_benchmark(sequences, root or ".", split=split)
    built = method_for(sequences, method, options)
    task = Task.of(sequences, Path(out), built, protocol, overwrite, workers, progress)
    how = how_corrected(built, prompt)
    prompting = Prompting(prompt, clicks)
    passes = [task.plain()]
    made: list[Made] = [{}]
    for number in range(1, budget + 1):
        plan: Plan = (
            task.worst(passes[-1], made[-1], number, prompt)
            if policy == "worst"
            else task.online(passes[0], number, threshold, prompt)
        )
        scores, prompted = task.run(f"corrections-{number}", plan, prompting)
        passes.append(scores)
        made.append(prompted)
    curve, objects = pass_tables(passes, [_counts(one) for one in made])
    done = Corrections(
        built.name, policy, prompt, budget, clicks, threshold,
        task.protocol.name, how, curve, objects, _prompt_table(policy, made),
        _events(task, passes[0], events, prompting),
    )  # fmt: skip
    done.save(task.out)
    _draw(done, task.out)
    return done


def _counts(made: Made) -> dict[tuple[str, int], int]:
    counts: dict[tuple[str, int], int] = {}
    for name, prompts in made.items():
        for one in prompts:
            key = name, one.object_id
            counts[key] = counts.get(key, 0) + 1
    return counts


def _prompt_table(policy: str, made: Sequence[Made]) -> pd.DataFrame:
    """What was corrected in every pass.

    The corrections of an object are numbered as they were made: by pass under the
    policy `worst`, in order of time under `online`.
    """
    rows: list[tuple[object, ...]] = []
    first: dict[tuple[str, int, str], int] = {}
    for budget, by_video in enumerate(made):
        for name, prompts in by_video.items():
            seen: dict[int, int] = {}
            for one in prompts:
                order = seen[one.object_id] = seen.get(one.object_id, 0) + 1
                pass_ = first.setdefault((name, one.object_id, one.frame), budget)
                number = pass_ if policy == "worst" else order
                rows.append(
                    (budget, name, one.object_id, one.frame, number, one.J, one.clicks)
                )
    columns = ["budget", "sequence", "object", "frame", "number", "J_before", "clicks"]
    return pd.DataFrame(rows, columns=columns)


def _events(
    task: Task, before: Scores, number: int | None, prompting: Prompting
) -> pd.DataFrame:
    """What corrections at the onset of events regain; no rows for none."""
    from s3fo.inference.correcting.onsets import measure_onsets

    if number == 0:
        return pd.DataFrame(columns=["event", "sequence", "object", "cost", "regain"])
    return measure_onsets(task, before, number, prompting)


def _draw(done: Corrections, out: Path) -> None:
    from evaluation.plots import corrections_chart, save_figure

    for ending in ("png", "svg"):
        save_figure(
            corrections_chart({done.method: done}), out / f"corrections.{ending}"
        )


__all__ = ["FrameObjects", "Task", "correct"]

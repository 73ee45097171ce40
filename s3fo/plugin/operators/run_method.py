"""Operator: run any method on the dataset's videos and show its masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import fiftyone as fo
from fiftyone import ViewField
from fiftyone.operators import types

from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from s3fo.benchmarks import Benchmark, VideoSequence
from s3fo.datasets.field_names import GROUND_TRUTH
from s3fo.plugin.context import Context
from s3fo.plugin.shared.base import VOSOperator
from s3fo.plugin.shared.engine_form import ask_engine, engine_source, given_engine
from s3fo.plugin.shared.forms import (
    ask_choice,
    ask_folder,
    ask_method_name,
    chosen_folder,
    chosen_sequences,
    own_folder,
)
from s3fo.plugin.shared.method_form import (
    ask_options,
    given_options,
    what_segments,
)
from s3fo.plugin.shared.outcome import Step, Summary, to_operator, to_workspace
from s3fo.plugin.shared.prompts import (
    FirstMasks,
    prompt_fields,
    prompted_by,
    read_first_masks,
    videos_with_masks,
)

if TYPE_CHECKING:
    from s3fo.inference import AnyMethod, MethodInfo

_DEFAULT = "s3"
_SHARE_OF_IMPORT = 0.05
"""Of the progress bar; segmenting takes the rest."""


class RunMethod(VOSOperator):
    """Segment the dataset's videos by any installed method and import the masks.

    Attributes:
        offered: names of the methods to choose from; None for all that are installed.
    """

    name = "run_method"
    label = "Run a method"
    description = "Segment the videos by any installed method: S3, Cutie, SAM 2, ..."
    risk = "high"
    takes_views = True

    offered: ClassVar[tuple[str, ...] | None] = None

    def fields(self, ctx: Context, form: types.Object) -> None:
        """Which method, on what, how, and where the masks go."""
        from s3fo.datasets import load_benchmark_info

        benchmark = load_benchmark_info(ctx.dataset)
        found = self._methods()
        installed = {info.name: info for info in found if info.installed}
        ask_choice(
            form,
            "method",
            {name: info.title for name, info in installed.items()},
            label="Method",
            description=what_segments(found),
            default=_DEFAULT,
        )
        self._ask_what(ctx, form, benchmark)
        method = ctx.params.get("method", _DEFAULT)
        ask_method_name(ctx, form, default=method)
        ask_folder(
            form,
            "out",
            "Results folder",
            "Masks are written to <folder>/<name> as PNG and stay there; finished "
            f"videos are kept when you run again. If left empty: {own_folder(ctx)}",
            required=False,
        )
        form.bool(
            "overwrite",
            label="Start over",
            description="Segment finished videos again, replacing their masks",
            default=False,
        )
        ask_engine(ctx, form, benchmark)
        if method in installed:
            ask_options(ctx, form, benchmark, installed[method])

    def _methods(self) -> list[MethodInfo]:
        """What may be chosen, installed or not."""
        from s3fo.inference import list_methods

        found = list_methods()
        if self.offered is None:
            return found
        return [info for info in found if info.name in self.offered]

    def _ask_what(self, ctx: Context, form: types.Object, benchmark: Benchmark) -> None:
        """Which first masks, of which videos."""
        fields = {name: f"frames.{name}" for name in prompt_fields(ctx.dataset)}
        if GROUND_TRUTH in fields:
            fields[GROUND_TRUTH] = "Ground truth"
        ask_choice(
            form,
            "prompt_field",
            fields,
            label="First masks",
            description="Field to take each object's first mask from. The method sees "
            "that one mask and nothing later, whatever else the field holds",
            default=GROUND_TRUTH,
        )
        chosen = _chosen_videos(ctx)
        if len(chosen) > 1:
            ask_choice(
                form,
                "videos",
                {
                    key: f"{text} ({len(names or benchmark)})"
                    for key, (text, names) in chosen.items()
                },
                label="Videos",
                description="Try a few first: it shows how long all will take",
                default=next(iter(chosen)),
            )

    def work(self, ctx: Context, progress: ProgressCallback) -> Summary:
        """Segment and import."""
        from s3fo.datasets import add_predictions
        from s3fo.datasets.importing.predictions import check_name

        name = ctx.params.get("name") or ctx.params["method"]
        check_name(ctx.dataset, name)
        out = (chosen_folder(ctx, "out") or own_folder(ctx)) / name
        segmenting = _part(progress, 0, 1 - _SHARE_OF_IMPORT)
        work = _segment_by_tasks if given_engine(ctx) else _segment
        failures, told = work(ctx, out, segmenting)
        if failures:
            raise InputError(
                f"{len(failures)} of the videos",
                "; ".join(f"{key}: {text}" for key, text in failures.items()),
                "masks of every video",
                "Correct this and run again: finished videos are kept.",
            )
        importing = _part(progress, 1 - _SHARE_OF_IMPORT, _SHARE_OF_IMPORT)
        missing = add_predictions(ctx.dataset, out, name, progress=importing)
        return {
            "predictions": name,
            **told,
            "without masks": ", ".join(missing) or "none",
            "results": str(out),
        }

    def next_steps(self, ctx: Context, summary: Summary) -> Sequence[Step]:
        """Look at the masks, then score them."""
        name = summary["predictions"]
        return [
            to_workspace("Benchmark", "See the masks"),
            to_operator("evaluate_vos", "Evaluate them", predictions=name),
        ]


class RunS3(RunMethod):
    """Segment the dataset's videos by S3 or a baseline and import the masks."""

    name = "run_s3"
    label = "Run S3 or a baseline"
    description = "Follow every object from its first mask through the video"
    risk = "high"

    offered = ("s3", "flow", "copy")


def _segment(
    ctx: Context, out: Path, progress: ProgressCallback
) -> tuple[dict[str, str], Summary]:
    """Segment in this process; returns failures by video, and what was done."""
    from s3fo.inference import predict

    run = predict(
        _videos(ctx),
        out,
        method=_method(ctx),
        overwrite=ctx.params.get("overwrite", False),
        progress=progress,
    )
    return run.failures, {
        "videos": len(run.finished),
        "kept from before": len(run.kept),
        "frames per second": run.frames_per_second,
    }


def _segment_by_tasks(
    ctx: Context, out: Path, progress: ProgressCallback
) -> tuple[dict[str, str], Summary]:
    """The same by the tasks of an engine."""
    from s3fo.cluster import run
    from s3fo.inference.methods.registry import find_method

    info = find_method(ctx.params.get("method", _DEFAULT))
    benchmark = _videos(ctx)
    job = run(
        "predict",
        engine_source(ctx, benchmark),
        out,
        sequences=[video.name for video in benchmark],
        progress=progress,
        method=info.name,
        **given_engine(ctx),
        **given_options(ctx, info),
    )
    results = [task.result for task in job.tasks().values()]
    return job.failures, {
        "videos": sum(result.get("finished", 0) for result in results),
        "kept from before": sum(result.get("kept", 0) for result in results),
        "tasks": f"{job.record.n_tasks} on {job.record.on}",
    }


def _method(ctx: Context) -> AnyMethod:
    """The method with its settings; where its first masks came from is one."""
    from s3fo.inference import build_method
    from s3fo.inference.methods.registry import find_method

    info = find_method(ctx.params.get("method", _DEFAULT))
    method = build_method(info.name, **given_options(ctx, info))
    prompts = ctx.params.get("prompt_field", GROUND_TRUTH)
    if prompts != GROUND_TRUTH:
        method.settings = {**method.settings, "first masks": f"frames.{prompts}"}
    return method


def _videos(ctx: Context) -> Benchmark:
    """The videos to segment, with the first masks to begin with."""
    from s3fo.datasets import load_benchmark_info

    benchmark = load_benchmark_info(ctx.dataset)
    _, names = _chosen_videos(ctx).get(ctx.params.get("videos", ""), ("", None))
    names = names or chosen_sequences(ctx)
    if names is not None:
        benchmark = benchmark.subset(names)
    prompts = ctx.params.get("prompt_field", GROUND_TRUTH)
    if prompts == GROUND_TRUTH:
        return benchmark  # its files: whole masks even where labels have none
    there = videos_with_masks(ctx.dataset, prompts)
    videos = [item for item in benchmark if item.name in there]
    prompted = tuple(_with_prompt(ctx.dataset, item, prompts) for item in videos)
    return replace(benchmark, sequences=prompted)


def _with_prompt(
    dataset: fo.Dataset, sequence: VideoSequence, path: str
) -> VideoSequence:
    @lru_cache(maxsize=1)
    def read() -> FirstMasks:
        sample = dataset.one(ViewField("sequence") == sequence.name)
        return read_first_masks(sample.frames, path, sequence)

    return prompted_by(sequence, read)


def _chosen_videos(ctx: Context) -> dict[str, tuple[str, list[str] | None]]:
    """What is chosen in the App, the narrowest first: key -> text and names."""
    found: dict[str, tuple[str, list[str] | None]] = {}
    if ctx.selected:
        names = ctx.view.select(ctx.selected).values("sequence")
        found["selected"] = ("The selected videos", sorted(set(names)))
    if ctx.has_custom_view:
        names = ctx.view.values("sequence")
        found["view"] = ("The videos in the current view", sorted(set(names)))
    return {**found, "all": ("All videos of the dataset", None)}


def _part(progress: ProgressCallback, begin: float, share: float) -> ProgressCallback:
    """Progress of one of several stages, as that of the whole."""

    def tell(done: int, total: int, label: str) -> None:
        whole = 1_000_000
        progress(int(whole * (begin + share * done / max(total, 1))), whole, label)

    return tell

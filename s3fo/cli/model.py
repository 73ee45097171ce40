"""Commands that run a model and make one: predict, train."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation._utils.names import counted
from s3fo.choices import Precision, SavedFrames
from s3fo.cli import app
from s3fo.cli.console import print_json, print_notes, progress_bar
from s3fo.cli.engines import engine_source, tell_job, tell_queued
from s3fo.cli.options import (
    CompileEncoder,
    EngineOptions,
    Json,
    Overwrite,
    PartOptions,
    SetOptions,
    SourceOptions,
    chosen_method,
    method_options,
    renamed,
    with_groups,
)

if TYPE_CHECKING:
    from s3fo.cluster import Source


@app.command()
@with_groups
def predict(
    *,
    out: Annotated[Path, typer.Option(help="Results folder to write.")],
    videos: SourceOptions,
    part: PartOptions,
    method: Annotated[
        str | None,
        typer.Option(
            help="Segmentation method; `s3fo methods` lists them; default: s3. "
            "With --command: what to call the program."
        ),
    ] = None,
    command: Annotated[
        str | None,
        typer.Option(
            help='Program that segments, e.g. "python run.py {frames} {masks} {out}"; '
            "also {video}, {objects}, {device}."
        ),
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(help="--command: seconds per video at most.")
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(help="A file, a folder or a name; `s3fo methods show NAME`."),
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Short side in pixels to work at.")
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            help="auto, cpu, cuda, cuda:1, mps; default: auto. With --command "
            "several, as cuda:0,cuda:1: as many videos run at once."
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="S3: network preset; default: the weights'.")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="S3: engine preset; default: the benchmark's, or generic."),
    ] = None,
    memory: Annotated[str | None, typer.Option(hidden=True)] = None,
    precision: Annotated[
        Precision | None, typer.Option(help="Number format; default: auto.")
    ] = None,
    compile_encoder: CompileEncoder = False,
    save_probs: Annotated[
        Path | None, typer.Option(help="S3: folder to keep probabilities in.")
    ] = None,
    score_dumps: Annotated[Path | None, typer.Option(hidden=True)] = None,
    options: SetOptions = None,
    frames: Annotated[
        SavedFrames, typer.Option(help="All, or those the benchmark lists.")
    ] = "all",
    overwrite: Overwrite = False,
    engine: EngineOptions,
    as_json: Json = False,
) -> None:
    """Segment videos: each object's first mask in, masks of all frames out.

    Complete videos are kept, unless their images or first masks changed since: repeat
    an interrupted command to continue.
    """
    machines = engine.chosen(part.shard)
    name, program = chosen_method(method, command)
    given: dict[str, Any] = {
        "method": name,
        "frames": frames,
        "size": size,
        "weights": weights,
        "device": device,
        "model": model,
        "memory": renamed("--memory", memory, "--preset", preset),
        "precision": precision,
        "compile_encoder": compile_encoder or None,
        "scores": renamed("--score-dumps", score_dumps, "--save-probs", save_probs),
        "timeout": timeout,
        "overwrite": overwrite or None,
        **method_options(options),
        **program,
    }
    given = {key: value for key, value in given.items() if value is not None}
    if machines:
        place = engine_source(videos)
        _predict_on(place, out, part.sequence, as_json, **machines, **given)
        return
    source = videos.open()
    chosen = part.of(source)
    if chosen.names is not None:
        source = source.subset(chosen.names)
    from s3fo.inference import predict as run

    with progress_bar("predict", estimate=False) as progress:
        done = run(source, out, progress=progress, **given)
    if as_json:
        print_json(asdict(done))
    else:
        kept = f", {len(done.kept)} kept" if done.kept else ""
        speed = f", {done.frames_per_second:.1f} frames/s" if done.finished else ""
        typer.echo(f"{out}: {counted(len(done.finished), 'video')} done{kept}{speed}")
    print_notes(done.notes)
    for name, reason in done.failures.items():
        typer.echo(f"failed: {name}: {reason}", err=True)
    if done.failures:
        raise typer.Exit(1)


def _predict_on(
    source: Source,
    out: Path,
    sequences: list[str] | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Predict by an engine's tasks, and tell what came of it."""
    from s3fo.cluster import run

    with progress_bar("predict", estimate=False) as progress:
        job = run(
            "predict", source, out, sequences=sequences, progress=progress, **given
        )
    if not given.get("wait", True):
        tell_queued(job)
        return
    results = [task.result for task in job.tasks().values()]
    done, kept = (sum(r.get(k, 0) for r in results) for k in ("finished", "kept"))
    if as_json:
        print_json(
            {"out": str(out), "job": str(job.folder), "finished": done, "kept": kept,
             "tasks": job.record.n_tasks, "failures": job.failures}
        )  # fmt: skip
    else:
        tasks = f"{job.record.n_tasks} tasks on {job.record.on}"
        typer.echo(
            f"{out}: {done} videos done{f', {kept} kept' if kept else ''}, by {tasks}"
        )
    print_notes(note for result in results for note in result.get("notes", ()))
    tell_job(job)


_Runs = Annotated[
    list[Path],
    typer.Argument(help="Folders that `predict --save-probs` filled."),
]
_Fused = Annotated[Path, typer.Option(help="Results folder to write.")]


@app.command()
def fuse(runs: _Runs, out: _Fused) -> None:
    """Fuse runs at several sizes, or of several weights, into one set of masks.

    The field's multi-scale testing: the objects' probabilities are summed over the
    runs, and each pixel goes to the highest sum.
    """
    from s3fo.inference import fuse as run

    with progress_bar("fuse") as progress:
        run(runs, out, progress=progress)
    typer.echo(f"{out}: {len(runs)} runs fused")


@app.command("merge-scores", hidden=True)
def merge_scores(runs: _Runs, out: _Fused) -> None:
    """Former name of `fuse`."""
    typer.echo("warning: merge-scores is now fuse; the old name will go", err=True)
    fuse(runs, out)


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="Folder of the run: weights, curves.")],
    recipe: Annotated[
        str, typer.Option(help="E.g. s3-small, vitb-stage-1, vitb-stage-2-mega.")
    ] = "s3-small",
    videos: Annotated[
        list[Path] | None,
        typer.Option(help="Folder with JPEGImages/ and Annotations/; repeatable."),
    ] = None,
    stills: Annotated[
        list[Path] | None,
        typer.Option(help="Folder with images/ and masks/; repeatable."),
    ] = None,
    init: Annotated[
        str | None, typer.Option(help="Weights to start from: a name or a file.")
    ] = None,
    backbone_file: Annotated[
        Path | None, typer.Option(help="Weights of the frozen ViT.")
    ] = None,
    resume: Annotated[
        bool, typer.Option(help="Go on where an earlier run in --out stopped.")
    ] = True,
    iterations: Annotated[
        int | None, typer.Option(help="Steps; default: the recipe's.")
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(help="Training time budget in minutes; plans the schedule."),
    ] = None,
    hold_out: Annotated[
        list[str] | None,
        typer.Option(help="Video to validate on instead of training; repeatable."),
    ] = None,
    accumulate: Annotated[
        int, typer.Option(help="Batches per step: more takes less memory.")
    ] = 1,
    workers: Annotated[
        int,
        typer.Option(
            min=0, help="Processes that make clips; 0: the training process itself."
        ),
    ] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Train S3 on annotated videos and still images.

    Several GPUs or machines: torchrun --nproc_per_node N -m s3fo.cli train ...
    """
    from s3fo.training import PropagationScore, still_images, training_videos
    from s3fo.training import hold_out as split
    from s3fo.training import train as run

    material = [video for folder in videos or () for video in training_videos(folder)]
    kept, held_out = split(material, hold_out or ())
    with progress_bar("train", estimate=False) as progress:
        weights_file = run(
            recipe,
            out,
            videos=kept,
            stills=[image for folder in stills or () for image in still_images(folder)],
            init=init,
            resume=resume,
            backbone_file=backbone_file,
            iterations=iterations,
            minutes=minutes,
            accumulate=accumulate,
            workers=workers,
            device=device,
            validate=PropagationScore(held_out) if held_out else None,
            progress=progress,
        )
    typer.echo(f"Use it:  s3fo predict ... --weights {weights_file}")

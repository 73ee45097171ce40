"""Commands that run a model: predict."""

from __future__ import annotations

from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from s3fo.cli import app
from s3fo.cli.console import print_json, progress_bar
from s3fo.cli.options import Images, Json, Masks, Root, Split, open_source


class MethodName(str, Enum):
    """Methods that come with s3fo."""

    s3 = "s3"
    flow = "flow"
    copy = "copy"


class Precision(str, Enum):
    """Number format of the network."""

    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"


class SavedFrames(str, Enum):
    """Which frames get a mask."""

    all = "all"
    listed = "listed"


@app.command()
def predict(
    out: Annotated[Path, typer.Option(help="Results folder to write.")],
    benchmark: Annotated[
        str | None, typer.Argument(help="Benchmark name, e.g. davis-2017.")
    ] = None,
    root: Root = None,
    split: Split = None,
    images: Images = None,
    masks: Masks = None,
    method: Annotated[MethodName, typer.Option(help="What segments.")] = MethodName.s3,
    weights: Annotated[
        str | None, typer.Option(help="S3: name of shipped weights, or a file.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Short side in pixels to work at.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="S3: auto, cpu, cuda, cuda:1, mps.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="S3: network preset; default: the weights'.")
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(help="S3: engine settings; default: the benchmark's, or generic."),
    ] = None,
    precision: Annotated[
        Precision | None, typer.Option(help="S3: number format; default float32.")
    ] = None,
    compile_encoder: Annotated[
        bool, typer.Option("--compile", help="S3: compile the image encoder.")
    ] = False,
    score_dumps: Annotated[
        Path | None, typer.Option(help="S3: folder to keep probabilities in.")
    ] = None,
    frames: Annotated[
        SavedFrames, typer.Option(help="All, or those the benchmark lists.")
    ] = SavedFrames.all,
    overwrite: Annotated[bool, typer.Option(help="Do complete videos again.")] = False,
    as_json: Json = False,
) -> None:
    """Segment videos: each object's first mask in, masks of all frames out.

    Complete videos are kept: repeat an interrupted command to continue.
    """
    source = open_source(benchmark, root, split, images, masks)
    from s3fo.inference import predict as run

    given: dict[str, Any] = {"size": size}
    if method is MethodName.s3:
        given |= {
            "weights": weights,
            "device": device,
            "model": model,
            "memory": memory or benchmark,
            "precision": precision and precision.value,
            "compile_encoder": compile_encoder or None,
            "scores": score_dumps,
        }
    with progress_bar("predict") as progress:
        done = run(
            source,
            out,
            method=method.value,
            frames=frames.value,
            overwrite=overwrite,
            progress=progress,
            **{name: value for name, value in given.items() if value is not None},
        )
    if as_json:
        print_json(asdict(done))
    else:
        kept = f", {len(done.kept)} kept" if done.kept else ""
        typer.echo(
            f"{out}: {len(done.finished)} videos done{kept}, "
            f"{done.frames_per_second:.1f} frames/s"
        )
    for name, reason in done.failures.items():
        typer.echo(f"failed: {name}: {reason}", err=True)
    if done.failures:
        raise typer.Exit(1)

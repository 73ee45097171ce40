"""Commands about data: load a benchmark, import a method's masks."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from evaluation._utils.names import counted
from evaluation.errors import InputError
from s3fo._extras import require
from s3fo.choices import AnyMaskForm, OverlapRule, VideoForm
from s3fo.cli import app
from s3fo.cli.catalog import print_validation
from s3fo.cli.console import print_json, print_notes, progress_bar, result_alone
from s3fo.cli.options import (
    Json,
    MaskOptions,
    SourceOptions,
    Workers,
    with_groups,
)


@app.command()
@with_groups
def load(
    *,
    videos: SourceOptions,
    dataset: Annotated[
        str | None, typer.Option(help="Name in FiftyOne; default: the benchmark's.")
    ] = None,
    keep_masks: Annotated[
        AnyMaskForm, typer.Option(help="Inside the labels, or by reference for scale.")
    ] = "auto",
    video: Annotated[
        VideoForm,
        typer.Option(help="Encode an mp4 of each sequence, or look at the images."),
    ] = "mp4",
    validate: Annotated[
        bool, typer.Option("--validate", help="Compare with the catalog first.")
    ] = False,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Load a benchmark as a FiftyOne video dataset."""
    require("app")
    source = videos.open()
    if validate and not print_validation(source):
        typer.echo("Nothing was loaded; without --validate it is, as it is.", err=True)
        raise typer.Exit(1)
    with result_alone(), progress_bar("load") as progress:
        from s3fo.datasets import load_benchmark

        loaded = load_benchmark(
            source,
            dataset_name=dataset,
            masks=keep_masks,
            video=video,
            workers=workers,
            progress=progress,
        )
    facts = {"dataset": loaded.name, "sequences": len(loaded)}
    if as_json:
        print_json(facts)
    else:
        typer.echo(f"Dataset {loaded.name}: {counted(len(loaded), 'sequence')}")
        typer.echo(f"Look at it:  s3fo app {loaded.name}")


@app.command("import-predictions")
@with_groups
def import_predictions(
    *,
    results: Annotated[
        Path,
        typer.Argument(
            help="Folder of <sequence>/<frame>.png, or whatever `evaluate` takes."
        ),
    ],
    dataset: Annotated[str, typer.Option(help="Dataset that `s3fo load` made.")],
    name: Annotated[str, typer.Option(help="What to call the method, e.g. cutie.")],
    evaluate: Annotated[
        bool, typer.Option(help="Score them, too, with the benchmark's protocol.")
    ] = False,
    masks: MaskOptions,
    workers: Workers = None,
) -> None:
    """Import any method's masks into a loaded dataset."""
    from s3fo.datasets import add_predictions, open_dataset
    from s3fo.datasets import evaluate as evaluate_dataset

    target = open_dataset(dataset)
    options = masks.chosen()
    with progress_bar("import") as progress:
        without = add_predictions(
            target, results, name, options=options, workers=workers, progress=progress
        )
    typer.echo(f"Dataset {dataset}: masks of {name} in frames.{name}")
    if without:
        typer.echo(f"no results for {', '.join(without)}", err=True)
    if evaluate:
        with progress_bar("score") as progress:
            scores = evaluate_dataset(
                target, name, options=options, workers=workers, progress=progress
            )
        typer.echo(scores.format_table())
    if without and masks.missing == "error":
        raise typer.Exit(1)


@app.command()
def relocate(
    dataset: Annotated[str, typer.Argument(help="Dataset that `s3fo load` made.")],
    root: Annotated[
        Path | None, typer.Option(help="Where the benchmark is now.")
    ] = None,
    predictions: Annotated[
        list[str] | None,
        typer.Option(help="NAME=FOLDER: where a method's masks are now; repeatable."),
    ] = None,
) -> None:
    """Tell a dataset where its files are now; labels, scores and tags stay."""
    from s3fo.datasets import open_dataset
    from s3fo.datasets import relocate as relocate_dataset

    folders = dict(_name_and_folder(given) for given in predictions or ())
    done = relocate_dataset(open_dataset(dataset), root, predictions=folders)
    typer.echo(f"Dataset {dataset}: {done.frames} frames with new paths")
    if done.videos:
        typer.echo(f"{done.videos} videos were encoded again")
    for missing in done.missing:
        typer.echo(f"still missing: {missing}", err=True)
    if done.missing:
        raise typer.Exit(1)


def _name_and_folder(given: str) -> tuple[str, Path]:
    name, sign, folder = given.partition("=")
    if not (name and sign and folder):
        raise InputError(
            "--predictions",
            repr(given),
            "NAME=FOLDER",
            "For example --predictions cutie=/runs/cutie.",
        )
    return name, Path(folder)


@app.command()
def convert(
    source: Annotated[
        str, typer.Argument(help="Masks to read; DATASET:FIELD for fiftyone.")
    ],
    out: Annotated[
        str, typer.Argument(help="File or folder to make; DATASET:FIELD for fiftyone.")
    ],
    target: Annotated[
        str,
        typer.Option(
            "--to",
            help="davis, object-folders, youtube-vis, burst, sa-v, mots, mots-png, "
            "coco, json or fiftyone.",
        ),
    ],
    origin: Annotated[
        str | None,
        typer.Option("--from", help="Format of the source; default: look."),
    ] = None,
    on_overlap: Annotated[
        OverlapRule,
        typer.Option(help="Masks that overlap where a pixel can have one object."),
    ] = "error",
    ids_from: Annotated[
        Path | None,
        typer.Option(
            help="Masks of the same videos whose ids objects take, in ascending order."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write masks in another format; ids and names of frames stay as they are."""
    from s3fo.convert import convert as convert_masks

    done = convert_masks(
        source,
        out,
        target,
        source_format=origin,
        on_overlap=on_overlap,
        ids_from=ids_from,
    )
    if as_json:
        print_json(asdict(done))
        return
    typer.echo(
        f"{done.out}: {done.target_format} from {done.source_format}, "
        f"{done.sequences} sequences, {done.frames} frames, {done.objects} objects"
    )
    print_notes(done.notes)

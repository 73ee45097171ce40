"""Commands that look at masks over time: errors of ground truth, stability."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation.errors import InputError
from s3fo.cli import app
from s3fo.cli.analysis import (
    BenchmarkName,
    FrameImages,
    GroundTruth,
    Out,
    open_truth,
    records,
    require_places,
)
from s3fo.cli.console import print_json, print_table, progress_bar
from s3fo.cli.options import (
    Binarize,
    Json,
    Missing,
    MissingRule,
    Resize,
    Root,
    Sequences,
    ShardOption,
    Split,
    Void,
    Workers,
    chosen_sequences,
    input_options,
)

if TYPE_CHECKING:
    import pandas as pd

    from evaluation.audit import Audit


@app.command()
def audit(
    gt: GroundTruth = None,
    images: FrameImages = None,
    benchmark: BenchmarkName = None,
    root: Root = None,
    split: Split = None,
    sequence: Sequences = None,
    shard: ShardOption = None,
    method: Annotated[
        list[Path] | None,
        typer.Option(help="Results folder; from two on, agreement tells too."),
    ] = None,
    load: Annotated[
        Path | None,
        typer.Option(help="Instead of ground truth: a folder that --out saved."),
    ] = None,
    scores: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of `evaluate --out`, told again with --confirm."),
    ] = None,
    confirm: Annotated[
        str | None,
        typer.Option(help="Confirmed events by number, e.g. 0,3,4, or `all`."),
    ] = None,
    top: Annotated[int, typer.Option(help="How many events to show.")] = 20,
    out: Out = None,
    binarize: Binarize = False,
    void: Void = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Find errors in ground truth; tell scores again without the confirmed ones."""
    if bool(scores) != (confirm is not None):
        raise InputError(
            "--scores and --confirm",
            "one of them alone",
            "both: which scores to tell again, and without which events",
            "Add the other one, e.g. --scores FOLDER --confirm 0,3.",
        )
    require_places(out, sources=[gt, images, *(method or ())], record="audit")
    found = _audit(
        load, gt, images, benchmark, root, split, sequence, shard, method,
        input_options(MissingRule.error, None, binarize, void), workers,
    )  # fmt: skip
    tables = _told_again(found, scores or [], confirm) if confirm is not None else {}
    if out:
        found.save(out)
    if as_json:
        print_json(
            {
                "object_frames": found.n_object_frames,
                "kinds": records(found.by("kind")),
                "events": records(found.events),
                "notes": list(found.notes),
                "scores": {name: records(table) for name, table in tables.items()},
            }
        )
        return
    _show("What looks wrong", found.by("kind"))
    columns = ["event", "sequence", "object", "kind", "other", "start", "end"]
    columns += ["confidence", "reason"]
    _show(f"The {top} surest events", found.events.head(top)[columns])
    for name, table in tables.items():
        _show(f"{name}: with all frames, and without the confirmed events", table)
    typer.echo(f"{len(found.events)} events in {found.n_object_frames} object frames")


def _audit(
    load: Path | None,
    gt: Path | None,
    images: Path | None,
    benchmark: str | None,
    root: Path | None,
    split: str | None,
    sequences: list[str] | None,
    shard: str | None,
    methods: list[Path] | None,
    options: Any,
    workers: int | None,
) -> Audit:
    """Audit what the options name, or load what was saved."""
    from evaluation.audit import Audit, audit_ground_truth
    from evaluation.runs.registry import one_per_folder

    if load is not None:
        if gt or benchmark or methods or sequences or shard:
            raise InputError(
                "--load",
                "also --gt, --benchmark, --method, --sequence or --shard",
                "a saved audit alone",
                "Drop --load to audit anew.",
            )
        return Audit.load(load)
    truth = open_truth(gt, images, benchmark, root, split)
    names = chosen_sequences(truth, sequences, shard).names
    results = one_per_folder(methods) if methods else None
    with progress_bar("audit") as progress:
        found = audit_ground_truth(
            truth, methods=results, sequences=names, options=options, workers=workers,
            progress=progress,
        )  # fmt: skip
    for note in found.notes:
        typer.echo(f"note: {note}", err=True)
    return found


def _told_again(
    found: Audit, folders: list[Path], confirm: str
) -> dict[str, pd.DataFrame]:
    """Scores with all frames and without the confirmed events, by their folder."""
    from evaluation import Scores
    from evaluation.audit import side_by_side
    from evaluation.runs.registry import one_per_folder

    numbers = found.events["event"].tolist()
    if confirm != "all":
        numbers = _event_numbers(confirm)
    kept = found.confirmed(numbers)
    named = one_per_folder(folders)
    return {name: side_by_side(Scores.load(one), kept) for name, one in named.items()}


def _event_numbers(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdecimal() for part in parts):
        raise InputError(
            "--confirm", repr(text), "numbers of events, e.g. 0,3, or `all`", "Mend it."
        )
    return [int(part) for part in parts]


@app.command()
def stability(
    results: Annotated[Path, typer.Argument(help="Folder of <sequence>/<frame>.png.")],
    gt: GroundTruth = None,
    images: FrameImages = None,
    benchmark: BenchmarkName = None,
    root: Root = None,
    split: Split = None,
    sequence: Sequences = None,
    protocol: Annotated[
        str, typer.Option(help="Which frames count, and what an object is.")
    ] = "davis-2016",
    missing: Missing = MissingRule.error,
    resize: Resize = None,
    binarize: Binarize = False,
    void: Void = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Measure temporal stability T of DAVIS-2016: how much outlines jitter."""
    from evaluation.stability import stability as measure

    truth = open_truth(gt, images, benchmark, root, split)
    with progress_bar("stability") as progress:
        table = measure(
            results, truth, protocol=protocol,
            sequences=chosen_sequences(truth, sequence, None).names,
            options=input_options(missing, resize, binarize, void), workers=workers,
            progress=progress,
        )  # fmt: skip
    notes = table.attrs["notes"]
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    mean = table["T"].mean()
    if as_json:
        known = None if table["T"].isna().all() else mean
        objects = records(table)
        print_json(
            {"protocol": protocol, "T": known, "objects": objects, "notes": notes}
        )
        return
    _show("Temporal stability", table)
    count = int(table["T"].notna().sum())
    typer.echo(f"T {mean:.4f}, the mean over {count} objects; lower is more stable")


def _show(title: str, table: pd.DataFrame) -> None:
    numbers = [str(name) for name in table.select_dtypes("number")]
    rows = [list(row.values()) for row in records(table)]
    print_table(title, [str(name) for name in table], rows, right=numbers)

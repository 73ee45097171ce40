"""Commands that look at masks over time: errors of ground truth, stability."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.errors import InputError
from s3fo.cli import app
from s3fo.cli.analysis import Out, require_places
from s3fo.cli.console import (
    print_json,
    print_notes,
    print_table,
    progress_bar,
    records,
)
from s3fo.cli.options import (
    Binarize,
    ImagedTruthOptions,
    Json,
    MaskOptions,
    PartOptions,
    ResultsFolder,
    Sequences,
    Void,
    Workers,
    with_groups,
)

if TYPE_CHECKING:
    import pandas as pd

    from evaluation.audit import Audit
    from evaluation.options import InputOptions


@app.command()
@with_groups
def audit(
    *,
    truth: ImagedTruthOptions,
    part: PartOptions,
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
    top: Annotated[int, typer.Option(min=0, help="How many events to show.")] = 20,
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
    sources = [truth.gt, truth.images, *(method or ())]
    require_places(out, sources=sources, record="audit")
    if load is None:
        options = MaskOptions(binarize=binarize, void=void).chosen()
        found = _audit(truth, part, method, options, workers)
    else:
        found = _load_audit(load, truth, part, method)
    tables = _told_again(found, scores or [], confirm) if confirm is not None else {}
    told = [note for table in tables.values() for note in table.attrs["notes"]]
    if out:
        found.save(out)
    if as_json:
        print_json(
            {
                "object_frames": found.n_object_frames,
                "kinds": records(found.by("kind")),
                "events": records(found.events),
                "notes": [*found.notes, *told],
                "scores": {name: records(table) for name, table in tables.items()},
            }
        )
        return
    if len(found.events):
        _show("What looks wrong", found.by("kind"))
        columns = ["event", "sequence", "object", "kind", "other", "start", "end"]
        columns += ["confidence", "reason"]
        shown = found.events.head(top)[columns]
        many = f"The {len(shown)} surest events of {len(found.events)}"
        _show(many if len(shown) > 1 else "The surest event", shown)
    for name, table in tables.items():
        _show(f"{name}: with all frames, and without the confirmed events", table)
    print_notes(told)
    typer.echo(f"{len(found.events)} events in {found.n_object_frames} object frames")


def _load_audit(
    folder: Path,
    truth: ImagedTruthOptions,
    part: PartOptions,
    methods: list[Path] | None,
) -> Audit:
    """Load what was saved, with which nothing else is named."""
    from evaluation.audit import Audit

    if truth.gt or truth.benchmark or methods or part.sequence or part.shard:
        raise InputError(
            "--load",
            "also --gt, --benchmark, --method, --sequence or --shard",
            "a saved audit alone",
            "Drop --load to audit anew.",
        )
    return Audit.load(folder)


def _audit(
    truth: ImagedTruthOptions,
    part: PartOptions,
    methods: list[Path] | None,
    options: InputOptions,
    workers: int | None,
) -> Audit:
    """Audit what the options name."""
    from evaluation.audit import audit_ground_truth
    from evaluation.runs.registry import one_per_folder

    source = truth.open()
    names = part.of(source).names
    results = one_per_folder(methods) if methods else None
    with progress_bar("audit") as progress:
        found = audit_ground_truth(
            source, methods=results, sequences=names, options=options, workers=workers,
            progress=progress,
        )  # fmt: skip
    print_notes(found.notes)
    # With images beside it, the folder is part of a benchmark with a name of its own.
    return replace(found, ground_truth=str(truth.gt)) if truth.gt else found


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
            "--confirm",
            repr(text),
            "numbers of events, e.g. 0,3, or `all`",
            "Pass --confirm with numbers of the table's rows, or --confirm all.",
        )
    return [int(part) for part in parts]


@app.command()
@with_groups
def stability(
    *,
    results: ResultsFolder,
    truth: ImagedTruthOptions,
    sequence: Sequences = None,
    protocol: Annotated[
        str, typer.Option(help="Which frames count, and what an object is.")
    ] = "davis-2016",
    masks: MaskOptions,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Measure temporal stability T of DAVIS-2016: how much outlines jitter."""
    from evaluation.stability import stability as measure

    source = truth.open()
    with progress_bar("stability") as progress:
        table = measure(
            results, source, protocol=protocol,
            sequences=PartOptions(sequence).of(source).names,
            options=masks.chosen(), workers=workers, progress=progress,
        )  # fmt: skip
    notes = table.attrs["notes"]
    print_notes(notes)
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

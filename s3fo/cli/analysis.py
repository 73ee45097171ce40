"""Commands that say where and why a model fails: attributes, breakdown, failures."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation._utils.atomic import require_writable
from s3fo.cli import app
from s3fo.cli.console import (
    print_frame,
    print_json,
    print_notes,
    progress_bar,
    records,
)
from s3fo.cli.options import (
    ImagedTruthOptions,
    Json,
    MaskOptions,
    PartOptions,
    ProtocolName,
    ResultsFolder,
    Workers,
    protocol_of,
    with_groups,
)
from s3fo.cli.pictures import draw, draw_attributes, draw_failures

if TYPE_CHECKING:
    import pandas as pd

    from evaluation import Attributes, Failures, Scores
    from evaluation.attributes import FeatureExtractor
    from evaluation.options import InputOptions
    from s3fo.benchmarks import Benchmark

COLOUR = "colour"
"""Looks as colour and texture, which need no model."""

Out = Annotated[Path | None, typer.Option(help="Folder to save all tables in.")]
Features = Annotated[
    str,
    typer.Option(
        help="What describes looks for similarity: `colour` (and texture), `s3` (its "
        "features), or an S3 weights file."
    ),
]
Pictures = Annotated[
    Path | None, typer.Option(help="Folder to draw pictures in (PNG and SVG).")
]


def require_places(
    *folders: Path | None, sources: Iterable[object] = (), record: str = ""
) -> None:
    """Refuse folders that cannot be written to, or are inputs, before the work begins.

    Args:
        folders: to write to; None for none. The first gets tables.
        sources: what is read: paths or benchmarks.
        record: name of the tables' record; "" for no tables.

    Raises:
        InputError: they are inputs, cannot be written to, or hold files of others.
    """
    from evaluation.results.table_folder import require_ours
    from evaluation.runs.outputs import refuse_among_inputs

    refuse_among_inputs(folders, [source for source in sources if source is not None])
    for folder in folders:
        if folder is not None:
            require_writable(folder)
    if record and folders[0] is not None:
        names = [f"{table}.parquet" for table in _tables_of(record)]
        require_ours(folders[0], record, names)


def _tables_of(record: str) -> tuple[str, ...]:
    """Names of the tables that are saved with a record."""
    tables = import_module(f"evaluation.{record}.tables")
    files: tuple[str, ...] = tables.FILES
    return files


def _measure(
    truth: Benchmark | Path,
    workers: int | None,
    options: InputOptions,
    features: str = COLOUR,
    fps: float | None = None,
    sequences: Collection[str] | None = None,
) -> Attributes:
    from evaluation import object_attributes

    with progress_bar("attributes") as progress:
        measured: Attributes = object_attributes(
            truth,
            sequences=sequences,
            extractor=_extractor(features),
            fps=fps,
            options=options,
            workers=workers,
            progress=progress,
        )
    print_notes(measured.notes)
    return measured


def _extractor(features: str) -> FeatureExtractor | None:
    """What `--features` names; None for what is built in."""
    if features == COLOUR:
        return None
    from s3fo.inference import S3Features
    from s3fo.inference.weights import DEFAULT

    return S3Features(DEFAULT if features == "s3" else features)


@app.command()
@with_groups
def attributes(
    *,
    truth: ImagedTruthOptions,
    part: PartOptions,
    fps: Annotated[
        float | None, typer.Option(help="Frames per second, where not known.")
    ] = None,
    features: Features = COLOUR,
    out: Out = None,
    pictures: Pictures = None,
    masks: MaskOptions,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Measure what makes each object hard: occlusion, similarity, length, ..."""
    from evaluation.attributes import attribute_title

    source = truth.open()
    sources = [source, truth.gt, truth.images]
    require_places(out, pictures, sources=sources, record="attributes")
    options = masks.chosen()
    names = part.of(source).names
    measured = _measure(source, workers, options, features, fps, names)
    if out:
        measured.save(out)
    if pictures:
        draw_attributes(measured, source, options, pictures)
    if as_json:
        print_json(records(measured.objects))
        return
    columns = [
        "sequence", "object", "length", "occlusion", "similarity",
        "background_similarity", "size", "speed", "longest_gap", "reappearances",
        "deformation",
    ]  # fmt: skip
    shown = measured.objects.astype({"length": "Int64"}).rename(columns=attribute_title)
    print_frame("Objects", shown, map(attribute_title, columns))
    if measured.official_tags:
        agreement = measured.agreement()
        print_frame("Computed against official tags", agreement, agreement.columns)


@app.command()
@with_groups
def breakdown(
    *,
    scores: Annotated[
        list[Path], typer.Argument(help="Folders that `evaluate --out` saved.")
    ],
    truth: ImagedTruthOptions,
    by: Annotated[
        list[str] | None,
        typer.Option(
            help="Attribute, as printed or as its column is named; repeatable; "
            "default: all."
        ),
    ] = None,
    metric: Annotated[str, typer.Option(help="Score to break down.")] = "J&F",
    features: Features = COLOUR,
    pictures: Pictures = None,
    masks: MaskOptions,
    workers: Workers = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Print every group of every attribute.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Break scores down by attribute, with intervals; several methods compare.

    Prints the groups that are worst beside their others; --all, or --by, prints every
    group.
    """
    from evaluation import Scores
    from evaluation import breakdown as break_down
    from evaluation.runs.registry import one_per_folder

    folders = one_per_folder(scores)
    methods = {name: Scores.load(folder) for name, folder in folders.items()}
    source = truth.open()
    require_places(pictures, sources=[source, truth.gt, truth.images])
    measured = _measure(source, workers, masks.chosen(), features)
    by = _columns_of(by, measured)
    result = break_down(methods, measured, by, metric=metric)
    named = truth.gt or (source if isinstance(source, Path) else source.name)
    notes = [*_note_other_truth(methods, str(named)), *result.notes]
    if pictures:
        from evaluation.plots import attribute_chart

        draw(attribute_chart(result), pictures, "attributes")
    if as_json:
        tables = {
            name: records(getattr(result, name))
            for name in ("groups", "trends", "differences")
        }
        print_json({"metric": metric, **tables, "notes": notes})
        return
    columns = ["attribute", "group", "n_objects", "n_videos", "mean", "low", "high"]
    columns += ["delta", "delta_low", "delta_high", "few"]
    whole = everything or bool(by)
    lower = " (lower is better)" if result.lower_is_better else ""
    for method, groups in result.groups.groupby("method", sort=False):
        shown = groups if whole else _worst_groups(groups, metric)
        title = f"{metric} of {method}, 0 to 1{lower}, 95 % intervals"
        print_frame(title + _part(shown, groups), _with_titles(shown), columns)
    if len(methods) > 1:
        every = result.differences
        shown = every if whole else every[every["attribute"] == "all"]
        title = (
            f"Paired differences of {metric}, 0 to 1{lower}: b - a, the folder named "
            "later minus the earlier one"
        )
        print_frame(title + _part(shown, every), _with_titles(shown), shown.columns)
    print_notes(notes)


def _with_titles(table: pd.DataFrame) -> pd.DataFrame:
    """A table for people: attributes by their titles, as in the App and reports."""
    from evaluation.attributes import attribute_title

    titles = table["attribute"].map(attribute_title)
    return table.assign(attribute=titles.replace("all", "All objects"))


def _columns_of(named: list[str] | None, measured: Attributes) -> list[str] | None:
    """Columns that `--by` names, by their own names or as people read them."""
    from evaluation.attributes import attribute_title

    if named is None:
        return None
    titles = {attribute_title(str(name)): str(name) for name in measured.objects}
    return [titles.get(name, name) for name in named]


_N_LOWEST = 12
"""Groups of a method that are printed where not all are wanted."""


def _worst_groups(groups: pd.DataFrame, metric: str) -> pd.DataFrame:
    """All objects, then one group per attribute: the one furthest from its others."""
    from evaluation.breakdown import drop_repeated_splits, worse_groups

    rest = groups[groups["attribute"] != "all"]
    below = worse_groups(rest, metric)
    names = list(dict.fromkeys(below["attribute"]))
    own = below.drop_duplicates("attribute")
    kept = own[own["attribute"].isin(drop_repeated_splits(names, rest))]
    chosen = [*groups.index[groups["attribute"] == "all"], *kept.index[:_N_LOWEST]]
    return groups.loc[chosen]


def _part(shown: pd.DataFrame, every: pd.DataFrame) -> str:
    """What a title says of rows that are left out; empty where none is."""
    if len(shown) == len(every):
        return ""
    return f": {len(shown)} of {len(every)} groups, --all prints every one"


def _note_other_truth(methods: Mapping[str, Scores], truth: str) -> list[str]:
    """Notes on scores that were made against another ground truth than this one."""
    from evaluation.results.ground_truths import note_other_name

    return [
        f"the scores {name} and the attributes are of {note}"
        for name, scores in methods.items()
        for note in note_other_name(scores.inputs.get("ground_truth", ""), truth)
    ]


@app.command()
@with_groups
def failures(
    *,
    results: ResultsFolder,
    truth: ImagedTruthOptions,
    part: PartOptions,
    protocol: ProtocolName = None,
    top: Annotated[
        int, typer.Option(min=0, help="How many events to show and draw.")
    ] = 10,
    out: Out = None,
    pictures: Pictures = None,
    masks: MaskOptions,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Find failures, rank them by the J&F they cost, and draw the worst."""
    from evaluation import find_failures, score

    source = truth.open()
    sources = [source, truth.gt, truth.images, results]
    require_places(out, pictures, sources=sources, record="failures")
    options = masks.chosen()
    rules = protocol or protocol_of(source)
    names = part.of(source).names
    with progress_bar("score") as progress:
        scores = score(
            results, source, rules, sequences=names, options=options, workers=workers,
            progress=progress,
        )  # fmt: skip
    print_notes(scores.notes)
    measured = _measure(source, workers, options, sequences=names)
    with progress_bar("failures") as progress:
        found: Failures = find_failures(
            results, source, scores, options=options, attributes=measured,
            workers=workers, progress=progress,
        )  # fmt: skip
    print_notes(found.notes)
    if out:
        found.save(out)
    if pictures:
        draw_failures(found, scores, results, source, options, top, pictures)
    if as_json:
        print_json(
            {
                "protocol": found.protocol,
                "J&F": found.headline,
                "unassigned": found.unassigned,
                "kinds": records(found.by("kind")),
                "events": records(found.events),
            }
        )
        return
    _print_failures(found, min(top, len(found.events)))
    if names is not None:
        print_notes(["costs are parts of the J&F of these sequences only"])


def _print_failures(found: Failures, top: int) -> None:
    """The balance of all events, the costliest of them, and what is left."""
    if len(found.events):
        title = "What fails, and the J&F it costs (0.01 is one point)"
        print_frame(title, found.balance(), found.balance().columns)
    columns = ["sequence", "object", "kind", "other", "start", "worst", "end"]
    columns += ["n_frames", "cost", "recovered", "onset"]
    if top:
        print_frame(f"Top {top} events", found.events.head(top), columns)
    n_events = len(found.events)
    costs = "no failure events"
    if n_events:
        which = f"the top {top}" if top else f"all {n_events}"
        costs = f"{which} events cost {found.recoverable(top or n_events):.3f}"
    typer.echo(
        f"J&F {found.headline:.3f}; {costs}, frames in no event {found.unassigned:.3f}"
    )

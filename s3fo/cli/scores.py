"""Commands about scores: evaluate, compare, list the protocols."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from math import isnan, nan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation._utils.atomic import require_writable
from evaluation._utils.input_files import read_input
from evaluation._utils.names import file_name
from evaluation.errors import InputError
from s3fo.cli import app
from s3fo.cli.console import (
    print_json,
    print_notes,
    print_notes_of,
    print_table,
    progress_bar,
)
from s3fo.cli.engines import score_on, scores_source
from s3fo.cli.options import (
    EngineOptions,
    Json,
    MaskOptions,
    PartOptions,
    PerObject,
    ProtocolName,
    TruthOptions,
    Workers,
    protocol_of,
    with_groups,
)

if TYPE_CHECKING:
    from evaluation import Scores
    from evaluation.options import InputOptions
    from s3fo.benchmarks import Benchmark
    from s3fo.cluster import Chosen


@app.command()
@with_groups
def evaluate(
    *,
    results: Annotated[
        list[Path], typer.Argument(help="Folder of <sequence>/<frame>.png, or several.")
    ],
    truth: TruthOptions,
    protocol: ProtocolName = None,
    part: PartOptions,
    unseen: Annotated[
        Path | None,
        typer.Option(
            help="File of unseen kinds, one SEQUENCE or SEQUENCE/OBJECT per line."
        ),
    ] = None,
    masks: MaskOptions,
    per_object: PerObject = False,
    against: Annotated[
        Path | None, typer.Option(help="Check every number of an official tool's CSV.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder to save all tables in; of several results, a folder each "
            "and summary.csv."
        ),
    ] = None,
    workers: Workers = None,
    cache: Annotated[
        bool, typer.Option(help="Reuse the counts of unchanged sequences.")
    ] = True,
    record: Annotated[
        bool,
        typer.Option(
            help="Leave a record in the results folder: RESULTS/scores/<protocol>.json."
        ),
    ] = False,
    engine: EngineOptions,
    as_json: Json = False,
) -> None:
    """Score results folders exactly as the benchmark's official evaluator does.

    Of several folders each frame of the ground truth is read once; one table holds all.
    """
    from evaluation.runs.score_records import leave_record

    machines = engine.chosen(part.shard)
    folders = _named_folders(results, alone=against is not None)
    options = masks.chosen()
    given = {
        "unseen": _lines(unseen),
        "options": options,
        "workers": workers,
        "cache": cache,
    }
    whole = not part.sequence
    strata: dict[str, list[str]] = {}
    if machines:
        _require_places(out, folders, truth.gt)
        place = scores_source(truth, out)
        found = score_on(place, folders, out, protocol, part.sequence, machines, given)
    else:
        source = truth.open()
        _require_places(out, folders, source)
        chosen = part.of(source)
        _note_merging(chosen, out)
        strata = _strata(source)
        rules = protocol or protocol_of(source)
        found = _score(folders, source, rules, chosen, given)
        whole = chosen.names is None
    scores = dict(zip(folders, found, strict=True))
    # Neither a full disk nor a reader that went away (| head) takes the scores with it.
    try:
        if len(scores) == 1:
            _print_scores(found[0], per_object, as_json, strata)
        else:
            _print_several(scores, per_object, as_json)
        sys.stdout.flush()
    finally:
        if out:
            _save(scores, folders, out, options, whole=not part.sequence)
    if record and whole:
        for name, folder in folders.items():
            leave_record(scores[name], folder, **options.to_dict())
    elif record:
        print_notes(["no record of scores of some sequences is left"])
    if against:
        _check(found[0], against, as_json)


def _note_merging(chosen: Chosen, out: Path | None) -> None:
    """Say how the scores of a shard come to those of all."""
    if chosen.shard is None or chosen.shard.count < 2:
        return
    merge = "`s3fo merge-shards` puts the --out folders of all shards together"
    print_notes([merge if out else f"{merge}; without --out nothing is kept"])


def _score(
    folders: Mapping[str, Path],
    truth: Benchmark | Path,
    protocol: str,
    chosen: Chosen,
    given: Mapping[str, Any],
) -> list[Scores]:
    """Scores of each folder, worked out by this process."""
    from evaluation.results.shards import as_shard
    from evaluation.scoring import score_folders

    with progress_bar("score") as progress:
        found = score_folders(
            list(folders.values()),
            truth,
            protocol,
            sequences=chosen.names,
            progress=progress,
            **given,
        )
    if chosen.shard is None:
        return found
    asked = given["options"], given["unseen"]
    return [as_shard(one, chosen.shard, chosen.n_sequences, *asked) for one in found]


def _check(scores: Scores, numbers: Path, as_json: bool) -> None:
    """Hold every number against an official tool's; ends with 1 where they differ."""
    from evaluation import compare_with_official

    agreement = compare_with_official(scores, numbers)
    typer.echo(str(agreement), err=as_json)
    if not agreement.agrees:
        raise typer.Exit(1)


def _named_folders(results: list[Path], *, alone: bool) -> dict[str, Path]:
    """Results folders by the names they go by in tables."""
    if len(results) == 1:
        return {results[0].name: results[0]}
    if alone:
        raise InputError(
            "--against", "several results folders", "one", "Name one folder."
        )
    from evaluation.runs.registry import one_per_folder

    return one_per_folder(results)


def _print_several(
    scores: Mapping[str, Scores], per_object: bool, as_json: bool
) -> None:
    """Print the summaries of several results as one table, the best first."""
    if as_json:
        print_json({name: one.to_json_dict() for name, one in scores.items()})
    else:
        if per_object:
            for name, one in scores.items():
                typer.echo(f"{name}\n{one.format_table(per_object=True)}\n")
        protocol = next(iter(scores.values())).protocol
        columns, rows = _summaries(
            {name: one.summary for name, one in scores.items()},
            protocol.headline_metric,
        )
        shown = [[name, *(f"{value:.3f}" for value in row)] for name, row in rows]
        print_table(f"{protocol.name}, 0 to 1", columns, shown, right=columns[1:])
    print_notes_of({name: one.notes for name, one in scores.items()})


def _summaries(
    summaries: Mapping[str, Mapping[str, float]], headline: str
) -> tuple[list[str], list[tuple[str, list[float]]]]:
    """Columns and rows of the summaries of several results, the best first."""
    columns = list(dict.fromkeys(k for one in summaries.values() for k in one))
    columns.sort(key=lambda column: column != headline)
    rows = [
        (name, [one.get(column, nan) for column in columns])
        for name, one in summaries.items()
    ]
    rows.sort(key=lambda row: (isnan(row[1][0]), -row[1][0]))
    return ["results", *columns], rows


def _require_places(
    out: Path | None, folders: Mapping[str, Path], truth: Benchmark | Path | None
) -> None:
    """Refuse places for scores before the work begins; None for none.

    Raises:
        InputError: they are inputs, cannot be written to, or hold files of others.
    """
    from evaluation.results.storage import SCORE_TABLES
    from evaluation.results.table_folder import require_ours
    from evaluation.runs.outputs import refuse_among_inputs

    if out is None:
        return
    places = _places(out, folders)
    sources = [*folders.values(), *([] if truth is None else [truth])]
    refuse_among_inputs([out, *places.values()], sources)
    require_writable(out)
    for place in places.values():
        require_ours(place, "scores", [f"{table}.parquet" for table in SCORE_TABLES])
    if len(places) > 1:
        require_ours(out, "summary", ["summary.csv"])


def _places(out: Path, names: Iterable[str]) -> dict[str, Path]:
    """Where the scores of each result are saved: one's in `out`, several in folders."""
    names = list(names)
    if len(names) == 1:
        return {names[0]: out}
    return {name: out / file_name(name) for name in names}


def _save(
    scores: Mapping[str, Scores],
    folders: Mapping[str, Path],
    out: Path,
    options: InputOptions,
    *,
    whole: bool,
) -> None:
    """Save scores: one result's in `out`, several in a folder each, and one table."""
    from evaluation.results.storage import save_tables
    from evaluation.runs.replaced import note_replaced
    from evaluation.runs.score_records import ScoreRecord, changed

    places = _places(out, folders)
    for name, one in scores.items():
        print_notes(note_replaced(places[name], one))
        record = ScoreRecord.of(one, folders[name], changed(options.to_dict()))
        one.save(places[name], record=record.as_json() if whole else None)
    if len(scores) > 1:
        columns, rows = _summaries(
            {name: one.summary for name, one in scores.items()},
            next(iter(scores.values())).protocol.headline_metric,
        )
        cells = [[name, *row] for name, row in rows]
        table = {c: [row[i] for row in cells] for i, c in enumerate(columns)}
        facts = {"results": {name: str(folder) for name, folder in folders.items()}}
        save_tables(out, "summary", facts, {"summary": table}, "csv")


def _strata(source: Benchmark | Path) -> dict[str, list[str]]:
    """Names of videos by stratum, where the benchmark publishes figures of strata."""
    names = getattr(source, "strata", ())
    videos = getattr(source, "sequences", ())
    return {
        name: [video.name for video in videos if name in (video.attributes or ())]
        for name in names
    }


def _print_scores(
    scores: Scores,
    per_object: bool,
    as_json: bool,
    strata: Mapping[str, list[str]] | None = None,
) -> None:
    from evaluation.results.strata import by_stratum, format_strata

    parts = by_stratum(scores, strata or {})
    if as_json:
        print_json(scores.to_json_dict() | ({"strata": parts} if parts else {}))
        print_notes(scores.notes)
        return
    typer.echo(scores.format_table(per_object=per_object))
    if parts:
        typer.echo("\n" + format_strata(parts))


@app.command("merge-shards")
def merge_shards(
    shards: Annotated[
        list[Path],
        typer.Argument(help="Folders that `evaluate --shard i/n --out` saved."),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder to save all tables in.")
    ] = None,
    per_object: PerObject = False,
    as_json: Json = False,
) -> None:
    """Put the scores of all shards together: the same as of one run, to the bit."""
    from evaluation import Scores, merge
    from evaluation.runs.score_records import merged_record

    if out:
        require_writable(out)
    scores = merge([Scores.load(folder) for folder in shards])
    # It refuses shards of different runs, before any of their numbers are shown.
    record = merged_record(scores, shards)
    _print_scores(scores, per_object, as_json)
    if out:
        scores.save(out, record=record.as_json() if record else None)


def _lines(path: Path | None) -> list[str]:
    if path is None:
        return []
    expected = "a text file, one name per line"
    data = read_input(path, expected, "Pass the path of such a file.")
    lines = data.decode("utf-8-sig", errors="replace").splitlines()
    return [line.strip() for line in lines if line.strip()]


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="Folder that `evaluate --out` saved.")],
    second: Annotated[Path, typer.Argument(help="The run to judge against it.")],
    metric: Annotated[str, typer.Option(help="Score to compare.")] = "J&F",
    as_json: Json = False,
) -> None:
    """Compare two runs object by object, with a paired bootstrap over videos."""
    from evaluation import Scores
    from evaluation import compare as compare_runs

    result = compare_runs(Scores.load(first), Scores.load(second), metric=metric)
    notes = [*result.notes, *_note_outdated(first, second)]
    if as_json:
        objects = result.objects.to_dict("records")
        low, high = (None if isnan(end) else end for end in result.interval)
        print_json({"metric": metric, "delta": result.delta, "low": low, "high": high,
                    "objects": objects, "notes": notes})  # fmt: skip
    else:
        rows = result.objects.itertuples(index=False, name=None)
        legend = f"a = {first}, b = {second}; delta = b - a"
        title = f"{metric} by object, 0 to 1: {legend}"
        print_table(title, list(result.objects.columns), rows)
        typer.echo(result.sentence)
    print_notes(notes)


def _note_outdated(*folders: Path) -> list[str]:
    """Notes on saved scores of masks or a ground truth that changed since."""
    from evaluation.runs.registry import saved_scores_outdated

    return [
        f"{folder}: {changed} since these scores were saved; score again for those of "
        "the masks that are there"
        for folder in folders
        if (changed := saved_scores_outdated(folder))
    ]


@app.command()
def protocols(
    name: Annotated[str | None, typer.Argument(help="Show only this one.")] = None,
) -> None:
    """Print the rules of every protocol."""
    from evaluation.protocols import PROTOCOLS, get_protocol

    chosen = [get_protocol(name)] if name else list(PROTOCOLS.values())
    typer.echo("\n\n".join(map(str, chosen)))

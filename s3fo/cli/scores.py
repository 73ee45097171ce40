"""Commands about scores: evaluate, compare, list the protocols."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation._utils.atomic import require_writable
from evaluation.errors import InputError
from s3fo.cli import app
from s3fo.cli.console import print_json, print_table, progress_bar
from s3fo.cli.options import (
    Binarize,
    Json,
    Missing,
    MissingRule,
    ProtocolName,
    Resize,
    Root,
    Sequences,
    ShardOption,
    Split,
    Void,
    Workers,
    chosen_sequences,
    input_options,
    open_source,
)

if TYPE_CHECKING:
    from evaluation import Scores
    from s3fo.benchmarks import Benchmark


@app.command()
def evaluate(
    results: Annotated[Path, typer.Argument(help="Folder of <sequence>/<frame>.png.")],
    gt: Annotated[
        Path | None, typer.Option(help="Ground truth: <sequence>/<frame>.png.")
    ] = None,
    protocol: ProtocolName = None,
    benchmark: Annotated[
        str | None, typer.Option(help="Instead of --gt: benchmark name, with --root.")
    ] = None,
    root: Root = None,
    split: Split = None,
    sequence: Sequences = None,
    shard: ShardOption = None,
    unseen: Annotated[
        Path | None,
        typer.Option(
            help="File of unseen kinds, one SEQUENCE or SEQUENCE/OBJECT per line."
        ),
    ] = None,
    missing: Missing = MissingRule.error,
    resize: Resize = None,
    binarize: Binarize = False,
    void: Void = None,
    per_object: Annotated[
        bool, typer.Option("--per-object", help="Print every object, too.")
    ] = False,
    against: Annotated[
        Path | None, typer.Option(help="Check every number of an official tool's CSV.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to save all tables in.")
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
    as_json: Json = False,
) -> None:
    """Score a results folder exactly as the benchmark's official evaluator does."""
    from evaluation.results.shards import as_shard
    from evaluation.runs.score_records import ScoreRecord, changed, leave_record
    from evaluation.scoring import score

    if out:
        require_writable(out)
    options = input_options(missing, resize, binarize, void)
    truth, rules = _ground_truth(gt, benchmark, root, split)
    chosen = chosen_sequences(truth, sequence, shard)
    with progress_bar("score") as progress:
        scores = score(
            results,
            truth,
            protocol or rules,
            sequences=chosen.names,
            unseen=_lines(unseen),
            options=options,
            workers=workers,
            cache=cache,
            progress=progress,
        )
    if chosen.shard:
        scores = as_shard(scores, chosen.shard, chosen.n_sequences)
    _print_scores(scores, per_object, as_json)
    # Printed first: a full disk must not take the scores with it.
    if out:
        of_all = ScoreRecord.of(scores, results, changed(options.to_dict()))
        scores.save(out, record=of_all.as_json() if not sequence else None)
    if record and chosen.names is None:
        leave_record(scores, results, **options.to_dict())
    elif record:
        typer.echo("note: no record of scores of some sequences is left", err=True)
    if against:
        from evaluation import check_against

        agreement = check_against(scores, against)
        typer.echo(str(agreement), err=as_json)
        if not agreement.agrees:
            raise typer.Exit(1)


def _print_scores(scores: Scores, per_object: bool, as_json: bool) -> None:
    if as_json:
        print_json(scores.to_json_dict())
        for note in scores.notes:
            typer.echo(f"note: {note}", err=True)
    else:
        typer.echo(scores.format_table(per_object=per_object))


@app.command("merge-shards")
def merge_shards(
    shards: Annotated[
        list[Path],
        typer.Argument(help="Folders that `evaluate --shard i/n --out` saved."),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder to save all tables in.")
    ] = None,
    per_object: Annotated[
        bool, typer.Option("--per-object", help="Print every object, too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Put the scores of all shards together: the same as of one run, to the bit."""
    from evaluation import Scores, merge
    from evaluation.runs.score_records import merged_record

    if out:
        require_writable(out)
    scores = merge([Scores.load(folder) for folder in shards])
    _print_scores(scores, per_object, as_json)
    if out:
        record = merged_record(scores, shards)
        scores.save(out, record=record.as_json() if record else None)


def _ground_truth(
    gt: Path | None, benchmark: str | None, root: Path | None, split: str | None
) -> tuple[Benchmark | Path, str]:
    if gt is not None and benchmark is None:
        return gt, "davis-2017"
    if gt is not None:
        raise InputError(
            "ground truth",
            "both --gt and --benchmark",
            "one of them",
            "Pass either --gt or --benchmark, not both.",
        )
    opened = open_source(benchmark, root, split, None, None)
    return opened, opened.protocol


def _lines(path: Path | None) -> list[str]:
    if path is None:
        return []
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise InputError(
            path,
            str(error.strerror),
            "a text file, one name per line",
            "Pass the path of such a file.",
        ) from error
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
    if as_json:
        objects = result.objects.to_dict("records")
        low, high = (None if isnan(end) else end for end in result.interval)
        print_json({"metric": metric, "delta": result.delta, "low": low, "high": high,
                    "objects": objects})  # fmt: skip
        return
    rows = result.objects.itertuples(index=False, name=None)
    print_table(f"{metric} by object", list(result.objects.columns), rows)
    typer.echo(str(result))


@app.command()
def protocols(
    name: Annotated[str | None, typer.Argument(help="Show only this one.")] = None,
) -> None:
    """Print the rules of every protocol."""
    from evaluation.protocols import PROTOCOLS, get_protocol

    chosen = [get_protocol(name)] if name else list(PROTOCOLS.values())
    typer.echo("\n\n".join(map(str, chosen)))

"""Commands whose output leaves the machine: report, leaderboard, runs."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.errors import InputError
from s3fo.cli import app
from s3fo.cli.console import print_json, print_notes, print_table, progress_bar, records
from s3fo.cli.options import (
    ImagedTruthOptions,
    Json,
    MaskOptions,
    ProtocolName,
    Workers,
    renamed,
    with_groups,
)

if TYPE_CHECKING:
    from evaluation.corrections import Corrections
    from evaluation.leaderboard.table import Leaderboard, LocalRun
    from evaluation.report.tables import Table


class Format(str, Enum):
    """How a leaderboard is printed."""

    terminal = "terminal"
    markdown = "markdown"
    html = "html"
    latex = "latex"


@app.command()
@with_groups
def report(
    *,
    runs: Annotated[
        list[Path],
        typer.Argument(help="Results folders; the first is the one it is about."),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write the report in.")],
    truth: ImagedTruthOptions,
    protocol: ProtocolName = None,
    name: Annotated[
        list[str] | None,
        typer.Option(help="What to call a run; repeat in the order of the runs."),
    ] = None,
    sequence: Annotated[
        list[str] | None, typer.Option(help="Only this one; repeatable.")
    ] = None,
    masks: MaskOptions,
    title: Annotated[str | None, typer.Option(help="Title of the report.")] = None,
    corrections: Annotated[
        list[Path] | None,
        typer.Option(help="Folder that `s3fo correct` wrote; repeatable."),
    ] = None,
    top: Annotated[int, typer.Option(min=0, help="How many failures to show.")] = 6,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Write a report: what to fix first, all scores, failures, comparisons.

    One HTML page that needs nothing else, with Markdown, LaTeX, CSV and JSON of
    every table, PNG and SVG of every figure.
    """
    from evaluation.report import report as write_report

    source = truth.open()
    with progress_bar("report") as progress:
        made = write_report(
            _name_runs(runs, name or []),
            source,
            out,
            protocol=protocol,
            sequences=sequence,
            options=masks.chosen(),
            title=title,
            top=top,
            corrections=_load_corrections(corrections or []),
            workers=workers,
            progress=progress,
        )
    if as_json:
        print_json(
            {
                "page": str(made.page),
                "findings": [vars(finding) for finding in made.findings],
                "tables": [str(out / "tables" / f"{key}.csv") for key in made.tables],
                "pictures": [str(path) for path in made.pictures],
            }
        )
        return
    for finding in made.findings:
        typer.echo(f"{finding.headline}\n  {finding.text}")
    typer.echo(f"\nReport: {made.page}")


def _load_corrections(folders: list[Path]) -> dict[str, Corrections]:
    """What was saved in folders, by method; by folder too where that is not enough."""
    from evaluation.corrections import Corrections

    found = [(folder, Corrections.load(folder)) for folder in folders]
    names = [one.method for _, one in found]
    return {
        one.method
        if names.count(one.method) == 1
        else f"{one.method} ({folder.name})": one
        for folder, one in found
    }


def _name_runs(runs: list[Path], names: list[str]) -> dict[str, Path] | list[Path]:
    if not names:
        return runs
    if len(names) != len(runs) or len(set(names)) != len(names):
        raise InputError(
            "--name",
            f"{', '.join(names)} for {len(runs)} runs",
            "a name of its own for each run, or none",
            "Repeat --name in the order of the runs.",
        )
    return dict(zip(names, runs, strict=True))


class Export(str, Enum):
    """Hubs that files can be written for."""

    hf = "hf"


@app.command()
def leaderboard(
    benchmark: Annotated[str, typer.Argument(help="E.g. davis-2017.")],
    split: Annotated[str, typer.Option(help="Split the figures are for.")] = "val",
    local: Annotated[
        list[Path] | None,
        typer.Option(help="Own evaluated results folder, or saved scores; repeatable."),
    ] = None,
    local_training_data: Annotated[
        list[str] | None,
        typer.Option(help="Training data of a local run; repeat in their order."),
    ] = None,
    filter_training_data: Annotated[
        str | None,
        typer.Option(help="Only entries trained on this data set; or 'w/o NAME'."),
    ] = None,
    trained_on: Annotated[list[str] | None, typer.Option(hidden=True)] = None,
    training_data: Annotated[str | None, typer.Option(hidden=True)] = None,
    since: Annotated[int | None, typer.Option(help="Only from this year on.")] = None,
    superseded: Annotated[
        bool, typer.Option(help="Show figures their authors replaced, unranked.")
    ] = True,
    attributes: Annotated[
        bool, typer.Option("--attributes", help="Published figures by attribute.")
    ] = False,
    output: Annotated[
        Format, typer.Option("--format", help="What to print.")
    ] = Format.terminal,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the ranks here too: .png, .svg or .pdf.")
    ] = None,
    export: Annotated[
        Export | None,
        typer.Option(help="Write the files that a model hub reads: hf."),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Where --export writes them, a folder per method.")
    ] = Path("hub"),
    hub_dataset: Annotated[
        str | None,
        typer.Option(help="The benchmark's data set on the hub, OWNER/NAME."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Rank published figures and own runs; sources, conflicts and marks shown."""
    from evaluation.leaderboard.table import leaderboard as rank
    from evaluation.leaderboard.table import published_attributes
    from evaluation.report import ranking

    if attributes:
        _print_table(
            ranking.attribute_ranking(published_attributes(benchmark)), output, as_json
        )
        return
    own = renamed(
        "--trained-on", trained_on or None, "--local-training-data", local_training_data
    )
    from s3fo.benchmarks.catalog import names as benchmarks
    from s3fo.benchmarks.layouts.davis import official_sequences

    board = rank(
        benchmark,
        split,
        local=_local_runs(local or [], own or [], benchmark),
        training_data=renamed(
            "--training-data",
            training_data,
            "--filter-training-data",
            filter_training_data,
        ),
        since=since,
        superseded=superseded,
        n_sequences=_n_sequences(benchmark, split),
        sequences=official_sequences(benchmark, split),
        benchmarks=benchmarks(),
    )
    for warning in board.warnings:
        typer.echo(f"warning: {warning}", err=True)
    if export:
        from evaluation.leaderboard.export import export_hub

        files = export_hub(board, out, dataset=hub_dataset)
        typer.echo(f"{out}: evaluation results of {len(files)} methods")
        return
    roomy = output in (Format.markdown, Format.html)
    _print_table(ranking.ranking_table(board, notes=roomy), output, as_json)
    if plot:
        _draw(board, plot)


def _local_runs(
    folders: list[Path], training_data: list[str], benchmark: str
) -> list[LocalRun]:
    from evaluation.leaderboard.table import MEASURES, LocalRun

    if benchmark not in MEASURES:
        return []  # ranking it says what is wrong
    words = training_data or [""] * len(folders)
    if len(words) != len(folders):
        raise InputError(
            "--local-training-data",
            f"{len(words)} for {len(folders)} local runs",
            "one for each local run, or none",
            "Repeat --local-training-data in the order of --local.",
        )
    return [
        LocalRun.load(folder, benchmark, training_data=said)
        for folder, said in zip(folders, words, strict=True)
    ]


def _n_sequences(benchmark: str, split: str) -> int | None:
    """How many the catalog lists; None where it does not know."""
    from s3fo.benchmarks.catalog import ENTRIES

    for entry in ENTRIES:
        if (entry.name, entry.split) == (benchmark, split):
            return entry.counts.sequences
    return None


def _print_table(table: Table, output: Format, as_json: bool) -> None:
    if as_json:
        typer.echo(table.json(), nl=False)
    elif output is Format.markdown:
        typer.echo(f"## {table.title}\n\n{table.markdown()}\n{table.caption}")
    elif output is Format.latex:
        typer.echo(table.latex(), nl=False)
    elif output is Format.html:
        from evaluation.report.page import table_page

        typer.echo(table_page(table), nl=False)
    else:
        headings = [column.heading for column in table.columns]
        right = [column.heading for column in table.columns if column.numeric]
        print_table(table.title, headings, table.shown(), right=right)
        typer.echo("\n".join(table.statements or [table.caption]))


def _draw(board: Leaderboard, path: Path) -> None:
    from evaluation.plots import save_figure
    from evaluation.report.ranking import rank_plot

    if path.suffix not in (".png", ".svg", ".pdf"):
        raise InputError(
            path,
            f"ending {path.suffix!r}",
            ".png, .svg, .pdf",
            "Give --plot a file name with one of these endings.",
        )
    save_figure(rank_plot(board), path)
    typer.echo(f"plot: {path}", err=True)


@app.command()
def runs(
    folder: Annotated[
        Path, typer.Argument(help="Where to look for results folders.")
    ] = Path("."),
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(help="Two results folders: what differs between them?"),
    ] = None,
    as_json: Json = False,
) -> None:
    """List runs by what their folders record: method, speed, scores, state."""
    from evaluation.runs.differences import note_runs
    from evaluation.runs.registry import compare_runs, find_runs, read_run, runs_table

    if compare:
        first, second = read_run(compare[0]), read_run(compare[1])
        table, notes = compare_runs(first, second), note_runs(first, second)
        if as_json:
            print_json(records(table))
            print_notes(notes)
            return
        title = f"{compare[0]} against {compare[1]}"
        rows = table.fillna("").itertuples(index=False, name=None)
        print_table(title, list(table.columns), rows)
        print_notes(notes)
        return
    table = runs_table(find_runs(folder))
    if as_json:
        print_json(records(table))
        return
    table["run"] = [os.path.relpath(run, folder) for run in table["run"]]
    table["started"] = table["started"].str.slice(0, 16).str.replace("T", " ")
    shown = ["run", "method", "benchmark", "protocol", "J&F", "fps", "started", "state"]
    rows = table[shown].fillna("").itertuples(index=False, name=None)
    print_table(f"{len(table)} runs in {folder}", shown, rows, right=["J&F", "fps"])

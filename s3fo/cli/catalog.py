"""Commands about the catalog: benchmarks, submissions."""

from __future__ import annotations

import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from s3fo.cli import app
from s3fo.cli.console import print_json, print_table, progress_bar
from s3fo.cli.options import Json, ResultsFolder, Root, Split, open_source

if TYPE_CHECKING:
    from s3fo.benchmarks import Benchmark
    from s3fo.benchmarks.catalog import Entry
    from s3fo.benchmarks.download.archives import RemoteFile

benchmarks = typer.Typer(help="The benchmarks s3fo knows.", invoke_without_command=True)
app.add_typer(benchmarks, name="benchmarks")


@benchmarks.callback()
def list_benchmarks(context: typer.Context, as_json: Json = False) -> None:
    """List the benchmarks and their splits."""
    if context.invoked_subcommand:
        return
    from s3fo.benchmarks.catalog import ENTRIES

    if as_json:
        print_json([asdict(entry) for entry in ENTRIES])
        return
    columns = (
        "name",
        "split",
        "sequences",
        "objects",
        "frames",
        "protocol",
        "ground truth",
    )
    rows = [
        (
            entry.name,
            entry.split,
            *(_count(n) for n in _counts(entry)),
            entry.protocol,
            "public" if entry.public else "on a server",
        )
        for entry in ENTRIES
    ]
    print_table("Benchmarks", columns, rows)
    typer.echo("More about one:  s3fo benchmarks show NAME [--split S]")


def _counts(entry: Entry) -> tuple[int | None, int | None, int | None]:
    return entry.counts.sequences, entry.counts.objects, entry.counts.frames


def _count(number: int | None) -> str:
    return "?" if number is None else str(number)


@benchmarks.command("show")
def show_benchmark(
    name: Annotated[str, typer.Argument(help="E.g. davis-2017.")],
    split: Split = None,
    as_json: Json = False,
) -> None:
    """Explain one benchmark: what it is, where to get it, how it is scored."""
    from evaluation.leaderboard.subsets import subset_note
    from s3fo.benchmarks.catalog import get_entry, splits
    from s3fo.benchmarks.download.archives import files_of

    entry = get_entry(name, split)
    files = files_of(name, entry.split)
    if as_json:
        form = entry.submission
        state = {"submission_status": form.status} if form else {}
        print_json({**asdict(entry), **state, "instead": _instead(entry) or None})
        return
    sequences, objects, frames = map(_count, _counts(entry))
    facts = {
        "about": entry.about,
        "splits": ", ".join(splits(name)),
        "contains": f"{sequences} sequences, {objects} objects, {frames} frames",
        "frame rate": _frame_rate(entry),
        "annotation": entry.annotation,
        "protocol": entry.protocol,
        "preset": entry.preset,
        "ground truth": "public" if entry.public else "held by the server",
        "layout": entry.layout,
        "download": entry.download,
        "files": ", ".join(map(_how, files)) or "several, see the page",
        "unpack": entry.unpack,
        "submission": _submission(entry),
        **({"instead": _instead(entry)} if _instead(entry) else {}),
        "licence": entry.licence,
        "cite": entry.citation,
    }
    typer.echo(f"{entry.title} ({entry.name}, {entry.split})")
    notes = filter(None, [*entry.remarks, subset_note(entry.name, entry.split)])
    for label, text in [*facts.items(), *(("note", text) for text in notes)]:
        lines = textwrap.wrap(text, 84) or [""]
        typer.echo(f"  {label:13}" + ("\n" + " " * 15).join(lines))


def _frame_rate(entry: Entry) -> str:
    rates = [f"{entry.fps:g} a second" if entry.fps else "differs"]
    if entry.annotation_fps:
        rates.append(f"annotated {entry.annotation_fps:g} a second")
    return ", ".join(rates)


def _submission(entry: Entry) -> str:
    form = entry.submission
    if form is None:
        return "not needed" if entry.public else "no server takes it"
    remark = f" ({form.remark})" if form.remark else ""
    return f"{form.layout}, zipped; the server is {form.status}{remark}"


def _instead(entry: Entry) -> str:
    """What to score where no server does; empty if one does."""
    from s3fo.benchmarks.catalog import nearest_public

    if entry.public or (entry.submission and entry.submission.page):
        return ""
    near = nearest_public(entry)
    if near is None:
        return "no split of it has public ground truth"
    return (
        f"score {near.name} {near.split}, whose ground truth is public: s3fo evaluate "
        f"RESULTS --benchmark {near.name} --split {near.split} --root ROOT"
    )


def _how(file: RemoteFile) -> str:
    return f"{file.name} ({'direct' if file.url else 'by hand'})"


@benchmarks.command("download")
def download_benchmark(
    name: Annotated[str, typer.Argument(help="E.g. davis-2017.")],
    to: Annotated[Path, typer.Option(help="Folder for the archives and the data.")],
    split: Split = None,
) -> None:
    """Download and unpack a split, or say what to get by hand and where to put it."""
    from s3fo.benchmarks import fetch_benchmark
    from s3fo.benchmarks.catalog import get_entry

    entry = get_entry(name, split)
    typer.echo(f"{entry.title}. Licence: {entry.licence}", err=True)
    with progress_bar("download") as progress:
        place = fetch_benchmark(name, to, split=entry.split, progress=progress)
    typer.echo(f"{entry.title} {entry.split} is in {place}")
    typer.echo(f"Load it:  s3fo load {name} --split {entry.split} --root {place}")


def print_validation(benchmark: Benchmark) -> bool:
    """Compare a benchmark with its catalog entry; True if all is well."""
    from s3fo.benchmarks.validation.completeness import validate

    with progress_bar("validate") as progress:
        outcome = validate(benchmark, progress=progress)
    rows = [
        (what, _count(found), _count(expected))
        for what, found, expected in outcome.rows()
    ]
    typer.echo(f"{benchmark.name} in {benchmark.root}")
    columns = ("", "found", "listed")
    print_table("", columns, rows, right=columns[1:])
    for problem in outcome.problems:
        typer.echo(f"problem: {problem}", err=True)
    return outcome.ok


@app.command()
def submit(
    results: ResultsFolder,
    benchmark: Annotated[str, typer.Option(help="Benchmark name, e.g. mose-v1.")],
    root: Root,
    out: Annotated[Path, typer.Option(help="The zip to write; of BURST, the JSON.")],
    split: Split = None,
) -> None:
    """Check the masks and write the file that the benchmark's evaluation wants."""
    from s3fo.benchmarks import write_burst_predictions, write_submission
    from s3fo.benchmarks.catalog import get_entry

    source = open_source(benchmark, root, split, None, None)
    if source.name == "burst":
        with progress_bar("submit") as progress:
            write_burst_predictions(results, source, out, progress=progress)
        typer.echo(f"{out}: {len(source)} sequences, for the evaluation code of BURST")
        return
    with progress_bar("submit") as progress:
        done = write_submission(results, source, out, progress=progress)
    typer.echo(f"{done.path}: {done.sequences} sequences, {done.frames} masks")
    entry = get_entry(benchmark, split)
    instead = _instead(entry)
    if instead:
        status = entry.submission.status if entry.submission else "not known"
        typer.echo(f"No public evaluation server now: it is {status}.")
        typer.echo(f"Instead, {instead}")
    else:
        typer.echo(f"Upload it to {done.page}")
    if done.of_published:
        typer.echo(
            f"note: the server wants all {done.of_published} videos of {entry.title} "
            f"{entry.split}, and the zip has {done.sequences}",
            err=True,
        )
    if done.remark:
        typer.echo(f"note: {done.remark}")
    if done.ignored:
        typer.echo(f"left out: {', '.join(done.ignored)}", err=True)

"""Commands about scores: evaluate, list the protocols."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.errors import InputError
from s3fo.cli import app
from s3fo.cli.console import print_json, progress_bar
from s3fo.cli.options import Json, Root, Split, Workers, open_source

if TYPE_CHECKING:
    from evaluation.sources import Source


class Missing(str, Enum):
    """What to do about frames and sequences without prediction."""

    error = "error"
    score_as_empty = "score-as-empty"


class Resize(str, Enum):
    """How to bring predictions of another size to that of the ground truth."""

    nearest = "nearest"


@app.command()
def evaluate(
    results: Annotated[Path, typer.Argument(help="Folder of <sequence>/<frame>.png.")],
    gt: Annotated[
        Path | None, typer.Option(help="Ground truth: <sequence>/<frame>.png.")
    ] = None,
    protocol: Annotated[
        str | None, typer.Option(help="Rules to score by; `s3fo protocols` lists them.")
    ] = None,
    benchmark: Annotated[
        str | None, typer.Option(help="Instead of --gt: benchmark name, with --root.")
    ] = None,
    root: Root = None,
    split: Split = None,
    sequence: Annotated[
        list[str] | None, typer.Option(help="Score only this one; repeatable.")
    ] = None,
    unseen: Annotated[
        Path | None,
        typer.Option(help="File naming unseen sequences, or sequence/object, a line."),
    ] = None,
    missing: Annotated[
        Missing, typer.Option(help="Frames and sequences without prediction.")
    ] = Missing.error,
    resize: Annotated[
        Resize | None, typer.Option(help="Resize predictions of another size.")
    ] = None,
    binarize: Annotated[
        bool, typer.Option("--binarize", help="Whatever is not 0 is object 1.")
    ] = False,
    void: Annotated[
        int | None, typer.Option(help="Label to leave out; default: the protocol's.")
    ] = None,
    per_object: Annotated[
        bool, typer.Option("--per-object", help="Print every object, too.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder to save all tables in.")
    ] = None,
    workers: Workers = None,
    cache: Annotated[
        bool, typer.Option(help="Reuse the counts of unchanged sequences.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Score a results folder exactly as the benchmark's official evaluator does."""
    from evaluation.scoring import score

    truth, rules = _ground_truth(gt, benchmark, root, split)
    with progress_bar("score") as progress:
        scores = score(
            results,
            truth,
            protocol or rules,
            sequences=sequence,
            unseen=_lines(unseen),
            missing=missing.value,
            resize=resize.value if resize else None,
            binarize=binarize,
            void=void,
            workers=workers,
            cache=cache,
            progress=progress,
        )
    if out:
        scores.save(out)
    if as_json:
        print_json(scores.to_json_dict())
    else:
        typer.echo(scores.format_table(per_object=per_object))


def _ground_truth(
    gt: Path | None, benchmark: str | None, root: Path | None, split: str | None
) -> tuple[Source, str]:
    if gt is not None and benchmark is None:
        return gt, "davis-2017"
    if gt is not None:
        raise InputError(
            "ground truth", "both --gt and --benchmark", "one of them", "Drop one."
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
            path, str(error.strerror), "a text file, one name a line", "Check the path."
        ) from error
    return [line.strip() for line in lines if line.strip()]


@app.command()
def protocols(
    name: Annotated[str | None, typer.Argument(help="Show only this one.")] = None,
) -> None:
    """Print the rules of every protocol."""
    from evaluation.protocols import PROTOCOLS, get_protocol

    chosen = [get_protocol(name)] if name else list(PROTOCOLS.values())
    typer.echo("\n\n".join(map(str, chosen)))

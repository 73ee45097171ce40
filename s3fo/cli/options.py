"""Options that several commands share, and what they name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.errors import InputError

if TYPE_CHECKING:
    from s3fo.benchmarks import Benchmark

Root = Annotated[
    Path | None, typer.Option(help="Folder of the benchmark, as unpacked.")
]
Split = Annotated[
    str | None, typer.Option(help="Split, e.g. val; default: its usual one.")
]
Images = Annotated[
    Path | None,
    typer.Option(help="Folder of <sequence>/<frame>.jpg, or one video file."),
]
Masks = Annotated[
    Path | None,
    typer.Option(help="Folder of <sequence>/<frame>.png, or one first-frame mask."),
]
ProtocolName = Annotated[
    str | None, typer.Option(help="Rules to score by; `s3fo protocols` lists them.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Workers = Annotated[int | None, typer.Option(help="Default: one per core.")]


def open_source(
    benchmark: str | None,
    root: Path | None,
    split: str | None,
    images: Path | None,
    masks: Path | None,
) -> Benchmark:
    """Open what the options name: a benchmark in a folder, or two plain folders.

    Raises:
        InputError: neither or both are named, or what is named is broken.
    """
    from s3fo.benchmarks import open_benchmark, open_folders

    if images is not None and benchmark is None:
        opened = open_folders(images, masks)
    elif benchmark is not None and root is not None and images is None:
        opened = open_benchmark(benchmark, root, split=split)
    else:
        given = ", ".join(
            name
            for name, value in (
                ("a benchmark name", benchmark),
                ("--root", root),
                ("--images", images),
                ("--masks", masks),
            )
            if value is not None
        )
        raise InputError(
            "what to work on",
            given or "nothing",
            "NAME --root DIR [--split S], or --images DIR [--masks DIR]",
            "`s3fo benchmarks` lists the names.",
        )
    for note in opened.notes:
        typer.echo(f"note: {note}", err=True)
    return opened

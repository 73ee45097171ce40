"""Pictures that commands draw when asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from evaluation._utils.names import file_name
from s3fo.cli.console import (
    records,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from evaluation import Attributes, Failures, Scores
    from evaluation.options import InputOptions
    from s3fo.benchmarks import Benchmark


def draw_attributes(
    measured: Attributes, truth: Benchmark | Path, options: InputOptions, folder: Path
) -> None:
    """Draw how attributes spread, and examples of objects with extreme values."""
    from evaluation.attributes.video import open_videos
    from evaluation.plots import attribute_examples, attribute_spread

    draw(attribute_spread(measured), folder, "spread")
    examples = attribute_examples(measured, open_videos(truth, options=options))
    if examples is not None:
        draw(examples, folder, "examples")
    typer.echo(f"pictures: {folder}", err=True)


def draw_failures(
    found: Failures,
    scores: Scores,
    results: Path,
    truth: Benchmark | Path,
    options: InputOptions,
    top: int,
    folder: Path,
) -> None:
    """Draw strips of the worst events, and time lines of their objects."""
    from evaluation.failures import ComparedMasks
    from evaluation.plots import failure_strip, timeline

    masks = ComparedMasks(results, truth, scores, options)
    drawn: set[tuple[str, int]] = set()
    for rank, event in enumerate(records(found.events.head(top)), start=1):
        sequence, object_id = str(event["sequence"]), int(event["object"])
        images = None if isinstance(truth, Path) else truth[sequence].images
        name = file_name(f"{rank:02d}", sequence, object_id, event["kind"])
        draw(failure_strip(event, masks, images), folder, name)
        if (sequence, object_id) not in drawn:
            drawn.add((sequence, object_id))
            figure = timeline(found, sequence, object_id)
            draw(figure, folder, file_name("timeline", sequence, object_id))
    typer.echo(f"pictures: {folder}", err=True)


def draw(figure: Figure, folder: Path, name: str) -> None:
    """Save a figure as PNG and SVG."""
    from evaluation.plots import save_figure

    folder.mkdir(parents=True, exist_ok=True)
    for ending in ("png", "svg"):
        save_figure(figure, folder / f"{name}.{ending}")

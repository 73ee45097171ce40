"""Pictures that commands draw when asked for."""

from __future__ import annotations

import re
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

    _remove_earlier(folder, "spread|examples")
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
    _remove_earlier(folder, _of_failures())
    lines: set[tuple[str, int]] = set()
    for rank, event in enumerate(records(found.events.head(top)), start=1):
        sequence, object_id = str(event["sequence"]), int(event["object"])
        images = None if isinstance(truth, Path) else truth[sequence].images
        name = file_name(f"{rank:02d}", sequence, object_id, event["kind"])
        draw(failure_strip(event, masks, images), folder, name)
        if (sequence, object_id) not in lines:
            lines.add((sequence, object_id))
            figure = timeline(found, sequence, object_id)
            draw(figure, folder, file_name("timeline", sequence, object_id))
    typer.echo(f"pictures: {folder}", err=True)


def _of_failures() -> str:
    """Pattern of the names of pictures of failures; long ones end in a digest."""
    from evaluation.failures.kinds import FailureKind

    kinds = "|".join(kind.value.replace(" ", "-") for kind in FailureKind)
    digest = "[0-9a-f]{8}"
    return (
        rf"(\d\d+-.+-({kinds})|timeline-.+-\d+)(-{digest})?"
        rf"|(\d\d+|timeline)-.+-{digest}"
    )


def _remove_earlier(folder: Path, names: str) -> None:
    """Remove the pictures of an earlier run: those of two would look like one.

    Only what is called like them, lies there in both formats and was drawn by
    Matplotlib is taken for ours.

    Args:
        folder: of the pictures; it may be missing.
        names: pattern of their names, without the endings.
    """
    for path in sorted(folder.glob("*.svg")):
        both = path, path.with_suffix(".png")
        if re.fullmatch(names, path.stem) and all(map(_is_drawn, both)):
            for one in both:
                one.unlink(missing_ok=True)


def _is_drawn(path: Path) -> bool:
    """Whether a picture says that Matplotlib drew it."""
    try:
        with path.open("rb") as file:
            return b"Matplotlib" in file.read(2048)
    except OSError:
        return False


def draw(figure: Figure, folder: Path, name: str) -> None:
    """Save a figure as PNG and SVG."""
    from evaluation.plots import save_figure

    folder.mkdir(parents=True, exist_ok=True)
    for ending in ("png", "svg"):
        save_figure(figure, folder / f"{name}.{ending}")

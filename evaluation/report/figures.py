"""What the report draws: every figure, and the files of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from evaluation._utils.names import counted
from evaluation._utils.progress import ProgressCallback
from evaluation.plots import (
    attribute_chart,
    corrections_chart,
    failure_strip,
    save_figure,
    timeline,
)
from evaluation.plots.report_charts import (
    losses_chart,
    sequences_chart,
    speed_chart,
    throughput_chart,
)
from evaluation.report.attribute_tables import grouped_attributes
from evaluation.report.contents import score_column
from evaluation.report.material import Material
from evaluation.report.page import Picture
from evaluation.report.settings import project_settings
from evaluation.report.tables import Table
from evaluation.report.verdict import points

_CHARTED = 8
"""Attributes in the chart of the page; the other chart has them all."""


def draw_pictures(
    material: Material,
    made: Mapping[str, Table],
    known: Sequence[str],
    top: int,
    out: Path,
    progress: ProgressCallback | None,
) -> list[Picture]:
    """Draw everything into the folder of the report.

    Args:
        material: what the report is about.
        made: its tables.
        known: all methods in the order in which they came, for their colours.
        top: how many failure events to draw.
        out: the report's folder.
        progress: told after every picture.
    """
    pictures: list[Picture] = []
    for name, title, section, figure in _figures(material, made, known, top):
        pictures.append(_draw(figure, out, name, title, section))
        if progress:
            progress(len(pictures), max(2 * top + 5, len(pictures)), name)
    return pictures


def _figures(
    material: Material, made: Mapping[str, Table], known: Sequence[str], top: int
) -> Iterator[tuple[str, str, str, Figure]]:
    """Name, title, section and figure of everything that is drawn."""
    columns = {
        score_column(material, method): method.name for method in material.methods
    }
    title = "What the loss is made of"
    yield "losses", title, "fix", losses_chart(made["kinds"].data)
    yield from _attribute_figures(material, known)
    title = "J&F of each sequence"
    yield (
        "sequences",
        title,
        "sequences",
        sequences_chart(made["sequences"].data, columns, known),
    )
    if material.corrections:
        chart = corrections_chart(material.corrections, known)
        yield "corrections", "J&F over corrections", "corrections", chart
    yield from _speed_figure(material, made, known)
    if "throughput" in made:
        chart = throughput_chart(made["throughput"].data, known)
        yield "throughput", "Speed by number of objects", "speed", chart
    yield from _event_figures(material, top)


def _speed_figure(
    material: Material, made: Mapping[str, Table], methods: Iterable[str]
) -> Iterator[tuple[str, str, str, Figure]]:
    projected = project_settings(material)
    if len(made.get("speed", ())) + len(projected) > 1:
        chart = speed_chart(made["speed"].data, material.metric, projected, methods)
        title = "Speed against quality"
        if len(projected):
            title += " (hollow: projected from other settings measured by s3fo)"
        yield "speed", title, "speed", chart


def _attribute_figures(
    material: Material, known: Sequence[str]
) -> Iterator[tuple[str, str, str, Figure]]:
    table = material.breakdown
    chosen = grouped_attributes(material, _CHARTED)
    if chosen:
        title = (
            "The attributes whose groups differ most surely "
            "(hollow: under five objects)"
        )
        yield "attributes", title, "attributes", attribute_chart(table, chosen, known)
        every = attribute_chart(table, known=known)
        yield "attributes-all", "All attributes", "", every


def _event_figures(
    material: Material, top: int
) -> Iterator[tuple[str, str, str, Figure]]:
    main = material.main
    drawn: set[tuple[str, int]] = set()
    events = main.failures.events.head(top).to_dict("records")
    for rank, event in enumerate(events, start=1):
        sequence, object_id = str(event["sequence"]), int(event["object"])
        # The onset stands in the caption: it may be too long for the picture.
        strip = failure_strip(
            {str(key): value for key, value in event.items()} | {"onset": ""},
            main.masks,
            material.images.get(sequence),
            titled=False,
        )
        begins = f", begins {event['onset']}" if event.get("onset") else ""
        title = (
            f"{rank}. {event['kind']}: {sequence}, object {object_id}{begins}: "
            f"{counted(event['n_frames'], 'frame')}, costs {points(event['cost'], 2)} "
            "points of J&F"
        )
        yield f"event-{rank:02d}", title, "events", strip
        if (sequence, object_id) not in drawn:
            drawn.add((sequence, object_id))
            yield (
                f"event-{rank:02d}-timeline",
                f"J and F of {sequence}, object {object_id}, through time",
                "events",
                timeline(main.failures, sequence, object_id, titled=False),
            )


def _draw(figure: Figure, out: Path, name: str, title: str, section: str) -> Picture:
    photographs = name.startswith("event") and not name.endswith("timeline")
    png, svg = f"figures/{name}.png", f"figures/{name}.svg"
    save_figure(figure, out / png, 150 if photographs else 200)
    save_figure(figure, out / svg)
    return Picture(name, title, section, out, png, svg, photographs)

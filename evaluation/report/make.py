"""`report`: results folders and ground truth in, a folder to read and to print out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from evaluation._utils.atomic import (
    remove_left_behind,
    require_writable,
    write_atomically,
)
from evaluation._utils.former_names import warn_renamed
from evaluation._utils.names import any_name_in_tables, counted
from evaluation._utils.progress import ProgressCallback
from evaluation.corrections import Corrections
from evaluation.errors import InputError
from evaluation.failures.reviews import REVIEW, with_reviews
from evaluation.masks.open import Source
from evaluation.options import InputOptions
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
from evaluation.protocols import ScoringProtocol
from evaluation.report.attribute_tables import grouped_attributes
from evaluation.report.contents import score_column, tables
from evaluation.report.material import (
    Material,
    Stages,
    Task,
    gather,
    stages_of,
)
from evaluation.report.page import Picture, render
from evaluation.report.settings import project_settings
from evaluation.report.tables import Table
from evaluation.report.verdict import Finding, findings, points
from evaluation.runs.outputs import refuse_among_inputs
from evaluation.runs.registry import one_per_folder

KEPT = "measured"
"""Folder, within the report's, of what is measured once and kept."""

_CHARTED = 8
"""Attributes in the chart of the page; the other chart has them all."""


@dataclass(frozen=True)
class Report:
    """A report that was written.

    Attributes:
        folder: everything is in it.
        page: the HTML page; needs nothing beside it.
        findings: what the page says first.
        tables: by name; each also lies in ``tables/`` as CSV, JSON, Markdown, LaTeX.
        pictures: files in ``figures/`` (PNG; an SVG of the same name beside each).
    """

    folder: Path
    page: Path
    findings: tuple[Finding, ...]
    tables: Mapping[str, Table]
    pictures: tuple[Path, ...]


@any_name_in_tables()
def report(
    results: Mapping[str, str | os.PathLike[str]]
    | Sequence[str | os.PathLike[str]]
    | str
    | os.PathLike[str],
    ground_truth: Source,
    out: str | os.PathLike[str],
    *,
    protocol: str | ScoringProtocol | None = None,
    images: str | os.PathLike[str] | None = None,
    fps: float | None = None,
    sequences: Sequence[str] | None = None,
    options: InputOptions | None = None,
    missing: str = "error",
    resize: str | None = None,
    binarize: bool = False,
    void: int | None = None,
    title: str | None = None,
    top: int = 6,
    reviews: Mapping[str, pd.DataFrame] | None = None,
    corrections: Mapping[str, Corrections] | None = None,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
    judgements: Mapping[str, pd.DataFrame] | None = None,
) -> Report:
    """Write a report about one method, or about one compared with others.

    In `out` appear ``report.html`` (one page that needs nothing else, for screen and
    print), ``report.md``, ``report.tex``, every table in ``tables/`` and every
    figure in ``figures/``. What was measured is kept in ``measured/`` and used again
    while its inputs are the same, so an interrupted call can simply be repeated.

    >>> import numpy as np
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from evaluation.masks.label_map import write_label_map
    >>> truth = np.zeros((20, 20), np.uint8)
    >>> truth[5:15, 5:15] = 1
    >>> late = np.roll(truth, 2, axis=1)
    >>> with TemporaryDirectory() as name:
    ...     root = Path(name)
    ...     for t in range(5):
    ...         write_label_map(root / f"truth/cat/{t:05d}.png", truth)
    ...         write_label_map(root / f"mine/cat/{t:05d}.png", late)
    ...     written = report(root / "mine", root / "truth", root / "report")
    ...     print(written.page.name)
    report.html

    Args:
        results: results folders; by the name to call each, or named after the
            folders. The first is the one the report is about.
        ground_truth: a benchmark, or masks as `evaluation.score` takes them.
        out: folder to write.
        protocol: None takes the benchmark's own, for bare masks ``"davis-2017"``.
        images: beside bare masks, ``<images>/<sequence>/<frame>.jpg``.
        fps: of bare masks.
        sequences: names of sequences to score; None for all.
        options: as for `evaluation.score`.
        missing: the same, by name.
        resize: the same.
        binarize: the same.
        void: the same.
        title: None names the first method and the benchmark.
        top: how many failure events to show in pictures.
        reviews: people's reviews of the failures of a method, by its name: events
            (sequence, object, kind, start, end) with a column `review`.
        workers: processes; None takes as many as are worth it.
        progress: told about every stage.
        corrections: what `s3fo correct` measured, by what to call it.
        judgements: the former name of `reviews`, with a column `judgement`.

    Raises:
        InputError: nothing to report on, or input that cannot be scored.
    """
    if judgements is not None:
        warn_renamed("judgements", "reviews")
        reviews = {
            name: events.rename(columns={"judgement": REVIEW})
            for name, events in judgements.items()
        }
    folders = _name_folders(results)
    rules = protocol or getattr(ground_truth, "protocol", None) or "davis-2017"
    task = Task(
        folders,
        ground_truth,
        rules,
        Path(images) if images else None,
        fps,
        sequences,
        InputOptions.of(
            options, missing=missing, resize=resize, binarize=binarize, void=void
        ),
        workers,
    )
    inputs = [ground_truth, *folders.values(), *([task.images] if task.images else ())]
    written = [Path(out, inside) for inside in ("", "tables", "figures", KEPT)]
    refuse_among_inputs(written, inputs)
    out = require_writable(out)
    for inside in written[1:]:
        for place, _, _ in os.walk(inside):
            remove_left_behind(place)
    _refuse_foreign(out)
    stages = Stages(stages_of(len(folders)) + 1, progress)
    material = _add_reviews(gather(task, out / KEPT, stages), reviews or {})
    material = replace(material, corrections=corrections or {})
    made = tables(material)
    for table in made.values():
        table.save(out / "tables")
    pictures = _draw_pictures(material, made, top, out, stages.next("pictures"))
    found = tuple(findings(material))
    heading = title or f"{material.main.name} on {_benchmark_name(material)}"
    for path, content in render(heading, material, found, made, pictures).items():
        write_atomically(out / path, content.encode(errors="backslashreplace"))
    return Report(
        out,
        out / "report.html",
        found,
        made,
        tuple(out / picture.png for picture in pictures),
    )


def _add_reviews(material: Material, reviews: Mapping[str, pd.DataFrame]) -> Material:
    """The material whose failures tell what people said of them."""
    methods = tuple(
        replace(
            method,
            failures=with_reviews(method.failures, reviews[method.name]),
        )
        if method.name in reviews
        else method
        for method in material.methods
    )
    return replace(material, methods=methods)


def _draw_pictures(
    material: Material,
    made: Mapping[str, Table],
    top: int,
    out: Path,
    progress: ProgressCallback | None,
) -> list[Picture]:
    pictures: list[Picture] = []
    for name, title, section, figure in _figures(material, made, top):
        pictures.append(_draw(figure, out, name, title, section))
        if progress:
            progress(len(pictures), max(2 * top + 5, len(pictures)), name)
    return pictures


def _name_folders(results: object) -> dict[str, Path]:
    if isinstance(results, Mapping):
        folders = {str(name): Path(folder) for name, folder in results.items()}
    elif isinstance(results, (str, os.PathLike)):
        folders = one_per_folder([Path(results)])
    elif isinstance(results, Sequence) and results:
        folders = one_per_folder([Path(folder) for folder in results])
    else:
        folders = {}
    if not folders:
        raise InputError(
            "results",
            "none",
            "at least one results folder",
            "Pass at least one results folder.",
        )
    return folders


def _benchmark_name(material: Material) -> str:
    name = Path(material.benchmark).name if "/" in material.benchmark else (
        material.benchmark
    )  # fmt: skip
    return " ".join(part for part in (name, material.split) if part)


def _figures(
    material: Material, made: Mapping[str, Table], top: int
) -> Iterator[tuple[str, str, str, Figure]]:
    """Name, title, section and figure of everything that is drawn."""
    columns = {
        score_column(material, method): method.name for method in material.methods
    }
    title = "What the loss is made of"
    yield "losses", title, "fix", losses_chart(made["kinds"].data)
    yield from _attribute_figures(material)
    title = "J&F of each sequence"
    yield (
        "sequences",
        title,
        "sequences",
        sequences_chart(made["sequences"].data, columns),
    )
    if material.corrections:
        chart = corrections_chart(material.corrections, columns.values())
        yield "corrections", "J&F over corrections", "corrections", chart
    yield from _speed_figure(material, made, columns.values())
    if "throughput" in made:
        chart = throughput_chart(made["throughput"].data, columns.values())
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
    material: Material,
) -> Iterator[tuple[str, str, str, Figure]]:
    table = material.breakdown
    chosen = grouped_attributes(material, _CHARTED)
    if chosen:
        title = (
            "The attributes whose groups differ most surely "
            "(hollow: under five objects)"
        )
        yield "attributes", title, "attributes", attribute_chart(table, chosen)
        yield "attributes-all", "All attributes", "", attribute_chart(table)


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


def _refuse_foreign(out: Path) -> None:
    """Refuse a folder with pages, tables or figures that no report left there.

    What a report measures it keeps there from the first: so reports are told.

    Raises:
        InputError: there are some.
    """
    if any((out / KEPT).glob("*/key")) or any((out / KEPT).glob("*/*/key")):
        return
    pages = [out / f"report.{ending}" for ending in ("html", "md", "tex")]
    filled = [
        out / name for name in ("tables", "figures") if any((out / name).glob("*"))
    ]
    for path in (*pages, *filled):
        if os.path.lexists(path):
            raise InputError(
                path,
                "something that no report of s3fo left there",
                "an empty folder, or one with an earlier report",
                "Choose another folder to write to, or move this away.",
            )


def _draw(figure: Figure, out: Path, name: str, title: str, section: str) -> Picture:
    photographs = name.startswith("event") and not name.endswith("timeline")
    png, svg = f"figures/{name}.png", f"figures/{name}.svg"
    save_figure(figure, out / png, 150 if photographs else 200)
    save_figure(figure, out / svg)
    return Picture(name, title, section, out, png, svg, photographs)

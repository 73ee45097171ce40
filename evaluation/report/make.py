"""`report`: results folders and ground truth in, a folder to read and to print out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from evaluation._utils.atomic import (
    remove_left_behind,
    require_writable,
    write_atomically,
)
from evaluation._utils.former_names import warn_renamed
from evaluation._utils.names import any_name_in_tables
from evaluation._utils.progress import ProgressCallback
from evaluation.corrections import Corrections
from evaluation.errors import InputError
from evaluation.failures.reviews import REVIEW, with_reviews
from evaluation.masks.open import Source
from evaluation.options import InputOptions
from evaluation.protocols import ScoringProtocol
from evaluation.report.contents import tables
from evaluation.report.figures import draw_pictures
from evaluation.report.kept import files_of_report, remove_earlier
from evaluation.report.material import (
    Material,
    Stages,
    Task,
    gather,
    stages_of,
)
from evaluation.report.page import render
from evaluation.report.tables import Table
from evaluation.report.verdict import Finding, findings
from evaluation.runs.outputs import refuse_among_inputs
from evaluation.runs.registry import one_per_folder

KEPT = "measured"
"""Folder, within the report's, of what is measured once and kept."""


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
    colour_order: Sequence[str] = (),
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
        colour_order: names of methods, also of ones that are not in the report, in the
            order in which they came: a dataset's, so that they are drawn as there (see
            `evaluation.plots.style.method_styles`).
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
    task = Task(
        folders,
        ground_truth,
        protocol or getattr(ground_truth, "protocol", None) or "davis-2017",
        Path(images) if images else None,
        fps,
        sequences,
        InputOptions.of(
            options, missing=missing, resize=resize, binarize=binarize, void=void
        ),
        workers,
    )
    out = _open_folder(out, task)
    before = files_of_report(out)
    stages = Stages(stages_of(len(folders)) + 1, progress)
    material = _add_reviews(gather(task, out / KEPT, stages), reviews or {})
    material = replace(material, corrections=corrections or {})
    made = tables(material)
    for table in made.values():
        table.save(out / "tables")
    known = (*colour_order, *(method.name for method in material.methods))
    progress = stages.next("pictures")
    pictures = draw_pictures(material, made, known, top, out, progress)
    found = tuple(findings(material))
    heading = title or f"{material.main.name} on {_benchmark_name(material)}"
    for path, content in render(heading, material, found, made, pictures).items():
        write_atomically(out / path, content.encode(errors="backslashreplace"))
    remove_earlier(out, out / KEPT, before)
    return Report(
        out,
        out / "report.html",
        found,
        made,
        tuple(out / picture.png for picture in pictures),
    )


def _open_folder(out: str | os.PathLike[str], task: Task) -> Path:
    """The folder of the report, rid of what interrupted writing left in it.

    Raises:
        InputError: it holds inputs, or what no report left there.
    """
    images = [task.images] if task.images else []
    inputs = [task.ground_truth, *task.results.values(), *images]
    written = [Path(out, inside) for inside in ("", "tables", "figures", KEPT)]
    refuse_among_inputs(written, inputs)
    folder = require_writable(out)
    for inside in written[1:]:
        for place, _, _ in os.walk(inside):
            remove_left_behind(place)
    _refuse_foreign(folder)
    return folder


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

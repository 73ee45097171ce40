"""The command that measures what corrections regain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evaluation._utils.names import about_seconds, counted
from evaluation.errors import InputError
from s3fo.cli import app
from s3fo.cli.console import print_json, print_table, progress_bar, records
from s3fo.cli.options import (
    AS_PREDICT,
    AsPredict,
    Json,
    Overwrite,
    PartOptions,
    ProtocolName,
    Sequences,
    SetOptions,
    SourceOptions,
    Workers,
    method_options,
    with_groups,
)

if TYPE_CHECKING:
    import pandas as pd

    from evaluation.attributes import Attributes
    from evaluation.corrections import Corrections
    from s3fo.benchmarks import Benchmark

_EVENT_COLUMNS = ("event", "sequence", "object", "kind", "start", "cost", "regain")


@app.command()
@with_groups
def correct(
    *,
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    videos: SourceOptions,
    sequence: Sequences = None,
    policy: Annotated[
        str,
        typer.Option(
            help="worst: each pass corrects every object's frame of lowest J and runs "
            "again; online: the first frame below --threshold is corrected, and so on."
        ),
    ] = "worst",
    prompt: Annotated[
        str, typer.Option(help="mask; clicks or box for methods that take them.")
    ] = "mask",
    budget: Annotated[
        int, typer.Option(help="Corrections per object at most; 0 only predicts.")
    ] = 3,
    clicks: Annotated[
        int, typer.Option(help="Clicks of one correction, with --prompt clicks.")
    ] = 3,
    threshold: Annotated[
        float, typer.Option(help="IoU below which --policy online corrects.")
    ] = 0.75,
    events: Annotated[
        str,
        typer.Option(
            help="Measure also what a correction at the onset of so many failure "
            "events regains, the costliest first; or `all`."
        ),
    ] = "0",
    by: Annotated[
        list[str] | None,
        typer.Option(help="Attribute to break the curve down by; repeatable."),
    ] = None,
    method: Annotated[
        str, typer.Option(help="Segmentation method; `s3fo methods` lists them.")
    ] = "s3",
    weights: AsPredict = None,
    size: Annotated[int | None, AS_PREDICT] = None,
    device: AsPredict = None,
    preset: AsPredict = None,
    precision: AsPredict = None,
    options: SetOptions = None,
    protocol: ProtocolName = None,
    overwrite: Overwrite = False,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Correct a method's masks like a user, and tell what each correction regains.

    The offline (worst) and online evaluation of SAM 2. Every number of corrections is
    a results folder in --out; finished videos are kept, also with a larger --budget.
    """
    source = videos.open()
    chosen = PartOptions(sequence).of(source)
    if chosen.names is not None:
        source = source.subset(chosen.names)
    attributes = _measure(source, by) if by else None
    from s3fo.inference import correct as run

    given: dict[str, Any] = {
        "weights": weights,
        "size": size,
        "device": device,
        "memory": preset,
        "precision": precision,
        **method_options(options),
    }
    _tell_work(source, budget, method)
    with progress_bar("correct", estimate=False) as progress:
        done = run(
            source,
            out,
            method=method,
            policy=policy,
            prompt=prompt,
            budget=budget,
            clicks=clicks,
            threshold=threshold,
            events=_number_of_events(events),
            protocol=protocol,
            overwrite=overwrite,
            workers=workers,
            progress=progress,
            **{name: value for name, value in given.items() if value is not None},
        )
    groups = done.by_attribute(attributes, by) if attributes is not None else None
    if as_json:
        _print_json(done, groups)
    else:
        _print(done, groups, out)


_PACE = 5
"""Frames per second of s3 at 854x480 on two processor cores."""


def _tell_work(source: Benchmark, budget: int, method: str) -> None:
    """Say before minutes or hours of work how much it is."""
    frames = sum(len(video.frames) for video in source)
    most = frames * (1 + budget)
    pace = (
        f"; s3 does about {_PACE} frames/s of 854x480 on two processor cores, which "
        f"would be {about_seconds(most / _PACE)}"
        if method == "s3"
        else ""
    )
    typer.echo(
        f"correct: {counted(frames, 'frame')}, segmented once and then again "
        f"for each of {counted(budget, 'correction')}: at most {most} frames{pace}",
        err=True,
    )


def _number_of_events(text: str) -> int | None:
    """How many events to measure; None for all."""
    if text == "all":
        return None
    if not (text.isascii() and text.isdecimal()):
        raise InputError(
            "--events",
            repr(text),
            "a whole number, or `all`",
            "Give a number such as 10, or all.",
        )
    return int(text)


def _measure(source: Benchmark, names: list[str]) -> Attributes:
    """Attributes of the ground truth; refuses unknown names before hours of work."""
    from evaluation import object_attributes
    from evaluation.breakdown.tables import choose_columns

    attributes = object_attributes(source)
    choose_columns(attributes.objects, names)
    return attributes


def _print_json(done: Corrections, groups: pd.DataFrame | None) -> None:
    print_json(
        {
            "method": done.method,
            "policy": done.policy,
            "prompt": done.prompt,
            "protocol": done.protocol,
            "how": done.how,
            "area": done.area,
            "curve": records(done.curve),
            "objects": records(done.object_areas()),
            "prompts": records(done.prompts),
            "events": records(done.events),
            "attributes": None if groups is None else records(groups),
        }
    )


def _print(done: Corrections, groups: pd.DataFrame | None, out: Path) -> None:
    what = f"{done.method}, policy {done.policy}, prompt {done.prompt}"
    _show(f"J&F over corrections: {what}", done.curve, ("J&F", "J", "F"))
    areas = done.object_areas().sort_values("gain", ascending=False, kind="stable")
    _show("Objects, largest gain first", areas, ("before", "after", "gain", "area"))
    if groups is not None:
        _show("By attribute", groups, ("before", "after", "gain", "area"))
    if len(done.events):
        shown = done.events[list(_EVENT_COLUMNS)]
        title = "Failures: their cost, and what a correction at their onset regains"
        _show(title, shown, ("cost", "regain"), digits=2)
    if done.how == "restart":
        typer.echo(
            f"note: {done.method} takes no further prompts: it began anew at every "
            "correction, with the masks of all objects in that frame",
            err=True,
        )
    typer.echo(f"Area under the curve: {100 * done.area:.1f} ({done.protocol})")
    typer.echo(f"Curve: {out / 'corrections.png'}")


def _show(
    title: str, table: pd.DataFrame, percent: tuple[str, ...], digits: int = 1
) -> None:
    """Print a table; fractions in percent."""
    rows = [
        [
            ("-" if value is None else f"{100 * value:.{digits}f}")
            if name in percent
            else value
            for name, value in row.items()
        ]
        for row in records(table)
    ]
    headings = [f"{name}, %" if name in percent else str(name) for name in table]
    shares = [f"{name}, %" for name in percent]
    print_table(title, headings, rows, right=shares)

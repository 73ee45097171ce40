"""Commands about methods: list them, compare them, measure their speed."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from s3fo.cli import app
from s3fo.cli.console import print_json, print_table, progress_bar, result_alone
from s3fo.cli.options import (
    AsPredict,
    CompileEncoder,
    Json,
    Overwrite,
    ProtocolName,
    SetOptions,
    SourceOptions,
    chosen_method,
    method_options,
    whole_numbers,
    with_groups,
)

if TYPE_CHECKING:
    from evaluation.leaderboard.settings import Recommendation
    from evaluation.runs.speed import SpeedRecord
    from s3fo.comparing import ComparedMethod
    from s3fo.inference import MethodInfo

methods = typer.Typer(
    help="The methods that `s3fo predict` can run.", invoke_without_command=True
)
app.add_typer(methods, name="methods")


@methods.callback()
def list_all(context: typer.Context, as_json: Json = False) -> None:
    """List the methods: what they are, their licence, whether they are installed."""
    if context.invoked_subcommand:
        return
    from s3fo.inference import list_methods

    found = list_methods()
    if as_json:
        print_json([_facts(info) for info in found])
        return
    rows = [(info.name, _state(info), info.title, info.licence) for info in found]
    print_table("Methods", ("name", "installed", "what it is", "licence"), rows)
    typer.echo("More about one:  s3fo methods show NAME")


@methods.command("show")
def show(
    name: Annotated[str, typer.Argument(help="E.g. sam2.")], as_json: Json = False
) -> None:
    """Explain one method: source, licence, weights, what it needs, its options."""
    from s3fo.inference.methods.registry import find_method

    info = find_method(name)
    options = list(info.options) if info.installed else None
    if as_json:
        print_json({**_facts(info), "options": options})
        return
    facts = {
        "source": info.source,
        "licence": info.licence,
        "weights": info.weights or "none",
        "needs": ", ".join(info.needs) or "nothing else",
        "installed": _state(info),
        "options": "unknown until it is installed"
        if options is None
        else ", ".join(options) or "none",
    }
    if not info.installed and info.install:
        facts["install"] = info.install
    typer.echo(f"{info.name}: {info.title}")
    for label, text in facts.items():
        lines = textwrap.wrap(text, 84) or [""]
        typer.echo(f"  {label:11}" + ("\n" + " " * 13).join(lines))


def _state(info: MethodInfo) -> str:
    if info.problem:
        return f"no: {info.problem}"
    return f"no: lacks {', '.join(info.missing)}" if info.missing else "yes"


def _facts(info: MethodInfo) -> dict[str, object]:
    """What programs are told about a method."""
    names = ("name", "title", "source", "licence", "weights", "install", "installed")
    facts: dict[str, Any] = {name: getattr(info, name) for name in names}
    return facts | {
        "needs": list(info.needs),
        "missing": list(info.missing),
        "problem": info.problem,
    }


@app.command("compare-methods")
@with_groups
def compare_methods(
    *,
    method: Annotated[
        list[str],
        typer.Option(
            metavar="'[LABEL=]METHOD NAME=VALUE ...'",
            help="Method with its options, e.g. 'cutie weights=cutie-base-mega.pth'; "
            "repeatable.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for results and report.")],
    videos: SourceOptions,
    protocol: ProtocolName = None,
    dataset: Annotated[
        str | None,
        typer.Option(help="Also show everything in this FiftyOne dataset."),
    ] = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Run several methods on one benchmark, score them, and write one report.

    Finished videos are kept: repeat an interrupted command to continue.
    """
    from s3fo.comparing import compare_methods as compare

    source = videos.open()
    with progress_bar("compare", estimate=False) as progress, result_alone():
        done = compare(
            source,
            method,
            out,
            protocol=protocol,
            dataset_name=dataset,
            overwrite=overwrite,
            progress=progress,
        )
    if as_json:
        print_json([_comparison_row(item) for item in done])
    else:
        _print_compared(done, out, dataset)
    for item in done:
        for video, reason in item.failures.items():
            typer.echo(f"failed: {item.label}: {video}: {reason}", err=True)
    if any(item.failures for item in done):
        raise typer.Exit(1)


def _comparison_row(item: ComparedMethod) -> dict[str, object]:
    """What programs are told about a method that was compared."""
    return {
        "method": item.label,
        "summary": dict(item.scores.summary) if item.scores else None,
        "frames_per_second": item.frames_per_second,
        "peak_memory_mb": item.peak_memory_mb,
        "device": item.device,
        "results": str(item.folder),
        "failures": dict(item.failures),
    }


def _print_compared(
    done: Sequence[ComparedMethod], out: Path, dataset: str | None
) -> None:
    columns = ("method", "J&F", "J", "F", "frames/s", "peak, MB", "device")
    rows = []
    for item in done:
        summary = item.scores.summary if item.scores else {}
        figures = (summary.get(key) for key in ("J&F", "J", "F"))
        rows.append(
            (
                item.label,
                *("-" if value is None else f"{100 * value:.1f}" for value in figures),
                _number(item.frames_per_second),
                _number(item.peak_memory_mb),
                item.device,
            )
        )
    print_table("Methods", columns, rows, right=columns[1:6])
    if any(item.scores for item in done):
        typer.echo(f"Report:  {out / 'report' / 'report.html'}")
    if dataset:
        typer.echo(f"In the App:  s3fo app {dataset}")


@app.command()
def speed(
    method: Annotated[
        str | None, typer.Option(help="What to measure; default: s3.")
    ] = None,
    objects: Annotated[
        str, typer.Option(help="Numbers of objects, separated by commas.")
    ] = "1,2,4,8,16",
    size: Annotated[
        str, typer.Option(help="Frame sizes, e.g. 854x480 or short sides 480,720.")
    ] = "480",
    length: Annotated[
        str, typer.Option(help="Frames of a clip, warm-up included, e.g. 50,500.")
    ] = "50",
    warm_up: Annotated[
        int, typer.Option(help="Frames at the start of a clip not measured.")
    ] = 5,
    out: Annotated[
        Path | None,
        typer.Option(
            help="JSON file to write, or a results folder, whose report draws it."
        ),
    ] = None,
    command: Annotated[
        str | None, typer.Option(help="Program to measure; see `s3fo predict`.")
    ] = None,
    weights: AsPredict = None,
    device: AsPredict = None,
    precision: AsPredict = None,
    compile_encoder: CompileEncoder = False,
    options: SetOptions = None,
    as_json: Json = False,
) -> None:
    """Measure frames per second, latency and peak memory of a method.

    For every number of objects, frame size and length a clip is made. Its first frames
    warm up and are not measured; the device is waited for before the clock starts and
    before it stops.
    """
    from s3fo.inference.running.speed import measure_speed, parse_size

    name, given = chosen_method(method, command)
    given |= {
        "weights": weights,
        "device": device,
        "precision": precision,
        "compile_encoder": compile_encoder or None,
        **method_options(options),
    }
    with progress_bar("speed") as progress:
        record = measure_speed(
            name,
            objects=whole_numbers("--objects", objects),
            sizes=[parse_size(text.strip()) for text in size.split(",")],
            lengths=whole_numbers("--length", length),
            warm_up=warm_up,
            progress=progress,
            **{key: value for key, value in given.items() if value is not None},
        )
    if out is not None:
        record.save(out)
    if as_json:
        print_json(record.to_dict())
    else:
        _print_speed(record)


def _print_speed(record: SpeedRecord) -> None:
    columns = (
        "objects",
        "size",
        "length",
        "frames/s",
        "p50, ms",
        "p95, ms",
        "first, ms",
        "peak, MB",
    )
    rows = [
        (
            row.objects,
            f"{row.width}x{row.height}",
            row.length,
            f"{row.fps:.2f}",
            *(_number(value) for value in (row.latency_p50_ms, row.latency_p95_ms)),
            _number(row.first_frame_ms),
            _number(row.peak_memory_mb),
        )
        for row in record.rows
    ]
    print_table(f"{record.method} on {record.device}", columns, rows, right=columns[3:])
    typer.echo(f"Warm-up: {record.warm_up} frames of each clip are not measured.")
    typer.echo(f"Time: {record.timing}")
    typer.echo(f"Waiting for the device: {record.synchronisation}.")
    typer.echo(f"Peak: {record.memory}.")


@app.command()
def recommend(
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda or mps: what it shall run on.")
    ] = "auto",
    as_json: Json = False,
) -> None:
    """Recommend settings of the shipped network, by measured quality per second.

    For the best masks, for a balance and for speed: the cheapest setting each, as it
    was measured on this kind of device.
    """
    from evaluation.errors import InputError
    from evaluation.leaderboard.settings import DEVICES, kind_of, measured_settings
    from evaluation.leaderboard.settings import recommend as recommend_settings
    from s3fo.inference.device import choose_device
    from s3fo.inference.precision import AUTO, choose_precision
    from s3fo.inference.weights import DEFAULT

    chosen = choose_device("auto").type if device == "auto" else kind_of(device)
    if chosen not in DEVICES:
        raise InputError(
            "--device",
            repr(device),
            f"auto, or one of {', '.join(DEVICES)}",
            "Pass one of these devices.",
        )
    found = recommend_settings(chosen, DEFAULT)
    if as_json:
        print_json({"device": chosen, "settings": [asdict(item) for item in found]})
        return
    if not found:
        measured = ", ".join(sorted(set(measured_settings(DEFAULT)["device"])))
        typer.echo(
            f"{DEFAULT} is not measured on {chosen}, only on {measured}: no "
            f"recommendation. Measure it with `python -m benchmarks.frontier` (in a "
            f"clone of s3fo, with --device {chosen})."
        )
        return
    _print_settings(found, f"{DEFAULT} on {chosen}")
    if chosen == "cpu" and (
        choose_precision(AUTO, DEFAULT, choose_device(chosen)) == "float32"
    ):
        typer.echo(
            "This CPU does not multiply bfloat16: leave --precision out. Masks are as "
            "good in float32, for 1.8 times the seconds (measured at 256 pixels)."
        )


def _print_settings(found: Sequence[Recommendation], title: str) -> None:
    columns = ("for", "options of s3fo predict", "memory", "cost", "s/frame", "J&F")
    rows = [
        (
            item.aim,
            item.arguments,
            item.memory,
            f"{item.cost:.2f}",
            f"{item.seconds:.2f}",
            f"{100 * item.quality:.1f}",
        )
        for item in found
    ]
    print_table(title, columns, rows, right=columns[3:])
    typer.echo(
        "Cost: seconds per frame over those at 384 pixels in bfloat16. J&F: on s3fo's "
        "own validation videos; compare the rows, not with other videos. Measured with "
        "whole frames (--set zoom=1): the window through which a single object is seen "
        "otherwise takes up to a quarter more time, for better outlines."
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"

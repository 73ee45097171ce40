"""Commands around the product: demo, App, plugin, doctor, version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from s3fo._extras import require
from s3fo.cli import app
from s3fo.cli.console import (
    print_frame,
    print_json,
    print_table,
    progress_bar,
    result_alone,
)

if TYPE_CHECKING:
    import pandas as pd

    from s3fo.demo import DemoResult

HERE = "127.0.0.1"
"""This machine, reached from itself only."""

plugin = typer.Typer(help="The FiftyOne plugin.", no_args_is_help=True)
app.add_typer(plugin, name="plugin")


@app.command()
def demo(
    out: Annotated[
        Path, typer.Option(help="Folder for the benchmark, masks and scores.")
    ] = Path("demo"),
    open_app: Annotated[
        bool, typer.Option("--app", help="Look at the result in the FiftyOne App.")
    ] = False,
) -> None:
    """Everything once, on a built-in benchmark: load, predict, evaluate, show."""
    require("app", "model")
    from s3fo.datasets.database import ensure_database
    from s3fo.demo import WORKSPACE, run_demo

    with result_alone():
        ensure_database()
    steps: list[str] = []

    def begin(step: str) -> None:
        steps.append(step)
        typer.echo(f"demo: {step}", err=True)

    with progress_bar("demo") as progress:
        result = run_demo(
            out,
            progress=lambda done, total, label: progress(
                done, total, f"{steps[-1]}: {label}"
            ),
            begin=begin,
        )
    _show(result)
    if open_app:
        _serve(result.dataset_name, workspace=WORKSPACE)


def _show(result: DemoResult) -> None:
    """Print the scores of every method, the best one's objects, and what next."""
    rows = [
        (name, *(float(scores.summary[key]) for key in ("J&F", "J", "F")))
        for name, scores in result.scores.items()
    ]
    protocol = next(iter(result.scores.values())).protocol.name
    print_table(f"Methods ({protocol})", ("method", "J&F", "J", "F"), rows)
    objects = result.scores[result.best].objects.sort_values("J&F")
    columns = ["sequence", "object", "J&F", "J_mean", "F_mean"]
    print_table(
        f"Objects, worst first ({result.best})",
        columns,
        objects[columns].itertuples(index=False, name=None),
    )
    balance = result.failures[result.best].balance()
    title = f"What fails, and the J&F it costs ({result.best})"
    print_frame(title, balance, balance.columns)
    print_table(
        f"Objects with lower J&F than all others, by attribute ({result.best})",
        ("attribute", "group", "n_objects", "mean", "others", "difference"),
        _drops(result.breakdown.groups, result.best),
    )
    typer.echo(
        f"Masks and scores are in {result.out}/. Where to look next:\n"
        f"  {result.report}\n"
        f"  s3fo app {result.dataset_name}\n"
        f"  s3fo evaluate {result.out}/results/{result.best} "
        f"--gt {result.out}/benchmark/Annotations/480p --per-object"
    )


def _drops(
    groups: pd.DataFrame, method: str, n: int = 5
) -> list[tuple[str | int | float, ...]]:
    """The groups of a method whose J&F is below that of all other objects.

    Args:
        groups: of a breakdown.
        method: whose.
        n: how many at most, the largest difference first.
    """
    from evaluation.attributes import attribute_title
    from evaluation.breakdown import conditions

    own = groups[(groups["method"] == method) & ~groups["few"]]
    lower = conditions(own[own["delta"] < 0]).nsmallest(n, "delta")
    lower = lower.drop_duplicates(["n_objects", "mean", "rest"])
    titles = lower["attribute"].map(attribute_title)
    shown = lower[["group", "n_objects", "mean", "rest", "delta"]]
    return list(zip(titles, *(shown[name] for name in shown), strict=True))


@app.command("app")
def open_the_app(
    dataset: Annotated[
        str | None, typer.Argument(help="Dataset to open; omit to choose there.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the App.")] = 5151,
    remote: Annotated[
        bool, typer.Option(help="Serve only; do not open a browser.")
    ] = False,
    address: Annotated[
        str,
        typer.Option(
            help="Address to serve at. Other than this machine's own, everybody who "
            "reaches it can read and change all datasets: there is no login."
        ),
    ] = HERE,
) -> None:
    """Open a dataset in the FiftyOne App, with the s3fo operators.

    From another machine: ssh -L 5151:localhost:5151 HOST, then open localhost:5151.
    """
    _warn_of_open_address(address)
    _serve(dataset, port=port, remote=remote, address=address)


def _warn_of_open_address(address: str) -> None:
    """Say what it means to serve at an address that others reach."""
    from ipaddress import ip_address

    try:
        local = ip_address(address).is_loopback
    except ValueError:
        local = address == "localhost"
    if not local:
        typer.echo(
            f"warning: the App is served at {address} without login or encryption. "
            "Everybody who reaches this machine can see all images, read and change "
            "all datasets, run operators and so write files as you. Leave out "
            "--address and use an ssh tunnel, unless you trust the whole network.",
            err=True,
        )


def _serve(
    name: str | None,
    *,
    workspace: str | None = None,
    port: int = 5151,
    remote: bool = False,
    address: str = HERE,
) -> None:
    from s3fo.datasets import configure, open_dataset
    from s3fo.plugin import install
    from s3fo.plugin.serving import (
        leaving_at_once,
        quiet_session,
        require_opened,
        start_patiently,
    )

    configure()
    install()
    import fiftyone as fo

    from s3fo.datasets.views.images import opening_view
    from s3fo.demo import WORKSPACE

    dataset = open_dataset(name) if name else None
    shown = opening_view(dataset) if dataset else None
    workspace = workspace or WORKSPACE
    saved = dataset is not None and dataset.has_workspace(workspace)
    spaces = dataset.load_workspace(workspace) if dataset and saved else None

    def launch() -> fo.Session:
        return fo.launch_app(
            shown, spaces=spaces, port=port, remote=remote, address=address
        )

    with quiet_session() as speak:
        session = start_patiently(launch)
        # FiftyOne joins an App that is there already, whatever database that serves.
        served = getattr(session, "server_port", None)
        if name and served:
            here = HERE if address in ("0.0.0.0", "::") else address
            require_opened(f"http://{here}:{served}", name)
        speak()
        with leaving_at_once():
            session.wait(-1)


@plugin.command("install")
def install_plugin() -> None:
    """Make the operators known to FiftyOne (in its plugins folder)."""
    from s3fo.plugin import install

    typer.echo(f"Installed @s3fo/vos in {install()}")


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="First install what is missing: FiftyOne's database, shared libraries "
            "(from a wheel; else, as root, by apt-get).",
        ),
    ] = False,
) -> None:
    """Check this machine: packages, device, codecs, database, plugin."""
    from s3fo.doctor import examine, repair

    with result_alone():
        if fix:
            repair()
        checks = examine()
    if as_json:
        print_json([check.as_dict() for check in checks])
    else:
        rows = [
            (check.verdict, check.name, check.found, check.remedy) for check in checks
        ]
        print_table("s3fo doctor", ("", "check", "found", "remedy"), rows)
    if any(check.verdict == "FAIL" for check in checks):
        raise typer.Exit(1)

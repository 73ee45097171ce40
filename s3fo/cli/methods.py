"""Commands about methods: which there are, and what each needs."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from s3fo.cli import app
from s3fo.cli.console import print_json, print_table
from s3fo.cli.options import Json

if TYPE_CHECKING:
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


def _facts(info: MethodInfo) -> dict[str, Any]:
    """What programs are told about a method."""
    names = ("name", "title", "source", "licence", "weights", "install", "installed")
    facts: dict[str, Any] = {name: getattr(info, name) for name in names}
    return facts | {
        "needs": list(info.needs),
        "missing": list(info.missing),
        "problem": info.problem,
    }

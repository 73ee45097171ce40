"""Command line: the same verbs as the Python functions and the App operators.

Only the module of the command that was asked for is imported, and every command
imports what it works with when it runs, so that small jobs are not all start-up.
Exit codes: 0 done; 1 finished, but something failed on the way (it is named);
2 bad input or bad usage; 130 interrupted.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer

from evaluation.errors import InputError, InputWarning

_INTERRUPTED = 130
"""What Typer exits with after Ctrl-C."""

app = typer.Typer(
    name="s3fo",
    help="How good is this video object segmentation model, and where does it fail?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from s3fo import __version__

        typer.echo(f"s3fo {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Show the version.",
        ),
    ] = False,
) -> None:
    """Take the options that stand before any command."""


_COMMANDS = {
    "analysis": ("attributes", "breakdown", "failures"),
    "catalog": ("benchmarks", "submit"),
    "data": ("load", "import-predictions"),
    "methods": ("methods",),
    "model": ("predict", "merge-scores", "train"),
    "reports": ("report", "leaderboard", "runs"),
    "scores": ("evaluate", "compare", "protocols"),
    "system": ("demo", "app", "doctor", "plugin"),
}
"""Modules, and the commands that they register with `app` when they are imported."""


def import_commands(words: Sequence[str] = ()) -> None:
    """Import the module of the command in a command line; all of them without one.

    Args:
        words: the command line. The first one that is no option is the command.
    """
    command = next((word for word in words if not word.startswith("-")), None)
    named = [module for module, names in _COMMANDS.items() if command in names]
    for module in named or _COMMANDS:
        import_module(f"s3fo.cli.{module}")


def main() -> None:
    """Entry point of the ``s3fo`` command."""
    import_commands(sys.argv[1:])
    _show_input_warnings_as_notes()
    try:
        app()
    except InputError as error:
        print(
            f"error: {error.where}\n  found     {error.found}\n"
            f"  expected  {error.expected}\n  remedy    {error.remedy}",
            file=sys.stderr,
        )
        sys.exit(2)
    except SystemExit as stop:
        if stop.code == _INTERRUPTED:
            print("interrupted; run the same command to continue", file=sys.stderr)
        raise


def _show_input_warnings_as_notes() -> None:
    show, told = warnings.showwarning, set[str]()

    def show_note(
        message: Warning | str, category: type[Warning], *place: Any, **more: Any
    ) -> None:
        if issubclass(category, InputWarning):
            if str(message) not in told:
                told.add(str(message))
                print(f"note: {message}", file=sys.stderr)
        else:
            show(message, category, *place, **more)

    warnings.showwarning = show_note

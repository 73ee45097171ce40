"""Command line: the same verbs as the Python functions and the App operators.

Only the module of the command that was asked for is imported, and every command
imports what it works with when it runs, so that small jobs are not all start-up.
Exit codes: 0 done; 1 something failed on the way, or the system refused (it is named);
2 bad input or bad usage; 130 interrupted, 143 terminated.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer

from evaluation._utils.names import any_name_in_tables
from evaluation.errors import InputError, InputWarning
from s3fo._extras import MissingExtra, missing_module

_INTERRUPTED = 130
"""What Typer exits with after Ctrl-C."""

_TERMINATED = 143
"""What a program exits with that SIGTERM has ended."""

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
    "audit": ("audit", "stability"),
    "catalog": ("benchmarks", "submit"),
    "correct": ("correct",),
    "data": ("convert", "load", "import-predictions", "relocate"),
    "jobs": ("jobs",),
    "methods": ("methods", "speed", "compare-methods", "recommend"),
    "model": ("predict", "fuse", "merge-scores", "train"),
    "reports": ("report", "leaderboard", "runs"),
    "scores": ("evaluate", "merge-shards", "compare", "protocols"),
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


def _tell_missing(error: MissingExtra) -> int:
    """Print one line on standard error; returns the exit code of bad usage."""
    print(f"error: {error}", file=sys.stderr)
    return 2


def main() -> None:
    """Entry point of the ``s3fo`` command."""
    _print_any_name()
    signal.signal(signal.SIGTERM, _exit_on_signal)
    import_commands(sys.argv[1:])
    _show_input_warnings_as_notes()
    try:
        with any_name_in_tables():
            app()
    except MissingExtra as error:
        sys.exit(_tell_missing(error))
    except ModuleNotFoundError as error:
        missing = missing_module(error.name or "")
        if missing is None:
            raise
        sys.exit(_tell_missing(missing))
    except InputError as error:
        _print_error(error)
        sys.exit(2)
    except BrokenPipeError:  # whoever read the output had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (OSError, MemoryError) as error:
        _print_error(_of_the_system(error))
        sys.exit(1)
    except SystemExit as stop:
        if stop.code in (_INTERRUPTED, _TERMINATED):
            print("interrupted; run the same command to continue", file=sys.stderr)
        raise


def _exit_on_signal(sign: int, frame: object) -> NoReturn:
    """End as after an error, so that nothing unfinished stays behind."""
    sys.exit(_TERMINATED)


def _print_error(error: InputError) -> None:
    print(
        f"error: {_plain(error.where)}\n  found     {_plain(error.found)}\n"
        f"  expected  {_plain(error.expected)}\n  remedy    {_plain(error.remedy)}",
        file=sys.stderr,
    )


def _of_the_system(error: OSError | MemoryError) -> InputError:
    """An error of the system in the words of all others."""
    if isinstance(error, MemoryError):
        return InputError(
            "memory",
            "not enough of it",
            "memory for the images and masks at hand",
            "Run it with fewer --workers, or on a machine with more memory.",
        )
    place = error.filename2 or error.filename or "the system"
    return InputError(
        os.fsdecode(place) if isinstance(place, (str, bytes)) else str(place),
        f"an error of the system ({error.strerror or type(error).__name__})",
        "a file or folder that can be read and written, with room on the disk",
        "Check the path, its permissions and the room on the disk, then run the same "
        "command again.",
    )


def _plain(text: str) -> str:
    """Text without characters that a terminal would obey; lines stay."""
    return "".join(
        char if char.isprintable() or char == "\n" else ascii(char)[1:-1]
        for char in text
    )


def _print_any_name() -> None:
    """Let names be printed that the terminal's encoding does not have."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


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

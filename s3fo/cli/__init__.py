"""Command line: the same verbs as the Python functions and the App operators.

Every command imports its room when it runs, so that ``s3fo --help`` is instant.
Exit codes: 0 done; 1 finished, but something failed on the way (it is named);
2 bad input or bad usage; 130 interrupted.
"""

from __future__ import annotations

import sys

import typer

from evaluation.errors import InputError

_INTERRUPTED = 130
"""What Typer exits with after Ctrl-C."""

app = typer.Typer(
    name="s3fo",
    help="How good is this video object segmentation model, and where does it fail?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Entry point of the ``s3fo`` command."""
    # Imported for their commands, which they register with `app`.
    from s3fo.cli import (  # noqa: F401
        analysis,
        catalog,
        data,
        methods,
        model,
        reports,
        scores,
        system,
    )

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

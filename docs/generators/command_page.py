"""The command line reference, from what each command says about itself."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import typer
from typer.testing import CliRunner

import s3fo.cli
from s3fo.cli import app

_WIDTH = 110
_HEAD = """# Commands

What `s3fo COMMAND --help` says. Every command calls the library function of the same
name, so whatever the command line can do, Python can.

Exit codes: 0 done; 1 finished, but something failed on the way (it is named); 2 bad
input or bad usage; 130 interrupted.
"""


def commands() -> str:
    """The page: the help of every command."""
    # For people's terminals help is framed; a page wants it plain.
    framed, app.rich_markup_mode = app.rich_markup_mode, None
    try:
        sections = [_section(words) for words in command_words()]
    finally:
        app.rich_markup_mode = framed
    return "\n".join([_HEAD, *sections])


def command_words() -> Iterator[tuple[str, ...]]:
    """Every command as the words that call it, e.g. ``("plugin", "install")``."""
    # Commands register with `app` when their module is imported.
    for module in pkgutil.iter_modules(s3fo.cli.__path__):
        if not module.name.startswith("__"):
            importlib.import_module(f"s3fo.cli.{module.name}")
    yield from _below(typer.main.get_command(app), ())


def _below(group: Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, command in sorted(group.commands.items()):
        yield (*words, name)
        if hasattr(command, "commands"):
            yield from _below(command, (*words, name))


def help_text(words: tuple[str, ...]) -> str:
    """What ``--help`` prints for a command.

    Raises:
        RuntimeError: the command has no help.
    """
    outcome = CliRunner().invoke(
        app,
        [*words, "--help"],
        prog_name="s3fo",
        terminal_width=_WIDTH,
        env={"COLUMNS": str(_WIDTH)},  # as wide as whole names of options need
    )
    if outcome.exit_code:
        raise RuntimeError(f"s3fo {' '.join(words)} --help: {outcome.output}")
    return outcome.output.strip()


def _section(words: tuple[str, ...]) -> str:
    return f"## {' '.join(words)}\n\n```text\n{help_text(words)}\n```\n"

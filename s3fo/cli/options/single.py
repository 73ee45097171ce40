"""Single options that several commands share, and what they name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from evaluation.errors import InputError
from evaluation.options import MissingRule, ResizeRule

Value = TypeVar("Value")


def renamed(
    old: str, value: Value | None, new: str, current: Value | None
) -> Value | None:
    """The value of an option that had another name in the last version.

    Args:
        old: the former name, as typed.
        value: what was given with it; None if it was not used.
        new: the name now.
        current: what was given with the name now.

    Raises:
        InputError: both were given.
    """
    if value is None:
        return current
    if current is not None:
        fix = f"Leave {old} out; it is {new} now."
        raise InputError(new, f"both {old} and {new}", "one of them", fix)
    typer.echo(f"warning: {old} is now {new}; the old name will go", err=True)
    return value


# The input options: every command that reads masks takes all of them.
_PANEL = "Input masks"
Missing = Annotated[
    MissingRule,
    typer.Option(
        help="Frames and sequences without prediction.", rich_help_panel=_PANEL
    ),
]
Resize = Annotated[
    ResizeRule | None,
    typer.Option(help="Resize predictions of another size.", rich_help_panel=_PANEL),
]
Binarize = Annotated[
    bool,
    typer.Option(
        "--binarize",
        help="Whatever is not 0 is object 1; soft masks of one object each: half.",
        rich_help_panel=_PANEL,
    ),
]
Void = Annotated[
    int | None,
    typer.Option(
        help="Label to leave out; default: the protocol's.", rich_help_panel=_PANEL
    ),
]

Root = Annotated[
    Path | None, typer.Option(help="Folder of the benchmark, as unpacked.")
]
Split = Annotated[
    str | None, typer.Option(help="Split, e.g. val; default: its usual one.")
]
Images = Annotated[
    Path | None,
    typer.Option(help="Folder of <sequence>/<frame>.jpg, or one video file."),
]
Masks = Annotated[
    Path | None,
    typer.Option(help="Folder of <sequence>/<frame>.png, or one first-frame mask."),
]
ProtocolName = Annotated[
    str | None, typer.Option(help="Rules to score by; `s3fo protocols` lists them.")
]
Sequences = Annotated[
    list[str] | None,
    typer.Option("--sequence", help="Only this sequence; repeatable."),
]
ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        help="Only part i of n, from 1, balanced by frames and objects; default: as "
        "the array job says (Slurm, Grid Engine, LSF, AWS Batch), else all.",
    ),
]
SetOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Further option of the method, e.g. top_k=20; repeatable.",
    ),
]
AS_PREDICT = typer.Option(help="As for `s3fo predict`.")
AsPredict = Annotated[str | None, AS_PREDICT]
Overwrite = Annotated[bool, typer.Option(help="Re-run completed videos.")]
CompileEncoder = Annotated[
    bool, typer.Option("--compile", help="Compile the image encoder.")
]
PerObject = Annotated[
    bool, typer.Option("--per-object", help="Print every object, too.")
]
ResultsFolder = Annotated[
    Path, typer.Argument(help="Folder of <sequence>/<frame>.png.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Default: one per core.")]


def method_options(given: list[str] | None) -> dict[str, Any]:
    """Options of a method from ``--set NAME=VALUE``."""
    from s3fo.inference.methods.registry import parse_options

    return parse_options(given or ())


def chosen_method(
    method: str | None, command: str | None
) -> tuple[str, dict[str, Any]]:
    """What ``--method`` and ``--command`` name together.

    Returns:
        The method's name in the registry, and the options that they stand for: with a
        command, ``--method`` is what to call the program.

    Raises:
        InputError: a program shall be called as another method is.
    """
    if command is None:
        return method or "s3", {}
    from s3fo.inference import list_methods

    taken = {info.name for info in list_methods()} - {"command"}
    if method in taken:
        raise InputError(
            "--method",
            f"{method}, which is another method, together with --command",
            "a name for the program, e.g. sam2long",
            "Choose another name, or leave out --command.",
        )
    return "command", {"command": command, "name": method or "command"}


def whole_numbers(option: str, text: str) -> list[int]:
    """Numbers separated by commas.

    Raises:
        InputError: one is no positive whole number.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise InputError(
            option, repr(text), "positive whole numbers, e.g. 1,2,4", "Correct them."
        )
    return [int(part) for part in parts]

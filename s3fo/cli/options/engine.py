"""Options that send a command's work to an engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from evaluation.errors import InputError

_PANEL = "Many processes or machines"
On = Annotated[
    str | None,
    typer.Option(
        "--on",
        metavar="ENGINE",
        help="local (processes here), slurm, ray, ray://host:port, or debug; default: "
        "this process.",
        rich_help_panel=_PANEL,
    ),
]
Tasks = Annotated[
    int | None,
    typer.Option(
        help="Parts of the work; default: four for each that runs at once.",
        rich_help_panel=_PANEL,
    ),
]
Parallel = Annotated[
    int | None,
    typer.Option(
        help="Tasks at once; default: what the engine has room for, Slurm 8.",
        rich_help_panel=_PANEL,
    ),
]
Gpus = Annotated[
    float | None,
    typer.Option(
        help="GPUs per task; default: 1 to predict where there are any, else 0.",
        rich_help_panel=_PANEL,
    ),
]
Cpus = Annotated[
    int | None,
    typer.Option(help="Processors per task; default: 1.", rich_help_panel=_PANEL),
]
Minutes = Annotated[
    int | None,
    typer.Option(
        help="Limit of a task; Slurm begins it again then. Default there: 240.",
        rich_help_panel=_PANEL,
    ),
]
Partition = Annotated[
    str | None, typer.Option(help="Partition of Slurm.", rich_help_panel=_PANEL)
]
SlurmOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--slurm",
        metavar="NAME=VALUE",
        help="Further option of sbatch, e.g. account=lab; repeatable.",
        rich_help_panel=_PANEL,
    ),
]
Wait = Annotated[
    bool,
    typer.Option(
        help="Wait for the end; Slurm goes on without.", rich_help_panel=_PANEL
    ),
]


@dataclass(frozen=True)
class EngineOptions:
    """Where the work is done, and how it is divided."""

    on: On = None
    tasks: Tasks = None
    parallel: Parallel = None
    gpus: Gpus = None
    cpus: Cpus = None
    minutes: Minutes = None
    partition: Partition = None
    slurm: SlurmOptions = None
    wait: Wait = True

    def chosen(self, shard: str | None) -> dict[str, Any]:
        """What they come to, as `s3fo.cluster.run` takes it; nothing without engine.

        Args:
            shard: what was given beside them with ``--shard``.

        Raises:
            InputError: options that say something about an engine, and no engine; or a
                shard, which an engine's tasks are.
        """
        given = {
            "tasks": self.tasks,
            "parallel": self.parallel,
            "gpus": self.gpus,
            "cpus": self.cpus,
            "minutes": self.minutes,
            "partition": self.partition,
            "slurm": _pairs(self.slurm) or None,
            "wait": None if self.wait else False,
        }
        chosen = {name: value for name, value in given.items() if value is not None}
        if self.on is not None and shard is not None:
            raise InputError(
                "--shard", "also --on, which divides the work itself", "one of them",
                "Pass either --on or --shard, not both.",
            )  # fmt: skip
        if self.on is None and chosen:
            names = ", ".join("--no-wait" if k == "wait" else f"--{k}" for k in chosen)
            raise InputError(
                names, "no engine", "--on beside it", "Add --on, e.g. --on slurm."
            )
        return {"on": self.on, **chosen} if self.on is not None else {}


def _pairs(given: Iterable[str] | None) -> dict[str, str]:
    pairs = [text.partition("=") for text in given or ()]
    wrong = [name for name, equals, _ in pairs if not (name and equals)]
    if wrong:
        raise InputError(
            "--slurm", repr(wrong[0]), "NAME=VALUE", "E.g. --slurm account=lab."
        )
    return {name.strip().lstrip("-"): value for name, _, value in pairs}

"""Engines: what runs the tasks of a job, and where.

==================  ==================================================================
``debug``           in this process, one after the other (submitit)
``local``           processes of this machine (submitit)
``slurm``           an array job of Slurm (submitit)
``ray``             the Ray cluster of this machine, or one that is begun for the job
``ray://host:port`` a Ray cluster elsewhere, by its client server
==================  ==================================================================
"""

from __future__ import annotations

from evaluation.errors import InputError
from s3fo._extras import require_module
from s3fo.cluster.engines.base import Engine, Handle, Resources
from s3fo.cluster.task_file import Verb

__all__ = ["ENGINES", "Engine", "Handle", "Resources", "open_engine", "require_engine"]

ENGINES = ("debug", "local", "slurm", "ray", "ray://host:port")
"""What ``--on`` takes."""


def require_engine(on: str) -> None:
    """See that there is such an engine, and that what it needs is installed.

    Raises:
        InputError: there is none.
        MissingExtra: a package is missing; tells the command that installs it.
    """
    name, _, address = on.partition("://")
    if name == "ray" and (not on.endswith("://") and "/" not in address):
        require_module("ray")
    elif on in ENGINES:
        require_module("submitit")
    else:
        raise InputError(
            "--on (on=)",
            repr(on),
            f"one of {', '.join(ENGINES)}",
            "Name one of these engines.",
        )


def open_engine(on: str, verb: Verb, resources: Resources) -> Engine:
    """The engine of a name.

    Args:
        on: its name; see `ENGINES`.
        verb: what the tasks do, on which it depends whether they want a GPU.
        resources: what each task gets.

    Raises:
        InputError: there is none, or it cannot be reached from here.
        MissingExtra: a package is missing.
    """
    require_engine(on)
    if on.startswith("ray"):
        from s3fo.cluster.engines.by_ray import RayEngine

        return RayEngine(on, verb, resources)
    if on == "slurm":
        from s3fo.cluster.engines.by_slurm import SlurmEngine

        return SlurmEngine(verb, resources)
    from s3fo.cluster.engines.by_submitit import DebugEngine, LocalEngine

    return (
        DebugEngine(verb, resources) if on == "debug" else LocalEngine(verb, resources)
    )

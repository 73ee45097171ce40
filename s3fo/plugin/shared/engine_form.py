"""The part of a form that asks where work runs: here, or as tasks of an engine."""

from __future__ import annotations

from typing import Any

from fiftyone.operators import types

from evaluation.errors import InputError
from s3fo._extras import is_installed
from s3fo.benchmarks import Benchmark, catalog
from s3fo.cluster import Source
from s3fo.datasets.field_names import GROUND_TRUTH
from s3fo.plugin.context import Context
from s3fo.plugin.shared.forms import ask_choice

_HERE = "here"
_ENGINES = {
    "local": ("Several processes of this machine", "submitit"),
    "slurm": ("Slurm, from this machine", "submitit"),
    "ray": ("Ray", "ray"),
}


def ask_engine(ctx: Context, form: types.Object, benchmark: Benchmark) -> None:
    """Where the work runs, as far as what it needs is installed.

    Raises:
        InputError: what else was chosen does not go with it.
    """
    offered = {
        name: label
        for name, (label, module) in _ENGINES.items()
        if is_installed(module)
    }
    if not offered:
        return
    ask_choice(
        form,
        "on",
        {_HERE: "In this process", **offered},
        label="Runs",
        description="On a cluster all machines must see the benchmark and the results "
        "folder under the same paths. Schedule the operator to wait in the background; "
        "the masks are imported when all tasks are done",
        default=_HERE,
    )
    on = ctx.params.get("on", _HERE)
    if on == _HERE:
        return
    form.int(
        "parallel",
        label="Tasks at once",
        description="If left empty: as many as there is room for; on Slurm 8",
        min=1,
    )
    if on == "slurm":
        form.str("partition", label="Partition", description="Of Slurm")
        form.int(
            "minutes",
            label="Minutes",
            description="That a task may take before it is begun again. If left "
            "empty: 240",
            min=1,
        )
    if on == "ray":
        form.str(
            "ray",
            label="Address",
            description="ray://host:port of the cluster. If left empty: that of this "
            "machine, else one is begun",
        )
    engine_source(ctx, benchmark)


def given_engine(ctx: Context) -> dict[str, Any]:
    """What the form chose, as `s3fo.cluster.run` takes it; empty for this process."""
    on = ctx.params.get("on") or _HERE
    if on == _HERE:
        return {}
    if on == "ray":
        on = ctx.params.get("ray") or on
    asked = {
        name: ctx.params.get(name) for name in ("parallel", "partition", "minutes")
    }
    return {"on": on, **{name: value for name, value in asked.items() if value}}


def engine_source(ctx: Context, benchmark: Benchmark) -> Source:
    """The videos of a dataset, as paths that other machines can open.

    Raises:
        InputError: they cannot be told by paths, or the choices do not go together.
    """
    if ctx.params.get("prompt_field", GROUND_TRUTH) != GROUND_TRUTH:
        raise InputError(
            "First masks", "a field of this dataset", "files that all tasks can read",
            "Choose the ground truth, or let it run in this process.",
        )  # fmt: skip
    if ctx.params.get("overwrite"):
        raise InputError(
            "Start over", "several tasks in one folder", "a run that nobody shares",
            "Leave it out and choose another results folder or name.",
        )  # fmt: skip
    if benchmark.name not in catalog.names() and "synthetic" not in benchmark.name:
        raise InputError(
            "Runs", f"videos of plain folders ({benchmark.root})",
            "a benchmark that tasks can open by its name",
            "Let it run in this process, or run s3fo predict --images --masks --on on "
            "the command line and import the results.",
        )  # fmt: skip
    return Source.of(benchmark)

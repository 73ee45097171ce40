"""Hand the tasks of a job to Ray, a few at a time, until all have ended.

    python -m s3fo.cluster.engines.ray_driver ORDER.json

What comes of a task is in its file; this process tells of the cluster only, in lines
that begin with `TOLD`.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from evaluation._utils.json_files import parse, read_json
from s3fo.cluster.engines.base import Resources
from s3fo.cluster.task import run_task
from s3fo.cluster.task_file import Task, Verb

if TYPE_CHECKING:
    import ray

_RETRIES = 3
"""How often Ray begins a task again whose worker or node was lost."""

_ATTEMPTS, _BETWEEN = 3, 5.0
"""How often a head is asked that was named, and the seconds between."""

TOLD = "s3fo: "
"""Begins a line of this process's output that is meant for people."""

_PATIENCE = 300.0
"""Seconds that a cluster gets to make nodes with what a task asks for."""

_STORE = 100_000_000
"""Bytes of the object store of a cluster that is begun for a job: only paths travel."""


@dataclass(frozen=True)
class Order:
    """What the driver is to do.

    Attributes:
        on: ``"ray"`` or ``"ray://host:port"``.
        verb: what the tasks do.
        resources: fields of `Resources`.
        paths: files of the tasks.
    """

    on: str
    verb: Verb
    resources: Mapping[str, Any]
    paths: tuple[str, ...]


def state_after(path: str) -> str:
    """Run a task on a worker; returns its state."""
    return run_task(path).state


def main() -> None:
    """Do what the file that the command line names orders."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    path = Path(sys.argv[1])
    order = parse(read_json(path, "", "an order"), Order, path, "")
    resources = Resources(**order.resources)
    try:
        _connect(order.on)
    except Exception as error:  # of many kinds, by what is missing
        _give_up("no connection", error)
    try:
        _drive(order, resources)
    except _Infeasible as error:
        _give_up("too little room", error)
    except ConnectionError as error:
        _give_up("the connection was lost", error)


def _give_up(what: str, error: Exception) -> NoReturn:
    """End with one line for people, the end of the error's text where it is long."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    print(f"{TOLD}{what}: {lines[-1].strip()[:300]}", flush=True)
    sys.exit(1)


class _Infeasible(Exception):
    """No node has what a task asks for."""


def _connect(on: str) -> None:
    """Join the cluster; begin one on this machine where ``ray`` finds none."""
    import ray

    named = on != "ray" or bool(os.environ.get("RAY_ADDRESS"))
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            ray.init("auto" if on == "ray" else on, log_to_driver=False)
            return
        except (ConnectionError, RuntimeError):  # a busy head answers late
            if not named:
                break
            if attempt == _ATTEMPTS:
                raise
            time.sleep(_BETWEEN)
    print(f"{TOLD}no Ray cluster is known here: one was begun on this machine")
    ray.init(
        "local",
        log_to_driver=False,
        include_dashboard=False,
        object_store_memory=_STORE,
    )


def _drive(order: Order, resources: Resources) -> None:
    """Keep as many tasks in Ray's hands as it has room for."""
    import ray

    total = ray.cluster_resources()
    gpus = resources.gpus
    if gpus is None:
        gpus = 1.0 if order.verb == "predict" and total.get("GPU") else 0.0
    remote = ray.remote(num_cpus=resources.cpus, num_gpus=gpus, max_retries=_RETRIES)(
        state_after
    )
    waiting, running = list(order.paths), dict[Any, str]()
    patience = time.monotonic() + _PATIENCE
    while waiting or running:
        room = resources.parallel or _room(gpus, resources.cpus)
        while waiting and len(running) < room:
            path = waiting.pop(0)
            running[remote.options(name=_name(path)).remote(path)] = path
        ready, _ = ray.wait(list(running), timeout=5.0)
        for reference in ready:
            _settle(reference, Path(running.pop(reference)))
        if time.monotonic() > patience:
            _check_room(gpus, resources.cpus)


def _name(path: str) -> str:
    """What Ray's own tools call a task."""
    return f"s3fo {Path(path).parent.name} {Path(path).stem}"


def _room(gpus: float, cpus: int) -> int:
    """Tasks that the cluster can run at once now; nodes may come and go."""
    import ray

    total = ray.cluster_resources()
    room = total.get("CPU", 0) / cpus
    if gpus:
        room = min(room, total.get("GPU", 0) / gpus)
    return max(1, int(room))


def _check_room(gpus: float, cpus: int) -> None:
    """Refuse what would wait without end."""
    import ray

    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if any(n.get("CPU", 0) >= cpus and n.get("GPU", 0) >= gpus for n in nodes):
        return
    most = ", ".join(
        f"{n.get('CPU', 0):g} CPUs and {n.get('GPU', 0):g} GPUs" for n in nodes
    )
    raise _Infeasible(f"no node has {cpus} CPUs and {gpus:g} GPUs; they have {most}")


def _settle(reference: ray.ObjectRef, path: Path) -> None:
    """See that a task has ended by its file; Ray may have lost it too often."""
    import ray

    why = "it ended without a word"
    try:
        ray.get(reference)
    except ray.exceptions.RayError as error:
        why = str(error).strip().splitlines()[0]
    task = Task.load(path)
    if not task.has_ended:
        replace(task, state="failed", error=f"lost by Ray: {why}").save(path)


if __name__ == "__main__":
    main()

"""Engine Slurm, by submitit: an array job, of which Slurm's queue is asked at times."""

from __future__ import annotations

import logging
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from evaluation.errors import InputError
from s3fo.cluster.engines.base import LOGS, Handle, Resources
from s3fo.cluster.engines.by_submitit import RunTask, Submitted, whole_gpus
from s3fo.cluster.task_file import Verb

_MINUTES = 240
"""Of a task; Slurm wants to be told."""

_TIMEOUTS = 5
"""How often Slurm begins a task again that ran out of time."""

_UNTIL_KILLED = 3600.0
"""Seconds; longer than any grace time."""

_ASK_EVERY = 20.0
"""Seconds between two questions to Slurm's controller."""


_NO_CONTROLLER = ("configuration source", "contact slurm controller")
"""What sbatch says where there is no cluster, or none that answers."""


class PreEmpted(SystemExit):
    """Slurm wants the machine back."""


class RunInSlurm(RunTask):
    """A task that stops when Slurm says so, and then waits for its end.

    Slurm announces pre-emption by SIGTERM, to all processes of the job. A job that
    ended by itself within its grace time would count as done; one that Slurm ends is
    requeued. Out of time (SIGUSR2), submitit requeues it.
    """

    def __call__(self) -> str:
        """Run it; returns its state."""
        signal.signal(signal.SIGTERM, self._stop)
        try:
            return super().__call__()
        except PreEmpted:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(_UNTIL_KILLED)
            raise

    @staticmethod
    def _stop(number: int, frame: object) -> NoReturn:
        raise PreEmpted(128 + number)


class SlurmEngine:
    """Tasks as an array job of Slurm."""

    name, outlives_us, retries = "slurm", True, 1
    at_once: int | None = None

    def __init__(self, verb: Verb, resources: Resources) -> None:
        _require_slurm()
        logging.getLogger("submitit").setLevel(logging.ERROR)
        self.slots = resources.parallel or 8
        self._parameters = _sbatch(verb, resources, self.slots)

    def submit(self, paths: Sequence[Path]) -> list[Handle]:
        """Submit them as one array.

        Raises:
            InputError: Slurm refuses them; tells in its words why.
        """
        import submitit
        from submitit.core.utils import FailedJobError

        folder = paths[0].parent / LOGS
        executor = submitit.SlurmExecutor(folder, max_num_timeout=_TIMEOUTS)
        executor.update_parameters(**self._parameters)
        try:
            with executor.batch():
                jobs = [executor.submit(RunInSlurm(path)) for path in paths]
        except FailedJobError as error:
            raise _explain_refusal(" ".join(str(error).split())) from error
        return [_InSlurm(path, job) for path, job in zip(paths, jobs, strict=True)]

    def attach(self, path: Path, task_id: str) -> Handle | None:
        """A task that an earlier command submitted, if Slurm still lists it."""
        import submitit

        if task_id not in _queue_of(task_id):
            return None
        return _InSlurm(path, submitit.SlurmJob(path.parent / LOGS, task_id))

    def close(self) -> None:
        """Slurm looks after its jobs itself."""


class _InSlurm(Submitted):
    """A task that Slurm has; its queue tells more than accounting, if there is any."""

    _asked = 0.0
    _missed = 0

    def problem(self) -> str:
        """Why it will not end by itself, as far as files and the queue tell."""
        if self.job.paths.result_pickle.exists():
            return self.why()
        if time.monotonic() - self._asked < _ASK_EVERY:
            return ""
        self._asked = time.monotonic()
        self._missed = 0 if self.id in _queue_of(self.id) else self._missed + 1
        # Twice, as the file of a task that has just ended may reach us late.
        if self._missed < 2:
            return ""
        return (
            "Slurm does not list it any more (killed, cancelled, out of memory or "
            f"time?); log: {self.job.paths.stderr}"
        )


_answers: dict[str, tuple[float, frozenset[str]]] = {}


def _queue_of(job_id: str) -> frozenset[str]:
    """Ids of all tasks of a job that are in Slurm's queue or run.

    One question serves all tasks of an array. A controller that does not answer knows
    them still, for all we know.
    """
    array = job_id.partition("_")[0]
    asked, found = _answers.get(array, (-_ASK_EVERY, frozenset()))
    if time.monotonic() - asked < _ASK_EVERY / 2:
        return found
    words = ["squeue", "--noheader", "--array", "--format=%i", "--jobs", array]
    answer = subprocess.run(words, capture_output=True, text=True, check=False)
    if answer.returncode == 0 or "Invalid job id" in answer.stderr:
        found = frozenset(answer.stdout.split())
    else:
        found = frozenset({*found, job_id})
    _answers[array] = time.monotonic(), found
    return found


def _require_slurm() -> None:
    missing = [name for name in ("sbatch", "squeue", "srun") if not shutil.which(name)]
    if missing:
        raise InputError(
            "--on slurm",
            f"no {' and no '.join(missing)} on this machine",
            "a machine from which jobs are submitted to Slurm",
            "Run it on the cluster's login node, or choose --on local or --on ray.",
        )


def _explain_refusal(why: str) -> InputError:
    """What to do where sbatch gave this answer."""
    if any(words in why for words in _NO_CONTROLLER):
        return InputError(
            "sbatch",
            why,
            "a Slurm controller that answers",
            "Run it where `sinfo` lists partitions, such as the cluster's login node, "
            "or choose --on local or --on ray.",
        )
    return InputError(
        "sbatch",
        why,
        "options that this cluster takes",
        "Correct --partition, --gpus, --cpus, --minutes or --slurm.",
    )


def _sbatch(verb: Verb, resources: Resources, parallel: int) -> dict[str, object]:
    """Parameters of submitit's Slurm executor."""
    gpus = resources.gpus if resources.gpus is not None else int(verb == "predict")
    given = {
        "job_name": f"s3fo-{verb}",
        "time": resources.minutes or _MINUTES,
        "partition": resources.partition,
        "gpus_per_node": whole_gpus(gpus, "slurm") or None,
        "cpus_per_task": resources.cpus,
        "array_parallelism": parallel,
        "additional_parameters": dict(resources.slurm) or None,
    }
    return {name: value for name, value in given.items() if value is not None}

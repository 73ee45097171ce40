"""Shards: which videos one task of several does, decided alike by each of them.

No task talks to another one: the same videos and costs give every task the same split.
"""

from __future__ import annotations

import heapq
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from evaluation.errors import InputError

_FORM = re.compile(r"(\d{1,9})/(\d{1,9})")
_FIX = "Name shards 1/n to n/n, e.g. --shard 2/4; --shard 1/1 is everything."

_GAPS_FIX = "Number the tasks without gaps, or give each one --shard i/n."


class _ArrayJob(NamedTuple):
    """The variables by which a scheduler tells a task which of an array it is.

    Attributes:
        task: its id.
        first: id of the first task.
        step: between the ids of two tasks; 1 where it is not set.
        total: number of tasks; "" where only the last id is told.
        last: id of the last task.
        start: id of the first task where `first` is not set.
    """

    task: str
    first: str
    step: str
    total: str
    last: str
    start: int

    def n_tasks(self, variables: Mapping[str, str], start: int, step: int) -> int:
        """How many tasks there are; 0 where this is no array job."""
        last = _number(variables, self.last)
        if last is not None:
            return max(0, (last - start) // step + 1)
        return _number(variables, self.total) or 0


_ARRAY_JOBS = (
    _ArrayJob(
        "SLURM_ARRAY_TASK_ID",
        "SLURM_ARRAY_TASK_MIN",
        "SLURM_ARRAY_TASK_STEP",
        "SLURM_ARRAY_TASK_COUNT",
        "",
        0,
    ),
    _ArrayJob(
        "SGE_TASK_ID", "SGE_TASK_FIRST", "SGE_TASK_STEPSIZE", "", "SGE_TASK_LAST", 1
    ),
    _ArrayJob("LSB_JOBINDEX", "", "LSB_JOBINDEX_STEP", "", "LSB_JOBINDEX_END", 1),
    _ArrayJob("AWS_BATCH_JOB_ARRAY_INDEX", "", "", "AWS_BATCH_JOB_ARRAY_SIZE", "", 0),
)


@dataclass(frozen=True)
class Shard:
    """One of several parts of the work.

    Attributes:
        index: which one, from 1.
        count: of how many.
        origin: variable of the environment that said so; "" for a person.
    """

    index: int
    count: int
    origin: str = ""

    def __post_init__(self) -> None:
        """Refuse parts that do not exist."""
        if not 1 <= self.index <= self.count:
            raise InputError(
                self.origin or "shard",
                f"{self.index}/{self.count}",
                "i/n with i from 1 to n",
                _FIX,
            )

    def __str__(self) -> str:
        """As it is written: ``2/4``."""
        return f"{self.index}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``i/n``.

        Raises:
            InputError: it is not of this form, or there is no such part.
        """
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise InputError("shard", repr(text), "i/n with i from 1 to n", _FIX)
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def from_environment(
        cls, variables: Mapping[str, str] = os.environ
    ) -> Shard | None:
        """The part that a scheduler's array job gives this task; None outside of one.

        Slurm, Grid Engine, LSF and AWS Batch are known.

        Raises:
            InputError: the array's ids have gaps, so that which part this is cannot be
                told.
        """
        for job in _ARRAY_JOBS:
            number = _number(variables, job.task)
            first = _number(variables, job.first)
            start = job.start if first is None else first
            step = _number(variables, job.step) or 1
            tasks = job.n_tasks(variables, start, step)
            # LSF numbers the one task of an ordinary job 0.
            if number is None or not tasks or (number == 0 and start == 1):
                continue
            index, rest = divmod(number - start, step)
            if rest or not 0 <= index < tasks:
                raise InputError(
                    job.task,
                    f"{number}, as one of {tasks} tasks from {start} on",
                    "ids that follow one another, such as --array=1-8",
                    _GAPS_FIX,
                )
            return cls(index + 1, tasks, job.task)
        return None

    def choose(self, costs: Mapping[str, int]) -> list[str]:
        """The items of this part, in the order of `costs`.

        The costliest item goes to the part that has least so far, and so on: parts
        differ by at most the cost of one item, and with as many items as parts none is
        empty.

        Args:
            costs: item -> what it costs, in any unit; their order plays no role.
        """
        parts = [(0, 0, part) for part in range(1, self.count + 1)]
        mine = set()
        for item in sorted(costs, key=lambda item: (-costs[item], item)):
            load, size, part = heapq.heappop(parts)
            heapq.heappush(parts, (load + max(costs[item], 1), size + 1, part))
            if part == self.index:
                mine.add(item)
        return [item for item in costs if item in mine]


def _number(variables: Mapping[str, str], name: str) -> int | None:
    text = variables.get(name, "") if name else ""
    return int(text) if text.isascii() and text.isdecimal() else None

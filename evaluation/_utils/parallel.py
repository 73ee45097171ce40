"""Run one job over many sequences on all processors, with progress and a clean stop."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from evaluation._utils.progress import ProgressCallback
from evaluation.masks.sequence import Named

if TYPE_CHECKING:
    from concurrent.futures import Future

Item = TypeVar("Item", bound=Named)
Result = TypeVar("Result")

Tick = Callable[..., None]
"""``tick()`` or ``tick(n)`` tells that one or n more steps are done; may raise."""

FEW_STEPS = 200
"""Steps a processor below which starting a process costs more than it saves."""

_REPORT_EVERY = 0.1
"""Seconds between reports of progress."""


class Stopped(Exception):
    """Raised inside a job when another one failed or the user interrupted."""


def run_in_order(
    job: Callable[[Item, Tick], Result],
    items: Sequence[Item],
    sizes: Sequence[int],
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> list[Result]:
    """Run `job(item, tick)` for every item; `tick()` tells that a step is done.

    Processes are forked from this one, so nothing is imported or sent anew; where
    that cannot be done safely, the items are done one after the other. (Threads
    would not help: the steps are so short that they wait for each other.) Large
    items start first.

    Args:
        job: what to do; may raise.
        items: what to do it with.
        sizes: steps of each item.
        workers: processes; None for as many as are worth it.
        progress: called from this thread with steps done and steps in all.

    Returns:
        The results in the order of `items`.
    """
    n = _worth(workers, len(items), sum(sizes))
    if n > 1:
        return _Forked(job, items, sizes, progress).run(n)
    told = _Told(sum(sizes), len(items), progress)
    results = []
    for item in items:
        results.append(job(item, told.step))
        told.finished(item)
    return results


def _worth(workers: int | None, n_items: int, n_steps: int) -> int:
    """Number of processes to use."""
    if sys.platform != "linux":
        return 1
    wanted = workers or min(len(os.sched_getaffinity(0)), n_steps // FEW_STEPS)
    wanted = max(1, min(wanted, n_items))
    return 1 if wanted == 1 or _is_daemon() else wanted


def _is_daemon() -> bool:
    """Whether this process may not start others."""
    import multiprocessing  # small jobs do without

    return multiprocessing.current_process().daemon


class _Told:
    """What the caller has been told of how far the work is."""

    def __init__(
        self, n_steps: int, n_items: int, progress: ProgressCallback | None
    ) -> None:
        self._n_steps, self._n_items, self._progress = n_steps, n_items, progress
        self._steps, self._items, self._label = 0, 0, f"0/{n_items}"

    def step(self, steps: int = 1) -> None:
        self.tell(self._steps + steps)

    def finished(self, item: Named) -> None:
        self._items += 1
        self._label = f"{item.name} {self._items}/{self._n_items}"
        self.tell(self._steps)

    def tell(self, steps: int) -> None:
        self._steps = steps
        if self._progress is not None:
            self._progress(steps, self._n_steps, self._label)


class _Forked(Generic[Item, Result]):
    """Items done by processes that are forked from this one."""

    def __init__(
        self,
        job: Callable[[Item, Tick], Result],
        items: Sequence[Item],
        sizes: Sequence[int],
        progress: ProgressCallback | None,
    ) -> None:
        import multiprocessing

        self._items, self._sizes = items, sizes
        self._told = _Told(sum(sizes), len(items), progress)
        self._context = multiprocessing.get_context("fork")
        self._done = self._context.Value("q", 0)
        self._stop = self._context.Event()
        self._inherited = (job, items, self._done, self._stop)

    def run(self, n: int) -> list[Result]:
        """Do everything with `n` processes."""
        from concurrent.futures import ProcessPoolExecutor

        largest_first = sorted(range(len(self._items)), key=lambda i: -self._sizes[i])
        pool = ProcessPoolExecutor(n, self._context, _inherit, self._inherited)
        try:
            with warnings.catch_warnings():
                # Other threads of this process are of no concern to the children:
                # all they do is read files and count.
                warnings.simplefilter("ignore", DeprecationWarning)
                futures = {pool.submit(_do, i): i for i in largest_first}
            self._watch(futures)
        except BaseException:
            self._stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        pool.shutdown()
        results = {i: future.result() for future, i in futures.items()}
        return [results[i] for i in range(len(results))]

    def _watch(self, futures: dict[Future[Any], int]) -> None:
        from concurrent.futures import FIRST_COMPLETED, wait

        pending = set(futures)
        while pending:
            ended, pending = wait(pending, _REPORT_EVERY, FIRST_COMPLETED)
            self._told.tell(self._done.value)
            for future in sorted(ended, key=lambda future: futures[future]):
                future.result()
                self._told.finished(self._items[futures[future]])


_inherited: tuple[Any, ...] = ()
"""In a forked process: job, items, counter of steps, flag to stop."""


def _inherit(*inherited: Any) -> None:
    global _inherited
    _inherited = inherited
    # The first process decides what an interrupt from the keyboard means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _do(i: int) -> Any:
    job, items, done, stop = _inherited

    def tick(steps: int = 1) -> None:
        if stop.is_set():
            raise Stopped
        with done.get_lock():
            done.value += steps

    return job(items[i], tick)

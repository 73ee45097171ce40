"""Run one job over many sequences, in threads, with progress and a clean stop."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from evaluation.progress import ProgressCallback
from evaluation.sequence import Named

Item = TypeVar("Item", bound=Named)
Result = TypeVar("Result")

_REPORT_EVERY = 0.1
"""Seconds between reports of progress."""


Tick = Callable[..., None]
"""``tick()`` or ``tick(n)`` tells that one or n more steps are done; may raise."""


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

    The jobs spend their time in code that lets other threads run (decoding,
    counting), so threads use all processors. Large items start first.

    Args:
        job: what to do; may raise.
        items: what to do it with.
        sizes: steps of each item.
        workers: threads; None for one a processor.
        progress: called from this thread with steps done and steps in all.

    Returns:
        The results in the order of `items`.
    """
    available = workers or _processors()
    report = _Report(sum(sizes), len(items), progress)
    if min(available, len(items)) <= 1:
        results = []
        for item in items:
            results.append(job(item, report.step_now))
            report.finished(item)
            report.tell()
        return results
    order = sorted(range(len(items)), key=lambda i: -sizes[i])
    with ThreadPoolExecutor(min(available, len(items))) as pool:
        futures = {pool.submit(job, items[i], report.step): i for i in order}
        try:
            _watch(futures, items, report)
        except BaseException:
            report.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    by_index = {i: future.result() for future, i in futures.items()}
    return [by_index[i] for i in range(len(items))]


def _processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _watch(
    futures: dict[Future[Any], int], items: Sequence[Named], report: Any
) -> None:
    pending = set(futures)
    while pending:
        ended, pending = wait(pending, _REPORT_EVERY, FIRST_COMPLETED)
        for future in sorted(ended, key=lambda future: futures[future]):
            future.result()
            report.finished(items[futures[future]])
        report.tell()


class _Report:
    """Counts steps from any thread, tells about them in one."""

    def __init__(
        self, total: int, n_items: int, progress: ProgressCallback | None
    ) -> None:
        self._total, self._n_items, self._progress = total, n_items, progress
        self._lock = threading.Lock()
        self._steps, self._items, self._stopped = 0, 0, False
        self._label = f"0/{n_items}"

    def step(self, steps: int = 1) -> None:
        if self._stopped:
            raise Stopped
        with self._lock:
            self._steps += steps

    def step_now(self, steps: int = 1) -> None:
        self.step(steps)
        self.tell()

    def stop(self) -> None:
        self._stopped = True

    def finished(self, item: Named) -> None:
        self._items += 1
        self._label = f"{item.name} {self._items}/{self._n_items}"

    def tell(self) -> None:
        if self._progress is not None:
            self._progress(self._steps, self._total, self._label)

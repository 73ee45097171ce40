"""Work ahead on several threads, hand results over in order, hold few at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from evaluation._utils.parallel import check_workers

Item = TypeVar("Item")
Result = TypeVar("Result")


def default_workers() -> int:
    """Threads to use when nothing is said: the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_ahead(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int | None = None,
) -> Iterator[Result]:
    """Like `map`, on threads, with at most two results per worker waiting.

    An error in `function` is raised in its place; work not yet begun is dropped.

    Raises:
        InputError: fewer workers than one are asked for; and what `function` raises.
    """
    check_workers(workers)
    workers = workers or default_workers()
    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)

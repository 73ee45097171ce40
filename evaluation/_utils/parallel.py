"""Run one job over many sequences on all processors, with progress and a clean stop."""

from __future__ import annotations

import contextlib
import mmap
import os
import pickle
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """The name."""
        ...


Item = TypeVar("Item", bound=Named)
Result = TypeVar("Result")

OnStep = Callable[..., None]
"""``on_step()`` or ``on_step(n)`` says that 1 or n more steps are done; may raise."""

FEW_STEPS = 200
"""Steps a processor below which starting a process costs more than it saves."""

_REPORT_EVERY = 0.1
"""Seconds between reports of progress."""

_PATIENCE = 1.5
"""Seconds that processes get to end after an interrupt or error."""


class Stopped(Exception):
    """Raised inside a job when another one failed or the user interrupted."""


def run_in_order(
    job: Callable[[Item, OnStep], Result],
    items: Sequence[Item],
    sizes: Sequence[int],
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> list[Result]:
    """Run `job(item, on_step)` for every item; `on_step()` tells that a step is done.

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

    Raises:
        InputError: fewer workers than one are asked for; and what jobs raise.
    """
    n = _useful_workers(workers, len(items), sum(sizes))
    if n > 1:
        return _Forked(job, items, sizes, progress).run(n)
    tracker = _ProgressTracker(sum(sizes), len(items), progress)
    results = []
    for item in items:
        results.append(job(item, tracker.step))
        tracker.finished(item)
    return results


def check_workers(workers: int | None) -> None:
    """Refuse a number of workers that can do no work.

    Args:
        workers: processes or threads; None leaves the number open.

    Raises:
        InputError: it is below 1.
    """
    if workers is not None and workers < 1:
        raise InputError(
            "workers",
            str(workers),
            "at least 1",
            "Give 1 or more with --workers (workers=), or leave it out for one per "
            "core.",
        )


def _useful_workers(workers: int | None, n_items: int, n_steps: int) -> int:
    """Number of processes to use.

    Raises:
        InputError: fewer than one are asked for.
    """
    check_workers(workers)
    if sys.platform != "linux":
        return 1
    wanted = workers or min(len(os.sched_getaffinity(0)), n_steps // FEW_STEPS)
    wanted = max(1, min(wanted, n_items))
    return 1 if wanted == 1 or _is_daemon() else wanted


def _is_daemon() -> bool:
    """Whether this process may not start others."""
    import multiprocessing  # small jobs do without

    return multiprocessing.current_process().daemon


class _ProgressTracker:
    """What the caller has been tracker of how far the work is."""

    def __init__(
        self, n_steps: int, n_items: int, progress: ProgressCallback | None
    ) -> None:
        self._n_steps, self._n_items, self._progress = n_steps, n_items, progress
        self._steps, self._items, self._label = 0, 0, f"0/{n_items} done"

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
    """Items done by processes that are forked from this one.

    Nothing is shared that a dying process could leave locked: each has a pipe of its
    own, and each item a counter of its own that only one process writes.
    """

    def __init__(
        self,
        job: Callable[[Item, OnStep], Result],
        items: Sequence[Item],
        sizes: Sequence[int],
        progress: ProgressCallback | None,
    ) -> None:
        self._job, self._items, self._sizes = job, items, sizes
        self._tracker = _ProgressTracker(sum(sizes), len(items), progress)
        self._done = _share_counter(len(items))
        self._stop = _share_counter(1)
        self._at: dict[Connection, int] = {}
        self._processes: dict[Connection, BaseProcess] = {}

    def run(self, n: int) -> list[Result]:
        """Do everything with `n` processes."""
        self._waiting = sorted(range(len(self._items)), key=lambda i: self._sizes[i])
        results: dict[int, Result] = {}
        try:
            with _without_threads_of_opencv():
                for _ in range(n):
                    self._start()
            while self._at:
                for i, result in self._collect():
                    results[i] = result
                    self._tracker.finished(self._items[i])
        except BaseException:
            self._stop[0] = 1
            raise
        finally:
            self._end()
        return [results[i] for i in range(len(results))]

    def _start(self) -> None:
        """Fork one process and give it the largest item that is left."""
        import multiprocessing

        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        process = context.Process(target=self._serve, args=(theirs, ours, os.getpid()))
        with warnings.catch_warnings():
            # Other threads of this process are of no concern to the children: all
            # they do is read files and count.
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        theirs.close()
        self._processes[ours] = process
        self._give(ours)

    def _give(self, pipe: Connection) -> None:
        if self._waiting:
            self._at[pipe] = self._waiting.pop()
            with contextlib.suppress(OSError):  # it died: `_collect` will see
                pipe.send(self._at[pipe])
        else:
            self._at.pop(pipe, None)

    def _collect(self) -> Iterator[tuple[int, Result]]:
        """Items that are done by now, with their results."""
        from multiprocessing.connection import wait

        ready = wait(list(self._at), _REPORT_EVERY)
        self._tracker.tell(sum(self._done))
        for pipe in [pipe for pipe in self._at if pipe in ready]:
            i = self._at[pipe]
            try:
                result, error, trace = pipe.recv()
            except (EOFError, OSError) as ended:
                raise self._died(pipe) from ended
            if error is not None:
                raise error from _WorkerTraceback(trace)
            self._give(pipe)
            yield i, result

    def _died(self, pipe: Connection) -> InputError:
        process, name = self._processes[pipe], self._items[self._at[pipe]].name
        process.join(5)
        code = process.exitcode
        how = f"killed by signal {-code}" if code and code < 0 else f"exit code {code}"
        return InputError(
            name,
            f"a worker process that died over it ({how})",
            "a worker that ends its work",
            "The memory may have been too small: run it again, with fewer --workers "
            "(workers=). What is finished is kept in the cache.",
        )

    def _end(self) -> None:
        """Let the processes end; those that do not in time are killed."""
        for pipe in self._processes:
            pipe.close()
        end = time.monotonic() + _PATIENCE
        for process in self._processes.values():
            process.join(max(0.0, end - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()

    def _serve(self, pipe: Connection, parents: Connection, parent: int) -> None:
        """What a forked process does: items as they come, until the pipe ends."""
        # The first process decides what an interrupt from the keyboard means.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        die_with_parent(parent)
        for other in (parents, *self._processes):
            other.close()  # so that the ends are seen to close
        while True:
            try:
                i = pipe.recv()
            except (EOFError, OSError):
                return
            answer = self._answer(i)
            try:
                pipe.send(answer)
            except (OSError, EOFError):
                return

    def _answer(self, i: int) -> tuple[object, BaseException | None, str]:
        def on_step(steps: int = 1) -> None:
            if self._stop[0]:
                raise Stopped
            self._done[i] += steps

        try:
            return self._job(self._items[i], on_step), None, ""
        except Exception as error:
            trace = traceback.format_exc()
            try:
                pickle.loads(pickle.dumps(error))
            except Exception:
                return None, RuntimeError(f"{type(error).__name__}: {error}"), trace
            return None, error, trace


@contextlib.contextmanager
def _without_threads_of_opencv() -> Iterator[None]:
    """End the threads of OpenCV, if it has any, while processes are forked.

    A forked process knows of them, but does not have them: now and then it waits for
    one that will never come. It stays with one thread, as the processes share the
    processors; this one gets back what it had.
    """
    opencv = sys.modules.get("cv2")
    threads = opencv.getNumThreads() if opencv is not None else 1
    if opencv is None or threads <= 1:
        yield
        return
    opencv.setNumThreads(1)
    try:
        yield
    finally:
        opencv.setNumThreads(threads)


def _share_counter(count: int) -> memoryview:
    """Integers that forked processes share: memory without a file behind it.

    multiprocessing's own arrays are files, for which a full disk has no room.
    """
    return memoryview(mmap.mmap(-1, 8 * count)).cast("q")


class _WorkerTraceback(Exception):
    """Where in a worker process an error came from, as text."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def die_with_parent(parent: int) -> None:
    """End this process when its parent ends, however that happens (Linux only).

    A worker that outlives its parent holds its standard output open, and whoever reads
    that waits indefinitely.

    Source: prctl(2) of the Linux manual, PR_SET_PDEATHSIG.

    Args:
        parent: process id of the parent, as it knew it before the fork.
    """
    if sys.platform != "linux":
        return
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the call
        os._exit(1)

"""Work on several processes: order, errors, interrupts, and processes that die."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import cv2
import pytest

from evaluation._utils.parallel import run_in_order
from evaluation.errors import InputError
from s3fo.datasets.parallel import map_ahead

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux only")


@dataclass
class Item:
    name: str


ITEMS = [Item(str(i)) for i in range(12)]
SIZES = [3] * 12


@pytest.mark.seconds
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_come_in_order_and_steps_are_told(workers):
    told = []

    def job(item, on_step):
        for _ in range(3):
            on_step()
        return item.name, b"x" * 200_000

    found = run_in_order(
        job,
        ITEMS,
        SIZES,
        workers,
        lambda done, total, label: told.append((done, total)),
    )
    assert [name for name, _ in found] == [item.name for item in ITEMS]
    assert told[-1] == (36, 36) and told == sorted(told)


@pytest.mark.seconds
def test_an_error_comes_back_as_it_is_and_ends_the_others():
    def job(item, on_step):
        if item.name == "7":
            raise InputError("seven", "a", "b", "c")
        for _ in range(1000):
            on_step(0)
            time.sleep(0.01)

    with pytest.raises(InputError, match="seven") as told:
        run_in_order(job, ITEMS, SIZES, 12)
    assert "in job" in str(told.value.__cause__)
    assert not multiprocessing.active_children()


def test_errors_that_do_not_travel_are_told_in_words():
    class Odd(Exception):
        def __init__(self, a, b):
            super().__init__(a)

    def job(item, on_step):
        raise Odd(lambda: 1, 2)

    with pytest.raises(RuntimeError, match="Odd"):
        run_in_order(job, ITEMS, SIZES, 2)


@pytest.mark.seconds
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_dies_ends_the_run_with_its_name(sign):
    def job(item, on_step):
        on_step()
        if item.name == "4":
            os.kill(os.getpid(), sign)
        time.sleep(0.02)

    began = time.monotonic()
    with pytest.raises(InputError, match=rf"4: found a worker .*signal {int(sign)}"):
        run_in_order(job, ITEMS, SIZES, 3)
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_their_parent(tmp_path, sign):
    code = f"""
import os, time
from pathlib import Path
from evaluation._utils.parallel import run_in_order
class Item:
    def __init__(self, name): self.name = name
def job(item, on_step):
    Path({str(tmp_path)!r}, str(os.getpid())).touch()
    while True:
        on_step(); time.sleep(0.01)
run_in_order(job, [Item("a"), Item("b"), Item("c")], [1, 1, 1], 3)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
    end = time.monotonic() + 30
    while len(list(tmp_path.iterdir())) < 3 and time.monotonic() < end:
        time.sleep(0.02)
    parent.send_signal(sign)
    parent.communicate(timeout=30)  # would hang if a worker held the pipe
    pids = [int(path.name) for path in tmp_path.iterdir()]
    while any(os.path.exists(f"/proc/{pid}") for pid in pids):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert len(pids) == 3


def test_a_worker_that_dies_while_it_answers_holds_nobody_up():
    """Its pipe is its own, so that there is no lock it could take along."""

    class Deadly:
        def __reduce__(self):
            os.kill(os.getpid(), signal.SIGKILL)

    def job(item, on_step):
        on_step()
        return Deadly() if item.name == "2" else item.name

    began = time.monotonic()
    with pytest.raises(InputError, match=r"2: found a worker .*signal 9"):
        run_in_order(job, ITEMS, SIZES, 3)
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("workers", [0, -1])
def test_fewer_workers_than_one_are_refused(workers):
    job, item = (lambda item, on_step: item.name), Item("cat")
    with pytest.raises(InputError, match=rf"workers: found {workers}; .* at least 1"):
        run_in_order(job, [item], [1], workers)
    with pytest.raises(InputError, match="workers"):
        list(map_ahead(str, [1], workers))
    assert run_in_order(job, [item], [1], 1) == ["cat"]
    assert list(map_ahead(str, [1], 1)) == ["1"]


def test_workers_do_not_inherit_threads_of_opencv():
    """They would know of threads that they do not have, and wait for them."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        found = run_in_order(lambda *_: cv2.getNumThreads(), ITEMS, SIZES, 2)
        assert (set(found), cv2.getNumThreads()) == ({1}, 2)
    finally:
        cv2.setNumThreads(before)

"""A Ray cluster of a head and two nodes: a node lost, the head lost."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from evaluation.errors import InputError
from s3fo.benchmarks import write_synthetic
from s3fo.benchmarks.synthetic import Factors
from s3fo.cluster import find_jobs, run
from s3fo.cluster.task_file import Task
from s3fo.inference import predict

ray = pytest.importorskip("ray")
psutil = pytest.importorskip("psutil")

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(900)]

REPOSITORY = Path(__file__).resolve().parents[2]
RAY = Path(sys.executable).with_name("ray")
SMALL = ["--object-store-memory=80000000", "--disable-usage-stats"]
VIDEOS = [f"v{i}" for i in range(8)]
PROGRAM = """
import os, shutil, sys, time
frames, masks, out = sys.argv[1:]
time.sleep({seconds})
first = sorted(os.listdir(masks))[0]
for name in sorted(os.listdir(frames)):
    shutil.copy(os.path.join(masks, first), os.path.join(out, name[:-3] + "png"))
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    videos = {name: Factors(objects=1, length=4) for name in VIDEOS}
    write_synthetic(tmp_path / "benchmark", videos=videos, size=(40, 64))
    return tmp_path / "benchmark"


class Cluster:
    """Head and nodes as processes of their own, all on this machine."""

    def __init__(self, folder: str) -> None:
        port, client = free_ports(2)
        self.address = f"{ray.util.get_node_ip_address()}:{port}"
        self.client = f"ray://127.0.0.1:{client}"
        self.head = self._start(
            "--head", f"--port={port}", "--num-cpus=0", "--include-dashboard=False",
            f"--temp-dir={folder}", f"--ray-client-server-port={client}",
        )  # fmt: skip
        wait_for(lambda: alive_nodes(self.address) == 1)
        self.nodes = [self._start_node() for _ in range(2)]

    def _start_node(self) -> psutil.Process:
        return self._start(f"--address={self.address}", "--num-cpus=1")

    def wait_for_nodes(self) -> bool:
        """Whether both nodes join; on a very busy machine Ray gives up on them."""

        def joined() -> bool:
            # A node gives up that was not taken in after 30 seconds.
            self.nodes = [
                node if node.poll() is None else self._start_node()
                for node in self.nodes
            ]
            return alive_nodes(self.address) == 3

        try:
            wait_for(joined)
        except AssertionError:
            return False
        return True

    @staticmethod
    def _start(*words: str) -> psutil.Process:
        words = (str(RAY), "start", "--block", *SMALL, *words)
        quiet = subprocess.DEVNULL
        return psutil.Popen(words, stdout=quiet, stderr=quiet)

    def node_of(self, pid: int) -> psutil.Process:
        above = {process.pid for process in psutil.Process(pid).parents()}
        return next(node for node in self.nodes if node.pid in above)


def free_ports(count: int) -> list[int]:
    """Ports below those that Ray gives its workers, 10002 and on."""
    found = []
    for port in range(9100 + os.getpid() % 400, 9999):
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("", port))
            found.append(port)
        if len(found) == count:
            break
    return found


def kill(process: psutil.Process) -> None:
    """Kill a process and all below, none of which can say anything any more."""
    try:
        every = [*process.children(recursive=True), process]
    except psutil.NoSuchProcess:
        return
    for one in every:
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue


def alive_nodes(address: str) -> int:
    """How many nodes a head has taken in; nodes that ask too early give up.

    Asked as Ray's own command line asks: a driver would need seconds of CPU.
    """
    from ray._raylet import GcsClient

    try:
        nodes = GcsClient(address=address).get_all_node_info(timeout=5)
    except Exception:  # of many kinds, by how far the head is
        return 0
    return sum(node.state == 0 for node in nodes.values())


def wait_for(what: Callable[[], object], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.2)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setenv("RAY_gcs_rpc_server_reconnect_timeout_s", "10")
    monkeypatch.setenv("RAY_CLIENT_RECONNECT_GRACE_PERIOD", "5")
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # names of sockets are short
    made = Cluster(folder)
    monkeypatch.setenv("RAY_ADDRESS", made.address)
    joined = made.wait_for_nodes()
    if joined:
        yield made
    for process in (*made.nodes, made.head):
        kill(process)
    shutil.rmtree(folder, ignore_errors=True)
    if not joined:
        pytest.skip("this machine is too busy for a head and two nodes of Ray")


def command(folder: Path, seconds: float) -> str:
    program = folder / "program.py"
    program.write_text(PROGRAM.format(seconds=seconds))
    return f"{sys.executable} {program} {{frames}} {{masks}} {{out}}"


def masks_of(folder: Path) -> dict[str, bytes]:
    files = sorted(folder.glob("v*/*.png"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def when_one_is_done(out: Path, then: Callable[[Task], None]) -> threading.Thread:
    """Do something with the first running task that has finished a video."""

    def midway() -> list[Task]:
        tasks = [task for job in find_jobs(out) for task in job.tasks().values()]
        there = {path.name for path in out.glob("v*")}
        return [t for t in tasks if t.state == "running" and there & {*t.sequences}]

    def watch() -> None:
        wait_for(lambda: out.is_dir() and midway())
        then(midway()[0])

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def test_a_lost_node_costs_no_more_than_the_video_at_hand(cluster, root, tmp_path):
    out, given = tmp_path / "masks", {"method": "command"}
    given["command"] = command(tmp_path, 3.0)

    killed: list[str] = []

    def lose_its_node(task: Task) -> None:
        killed.append(task.shard)
        kill(cluster.node_of(task.pid))

    watcher = when_one_is_done(out, lose_its_node)
    job = run("predict", "davis-2017", out, root=root, on="ray", tasks=2, **given)
    watcher.join(5)
    assert job.failures == {} and job.done
    tasks = {task.shard: task for task in job.tasks().values()}
    lost = tasks.pop(killed[0])
    [other] = tasks.values()
    assert (lost.attempts, other.attempts) == (2, 1)
    # Four videos each; those that were there when the node was lost are kept.
    assert lost.result["kept"] >= 1 and other.result["kept"] == 0
    assert lost.result["finished"] + lost.result["kept"] == 4
    predict("davis-2017", tmp_path / "alone", root=root, **given)
    assert masks_of(out) == masks_of(tmp_path / "alone")


def test_a_lost_head_is_told_and_the_job_continued(cluster, root, tmp_path):
    out, given = tmp_path / "masks", {"method": "command", "root": root}
    # Workers go on without a head: what is left must take longer than the patience.
    given["command"] = command(tmp_path, 12.0)
    watcher = when_one_is_done(out, lambda task: kill(cluster.head))
    with pytest.raises(InputError, match="repeat the same command"):
        run("predict", "davis-2017", out, on=cluster.client, tasks=2, **given)
    watcher.join(5)
    for node in cluster.nodes:
        kill(node)
    before = {path.name: path.stat().st_ino for path in out.glob("v*")}
    assert before
    job = run("predict", "davis-2017", out, on="local", parallel=2, **given)
    assert job.failures == {} and len(find_jobs(out)) == 1
    kept = sum(task.result["kept"] for task in job.tasks().values())
    assert kept == len(before)
    after = {path.name: path.stat().st_ino for path in out.glob("v*")}
    assert before.items() <= after.items() and sorted(after) == VIDEOS


def test_a_cluster_that_is_not_there_is_told(tmp_path, root, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(InputError, match="no connection"):
        run("predict", "davis-2017", tmp_path / "masks", root=root, on="ray://127.0.0.1:1",
            method="copy")  # fmt: skip

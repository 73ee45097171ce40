"""State and weights on a disk that is full, or fills up."""

from __future__ import annotations

import resource
import signal
import sys
from collections import namedtuple

import pytest
import torch
from torch import nn

from evaluation.errors import InputError
from s3fo.training import run_files
from s3fo.training.run_files import load_state, require_room, save_state

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")


@pytest.fixture
def small_files():
    """No file may grow beyond 20 kB, as on a disk that fills up."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_disk_that_fills_up_leaves_the_old_state(tmp_path, small_files):
    save_state(tmp_path, {"step": 1, "weights": torch.zeros(100)})
    with pytest.raises(InputError, match=r"last\.pt: found a place that cannot be"):
        save_state(tmp_path, {"step": 2, "weights": torch.zeros(10**5)})
    assert load_state(tmp_path)["step"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]


def test_too_little_room_is_told_before_the_first_step(tmp_path, monkeypatch):
    network = nn.Linear(1000, 500, bias=False)  # 2 MB
    usage = namedtuple("usage", "total used free")
    for free, fits in ((3_900_000, False), (4_100_000, True)):
        monkeypatch.setattr(
            run_files.shutil, "disk_usage", lambda path, free=free: usage(0, 0, free)
        )
        if fits:
            require_room(tmp_path / "run", network)
        else:
            with pytest.raises(InputError, match="at least 4 MB"):
                require_room(tmp_path / "run", network)

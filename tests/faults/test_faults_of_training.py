"""`train` that is interrupted: it goes on where it stopped, to the same weights."""

from __future__ import annotations

import random
import signal
import sys
import time

import pytest
from harness import LONG, SIGNALS, finish, left_behind, run, start, survived
from safetensors.torch import load_file

pytestmark = [
    pytest.mark.timeout(7200 if LONG else 600),
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="signals of Linux"),
    pytest.mark.skipif(not LONG, reason="minutes; run by `make faults`"),
]


def words(place, out):
    return (
        "train", "--videos", place / "videos", "--stills", place / "stills",
        "--out", out, "--iterations", 3, "--workers", 0, "--device", "cpu",
    )  # fmt: skip


def weights_in(out):
    """Weights by name; what is told beside them holds how long it took."""
    tensors = load_file(out / "last.safetensors")
    return {name: value.numpy().tobytes() for name, value in tensors.items()}


@pytest.fixture(scope="module")
def unbroken(place, tmp_path_factory):
    """Weights of a run that nobody disturbs, and how long it takes."""
    out, began = tmp_path_factory.mktemp("train") / "run", time.monotonic()
    done = run(words(place, out), place / "cache-train")
    assert done.code == 0, done.err
    return weights_in(out), time.monotonic() - began


@pytest.mark.parametrize("attempt", range(4))
def test_killed_and_run_again(place, unbroken, tmp_path, attempt):
    weights, seconds = unbroken
    chance = random.Random(f"train {attempt}")
    out = tmp_path / "run"
    with survived("killed train"):
        process = start(words(place, out), place / "cache-train")
        time.sleep(chance.uniform(0.3, 1.0) * seconds)
        sign = SIGNALS[attempt % len(SIGNALS)]
        process.send_signal(sign)
        done = finish(process)
        if done.code not in (0, -signal.SIGKILL):
            assert done.code == {signal.SIGINT: 130, signal.SIGTERM: 143}[sign]
            assert "interrupted" in done.err and "Use it" not in done.out
        assert run(words(place, out), place / "cache-train").code == 0
        assert weights_in(out) == weights
        assert not left_behind(out)

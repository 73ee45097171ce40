"""Fault injection: kills, full disks, impossible places, several at once.

Short by default; `make faults` tries many times more. The counts are printed at the
end of the run.
"""

from __future__ import annotations

import os
import random
import sys
import time

import pytest
from harness import (
    LONG,
    finish,
    kill_at_random,
    left_behind,
    run,
    start,
    survived,
    tree,
)

pytestmark = [
    pytest.mark.timeout(7200 if LONG else 600),
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="limits and signals of Linux"),
]
VERBS = ("evaluate", "failures", "report", "predict")
ALL_VERBS = (*VERBS, "attributes", "audit", "convert", "submit", "unpack")
AT_ONCE = tuple(verb for verb in ALL_VERBS if verb != "convert")
KILLS = 25 if LONG else 1


@pytest.fixture(scope="session")
def expected(place, verbs):
    """Of each verb what an undisturbed run leaves, and how long it takes."""
    found = {}
    for verb in ALL_VERBS:
        out, began = place / f"expected-{verb}", time.monotonic()
        done = run(verbs[verb](out), place / f"cache-{verb}")
        assert done.code == 0, done.err
        found[verb] = tree(out), time.monotonic() - began
    return found


@pytest.mark.parametrize("verb", ALL_VERBS)
def test_killed_and_run_again(place, verbs, expected, tmp_path, verb):
    wanted, seconds = expected[verb]
    chance = random.Random(f"{verb} 1")
    for attempt in range(KILLS):
        out, cache = tmp_path / f"out{attempt}", tmp_path / f"cache{attempt}"
        words = verbs[verb](out)
        with survived(f"killed {verb}"):
            done = kill_at_random(words, cache, 1.1 * seconds, chance)
            if done.code in (130, 143):
                done.check_plain()
            done_before = out.exists() and tree(out) == wanted
            again = run(words, cache)
            # What `convert` has made is not made over, also not by itself.
            refused = verb == "convert" and "there already" in again.err
            assert again.code == 0 or (refused and done_before), again.err
            assert tree(out) == wanted
            assert not left_behind(tmp_path)


@pytest.mark.parametrize("verb", ALL_VERBS if LONG else ("report", "predict"))
@pytest.mark.parametrize("room", [0, 700, 5000] if LONG else [700])
def test_a_full_disk(place, verbs, expected, tmp_path, verb, room):
    """What was there before is whole afterwards, and the next run is right."""
    wanted, _ = expected[verb]
    out, cache = tmp_path / "out", tmp_path / "cache"
    with survived(f"full disk {verb}"):
        full = run(verbs[verb](out), cache, room)
        assert (
            full.code != 0 and "error:" in full.err + full.out
        ) or "failed" in full.err
        assert not left_behind(out)
        again = run(verbs[verb](out), cache)
        assert again.code == 0 and tree(out) == wanted


def test_a_cache_without_room_only_makes_it_slower(place, verbs, tmp_path):
    words = [w for w in verbs["evaluate"](tmp_path / "x") if w != "--out"][:-1]
    with survived("full cache"):
        plain = run([*words, "--json"], tmp_path / "cache")
        full = run([*words, "--json"], tmp_path / "other", room=0)
        assert full.code == 0 and full.out == plain.out
        assert full.err.count("cannot be written to") == 1


@pytest.mark.parametrize("verb", ALL_VERBS if LONG else ("evaluate", "predict"))
def test_places_that_cannot_be_written(place, verbs, tmp_path, verb):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere" / "x")
    (tmp_path / "circle").symlink_to("circle")
    os.mkfifo(tmp_path / "fifo")
    places = ["file", "file/inside", "circle", "fifo", "/proc/none/x"]
    for name in places if LONG else places[:1] + places[-1:]:
        with survived(f"impossible place {verb}"):
            done = run(verbs[verb](tmp_path / name), tmp_path / "cache")
            assert done.code in (1, 2) and name.split("/")[0] in done.err
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("verb", AT_ONCE if LONG else ("evaluate", "predict"))
def test_two_at_once(place, verbs, expected, tmp_path, verb):
    wanted, _ = expected[verb]
    for attempt in range(10 if LONG else 1):
        out, cache = tmp_path / f"out{attempt}", tmp_path / f"cache{attempt}"
        with survived(f"two at once {verb}"):
            both = [start(verbs[verb](out), cache) for _ in range(2)]
            for done in map(finish, both):
                assert done.check_plain().code == 0, done.err
            assert tree(out) == wanted and not left_behind(out)


@pytest.mark.parametrize("verb", VERBS[:3] if LONG else ["report"])
def test_any_number_of_workers_gives_the_same_bytes(
    place, verbs, expected, tmp_path, verb
):
    for workers in (1, 2, 3) if LONG else (3,):
        with survived(f"workers {verb}"):
            words = (*verbs[verb](tmp_path / f"{workers}"), "--workers", workers)
            assert run(words, tmp_path / f"cache{workers}").code == 0
            assert tree(tmp_path / f"{workers}") == expected[verb][0]


def test_masks_that_change_while_they_are_scored(place, verbs, tmp_path):
    """Results that are replaced meanwhile are scored, or named: never a traceback."""
    import shutil

    results = tmp_path / "results"
    shutil.copytree(place / "results", results)
    words = list(verbs["evaluate"](tmp_path / "out"))
    words[1] = results
    with survived("masks vanish"):
        process = start(words, tmp_path / "cache")
        time.sleep(0.5)
        for path in results.rglob("*.png"):
            path.unlink()
        assert finish(process).check_plain().code in (0, 1, 2)

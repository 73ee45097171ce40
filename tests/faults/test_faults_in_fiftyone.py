"""`load` and `import-predictions` that are killed, and two of them at once."""

from __future__ import annotations

import random
import sys
import time

import pytest
from harness import LONG, finish, kill_at_random, run, start, survived

pytest.importorskip("fiftyone")

pytestmark = [
    pytest.mark.timeout(7200 if LONG else 600),
    pytest.mark.slow,
    pytest.mark.fiftyone,
    pytest.mark.skipif(sys.platform != "linux", reason="signals of Linux"),
]
KILLS = 10 if LONG else 1


def load(place, name):
    return (
        "load", "synthetic", "--root", place / "gt", "--dataset", name,
        "--video", "none",
    )  # fmt: skip


def import_masks(place, name, method="m"):
    return (
        "import-predictions", place / "results", "--dataset", name, "--name", method,
    )  # fmt: skip


def content(name: str) -> dict[str, object]:
    """What a dataset holds: frames, and the masks of each field by frame."""
    import fiftyone as fo

    dataset = fo.load_dataset(name)
    dataset.reload()
    found: dict[str, object] = {"runs": sorted(dataset.list_evaluations())}
    for sample in dataset:
        path = str(sample.filepath).rsplit("/", 1)[-1]
        for number, frame in sample.frames.items():
            for field in ("ground_truth", "m"):
                labels = frame[field] if frame.has_field(field) else None
                found[f"{path} {number} {field}"] = labels and sorted(
                    (item.index, tuple(item.bounding_box), item.mask.sum())
                    for item in labels.detections
                )
    return found


@pytest.fixture
def dataset_name(request):
    import fiftyone as fo

    name = f"faults-{request.node.name}"
    yield name
    for made in fo.list_datasets(f"{name}*"):
        fo.delete_dataset(made)


@pytest.fixture(scope="module")
def unbroken(place):
    """Content after `load` and after `import-predictions`, and how long both take."""
    import fiftyone as fo

    name, cache = "faults-unbroken", place / "cache-fiftyone"
    found = []
    for words in (load(place, name), import_masks(place, name)):
        began = time.monotonic()
        done = run(words, cache)
        assert done.code == 0, done.err
        found.append((content(name), time.monotonic() - began))
    fo.delete_dataset(name)
    return found


@pytest.mark.parametrize("verb", ["load", "import"])
def test_killed_and_run_again(place, unbroken, dataset_name, verb):
    chance = random.Random(f"{verb} 1")
    wanted, seconds = unbroken[verb == "import"]
    cache = place / "cache-fiftyone"
    for attempt in range(KILLS):
        name = f"{dataset_name}-{attempt}"
        if verb == "import":
            assert run(load(place, name), cache).code == 0
        words = (load if verb == "load" else import_masks)(place, name)
        with survived(f"killed {verb}"):
            # FiftyOne alone takes seconds to start.
            done = kill_at_random(words, cache, 1.1 * seconds, chance)
            if done.code in (130, 143):
                done.check_plain()
            again = run(words, cache)
            assert again.code == 0, again.err
            assert content(name) == wanted


@pytest.mark.parametrize("verb", ["load", "import"])
def test_two_at_once(place, unbroken, dataset_name, verb):
    """One does it; the other one does it again, or says who is at it."""
    wanted, _ = unbroken[verb == "import"]
    cache = place / "cache-fiftyone"
    for attempt in range(5 if LONG else 1):
        name = f"{dataset_name}-{attempt}"
        if verb == "import":
            assert run(load(place, name), cache).code == 0
        words = (load if verb == "load" else import_masks)(place, name)
        with survived(f"two at once {verb}"):
            processes = [start(words, cache) for _ in range(2)]
            both = [finish(process).check_plain() for process in processes]
            assert 0 in {done.code for done in both}
            assert all(done.code in (0, 2) for done in both), both
            assert run(words, cache).code == 0
            assert content(name) == wanted


def test_imports_of_several_methods_at_once(place, unbroken, dataset_name):
    """They share one document of the database: none undoes what another did."""
    import fiftyone as fo

    from s3fo.datasets import load_predictions_info

    cache, methods = place / "cache-fiftyone", ["m", "n", "o"]
    wanted, _ = unbroken[1]
    for attempt in range(5 if LONG else 1):
        name = f"{dataset_name}-{attempt}"
        assert run(load(place, name), cache).code == 0
        with survived("imports at once"):
            every = [start(import_masks(place, name, own), cache) for own in methods]
            for process in every:
                done = finish(process).check_plain()
                assert done.code == 0, done.err
            assert content(name) == wanted
            dataset = fo.load_dataset(name)
            assert set(load_predictions_info(dataset)) == set(methods)
            counts = {own: dataset.count(f"frames.{own}.detections") for own in methods}
            assert len(set(counts.values())) == 1 and counts["m"]

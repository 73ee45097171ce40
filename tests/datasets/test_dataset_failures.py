from __future__ import annotations

from collections.abc import Iterator

import fiftyone as fo
import numpy as np
import pytest
from fiftyone import ViewField
from PIL import Image
from small_benchmark import own_name, write_results

import evaluation
import s3fo
from evaluation.errors import InputError
from evaluation.plots import PIXEL_COLOURS, Pixel
from s3fo.datasets import failure_clips, find_failures
from s3fo.datasets.reading import tables
from s3fo.datasets.scoring.review import reviews_by_method, tag_event


@pytest.fixture(scope="module")
def results(benchmark, tmp_path_factory):
    return write_results(benchmark, tmp_path_factory.mktemp("shifted"))


@pytest.fixture(scope="module")
def failing(benchmark, results) -> Iterator[fo.Dataset]:
    """An evaluated dataset with failures; loading one takes seconds."""
    dataset = s3fo.load_benchmark(benchmark, dataset_name=own_name("failures"))
    s3fo.add_predictions(dataset, results, "shifted")
    s3fo.evaluate(dataset, "shifted", "k")
    find_failures(dataset, "k")
    yield dataset
    dataset.delete()


def test_events_are_those_that_evaluation_finds(failing, results, benchmark):
    expected = evaluation.find_failures(results, benchmark).events
    assert len(expected)
    sample = failing.one(ViewField("sequence") == "pair")
    (lost,) = [d for d in sample.k_failures.detections if d.label == "missed"]
    row = expected[expected["kind"] == "missed"].iloc[0]
    # Object 2 is lost in frame 00004, the fifth.
    assert (lost.index, lost.support, lost.worst_frame) == (2, [5, 5], 5)
    assert lost.cost == row["cost"] and lost.rank == row["event"] + 1
    assert lost.recovers and lost.other is None
    costs = failing.values("k_failures.detections.cost", unwind=True)
    assert sum(costs) == pytest.approx(expected["cost"].sum())


def test_clips_open_at_failures_most_costly_first(failing):
    clips = failure_clips(failing, "k")
    ranks = clips.values("k_failures.rank")
    assert ranks == list(range(1, len(ranks) + 1))
    (clip,) = failure_clips(failing, "k", kind="missed")
    assert clip.support == [5, 5]
    assert clip.k_failures.label.startswith("missed, ")  # and what it costs
    assert len(failure_clips(failing, "k", k=1)) == 1
    with pytest.raises(InputError, match="one of false on absent"):
        failure_clips(failing, "k", kind="nonsense")


def test_error_maps_are_named_and_coloured(failing):
    targets = failing.mask_targets["frames.k_errors"]
    assert targets == {1: "hit", 2: "missed", 3: "false", 4: "wrong identity"}
    (scheme,) = [
        field
        for field in failing.app_config.color_scheme.fields
        if field["path"] == "frames.k_errors"
    ]
    colours = {
        entry["intTarget"]: entry["color"] for entry in scheme["maskTargetsColors"]
    }
    assert colours == {int(pixel): code for pixel, code in PIXEL_COLOURS.items()}
    sample = failing.one(ViewField("sequence") == "pair")
    with Image.open(sample.frames[5].k_errors.mask_path) as image:
        assert image.mode == "L"
        pixels = np.array(image)
    assert pixels.shape == (61, 93)
    assert {Pixel.HIT, Pixel.MISSED, Pixel.FALSE} <= set(np.unique(pixels).tolist())


def test_views_are_saved_for_the_app(failing):
    names = {"k worst objects", "k identity swaps", "k after return"}
    assert names <= set(failing.list_saved_views())
    assert len(failing.load_saved_view("k worst objects")) == 2
    assert len(failing.load_saved_view("k identity swaps")) == 0


def test_finding_again_replaces(failing):
    before = failing.count("k_failures.detections")
    find_failures(failing, "k", error_maps=False)
    assert failing.count("k_failures.detections") == before


def test_videos_that_are_no_longer_scored_lose_their_events(failing, results):
    scores = evaluation.score(
        results, s3fo.datasets.load_benchmark_info(failing), sequences=["alone"]
    )
    found = evaluation.find_failures(
        results, s3fo.datasets.load_benchmark_info(failing), scores, attributes=False
    )
    s3fo.datasets.write_failures(failing, "k", found)
    sample = failing.one(ViewField("sequence") == "pair")
    assert sample.k_failures is None
    find_failures(failing, "k", error_maps=False)


def test_what_is_missing_is_said(failing):
    with pytest.raises(InputError, match="'other'; expected one of k"):
        find_failures(failing, "other")
    with pytest.raises(InputError, match="no failures of 'other'"):
        failure_clips(failing, "other")


def test_reviews_stay_on_events_found_again(failing, benchmark):
    events = tables.event_table(failing, "k")
    event = events[events["n_frames"] > 1].iloc[0]
    tag_event(failing, "k", event, "label error")
    find_failures(failing, "k", error_maps=False)
    again = tables.event_table(failing, "k")
    assert event["id"] not in set(again["id"])
    (reviewed,) = again[again["tags"].map(len) > 0].to_dict("records")
    for name in ("sequence", "object", "kind", "start", "end"):
        assert reviewed[name] == event[name]
    assert reviewed["tags"] == ["label error"]
    shown = failing.load_saved_view("k label error")
    assert shown.values("k_failures.detections.id", unwind=True) == [reviewed["id"]]
    (told,) = reviews_by_method(failing)["shifted"].to_dict("records")
    frames = benchmark[event["sequence"]].frames
    assert told["review"] == "label error"
    assert told["start"] == frames[event["start"] - 1]
    assert told["end"] == frames[event["end"] - 1]

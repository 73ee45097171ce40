"""HOTA, CLEAR and identity: TrackEval's numbers, and some worked out by hand."""

import json
from functools import lru_cache

import numpy as np
import pytest
from official_numbers import FIXTURES

from evaluation.counting.overlaps import Overlaps, overlaps_from_masks
from evaluation.metrics.tracking import clear, hota, identity, object_tracking
from evaluation.metrics.tracking.concepts import combine_concepts, concept
from evaluation.results.scores import Scores, merge
from evaluation.scoring import score


@lru_cache
def fuzz() -> dict:
    return json.loads((FIXTURES / "tracking_fuzz.json").read_text())


def decode(frames: list[list[int]], size: list[int]) -> dict[str, np.ndarray]:
    maps = [np.repeat(runs[0::2], runs[1::2]).reshape(size) for runs in frames]
    return {f"{t:05d}": label_map.astype(np.uint8) for t, label_map in enumerate(maps)}


def videos(side: str) -> dict[str, dict[str, np.ndarray]]:
    return {c["name"]: decode(c[side], c["size"]) for c in fuzz()["cases"]}


def differences(official: dict, ours: dict) -> list[str]:
    return [
        f"{metric} {key}: {value} there, {ours[metric][key]} here"
        for metric in ("HOTA", "CLEAR", "Identity")
        for key, value in official[metric].items()
        if not np.array_equal(np.asarray(value, float), np.asarray(ours[metric][key]))
    ]


@pytest.mark.parametrize("index", range(20))
def test_equal_to_trackeval_for_each_video(index):
    case = fuzz()["cases"][index]
    names = {case["name"], "c18"}  # c18 has an object: some video must have one
    truth = {k: v for k, v in videos("gt").items() if k in names}
    tracks = {k: v for k, v in videos("pred").items() if k in names}
    scores = score(tracks, truth, "trackeval-davis")
    columns = scores.track_columns
    assert columns is not None
    kept = [i for i, name in enumerate(columns["sequence"]) if name == case["name"]]
    alone = {name: [values[i] for i in kept] for name, values in columns.items()}
    one = Scores(scores.protocol, {}, {}, "", track_columns=alone)
    assert differences(case["trackeval"], one.tracking) == []


def test_equal_to_trackeval_over_all_videos():
    scores = score(videos("pred"), videos("gt"), "trackeval-davis")
    assert differences(fuzz()["combined"], scores.tracking) == []
    for key, value in fuzz()["combined"]["JAndF"].items():
        ours = {"J-Mean": "J", "F-Mean": "F", "J&F": "J&F"}.get(key)
        if ours:
            assert scores.summary[ours] == value


@pytest.mark.parametrize("dataset", ["multi", "proposals"])
def test_equal_to_trackeval_on_files(dataset):
    document = json.loads((FIXTURES / f"{dataset}.json").read_text())
    official = document["protocols"]["trackeval_tracking"]["combined"]
    inputs = FIXTURES / "inputs" / dataset
    scores = score(inputs / "pred", inputs / "gt", "trackeval-hota")
    assert differences(official, scores.tracking) == []
    assert scores.summary["HOTA"] == np.mean(official["HOTA"]["HOTA"])
    assert scores.summary["IDSW"] == official["CLEAR"]["IDSW"]


def test_saved_scores_and_shards_keep_the_tracking_numbers(tmp_path):
    truth, tracks = videos("gt"), videos("pred")
    whole = score(tracks, truth, "trackeval-hota")
    for format_ in ("parquet", "csv"):
        loaded = Scores.load(whole.save(tmp_path / format_, format=format_))
        assert loaded.summary == whole.summary
    names = sorted(truth)
    shards = [
        score({k: tracks[k] for k in part}, {k: truth[k] for k in part}, whole.protocol)
        for part in (names[:9], names[9:])
    ]
    assert merge(shards).summary == whole.summary


def test_counts_in_the_cache_keep_the_overlaps(tmp_path):
    first = score(videos("pred"), videos("gt"), "trackeval-davis", cache=tmp_path)
    again = score(videos("pred"), videos("gt"), "trackeval-davis", cache=tmp_path)
    assert again.summary == first.summary


def squares(*columns: int | None) -> list[dict[int, np.ndarray]]:
    """One 10x10 square per frame, starting at a column; None for none."""
    frames = []
    for column in columns:
        mask = np.zeros((10, 60), bool)
        if column is not None:
            mask[:, column : column + 10] = True
        frames.append({} if column is None else {1: mask})
    return frames


def renamed(frames: list[dict[int, np.ndarray]], ids: list[int]) -> list[dict]:
    return [{k: frame[1]} for frame, k in zip(frames, ids, strict=True)]


def test_a_track_that_breaks_in_two_halves_association_not_detection():
    truth = squares(0, 0, 0, 0)
    numbers = hota(overlaps_from_masks(truth, renamed(truth, [1, 1, 2, 2])))
    # Each half shares 2 of 4 frames with the object: A = 2 / (4 + 2 - 2) = 0.5.
    assert np.allclose(numbers["AssA"], 0.5)
    assert np.allclose(numbers["DetA"], 1.0)
    assert np.allclose(numbers["HOTA"], np.sqrt(0.5))
    clean = clear(overlaps_from_masks(truth, renamed(truth, [1, 1, 2, 2])))
    assert (clean["IDSW"], clean["Frag"], clean["MOTA"]) == (1, 0, 0.75)


def test_a_gap_is_a_fragmentation_and_no_switch():
    truth, track = squares(0, 0, 0, 0, 0), squares(0, 0, None, 0, 0)
    other = np.zeros((10, 60), bool)
    other[:, 50:] = True
    with_other = [{**frame, 9: other} for frame in track]
    numbers = clear(overlaps_from_masks(truth, with_other))
    assert (numbers["IDSW"], numbers["Frag"]) == (0, 1)
    assert (numbers["CLR_TP"], numbers["CLR_FN"], numbers["CLR_FP"]) == (4, 1, 5)


def test_identity_gives_each_object_one_track():
    truth = squares(0, 0, 0, 0, 0)
    numbers = identity(overlaps_from_masks(truth, renamed(truth, [1, 1, 1, 2, 2])))
    assert (numbers["IDTP"], numbers["IDFN"], numbers["IDFP"]) == (3, 2, 2)
    assert numbers["IDF1"] == 0.6


def test_thresholds_of_hota_are_those_of_the_overlap():
    # Shifted by 5 of 10 columns: IoU 50 / 150 = 1/3, which reaches 0.05 to 0.30.
    numbers = hota(overlaps_from_masks(squares(0, 0), squares(5, 5)))
    assert np.asarray(numbers["HOTA_TP"]).tolist() == [2.0] * 6 + [0.0] * 13


def test_objects_share_out_the_counts_of_the_video():
    generator = np.random.default_rng(3)
    n, m, frames = 4, 5, 30
    shared = generator.integers(0, 40, (n, m, frames)) * (
        generator.random((n, m, frames)) < 0.4
    )
    gt = shared.max(axis=1) + generator.integers(1, 30, (n, frames))
    tracks = shared.max(axis=0) + generator.integers(1, 30, (m, frames))
    overlaps = Overlaps(np.arange(1, n + 1), np.arange(1, m + 1), gt, tracks, shared)
    objects, video = object_tracking(overlaps), hota(overlaps)
    recall = np.mean(video["DetRe"])
    assert objects["DetRe"].mean() == pytest.approx(recall)  # all are always visible
    assert objects["IDSW"].sum() == clear(overlaps)["IDSW"]
    assert objects["Frag"].sum() == clear(overlaps)["Frag"]


def test_burst_averages_over_classes_and_over_groups_of_them():
    from types import SimpleNamespace

    from evaluation.masks.sequence import ArraySequence

    truth = np.zeros((4, 20, 60), np.uint8)
    truth[:, :, :10], truth[:, :, 20:30], truth[:, :, 40:50] = 1, 2, 3
    tracks = truth.copy()
    tracks[2:][truth[2:] == 3] = 0
    kinds = {1: ("cat", "common"), 2: ("cat", "common"), 3: ("emu", "uncommon")}
    video = SimpleNamespace(
        name="v",
        object_masks=ArraySequence("v", {f"{t}": truth[t] for t in range(4)}),
        known_objects=[
            SimpleNamespace(object_id=k, tracking_class=kind)
            for k, kind in kinds.items()
        ],
    )
    benchmark = SimpleNamespace(name="three", sequences=[video])
    results = {"v": {f"{t}": tracks[t] for t in range(4)}}
    for protocol in ("burst", "burst-masks"):
        check_groups(score(results, benchmark, protocol).summary)


def check_groups(summary: dict) -> None:
    # emu: half of its detections, all of them one track: DetA 1/2, AssA 2 / 4.
    assert summary["HOTA_common"] == pytest.approx(1.0)
    assert summary["HOTA_uncommon"] == pytest.approx(0.5)
    assert summary["HOTA"] == pytest.approx(0.75)


def tubes(*areas: tuple[int, int, int]) -> Overlaps:
    """One object and one track per entry: pixels of each, and of both."""
    n = len(areas)
    gt, track, shared = np.array(areas).reshape(n, 3).T if n else np.zeros((3, 0), int)
    ids = np.arange(1, n + 1)
    return Overlaps(ids, ids, gt[:, None], track[:, None], np.diag(shared)[..., None])


def test_cgf1_follows_the_published_formulas():
    nothing = Overlaps(
        np.zeros(0, int), np.zeros(0, int), *(np.zeros((0, 1), int),) * 2,
        np.zeros((0, 0, 1), int),
    )  # fmt: skip
    wrong = nothing.__class__(
        nothing.gt_ids, np.array([1]), nothing.gt_area, np.array([[9]]),
        np.zeros((0, 1, 1), int),
    )  # fmt: skip
    # IoU 1, and 60 / 100: right up to the threshold 0.60.
    pairs = [concept(x) for x in (tubes((50, 50, 50), (80, 80, 60)), nothing, wrong)]
    numbers = combine_concepts(pairs)
    assert pairs[0]["TP"].tolist() == [2, 2, 2] + [1] * 7
    precision = recall = 2 / (2 + 1e-4)
    f1 = 2 * precision * recall / (precision + recall + 1e-4)
    assert numbers["positive_micro_F1"][0] == f1
    # 1 right, 1 false alarm, 1 rightly silent: MCC = 1 / sqrt(2 * 1 * 2 * 1).
    mcc = 1 / (4**0.5 + 1e-6)
    assert numbers["IL_MCC"] == mcc
    assert numbers["cgF1"][0] == f1 * mcc
    assert numbers["precision"][0] == 2 / (3 + 1e-4)


def test_burst_compares_the_boxes_around_masks():
    # An L has the box of a full square: boxes agree, masks by half.
    square, corner = np.zeros((2, 1, 20, 20), np.uint8)
    square[0, 2:12, 2:12] = 1
    corner[0, 2:12, 2:12] = np.tri(10, dtype=np.uint8)
    by_box = score({"v": corner}, {"v": square}, "burst").summary
    by_mask = score({"v": corner}, {"v": square}, "burst-masks").summary
    assert by_box["LocA"] == 1.0
    assert by_mask["HOTA(0)"] == 1.0
    assert by_mask["LocA(0)"] == pytest.approx(55 / 100)


def test_burst_leaves_out_frames_without_objects_and_tracks_without_an_object():
    truth = np.zeros((3, 20, 40), np.uint8)
    truth[:2, 2:12, 2:12] = 1
    tracks = truth.copy()
    tracks[2, 2:12, 2:12] = 1  # no object is annotated in this frame
    tracks[:, 2:12, 20:30] = 2  # no object has this id
    scores = score({"v": tracks}, {"v": truth}, "burst")
    assert scores.summary["HOTA"] == 1.0
    assert scores.summary["CLR_FP"] == 0


def test_burst_files_tell_classes_and_merge_some():
    from evaluation.formats.burst_classes import track_classes

    names = {347: "cup", 554: "hat", 805: "person", 7: "zebra"}
    entry = {"track_category_ids": {"1": 347, "2": 207, "3": 7, "4": 504, "5": 967}}
    assert track_classes(entry, names) == {
        1: ("cup", "common"),
        2: ("hat", "uncommon"),  # caps count as hats
        3: ("zebra", "uncommon"),
        5: ("", ""),  # annotated, but of no scored class
    }
    assert track_classes({}, names) is None


@pytest.mark.seconds
def test_a_report_leads_with_the_headline_of_its_protocol(tmp_path):
    import shutil

    from evaluation import report

    inputs = FIXTURES / "inputs" / "proposals"
    shutil.copytree(inputs / "pred", tmp_path / "run")
    out = tmp_path / "out"
    report(tmp_path / "run", inputs / "gt", out, protocol="trackeval-hota", top=0)
    text = (tmp_path / "out" / "report.md").read_text()
    hota_percent = (
        100 * score(inputs / "pred", inputs / "gt", "trackeval-hota").summary["HOTA"]
    )
    assert f"**{hota_percent:.1f} HOTA** of run" in text
    assert "| HOTA" in text or " HOTA " in text

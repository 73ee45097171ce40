"""Two runs compared: what differs, and whether it can be chance."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation import (
    Failures,
    InputError,
    breakdown,
    compare,
    find_failures,
    get_protocol,
    object_attributes,
    score,
)
from evaluation._utils.shards import Shard
from evaluation.results.scores import Scores
from evaluation.results.shards import as_shard


def scores_of(values: dict, protocol="davis-2017") -> Scores:
    """Scores with the given J of each (sequence, object)."""
    keys, numbers = list(values), list(values.values())
    table = {
        "sequence": [sequence for sequence, _ in keys],
        "object": [object_id for _, object_id in keys],
        "J_mean": numbers,
        "F_mean": numbers,
        "J&F": numbers,
    }
    return Scores(get_protocol(protocol), {}, table, "x")


def runs(n_videos, shift, noise, seed=0):
    generator = np.random.default_rng(seed)
    keys = [(f"v{v:03d}", k) for v in range(n_videos) for k in (1, 2)]
    a = dict(zip(keys, generator.uniform(0.3, 0.9, len(keys)), strict=True))
    b = {key: value + shift + generator.normal(0, noise) for key, value in a.items()}
    return scores_of(a), scores_of(b)


def test_deltas_and_their_mean():
    a = scores_of({("x", 1): 0.5, ("x", 2): 0.6, ("y", 1): 0.7})
    b = scores_of({("x", 1): 0.6, ("x", 2): 0.5, ("y", 1): 1.0})
    comparison = compare(a, b, metric="J")
    assert comparison.delta == pytest.approx(0.1)
    assert comparison.objects["delta"].tolist() == pytest.approx([-0.1, 0.1, 0.3])
    assert comparison.objects["sequence"].tolist() == ["x", "x", "y"]
    assert "difference +0.100" in str(comparison)
    assert "95 % interval" in str(comparison)


def test_a_clear_difference_is_told_from_chance():
    clear = compare(*runs(40, 0.05, 0.02))
    assert clear.interval[0] > 0
    chance = compare(*runs(40, 0.0, 0.02))
    assert chance.interval[0] < 0 < chance.interval[1]


def test_objects_of_one_video_do_not_count_as_independent():
    """Ten equal objects a video say no more than one."""
    generator = np.random.default_rng(1)
    shifts = generator.normal(0.02, 0.05, 20)
    one = {(f"v{v}", 1): 0.5 for v in range(20)}
    many = {(f"v{v}", k): 0.5 for v in range(20) for k in range(10)}
    better = [
        {key: 0.5 + shifts[int(key[0][1:])] for key in keys} for keys in (one, many)
    ]
    single = compare(scores_of(one), scores_of(better[0]))
    repeated = compare(scores_of(many), scores_of(better[1]))
    assert repeated.interval == pytest.approx(single.interval)


def test_one_video_gives_no_interval():
    a = scores_of({("x", 1): 0.5, ("x", 2): 0.6})
    b = scores_of({("x", 1): 0.6, ("x", 2): 0.9})
    comparison = compare(a, b)
    assert np.isnan(comparison.interval).all()
    assert "one video: no interval" in str(comparison)


def test_interval_covers_the_truth_about_as_often_as_it_says():
    covered = 0
    for seed in range(100):
        a, b = runs(30, 0.03, 0.05, seed)
        low, high = compare(a, b, confidence=0.9, resamples=500, seed=seed).interval
        covered += low <= 0.03 <= high
    assert 80 <= covered <= 98


def test_draws_can_be_repeated():
    a, b = runs(10, 0.01, 0.02)
    assert compare(a, b).interval == compare(a, b).interval
    assert compare(a, b).interval != compare(a, b, seed=1).interval


def test_objects_that_one_run_lacks_are_named():
    a = scores_of({("x", 1): 0.5, ("y", 1): 0.7})
    b = scores_of({("x", 1): 0.6, ("z", 3): 0.7})
    comparison = compare(a, b)
    assert comparison.only_in_a == (("y", 1),)
    assert comparison.only_in_b == (("z", 3),)
    assert comparison.keys == (("x", 1),)


def test_what_cannot_be_compared_is_refused():
    a = scores_of({("x", 1): 0.5})
    with pytest.raises(InputError, match="one protocol"):
        compare(a, scores_of({("x", 1): 0.5}, "vos-benchmark"))
    with pytest.raises(InputError, match="no object"):
        compare(a, scores_of({("y", 1): 0.5}))
    with pytest.raises(InputError, match="one of J&F"):
        compare(a, a, metric="F_adaptive")


def two_squares(swapped: bool = False) -> np.ndarray:
    """Objects 1 and 2 of 36 and 64 pixels in five frames; their ids may be swapped."""
    first, second = (2, 1) if swapped else (1, 2)
    truth = np.zeros((5, 30, 30), np.uint8)
    truth[:, 2:8, 2:8], truth[:, 15:23, 15:23] = first, second
    return truth


def test_scores_against_different_ground_truths_are_told():
    truth, other = two_squares(), two_squares(swapped=True)
    a = score({"cat": truth}, {"cat": truth})
    b = score({"cat": truth}, {"cat": other})
    (note,) = compare(a, b).notes
    assert note.startswith(
        "a and b were scored against masks or frames that differ in 2 objects of the "
        "ground truth (cat/1, cat/2)"
    )
    assert compare(a, score({"cat": other}, {"cat": truth})).notes == ()
    table = object_attributes({"cat": truth})
    made = breakdown({"one": a, "two": b}, table, resamples=20)
    assert any("one and two were scored against" in note for note in made.notes)
    assert breakdown({"one": a, "two": a}, table, resamples=20).notes == ()


def test_other_names_of_the_ground_truth_are_told():
    a, b = scores_of({("x", 1): 0.5}), scores_of({("x", 1): 0.7})
    named = [
        replace(scores, inputs={"ground_truth": name})
        for scores, name in ((a, "data/gt"), (b, "data/gtB"), (b, "data/../data/gt/"))
    ]
    assert compare(named[0], named[1]).notes == (
        "a and b were scored against different ground truths: data/gt and data/gtB",
    )
    assert compare(named[0], named[2]).notes == ()


def test_objects_left_out_are_told():
    a = scores_of({("x", 1): 0.5, ("v", 3): 0.6, ("v", 4): 0.1, ("w", 1): 0.2})
    b = scores_of({("x", 1): 0.5, ("w", 1): np.nan, ("z", 2): 0.1})
    assert compare(a, b).notes == (
        "2 objects are only in a, and left out: v/3, v/4",
        "1 object is only in b, and left out: z/2",
        "1 object is without J&F in a or b, and left out: w/1",
    )


def test_columns_that_are_no_scores_are_refused_and_errors_are_losses():
    """Of decays a rise is the loss, which stands first."""
    a, b = (
        scores_of({("x", 1): one, ("x", 2): other})
        for one, other in ((0.5, 0.6), (0.7, 0.2))
    )
    for scores in (a, b):
        scores.object_columns["J_decay"] = scores.object_columns["J_mean"]
    for metric in ("sequence", "object"):
        with pytest.raises(InputError, match="expected one of J&F"):
            compare(a, b, metric=metric)
    decay = compare(a, b, metric="J_decay")
    assert "J_decay (lower is better)" in str(decay)
    assert decay.objects["object"].tolist() == [1, 2]
    assert compare(a, b, metric="J").objects["object"].tolist() == [2, 1]


def test_another_average_and_unseen_kinds_of_one_run_are_told():
    """Seen 0.2, 0.4 and unseen 0.9: their means are 0.5 and, apart, 0.6."""
    keys = [("x", 1), ("x", 2), ("y", 1)]
    a, b = (
        scores_of(dict(zip(keys, values, strict=True)), "youtube-vos")
        for values in ((0.2, 0.4, 0.9), (0.3, 0.5, 1.0))
    )
    for scores in (a, b):
        scores.object_columns["group"] = ["seen", "seen", "unseen"]
    (note,) = compare(a, b, metric="J").notes
    assert "by which J is 0.600 -> 0.700" in note
    known = scores_of(dict.fromkeys(keys, 0.5), "youtube-vos")
    known.object_columns["group"] = ["seen"] * 3
    notes = compare(a, known, metric="J").notes
    assert any("a with 1 object of unseen kind" in n for n in notes)


def test_runs_that_were_both_scored_on_one_shard_are_told():
    truth = np.zeros((4, 12, 12), np.uint8)
    truth[:, 2:8, 3:9] = 1
    videos = {"cat": truth, "dog": truth}
    part = as_shard(score(videos, videos), Shard(1, 2), 3)
    told = "is scored on shard 1/2 alone, 2 of 3 sequences"
    assert sum(told in note for note in compare(part, part).notes) == 2


def test_masks_changed_between_scores_and_attributes_are_told():
    truth = np.zeros((4, 12, 12), np.uint8)
    truth[:, 2:8, 3:9] = 1
    scores = score({"cat": truth, "dog": truth}, {"cat": truth, "dog": truth})
    mended = truth.copy()
    mended[2, 2] = 0  # One row less.
    same = object_attributes({"cat": truth, "dog": truth})
    other = object_attributes({"cat": truth, "dog": mended})
    told = "that of the attributes differ in 1 object frame (dog/1)"
    assert not any("differ" in note for note in breakdown(scores, same).notes)
    assert any(told in note for note in breakdown(scores, other).notes)


def test_saved_scores_are_taken_by_their_folder_and_other_things_refused(tmp_path):
    truth = np.zeros((6, 20, 20), np.uint8)
    truth[:, 4:14, 4:14] = 1
    exact = score({"cat": truth}, {"cat": truth})
    folder = score({"cat": np.roll(truth, 1, axis=1)}, {"cat": truth}).save(tmp_path)
    # 9 of 11 rows are shared.
    assert compare(exact, folder, metric="J").delta == pytest.approx(9 / 11 - 1)
    assert compare(str(folder), exact, metric="J").delta == pytest.approx(1 - 9 / 11)
    for other in (None, {"J": 1.0}):
        with pytest.raises(InputError, match="scores_b: found a"):
            compare(exact, other)
    with pytest.raises(InputError, match="scores"):
        compare(exact, "no folder of that name")


def test_true_masks_moved_in_place_are_told_though_their_areas_stay(tmp_path):
    truth = np.zeros((6, 30, 40), np.uint8)
    truth[:, 4:14, 4:14], truth[:, 18:26, 20:30] = 1, 2
    later = truth.copy()
    later[3] = np.roll(later[3], 3, axis=1)  # no area changes
    later[4, 4, 4], later[4, 14, 8] = 0, 1  # one pixel for another
    found = {"cat": np.roll(truth, 1, axis=1)}
    before, after = score(found, {"cat": truth}), score(found, {"cat": later})
    assert compare(before, score(found, {"cat": truth})).notes == ()
    [told] = compare(before, after).notes
    assert "differ in 2 objects of the ground truth (cat/1, cat/2)" in told
    [told] = compare(after, Scores.load(before.save(tmp_path, format="csv"))).notes
    assert "differ in 2 objects" in told
    measured = object_attributes({"cat": later}, images=False)
    told = [one for one in breakdown(before, measured).notes if "attributes" in one]
    # Object 1 in the frames 3 and 4, object 2 in the frame 3.
    assert len(told) == 1 and "differ in 3 object frames (cat/1, cat/2)" in told[0]
    failures = find_failures(found, {"cat": later}, before, attributes=False)
    assert "that of the failures differ in 3 object frames" in failures.notes[0]
    given = find_failures(found, {"cat": truth}, before, attributes=measured)
    assert "that of the attributes differ in 3 object frames" in given.notes[0]
    failures.save(tmp_path / "failures")
    assert Failures.load(tmp_path / "failures").notes == failures.notes
    assert not find_failures(found, {"cat": truth}, before, attributes=False).notes


def test_true_masks_are_the_same_in_whatever_form_and_where_checksums_are_unknown():
    truth = np.zeros((5, 24, 24), np.uint8)
    truth[:, 3:12, 3:12], truth[:, 12:20, 9:20] = 1, 3
    found = {"cat": np.roll(truth, 1, axis=2)}
    by_object = [{1: frame == 1, 3: frame == 3} for frame in truth]
    apart = {"cat": {f"{t}": masks for t, masks in enumerate(by_object)}}
    wide = {"cat": truth.astype(np.uint16)}
    one = score(found, {"cat": truth}, "vos-benchmark")
    two = score(found, wide, "vos-benchmark")
    assert one.frames["gt_digest"].gt(0).all() and compare(one, two).notes == ()
    numbered = {"cat": {f"{t}": frame for t, frame in enumerate(truth)}}
    flat = score(numbered, numbered, "vos-benchmark")
    assert compare(flat, score(numbered, apart, "vos-benchmark")).notes == ()
    old = {k: v for k, v in one.frame_columns.items() if k != "gt_digest"}
    moved = score(found, {"cat": np.roll(truth, 2, axis=1)}, "vos-benchmark")
    assert compare(replace(one, frame_columns=old), moved).notes == ()


def test_what_is_printed_has_the_notes() -> None:
    true = np.zeros((5, 20, 20), np.uint8)
    true[:, 5:15, 5:15] = 1
    moved = np.roll(true, 2, axis=1)
    found = compare(score({"a": true}, {"a": true}), score({"a": true}, {"a": moved}))
    first, *notes = str(found).split("\n")
    assert first == found.sentence and "difference" in first
    assert notes == [f"note: {note}" for note in found.notes] and "a/1" in notes[0]

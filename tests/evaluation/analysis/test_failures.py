"""Injected errors are found: the right kind, the right frames, the right price."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from drawn_videos import draw, during, still, travel

from evaluation.attributes import object_attributes
from evaluation.attributes.regions import regions_of
from evaluation.errors import InputError
from evaluation.failures import FailureKind, Failures, find_failures
from evaluation.failures.costs import headline
from evaluation.failures.events import Event, describe_event, find_events
from evaluation.failures.kinds import classify, late_recovery
from evaluation.failures.overlap import Overlap, contour_tolerance, measure_overlap
from evaluation.metrics.worst import worst_position
from evaluation.scoring import score

LENGTH, ABSENT = 48, range(20, 30)
Edit = Callable[[np.ndarray, np.ndarray], None]
"""Changes a predicted label map, given the true one."""


def scene() -> dict[str, np.ndarray]:
    """Object 1 wanders, 2 is away from frame 20 to 29, 3 stands apart."""
    return dict(
        draw(
            {
                1: travel(0.15, 0.004, 0.3, 0.14),
                2: during(travel(0.6, 0.003, 0.7, 0.14), lambda t: t not in ABSENT),
                3: still(0.15, 0.8, 0.13),
            },
            LENGTH,
        ).label_maps
    )


def broken(edit: Edit, frames: range | list[int]) -> Failures:
    """Failures of a perfect prediction with an edit in some frames."""
    truth = scene()
    predicted = {frame: label_map.copy() for frame, label_map in truth.items()}
    for t in frames:
        frame = f"{t:05d}"
        edit(predicted[frame], truth[frame])
    return find_failures({"v": predicted}, {"v": truth}, workers=1)


def shifted(mask: np.ndarray, right: int, down: int) -> np.ndarray:
    moved = np.zeros_like(mask)
    height, width = mask.shape
    moved[max(down, 0) :, max(right, 0) :] = mask[
        : height - max(down, 0), : width - max(right, 0)
    ]
    return moved


def swap(pred: np.ndarray, gt: np.ndarray) -> None:
    pred[gt == 1], pred[gt == 3] = 3, 1


def take_over(pred: np.ndarray, gt: np.ndarray) -> None:
    pred[gt == 1], pred[gt == 3] = 0, 1


def drop(pred: np.ndarray, gt: np.ndarray) -> None:
    pred[gt == 1] = 0


def drop_second(pred: np.ndarray, gt: np.ndarray) -> None:
    pred[pred == 2] = 0


def swallow(pred: np.ndarray, gt: np.ndarray) -> None:
    pred[gt == 3] = 1


def lose_half(pred: np.ndarray, gt: np.ndarray) -> None:
    columns = np.flatnonzero((gt == 1).any(axis=0))
    half = np.zeros(gt.shape, bool)
    half[:, columns[len(columns) // 2] :] = True
    pred[half & (gt == 1)] = 0


def leak(radius: int) -> Edit:
    def edit(pred: np.ndarray, gt: np.ndarray) -> None:
        side = 2 * radius + 1
        disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        pred[(cv2.dilate((gt == 1).astype(np.uint8), disk) > 0) & (gt == 0)] = 1

    return edit


def drift(pred: np.ndarray, gt: np.ndarray) -> None:
    away = shifted(gt == 1, 100, 0) & (gt == 0)
    pred[gt == 1] = 0
    pred[away] = 1


def haunt(pred: np.ndarray, gt: np.ndarray) -> None:
    pred[130:150, 250:280] = 2


@pytest.mark.parametrize(
    ("edit", "frames", "expected"),
    [
        (swap, range(12, 25), {(1, "identity swap", 3), (3, "identity swap", 1)}),
        (take_over, range(12, 25), {(1, "identity swap", 3), (3, "missed", 0)}),
        (drop, range(10, 17), {(1, "missed", 0)}),
        (drop, range(10, 11), {(1, "missed", 0)}),
        (swallow, range(9, 14), {(1, "merge", 3), (3, "missed", 0)}),
        (lose_half, range(5, 30), {(1, "partial", 0)}),
        (leak(8), range(30, 40), {(1, "leak", 0)}),
        (leak(2), range(30, 40), {(1, "boundary", 0)}),
        (drift, range(20, 28), {(1, "drift", 0)}),
        (haunt, range(22, 27), {(2, "false on absent", 0)}),
        (drop_second, range(30, 37), {(2, "late recovery", 0)}),
        (drop_second, range(33, 37), {(2, "missed", 0)}),
    ],
)
def test_an_injected_error_is_found_with_its_kind_and_frames(
    edit: Edit, frames: range, expected: set[tuple[int, str, int]]
) -> None:
    events = broken(edit, frames).events
    assert (
        set(zip(events["object"], events["kind"], events["other"], strict=True))
        == expected
    )
    assert len(events) == len(expected)
    assert (events["start"] == f"{frames[0]:05d}").all()
    assert (events["end"] == f"{frames[-1]:05d}").all()
    assert (events["n_frames"] == len(frames)).all()


def test_a_perfect_prediction_has_no_failures() -> None:
    failures = broken(drop, [])
    assert failures.events.empty and (failures.frames["kind"] == "").all()
    assert failures.lost == 0 and failures.unassigned == 0
    assert failures.by("kind").empty and failures.onsets().empty


def test_swaps_are_mutual_and_takeovers_are_not() -> None:
    assert broken(swap, range(12, 25)).events["mutual"].all()
    assert not broken(take_over, range(12, 25)).events["mutual"].any()


def test_a_swap_with_a_far_smaller_object_is_one_for_both() -> None:
    paths = {1: still(0.3, 0.5, 0.3), 200: still(0.85, 0.2, 0.04)}
    truth = dict(draw(paths, 20).label_maps)
    predicted = {frame: mask.copy() for frame, mask in truth.items()}
    for frame in list(truth)[8:13]:
        gt = truth[frame]
        predicted[frame][gt == 1], predicted[frame][gt == 200] = 200, 1
    events = find_failures({"v": predicted}, {"v": truth}, workers=1).events
    assert set(zip(events["object"], events["other"], strict=True)) == {
        (1, 200),
        (200, 1),
    }
    assert (events["kind"] == "identity swap").all() and events["mutual"].all()
    assert (events["n_frames"] == 5).all()


def test_recovery_is_told_with_its_frame() -> None:
    event = broken(drop, range(10, 17)).events.iloc[0]
    assert event["recovers"] and event["recovered"] == "00017"
    event = broken(drop, range(30, LENGTH)).events.iloc[0]
    assert not event["recovers"] and event["recovered"] is None


def test_two_errors_in_one_object_are_two_events() -> None:
    events = broken(drop, [*range(8, 12), *range(20, 24)]).events.sort_values("start")
    assert events["start"].tolist() == ["00008", "00020"]
    events = broken(drop, [*range(8, 12), *range(13, 24)]).events
    assert events[["start", "end"]].values.tolist() == [["00008", "00023"]]


def test_a_grave_error_within_a_mild_one_stands_out() -> None:
    def edit(pred: np.ndarray, gt: np.ndarray) -> None:
        lost = np.flatnonzero((gt == 1).any(axis=0))[0] in (56, 57)
        (drop if lost else leak(8))(pred, gt)

    events = broken(edit, range(20, 45)).events.sort_values("start")
    kinds = events["kind"].tolist()
    assert kinds == ["leak", "missed", "leak"]


def test_costs_add_up_to_what_the_benchmark_lacks() -> None:
    failures = broken(leak(8), range(5, 40))
    assert failures.frames["cost"].sum() == pytest.approx(failures.lost, abs=1e-12)
    total = failures.events["cost"].sum() + failures.unassigned
    assert total == pytest.approx(failures.lost, abs=1e-12)


def test_fixing_the_costliest_events_is_worth_what_is_said() -> None:
    """The prediction is mended where the events are, and scored again."""
    truth = scene()
    predicted = {frame: label_map.copy() for frame, label_map in truth.items()}
    for frames, edit in (
        (range(5, 9), drop),
        (range(15, 30), lose_half),
        (range(33, 40), swap),
    ):
        for t in frames:
            edit(predicted[f"{t:05d}"], truth[f"{t:05d}"])
    failures = find_failures({"v": predicted}, {"v": truth}, workers=1)
    for k in range(len(failures.events) + 1):
        mended = {frame: label_map.copy() for frame, label_map in predicted.items()}
        for event in failures.events.head(k).to_dict("records"):
            for t in range(int(event["start"]), int(event["end"]) + 1):
                mine = truth[f"{t:05d}"] == event["object"]
                mended[f"{t:05d}"][mended[f"{t:05d}"] == event["object"]] = 0
                mended[f"{t:05d}"][mine] = event["object"]
        after = score({"v": mended}, {"v": truth}, workers=1).frames
        gain = _gain(failures, after, k)
        assert failures.recoverable(k) == pytest.approx(gain, abs=1e-12)


def _gain(failures: Failures, after: pd.DataFrame, k: int) -> float:
    """J&F gained in the frames of the first k events, from frame scores."""
    fixed = failures.frames[failures.frames["event"].between(0, k - 1)]
    both = fixed.merge(
        after, on=["sequence", "object", "frame"], suffixes=("", "_after")
    )
    gained = (both["J_after"] - both["J"] + both["F_after"] - both["F"]) / 2
    counts = failures.frames.groupby("object")["frame"].transform("size")
    return float((gained / counts.iloc[0] / failures.frames["object"].nunique()).sum())


@pytest.mark.parametrize(
    "protocol",
    [
        "davis-2017",
        "davis-2017-unsupervised",
        "mose-v2",
        "youtube-vos",
        "vos-benchmark",
        "trackeval-davis",
    ],
)
def test_costs_add_up_under_every_protocol(protocol: str) -> None:
    truth = scene()
    predicted = {frame: label_map.copy() for frame, label_map in truth.items()}
    for t in range(10, 25):
        swap(predicted[f"{t:05d}"], truth[f"{t:05d}"])
    for t in range(30, 38):
        drop_second(predicted[f"{t:05d}"], truth[f"{t:05d}"])
    second = {frame: np.where(m == 2, 0, m) for frame, m in predicted.items()}
    benchmark, results = {"v": truth, "w": truth}, {"v": predicted, "w": second}
    scores = score(results, benchmark, protocol, unseen=["w"], workers=1)
    failures = find_failures(results, benchmark, scores, attributes=False, workers=1)
    assert failures.headline == headline(scores)
    assert failures.frames["cost"].sum() == pytest.approx(failures.lost, abs=1e-12)
    assert {"late recovery", "missed"} & set(failures.events["kind"])


def test_proposals_are_followed_by_their_match() -> None:
    """Under matching, other ids are no swap: only what changes owner is."""
    truth = scene()
    renamed = {f: np.choose(m, [0, 3, 1, 2]).astype(np.uint8) for f, m in truth.items()}
    failures = find_failures(
        {"v": renamed}, {"v": truth}, protocol="davis-2017-unsupervised", workers=1
    )
    assert failures.events.empty and failures.lost == 0


def test_what_happened_before_an_onset_is_found() -> None:
    failures = broken(drop_second, range(30, 37))
    event = failures.events.iloc[0]
    assert event["after_return"] and "after return" in event["onset"]
    table = failures.onsets().set_index("circumstance")
    assert (
        table.loc["after_return", "share"] == 1
        and table.loc["after_return", "lift"] > 3
    )
    assert not broken(drop, range(8, 12)).events["after_return"].any()


def test_failures_without_attributes_say_no_circumstances() -> None:
    truth = scene()
    failures = find_failures({"v": truth}, {"v": truth}, attributes=False)
    assert failures.onsets().empty and "onset" not in failures.events


def test_costs_by_attribute_of_the_object() -> None:
    failures = broken(drop_second, range(31, 37))
    attributes = object_attributes({"v": scene()})
    table = failures.by_attribute(attributes, "auto_DR")
    assert table["auto_DR"].tolist() == [True] and table["share"].tolist() == [
        pytest.approx(1)
    ]
    with pytest.raises(InputError, match="speed"):
        failures.by_attribute(attributes, "speed")


def test_tables_survive_saving(tmp_path: Path) -> None:
    failures = broken(swap, range(12, 25))
    failures.save(tmp_path)
    loaded = Failures.load(tmp_path)
    pd.testing.assert_frame_equal(failures.events, loaded.events)
    pd.testing.assert_frame_equal(failures.frames, loaded.frames)
    assert loaded.headline == failures.headline
    with pytest.raises(InputError, match="no saved failures"):
        Failures.load(tmp_path / "elsewhere")


def test_scores_of_another_benchmark_are_refused() -> None:
    truth = scene()
    scores = score({"v": truth}, {"v": truth}, workers=1)
    with pytest.raises(InputError, match="v, which arrays does not have"):
        find_failures({"w": truth}, {"w": truth}, scores)


def test_every_kind_has_a_written_definition() -> None:
    assert all(len(kind.definition) > 20 for kind in FailureKind)


def test_an_object_first_seen_late_is_not_recovering() -> None:
    lost = (FailureKind.MISSED, 0)
    visible = [False, True, True]
    nothing = (None, 0)
    first = late_recovery([nothing, lost, lost], visible, seen_before=False)
    assert [kind for kind, _ in first][1:] == [FailureKind.MISSED] * 2
    again = late_recovery([nothing, lost, lost], visible, seen_before=True)
    assert [kind for kind, _ in again][1:] == [FailureKind.LATE_RECOVERY] * 2


def test_kinds_at_their_limits() -> None:
    def kind(**areas: int) -> FailureKind | None:
        return classify(Overlap(**areas))[0]  # type: ignore[arg-type]

    assert kind(gt_area=0, pred_area=0, intersection=0) is None
    assert kind(gt_area=100, pred_area=9, intersection=0) is FailureKind.MISSED
    assert kind(gt_area=100, pred_area=10, intersection=0) is FailureKind.DRIFT
    assert kind(gt_area=100, pred_area=12, intersection=9) is FailureKind.MISSED
    assert kind(gt_area=0, pred_area=1, intersection=0) is FailureKind.FALSE_ON_ABSENT
    assert kind(gt_area=100, pred_area=100, intersection=90) is FailureKind.BOUNDARY
    assert kind(gt_area=100, pred_area=60, intersection=60) is FailureKind.PARTIAL


def test_pixels_are_counted_object_by_object() -> None:
    truth = np.zeros((30, 40), np.uint8)
    truth[5:15, 5:15], truth[20:25, 30:40] = 1, 2
    predicted = np.zeros_like(truth)
    predicted[5:15, 5:11], predicted[5:15, 11:18] = 1, 2
    both = regions_of(truth), regions_of(predicted)
    found = measure_overlap(1, *both, truth.shape)
    assert (found.gt_area, found.pred_area, found.intersection) == (100, 60, 60)
    assert found.taken_by == {2: 40}
    # Object 2 is found nowhere: its name stands on object 1, and beside it.
    wrong = measure_overlap(2, *both, truth.shape)
    assert (wrong.gt_area, wrong.pred_area, wrong.intersection) == (50, 70, 0)
    assert (wrong.on_others, wrong.covered, wrong.taken_by) == ({1: 40}, {1: 0.4}, {})
    # Without a prediction of its own, or without the object.
    alone = {2: both[1][2]}
    missed = measure_overlap(1, both[0], alone, truth.shape)
    assert missed == Overlap(100, 0, 0, missed_bulk=100, taken_by={2: 40})
    absent = measure_overlap(2, {1: both[0][1]}, alone, truth.shape)
    assert absent == Overlap(
        0, 70, 0, false_bulk=70, on_others={1: 40}, covered={1: 0.4}
    )


def test_bulk_errors_are_those_off_the_contour() -> None:
    truth = np.zeros((200, 300), np.uint8)
    truth[50:150, 50:150] = 1
    assert contour_tolerance(100 * 100, truth.shape) == 3
    # F's tolerance would swallow small objects whole: a tenth of the side at most.
    assert contour_tolerance(16 * 16, (480, 854)) == 2
    grown = np.zeros_like(truth)
    grown[50 - 5 : 150 + 5, 50 - 5 : 150 + 5] = 1
    overlap = measure_overlap(1, regions_of(truth), regions_of(grown), truth.shape)
    assert overlap.missed_bulk == 0 and 600 < overlap.false_bulk < 900
    eaten = truth.copy()
    eaten[:, :56] = 0
    overlap = measure_overlap(1, regions_of(truth), regions_of(eaten), truth.shape)
    # Six columns are missed; three are within tolerance of the left edge, and of
    # the others the ends near the upper and lower edge.
    assert overlap.missed_bulk == 3 * (100 - 2 * 3) and overlap.false_bulk == 0


def test_real_masks_add_up_and_fail_where_they_visibly_do(shared: Path) -> None:
    """OSVOS on DAVIS-2016: the worst event of each video was looked at by eye."""
    root = shared / "fixtures/metrics/inputs/d16"
    names = ["dog", "drift-straight"]
    scores = score(root / "pred", root / "gt", "davis-2016", sequences=names)
    failures = find_failures(root / "pred", root / "gt", scores, attributes=False)
    assert failures.frames["cost"].sum() == pytest.approx(failures.lost, abs=1e-12)
    worst = failures.events.drop_duplicates("sequence").set_index("sequence")
    seen = worst[["kind", "start", "end"]].T.to_dict("list")
    # The whole meadow is taken for the dog; the car is lost but for one wheel.
    assert seen["dog"] == ["leak", "00040", "00049"]
    assert seen["drift-straight"] == ["missed", "00039", "00043"]


@pytest.mark.parametrize(
    ("apart", "spans"),
    [(2, [(0, 5)]), (3, [(0, 2), (5, 6)])],
)
def test_runs_exactly_as_far_apart_as_the_bridge_are_one_event(apart, spans):
    """Two frames fail, `apart` do not, one fails again; the bridge is 2 frames."""
    missed, fine = (FailureKind.MISSED, 0), (None, 0)
    events = find_events([missed] * 2 + [fine] * apart + [missed], bridge=2)
    assert [(event.start, event.end) for event in events] == spans


def test_the_worst_frame_is_the_first_with_the_lowest_score() -> None:
    rows = {
        "frame": list("abcde"),
        "index": range(5),
        "J": [0.6, 0.0, 0.2, 0.0, 0.4],
        "F": [0.6, 0.0, 0.0, 0.0, 0.4],
        "error": [40, 80, 90, 800, 50],
        "visible": True,
        "loss": [0.4, 1.0, 0.9, 1.0, 0.6],
        "cost": 0.1,
    }
    frames = pd.DataFrame(rows).assign(**{"J&F": lambda t: (t["J"] + t["F"]) / 2})
    row = describe_event(Event(FailureKind.MISSED, 0, 0, 5), frames)
    assert (row["worst"], row["worst_index"]) == ("b", 1)
    assert worst_position([0.5, np.mean([0.1, 0.2, 0.3]), 0.2]) == 1
    assert np.mean([0.1, 0.2, 0.3]) > 0.2, "by rounding alone"


def test_numbers_that_mean_something_else_are_refused() -> None:
    """Percent for fractions, and attributes of another benchmark."""
    truth = np.zeros((5, 20, 20), np.uint8)
    truth[:, 5:15, 5:15] = 1
    lost = truth * (np.arange(5) < 2)[:, None, None].astype(np.uint8)
    masks = {"cat": lost}, {"cat": truth}
    other = object_attributes({"dog": truth})
    for wrong in (
        {"min_loss": 5},
        {"min_loss": -1},
        {"bridge": -1},
        {"attributes": other},
    ):
        with pytest.raises(InputError, match=next(iter(wrong))):
            find_failures(*masks, **wrong)
    found = find_failures(*masks, attributes=False)
    with pytest.raises(InputError, match="some of event, sequence"):
        found.by("nonsense")
    with pytest.raises(InputError, match="from 0 on"):
        found.recoverable(-1)

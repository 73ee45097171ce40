"""Clicks, policies and curves of corrections, each by a value worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evaluation import find_failures, object_attributes, score
from evaluation.corrections import (
    Box,
    Click,
    Corrections,
    area_under,
    bounding_box,
    is_low,
    next_click,
    object_iou,
    pass_tables,
    regained,
    with_regain,
    worst_frame,
)
from evaluation.corrections.policies import check_choices
from evaluation.errors import InputError


def test_first_click_is_where_the_object_is_thickest():
    truth = np.zeros((12, 20), bool)
    truth[1:3, :] = True  # a long thin bar,
    truth[4:11, 3:10] = True  # and a square of 7 pixels around (6, 7)
    nothing = np.zeros_like(truth)
    assert next_click(truth, nothing) == Click(6, 7, on_object=True)


def test_click_goes_to_the_deeper_of_what_is_missed_and_what_is_wrong():
    truth, predicted = np.zeros((2, 20, 30), bool)
    truth[2:7, 2:7] = True  # missed: 5 pixels wide, centre (4, 4)
    predicted[8:17, 15:24] = True  # wrong: 9 pixels wide, centre (19, 12)
    assert next_click(truth, predicted) == Click(19, 12, on_object=False)
    predicted[8:17, 15:24] = False
    predicted[8:11, 15:18] = True
    assert next_click(truth, predicted) == Click(4, 4, on_object=True)


def test_equally_deep_errors_are_told_from_the_object():
    truth, predicted = np.zeros((2, 9, 20), bool)
    truth[2:5, 12:15], predicted[2:5, 2:5] = True, True
    assert next_click(truth, predicted) == Click(13, 3, on_object=True)


def test_edge_of_the_image_bounds_a_region():
    everything = np.ones((5, 5), bool)
    assert next_click(everything, ~everything) == Click(2, 2, on_object=True)


def test_no_click_where_nothing_is_wrong():
    mask = np.eye(4, dtype=bool)
    assert next_click(mask, mask) is None
    assert next_click(~mask & mask, ~mask & mask) is None


def test_box_holds_first_and_last_pixels():
    mask = np.zeros((7, 9), bool)
    mask[3, 1] = mask[5, 8] = True
    assert bounding_box(mask) == Box(left=1, top=3, right=8, bottom=5)
    assert bounding_box(np.zeros((3, 3), bool)) is None


def test_iou_of_masks():
    one, other = np.zeros((2, 4, 4), bool)
    assert object_iou(one, other) == 1
    one[:, :3], other[:, 1:] = True, True
    assert object_iou(one, other) == 0.5
    assert is_low(0.5) and not is_low(0.5, threshold=0.5)


def _rows(*values, area=None):
    names = [f"{i:05d}" for i in range(len(values))]
    return pd.DataFrame(
        {"frame": names, "J": values, "gt_area": area or [9] * len(values)}
    )


def test_worst_frame_is_the_first_of_the_lowest():
    rows = _rows(0.9, 0.3, 0.3, 1.0)
    assert worst_frame(rows, []) == "00001"
    assert worst_frame(rows, ["00001"]) == "00002"
    assert worst_frame(rows, ["00001", "00002"]) == "00000"
    assert worst_frame(rows, ["00000", "00001", "00002"]) is None, "1.0 is perfect"


def test_a_box_cannot_tell_of_an_absent_object():
    rows = _rows(0.9, 0.0, area=[9, 0])
    assert worst_frame(rows, []) == "00001"
    assert worst_frame(rows, [], visible_only=True) == "00000"


def test_area_is_the_mean_height():
    assert area_under([0.4]) == 0.4
    assert area_under([0.0, 1.0]) == 0.5
    assert area_under([0.2, 0.6, 0.6, 1.0]) == pytest.approx((0.4 + 0.6 + 0.8) / 3)


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"policy": "best"}, "policy"),
        ({"prompt": "scribble"}, "prompt"),
        ({"budget": -1}, "budget"),
        ({"budget": True}, "budget"),
        ({"n_clicks": 0}, "clicks"),
        ({"threshold": 0.0}, "threshold"),
        ({"events": -3}, "events"),
        ({"threshold": float("nan")}, "threshold"),
    ],
)
def test_choices_that_no_correction_is_made_by(changed, where):
    choices = {"policy": "worst", "prompt": "mask", "budget": 3, "n_clicks": 3}
    with pytest.raises(InputError) as caught:
        check_choices(**{**choices, "threshold": 0.75, **changed})
    assert caught.value.where == where


@pytest.fixture
def scored():
    """Two videos of 5 frames; "lost" has nothing from frame 2 on, then is corrected."""
    truth = np.zeros((5, 20, 20), np.uint8)
    truth[:, 5:15, 5:15] = 1
    lost = truth.copy()
    lost[2:] = 0
    gt = {"kept": truth, "lost": truth}
    before = score({"kept": truth, "lost": lost}, gt)
    after = score({"kept": truth, "lost": truth}, gt)
    return before, after, gt, lost, truth


def test_regain_is_in_the_unit_of_costs(scored):
    before, after, gt, lost, truth = scored
    failures = find_failures({"kept": truth, "lost": lost}, gt, before)
    event = failures.events.iloc[0]
    # Two of three counted frames of one of two objects.
    assert event["cost"] == pytest.approx(2 / 3 / 2)
    one = after.objects[after.objects["sequence"] == "lost"]
    assert regained(before, one) == pytest.approx(event["cost"])
    table = with_regain(failures.events, {0: regained(before, one)})
    assert table["regain"].iloc[0] == pytest.approx(1 / 3)


def test_root_causes_rise_above_what_they_drag_along():
    events = pd.DataFrame({"event": [0, 1, 2], "cost": [0.3, 0.2, 0.1]})
    table = with_regain(events, {0: 0.05, 1: 0.25})
    assert table["event"].tolist() == [1, 0, 2]
    assert np.isnan(table["regain"].iloc[2])


def test_curves_and_what_they_come_to(scored, tmp_path):
    before, after, gt, *_ = scored
    made = {("lost", 1): 1}
    curve, objects = pass_tables([before, after], [{}, made])
    assert curve["J&F"].tolist() == pytest.approx([2 / 3, 1])
    assert curve["corrections"].tolist() == [0, 1]
    nothing = pd.DataFrame({"event": [0]})
    done = Corrections(
        "copy", "worst", "mask", 1, 3, 0.75, "davis-2017", "memory",
        curve, objects, nothing, nothing,
    )  # fmt: skip
    assert done.area == pytest.approx(5 / 6)
    table = done.object_areas().set_index("sequence")
    assert table.loc["lost", "before"] == pytest.approx(1 / 3)
    assert table.loc["lost", "area"] == pytest.approx(2 / 3)
    assert table.loc["kept", "corrections"] == 0
    groups = done.by_attribute(object_attributes(gt), ["size"])
    assert groups["n_objects"].tolist() == [2]
    assert groups["gain"].iloc[0] == pytest.approx(1 / 3)
    done.save(tmp_path)
    loaded = Corrections.load(tmp_path)
    assert loaded.area == done.area and loaded.policy == "worst"
    with pytest.raises(InputError, match="attribute"):
        done.by_attribute(object_attributes(gt), ["colour of the sky"])

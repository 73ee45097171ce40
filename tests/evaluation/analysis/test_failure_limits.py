"""Limits of the kinds of failures that changes to the code once crossed unnoticed."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evaluation.attributes.regions import regions_of
from evaluation.failures import FailureKind, find_failures
from evaluation.failures.compared import _proposals
from evaluation.failures.events import find_events
from evaluation.failures.inspect import _shape
from evaluation.failures.kinds import classify, late_recovery
from evaluation.failures.onset import _top_tenth, circumstances
from evaluation.failures.overlap import Overlap, measure_overlap

BIG = {"gt_area": 100, "pred_area": 90, "intersection": 90}


@pytest.mark.parametrize(
    ("overlap", "kind", "other"),
    [
        # Nothing of an object at all, and little predicted beside a small one.
        (Overlap(10, 1, 0), FailureKind.DRIFT, 0),
        (Overlap(1, 5, 0), FailureKind.DRIFT, 0),
        # On one other object: all of it only if the prediction is small.
        (
            Overlap(100, 50, 0, on_others={2: 50}, covered={2: 0.1}),
            FailureKind.IDENTITY_SWAP,
            2,
        ),
        (
            Overlap(100, 9, 0, on_others={2: 9}, covered={2: 0.4}),
            FailureKind.MISSED,
            0,
        ),
        (
            Overlap(100, 9, 0, on_others={2: 9}, covered={2: 0.5}),
            FailureKind.IDENTITY_SWAP,
            2,
        ),
        # A twentieth of the union in bulk is the contour still.
        (Overlap(**BIG, missed_bulk=3, false_bulk=2), FailureKind.BOUNDARY, 0),
        (Overlap(**BIG, missed_bulk=4, false_bulk=4), FailureKind.PARTIAL, 0),
        (Overlap(**BIG, missed_bulk=3, false_bulk=4), FailureKind.LEAK, 0),
        # Three quarters of the union in common are close.
        (Overlap(100, 75, 75), FailureKind.BOUNDARY, 0),
        (Overlap(100, 74, 74), FailureKind.PARTIAL, 0),
        (Overlap(60, 100, 55), FailureKind.LEAK, 0),
        # Half of the object is covered: neither drift nor swap, perhaps a merge.
        (Overlap(100, 110, 50), FailureKind.LEAK, 0),
        (Overlap(100, 110, 49), FailureKind.DRIFT, 0),
        (Overlap(100, 90, 60, covered={2: 0.5}), FailureKind.MERGE, 2),
        (Overlap(100, 90, 60, covered={2: 0.4}), FailureKind.PARTIAL, 0),
        (Overlap(100, 50, 0, on_others={2: 25}), FailureKind.IDENTITY_SWAP, 2),
        (Overlap(0, 10, 0, on_others={3: 5}), FailureKind.FALSE_ON_ABSENT, 3),
        (Overlap(0, 10, 0, on_others={3: 4}), FailureKind.FALSE_ON_ABSENT, 0),
    ],
)
def test_a_kind_at_its_limit(overlap, kind, other) -> None:
    assert classify(overlap) == (kind, other)


def test_wrong_objects_are_graver_than_wrong_regions_than_contours() -> None:
    mild = {FailureKind.BOUNDARY: 1, FailureKind.PARTIAL: 2, FailureKind.LEAK: 2}
    assert {kind: kind.severity for kind in FailureKind} == {
        kind: mild.get(kind, 3) for kind in FailureKind
    }


def test_an_object_seen_in_these_frames_comes_back() -> None:
    lost = (FailureKind.MISSED, 0)
    told = late_recovery([(None, 0), (None, 0), lost], [True, False, True], False)
    assert told[2] == (FailureKind.LATE_RECOVERY, 0)


def test_the_error_of_a_frame_counts_wrong_pixels_of_both_sides() -> None:
    truth = np.zeros((4, 30, 40), np.uint8)
    truth[:, 5:25, 5:25] = 1
    own = np.zeros_like(truth)
    own[:, 5:25, 15:30] = 1  # of 400 pixels 200 are right, 100 are beside
    frames = find_failures({"v": own}, {"v": truth}, attributes=False, workers=1).frames
    assert frames["error"].unique().tolist() == [300]


def test_objects_without_a_proposal_are_matched_to_none() -> None:
    objects = pd.DataFrame(
        {"sequence": ["a", "a", "b"], "object": [1, 2, 1], "proposal": [7, 0, 3]}
    )
    assert _proposals(SimpleNamespace(objects=objects)) == {"a": {7: 1}, "b": {3: 1}}


def test_the_top_tenth_is_of_what_is_known() -> None:
    assert not _top_tenth(pd.Series([np.nan, np.nan])).any()
    known = pd.Series([*range(10), np.nan])
    assert np.flatnonzero(_top_tenth(known)).tolist() == [9]


def test_frames_without_masks_have_no_size() -> None:
    assert _shape({}, {}) == (0, 0)
    assert _shape({}, {3: np.zeros((4, 5), bool)}) == (4, 5)


def test_pixels_of_others_are_told_where_there_are_any() -> None:
    truth = np.zeros((20, 30), np.uint8)
    truth[5:15, 5:15], truth[5:15, 16:26] = 1, 2
    own = np.zeros_like(truth)
    own[5:15, 5:13], own[5:15, 13:16], own[2:4, 5:15] = 1, 2, 3
    regions = regions_of(truth), regions_of(own)
    found = measure_overlap(1, *regions, truth.shape)
    assert (found.intersection, found.taken_by, found.on_others) == (80, {2: 20}, {})
    assert (found.missed_bulk, found.false_bulk) == (8, 0)  # a pixel off its edges
    # 3 lies within the box of a larger object, on none of its pixels.
    truth[2:4, 2:18] = 4
    own[2:4, 5:15] = 0
    truth[2:4, 5:15] = 0
    own[2:4, 8:10] = 3
    beside = measure_overlap(4, regions_of(truth), regions_of(own), truth.shape)
    assert beside.taken_by == {} and beside.intersection == 0
    absent = measure_overlap(3, *regions, truth.shape)
    assert absent == Overlap(0, 20, 0, false_bulk=20)


@pytest.mark.parametrize(
    ("gap", "spans"), [(2, [(0, 4)]), (3, [(0, 1), (4, 5)]), (0, [(0, 2)])]
)
def test_gaps_of_an_event_are_bridged(gap, spans) -> None:
    lost, right = (FailureKind.MISSED, 0), (None, 0)
    events = find_events([lost, *[right] * gap, lost], bridge=2)
    assert [(event.start, event.end) for event in events] == spans


def test_a_graver_failure_divides_a_milder_one() -> None:
    mild, grave = (FailureKind.LEAK, 0), (FailureKind.IDENTITY_SWAP, 2)
    events = find_events([mild, grave, mild, mild], bridge=2)
    assert [(event.kind, event.other, event.start, event.end) for event in events] == [
        (FailureKind.LEAK, 0, 0, 1),
        (FailureKind.IDENTITY_SWAP, 2, 1, 2),
        (FailureKind.LEAK, 0, 2, 4),
    ]


def test_each_circumstance_is_of_its_own_column() -> None:
    """At 10 frames per second; what happened up to half a second ago counts."""
    quiet = {
        "sequence": "v", "object": 1, "occlusion": 0.0, "relative_speed": 0.0,
        "border_contact": 0.0, "similarity": 0.0, "scene_cut": False,
        "visible": True, "absence": "",
    }  # fmt: skip
    changes = {
        "after_occlusion": ("occlusion", 0.5),
        "after_fast_motion": ("relative_speed", 1.0),
        "after_border": ("border_contact", 0.1),
        "after_distractor": ("similarity", 1.0),
        "after_cut": ("scene_cut", True),
    }
    for name, (column, value) in changes.items():
        rows = [quiet | {"time": t / 10} for t in range(12)]
        rows[2][column] = value
        found = circumstances(pd.DataFrame(rows))
        held = {other: np.flatnonzero(found[other]).tolist() for other in found}
        lasting = held.pop(name)
        assert lasting[0] == 2 and lasting == list(range(2, 2 + len(lasting)))
        assert 2 + len(lasting) < 12 and not any(held.values())

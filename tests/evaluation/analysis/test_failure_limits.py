"""Limits of the kinds of failures that changes to the code once crossed unnoticed."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evaluation.failures import FailureKind, find_failures
from evaluation.failures.compared import _proposals
from evaluation.failures.kinds import classify, late_recovery
from evaluation.failures.onset import _top_tenth
from evaluation.failures.overlap import Overlap

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

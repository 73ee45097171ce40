from __future__ import annotations

import pandas as pd

from evaluation.failures import Failures
from evaluation.failures.reviews import carry_over, with_reviews


def events(*rows):
    names = ["sequence", "object", "kind", "start", "end", "review"]
    return pd.DataFrame(rows, columns=names)


REVIEWED = events(
    ("dog", 1, "missed", 5, 20, "confirmed"),
    ("dog", 1, "missed", 30, 33, "ignore"),
    ("dog", 2, "drift", 1, 50, "label error"),
)


def carried(*rows):
    found = pd.DataFrame(rows, columns=["sequence", "object", "kind", "start", "end"])
    found.index += 10
    said = carry_over(found, REVIEWED)
    assert list(said.index) == list(found.index)
    return list(said)


def test_an_event_whose_ends_moved_is_the_same_failure():
    assert carried(("dog", 1, "missed", 8, 25)) == ["confirmed"]


def test_the_one_that_shares_most_frames_decides():
    assert carried(("dog", 1, "missed", 19, 40)) == ["ignore"]


def test_the_parts_of_a_split_event_keep_what_was_said():
    rows = ("dog", 1, "missed", 5, 8), ("dog", 1, "missed", 15, 20)
    assert carried(*rows) == ["confirmed", "confirmed"]


def test_other_objects_kinds_videos_and_times_are_other_failures():
    assert carried(
        ("dog", 2, "missed", 5, 20),
        ("dog", 1, "drift", 5, 20),
        ("cat", 1, "missed", 5, 20),
        ("dog", 1, "missed", 21, 29),
    ) == ["", "", "", ""]


def test_nothing_reviewed_and_nothing_found():
    found = pd.DataFrame(columns=["sequence", "object", "kind", "start", "end"])
    assert list(carry_over(found, REVIEWED)) == []
    assert carried(("dog", 3, "missed", 1, 2)) == [""]
    assert list(carry_over(REVIEWED, REVIEWED.iloc[:0])) == ["", "", ""]


def test_failures_tell_what_was_said_of_them():
    """Ends are names of frames, which count up without leading zeros, too."""
    names = [str(k) for k in range(12)]
    frames = pd.DataFrame({"sequence": "dog", "frame": names[::-1], "event": -1})
    found = events(
        ("dog", 1, "missed", "2", "10", 0), ("dog", 2, "missed", "0", "1", 0)
    )
    failures = Failures(frames, found.drop(columns="review"), 0.5, "davis-2017")
    said = events(
        ("dog", 1, "missed", "10", "11", "confirmed"),
        ("dog", 2, "missed", "gone", "1", "ignore"),
    )
    reviewed = with_reviews(failures, said)
    assert list(reviewed.events["review"]) == ["confirmed", ""]
    assert list(reviewed.events["start"]) == ["2", "0"]

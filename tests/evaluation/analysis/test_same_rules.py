"""Scores that were made by different rules are told where they are compared."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation import (
    InputError,
    InputOptions,
    Scores,
    breakdown,
    compare,
    merge,
    object_attributes,
    score,
)
from evaluation.protocols import PROTOCOLS
from evaluation.results.same_rules import applied_options, require_one_protocol
from evaluation.runs.score_records import ScoreRecord

FRAMES = 5


def bar(left: int, key: int = 1) -> np.ndarray:
    masks = np.zeros((FRAMES, 24, 24), np.uint8)
    masks[:, 4:20, left : left + 8] = key
    return masks


@pytest.fixture(scope="module")
def truth() -> dict:
    return {"cat": bar(8), "dog": bar(8)}


def notes_of(one: Scores, other: Scores) -> tuple[str, ...]:
    return compare(one, other, resamples=10).notes


def test_what_was_scored_as_empty_is_told(truth):
    whole = {"cat": bar(10), "dog": bar(10)}
    a = score(whole, truth)
    b = score({"cat": bar(10)}, truth, missing="score-as-empty")
    assert compare(a, b, metric="J").delta == pytest.approx(-0.3)  # 0.6 and 0
    (note,) = notes_of(a, b)
    assert note == (
        "a and b were scored by different rules: a without missing and b with missing "
        "score-as-empty (sequence dog (all 3 frames)); the difference between them is "
        "not one between methods alone"
    )
    lenient = score(whole, truth, missing="score-as-empty")  # nothing is missing
    assert lenient.options == {}
    assert notes_of(a, lenient) == ()
    assert notes_of(b, b) == ()
    other = score({"dog": bar(10)}, truth, missing="score-as-empty")
    assert "sequence cat" in notes_of(b, other)[0]
    made = breakdown({"m": a, "n": b}, object_attributes(truth), resamples=10)
    assert any("m and n were scored by different rules" in n for n in made.notes)


def test_void_sizes_and_merged_labels_are_told(truth):
    rim = {name: np.where(bar(16) > 0, 255, masks) for name, masks in truth.items()}
    own = {"cat": bar(9), "dog": bar(9)}
    a, b = score(own, rim), score(own, rim, void=255)
    assert a.summary["J"] != b.summary["J"]
    assert "a without void and b with void 255" in notes_of(a, b)[0]
    assert notes_of(score(own, truth), score(own, truth, void=255)) == ()  # none there
    small = {name: masks[:, ::2, ::2] for name, masks in own.items()}
    c = score(small, truth, resize="nearest")
    assert "with resize nearest" in notes_of(score(own, truth), c)[0]
    assert score(own, truth, resize="nearest").options == {}
    d = score(own, truth, binarize=True)
    assert (
        "a without binarize and b with binarize;" in notes_of(score(own, truth), d)[0]
    )


def test_an_option_that_says_what_the_protocol_does_is_no_difference(truth):
    own = {"cat": bar(9), "dog": bar(9)}
    ignoring = next(p for p in PROTOCOLS.values() if p.void == "ignored")
    rim = {name: np.where(bar(16) > 0, 255, masks) for name, masks in truth.items()}
    said, plain = score(own, rim, ignoring, void=255), score(own, rim, ignoring)
    assert said.options == {"void": 255}
    assert notes_of(plain, said) == ()


def test_options_are_kept_with_scores(truth, tmp_path):
    b = score({"cat": bar(10)}, truth, missing="score-as-empty")
    b.save(tmp_path / "new")
    assert Scores.load(tmp_path / "new").options == {"missing": "score-as-empty"}
    record = ScoreRecord.of(b, options={"void": 255}).as_json()
    old = replace(b, options={})
    old.save(tmp_path / "old", record=record)
    text = (tmp_path / "old" / "scores.json").read_text()
    assert '"options": {}' in text
    (tmp_path / "old" / "scores.json").write_text(
        text.replace(' "options": {},\n', "", 1)
    )
    assert Scores.load(tmp_path / "old").options == {"void": 255}


def test_shards_join_their_options(truth):
    chosen = InputOptions(missing="score-as-empty")
    whole = score({"cat": bar(10)}, truth, options=chosen)
    parts = [
        score({"cat": bar(10)}, truth, sequences=[name], options=chosen)
        for name in truth
    ]
    assert merge(parts).options == whole.options == {"missing": "score-as-empty"}
    other = score({"dog": bar(10)}, truth, sequences=["dog"], binarize=True)
    with pytest.raises(InputError, match="options: none and binarize True"):
        merge([parts[0], other])


def test_two_protocols_of_one_name_are_refused(truth):
    a = score(truth, truth)
    mine = replace(a.protocol, frames="all")
    for refuse in (
        lambda: compare(a, replace(a, protocol=mine)),
        lambda: require_one_protocol([a.protocol, mine]),
    ):
        with pytest.raises(InputError, match="differ in frames interior and all"):
            refuse()
    assert applied_options(
        InputOptions(resize="nearest", void=3), empty=True, resized=False, void=True
    ) == {"void": 3}

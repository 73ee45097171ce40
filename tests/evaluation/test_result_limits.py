"""What tables, notes and files of scores hold, number by number and name by name."""

from __future__ import annotations

from dataclasses import replace
from math import isnan, nan
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evaluation import score
from evaluation.errors import InputError
from evaluation.masks.alignment import notes_on_empty
from evaluation.options import InputOptions
from evaluation.results import scores as scores_module
from evaluation.results.bootstrap import _draw
from evaluation.results.compare import compare
from evaluation.results.ground_truths import note_ground_truths, note_other_name
from evaluation.results.official import compare_with_official
from evaluation.results.same_rules import (
    applied_options,
    note_rules,
    require_one_protocol,
)
from evaluation.results.scores import Scores, merge
from evaluation.results.shards import joined_inputs
from evaluation.results.storage import _encode, load_tables, save_tables
from evaluation.results.strata import by_stratum, format_strata
from evaluation.results.table_folder import discard_tables
from evaluation.results.text import format_scores, notes_to_show


@pytest.fixture(scope="module")
def scores() -> Scores:
    """Of "cat" J is 2/3 in all frames, of "dog" 1."""
    truth = np.zeros((5, 20, 20), np.uint8)
    truth[:, 5:15, 5:15] = 1
    two = truth.copy()
    two[:, 0:3, 0:3] = 2
    own = {"cat": np.roll(truth, 2, axis=2), "dog": two}
    return score(own, {"cat": truth, "dog": two}, workers=1)


def test_the_table_of_sequences(scores) -> None:
    f = scores.object_columns["F_mean"][0]
    assert list(scores.sequence_columns) == ["sequence", "n_objects", "J&F", "J", "F"]
    rows = list(zip(*scores.sequence_columns.values(), strict=True))
    assert rows == [
        ("cat", 1, pytest.approx((2 / 3 + f) / 2), pytest.approx(2 / 3), f),
        ("dog", 2, 1, 1, 1),
    ]


def test_the_table_of_frames_has_whole_and_broken_numbers(scores) -> None:
    columns = dict(scores.frame_columns)
    del columns["sequence"], columns["frame"]
    kinds = {name: np.asarray(column).dtype.kind for name, column in columns.items()}
    whole = dict.fromkeys(("object", "gt_area", "pred_area", "gt_digest"), "i")
    assert kinds == {**whole, "J": "f", "F": "f"}
    assert scores.frame_columns["gt_area"].dtype == np.int64
    assert scores.frames["gt_area"].tolist() == [100] * 6 + [9] * 3


def test_the_text_of_scores(scores) -> None:
    text = format_scores(scores, per_object=True).splitlines()
    numbers = [f"{scores.summary[k]:.3f}" for k in ("J&F", "J")]
    assert text[2].split()[:2] == ["J&F-Mean", "J-Mean"]
    assert text[3].split()[:2] == numbers
    start = text.index(next(line for line in text if "Sequence" in line))
    assert text[start].split() == ["Sequence", "J&F-Mean", "J-Mean", "F-Mean"]
    assert text[start + 1].split()[::2] == ["cat_1", "0.667"]
    assert text[start + 3].split() == ["dog_2", "1.000", "1.000", "1.000"]


@pytest.mark.parametrize(
    ("void", "rule", "told"),
    [(255, "ignored", False), (254, "ignored", True), (255, "background", True)],
)
def test_void_is_told_where_the_protocol_says_otherwise(
    scores, void, rule, told
) -> None:
    other = replace(scores.protocol, void=rule)
    changed = replace(scores, protocol=other, options={"void": void})
    assert (f"here {void} in" in format_scores(changed)) == told


def test_percent_is_of_fractions_and_not_of_counts(scores, monkeypatch) -> None:
    monkeypatch.setattr(
        scores_module, "tracking_summary", lambda *_: {"HOTA": 0.5, "IDSW": 3}
    )
    tracked = replace(scores, track_columns={"sequence": ["cat"]})
    percent = tracked.summary_percent
    assert (percent["HOTA"], percent["IDSW"]) == (50, 3)
    headline = replace(scores.protocol, headline="HOTA")
    for protocol, first in ((scores.protocol, "J&F-Mean"), (headline, "HOTA")):
        text = format_scores(replace(tracked, protocol=protocol)).split("\n\n")
        assert text[1].split()[0] == first


def test_groups_of_videos(scores) -> None:
    found = by_stratum(scores, {"pets": ["cat", "dog"], "none": ["eel"], "d": ["dog"]})
    assert [found[k]["videos"] for k in found] == [2, 0, 1]
    assert [found[k]["objects"] for k in found] == [3, 0, 2]
    assert found["pets"]["J"] == pytest.approx((2 / 3 + 1 + 1) / 3)
    assert isnan(found["none"]["J&F"]) and found["d"]["F"] == 1
    row = {"videos": 2, "objects": 13, "J&F": 1, "J": 1, "F": nan}
    assert format_strata({"a": row}).splitlines() == [
        "Stratum  Videos  Objects  J&F-Mean  J-Mean  F-Mean",
        "a             2       13     1.000   1.000     nan",
        "Means over objects.",
    ]


@pytest.mark.parametrize("used", ["missing", "resize", "void"])
def test_options_count_where_they_had_a_use(used) -> None:
    every = InputOptions("score-as-empty", "nearest", True, 255)
    uses = {"empty": used == "missing", "resized": used == "resize"}
    kept = applied_options(every, **uses, void=used == "void")
    assert set(kept) == {"binarize", used}


def test_rules_that_differ_are_named(scores) -> None:
    rules = scores.protocol
    other = replace(rules, void="object")
    with pytest.raises(InputError, match="that differ in void ") as caught:
        require_one_protocol([rules, other])
    assert " name " not in caught.value.found
    assert require_one_protocol([rules, rules]) is None
    mine = replace(
        scores,
        options={"missing": "score-as-empty"},
        notes=(*notes_on_empty(["3 frames of cat"]), "scored as empty: no"),
    )
    (note,) = note_rules({"a": scores, "b": mine})
    assert "a without missing and b with missing score-as-empty (3 frames of" in note
    assert "empty: no" not in note


def test_files_keep_what_scores_know(scores, tmp_path: Path) -> None:
    assert set(scores.fingerprints) == {"cat", "dog"}
    for kind in ("csv", "parquet"):
        scores.save(tmp_path, format=kind)
        loaded = Scores.load(tmp_path)
        assert loaded.fingerprints == scores.fingerprints
        assert loaded.object_columns["object"] == scores.object_columns["object"]
        endings = {path.suffix for path in tmp_path.iterdir()} - {".json"}
        assert endings == {f".{kind}"}  # those of the other format are gone


def test_tables_are_of_the_format_asked_for(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [1, 2]})
    assert _encode(table, "csv") == b"a\n1\n2\n"
    assert _encode(table, "parquet")[:4] == b"PAR1"
    save_tables(tmp_path, "things", {"n": 1}, {"rows": table})
    facts, (read,) = load_tables(tmp_path, "things", ["n"], ["rows"], "Again.")
    assert facts == {"n": 1} and read.equals(table)


def test_shards_of_one_run_are_joined(scores) -> None:
    def shard(k: int, of: int = 2) -> dict[str, str]:
        return {"results": "r", "shard": f"{k}/{of}", "of_sequences": "2"}

    assert joined_inputs([shard(1), shard(2)]) == {"results": "r"}
    with pytest.raises(InputError, match="one that is no shard"):
        joined_inputs([shard(1), shard(2), {"results": "r"}])
    parts = [_only(scores, name) for name in ("cat", "dog")]
    whole = merge([replace(one, version="1.5") for one in parts])
    assert (whole.version, whole.fingerprint) == ("1.5", scores.fingerprint)
    assert merge(parts).version == ""
    with pytest.raises(InputError, match="sequence cat in two"):
        merge([parts[0], parts[0]])


def _only(scores: Scores, name: str) -> Scores:
    def rows(table):
        kept = [i for i, own in enumerate(table["sequence"]) if own == name]
        return {k: [column[i] for i in kept] for k, column in table.items()}

    return replace(
        scores,
        frame_columns=rows(scores.frame_columns),
        object_columns=rows(scores.object_columns),
        fingerprints={name: scores.fingerprints[name]},
    )


def test_comparisons_of_errors_and_of_part_of_the_objects(scores) -> None:
    table = {k: list(v) for k, v in scores.object_columns.items()}
    worse = replace(scores, object_columns=table | {"J_decay": [0.3, 0.1, 0.2]})
    better = replace(scores, object_columns=table | {"J_decay": [0.2, 0.3, 0.3]})
    told = compare(worse, better, metric="J_decay")
    assert told.objects["delta"].round(9).tolist() == [0.2, 0.1, -0.1]
    assert str(told).startswith("J_decay (lower is better): 0.200 -> 0.267, ")
    assert "lower is better" not in str(compare(worse, better, metric="J"))
    part = compare(scores, _only(scores, "dog"), metric="J")
    assert part.only_in_a == (("cat", 1),) and not part.only_in_b
    assert any("only in a" in note for note in part.notes)
    table["J_mean"] = [nan, 1.0, 1.0]
    known = compare(scores, replace(scores, object_columns=table), metric="J")
    assert known.keys == (("dog", 1), ("dog", 2))


def test_draws_of_a_bootstrap_are_shared_and_may_not_be_changed() -> None:
    drawn = _draw(3, 50, 0)
    assert not drawn.flags.writeable and drawn.dtype.itemsize == 1
    assert drawn.shape == (50, 3) and set(drawn.sum(axis=1)) == {3}


def test_official_numbers_are_compared_one_by_one(scores, tmp_path: Path) -> None:
    f = 100 * scores.object_columns["F_mean"][0]
    file = tmp_path / "results.csv"
    file.write_text(
        "sequence,obj,J&F,J,F\n"
        f"cat,001,{f / 2 + 100 / 3:.1f},66.7,{f:.1f}\n"
        "dog,001,100.0,90.0,100.0\n"
    )
    told = compare_with_official(scores, file)
    assert [check.agrees for check in told.checks] == [True] * 4 + [False, True]
    assert told.checks[4].ours == 100 and told.unchecked == ("dog_2",)
    lines = str(told).splitlines()
    assert lines[0].startswith("5 of 6 numbers agree")
    assert lines[1] == "  dog_1 J: official 90.0, ours 100.0"
    assert len(lines) == 3 and "dog_2 (1 object that" in lines[2]


def test_ground_truths_are_told_apart(scores) -> None:
    assert note_other_name("a", "") == note_other_name("a", "./a") == []
    assert note_other_name("a", "b") == ["different ground truths: a and b"]
    columns = dict(scores.frame_columns)
    columns["gt_area"] = np.where(columns["gt_area"] == 9, 8, columns["gt_area"])
    other = replace(scores, frame_columns=columns)
    (note,) = note_ground_truths({"a": scores, "b": other})
    assert "differ in 1 object of the ground truth" in note and "dog" in note
    assert note_ground_truths({"a": scores, "b": _only(scores, "dog")}) == ()


def test_lvos_alone_tells_how_steady_scores_are(scores) -> None:
    steady = replace(scores, protocol=replace(scores.protocol, name="lvos"))
    shown = [any(line.startswith("V ") for line in format_scores(one).splitlines())
             for one in (scores, steady)]  # fmt: skip
    assert shown == [False, True]


def test_objects_in_json_have_their_names_and_groups(scores) -> None:
    grouped = dict(scores.object_columns) | {"group": ["seen", "unseen", "seen"]}
    document = replace(scores, object_columns=grouped).to_json_dict()
    names = ("sequence", "object", "group", "n_frames")
    assert [tuple(row[name] for name in names) for row in document["objects"]] == [
        ("cat", 1, "seen", 3),
        ("dog", 1, "unseen", 3),
        ("dog", 2, "seen", 3),
    ]


def test_objects_of_unseen_videos_are_told(scores) -> None:
    truth = np.ones((3, 4, 4), np.uint8)
    for unseen in ("dog", "dog/1"):
        both = {"cat": truth, "dog": truth}
        told = score(both, both, "lvos", unseen=[unseen], workers=1)
        assert told.object_columns["group"] == ["seen", "unseen"]


def test_shards_without_fingerprints_of_their_videos(scores) -> None:
    parts = [replace(_only(scores, name), fingerprints={}, fingerprint=name)
             for name in ("cat", "dog")]  # fmt: skip
    assert merge(parts[:1]).fingerprint == "cat"
    both = [merge(parts).fingerprint, merge(parts[::-1]).fingerprint]
    assert both[0] == both[1] and len(both[0]) > 3


def test_shards_that_were_asked_alike_are_joined(scores) -> None:
    plain = {"shard": "1/2", "of_sequences": "2", "options": ""}
    other = plain | {"shard": "2/2", "options": "binarize True"}
    assert joined_inputs([plain, plain | {"shard": "2/2"}]) == {}
    with pytest.raises(InputError, match="options: none and binarize True"):
        joined_inputs([plain, other])


def test_tables_and_records_are_discarded_and_nothing_else(tmp_path: Path) -> None:
    for name in ("a.json", "b.csv", "c.parquet", "d.txt"):
        (tmp_path / name).write_text("")
    discard_tables(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["d.txt"]


def test_what_is_said_of_many_videos_is_said_once() -> None:
    few = [f"{name}: flipped" for name in "abc"]
    assert notes_to_show([*few, "all: well", "plain"]) == [*few, "all: well", "plain"]
    many = [f"{name}: flipped" for name in "abcde"]
    assert notes_to_show(many) == ["a, b, c and 2 more: flipped"]


def test_unknown_names_of_unseen_kinds_are_told_of_merged_scores_as_of_one_run() -> (
    None
):
    truth = np.zeros((4, 8, 8), np.uint8)
    truth[:, 1:5, 1:5], truth[:, 6:8, 6:8] = 1, 2
    unseen = ["cat", "dog/2", "dog/7", "ghost", "ghost/1"]

    def scores_of(names: str, unseen: list[str]) -> Scores:
        videos = {name: truth for name in names.split()}
        return score(videos, videos, "lvos", unseen=unseen, workers=1)

    whole = scores_of("cat dog", unseen)
    told = [note for note in whole.notes if "unseen" in note]
    assert len(told) == 2 and told[1].startswith("dog: object 7, listed as unseen")
    assert told[0].startswith("2 of the names") and told[0].endswith(": ghost, ghost/1")
    parts = [scores_of("cat", unseen), scores_of("dog", unseen)]
    merged = merge(parts)
    assert [note for note in merged.notes if "unseen" in note] == told
    assert merged.object_columns["group"] == whole.object_columns["group"]
    # The list was given for one of the parts only.
    other = merge([scores_of("cat", ["cat", "dog"]), scores_of("dog", [])])
    assert [note for note in other.notes if note.startswith("dog:")] == [
        "dog: listed as unseen for some of the merged scores, and not for all"
    ]

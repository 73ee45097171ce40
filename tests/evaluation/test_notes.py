"""Notes keep what they say as data: when saved, sent to processes, merged, left out."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation import Scores, merge, score
from evaluation.masks.alignment import notes_on_empty
from evaluation.notes import Note, note_facts, with_facts
from evaluation.results.same_rules import options_in_words
from evaluation.runs.score_records import ScoreRecord
from s3fo.benchmarks.benchmark import Benchmark

ANT, BEE = "ant, in frame 7: red", "bee"
"""A name that no sentence can be cut at."""


def overlapping(*frames: int) -> dict[str, dict[int, np.ndarray]]:
    """Objects 1 and 2 of 9 x 12 pixels, which share a column in some of 6 frames."""
    drawn = {}
    for t in range(6):
        one, two = np.zeros((2, 9, 12), bool)
        one[2:7, 1 : 6 if t in frames else 5] = True
        two[2:7, 5:10] = True
        drawn[f"{t:05d}"] = {1: one, 2: two}
    return drawn


def truth_of(*names: str) -> dict[str, np.ndarray]:
    label_map = np.zeros((9, 12), np.uint8)
    label_map[2:7, 1:5], label_map[2:7, 5:10] = 1, 2
    return {name: np.stack([label_map] * 6) for name in names}


@pytest.fixture(scope="module")
def parts() -> list[Scores]:
    """Each knows the video of the other as an unseen name that fits no sequence."""
    results = {ANT: overlapping(1, 3), BEE: overlapping(4), "cow": overlapping()}
    return [
        score(results, truth_of(name), "youtube-vos", unseen=[ANT, BEE])
        for name in (ANT, BEE)
    ]


def test_saved_notes_are_merged_whatever_names_are_in_them(parts, tmp_path: Path):
    for part, folder in zip(parts, "ab", strict=True):
        part.save(tmp_path / folder)
    merged = merge([tmp_path / "b", tmp_path / "a"])
    others, together, alone = merged.notes
    assert others.startswith("1 video of the results not scored")
    assert others.endswith("of this name: cow")
    start = f"masks overlap in 3 frames of 2 videos, first objects 1 and 2 of {ANT} in "
    assert f"predicted {start}frame 00001: " in alone
    assert together.startswith("all objects are marked as unseen")
    assert merged.notes == merge(parts).notes


def test_notes_of_earlier_files_are_merged_as_well(parts, tmp_path: Path) -> None:
    texts = [
        "3 of the names of unseen kinds fit no sequence of the ground truth: bee, x, y",
        "only 1 of 9 sequences of the ground truth are scored: means are not those of "
        "all",
        "predicted masks overlap in 9 frames of 4 videos, first objects 2 and 5 of aa "
        "in frame 00007: the official tool of youtube-vos reads label maps, one object",
        "2 frames differ",
    ]
    parts[0].save(tmp_path)
    path = tmp_path / "scores.json"
    document = json.loads(path.read_text())
    assert {fact["kind"] for fact in document["note_facts"]} >= {"shared-pixels"}
    del document["note_facts"]
    path.write_text(json.dumps(document | {"notes": texts}))
    merged = merge([Scores.load(tmp_path), replace(parts[1], notes=())]).notes
    assert [note[:75] for note in merged] == [
        "2 frames differ",
        "2 of the names of unseen kinds fit no sequence of the ground truth: x, y",
        "all objects are marked as unseen: the total is over these only",
        "predicted masks overlap in 9 frames of 4 videos, first objects 2 and 5 of a",
    ]


def test_records_say_what_was_scored_as_empty(parts) -> None:
    options = {"missing": "score-as-empty"}
    notes = (*notes_on_empty(["4 frames of fox"]), "scored as empty: by hand")
    record = ScoreRecord.of(replace(parts[0], notes=notes, options=options))
    content = json.loads(json.dumps(record.as_json()))
    rules = parts[0].protocol
    found = ScoreRecord.parse(content, Path("record.json"))
    words = {"missing": "with missing score-as-empty (4 frames of fox)"}
    assert options_in_words(options, rules, found.told) == words
    del content["note_facts"]  # as earlier versions wrote it
    earlier = ScoreRecord.parse(content, Path("record.json"))
    words = {"missing": "with missing score-as-empty (4 frames of fox; by hand)"}
    assert options_in_words(options, rules, earlier.told) == words


def test_notes_survive_processes_and_kinds_of_later_versions() -> None:
    note = Note("3 of 4", "few-videos", n=3)
    sent = pickle.loads(pickle.dumps(note))
    assert (sent, sent.kind, sent.data) == ("3 of 4", "few-videos", {"n": 3})
    later = [{"note": "new", "kind": "of-tomorrow", "data": {}}, *note_facts([note])]
    assert note_facts(with_facts(["new", "3 of 4"], later)) == note_facts([note])


def test_a_choice_of_videos_drops_the_note_on_few_by_its_kind() -> None:
    few = Note("2 of the 30 videos of DAVIS are here", "few-videos")
    alike = "2 of the 30 videos of DAVIS are here, says a file"
    found = Benchmark("d", None, Path(), (), "davis-2017", (few, alike))
    assert found.notes_on_choice == (alike,)

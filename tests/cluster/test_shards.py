"""Shards of a benchmark: each video once, balanced, merged to what one run gives."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from evaluation import Scores, score
from evaluation._utils.shards import Shard
from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from s3fo.benchmarks import open_benchmark, write_synthetic
from s3fo.benchmarks.synthetic import Factors
from s3fo.cluster import choose_sequences, shard_names

LENGTHS = {"ape": 9, "bee": 6, "cat": 5, "dog": 5, "elk": 4}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards") / "benchmark"
    videos = {name: Factors(objects=1, length=n) for name, n in LENGTHS.items()}
    write_synthetic(folder, videos=videos, size=(60, 96))
    return folder


def truth(root: Path) -> Path:
    return root / "Annotations" / "480p"


def test_the_costliest_goes_where_there_is_least():
    costs = {"a": 3, "b": 7, "c": 4, "d": 4, "e": 6}
    # 7 | 6 | 4, then 4 to the third, then 3 to the second.
    parts = [Shard(i, 3).choose(costs) for i in (1, 2, 3)]
    assert parts == [["b"], ["a", "e"], ["c", "d"]]
    backwards = dict(reversed(costs.items()))
    assert sorted(Shard(2, 3).choose(backwards)) == ["a", "e"]


def test_more_shards_than_videos_leave_the_last_empty():
    parts = [Shard(i, 4).choose({"a": 1, "b": 0}) for i in range(1, 5)]
    assert parts == [["a"], ["b"], [], []]


@pytest.mark.parametrize("text", ["0/3", "4/3", "2", "a/b", "-1/3", "1/0", "1/3/5"])
def test_shards_that_do_not_exist_are_refused(text):
    with pytest.raises(InputError, match="i/n with i from 1 to n"):
        Shard.parse(text)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, None),
        ({"SLURM_JOB_ID": "7"}, None),
        (
            {"SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_COUNT": "4",
             "SLURM_ARRAY_TASK_MIN": "5"},
            "3/4",
        ),
        (
            {"SLURM_ARRAY_TASK_ID": "5", "SLURM_ARRAY_TASK_COUNT": "4",
             "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_STEP": "2"},
            "3/4",
        ),
        ({"SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_COUNT": "2"}, "1/2"),
        ({"SGE_TASK_ID": "undefined"}, None),
        (
            {"SGE_TASK_ID": "6", "SGE_TASK_FIRST": "2", "SGE_TASK_LAST": "8",
             "SGE_TASK_STEPSIZE": "2"},
            "3/4",
        ),
        ({"LSB_JOBINDEX": "0", "LSB_JOBINDEX_END": "0"}, None),
        ({"LSB_JOBINDEX": "2", "LSB_JOBINDEX_END": "5"}, "2/5"),
        (
            {"AWS_BATCH_JOB_ARRAY_INDEX": "1", "AWS_BATCH_JOB_ARRAY_SIZE": "3"},
            "2/3",
        ),
    ],
)  # fmt: skip
def test_an_array_job_tells_the_shard(variables, expected):
    shard = Shard.from_environment(variables)
    assert (shard and str(shard)) == expected


def test_an_array_with_gaps_is_refused():
    gaps = {
        "SLURM_ARRAY_TASK_ID": "9",
        "SLURM_ARRAY_TASK_COUNT": "3",
        "SLURM_ARRAY_TASK_MIN": "1",
    }
    with pytest.raises(InputError, match="without gaps"):
        Shard.from_environment(gaps)


def test_a_benchmark_and_its_masks_alone_are_divided_alike(root):
    benchmark = open_benchmark("davis-2017", root)
    parts = [shard_names(benchmark, f"{i}/2") for i in (1, 2)]
    # 18 | 12, then 10 to the second, 10 to the first, 8 to the second.
    assert parts == [["ape", "dog"], ["bee", "cat", "elk"]]
    assert [shard_names(truth(root), f"{i}/2") for i in (1, 2)] == parts


def test_named_sequences_are_divided_among_themselves(root, monkeypatch):
    assert shard_names(truth(root), "1/2", ["cat", "elk"]) == ["cat"]
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "1")
    monkeypatch.setenv("SLURM_ARRAY_TASK_COUNT", "2")
    assert choose_sequences(truth(root)).names == ("bee", "cat", "elk")
    assert choose_sequences(truth(root), ["cat", "elk"]).names == ("cat", "elk")
    assert len(choose_sequences(truth(root), None, "1/1").names) == len(LENGTHS)
    with pytest.raises(InputError, match="fox"):
        choose_sequences(truth(root), ["fox"])


def spoilt(source: Path, folder: Path, by: int = 2) -> Path:
    """Results that are off by some pixels, with an id that is no object's."""
    from evaluation.masks.label_map import read_label_map

    for path in sorted(source.glob("*/*.png")):
        masks = np.roll(read_label_map(path), by, axis=1)
        masks[0, 0] = 9
        write_label_map(folder / path.parent.name / path.name, masks)
    return folder


@pytest.mark.parametrize("protocol", ["davis-2017", "lvos", "trackeval-davis"])
def test_merged_files_are_those_of_one_run(cli, root, tmp_path, protocol):
    results = spoilt(truth(root), tmp_path / "results")
    words = ["evaluate", results, "--gt", truth(root), "--protocol", protocol]
    assert cli(*words, "--out", tmp_path / "whole")[0] == 0
    shards = [tmp_path / f"shard{i}" for i in (1, 2, 3)]
    for i, folder in enumerate(shards, start=1):
        assert cli(*words, "--shard", f"{i}/3", "--out", folder)[0] == 0
    code, text, _ = cli("merge-shards", *shards[::-1], "--out", tmp_path / "merged")
    assert code == 0 and "J&F" in text
    names = ("frames.parquet", "objects.parquet", "sequences.parquet")
    for name in names:
        whole, merged = (tmp_path / k / name for k in ("whole", "merged"))
        assert whole.read_bytes() == merged.read_bytes(), name
    whole, merged = (
        json.loads((tmp_path / k / "scores.json").read_text())
        for k in ("whole", "merged")
    )
    assert whole["record"]["masks"]
    assert whole["notes"] or protocol == "trackeval-davis"
    del whole["record"]["scored"], merged["record"]["scored"]
    assert whole == merged


def test_an_incomplete_merge_is_refused(cli, root, tmp_path):
    words = ["evaluate", truth(root), "--gt", truth(root)]
    for i in (1, 2):
        assert cli(*words, "--shard", f"{i}/3", "--out", tmp_path / str(i))[0] == 0
    code, _, errors = cli("merge-shards", tmp_path / "1", tmp_path / "2")
    assert code == 2 and "without 3/3" in errors
    assert cli(*words, "--shard", "1/2", "--out", tmp_path / "other")[0] == 0
    code, _, errors = cli("merge-shards", tmp_path / "2", tmp_path / "other")
    assert code == 2 and ("3 and 2" in errors or "in two of them" in errors)
    void = [*words, "--void", "99", "--shard", "3/3", "--out", tmp_path / "3"]
    assert cli(*void)[0] == 0  # of no use here, and yet another run
    code, _, errors = cli("merge-shards", *(tmp_path / k for k in "123"))
    assert code == 2 and "options: none and void 99" in errors


def test_shards_of_other_masks_are_refused_before_numbers_are_shown(
    cli, root, tmp_path
):
    results = spoilt(truth(root), tmp_path / "results")
    words = ["evaluate", results, "--gt", truth(root)]
    shards = [tmp_path / "1", tmp_path / "2"]
    assert cli(*words, "--shard", "1/2", "--out", shards[0])[0] == 0
    spoilt(truth(root), results, by=3)
    assert cli(*words, "--shard", "2/2", "--out", shards[1])[0] == 0
    for where in ([], ["--out", tmp_path / "merged"]):
        code, text, errors = cli("merge-shards", *shards, *where)
        assert (code, text) == (2, "") and "other masks" in errors


def test_shards_of_a_ground_truth_that_changed_since_are_refused(cli, root, tmp_path):
    true = spoilt(truth(root), tmp_path / "gt", by=0)
    words = ["evaluate", truth(root), "--gt", true]
    shards = [tmp_path / "1", tmp_path / "2"]
    assert cli(*words, "--shard", "1/2", "--out", shards[0])[0] == 0
    spoilt(truth(root), true, by=2)
    assert cli(*words, "--shard", "2/2", "--out", shards[1])[0] == 0
    code, text, errors = cli("merge-shards", *shards)
    assert (code, text) == (2, "") and f"{shards[0]}\n" in errors
    assert "changed since it was scored" in " ".join(errors.split())
    assert cli(*words, "--shard", "1/2", "--out", shards[0])[0] == 0
    assert cli("merge-shards", *shards)[0] == 0


def test_scores_that_are_replaced_by_those_of_something_else_are_told(
    cli, root, tmp_path
):
    results, other = (spoilt(truth(root), tmp_path / name) for name in ("r", "o"))
    out = tmp_path / "out"

    def told(results: Path, *words: object) -> str:
        words = ("evaluate", results, "--gt", truth(root), "--out", out, *words)
        code, _, errors = cli(*words)
        assert code == 0
        return " ".join(errors.split()).partition("held scores ")[2]

    cat, elk = ("--sequence", "cat"), ("--sequence", "elk")
    assert told(results, *cat) == told(results, *cat) == ""
    lost = "of sequences that are not in the new ones (cat): they are replaced."
    assert told(results, *elk).startswith(lost)
    spoilt(truth(root), results, by=3)
    assert told(results, *elk).startswith("of other masks of elk: they are replaced.")
    assert told(other, *elk).startswith(f"of other results ({results}): they")
    assert told(other, *cat, *elk) == ""
    assert set(Scores.load(out).object_columns["sequence"]) == {"cat", "elk"}


def test_an_empty_shard_is_told_and_not_missed(cli, root, tmp_path):
    words = ["evaluate", truth(root), "--gt", truth(root), "--sequence", "cat"]
    assert cli(*words, "--shard", "1/2", "--out", tmp_path / "1")[0] == 0
    code, _, errors = cli(*words, "--shard", "2/2", "--out", tmp_path / "2")
    assert code == 0 and "nothing to do" in errors and not (tmp_path / "2").exists()
    assert cli("merge-shards", tmp_path / "1")[0] == 0


def test_scores_of_an_array_task_say_so(cli, root, tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "2")
    monkeypatch.setenv("SLURM_ARRAY_TASK_MIN", "1")
    monkeypatch.setenv("SLURM_ARRAY_TASK_COUNT", "2")
    words = ["evaluate", truth(root), "--gt", truth(root), "--record"]
    code, _, errors = cli(*words, "--out", tmp_path / "2")
    assert code == 0 and "shard 2/2 (3 of 5 sequences)" in errors
    assert "SLURM_ARRAY_TASK_ID" in errors
    scores = Scores.load(tmp_path / "2")
    assert scores.inputs["shard"] == "2/2"
    assert not (truth(root) / "scores").exists()
    names = ["bee", "cat", "elk"]
    assert sorted(set(scores.object_columns["sequence"])) == names
    alone = score(truth(root), truth(root), sequences=names)
    assert scores.summary == alone.summary


def test_shards_of_predict_fill_one_folder(cli, root, tmp_path):
    words = ["predict", "davis-2017", "--root", root, "--method", "copy"]
    for i in (1, 2):
        code, text, _ = cli(*words, "--out", tmp_path / "masks", "--shard", f"{i}/2")
        assert code == 0 and f"{i + 1} videos done" in text
    record = json.loads((tmp_path / "masks" / "run.json").read_text())
    assert sorted(record["sequences"]) == sorted(LENGTHS)
    words += ["--out", tmp_path / "two", "--sequence", "cat", "--sequence", "elk"]
    assert cli(*words)[0] == 0
    assert sorted(p.name for p in (tmp_path / "two").glob("*/")) == ["cat", "elk"]


def test_attributes_and_failures_take_shards(cli, root, tmp_path):
    gt = truth(root)
    code, text, _ = cli("attributes", "--gt", gt, "--shard", "1/2", "--json")
    assert code == 0
    assert {row["sequence"] for row in json.loads(text)} == {"ape", "dog"}
    results = spoilt(gt, tmp_path / "results")
    words = ["failures", results, "--gt", gt, "--out", tmp_path / "out"]
    code, _, errors = cli(*words, "--shard", "2/2")
    assert code == 0 and "of these sequences only" in errors
    from evaluation import Failures

    found = Failures.load(tmp_path / "out").frames
    assert set(found["sequence"]) == {"bee", "cat", "elk"}


def test_shards_of_an_audit_find_what_one_run_finds(cli, root, tmp_path):
    from evaluation.masks.label_map import read_label_map

    gt = tmp_path / "gt"
    for path in sorted(truth(root).glob("*/*.png")):
        masks = read_label_map(path)
        if (path.parent.name, path.stem) in {("ape", "00004"), ("bee", "00003")}:
            masks = np.zeros_like(masks)  # the object is gone in one frame
        write_label_map(gt / path.parent.name / path.name, masks)
    facts = ("sequence", "object", "kind", "start", "end", "reason")

    def events(*words: object) -> set[tuple[object, ...]]:
        code, text, _ = cli("audit", "--gt", gt, "--json", *words)
        assert code == 0
        return {tuple(e[key] for key in facts) for e in json.loads(text)["events"]}

    parts = [events("--shard", f"{i}/2") for i in (1, 2)]
    assert {e[0] for e in parts[0]} == {"ape"} and {e[0] for e in parts[1]} == {"bee"}
    assert parts[0] | parts[1] == events()
    assert events("--sequence", "bee") == parts[1]
    code, _, errors = cli("audit", "--load", tmp_path, "--shard", "1/2")
    assert code == 2 and "--shard" in errors

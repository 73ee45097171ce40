"""Scores are kept, merged, cached and checked without losing a digit."""

import io
import json
import math
import os
import shutil
import subprocess
import sys
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from official_numbers import FIXTURES, load_case

from evaluation import InputError, Scores, compare_with_official, merge, score
from evaluation.counting.video import count_sequence
from evaluation.masks.label_map import read_label_map, write_label_map
from evaluation.results import encode
from evaluation.results.encode import encode_csv, encode_parquet
from evaluation.results.shards import joined_inputs


@pytest.fixture
def three(small):
    """Three sequences of different quality."""
    for i, name in enumerate(("run", "jump")):
        small.write(small.gt, 0, name)
        small.write(small.pred, 3 * i, name)
    return small


@pytest.mark.parametrize("form", ["parquet", "csv"])
@pytest.mark.parametrize(
    "protocol", ["davis-2017", "mose-v2", "lvos", "davis-2017-unsupervised"]
)
def test_saving_and_loading_keeps_every_digit(three, tmp_path, form, protocol):
    scores = score(three.pred, three.gt, protocol, unseen=["run"])
    loaded = Scores.load(scores.save(tmp_path / "scores", format=form))
    assert loaded.protocol == scores.protocol
    assert loaded.fingerprint == scores.fingerprint
    assert loaded.notes == scores.notes
    assert loaded.summary == pytest.approx(scores.summary, abs=0, nan_ok=True)
    for table in ("frames", "objects", "sequences"):
        assert getattr(loaded, table).equals(getattr(scores, table)), table


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_saving_loads_no_pandas(small, tmp_path, form):
    code = (
        "import sys; from evaluation import score; "
        f"score({str(small.pred)!r}, {str(small.gt)!r}).save({str(tmp_path)!r}, "
        f"format={form!r}); print('pandas' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_tables_are_what_pandas_writes(tmp_path):
    """Also texts of several bytes, missing values, and the ends of the types."""
    columns = {
        "sequence": ["böser-Ort", "", "日本", math.nan],
        "quoted": ["a,b", 'say "no"', "two\nlines", "0012"],
        "object": np.array([1, 2, 2**63 - 1, -(2**63)]),
        "J": [0.1, math.nan, 5e-324, 1 / 3],
        "empty": [math.nan] * 4,
    }
    table = pd.DataFrame(columns)
    read = pd.read_parquet(io.BytesIO(encode_parquet(columns)))
    pd.testing.assert_frame_equal(read, table, check_exact=True, check_dtype=False)
    assert [str(read[name].dtype) for name in ("object", "J")] == ["int64", "float64"]
    assert encode_csv(columns).decode() == table.to_csv(index=False)


@pytest.mark.parametrize("rows", [3, 4, 9])
def test_long_tables_are_encoded_in_parts(monkeypatch, rows):
    monkeypatch.setattr(encode, "ROW_GROUP", 4)
    columns = {"frame": [f"{i:05}" for i in range(rows)], "J": np.arange(rows) / 7}
    read = pd.read_parquet(io.BytesIO(encode_parquet(columns)))
    assert read["frame"].tolist() == columns["frame"]
    assert read["J"].tolist() == columns["J"].tolist()


def test_tables_without_rows():
    columns = {"sequence": [], "J": np.zeros(0)}
    assert pd.read_parquet(io.BytesIO(encode_parquet(columns))).shape == (0, 2)
    assert encode_csv(columns) == b"sequence,J\n"


def test_saving_in_the_other_format_replaces_the_first(small, tmp_path):
    scores = score(small.pred, small.gt)
    scores.save(tmp_path, format="parquet")
    scores.save(tmp_path, format="csv")
    assert not list(tmp_path.glob("*.parquet"))
    assert Scores.load(tmp_path).summary == scores.summary


def test_numeric_sequence_names_stay_text(small, tmp_path):
    for folder in (small.gt, small.pred):
        (folder / "walk").rename(folder / "0012")
    scores = score(small.pred, small.gt)
    loaded = Scores.load(scores.save(tmp_path, format="csv"))
    assert loaded.frames["sequence"][0] == "0012"
    assert loaded.frames["frame"][0] == "00001"


def test_loading_nothing_is_told(tmp_path):
    with pytest.raises(InputError, match="no saved scores"):
        Scores.load(tmp_path)
    with pytest.raises(InputError, match="'parquet' or 'csv'"):
        empty = Scores(None, {}, {}, "")  # type: ignore[arg-type]
        empty.save(tmp_path, format="xlsx")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"format": "xml"}, "format 'xml'"),
        ({"protocol_fields": {"colour": "red"}}, "a protocol that is none"),
    ],
)
def test_a_record_that_was_written_by_hand_is_told(small, tmp_path, changed, told):
    place = score(small.pred, small.gt).save(tmp_path / "saved") / "scores.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), **changed}))
    with pytest.raises(InputError) as caught:
        Scores.load(place.parent)
    assert caught.value.where == str(place)
    assert told in caught.value.found
    assert "score again with --out" in caught.value.remedy


def test_loading_half_a_folder_is_told(small, tmp_path):
    score(small.pred, small.gt).save(tmp_path)
    (tmp_path / "objects.parquet").unlink()
    with pytest.raises(InputError, match=r"objects\.parquet"):
        Scores.load(tmp_path)


@pytest.mark.parametrize("protocol", ["davis-2017", "trackeval-davis", "lvos"])
def test_merged_shards_equal_one_run(three, protocol):
    whole = score(three.pred, three.gt, protocol, unseen=["run"])
    shards = [
        score(three.pred, three.gt, protocol, sequences=[name], unseen=["run"])
        for name in ("walk", "jump", "run")
    ]
    merged = merge(shards)
    assert merged.summary == pytest.approx(whole.summary, abs=0, nan_ok=True)
    assert merged.frames.equals(whole.frames)
    assert merged.objects.equals(whole.objects)
    assert merge(shards[::-1]).fingerprint == merged.fingerprint


def test_shards_must_fit_together(three):
    walk = score(three.pred, three.gt, sequences=["walk"])
    with pytest.raises(InputError, match="sequence walk in two"):
        merge([walk, walk])
    with pytest.raises(InputError, match="one protocol"):
        merge([walk, score(three.pred, three.gt, "vos-benchmark", sequences=["run"])])
    void = score(three.pred, three.gt, sequences=["run"], void=1)
    with pytest.raises(InputError, match="void 1 and no void"):
        merge([walk, void])
    parts = [
        score(three.pred, three.gt, "youtube-vos", sequences=[k], unseen=["run"])
        for k in ("walk", "run")
    ]
    assert any("all objects are marked" in note for note in parts[1].notes)
    assert not any("marked as unseen" in note for note in merge(parts).notes)


def steps(small, cache, **options):
    """Score with a cache; number of frames that had to be counted, and the scores."""
    counted = []

    def count(pair, *rest):
        counted.append(len(pair.frames))
        return count_sequence(pair, *rest)

    with mock.patch("evaluation.scored.count_sequence", count):
        scores = score(small.pred, small.gt, cache=cache, **options)
    return sum(counted), scores


@pytest.mark.parametrize("protocol", ["davis-2017", "davis-2017-unsupervised"])
def test_unchanged_sequences_are_not_counted_again(three, tmp_path, protocol):
    cache, plain = tmp_path / "cache", score(three.pred, three.gt, protocol)
    first, scores = steps(three, cache, protocol=protocol)
    again, cached = steps(three, cache, protocol=protocol)
    assert first > 0 and again == 0
    for other in (scores, cached):
        assert other.frames.equals(plain.frames)
        assert other.fingerprint == plain.fingerprint
        assert other.notes == plain.notes


def test_a_changed_file_is_noticed_even_with_its_old_time(three, tmp_path):
    cache = tmp_path / "cache"
    _, before = steps(three, cache)
    path = three.pred / "jump" / "00005.png"
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    write_label_map(path, read_label_map(path)[:, ::-1])
    os.utime(path, ns=times)
    counted, after = steps(three, cache)
    assert counted == 10
    assert after.fingerprint != before.fingerprint
    assert after.summary != before.summary
    fresh = score(three.pred, three.gt)
    assert after.frames.equals(fresh.frames)


@pytest.mark.parametrize(
    "options", [{"protocol": "mose-v2"}, {"binarize": True}, {"void": 2}]
)
def test_other_rules_are_counted_anew(three, tmp_path, options):
    cache = tmp_path / "cache"
    steps(three, cache)
    counted, scores = steps(three, cache, **options)
    assert counted > 0
    assert scores.frames.equals(score(three.pred, three.gt, **options).frames)


def test_an_interrupted_job_goes_on_where_it_was(three, tmp_path):
    cache = tmp_path / "cache"

    def interrupt(done, total, label):
        if done > 15:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(three.pred, three.gt, cache=cache, progress=interrupt, workers=1)
    counted, scores = steps(three, cache, workers=1)
    assert counted == 20
    assert scores.frames.equals(score(three.pred, three.gt).frames)


def test_a_damaged_cache_is_not_believed(small, tmp_path):
    cache = tmp_path / "cache"
    _, before = steps(small, cache)
    for path in cache.rglob("*.npz"):
        path.write_bytes(path.read_bytes()[:100])
    counted, after = steps(small, cache)
    assert counted == 10
    assert after.frames.equals(before.frames)


def test_json_is_plain_and_complete(three):
    scores = score(three.pred, three.gt, "davis-2017")
    document = json.loads(json.dumps(scores.to_json_dict(), allow_nan=False))
    assert document["protocol"] == "davis-2017"
    for key in ("J&F", "J", "F"):
        assert document[key] == scores.summary[key]
    assert len(document["objects"]) == 6
    assert document["objects"][0]["J"] == scores.objects["J_mean"][0]
    assert document["objects"][0]["J_reappearance"] is None


def test_table_shows_protocol_totals_and_objects(three):
    scores = score(three.pred, three.gt)
    text = scores.format_table()
    assert "DAVIS-2017 semi-supervised" in text
    assert f"{scores.summary['J&F']:.3f}" in text
    assert "jump_2" not in text
    assert "jump_2" in scores.format_table(per_object=True)


DAVIS_GLOBAL = "J&F-Mean,J-Mean,J-Recall,J-Decay,F-Mean,F-Recall,F-Decay"


def test_compare_with_official_davis_files(three, tmp_path):
    scores = score(three.pred, three.gt)
    keys = ("J&F", "J", "J_recall", "J_decay", "F", "F_recall", "F_decay")
    numbers = ",".join(f"{scores.summary[key]:.3f}" for key in keys)
    (tmp_path / "global.csv").write_text(f"{DAVIS_GLOBAL}\n{numbers}\n")
    agreement = compare_with_official(scores, tmp_path / "global.csv")
    assert agreement.agrees and len(agreement.checks) == 7
    rows = ["Sequence,J-Mean,F-Mean"]
    for row in scores.objects.itertuples():
        rows.append(f"{row.sequence}_{row.object},{row.J_mean:.3f},{row.F_mean:.3f}")
    (tmp_path / "objects.csv").write_text("\n".join(rows))
    assert compare_with_official(scores, tmp_path / "objects.csv").agrees
    rows[2] = rows[2].replace("0.", "0.9", 1)
    (tmp_path / "objects.csv").write_text("\n".join(rows))
    agreement = compare_with_official(scores, tmp_path / "objects.csv")
    assert not agreement.agrees
    assert "11 of 12" in str(agreement) and "jump_2 J" in str(agreement)
    (tmp_path / "objects.csv").write_text("\n".join(rows[:2] + rows[3:]))
    agreement = compare_with_official(scores, tmp_path / "objects.csv")
    left = rows[2].split(",")[0]
    assert agreement.agrees and agreement.unchecked == (left,)
    assert f"has no numbers of {left} (1 object that we scored)" in str(agreement)


def _csv_of_vos_benchmark(numbers):
    """The tool's `results.csv`: percent with one digit, columns filled with blanks."""

    def row(sequence, label, values):
        mean = values.get("J&F", (values["J"] + values["F"]) / 2)
        digits = [f"{value:.1f}".rjust(5) for value in (mean, values["J"], values["F"])]
        return ",".join([sequence.ljust(12), label, *digits])

    rows = ["sequence    ,obj,  J&F,    J,    F"]
    rows.append(row("Global score", "   ", numbers["global"]))
    for key, values in numbers["per_object"].items():
        sequence, label = key.split("/")
        rows.append(row(sequence, f"{int(label):03d}", values))
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize("dataset", ["long300", "multi", "lateid"])
def test_compare_with_official_the_csv_of_vos_benchmark(tmp_path, dataset):
    case = load_case(FIXTURES, dataset, "vosbench_skip")
    (tmp_path / "results.csv").write_text(_csv_of_vos_benchmark(case.numbers))
    scores = score(case.results, case.ground_truth, "vos-benchmark")
    assert compare_with_official(scores, tmp_path / "results.csv").agrees
    wrong = score(case.results, case.ground_truth, "davis-2016", binarize=True)
    assert not compare_with_official(wrong, tmp_path / "results.csv").agrees


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "J-Mean\nx\n", "Sequence,V\nwalk_1,0.3\n"]
)
def test_compare_with_official_something_else_is_told(small, tmp_path, text):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(InputError, match=r"x\.csv"):
        compare_with_official(score(small.pred, small.gt), tmp_path / "x.csv")


def test_fingerprint_does_not_depend_on_where_files_lie(small, tmp_path):
    import shutil

    before = score(small.pred, small.gt).fingerprint
    shutil.move(small.pred, tmp_path / "elsewhere")
    assert score(tmp_path / "elsewhere", small.gt).fingerprint == before
    assert np.unique(list(before)).size > 4


def test_scores_of_chosen_sequences_merge_if_they_are_of_one_run(three, tmp_path):
    def part(*names: str, pred=three.pred, gt=three.gt, **options) -> Scores:
        return score(pred, gt, sequences=names, **options)

    whole, walk = score(three.pred, three.gt, void=9), part("walk", void=9)
    some = merge([walk, part("run", void=9)])
    missing = "only 2 of 3 sequences of the ground truth are scored"
    assert [note for note in some.notes if note.startswith(missing)]
    all_of_them = merge([some, part("jump", void=9)])
    assert all_of_them.inputs == whole.inputs
    assert not [note for note in all_of_them.notes if note.startswith("only")]
    # A path is the same however it is written.
    relative = os.path.relpath(three.pred)
    assert merge([walk, part("run", pred=relative, void=9)]).notes == some.notes
    for side in ("pred", "gt"):
        other = tmp_path / f"other_{side}"
        shutil.copytree(getattr(three, side), other)
        with pytest.raises(InputError, match=f"{other}"):
            merge([walk, part("run", void=9, **{side: other})])
    with pytest.raises(InputError, match="options: void 9 and none"):
        merge([walk, part("run")])
    with pytest.raises(InputError, match="void 9 and missing score-as-empty, void 9"):
        merge([walk, part("run", void=9, missing="score-as-empty")])


def test_parts_of_a_benchmark_tell_how_many_videos_are_missing(three):
    from s3fo.benchmarks import open_folders

    benchmark = open_folders(three.gt, three.gt)
    parts = [
        score(three.pred, benchmark.subset(names)) for names in (["walk"], ["jump"])
    ]
    (told,) = [note for note in merge(parts).notes if note.startswith("only")]
    assert told.startswith("only 2 of 3 sequences")
    rest = score(three.pred, benchmark.subset(["run", "walk"]).subset(["run"]))
    whole = merge([*parts, rest])
    assert not [note for note in whole.notes if note.startswith("only")]
    assert whole.inputs == score(three.pred, benchmark).inputs


def test_videos_of_one_ground_truth_may_lie_in_folders_within(tmp_path):
    place = {"ground_truth": "mine", "ground_truth_place": str(tmp_path)}
    inner = place | {"ground_truth_place": str(tmp_path / "inner")}
    assert joined_inputs([inner, place]) == place
    other = place | {"ground_truth_place": str(tmp_path / "other")}
    with pytest.raises(InputError, match="ground truth place"):
        joined_inputs([inner, other])

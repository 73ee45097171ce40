"""The run registry: what results folders say about themselves."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from evaluation._utils.fingerprint import digest_stream
from evaluation.errors import InputError
from evaluation.leaderboard.local import LocalRun, RankedSplit, local_warnings
from evaluation.masks.label_map import read_label_map, write_label_map
from evaluation.runs.differences import note_runs
from evaluation.runs.registry import compare_runs, find_runs, read_run, runs_table
from evaluation.runs.score_records import ScoreRecord, leave_record, mask_digest
from evaluation.scoring import score
from s3fo.cli import app, import_commands


def made(method: str, **settings) -> str:
    return json.dumps(
        {
            "method": method,
            "settings": settings,
            "benchmark": "walks",
            "sequences": {"walk": {"frames": 12, "seconds": 2.0}},
            "frames_per_second": 6.0,
            "started": "2026-01-01T00:00:00+00:00",
        }
    )


@pytest.fixture
def scored(small):
    scores = score(small.pred, small.gt, "davis-2017", workers=1)
    leave_record(scores, small.pred)
    return scores


def test_a_record_holds_the_scores_to_the_last_digit(small, scored):
    record = read_run(small.pred).scores["davis-2017"]
    for key, value in scored.summary.items():
        assert record.summary[key] == (None if math.isnan(value) else value)
    assert record.fingerprint == scored.fingerprint
    assert (record.n_sequences, record.n_objects) == (1, 2)
    assert record.n_frames == len(scored.frames)
    assert record.protocol == scored.protocol.to_dict()
    assert {"python", "numpy"} <= set(record.versions)


def test_records_take_no_part_in_scoring(small, scored):
    again = score(small.pred, small.gt, "davis-2017", workers=1)
    assert again.fingerprint == scored.fingerprint
    assert again.summary == scored.summary and again.notes == scored.notes


def test_each_protocol_has_its_record(small, scored):
    leave_record(score(small.pred, small.gt, "vos-benchmark", workers=1), small.pred)
    assert set(read_run(small.pred).scores) == {"davis-2017", "vos-benchmark"}


def test_options_other_than_the_defaults_are_kept(small):
    scores = score(small.pred, small.gt, binarize=True, workers=1)
    leave_record(scores, small.pred, binarize=True, missing="error")
    assert read_run(small.pred).scores["davis-2017"].options == {"binarize": True}


def test_a_changed_mask_makes_the_record_outdated(small, scored):
    run = read_run(small.pred)
    assert run.is_current(run.scores["davis-2017"])
    small.change(small.pred, lambda label_map, frame: label_map * (frame != 5))
    changed = read_run(small.pred)
    assert not changed.is_current(changed.scores["davis-2017"])
    assert runs_table([changed])["state"].tolist() == ["masks changed"]


def test_other_pixels_in_files_of_the_same_size_are_told(small, scored):
    path = sorted(small.pred.rglob("*.png"))[3]
    data, before = path.read_bytes(), mask_digest(small.pred)
    label_map = read_label_map(path)
    write_label_map(path, np.where(label_map == 0, 0, 3 - label_map).astype(np.uint8))
    assert len(path.read_bytes()) == len(data) and path.read_bytes() != data
    changed = read_run(small.pred)
    assert not changed.is_current(changed.scores["davis-2017"])
    assert mask_digest(small.pred) != before


def test_records_of_earlier_versions_go_by_names_and_sizes(small, scored):
    files = sorted(small.pred.rglob("*.png"))
    known = "".join(
        f"{path.relative_to(small.pred)}\0{path.stat().st_size}\n" for path in files
    )
    run = read_run(small.pred)
    earlier = replace(run.scores["davis-2017"], masks=digest_stream([known.encode()]))
    assert run.is_current(earlier)
    assert not run.is_current(replace(earlier, masks="0" * 64))


def test_moving_a_folder_changes_nothing(small, scored, tmp_path):
    before = mask_digest(small.pred)
    moved = small.pred.rename(tmp_path / "elsewhere")
    assert mask_digest(moved) == before


def test_nothing_is_left_where_there_is_no_folder(small, scored, tmp_path):
    assert leave_record(scored, tmp_path / "masks.json") is None


def test_nothing_is_left_in_a_read_only_folder(small):
    scores = score(small.pred, small.gt, workers=1)
    small.pred.chmod(0o555)
    try:
        assert leave_record(scores, small.pred) is None
        assert not (small.pred / "scores").exists()
    finally:
        small.pred.chmod(0o755)


def test_runs_are_found_by_looking(small, scored, tmp_path):
    (small.pred / "run.json").write_text(made("copy"))
    other = tmp_path / "more" / "flow"
    small.write(other, 1)
    (other / "run.json").write_text(made("flow"))
    (tmp_path / "more" / "run.json").write_text('{"something": "else"}')
    (small.pred / "walk" / "run.json").write_text(made("not a run: inside one"))
    table = runs_table(find_runs(tmp_path))
    assert table["method"].tolist() == ["flow", "copy"]
    assert table["state"].tolist() == ["not scored", "current"]
    assert table["fps"].tolist() == [6.0, 6.0]
    assert table["J&F"].iloc[1] == scored.summary["J&F"]


def test_comparing_tells_settings_and_scores(small, scored, tmp_path):
    (small.pred / "run.json").write_text(made("s3", size=480, weights="a"))
    better = tmp_path / "better"
    small.write(better, 1)
    (better / "run.json").write_text(made("s3", size=384, weights="a"))
    scores = score(better, small.gt, "davis-2017", workers=1)
    leave_record(scores, better)
    table = compare_runs(read_run(small.pred), read_run(better)).set_index("what")
    assert table.loc["settings.size", ["first", "second"]].tolist() == [480, 384]
    assert "settings.weights" not in table.index
    row = table.loc["davis-2017 J&F"]
    assert row["difference"] == scores.summary["J&F"] - scored.summary["J&F"] > 0


def test_damaged_records_are_named(small, scored):
    path = small.pred / "scores" / "davis-2017.json"
    path.write_text(path.read_text()[:-40])
    with pytest.raises(InputError, match=r"davis-2017\.json"):
        read_run(small.pred)
    path.unlink()
    (small.pred / "run.json").write_text("{")
    with pytest.raises(InputError, match=r"run\.json"):
        find_runs(small.pred)


def test_a_ground_truth_that_changed_in_place_makes_the_record_outdated(small, scored):
    leave_record(score(small.pred, str(small.gt), workers=1), small.pred)
    run = read_run(small.pred)
    assert runs_table([run])["state"].tolist() == ["current"]
    small.change(small.gt, lambda label_map, frame: np.roll(label_map, frame == 4, 1))
    run = read_run(small.pred)
    assert runs_table([run])["state"].tolist() == ["ground truth changed"]
    record = run.scores["davis-2017"]
    assert not run.is_current(record)
    with pytest.raises(InputError, match="ground truth changed since"):
        LocalRun.load(small.pred, "davis-2017")
    # Nothing is known of records of earlier versions, or of masks that are gone.
    assert run.is_current(replace(record, truth="", truth_place=""))
    small.gt.rename(small.gt.with_name("moved"))
    assert run.is_current(record)


def compared(*folders):
    first, second = map(read_run, folders)
    table = compare_runs(first, second).set_index("what")
    return table, note_runs(first, second)


def copy_of(small, name: str, shift: int = 1):
    folder = small.pred.with_name(name)
    small.write(folder, shift)
    return folder


def test_runs_are_compared_by_scores_of_the_masks_that_are_there(small):
    other = copy_of(small, "other")
    for folder in (small.pred, other):
        leave_record(score(folder, small.gt, workers=1), folder)
    table, notes = compared(small.pred, other)
    assert "davis-2017 J&F" in table.index and notes == ()
    small.change(other, lambda label_map, frame: np.roll(label_map, frame == 5, 0))
    table, (note,) = compared(small.pred, other)
    assert table.loc["davis-2017", ["first", "second"]].tolist() == [
        "scored",
        "masks changed",
    ]
    assert "davis-2017 J&F" not in table.index
    assert note.startswith(f"{other}: masks changed since it was scored by davis-2017")
    small.change(small.gt, lambda label_map, frame: np.roll(label_map, frame == 4, 1))
    table, notes = compared(small.pred, small.pred)
    assert table.loc["davis-2017", "first"] == "ground truth changed"


def test_runs_of_other_ground_truths_videos_and_options_are_told(small):
    other, truth = copy_of(small, "other"), small.gt.with_name("truth")
    shutil.copytree(small.gt, truth)
    leave_record(score(small.pred, small.gt, workers=1), small.pred)
    # The same masks elsewhere, and an option without a use, make no difference.
    empty = {"missing": "score-as-empty"}
    leave_record(score(other, truth, workers=1, **empty), other, **empty)
    assert compared(small.pred, other)[1] == ()
    small.change(truth, lambda label_map, frame: np.roll(label_map, frame == 4, 1))
    leave_record(score(other, truth, workers=1), other)
    (note,) = compared(small.pred, other)[1]
    assert "against different masks of the ground truth by davis-2017" in note
    leave_record(score(other, small.gt, workers=1, void=2), other, void=2)
    table, (note,) = compared(small.pred, other)
    assert table.loc["davis-2017 options", "second"] == "void 2"
    assert f"{small.pred} without void and {other} with void 2" in note
    small.write(small.gt, 0, "run")
    small.write(other, 0, "run")
    leave_record(score(other, small.gt, workers=1), other)
    (note,) = compared(small.pred, other)[1]
    assert "on different videos by davis-2017: 1 and 2, 1 of them the same" in note


def test_saved_scores_of_masks_that_changed_are_told(small, tmp_path):
    saved = [tmp_path / "saved" / name for name in ("a", "b")]
    for folder in saved:
        scores = score(small.pred, small.gt, workers=1, void=9)
        record = ScoreRecord.of(scores, small.pred).as_json()
        scores.save(folder, format="csv", record=record)
    command = ["compare", *map(str, saved), "--json"]
    import_commands(command)

    def warnings() -> list[str]:
        run = LocalRun.load(saved[0], "davis-2017")
        return local_warnings(RankedSplit("davis-2017", "val"), [run])

    def notes() -> list[str]:
        return json.loads(CliRunner().invoke(app, command).stdout)["notes"]

    assert notes() == [] and not [w for w in warnings() if "changed" in w]
    small.change(small.pred, lambda label_map, frame: np.roll(label_map, frame == 5, 0))
    assert [note.partition(" since")[0] for note in notes()] == [
        f"{folder}: masks changed" for folder in saved
    ]
    assert warnings()[0].startswith("a: masks changed since its scores were saved")
    shutil.rmtree(small.pred)  # of masks that are gone nothing is known
    assert notes() == []

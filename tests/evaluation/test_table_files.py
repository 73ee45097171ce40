"""Saved tables that are missing, damaged or of something else are told as such."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from evaluation import Scores, score
from evaluation._utils.atomic import host_id
from evaluation.errors import InputError
from evaluation.results.storage import load_tables, save_tables


def load(folder):
    return load_tables(folder, "record", ["note"], ["numbers"], "Save it again.")


@pytest.fixture
def saved(tmp_path):
    numbers = pd.DataFrame({"n": range(1000)})
    save_tables(tmp_path, "record", {"note": "mine"}, {"numbers": numbers})
    facts, (table,) = load(tmp_path)
    assert facts == {"note": "mine"} and table.equals(numbers)
    return tmp_path


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"note": "mi', "damaged JSON"),
        (b"\xff\xfe\x00", "damaged JSON"),
        (b'["note"]', "JSON of something else"),
        (b'{"other": 1}', "JSON of something else"),
    ],
)
def test_a_damaged_record_is_named(saved, content, told):
    (saved / "record.json").write_bytes(content)
    with pytest.raises(InputError, match=rf"record\.json: found {told}.*Save it again"):
        load(saved)


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-9]])
def test_a_damaged_table_is_named(saved, damage):
    path = saved / "numbers.parquet"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=r"numbers\.parquet: found a damaged table"):
        load(saved)


def test_compressed_data_that_was_overwritten_is_damaged_too(saved):
    path = saved / "numbers.parquet"
    data = path.read_bytes()
    path.write_bytes(data[:40] + bytes(60) + data[100:])
    with pytest.raises(InputError, match=r"numbers\.parquet: found a damaged table"):
        load(saved)


def test_a_record_that_does_not_tell_of_its_tables_is_refused(small, tmp_path):
    """Nothing says that the tables beside it are those of its scores."""
    folder = score(small.pred, small.gt).save(tmp_path / "scores")
    record = json.loads((folder / "scores.json").read_text())
    record["tables"].pop("frames.parquet")
    (folder / "scores.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match="of which its JSON file does not tell"):
        Scores.load(folder)


def test_a_missing_table_is_said_to_be_missing(saved):
    (saved / "numbers.parquet").unlink()
    with pytest.raises(InputError, match="no saved record"):
        load(saved)


def test_damaged_scores_are_named(small, tmp_path):
    score(small.pred, small.gt).save(tmp_path)
    (tmp_path / "frames.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"frames\.parquet: found a damaged table"):
        Scores.load(tmp_path)


def test_a_json_file_of_another_program_is_not_written_over(tmp_path):
    mine = tmp_path / "record.json"
    mine.write_text('{"my": "precious"}')
    numbers = pd.DataFrame({"x": [1]})
    with pytest.raises(InputError, match="another program"):
        save_tables(tmp_path, "record", {}, {"numbers": numbers})
    assert mine.read_text() == '{"my": "precious"}'
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]
    mine.unlink()
    for _ in range(2):
        save_tables(tmp_path, "record", {}, {"numbers": numbers})


@pytest.mark.parametrize("content", ['{"version": 3}', '{"tables": 1}', "[]"])
def test_json_that_only_looks_like_a_record_is_not_written_over(tmp_path, content):
    (tmp_path / "record.json").write_text(content)
    with pytest.raises(InputError, match="another program"):
        save_tables(tmp_path, "record", {}, {"numbers": pd.DataFrame({"x": [1]})})
    assert (tmp_path / "record.json").read_text() == content


@pytest.mark.parametrize("ending", ["parquet", "csv"])
@pytest.mark.parametrize("record", [False, True])
def test_a_table_of_another_program_is_not_written_over(tmp_path, ending, record):
    """With and without a record of ours of other tables beside it."""
    tables = {"numbers": pd.DataFrame({"x": [1]})}
    if record:
        save_tables(tmp_path, "record", {}, {"others": tables["numbers"]}, ending)
    foreign = tmp_path / f"numbers.{ending}"
    foreign.write_text("mine")
    with pytest.raises(InputError, match=rf"numbers\.{ending}: found a file of"):
        save_tables(tmp_path, "record", {}, tables, ending)
    assert foreign.read_text() == "mine"


def test_a_foreign_table_of_the_other_format_stays(saved):
    (saved / "numbers.csv").write_text("mine")
    save_tables(saved, "record", {"note": "new"}, {"numbers": pd.DataFrame({"x": [1]})})
    assert (saved / "numbers.csv").read_text() == "mine"
    assert load(saved)[0] == {"note": "new"}


def test_our_table_of_the_other_format_goes(saved):
    numbers = {"numbers": pd.DataFrame({"x": [1]})}
    save_tables(saved, "record", {"note": "new"}, numbers, "csv")
    names = sorted(path.name for path in saved.iterdir())
    assert names == ["numbers.csv", "record.json"]


@pytest.mark.parametrize("renamed", [0, 1, 2])
def test_a_folder_that_was_left_half_replaced_is_written_again(
    tmp_path, monkeypatch, renamed
):
    """Killed after so many of three files have their names."""
    tables = {name: pd.DataFrame({"x": [1]}) for name in ("first", "second")}
    left = renamed
    replace = os.replace

    def killed(source, target):
        nonlocal left
        if Path(target).suffix == ".json" and ".record-" in str(target):
            return replace(source, target)
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        return replace(source, target)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        save_tables(tmp_path, "record", {}, tables)
    monkeypatch.undo()
    save_tables(tmp_path, "record", {"note": "new"}, tables)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["first.parquet", "record.json", "second.parquet"]


def test_what_killed_processes_left_unfinished_is_removed(tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    left = tmp_path / f".s3fo-{host_id()}-{dead.pid}-{'0' * 12}.part"
    left.write_text("half a table")
    save_tables(tmp_path, "record", {}, {"numbers": pd.DataFrame({"x": [1]})})
    assert not left.exists()

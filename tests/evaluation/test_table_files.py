"""Saved tables that are missing, damaged or of something else are told as such."""

from __future__ import annotations

import pandas as pd
import pytest

from evaluation import Scores, score
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

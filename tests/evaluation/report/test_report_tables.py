"""One table in every form."""

from __future__ import annotations

import csv
import io
import json
import math

import pandas as pd
import pytest

from evaluation.report.tables import FLOAT_ROWS, Table, number, percent, text


@pytest.fixture
def table() -> Table:
    data = pd.DataFrame(
        {
            "name": ["a_b | 50 %", "<i>", "none"],
            "score": [0.87654321, 1 / 3, math.nan],
            "low": [0.8, 0.3, math.nan],
            "high": [0.9, 0.4, math.nan],
            "delta": [0.0123, -0.2, 0.0001],
            "count": pd.array([3, None, 5], dtype="Int64"),
            "url": ["https://x.org/?a=1&b=2", "javascript:alert(1)", ""],
        }
    )
    columns = [
        text("name", "Name", link="url"),
        percent("score", "J&F", interval=("low", "high"), best=True),
        percent("delta", "Delta", signed=True),
        number("count", "n"),
    ]
    return Table("things", "Things", "What they are.", data, columns)


def test_people_see_rounded_percent(table):
    lines = table.markdown().splitlines()
    assert lines[0] == "| Name | J&F | Delta | n |"
    assert lines[1] == "| --- | ---: | ---: | ---: |"
    assert "**87.7 [80.0, 90.0]**" in lines[2] and "| +1.2 | 3 |" in lines[2]
    assert "33.3 [30.0, 40.0]" in lines[3] and "\N{MINUS SIGN}20.0 | - |" in lines[3]
    assert lines[4] == "| none | - | 0.0 | 5 |"


def test_names_do_not_format_markdown():
    data = pd.DataFrame({"name": ["_my_ run_2*", "<b>", "low (< 0.5)"]})
    rows = Table("t", "", "", data, [text("name", "N")]).markdown().splitlines()[2:]
    assert rows == [r"| \_my\_ run_2\* |", r"| \<b> |", "| low (< 0.5) |"]


def test_files_hold_everything_exactly(table):
    rows = list(csv.DictReader(io.StringIO(table.csv())))
    assert [float(row["score"]) for row in rows[:2]] == [0.87654321, 1 / 3]
    assert rows[2]["score"] == "" and rows[1]["count"] == ""
    parsed = json.loads(table.json())["rows"]
    assert parsed[1]["score"] == 1 / 3 and parsed[2]["score"] is None
    assert parsed[0]["count"] == 3 and parsed[1]["count"] is None


def test_html_is_safe_and_keeps_values(table):
    page = table.html()
    assert "<i>" not in page and "&lt;i&gt;" in page
    assert 'href="https://x.org/?a=1&amp;b=2"' in page and "javascript" not in page
    assert 'data-value="0.3333333333333333"' in page
    assert page.count("<tr") == 4 and table.html(limit=1).count("<tr") == 2


def test_latex_escapes_and_breaks_over_pages_when_long(table):
    latex = table.latex()
    assert r"a\_b \textbar{} 50 \%" in latex and r"$-$20.0" in latex
    assert r"\begin{tabular}{lrrr}" in latex and r"\bottomrule" in latex
    data = pd.concat([table.data] * (FLOAT_ROWS // 3 + 1), ignore_index=True)
    long = Table("long", "Long", "Many.", data, table.columns)
    assert r"\begin{longtable}" in long.latex() and r"\endhead" in long.latex()


def test_every_form_is_a_file(table, tmp_path):
    written = table.save(tmp_path)
    assert [path.name for path in written] == [
        f"things.{ending}" for ending in ("csv", "json", "md", "tex")
    ]
    assert all(path.stat().st_size for path in written)


def test_what_is_missing_is_not_the_best():
    data = pd.DataFrame({"fps": pd.Series([None, 2.5], dtype=object)})
    table = Table("speeds", "", "", data, [number("fps", "fps", 1)])
    assert table.markdown().splitlines()[2:] == ["| - |", "| 2.5 |"]


def test_latex_of_two_columns_called_alike_and_of_none(table):
    data = pd.DataFrame({"a": ["x"], "b": ["y"]})
    twice = Table("t", "T", "c", data, [text("a", "{0}"), text("b", "{0}")])
    lines = twice.latex().splitlines()
    assert r"\{0\} & \{0\} \\" in lines and r"x & y \\" in lines
    none = Table("t", "T", "c", table.data.iloc[:0], table.columns)
    assert r"Name & J\&F & Delta & n \\" in none.latex()
    assert none.html().count("<tr") == 1

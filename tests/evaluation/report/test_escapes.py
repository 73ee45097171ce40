"""Names and labels are text, whatever they look like to what shows them."""

from __future__ import annotations

import csv
import html
import io
import sys

import matplotlib
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation import Scores, score
from evaluation._utils.escape import csv_text, csv_words, markdown_text, plotly_text
from evaluation.plots.style import save_figure, style
from evaluation.report.tables import Table, number, text
from s3fo.cli.console import print_table

NASTY = [
    "=1+1", "+x", "-x", "@x", "\tx", "'=x", "a|b", "[x](javascript:1)", "*b*", "`c`",
    "<script>alert(1)</script>", "<b", "&amp;", "[/red]", "[red]x", "$\\frac{1}{0$",
    "%{x}", "a_b", "_a_", "\\", "50%", "{}#~^", "a\nb",
]  # fmt: skip


@given(st.text())
def test_csv_cells_read_back_and_are_no_formulas(words):
    cell = csv_text(words)
    assert csv_words(cell) == words
    assert cell[:1] not in tuple("=+-@\t\r")


@pytest.mark.parametrize("words", NASTY)
def test_a_table_shows_the_words_and_nothing_else(words):
    data = pd.DataFrame({"name": [words], "value": [-0.5]})
    table = Table(
        "t", words, words, data, [text("name", words), number("value", "v", 1)]
    )
    page = table.html()
    assert html.unescape(page).count(words) >= 2
    assert "<script" not in page and "<b " not in page
    row = next(iter(list(csv.reader(io.StringIO(table.csv(), newline="")))[1:]))
    assert csv_words(row[0]) == words and row[0][0] not in "=+-@\t"
    assert float(row[1]) == -0.5
    line = table.markdown().splitlines()[2]
    assert line.replace("\\|", "").count("|") == 3
    assert "<script" not in line.replace("\\<", "")
    assert "](" not in line.replace("\\]", "")
    cells = [row for row in table.latex().splitlines() if row.endswith(r"0.5 \\")]
    assert len(cells) == 1 and cells[0].replace(r"\&", "").count("&") == 1
    assert "#" not in cells[0].replace(r"\#", "")


@pytest.mark.parametrize("words", NASTY)
def test_terminals_show_the_words(words, capsys):
    print_table(words, [words], [[words]])
    printed = capsys.readouterr().out
    assert all(part.strip() in printed for part in words.split("\n"))


def test_plotly_finds_no_tags_and_no_variables():
    assert plotly_text("<a href='x'>") == "&lt;a href='x'&gt;"
    assert "%{" not in plotly_text("%{x}")


def test_markdown_finds_nothing_of_its_own():
    assert markdown_text("a_b c*d") == r"a_b c\*d"
    assert markdown_text("[x](y)") == r"\[x\](y)"


@pytest.mark.parametrize("words", [w for w in NASTY if "\t" not in w])
def test_figures_draw_any_words_the_same_each_time(words, tmp_path):
    drawn = []
    for name in ("a.svg", "b.svg"):
        with style():
            figure = matplotlib.figure.Figure(figsize=(2, 1))
            axes = figure.subplots()
            axes.set_title(words)
            axes.set_xticks([0], [words])
        save_figure(figure, tmp_path / name)
        drawn.append((tmp_path / name).read_bytes())
    assert drawn[0] == drawn[1]


def test_a_video_named_like_a_formula_keeps_its_name(small, tmp_path):
    for folder in (small.gt, small.pred):
        (folder / "walk").rename(folder / "=1+1")
    scores = score(small.pred, small.gt)
    folder = scores.save(tmp_path / "s", format="csv")
    assert "\n=1" not in (folder / "frames.csv").read_text()
    assert Scores.load(folder).frames["sequence"][0] == "=1+1"


def test_the_app_serves_this_machine_only_unless_told(monkeypatch, capsys):
    from s3fo import cli
    from s3fo.cli import system

    served = []
    monkeypatch.setattr(system, "_serve", lambda *a, **how: served.append(how))
    for words in ([], ["--remote"], ["--remote", "--address", "0.0.0.0"]):
        monkeypatch.setattr(sys, "argv", ["s3fo", "app", *words])
        with pytest.raises(SystemExit):
            cli.main()
    assert [how["address"] for how in served] == ["127.0.0.1", "127.0.0.1", "0.0.0.0"]
    assert capsys.readouterr().err.count("without login") == 1

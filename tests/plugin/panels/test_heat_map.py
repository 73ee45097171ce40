"""The panel of two attributes at once."""

from __future__ import annotations

import pytest

import s3fo
from benchmarks.panels import Visitor
from s3fo.datasets.reading import tables
from s3fo.plugin.panels.charts.heat_map import Question, cells, heat_map, members
from s3fo.plugin.panels.heat_map import AttributeHeatMap

ASKED = Question("k", "n_objects", "size")


@pytest.fixture
def evaluated(explained):
    return explained


def test_cells_are_means_of_the_objects_they_open(evaluated):
    scores = tables.object_scores(evaluated, "k").objects
    scores = scores.set_index(["sample_id", "object"])["J&F"]
    table = cells(evaluated, ASKED)
    opened = set()
    for cell in table.itertuples():
        found = members(evaluated, ASKED, cell.row, cell.column)
        assert len(found) == cell.n_objects and not opened & set(found)
        opened |= set(found)
        assert cell.mean == pytest.approx(scores.loc[found].mean(), abs=1e-12)
    assert len(opened) == 3


def test_the_chart_has_a_place_for_every_combination(evaluated):
    (trace,) = heat_map(evaluated, ASKED).traces
    shape = (len(trace["y"]), len(trace["x"]))
    assert trace["y"] == ["1", "2"] and shape[1] >= 2
    for name in ("z", "text", "customdata"):
        assert (len(trace[name]), len(trace[name][0])) == shape
    filled = [value for line in trace["z"] for value in line if value is not None]
    assert len(filled) == len(cells(evaluated, ASKED))
    texts = [text for line in trace["text"] for text in line if text]
    assert all("n = " in text and text.endswith("*") for text in texts)


def test_a_click_opens_the_objects_of_a_cell(evaluated):
    person = Visitor(AttributeHeatMap(), evaluated)
    person.do("open", "on_load")
    assert not person.state["problem"] and person.data["heat_map"]
    person.choose("rows", "rows", "n_objects")
    person.choose("columns", "columns", "size")
    assert person.state["asked"] == ["k", "n_objects", "size"]
    cell = cells(evaluated, ASKED).iloc[0]
    # Plotly tells what it shows, with signs escaped.
    shown = cell["column"].replace("<", "&lt;").replace(">", "&gt;")
    assert "&" in shown and shown in person.data["heat_map"][0]["x"]
    answer = person.do("cell", "on_click_cell", x=shown, y=cell["row"])
    told = answer.requests["notify"]["message"]
    assert told.startswith(f"{cell['n_objects']} object")
    assert f"{cell['n_videos']} video" in told
    assert "set_view" in answer.requests


def test_attributes_are_needed(predicted):
    s3fo.evaluate(predicted, "shifted", "k", workers=1)
    person = Visitor(AttributeHeatMap(), predicted)
    person.do("open", "on_load")
    assert "Compute object attributes" in person.state["problem"]

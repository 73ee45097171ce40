"""Charts and tables show the J&F that the protocol of the evaluations publishes."""

from __future__ import annotations

import numpy as np
import pytest
from small_benchmark import own_name, write_results

import s3fo
from benchmarks.panels import Visitor
from s3fo.benchmarks import write_synthetic
from s3fo.benchmarks.synthetic import Factors
from s3fo.datasets.reading import frame_table, tables
from s3fo.plugin.panels.charts import attributes as attribute_charts
from s3fo.plugin.panels.charts import comparison as comparison_charts
from s3fo.plugin.panels.charts import objects as object_charts
from s3fo.plugin.panels.evaluation import VOSEvaluation

ADAPTIVE = "J&F_adaptive"

VIDEOS = {
    "alone": Factors(objects=1, length=6, size=0.01),
    "pair": Factors(objects=2, length=8, size=0.01),
}
"""Objects so small that MOSE v2 adapts the tolerance of F to them."""


@pytest.fixture(scope="module")
def mose(tmp_path_factory):
    """Two methods scored as MOSE v2 does, and one of them as DAVIS does, too."""
    root = tmp_path_factory.mktemp("mose")
    size = (160, 240)
    benchmark = write_synthetic(root, videos=VIDEOS, size=size, textures="procedural")
    name = own_name("mose")
    dataset = s3fo.load_benchmark(benchmark, dataset_name=name, video="none")
    for name, shift in (("near", 3), ("far", 5)):
        folder = tmp_path_factory.mktemp(name)
        s3fo.add_predictions(dataset, write_results(benchmark, folder, shift), name)
        s3fo.evaluate(dataset, name, name, protocol="mose-v2", workers=1)
    s3fo.evaluate(dataset, "near", "davis", protocol="davis-2017", workers=1)
    s3fo.datasets.compute_attributes(dataset)
    yield dataset
    dataset.delete()


@pytest.fixture(scope="module")
def adaptive(mose):
    """(sample id, object) -> the score that MOSE v2 publishes, of "near"."""
    objects = tables.object_scores(mose, "near").objects
    assert ((objects[ADAPTIVE] - objects["J&F"]).abs() > 0.01).any()
    return objects.set_index(["sample_id", "object"])[ADAPTIVE]


def test_protocols_that_publish_different_scores_share_the_plain_one(mose):
    assert tables.published_score(mose, ["far", "near"]) == ADAPTIVE
    assert tables.published_score(mose, ["davis"]) == "J&F"
    assert tables.published_score(mose, ["davis", "near"]) == "J&F"


def test_bars_by_attribute_are_means_of_the_published_score(mose, adaptive):
    chart = attribute_charts.by_attribute(mose, ["near"], "n_objects")
    (trace,) = chart.traces
    for label, mean in zip(trace["ids"], trace["x"], strict=True):
        _, name, group = label.split("|")
        members = attribute_charts.members(mose, name, group)
        assert adaptive.loc[members].mean() == pytest.approx(mean)
    assert chart.layout["xaxis"]["title"]["text"].startswith("J&F adaptive (mean")
    mixed = attribute_charts.by_attribute(mose, ["near", "davis"], "n_objects")
    assert mixed.layout["xaxis"]["title"]["text"].startswith("J&F (mean")


def test_differences_are_of_the_published_score(mose, adaptive):
    chart = comparison_charts.difference(mose, "far", "near")
    far = tables.object_scores(mose, "far").objects[ADAPTIVE].mean()
    assert f"near - far: {adaptive.mean() - far:+.3f}** J&F adaptive" in chart.text
    traces = comparison_charts.duel(mose, "far", "near")
    assert sorted(y for trace in traces for y in trace["y"]) == sorted(adaptive)
    layout = comparison_charts.duel_layout(mose, "far", "near")
    assert layout["yaxis"]["title"]["text"] == "J&F adaptive of near"


def test_the_worst_objects_are_worst_by_the_published_score(mose, adaptive):
    (lowest,) = s3fo.worst(mose, "near", 1)
    (label,) = lowest.near_objects.detections
    assert (lowest.id, label.index) == adaptive.idxmin()
    assert label.JF_adaptive == adaptive.min()


def test_the_grid_shows_the_published_score_of_every_video(mose):
    objects = tables.object_scores(mose, "far").objects
    means = objects.groupby("sequence")[[ADAPTIVE, "F_adaptive_mean", "J&F"]].mean()
    for sample in mose:
        shown = [sample.far_JF_adaptive, sample.far_F_adaptive, sample.far_JF]
        assert shown == pytest.approx(means.loc[sample.sequence].tolist())
    assert "far_JF_adaptive" in mose.app_config.active_fields.paths
    assert not mose.has_field("davis_JF_adaptive")
    groups = {group.name: group.paths for group in mose.app_config.sidebar_groups}
    assert groups["far"][:2] == ["far_JF_adaptive", "far_F_adaptive"]
    assert groups["davis"] == ["davis_JF", "davis_J", "davis_F", "davis_objects"]


def test_frames_have_the_f_of_the_published_score(mose):
    objects = tables.object_scores(mose, "far").objects
    lost = 0.0
    for row in objects.to_dict("records"):
        frames = frame_table.object_frames(mose, "far", row["sample_id"])
        own = frames[frames["object"] == row["object"]]
        assert own["F"].mean() == pytest.approx(row["F_adaptive_mean"])
        lost += row["F_mean"] - row["F_adaptive_mean"]
    assert lost > 0.05


def test_the_panel_names_and_shows_the_published_score(mose, adaptive):
    person = Visitor(VOSEvaluation(), mose)
    person.do("open", "on_load")
    person.choose("both", "methods", ["near", "far"])
    columns = list(person.state["headline_columns"].values())
    assert columns[:4] == ["Evaluation", "J&F adaptive", "J", "F adaptive"]
    first = person.data["headline"][0]
    assert first[ADAPTIVE] == f"{adaptive.mean():.3f}"
    person.do("Objects", "on_open_tab", tab="objects")
    counts, _ = np.histogram(adaptive, np.linspace(0, 1, 21))
    histogram, scatter = (person.data[name][0] for name in ("histogram", "scatter"))
    assert histogram["y"] == counts.tolist()
    assert sorted(scatter["y"]) == sorted(adaptive)
    fullest = histogram["ids"][counts.argmax()]
    shown = person.do("a bar", "on_click_bin", id=fullest).requests["notify"]["message"]
    assert shown.startswith(f"{counts.max()} objects") and "J&F adaptive" in shown
    for layout in (
        object_charts.histogram_layout(person.state["score"]),
        object_charts.scatter_layout("size", person.state["score"]),
    ):
        titles = [layout[axis]["title"]["text"] for axis in ("xaxis", "yaxis")]
        assert any(title.startswith("J&F adaptive") for title in titles)
    person.do("Worst", "on_open_tab", tab="worst")
    values = [row[ADAPTIVE] for row in person.data["worst"]]
    assert values == [f"{value:.3f}" for value in sorted(adaptive)]
    headings = person.state["worst_columns"].values()
    assert {"J&F adaptive", "F adaptive", "J&F adaptive far"} <= set(headings)
    person.choose("by F", "order", "F_adaptive_mean")
    person.choose("of DAVIS", "methods", ["davis"])
    scores = tables.object_scores(mose, "davis").objects["J&F"]
    assert [row["J&F"] for row in person.data["worst"]] == [
        f"{value:.3f}" for value in sorted(scores)
    ]

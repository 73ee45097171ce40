"""Quality per second of our own settings: frontier, recommendation, projection."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

import pandas as pd
import pytest

from evaluation.leaderboard import settings
from evaluation.plots.report_charts import speed_chart
from evaluation.plots.style import method_styles
from evaluation.report.settings import project_settings, settings_table

ENGINE = {
    "mem_every": 5, "max_mem_frames": 5, "use_long_term": True, "top_k": 30,
}  # fmt: skip


def row(size: int, cost: float, quality: float, **changes: object) -> dict:
    """A measured row of the network `net` on a CPU."""
    usual = {
        "model": "net", "device": "cpu", "size": size, "precision": "bfloat16",
        "memory": "every 5 frames", "options": "", **ENGINE, "seconds": cost / 2,
        "cost": cost, "J&F": quality, "objects": 3, "frames": 9,
    }  # fmt: skip
    return usual | changes


ROWS = [
    row(384, 1.0, 0.80),
    row(256, 0.5, 0.77),
    row(480, 2.0, 0.815),
    row(384, 1.5, 0.79, precision="float32"),
    row(384, 0.9, 0.75, mem_every=10, options="mem_every=10 memory=davis"),
    row(128, 0.2, 0.40),
]


@pytest.fixture
def measured(monkeypatch):
    """`measured_settings` of a table of these tests."""

    def find(model=None, device=None):
        table = pd.DataFrame(ROWS)
        if model is not None:
            table = table[table["model"] == model]
        if device is not None:
            table = table[table["device"] == settings.kind_of(device)]
        return settings.mark_frontier(table)

    for place in ("evaluation.leaderboard.settings", "evaluation.report.settings"):
        monkeypatch.setattr(import_module(place), "measured_settings", find)


def test_the_frontier_is_what_nothing_beats():
    table = pd.DataFrame(
        {"cost": [1, 1, 2, 3, 3, 0.5], "J&F": [0.7, 0.6, 0.7, 0.9, 0.9, 0.1]}
    )
    # Dearer at the same score, or worse at the same cost: off. Equal ones both stay.
    assert settings.frontier(table).tolist() == [True, False, False, True, True, True]


def test_each_aim_gets_the_cheapest_that_reaches_it(measured):
    found = {item.aim: item for item in settings.recommend("cpu", "net")}
    # Highest 0.815: 0.80 is within two points of it, and 0.77 within five.
    sizes = {aim: item.size for aim, item in found.items()}
    assert sizes == {"best": 480, "balanced": 384, "fast": 256}
    assert found["balanced"].arguments == "--size 384 --precision bfloat16"
    assert found["fast"].cost == 0.5 and found["fast"].seconds == 0.25


def test_noise_is_no_gain_and_memories_are_not_compared(measured):
    table = pd.DataFrame({"cost": [1.0, 2.0, 3.0], "J&F": [0.7, 0.704, 0.71]})
    assert settings.frontier(table, 0.005).tolist() == [True, False, True]
    first = row(384, 0.3, 0.99, memory="first frame only", mem_every=10**6)
    marked = settings.mark_frontier(pd.DataFrame([*ROWS[:1], first]))
    # It would beat the other one, and is not even on the frontier.
    assert marked["frontier"].tolist() == [True, False]


def test_options_are_told_as_predict_takes_them(measured, monkeypatch):
    monkeypatch.setitem(ROWS[4], "J&F", 0.9)
    best = settings.recommend("cpu", "net")[0]
    assert best.arguments == (
        "--size 384 --precision bfloat16 --set mem_every=10 --preset davis"
    )


def test_nothing_is_recommended_where_nothing_was_measured(measured):
    assert settings.recommend("cuda:1 (NVIDIA H100)", "net") == ()


def test_the_shipped_table_holds_its_reference_and_the_network():
    table = settings.measured_settings("s3-small", "cpu")
    usual = table[table["cost"] == 1]
    assert len(usual) == 1
    for key, value in settings.REFERENCE.items():
        assert usual.iloc[0][key] == value
    assert {256, 384, 480} <= set(table["size"])
    assert {"float32", "bfloat16"} == set(table["precision"])
    assert table["memory"].nunique() > 2 and table["frontier"].any()
    assert (table["cost"] > 0).all() and table["J&F"].between(0, 1).all()


def run_of(name: str, fps: float | None, quality: float, **changes: object):
    """A method of a report, run at 384 pixels in bfloat16."""
    told = {"model": "net", "size": 384, "precision": "bfloat16", "engine": ENGINE}
    record = SimpleNamespace(method="s3", device="cpu", settings=told | changes)
    return SimpleNamespace(
        name=name,
        headline=quality,
        run=SimpleNamespace(record=record, frames_per_second=fps),
    )


def material(*methods: object) -> SimpleNamespace:
    return SimpleNamespace(methods=methods, metric="J&F")


def test_other_settings_are_projected_by_ratio_and_difference(measured):
    made = project_settings(material(run_of("mine", 3.0, 0.60)))
    # On the frontier: 128, 256, 384 and 480 pixels at costs 0.2, 0.5, 1 and 2.
    assert made["fps"].tolist() == pytest.approx([15.0, 6.0, 3.0, 1.5])
    assert made["J&F"].tolist() == pytest.approx([0.20, 0.57, 0.60, 0.615])
    assert set(made["method"]) == {"mine"}


@pytest.mark.parametrize(
    "other",
    [
        {"size": 400},
        {"precision": "float16"},
        {"engine": ENGINE | {"top_k": 20}},
        {"engine": None},
        {"model": "vitb"},
    ],
)
def test_a_setting_that_was_not_measured_is_not_projected(measured, other):
    assert project_settings(material(run_of("mine", 3.0, 0.6, **other))).empty
    assert project_settings(material(run_of("mine", None, 0.6))).empty


def test_the_table_tells_what_is_recommended_and_what_is_not_measured(measured):
    table = settings_table(material(run_of("mine", 3.0, 0.6)))
    assert len(table) == len(ROWS)
    assert table.data["cost"].tolist() == sorted(r["cost"] for r in ROWS)
    assert "balanced: 384 pixels in bfloat16" in table.caption
    assert "On cuda: not measured." in table.caption
    assert not len(settings_table(material(run_of("mine", 3.0, 0.6, model="vitb"))))


def test_the_chart_draws_the_projection_beside_the_runs():
    speed = pd.DataFrame({"method": ["a", "b"], "fps": [2.0, 4.0], "J&F": [0.8, 0.6]})
    other = pd.DataFrame({"method": ["b", "b"], "fps": [1.0, 8.0], "J&F": [0.7, 0.5]})
    (axes,) = speed_chart(speed, "J&F", other).axes
    dashed = [line for line in axes.lines if len(line.get_xdata()) == 2]
    assert len(dashed) == 1 and dashed[0].get_linestyle() == "--"
    assert list(dashed[0].get_xdata()) == [1.0, 8.0]
    assert axes.get_xlim()[0] < 1.0 and axes.get_xlim()[1] > 8.0
    (plain,) = speed_chart(speed, "J&F").axes
    assert not [line for line in plain.lines if len(line.get_xdata()) == 2]


def test_a_colour_stays_when_other_methods_come():
    names = ["s3", "flow", "copy", "copy2", "cutie", "sam2"]
    every = method_styles(names)
    for count in range(1, 7):
        came = method_styles(names[:count])
        assert came == {name: every[name] for name in names[:count]}
    assert len({look.colour for look in every.values()}) == 6
    # From the seventh on both tell them apart: no two look the same.
    more = method_styles([*names, *(f"run {k}" for k in range(12))])
    assert {name: more[name] for name in names} == every
    assert len(set(more.values())) == 18


def test_two_that_prefer_one_colour_have_it_by_their_turn():
    (first,) = method_styles(["s3"]).values()
    rival = next(
        name for name in map("m{}".format, range(99))
        if method_styles([name])[name].colour == first.colour
    )  # fmt: skip
    assert method_styles(["s3", rival])["s3"] == first
    assert method_styles(["s3", rival])[rival].colour != first.colour
    assert method_styles([rival, "s3"])[rival].colour == first.colour


def test_a_method_has_one_colour_whatever_else_a_chart_draws():
    looks = method_styles(["s3", "copy", "flow"])
    assert looks == method_styles(["flow", "s3", "copy", "s3"])
    assert len({look.colour for look in looks.values()}) == 3
    speed = pd.DataFrame({"method": ["s3", "flow"], "fps": [2, 9], "J&F": [0.9, 0.3]})
    (axes,) = speed_chart(speed, "J&F", methods=["copy"]).axes
    drawn = [line.get_color() for line in axes.lines if len(line.get_xdata())]
    assert drawn == [looks["s3"].colour, looks["flow"].colour]

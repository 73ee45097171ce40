"""Scores of parts of the objects: Model Evaluation scenarios and what a view shows."""

from __future__ import annotations

from types import SimpleNamespace

import fiftyone as fo
import numpy as np
import pytest
from fiftyone import ViewField as F
from fiftyone.operators.store import ExecutionStore
from plugins.utils.model_evaluation import get_subsets_from_custom_code

import s3fo
from s3fo.datasets.reading.tables import breakdown, object_scores
from s3fo.datasets.scoring.subsets import (
    attribute_subsets,
    save_scenarios,
    subset_score,
    view_subsets,
)
from s3fo.datasets.views.objects_shown import objects_shown


@pytest.fixture
def evaluated(predicted, results):
    s3fo.compute_attributes(predicted, workers=1)
    s3fo.evaluate(predicted, "shifted", "k", workers=1)
    return predicted


@pytest.fixture
def ids(evaluated) -> dict[str, str]:
    return dict(zip(*evaluated.values(["sequence", "id"]), strict=True))


def scenarios(dataset: fo.Dataset) -> dict[str, dict]:
    store = ExecutionStore.create("model_evaluation_panel_builtin", dataset._doc.id)
    return {item["name"]: item for item in (store.get("scenarios") or {}).values()}


def test_scenarios_show_what_a_breakdown_says_to_the_last_bit(evaluated):
    offered = scenarios(evaluated)
    groups = breakdown(evaluated, ("k",)).groups
    names = [name for name in groups["attribute"].unique() if name != "all"]
    assert names and len(offered) == len(names) + 1
    results = evaluated.load_evaluation_results("k")
    ctx = SimpleNamespace(dataset=evaluated)
    checked = 0
    for name in names:
        code = next(
            item["subsets"]
            for item in offered.values()
            if f", {name!r})" in item["subsets"]
        )
        subsets, error = get_subsets_from_custom_code(ctx, code)
        assert error is None
        rows = groups[groups["attribute"] == name]
        for (title, subset), row in zip(
            subsets.items(), rows.to_dict("records"), strict=True
        ):
            with results.use_subset(subset):
                assert results.metrics()["J&F"] == row["mean"]
            assert title.startswith(f"{row['group']}: {row['mean']:.3f}")
            assert f"({row['n_objects']} object" in title
            checked += 1
    assert checked >= 4
    everything = results.metrics()["J&F"]
    assert everything == evaluated.get_evaluation_info("k").config.summary["J&F"]


def test_saved_views_are_scored_as_what_they_show(evaluated):
    evaluated.save_view("alone", evaluated.match(F("sequence") == "alone"))
    evaluated.save_view("seconds", evaluated.filter_labels("objects", F("index") == 2))
    evaluated.save_view("clips", evaluated.to_clips("objects"))
    code = scenarios(evaluated)["J&F of saved views"]["subsets"]
    ctx = SimpleNamespace(dataset=evaluated)
    subsets, error = get_subsets_from_custom_code(ctx, code)
    assert error is None
    jf = object_scores(evaluated, "k").objects.set_index(["sequence", "object"])["J&F"]
    expected = {
        "alone": jf["alone", 1],
        "seconds": jf["pair", 2],
        "k worst objects": evaluated.get_evaluation_info("k").config.summary["J&F"],
    }
    assert {title.split(":")[0] for title in subsets} == set(expected)
    results = evaluated.load_evaluation_results("k")
    for title, subset in subsets.items():
        value = expected[title.split(":")[0]]
        assert f": {value:.3f} (" in title
        with results.use_subset(subset):
            assert results.metrics()["J&F"] == value


def test_several_methods_are_told_apart_in_one_name(evaluated):
    s3fo.evaluate(evaluated, "shifted", "other", protocol="vos-benchmark", workers=1)
    names = " ".join(view_subsets(evaluated))
    assert "k 0." in names and "other 0." in names
    first = next(iter(attribute_subsets(evaluated, "size")))
    assert "k 0." in first and "other 0." in first


def test_scenarios_of_others_stay_and_ours_are_renewed(evaluated):
    store = ExecutionStore.create("model_evaluation_panel_builtin", evaluated._doc.id)
    theirs = {"id": "x", "name": "mine", "type": "view", "subsets": ["a"]}
    store.set("scenarios", {**store.get("scenarios"), "x": theirs})
    before = scenarios(evaluated)
    s3fo.evaluate(evaluated, "shifted", "k", protocol="vos-benchmark", workers=1)
    after = scenarios(evaluated)
    assert after["mine"] == theirs and set(after) == set(before)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == set(after) - {"mine"}  # FiftyOne would show what it kept.
    evaluated.delete_evaluation("k")
    save_scenarios(evaluated)
    assert set(scenarios(evaluated)) == {"mine"}


def test_what_a_view_shows(evaluated, ids):
    alone, pair = ids["alone"], ids["pair"]
    everything = {(alone, 1), (pair, 1), (pair, 2)}
    second = {(pair, 2)}
    cases = {
        "all": (evaluated, everything),
        "videos": (evaluated.select(pair), {(pair, 1), (pair, 2)}),
        "objects": (evaluated.filter_labels("objects", F("index") == 2), second),
        "scores": (evaluated.filter_labels("k_objects", F("index") == 2), second),
        "truth": (
            evaluated.filter_labels("frames.ground_truth", F("index") == 2),
            second,
        ),
        "predictions": (
            evaluated.filter_labels("frames.shifted", F("index") == 2),
            second,
        ),
        "videos that match": (
            evaluated.match_labels(fields="objects", filter=F("index") == 2),
            {(pair, 1), (pair, 2)},
        ),
        "two filters": (
            evaluated.filter_labels("objects", F("index") == 1).filter_labels(
                "k_objects", F("index") == 2, only_matches=False
            ),
            set(),
        ),
        "frames": (evaluated.select(alone).to_frames(), {(alone, 1)}),
        "clips": (evaluated.to_clips("objects").match(F("objects.index") == 2), second),
        "nothing": (evaluated.match(F("sequence") == "none"), set()),
    }
    for name, (view, expected) in cases.items():
        assert objects_shown(view) == expected, name


def test_selected_labels_are_what_is_shown(evaluated, ids):
    labels = evaluated.select(ids["pair"]).values(
        "k_objects.detections.id", unwind=True
    )
    view = evaluated.select_labels(ids=labels[:1])
    assert objects_shown(view) == {(ids["pair"], 1)}
    view = evaluated.exclude_labels(ids=labels[:1], fields="k_objects")
    assert objects_shown(view) == {(ids["alone"], 1), (ids["pair"], 2)}


def test_a_score_that_a_protocol_lacks(evaluated):
    assert subset_score(evaluated, "k", "J&F_adaptive") is None
    nothing = evaluated.match(F("sequence") == "none")
    assert subset_score(nothing, "k", "J&F") is None


def test_a_view_of_two_objects_has_their_mean(evaluated, ids):
    view = evaluated.select(ids["pair"])
    objects = object_scores(evaluated, "k").objects
    own = objects[objects["sequence"] == "pair"]
    for metric, column in (("J&F", "J&F"), ("J", "J_mean"), ("F", "F_mean")):
        assert subset_score(view, "k", metric) == np.mean(own[column])

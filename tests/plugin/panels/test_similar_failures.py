"""Failures by their looks: descriptors, the map, and the list in that order."""

from __future__ import annotations

import numpy as np
import pytest
from operator_runs import form

import s3fo
from benchmarks.panels import Visitor
from evaluation.errors import InputError
from s3fo.datasets import map_similar_failures, similar_failures
from s3fo.datasets.reading import tables
from s3fo.datasets.scoring.similar_failures import crop_descriptor
from s3fo.plugin import install
from s3fo.plugin.operators.explain.map_failures import map_layout
from s3fo.plugin.panels.failures import Failures
from s3fo.plugin.panels.looks.failure_map import FailureMap


@pytest.fixture(scope="session", autouse=True)
def plugin():
    return install()


class MeanColour:
    """Describes a region by its mean red, green and blue."""

    name, side = "mean colour", 64

    def __call__(self, image, regions):
        whole = np.zeros((len(regions), *image.shape[:2]), bool)
        for mask, region in zip(whole, regions, strict=True):
            box = region.box
            mask[box.top : box.bottom, box.left : box.right] = region.mask
        colours = np.stack([image[mask].mean(axis=0) for mask in whole])
        return colours / np.linalg.norm(colours, axis=1, keepdims=True)


class Given:
    """Gives every region of the n-th crop the n-th direction."""

    name, side = "given", 64

    def __init__(self, directions):
        self._left = iter(directions)

    def __call__(self, image, regions):
        return np.stack([np.float32(next(self._left))] * len(regions))


@pytest.fixture
def failed(predicted):
    s3fo.evaluate(predicted, "shifted", "k", workers=1)
    s3fo.datasets.find_failures(predicted, "k", error_maps=False, workers=1)
    return predicted


def test_half_of_a_descriptor_is_the_object_and_half_what_is_around():
    image = np.zeros((40, 40, 3), np.uint8)
    image[...] = (0, 0, 200)
    truth = np.zeros((40, 40), np.uint8)
    truth[10:20, 10:20] = 3
    image[truth == 3] = (200, 0, 0)
    vector = crop_descriptor(image, truth, np.zeros_like(truth), 3, MeanColour())
    # The object is red. Its box is grown by 8 pixels: 26 x 26 with 100 red ones.
    red, blue = 100, 26 * 26 - 100
    around = np.array([red, 0, blue]) / np.hypot(red, blue)
    np.testing.assert_allclose(vector, np.array([1, 0, 0, *around]) / 2**0.5, atol=1e-6)


def test_the_most_alike_come_first(failed):
    events = tables.event_table(failed, "k")
    assert len(events) >= 3
    person = Visitor(FailureMap(), failed)
    person.do("open", "on_load")
    assert "no map of failures" in person.state["problem"]
    told = person.layout["remedy_text"]["default"]
    assert f"{len(events)} failures: about " in told and "seconds" in told
    asked = person.do(
        "make", "on_remedy", runs="map_failures", settings={"eval_key": "k"}
    )
    prompt = asked.requests["prompt_user_for_operation"]
    assert prompt["operator_uri"] == "@s3fo/vos/map_failures"
    assert prompt["params"] == {"eval_key": "k"}
    assert prompt["on_success"].endswith("#on_try_again")  # draws the panel anew
    directions = [[1, 0], [0, 1], [0.6, 0.8]] + [[-1, 0]] * (len(events) - 3)
    clips = map_similar_failures(failed, "k", Given(directions))
    ids = [own for _, part in events.groupby("sequence", sort=False) for own in part.id]
    found = similar_failures(failed, "k", ids[2], k=3)
    assert list(found["id"]) == [ids[2], ids[1], ids[0]]
    assert found["similarity"].tolist() == pytest.approx([1, 0.8, 0.6])
    assert set(clips.values("id")) == set(ids)
    points = failed.load_brain_results("k_failure_map")
    assert points.points.shape == (len(ids), 2)
    saved = failed.load_saved_view("k failures by looks")
    ranked = saved.sort_by_similarity(ids[2], brain_key="k_similar_failures", k=2)
    assert ranked.values("id") == [ids[2], ids[1]]

    person = Visitor(Failures(), failed)
    person.do("open", "on_load")
    person.do("like", "on_like", event_id=ids[2], at=0)
    assert person.state["event"] == ids[2] and person.state["at"] == 0
    assert person.data["events"]["columns"][-1] == "similarity"
    shown = [row[-1] for row in person.data["events"]["rows"][:3]]
    assert shown == ["1.000", "0.800", "0.600"]
    person.do("next", "on_step", at=1)
    assert person.state["event"] == ids[1]
    person.do("by cost", "on_by_cost")
    assert person.state["event"] == events["id"].iloc[0]
    assert person.data["events"]["columns"][-1] == "tag"

    person = Visitor(FailureMap(), failed)
    person.do("open", "on_load")
    drawn = {own: trace for trace in person.data["map"] for own in trace["ids"]}
    assert set(drawn) == set(ids)
    kinds = dict(zip(events["id"], events["kind"], strict=True))
    assert all(trace["name"] == kinds[own] for own, trace in drawn.items())
    person.choose("by cost", "colour", "cost")
    (trace,) = person.data["map"]
    costs = dict(zip(events["id"], 100 * events["cost"], strict=True))
    assert trace["marker"]["color"] == [costs[own] for own in trace["ids"]]
    lasso = [{"id": own} for own in ids[:2]]
    asked = person.do("lasso", "on_select_failures", data=lasso, path="map").requests
    assert "ToClips" in str(asked["set_view"]["view"])
    assert asked["notify"]["message"].startswith("2 clips")
    asked = person.do("click", "on_click_failure", id=ids[0], path="map").requests
    first = events[events["id"] == ids[0]].iloc[0]
    assert asked["@s3fo/vos/show_frame"]["frame"] == first["start"]

    s3fo.datasets.find_failures(failed, "k", error_maps=False, workers=1)
    assert not failed.list_brain_runs() and not failed.has_saved_view(saved.name)


def test_what_was_not_mapped_is_asked_for(failed):
    event = tables.event_table(failed, "k")["id"].iloc[0]
    with pytest.raises(InputError, match="Map failures by looks"):
        similar_failures(failed, "k", event)
    person = Visitor(Failures(), failed)
    person.do("open", "on_load")
    asked = person.do("like", "on_like", event_id=event, at=0).requests
    assert "map_failures" in str(asked)
    assert {"eval_key", "features", "map"} <= set(form("map_failures", failed))


def test_the_map_is_opened_beside_the_videos():
    samples, points = map_layout().children
    kinds = [side.children[0].type for side in (samples, points)]
    assert kinds == ["Samples", "vos_failure_map"]

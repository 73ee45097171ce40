"""Ground truth and two methods side by side: what is drawn, and the masks of frames."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from small_benchmark import own_name, write_results

import s3fo
from benchmarks.panels import Visitor
from evaluation.errors import InputError
from s3fo.datasets import object_colour
from s3fo.datasets.scoring.frame_masks import mask_pictures
from s3fo.plugin.operators.explain.masks_of_frames import MasksOfFrames
from s3fo.plugin.panels.charts.side_by_side import comparison
from s3fo.plugin.panels.side_by_side import SideBySide


@pytest.fixture(scope="module")
def two(benchmark, tmp_path_factory):
    """Two methods; both lose object 2 of "pair" in the frame of index 4."""
    folder = tmp_path_factory.mktemp("two")
    dataset = s3fo.load_benchmark(benchmark, dataset_name=own_name("side-by-side"))
    for shift, name in ((0, "right"), (5, "shifted")):
        write_results(benchmark, folder / name, shift)
        s3fo.add_predictions(dataset, folder / name, name)
        s3fo.evaluate(dataset, name, workers=1)
    s3fo.find_failures(dataset, "right", error_maps=False, workers=1)
    yield dataset
    dataset.delete()


@pytest.fixture(scope="module")
def pair(two):
    return two.match({"sequence": "pair"}).first().id


def test_curves_and_failures_of_both_are_drawn(two, pair):
    shown = comparison(two, pair, ["right", "shifted"])
    assert [column["name"] for column in shown["columns"]] == [
        *("ground truth", "right", "shifted"),
    ]
    assert len(shown["images"]) == 8
    assert all(Path(shown["folder"] + name).is_file() for name in shown["images"])
    first, second = (row["curves"] for row in shown["rows"])
    # DAVIS does not score the first and the last frame.
    assert first["right"] == [None, *[1.0] * 6, None]
    assert second["right"] == [None, 1, 1, 1, 0, 1, 1, None]
    assert all(value < 1 for value in first["shifted"][1:-1])
    (event,) = shown["events"]
    assert (event["key"], event["object"], event["start"], event["end"]) == (
        *("right", 2, 5, 5),
    )
    assert event["text"].startswith("right, object 2: missed, frames 5 to 5, ")


def opened(source: str) -> np.ndarray:
    """[H, W, 4] red, green, blue and alpha of a ``data:`` URL."""
    encoded = source.removeprefix("data:image/png;base64,")
    picture = Image.open(io.BytesIO(base64.b64decode(encoded)))
    return np.asarray(picture.convert("RGBA"))


def test_masks_are_those_of_the_files_in_the_objects_colours(two, benchmark):
    found = mask_pictures(two, "pair", ["right", "shifted"], [5, 6])
    video = next(video for video in benchmark if video.name == "pair")
    for number, place in ((5, 0), (6, 1)):
        truth = video.read_annotation(video.frames[number - 1])
        lost = np.where(truth == 2, 0, truth) if number == 5 else truth
        wanted = {
            "ground truth": truth,
            "right": lost,
            "shifted": np.roll(lost, 5, axis=1),
        }
        for name, label_map in wanted.items():
            picture = opened(found[name][place])
            np.testing.assert_array_equal(picture[..., 3] > 0, label_map > 0)
            code = object_colour(1).removeprefix("#")
            red, green, blue = bytes.fromhex(code)
            assert (picture[label_map == 1, :3] == (red, green, blue)).all()


def test_large_masks_are_made_smaller(two):
    (source,) = mask_pictures(two, "pair", ["right"], [1], width=31)["right"]
    assert opened(source).shape[1] == 31


def test_the_panel_draws_the_video_that_is_open(two, pair):
    person = Visitor(SideBySide(), two, current_sample=pair)
    person.do("open", "on_load")
    assert not person.state["problem"] and person.state["pair"] == ["right", "shifted"]
    view = person.layout["drawing"]["view"]
    assert view["component"] == "SideBySide" and view["opened"] == pair
    assert view["shown"]["sequence"] == "pair"
    person.choose("first", "first", "shifted")
    names = [
        one["name"] for one in person.layout["drawing"]["view"]["shown"]["columns"]
    ]
    assert names == ["ground truth", "shifted"]


def test_the_panel_begins_at_what_was_opened(two, pair):
    person = Visitor(SideBySide(), two, current_sample=pair)
    focus = {"id": pair, "frame": 5, "object": 2, "event": None}
    person.state["focus"] = focus
    person.do("open", "on_load")
    view = person.layout["drawing"]["view"]
    assert (view["begins"], view["object"]) == (5, 2)
    person.state["focus"] = {**focus, "id": "another"}
    person.do("other", "on_change_current_sample")
    view = person.layout["drawing"]["view"]
    assert (view["begins"], view["object"]) == (1, None)


def test_the_method_that_the_grid_shows_comes_second(two, pair):
    person = Visitor(SideBySide(), two, current_sample=pair)
    person.shown = {"active_fields": ["sequence", "frames.right"]}
    person.do("open", "on_load")
    assert person.state["pair"] == ["shifted", "right"]


def test_a_frame_that_is_not_there_is_refused(two):
    ask = MasksOfFrames(_builtin=False).execute
    params = {"sequence": "pair", "eval_keys": ["right"], "start": 8, "count": 9}
    done = ask(SimpleNamespace(dataset=two, params=params))
    assert done["start"] == 8 and len(done["masks"]["right"]) == 1
    with pytest.raises(InputError, match="'pair', frame 9"):
        ask(SimpleNamespace(dataset=two, params={**params, "start": 9}))

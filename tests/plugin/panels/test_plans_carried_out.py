"""What a plan asks of the App, call by call, with videos and with images."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from s3fo.datasets.views.images import IMAGE_VIEW
from s3fo.plugin.panels import opening


class Asked(list):
    """What was asked of the App, in order: name and arguments."""

    def __getattr__(self, name: str):
        return lambda *args: self.append((name, *args))


def page(dataset, **changes) -> SimpleNamespace:
    asked = Asked()
    facts = {
        "dataset": dataset, "view": dataset.view(), "has_custom_view": False,
        "request_params": {}, "ops": asked, "asked": asked,
        "trigger": lambda name, params: asked.append((name.split("/")[-1], params)),
    }  # fmt: skip
    return SimpleNamespace(**{**facts, **changes})


@pytest.fixture
def plan(explained_once):
    pair = explained_once.match({"sequence": "pair"}).first().id
    return opening.plan_frame(explained_once, pair, 3, ["k"], object_id=2)


def test_a_view_that_lacks_the_video_gives_way(explained_once, plan) -> None:
    for view, custom, cleared in (("alone", True, True), ("pair", True, False),
                                  ("alone", False, False)):  # fmt: skip
        own = page(explained_once, has_custom_view=custom,
                   view=explained_once.match({"sequence": view}))  # fmt: skip
        opening.show_frame(own, plan)
        *before, (name, params) = own.asked
        assert before == ([("clear_view",)] if cleared else [])
        assert name == "show_frame" and params.get("stages") == (0 if cleared else None)
        assert params["id"] == plan.id and params["frame"] == 3
        assert params["filters"] == plan.filters


def test_images_are_shown_where_there_are_no_videos(
    explained_once, plan, monkeypatch
) -> None:
    monkeypatch.setattr(opening, "has_videos", lambda dataset: False)
    monkeypatch.setattr(opening, "opening_view", lambda dataset: dataset.limit(1))
    own = page(explained_once)
    opening.show_frame(own, plan)
    assert [call[0] for call in own.asked] == ["set_view", "show_frame"]
    assert own.asked[1][1]["stages"] == 1
    own = page(explained_once, request_params={"view_name": IMAGE_VIEW})
    opening.show_frame(own, plan)
    assert [call[0] for call in own.asked] == ["show_frame"]
    assert "stages" not in own.asked[0][1]
    images = opening.plan_frame(explained_once, plan.id, 3, ["k"], object_id=2)
    assert images.id == explained_once[plan.id].frames[1].id
    assert images.fields == ("sequence", "k_JF", "shifted")
    assert list(images.filters) == [
        "ground_truth.detections.index",
        "shifted.detections.index",
    ]


def test_files_of_masks_are_shown_with_boxes_of_one_object(monkeypatch) -> None:
    files = SimpleNamespace(has_frame_field=lambda name: name == "a_mask")
    assert opening._fields(files, "a", None) == ["a_mask"]
    assert opening._fields(files, "a", 2) == ["a_mask", "a"]
    assert opening._fields(files, "b", 2) == opening._fields(files, "b", None) == ["b"]


def test_a_number_is_filtered_as_the_sidebar_does() -> None:
    no = ("exclude", "isMatching", "none", "nan", "inf", "ninf")
    assert opening.exactly(4) == {**dict.fromkeys(no, False), "range": [4, 4]}


def test_all_videos_are_as_when_the_dataset_was_opened(
    explained_once, monkeypatch
) -> None:
    config = explained_once.app_config
    own = page(explained_once)
    opening.show_all_videos(own)
    calls = dict(call if len(call) == 2 else (call[0], None) for call in own.asked)
    assert list(calls) == [
        "clear_view",
        "clear_sidebar_filters",
        "restore_sidebar",
        "set_active_fields",
    ]
    told = calls["restore_sidebar"]
    assert told["stages"] == 0
    assert told["groups"] == [
        {"name": group.name, "paths": list(group.paths), "expanded": group.expanded}
        for group in config.sidebar_groups
    ]
    assert list(calls["set_active_fields"]) == list(config.active_fields.paths)
    view = explained_once.limit(1)
    monkeypatch.setattr(opening, "opening_view", lambda dataset: view)
    bare = SimpleNamespace(
        media_fields=["filepath", "k_thumbnail"],
        sidebar_groups=None,
        active_fields=None,
    )
    own = page(SimpleNamespace(app_config=bare, view=lambda: view))
    opening.show_all_videos(own)
    assert own.asked == [
        ("show_media", {"field": "filepath"}),
        ("clear_view",),
        ("clear_sidebar_filters",),
        ("set_view", view),
    ]
    bare.sidebar_groups = [SimpleNamespace(name="g", paths=("a",), expanded=True)]
    opening.show_all_videos(own)
    group = {"name": "g", "paths": ["a"], "expanded": True}
    assert own.asked[-1] == ("restore_sidebar", {"groups": [group], "stages": 1})


def test_the_player_of_the_open_video_is_moved(explained_once) -> None:
    own = page(explained_once, current_sample="abc")
    opening.seek(own, 7)
    assert own.asked == [("show_frame", {"id": "abc", "frame": 7})]

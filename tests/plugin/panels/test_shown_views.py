"""What views hold: which videos, clips and labels, in which order, and of what."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from fiftyone import ViewField

from evaluation.errors import InputError
from s3fo.datasets.field_names import AUDIT
from s3fo.datasets.reading.tables import event_table
from s3fo.datasets.scoring.review import tag_event
from s3fo.datasets.views import images as images_module
from s3fo.datasets.views import similar_objects
from s3fo.datasets.views.appearance import (
    _active_paths,
    _colour_scheme,
    _error_fields,
    _save_workspaces,
    rename_looks,
)
from s3fo.datasets.views.brain_maps import _settings, delete_map
from s3fo.datasets.views.clips import clips_of_events
from s3fo.datasets.views.colours import line_colour, object_colour
from s3fo.datasets.views.evaluation_views import delete_views, save_views
from s3fo.datasets.views.failure_maps import failure_map_names
from s3fo.datasets.views.images import (
    IMAGE_VIEW,
    has_videos,
    image_sequences,
    opening_view,
    renew_image_view,
)
from s3fo.datasets.views.objects_shown import objects_shown
from s3fo.datasets.views.shown import video_shown
from s3fo.datasets.views.worst import (
    lowest_objects,
    object_score,
    published_field,
    worst,
)
from s3fo.plugin.panels.opening import (
    _first_image,
    plan_audit_clips,
    plan_clips,
    plan_frame,
    plan_grid,
)


@pytest.fixture(scope="module")
def ids(explained_once) -> dict[str, str]:
    """Id of each video."""
    return dict(zip(*explained_once.values(["sequence", "id"]), strict=True))


def test_the_lowest_objects_come_first_and_alone(explained_once) -> None:
    rows = sorted(
        (label.JF, sample.sequence, label.index)
        for sample in explained_once
        for label in sample.k_objects.detections
    )
    assert len(rows) == 3
    for k in (1, 2, 3):
        view = lowest_objects(explained_once, "k", "JF", k)
        left = [
            (sample.sequence, label.index)
            for sample in view
            for label in sample.k_objects.detections
        ]
        assert sorted(left) == sorted(row[1:] for row in rows[:k])
        assert left[0][0] == rows[0][1]
    assert object_score(explained_once, "k") == "JF"
    assert published_field(explained_once, "k") == "k_JF"


def test_clips_are_of_the_events_asked_for(explained_once) -> None:
    events = [
        (label.rank, label.id, tuple(label.support), sample.sequence)
        for sample in explained_once
        for label in sample.k_failures.detections
    ]
    events.sort()
    assert len(events) >= 2
    chosen = [event[1] for event in events[:2]][::-1]
    named = ViewField("label").concat("!")
    for as_given, order in ((False, events[:2]), (True, events[:2][::-1])):
        clips = clips_of_events(
            explained_once, "k_failures", chosen, named, as_given=as_given
        )
        assert clips.values("id") == [event[1] for event in order]
        assert [tuple(own) for own in clips.values("support")] == [e[2] for e in order]
        assert clips.values("sequence") == [event[3] for event in order]
        assert all(label.endswith("!") for label in clips.values("k_failures.label"))


def test_views_are_saved_for_what_was_evaluated(explained) -> None:
    save_views(explained, "k")
    names = {"k worst objects", "k identity swaps", "k after return"}
    assert set(explained.list_saved_views()) == names
    assert (
        explained.load_saved_view("k worst objects").count("k_objects.detections") == 3
    )
    events = explained.values("k_failures.detections", unwind=True)
    kinds = {"k identity swaps": ["identity swap"], "k after return": ["late recovery"]}
    for name, own in kinds.items():
        wanted = {
            label.id
            for label in events
            if label.label in own
            or (own == ["late recovery"] and "after_return" in (label.onset or ()))
        }
        view = explained.load_saved_view(name)
        assert set(view.values("k_failures.detections.id", unwind=True)) == wanted
    event = event_table(explained, "k").iloc[0]
    tag_event(explained, "k", event, "confirmed")
    save_views(explained, "k")
    view = explained.load_saved_view("k confirmed")
    assert view.values("k_failures.detections.id", unwind=True) == [event["id"]]
    delete_views(explained, "k")
    assert explained.list_saved_views() == []


def test_which_video_is_open_and_from_where(explained_once, ids) -> None:
    assert video_shown(explained_once, ids["pair"]) == (ids["pair"], 1)
    clips = explained_once.to_clips("k_failures")
    for clip in clips:
        assert video_shown(clips, clip.id) == (clip.sample_id, clip.support[0])
    assert video_shown(clips, ids["pair"]) == (ids["pair"], 1)
    frames = explained_once.to_frames(sample_frames=False)
    third = frames.match(ViewField("frame_number") == 3).first()
    assert video_shown(frames, third.id) == (str(third.sample_id), 3)


def test_the_objects_that_a_view_shows(explained_once, ids) -> None:
    every = {(ids["alone"], 1), (ids["pair"], 1), (ids["pair"], 2)}
    pair = explained_once.match({"sequence": "pair"})
    second = ViewField("index") == 2
    assert objects_shown(explained_once) == every
    assert objects_shown(pair) == every - {(ids["alone"], 1)}
    only = {(ids["pair"], 2)}
    for field in ("objects", "k_objects", "k_failures", "frames.ground_truth"):
        assert objects_shown(explained_once.filter_labels(field, second)) == only
    (label,) = [own for own in pair.first().k_objects.detections if own.index == 2]
    assert objects_shown(explained_once.select_labels(ids=[label.id])) == only
    clips = pair.filter_labels("objects", second).to_clips("objects")
    assert objects_shown(clips) == only
    every_clip = explained_once.to_clips("objects")
    assert objects_shown(every_clip) == every
    chosen = every_clip.match(ViewField("objects.index") == 2)
    assert objects_shown(chosen) == only
    frames = explained_once.to_frames(sample_frames=False)
    assert objects_shown(frames) == every
    assert objects_shown(frames.filter_labels("ground_truth", second)) == only
    both = pair.filter_labels("objects", second).filter_labels("k_objects", ~second)
    assert objects_shown(both) == set()
    assert objects_shown(explained_once.select_fields("sequence")) == every


def test_datasets_with_videos_are_shown_as_they_are(explained_once) -> None:
    assert has_videos(explained_once)
    assert opening_view(explained_once) is explained_once
    images = image_sequences(explained_once)
    assert len(images) == 2
    assert [frame.frame_number for frame in images] == [1, 1]


def test_lines_are_as_bright_as_can_be_seen() -> None:
    assert object_colour(1) == "#800000" and object_colour(256) == "#BCF23D"
    # Red has a luminance of 0.2126 and is made paler, to 0.25; green is made darker:
    # 255 * (0.25 / 0.7152) ** (1 / 2.2) is 158.
    assert (line_colour(1), line_colour(2)) == ("#FF4040", "#009E00")
    assert line_colour(0) == "#888888" and line_colour(256) == "#729325"


def test_small_maps_are_told_how_small_they_are() -> None:
    assert _settings("pca", 5) == {}
    assert _settings("tsne", 7) == {"perplexity": 2.0, "pca_dims": 7}
    assert _settings("tsne", 400) == {"perplexity": 30.0, "pca_dims": 50}
    assert failure_map_names("k") == {
        "map_key": "k_failure_map",
        "index_key": "k_similar_failures",
        "view": "k failures by looks",
    }


def test_plans_name_every_field_that_is_shown(explained_once, ids) -> None:
    assert plan_clips(explained_once, "k") == (
        "sequence",
        "k_failures",
        "frames.shifted",
    )
    assert plan_grid(explained_once, "k") == ("sequence", "k_JF", "frames.shifted")
    assert plan_audit_clips(explained_once) == (
        "sequence",
        AUDIT,
        "frames.ground_truth",
    )
    plan = plan_frame(explained_once, ids["pair"], 3, ["k"], truth=True, event_id="e")
    assert plan.fields == ("sequence", "k_JF", "frames.ground_truth", "frames.shifted")
    assert plan.filters == {} and plan.focus == {"object": None, "event": "e"}
    other = ["k_J", "objects.detections", "no_field", "split"]
    plan = plan_frame(explained_once, ids["pair"], 3, ["k"], active=other)
    assert plan.fields == (
        "objects.detections",
        "split",
        "k_JF",
        "frames.shifted",
    )
    first = explained_once[ids["pair"]].frames[1].id
    assert _first_image(explained_once, ids["pair"]) == first


def test_what_is_shown_at_first_and_after_fields_were_renamed(explained) -> None:
    shown = ["sequence", "frames.shifted", "shifted", "k_JF"]
    assert _active_paths(explained) == shown
    explained.mask_targets = {"frames.old_mask": {1: "one"}, "other": {2: "two"}}
    fields = [{"path": "old_mask"}, {"path": "frames.old_mask"}, {"path": "objects"}]
    explained.app_config.color_scheme.fields = fields
    rename_looks(explained, {"frames.old_mask": "frames.new_mask"})
    targets = {"frames.new_mask": {1: "one"}, "other": {2: "two"}}
    assert explained.mask_targets == targets
    paths = [own["path"] for own in explained.app_config.color_scheme.fields]
    assert paths == ["new_mask", "frames.new_mask", "objects"]


def test_datasets_without_videos_are_shown_as_images(explained, monkeypatch) -> None:
    monkeypatch.setattr(images_module, "has_videos", lambda dataset: False)
    renew_image_view(explained)
    assert explained.has_saved_view(IMAGE_VIEW)
    told = explained.get_saved_view_info(IMAGE_VIEW)["description"]
    assert told.startswith("The frames as they are")
    assert len(opening_view(explained)) == 2
    monkeypatch.setattr(images_module, "_MOST_COPIED", 13)  # of 14 frames
    renew_image_view(explained)
    assert not explained.has_saved_view(IMAGE_VIEW)
    assert len(opening_view(explained)) == 2  # made when it is opened
    assert explained.has_saved_view(IMAGE_VIEW)
    monkeypatch.setattr(images_module, "has_videos", lambda dataset: True)
    renew_image_view(explained)
    assert not explained.has_saved_view(IMAGE_VIEW)


def test_layouts_and_colours_follow_what_the_dataset_has(explained, monkeypatch):
    assert _error_fields(explained) == []
    for name in explained.list_workspaces():
        explained.delete_workspace(name)
    _save_workspaces(explained)
    names = {"Benchmark", "Evaluation", "Compare", "Failures"}
    assert set(explained.list_workspaces()) == names
    alone = explained.load_workspace("Benchmark").children
    assert [panel.type for panel in alone] == ["Samples"]
    for name in names:
        explained.delete_workspace(name)
    monkeypatch.setattr(type(explained), "list_evaluations", lambda dataset: [])
    _save_workspaces(explained)
    assert explained.list_workspaces() == ["Benchmark"]
    monkeypatch.setattr(type(explained), "bounds", lambda dataset, path: (1, 23))
    colours = _colour_scheme(explained).fields[0]["valueColors"]
    assert [own["value"] for own in colours] == [str(k) for k in range(1, 24)]


def test_the_worst_objects_are_of_an_evaluation_that_is_there(
    explained_once, monkeypatch
) -> None:
    assert len(worst(explained_once, "k", k=1)) == 1
    with pytest.raises(InputError, match="one of k"):
        worst(explained_once, "other")
    with pytest.raises(InputError, match="no field k_objects, which the dataset has"):
        worst(explained_once.select_fields("sequence"), "k")
    monkeypatch.setattr(type(explained_once), "list_evaluations", lambda dataset: [])
    with pytest.raises(InputError, match="no evaluations yet"):
        worst(explained_once, "k")


def test_a_map_of_two_objects_is_one_and_its_runs_are_replaced(
    explained_once, monkeypatch
) -> None:
    names = explained_once.values("objects.detections.id", unwind=True)[:2]
    vectors = {name: np.full(2, k, np.float32) for k, name in enumerate(names)}
    saved: list[np.ndarray] = []
    monkeypatch.setattr(similar_objects, "_by_label", lambda *_: vectors)
    monkeypatch.setattr(
        similar_objects, "save_map", lambda dataset, clips, own, **_: saved.append(own)
    )
    clips = similar_objects.map_similar_objects(explained_once, None)  # type: ignore[arg-type]
    assert sorted(clips.values("id")) == sorted(names)
    assert saved[0].tolist() == [vectors[name].tolist() for name in clips.values("id")]
    vectors.pop(names[0])
    with pytest.raises(InputError, match="descriptors of 1 objects"):
        similar_objects.map_similar_objects(explained_once, None)  # type: ignore[arg-type]


def test_of_a_map_goes_what_there_is() -> None:
    gone: list[str] = []
    runs = SimpleNamespace(
        list_brain_runs=lambda: ["map", "other"],
        delete_brain_run=gone.append,
        has_saved_view=lambda name: name == "view",
        delete_saved_view=gone.append,
    )
    delete_map(runs, map_key="map", index_key="index", view="view")  # type: ignore[arg-type]
    assert gone == ["map", "view"]
    delete_map(runs, map_key="no", index_key="index", view="none")  # type: ignore[arg-type]
    assert gone == ["map", "view"]

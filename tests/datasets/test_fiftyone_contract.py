"""Which behaviour of FiftyOne `s3fo.datasets._fiftyone` relies on, one test each.

A release of FiftyOne that changes its private API or its stored form fails here first,
and by name. Each test states the expected behaviour through FiftyOne's public API.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from bson import ObjectId, json_util
from fiftyone.operators.store import ExecutionStore
from small_benchmark import own_name

import s3fo.datasets
from s3fo.datasets import _fiftyone as private

ROOT = Path(s3fo.datasets.__file__).parents[1]


@pytest.fixture
def videos() -> Iterator[fo.Dataset]:
    """Two videos without files: "long" with five frames, "short" with none."""
    dataset = fo.Dataset(own_name("contract"))
    try:
        dataset.media_type = "video"
        kind = fo.EmbeddedDocumentField
        dataset.add_sample_field("sequence", fo.StringField)
        for name in ("events", "objects"):
            dataset.add_sample_field(
                name, kind, embedded_doc_type=fo.TemporalDetections
            )
        dataset.add_frame_field("masks", kind, embedded_doc_type=fo.Detections)
        dataset.add_frame_field("masks.detections.index", fo.IntField)
        dataset.add_frame_field("file", kind, embedded_doc_type=fo.Segmentation)
        dataset.add_frame_field("weight", fo.FloatField)
        long, short = (
            fo.Sample(filepath=f"/{name}.mp4", sequence=name, media_type="video")
            for name in ("long", "short")
        )
        long["events"] = fo.TemporalDetections(
            detections=[
                fo.TemporalDetection(label=label, support=support)
                for label, support in (("swap", [2, 3]), ("miss", [4, 5]))
            ]
        )
        for number in range(1, 6):
            long.frames[number] = fo.Frame(
                filepath=f"/long/{number}.jpg", weight=float(number)
            )
        dataset.add_samples([long, short], progress=False)
        yield dataset
    finally:
        dataset.delete()


def test_every_function_has_a_contract():
    here = Path(__file__).read_text()
    used = {
        node.attr
        for node in ast.walk(ast.parse(here))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "private"
    }
    # Types, which do nothing.
    kinds = {"Document", "FieldKind", "Update", "Id", "LabelFilter", "Scenario"}
    assert set(private.__all__) - kinds <= used


def test_fields_are_added_with_those_inside_them(videos):
    private.add_fields(
        videos,
        {"found": fo.TemporalDetections, "found.detections.cost": fo.FloatField},
        {"masks.detections.J": fo.FloatField, "note": fo.StringField(null=True)},
    )
    stored = fo.load_dataset(videos.name)
    assert stored.get_field("found").document_type is fo.TemporalDetections
    assert isinstance(stored.get_field("found.detections.cost"), fo.FloatField)
    assert isinstance(stored.get_field("frames.masks.detections.J"), fo.FloatField)
    assert videos.values("frames.note", unwind=True) == [None] * 5


def _collection(name):
    return fo.core.odm.get_db_conn()[name]


def test_what_others_changed_is_read_again_and_nothing_else(videos):
    videos.save_view("first", videos.limit(1))
    held = videos._sample_doc_cls
    private.reload_changes(videos)
    assert videos._sample_doc_cls is held

    _collection("datasets").update_one(
        {"_id": videos._doc.id}, {"$set": {"info": {"by": "another process"}}}
    )
    private.reload_changes(videos)
    assert videos.info == {"by": "another process"}

    (view,) = videos._doc.saved_views
    _collection("views").update_one(
        {"_id": view.id}, {"$set": {"description": "of another process"}}
    )
    private.reload_changes(videos)
    assert videos.get_saved_view_info("first")["description"] == "of another process"


def test_samples_that_the_process_holds_are_read_again(videos):
    sample = videos.first()
    videos._sample_collection.update_one(
        {"_id": ObjectId(sample.id)}, {"$set": {"sequence": "renamed"}}
    )
    assert sample["sequence"] == "long"
    private.reload_changes(videos)
    assert sample["sequence"] == "renamed"


def test_view_fields_compare_stored_ids(videos):
    (swap, miss), _ = videos.values("events.detections.id")
    view = videos.filter_labels("events", private.has_id([miss]))
    assert view.values("events.detections.label", unwind=True) == ["miss"]
    assert (
        videos.filter_labels("events", private.has_id([swap, miss])).count(
            "events.detections"
        )
        == 2
    )


def test_an_id_is_shown_as_24_hexadecimal_digits(videos):
    assert private.derived_id("bear/1") == private.derived_id("bear/1")
    assert private.derived_id("bear/1") != private.derived_id("bear/2")
    assert len(str(private.new_id())) == 24
    sample_id = videos.first().id
    assert str(private.Id(sample_id)) == sample_id


def test_a_view_is_sent_to_the_app_as_one_entry_a_stage(videos):
    assert private.count_stages(videos) == 0
    assert private.count_stages(videos.limit(1)) == 1
    assert private.count_stages(videos.limit(1).skip(1).shuffle()) == 3


def test_views_know_whether_they_are_of_clips_or_frames(videos):
    clips = videos.to_clips("events")
    frames = videos.to_frames(sample_frames=False)
    asked = [
        (private.is_of_clips(view), private.is_of_frames(view))
        for view in (videos, videos.limit(1), clips, clips.limit(1), frames)
    ]
    none, of_clips, of_frames = (False, False), (True, False), (False, True)
    assert asked == [none, none, of_clips, of_clips, of_frames]


def test_views_know_whether_they_are_of_patches_or_groups(videos):
    frames = videos.to_frames(sample_frames=False)
    patches = frames.to_patches("masks")
    grouped = frames.group_by("sample_id")
    assert private.is_of_patches(patches) and private.is_of_patches(patches.limit(1))
    assert not any(map(private.is_of_patches, (videos, frames, grouped)))
    assert private.is_grouped_by_field(grouped)
    assert not any(map(private.is_grouped_by_field, (videos, frames, patches)))


def test_stages_tell_whether_they_only_choose_samples(videos):
    chosen = videos.match(fo.ViewField("sequence") == "long").sort_by("id").limit(1)
    assert private.changing_stages(videos) == private.changing_stages(chosen) == []
    filtered = chosen.filter_labels("events", fo.ViewField("label") == "a")
    assert private.changing_stages(filtered.skip(1)) == ["FilterLabels"]
    frames = chosen.match_frames(fo.ViewField("frame_number") > 1)
    assert private.changing_stages(frames) == ["MatchFrames"]


def test_clips_and_frames_have_a_dataset_with_the_ids_of_their_videos(videos):
    long = videos.match(fo.ViewField("sequence") == "long").first().id
    clips = videos.to_clips("events")
    shown = private.shown_dataset(clips)
    assert shown.values("sample_id") == [long, long]
    assert shown.values("support") == [[2, 3], [4, 5]]
    assert shown.values("id") == clips.values("id")
    grouped = videos.to_frames(sample_frames=False).group_by(
        "sample_id", order_by="frame_number"
    )
    assert private.shown_dataset(grouped).count() == 5


def test_the_root_of_views_clips_and_frames_is_the_dataset(videos):
    for samples in (
        videos,
        videos.limit(1),
        videos.to_clips("events"),
        videos.to_frames(sample_frames=False).limit(2),
    ):
        assert private.root_dataset(samples) is videos


def test_a_dataset_made_again_under_its_name_has_another_id():
    name = own_name("contract-id")
    first = fo.Dataset(name)
    before = private.dataset_id(first)
    assert private.dataset_id(fo.load_dataset(name)) == before
    first.delete()
    second = fo.Dataset(name)
    try:
        assert private.dataset_id(second) != before
    finally:
        second.delete()


def test_samples_are_updated_by_path_and_held_ones_are_reloaded(videos):
    sample = videos.first()
    before = sample.last_modified_at
    time.sleep(0.002)  # MongoDB keeps milliseconds
    private.update_documents(
        videos.limit(1),
        [(sample.id, {"sequence": "renamed", "events.detections.1.label": "late"})],
    )
    assert sample.sequence == "renamed"
    assert [own.label for own in sample.events.detections] == ["swap", "late"]
    assert sample.last_modified_at > before
    assert videos.values("sequence") == ["renamed", "short"]


def test_frames_are_updated_and_held_ones_are_reloaded(videos):
    frame = videos.first().frames[2]
    before = frame.last_modified_at
    time.sleep(0.002)
    private.update_documents(videos, [(frame.id, {"weight": 7.5})], frames=True)
    assert frame.weight == 7.5
    assert frame.last_modified_at > before
    assert videos.first().frames[3].weight == 3.0


def test_nothing_to_update_is_no_error(videos):
    private.update_documents(videos, [])
    private.update_documents(videos, [], frames=True)
    private.insert_frame_documents(videos, [])


def _insert(videos: fo.Dataset, **values: object) -> fo.core.frame.Frame:
    short = videos.last()
    key = private.new_id()
    document = {"_id": key, "_sample_id": private.Id(short.id), "frame_number": 1}
    private.insert_frame_documents(videos, [{**document, **values}])
    videos.reload()
    frame = videos.last().frames[1]
    assert frame.id == str(key)
    return frame


def test_an_inserted_frame_is_like_one_that_fiftyone_added(videos):
    frame = _insert(videos, filepath="/short/1.jpg", weight=2.5)
    assert frame.weight == 2.5
    now = datetime.now(timezone.utc)
    for stamp in (frame.created_at, frame.last_modified_at):
        assert abs((now - stamp.replace(tzinfo=timezone.utc)).total_seconds()) < 60
    inserted = videos._frame_collection.find_one({"_id": ObjectId(frame.id)})
    added = videos._frame_collection.find_one(
        {"_sample_id": {"$ne": inserted["_sample_id"]}}
    )
    # FiftyOne writes None for what a frame does not have.
    assert {key: type(value) for key, value in added.items() if value is not None} == {
        key: type(value) for key, value in inserted.items() if value is not None
    }
    assert videos.last().frames.first().weight == 2.5
    assert videos.count("frames") == 6


def test_detections_made_by_hand_are_stored_as_fiftyone_stores_them(videos):
    mask = np.array([[True, False, True], [False, True, True]])
    instance = private.derived_id("short/4")
    box = [0.25, 0.5, 0.125, 0.25]
    by_hand = private.detections_document(
        [private.detection_document("dog", box, 4, instance, mask)]
    )
    frame = _insert(videos, masks=by_hand)
    (label,) = frame.masks.detections
    assert (label.label, label.bounding_box, label.index) == ("dog", box, 4)
    assert label.instance.id == str(instance)
    assert np.array_equal(label.mask, mask) and label.mask.dtype == bool
    theirs = fo.Detections(
        detections=[
            fo.Detection(
                label="dog",
                bounding_box=box,
                index=4,
                instance=fo.Instance(id=str(instance)),
                mask=mask,
            )
        ]
    )
    own, other = (
        next(iter(document["detections"]))
        for document in (by_hand, theirs.to_mongo().to_dict())
    )
    without = {key: value for key, value in other.items() if value is not None}
    assert {**own, "_id": 0} == {**without, "_id": 0}


def test_a_detection_without_mask_has_none(videos):
    document = private.detection_document("cat", [0, 0, 1, 1], 1, private.new_id())
    frame = _insert(videos, masks=private.detections_document([document]))
    assert frame.masks.detections[0].mask is None


def test_a_segmentation_made_by_hand_refers_to_its_file(videos):
    frame = _insert(videos, file=private.segmentation_document("/masks/00001.png"))
    assert isinstance(frame.file, fo.Segmentation)
    assert frame.file.mask_path == "/masks/00001.png"
    assert frame.file.mask is None and frame.file.tags == []


def test_tags_of_one_label_change_and_no_others(videos):
    sample = videos.first()
    _, miss = sample.events.detections
    private.set_label_tags(videos, "events", sample.id, miss.id, ["confirmed", "x"])
    assert [own.tags for own in sample.events.detections] == [[], ["confirmed", "x"]]
    carried = fo.ViewField("tags").contains("confirmed")
    assert videos.filter_labels("events", carried).count("events.detections") == 1


def test_labels_are_found_as_they_are_stored(videos):
    found = list(private.find_labels(videos, "events", ["label", "support"]))
    long, short = videos.values("id")
    (first, name, labels), (second, other, none) = found
    assert (first, name, second, other) == (long, "long", short, "short")
    assert [dict(own) for own in labels] == [
        {"label": "swap", "support": [2, 3]},
        {"label": "miss", "support": [4, 5]},
    ]
    assert list(none) == []
    (_, _, whole), _ = private.find_labels(videos, "events")
    ids = [str(own["_id"]) for own in whole]
    assert ids == videos.values("events.detections.id", unwind=True)
    assert private.plain_values([own["_id"] for own in whole]) == ids
    supports = private.plain_values([own["support"] for own in whole])
    assert supports == [(2, 3), (4, 5)]


def test_a_sample_that_is_saved_counts_as_changed_then(videos):
    before = private.last_sample_change(videos)
    time.sleep(0.002)
    short = videos.last()
    short["sequence"] = "shorter"
    short.save()
    after = private.last_sample_change(videos)
    assert before < after
    since = private.find_labels(videos, "events", since=after)
    assert [name for _, name, _ in since] == ["shorter"]


def test_a_frame_that_is_saved_counts_as_changed_then(videos):
    long, short = videos.values("id")
    before = private.last_frame_change(videos, long)
    assert private.last_frame_change(videos, short) is None
    time.sleep(0.002)
    frame = videos.first().frames[4]
    frame["weight"] = 0.5
    frame.save()
    assert private.last_frame_change(videos, long) > before


def test_what_was_changed_last_has_an_index(videos):
    assert {"last_modified_at", "id"} <= set(videos.list_indexes())


def test_samples_count_as_changed_when_a_field_comes_or_goes(videos):
    for change in (
        lambda: videos.rename_sample_field("events", "found"),
        lambda: videos.clear_sample_field("found"),
        lambda: videos.delete_sample_field("found"),
    ):
        before = private.last_sample_change(videos)
        time.sleep(0.002)
        change()
        newest = videos.values("last_modified_at")
        assert min(newest) > before


def test_a_deletion_of_samples_has_its_time(videos):
    assert private.last_deletion(videos) is None
    videos.delete_samples(videos.first())
    deleted = private.last_deletion(videos)
    videos.reload()
    assert deleted is not None and deleted == private.last_deletion(videos)


def test_the_estimated_count_is_that_of_the_samples(videos):
    assert private.estimated_sample_count(videos) == 2
    videos.delete_samples(videos.first())
    assert private.estimated_sample_count(videos) == 1


def test_sidebar_groups_are_renamed_and_deleted(videos):
    name = videos.name
    groups = fo.DatasetAppConfig.default_sidebar_groups(videos)
    groups += [fo.SidebarGroupDocument(name="run"), fo.SidebarGroupDocument(name="b")]
    videos.app_config.sidebar_groups = groups
    videos.save()
    private.rename_sidebar_group(videos, "run", "again")
    private.rename_sidebar_group(videos, "no such group", "other")
    private.delete_empty_sidebar_group(videos, "b")
    private.delete_empty_sidebar_group(videos, "no such group")
    names = [own.name for own in fo.load_dataset(name).app_config.sidebar_groups]
    assert "again" in names and "run" not in names and "b" not in names


def _register(dataset: fo.Dataset, eval_key: str) -> object:
    from s3fo.datasets.scoring.model_evaluation import VOSEvaluationConfig

    config = VOSEvaluationConfig("frames.masks", "frames.truth", summary={"J": 0.5})
    evaluation = config.build()
    evaluation.register_run(dataset, eval_key)
    return evaluation


def test_results_are_read_from_what_was_stored_in_parts(videos):
    evaluation = _register(videos, "k")
    for text in ("first", "second"):
        parts = ['{"cls": ', f'"{text}"', "}"]
        private.replace_results(videos, "k", evaluation, parts, {"kind": text})
    document = videos._doc.evaluations["k"]
    assert json_util.loads(document.results.read().decode()) == {"cls": "second"}
    assert document.results_meta == {"kind": "second"}
    # One results file per run: that of before is gone.
    held = getattr(videos, evaluation._results_cache_field())
    assert "k" not in held


def test_results_hold_ids_in_extended_json():
    key = ObjectId("0123456789abcdef01234567")
    text = private.extended_json({"id": key, "ious": [0.5, None]})
    assert text == '{"id": {"$oid": "0123456789abcdef01234567"}, "ious": [0.5, null]}'
    assert json_util.loads(text) == {"id": key, "ious": [0.5, None]}


def test_the_panel_finds_the_note_under_the_runs_id(videos):
    for key in ("k", "other"):
        _register(videos, key)
        private.write_note(videos, key, f"note of {key}")
    store = ExecutionStore.create("model_evaluation_panel_builtin", videos._doc.id)
    assert store.get("notes") == {
        str(videos._doc.evaluations[key].id): f"note of {key}" for key in ("k", "other")
    }


def test_scenarios_are_where_the_panel_looks_for_them(videos):
    mine = {"id": "1", "name": "n", "type": "custom_code", "subsets": "subsets = {}"}
    private.update_scenarios(videos, lambda known: {**known, "1": mine})
    private.update_scenarios(videos, lambda known: {**known, "2": mine | {"id": "2"}})
    store = ExecutionStore.create("model_evaluation_panel_builtin", videos._doc.id)
    assert store.get("scenarios") == {"1": mine, "2": mine | {"id": "2"}}


def test_labels_are_found_by_their_instance(videos):
    first, second = fo.Instance(), fo.Instance()
    long = videos.first()
    long.frames[1]["masks"] = fo.Detections(
        detections=[
            fo.Detection(label=label, bounding_box=[0, 0, 1, 1], instance=instance)
            for label, instance in (("a", first), ("b", second))
        ]
    )
    long.save()
    view = videos.filter_labels("frames.masks", private.is_of([second.id]))
    assert view.values("frames.masks.detections.label", unwind=2) == ["b"]


def test_stages_tell_which_labels_they_leave(videos):
    label = fo.ViewField("label")
    view = videos.match(fo.ViewField("sequence") == "long")
    assert private.label_filters(view) == []
    view = view.filter_labels("events", label == "miss")
    view = view.filter_labels("frames.masks", label == "a", only_matches=False)
    ids = videos.values("events.detections.id", unwind=True)
    view = view.select_labels(ids=ids).exclude_labels(ids=ids, fields="events")
    assert private.label_filters(view) == [
        (False, ("events",)),
        (False, ("frames.masks",)),
        (True, ()),
        (False, ("events",)),
    ]


def test_stages_tell_which_frames_they_leave(videos):
    assert not private.filters_frames(videos)
    assert private.filters_frames(videos.match_frames(fo.ViewField("weight") > 2))
    assert private.clips_of(videos.to_clips("events")) == "events"
    assert private.clips_of(videos.to_clips(fo.ViewField("weight") > 2)) is None
    assert private.clips_of(videos) is None


def test_exports_to_coco_take_labels_with_instances():
    import fiftyone.utils.coco as fouc

    private.let_coco_tell_instances()
    private.let_coco_tell_instances()  # Again does nothing more.
    instance = fo.Instance()
    label = fo.Detection(label="a", instance=instance, score=0.5)
    assert fouc._get_attributes(label, True) == {
        "instance": instance.id,
        "score": 0.5,
    }
    assert dict(label.iter_attributes())["instance"] is instance


def test_no_other_module_imports_the_database_driver():
    found = {
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (
            isinstance(node, ast.Import)
            and {"bson", "pymongo"} & {alias.name.split(".")[0] for alias in node.names}
        )
        or (
            isinstance(node, ast.ImportFrom)
            and (node.module or "").split(".")[0] in {"bson", "pymongo"}
        )
    }
    assert found and all(own.startswith("datasets/_fiftyone/") for own in found)


def test_a_saved_layout_equals_what_was_saved_only(videos):
    def layout(kind):
        panel = fo.Panel(component_id="1", type=kind, pinned=True)
        return fo.Space(component_id="2", children=[panel], active_child="1")

    assert not private.has_layout(videos, "mine", layout("Samples"))
    videos.save_workspace("mine", layout("Samples"))
    again = fo.load_dataset(videos.name)
    again.reload()
    assert private.has_layout(again, "mine", layout("Samples"))
    assert not private.has_layout(again, "mine", layout("Histograms"))
    (workspace,) = again._doc.get_workspaces()
    assert workspace.last_loaded_at is None


def test_shapes_of_labels_are_read_as_they_are_stored(videos):
    long = videos.first()
    box, mask = [0.1, 0.2, 0.3, 0.4], np.ones((2, 3), bool)
    for number in (4, 2):
        label = fo.Detection(bounding_box=box, mask=mask)
        long.frames[number]["masks"] = fo.Detections(detections=[label])
    long.save()
    shapes = list(private.label_shapes(videos, "masks"))
    assert [(video, number) for video, number, _ in shapes] == [
        (long.id, number) for number in range(1, 6)
    ]
    first, second, third, fourth, _ = (content for *_, content in shapes)
    assert not first and not third
    assert second == fourth and second.startswith(repr(box).encode())
    long.frames[4]["masks"].detections[0].mask = ~mask
    long.save()
    edited = [content for *_, content in private.label_shapes(videos, "masks")]
    assert edited[1] == second and edited[3] != second
    held = list(private.frame_fields(videos, ["masks", "none"]))
    assert [sample for sample, *_ in held] == [long.id] * len(shapes)
    frames = {frame: values for _, frame, values in held}
    assert frames[str(long.frames[1].id)] == [None, None]
    (label,) = frames[str(long.frames[2].id)][0]["detections"]
    assert label["bounding_box"] == box and isinstance(label["mask"], bytes)

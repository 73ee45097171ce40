from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest
from bson import json_util
from fiftyone.operators.store import ExecutionStore
from small_benchmark import write_results

import evaluation.scoring
import s3fo
from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from s3fo.datasets import remove_predictions
from s3fo.datasets.reading.tables import (
    evaluations_as_they_came,
    vos_evaluations,
)

LABELS = "frames.shifted.detections"


@pytest.fixture
def evaluated(predicted):
    s3fo.evaluate(predicted, "shifted", "k")
    return predicted


def test_every_number_is_the_one_that_evaluation_gives(predicted, results, benchmark):
    scores = s3fo.evaluate(predicted, "shifted", "k")
    expected = evaluation.scoring.score(results, benchmark, "davis-2017")
    assert scores.summary == expected.summary
    for sample in predicted:
        frames = benchmark[sample.sequence].frames
        table = expected.frames.set_index(["sequence", "frame", "object"])
        for number, frame in sample.frames.items():
            for found in frame.shifted.detections:
                key = (sample.sequence, frames[number - 1], found.index)
                if key in table.index:
                    assert tuple(table.loc[key, ["J", "F"]]) == (found.J, found.F)
                else:
                    assert found.J is None and found.F is None
        objects = expected.objects.set_index(["sequence", "object"])
        for span in sample.k_objects.detections:
            row = objects.loc[(sample.sequence, span.index)]
            assert tuple(row[["J_mean", "F_mean", "J&F"]]) == (span.J, span.F, span.JF)
            assert span.J_recall == row["J_recall"]
            own = table.loc[sample.sequence].xs(span.index, level="object")
            assert span.J_min == own["J"].min() < 1
        row = expected.sequences.set_index("sequence").loc[sample.sequence]
        assert (sample.k_J, sample.k_F, sample.k_JF) == tuple(row[["J", "F", "J&F"]])


def test_first_and_last_frame_do_not_count_in_davis(evaluated):
    sample = evaluated.one(fo.ViewField("sequence") == "pair")
    assert sample.frames[1].shifted.detections[0].J is None
    assert sample.frames[8].shifted.detections[0].J is None
    assert sample.frames[2].shifted.detections[0].J is not None


def test_found_missed_and_false_objects(evaluated):
    sample = evaluated.one(fo.ViewField("sequence") == "pair")
    lost = {d.index: d.k for d in sample.frames[5].ground_truth.detections}
    assert lost == {1: "tp", 2: "fn"}
    counts = evaluated.count_values(f"{LABELS}.k")
    assert counts["tp"] == 15 and counts[None] == 6
    missed = evaluated.filter_labels("frames.ground_truth", fo.ViewField("k") == "fn")
    assert missed.count("frames.ground_truth.detections") == 1


def test_the_run_is_one_that_the_app_can_open(evaluated):
    evaluated.clear_cache()
    info = evaluated.get_evaluation_info("k")
    assert (info.config.type, info.config.method) == ("detection", "vos")
    assert info.config.protocol == "davis-2017"
    results = evaluated.load_evaluation_results("k", cache=False)
    sequences = evaluated.values("k_JF")
    assert results.metrics()["J&F"] == pytest.approx(
        (sequences[0] + 2 * sequences[1]) / 3
    )
    assert {entry["label"] for entry in results.custom_metrics.values()} == {
        "J&F",
        "J",
        "F",
    }
    assert np.count_nonzero(results.ytrue == results.ypred) == 15
    assert np.count_nonzero(results.ypred == results.missing) == 1


def test_results_are_stored_as_fiftyone_would(evaluated, monkeypatch):
    """Written in parts, and the same as FiftyOne makes of them in one go."""
    from s3fo.datasets.scoring import model_evaluation

    monkeypatch.setattr(model_evaluation, "_ROWS_A_PART", 4)
    s3fo.evaluate(evaluated, "shifted", "k")
    stored = evaluated._doc.evaluations["k"].results.read()
    results = evaluated.load_evaluation_results("k", cache=False)
    assert json_util.loads(stored) == results.serialize()
    assert list(results.classes) == ["object 1", "object 2"]
    truths = evaluated.values("frames.ground_truth.detections.id", unwind=3)
    found = {key for key in results.ytrue_ids if key}
    assert len(found) == 16 and found < set(truths)
    assert list(results.ytrue_ids).count(None) == 0
    assert list(results.ypred_ids).count(None) == 1


def test_the_sidebar_has_indexes_to_ask(evaluated):
    """Values and bounds of label attributes without a look at every frame."""
    indexes = set(evaluated.get_index_information())
    asked = {f"{LABELS}.{name}" for name in ("label", "index", "J", "F")}
    truths = "frames.ground_truth.detections"
    assert asked | {f"{truths}.label", f"{truths}.index"} <= indexes
    remove_predictions(evaluated, "shifted")
    assert not asked & set(evaluated.get_index_information())


def test_the_protocol_stands_beside_the_numbers(evaluated):
    store = ExecutionStore.create("model_evaluation_panel_builtin", evaluated._doc.id)
    run_id = str(evaluated._doc.evaluations["k"].id)
    assert store.get("notes")[run_id].startswith("DAVIS-2017 semi-supervised")


def test_a_subset_restricts_every_column(evaluated):
    results = evaluated.load_evaluation_results("k", cache=False)
    whole = results.ious.copy()
    pair = evaluated.match(fo.ViewField("sequence") == "pair")
    with results.use_subset(pair):
        assert len(results.ious) == len(results.ytrue) == len(results.ypred) == 12
        assert results.metrics()["support"] == 12
    assert np.array_equal(results.ious, whole)


def test_again_under_the_same_key_replaces_only_that(evaluated, results, benchmark):
    s3fo.evaluate(evaluated, "shifted", "other", protocol="vos-benchmark")
    kept = evaluated.values("other_JF")
    s3fo.evaluate(evaluated, "shifted", "k", protocol="davis-2016")
    assert sorted(evaluated.list_evaluations()) == ["k", "other"]
    assert evaluated.get_evaluation_info("k").config.protocol == "davis-2016"
    assert evaluated.values("other_JF") == kept
    assert set(evaluated.count_values(f"{LABELS}.other")) == {"tp", None}
    # The latest is `k`, which keeps the colour of the first.
    assert vos_evaluations(evaluated) == ["other", "k"]
    assert evaluations_as_they_came(evaluated) == ["k", "other"]


def test_changed_files_are_scored_and_shown(evaluated, results, benchmark):
    before = evaluated.values("k_JF")
    write_results(benchmark, results, shift=0)
    scores = s3fo.evaluate(evaluated, "shifted", "k")
    assert scores.summary["J"] > np.mean(before)
    boxes = [
        evaluated.values(f"frames.{name}.detections.bounding_box")[0]
        for name in ("shifted", "ground_truth")
    ]
    assert boxes[0] == boxes[1]


def test_deleting_takes_its_own_fields_only(evaluated):
    s3fo.evaluate(evaluated, "shifted", "other")
    evaluated.delete_evaluation("k")
    assert evaluated.list_evaluations() == ["other"]
    fields = evaluated.get_field_schema()
    assert not [name for name in fields if name.startswith("k_")]
    assert evaluated.has_field("other_objects")
    assert not evaluated.has_field(f"{LABELS}.k")
    assert evaluated.has_field(f"{LABELS}.J")
    evaluated.delete_evaluation("other")
    assert not evaluated.has_field(f"{LABELS}.J")
    assert evaluated.count(LABELS) == 21


def test_renaming_keeps_the_numbers(evaluated):
    before = evaluated.values("k_JF")
    evaluated.rename_evaluation("k", "renamed")
    assert evaluated.values("renamed_JF") == before
    assert not evaluated.has_field("k_JF")
    assert evaluated.count_values(f"{LABELS}.renamed")["tp"] == 15
    assert evaluated.load_evaluation_results("renamed").metrics()["J"] > 0


def test_a_broken_result_changes_nothing(evaluated, results):
    before = evaluated.values("k_JF")
    (results / "pair" / "00003.png").unlink()
    with pytest.raises(InputError, match="00003"):
        s3fo.evaluate(evaluated, "shifted", "k")
    assert evaluated.values("k_JF") == before
    assert evaluated.list_evaluations() == ["k"]


def test_some_sequences_only(predicted):
    s3fo.evaluate(predicted, "shifted", "k", sequences=["pair"])
    values = dict(zip(*predicted.values(["sequence", "k_JF"]), strict=True))
    assert values["alone"] is None
    assert values["pair"] > 0


def test_proposals_with_other_ids_are_matched(dataset, benchmark, tmp_path):
    """Under an unsupervised protocol the predicted ids mean nothing."""
    swapped = np.array([0, 2, 1], np.uint8)
    for sequence in benchmark:
        for frame in sequence.frames:
            path = tmp_path / "swapped" / sequence.name / f"{frame}.png"
            write_label_map(path, swapped[sequence.read_annotation(frame)])
    s3fo.add_predictions(dataset, tmp_path / "swapped", "swapped")
    scores = s3fo.evaluate(dataset, "swapped", "k", protocol="davis-2017-unsupervised")
    assert scores.summary["J&F"] == 1
    assert set(dataset.values("frames.swapped.detections.J", unwind=True)) == {1.0}
    assert set(dataset.count_values("frames.swapped.detections.k")) == {"tp"}


def test_worst_objects_come_first(evaluated):
    scores = sorted(evaluated.values("k_objects.detections.JF", unwind=True))
    assert len(scores) == 3 and scores[0] < scores[2]
    view = s3fo.worst(evaluated, "k", k=3)
    # Videos in the order of their worst objects, all of them shown.
    assert len(view) == 2
    lowest = [min(values) for values in view.values("k_objects.detections.JF")]
    assert lowest == sorted(lowest) and lowest[0] < lowest[1]
    assert lowest[0] == scores[0]
    two = s3fo.worst(evaluated, "k", k=2)
    assert sorted(two.values("k_objects.detections.JF", unwind=True)) == scores[:2]
    with pytest.raises(InputError, match="'nothing'"):
        s3fo.worst(evaluated, "nothing")
    with pytest.raises(InputError, match="a view that keeps this field"):
        s3fo.worst(evaluated.select_fields("sequence"), "k")


def test_unknown_predictions_and_keys(predicted):
    with pytest.raises(InputError, match=r"'cutie'.*shifted"):
        s3fo.evaluate(predicted, "cutie")
    with pytest.raises(InputError, match="two words"):
        s3fo.evaluate(predicted, "shifted", "two words")


def test_the_latest_masks_are_shown_with_their_own_latest_score(
    evaluated, benchmark, tmp_path
):
    def scores_shown():
        shown = evaluated.app_config.active_fields.paths
        return [path for path in shown if path.endswith("_JF")]

    s3fo.evaluate(evaluated, "shifted", "again")
    assert vos_evaluations(evaluated) == ["k", "again"]
    assert scores_shown() == ["again_JF"]
    s3fo.add_predictions(evaluated, write_results(benchmark, tmp_path / "c"), "copy")
    assert scores_shown() == []
    s3fo.evaluate(evaluated, "copy", "a")
    s3fo.evaluate(evaluated, "shifted", "k")
    assert vos_evaluations(evaluated) == ["again", "a", "k"]
    assert scores_shown() == ["a_JF"]


def test_an_evaluation_brings_a_workspace_and_a_sidebar_group(evaluated):
    assert {"Benchmark", "Evaluation"} <= set(evaluated.list_workspaces())
    groups = {group.name: group.paths for group in evaluated.app_config.sidebar_groups}
    assert groups["k"] == ["k_JF", "k_J", "k_F", "k_objects"]
    evaluated.rename_evaluation("k", "renamed")
    evaluated.delete_evaluation("renamed")
    groups = {group.name for group in evaluated.app_config.sidebar_groups}
    assert not {"k", "renamed"} & groups


def test_layouts_that_somebody_changed_are_put_back(evaluated):
    def stored():
        return {item.name: item.id for item in evaluated._doc.get_workspaces()}

    made, before = evaluated.load_workspace("Evaluation"), stored()
    changed = fo.Space(children=[fo.Panel(type="Histograms")])
    evaluated.save_workspace("Evaluation", changed, overwrite=True)
    s3fo.evaluate(evaluated, "shifted", "k", workers=1)
    assert evaluated.load_workspace("Evaluation") == made
    assert stored()["Compare"] == before["Compare"]


def test_evaluations_stored_by_the_first_version_are_read(predicted):
    scores = s3fo.evaluate(predicted, "shifted", "k", workers=1)
    run = predicted._doc.evaluations["k"]
    old = "s3fo.datasets.model_evaluation.VOSEvaluationConfig"
    run.config["cls"] = old
    run.save()
    predicted.reload()
    config = predicted.get_evaluation_info("k").config
    assert config.predictions == "shifted"
    assert config.summary["J&F"] == scores.summary["J&F"]

"""Failures belong to scores: what becomes of them when predictions are scored again."""

from __future__ import annotations

import pytest
from small_benchmark import copied, make_predicted, write_results

import s3fo
from evaluation.errors import InputError
from s3fo.datasets import find_failures, remove_predictions
from s3fo.datasets.reading import tables
from s3fo.datasets.scoring.review import reviewed_events, reviews_by_method, tag_event
from s3fo.datasets.views import appearance as views
from s3fo.plugin.panels.charts import failures as failure_charts


@pytest.fixture(scope="module")
def failing_once(benchmark, tmp_path_factory):
    """Evaluated, with failures, one of those that come of the shift confirmed."""
    dataset = make_predicted(benchmark, tmp_path_factory.mktemp("k"), "failing")
    yield confirm_one(dataset)
    dataset.delete()


@pytest.fixture
def failing(failing_once):
    """A copy of that."""
    with copied(failing_once) as copy:
        yield copy


def confirm_one(dataset):
    s3fo.evaluate(dataset, "shifted", "k")
    find(dataset)
    events = tables.event_table(dataset, "k")
    event = events[events["kind"] != "missed"].iloc[0]
    tag_event(dataset, "k", event, "confirmed")
    return dataset


def find(dataset):
    find_failures(dataset, "k", attributes=False)


def confirmed(dataset, eval_key="k"):
    """The events that are shown as confirmed, without their ids."""
    events = tables.event_table(dataset, eval_key)
    events = events[events["tags"].map(lambda tags: "confirmed" in tags)]
    return events.drop(columns=["id", "rank", "cost"]).to_dict("records")


def shows_failures(dataset, eval_key="k"):
    fields = {f"{eval_key}_failures", f"frames.{eval_key}_errors"}
    there = {name for name in fields if dataset.has_field(name)}
    assert there in (set(), fields)
    return bool(there)


def test_the_same_scores_keep_their_failures(failing):
    before = tables.event_table(failing, "k")
    s3fo.evaluate(failing, "shifted", "k")
    assert tables.event_table(failing, "k").equals(before)
    assert shows_failures(failing)
    assert len(failing.load_saved_view("k confirmed")) == 1
    # Scored objects get new ids: the view must not ask for the old ones.
    assert len(failing.load_saved_view("k worst objects")) == 2


def test_another_protocol_takes_them_out_and_reviews_wait(failing):
    (reviewed,) = confirmed(failing)
    told = reviews_by_method(failing)["shifted"]
    s3fo.evaluate(failing, "shifted", "k", protocol="mose-v2")
    assert not shows_failures(failing)
    assert failure_charts.with_failures(failing) == []
    assert failing.list_saved_views() == ["k worst objects"]
    assert reviews_by_method(failing)["shifted"].equals(told)
    s3fo.evaluate(failing, "shifted", "k")
    find(failing)
    assert confirmed(failing) == [reviewed]
    assert len(failing.load_saved_view("k confirmed")) == 1


def test_reviews_of_events_that_are_not_found_are_remembered(
    predicted, results, benchmark
):
    failing = confirm_one(predicted)
    (reviewed,) = confirmed(failing)
    write_results(benchmark, results, shift=0)  # Only object 2 in one frame is wrong.
    s3fo.evaluate(failing, "shifted", "k")
    assert not shows_failures(failing)
    find(failing)
    assert confirmed(failing) == []
    assert len(reviewed_events(failing, "k")) == 1
    write_results(benchmark, results)
    s3fo.evaluate(failing, "shifted", "k")
    find(failing)
    assert confirmed(failing) == [reviewed]


def test_a_review_taken_back_stays_taken_back(failing):
    failing.untag_labels("confirmed", label_fields="k_failures")
    s3fo.evaluate(failing, "shifted", "k", protocol="vos-benchmark")
    find(failing)
    assert len(reviewed_events(failing, "k")) == 0


def test_reviews_are_of_the_predictions_they_were_made_of(failing, benchmark, tmp_path):
    other = write_results(benchmark, tmp_path / "other")
    s3fo.add_predictions(failing, other, "other")
    s3fo.evaluate(failing, "other", "k")
    find(failing)
    assert confirmed(failing) == []
    remove_predictions(failing, "other")
    s3fo.evaluate(failing, "shifted", "k")
    find(failing)
    assert len(confirmed(failing)) == 1


def test_an_evaluation_made_again_has_its_reviews(failing):
    (reviewed,) = confirmed(failing)
    failing.delete_evaluation("k")
    assert not shows_failures(failing)
    assert failing.list_saved_views() == []
    s3fo.evaluate(failing, "shifted", "k")
    find(failing)
    assert confirmed(failing) == [reviewed]


def test_a_view_of_one_evaluation_leaves_out_the_failures_of_others(failing):
    s3fo.evaluate(failing, "shifted", "other")
    own = failing.load_evaluation_view("k", select_fields=True)
    assert own.has_field("k_failures") and not own.has_field("other_JF")
    other = failing.load_evaluation_view("other", select_fields=True)
    assert other.has_field("other_JF") and not other.has_field("k_failures")


def test_failures_go_with_a_renamed_evaluation(failing):
    (reviewed,) = confirmed(failing)
    before = {name.removeprefix("k ") for name in failing.list_saved_views()}
    failing.rename_evaluation("k", "new")
    assert shows_failures(failing, "new") and not shows_failures(failing)
    assert confirmed(failing, "new") == [reviewed]
    after = failing.list_saved_views()
    assert {name.removeprefix("new ") for name in after} == before
    for name in after:
        failing.load_saved_view(name).count()
    s3fo.evaluate(failing, "shifted", "new", protocol="mose-v2")
    failing.rename_evaluation("new", "last")
    assert len(reviewed_events(failing, "last")) == 1


def test_a_renamed_evaluation_looks_as_before(failing):
    failing.rename_evaluation("k", "new")
    renamed = looks(failing)
    assert "frames.new_errors" in renamed[0] and "frames.new_errors" in renamed[1]
    views.apply_defaults(failing)
    assert renamed == looks(failing)


def looks(dataset):
    """Colours by path, meanings of pixels by path, what is shown."""
    config = dataset.app_config
    colours = {field["path"]: field for field in config.color_scheme.fields}
    return colours, dict(dataset.mask_targets), config.active_fields.paths


def test_failures_are_found_in_the_masks_that_were_scored(
    predicted, results, benchmark
):
    failing = confirm_one(predicted)
    write_results(benchmark, results, shift=2)
    with pytest.raises(InputError, match="Evaluate the predictions again"):
        find_failures(failing, "k")


def test_frames_scored_as_empty_are_failures_too(predicted, results):
    (results / "alone" / "00003.png").unlink()
    s3fo.evaluate(predicted, "shifted", "k", missing="score-as-empty")
    events = find_failures(predicted, "k").events
    alone = events[events["sequence"] == "alone"]
    assert ("missed", "00003") in set(zip(alone["kind"], alone["start"], strict=True))
    event = tables.event_table(predicted, "k").iloc[0]
    assert len(failure_charts.filmstrip(predicted, "k", event).pictures) == 3


def test_a_dataset_that_lost_a_video_works_on_what_is_there(predicted, results):
    whole = s3fo.evaluate(predicted, "shifted", "k")
    s3fo.evaluate(predicted, "shifted", "other")
    predicted.delete_samples(predicted.match({"sequence": "alone"}).first())
    assert len(find_failures(predicted, "k", error_maps=False).frames) > 0
    again = s3fo.evaluate(predicted, "shifted", "k")
    assert again.sequences["sequence"].tolist() == ["pair"]
    one = whole.sequences.set_index("sequence").loc["pair", "J&F"]
    assert again.sequences.set_index("sequence").loc["pair", "J&F"] == one
    assert set(predicted.list_evaluations()) == {"k", "other"}
    find_failures(predicted, "k", error_maps=False)
    assert s3fo.add_predictions(predicted, results, "second") == []
    s3fo.compute_attributes(predicted)


def test_a_clone_is_evaluated_like_its_original(predicted):
    whole = s3fo.evaluate(predicted, "shifted", "k")
    clone = predicted.clone(f"{predicted.name}-clone")
    try:
        assert s3fo.evaluate(clone, "shifted", "again").summary == whole.summary
        assert "k" in predicted.list_evaluations()
    finally:
        clone.delete()

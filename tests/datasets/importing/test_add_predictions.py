from __future__ import annotations

import shutil
import warnings

import numpy as np
import pytest
from small_benchmark import own_name, write_results

import s3fo
from evaluation.errors import InputError, InputWarning
from evaluation.masks.label_map import read_label_map, write_label_map
from s3fo.datasets import load_predictions_info, remove_predictions
from s3fo.inference import predict

LABELS = "frames.shifted.detections"


def test_an_object_is_the_same_in_truth_and_prediction(predicted):
    for sample in predicted:
        for frame in sample.frames.values():
            truths = {d.index: d for d in frame.ground_truth.detections}
            for found in frame.shifted.detections:
                truth = truths[found.index]
                assert found.instance.id == truth.instance.id
                assert found.label == truth.label


def test_a_lost_object_has_no_label(predicted):
    indices = dict(zip(*predicted.values(["sequence", f"{LABELS}.index"]), strict=True))
    assert indices["pair"][3] == [1, 2]
    assert indices["pair"][4] == [1]


def test_unchanged_files_are_not_imported_again(predicted, results):
    before = predicted.values(f"{LABELS}.id")
    assert s3fo.add_predictions(predicted, results, "shifted") == []
    assert predicted.values(f"{LABELS}.id") == before


def test_changed_files_replace_labels_and_evaluations(predicted, results, benchmark):
    s3fo.evaluate(predicted, "shifted", "first")
    s3fo.add_predictions(predicted, results, "other")
    s3fo.evaluate(predicted, "other", "kept")
    write_results(benchmark, results, shift=0)
    s3fo.add_predictions(predicted, results, "shifted")
    assert predicted.list_evaluations() == ["kept"]
    assert not predicted.has_field("first_J")
    assert not predicted.has_field(f"{LABELS}.J")
    path = "frames.{}.detections.bounding_box"
    sample = predicted.values(path.format("shifted"))[0][0]
    assert sample == predicted.values(path.format("ground_truth"))[0][0]


def test_missing_sequences_are_told(dataset, results):
    shutil.rmtree(results / "alone")
    assert s3fo.add_predictions(dataset, results, "shifted") == ["alone"]
    assert dataset.count(LABELS) == 15


def test_no_results_at_all(dataset, tmp_path):
    (tmp_path / "empty" / "strange").mkdir(parents=True)
    with pytest.raises(InputError, match=r"strange.*alone/00000\.png"):
        s3fo.add_predictions(dataset, tmp_path / "empty", "shifted")
    with pytest.raises(InputError, match="no such folder"):
        s3fo.add_predictions(dataset, tmp_path / "nowhere", "shifted")


@pytest.mark.parametrize("damage", ["truncated", "size", "text"])
def test_a_bad_file_leaves_the_dataset_as_it_was(predicted, results, damage):
    before = predicted.values(f"{LABELS}.id")
    bad = results / "pair" / "00003.png"
    if damage == "truncated":
        bad.write_bytes(bad.read_bytes()[:-30])
    elif damage == "size":
        write_label_map(bad, np.ones((30, 30), np.uint8))
    else:
        bad.write_text("no picture")
    with pytest.raises(InputError, match=r"00003\.png"):
        s3fo.add_predictions(predicted, results, "shifted")
    with pytest.raises(InputError, match=r"00003\.png"):
        s3fo.add_predictions(predicted, results, "fresh")
    assert predicted.values(f"{LABELS}.id") == before
    fields = set(predicted.get_frame_field_schema())
    assert not {"fresh", "fresh_importing", "shifted_importing"} & fields
    assert list(load_predictions_info(predicted)) == ["shifted"]


@pytest.mark.parametrize("name", ["ground_truth", "filepath", "two words", "3s", ""])
def test_unusable_names(dataset, results, name):
    with pytest.raises(InputError, match="name"):
        s3fo.add_predictions(dataset, results, name)


def test_removing_takes_everything_of_the_method(predicted):
    s3fo.evaluate(predicted, "shifted", "k")
    remove_predictions(predicted, "shifted")
    assert not predicted.has_frame_field("shifted")
    assert predicted.list_evaluations() == []
    assert load_predictions_info(predicted) == {}


def test_by_reference(benchmark, results):
    dataset = s3fo.load_benchmark(
        benchmark, dataset_name=own_name("reference"), masks="reference"
    )
    try:
        s3fo.add_predictions(dataset, results, "shifted")
        paths = dataset.values("frames.shifted_mask.mask_path", unwind=True)
        assert paths == [str(path) for path in sorted(results.rglob("*.png"))]
        assert "frames.shifted_mask" in dataset.mask_targets
        remove_predictions(dataset, "shifted")
        assert not dataset.has_frame_field("shifted_mask")
    finally:
        dataset.delete()


def test_first_look_shows_the_latest_masks(predicted):
    assert "frames.shifted" in predicted.app_config.active_fields.paths
    assert "frames.ground_truth" not in predicted.app_config.active_fields.paths
    scheme = predicted.app_config.color_scheme
    colours = {
        entry["path"]: entry["valueColors"]
        for entry in scheme.fields
        if entry["path"].startswith("frames.")
    }
    assert colours["frames.shifted"] == colours["frames.ground_truth"]


def test_how_the_masks_were_made_is_kept(predicted, benchmark, tmp_path):
    predict(benchmark, tmp_path / "copied", method="copy")
    s3fo.add_predictions(predicted, tmp_path / "copied", "copied")
    made = load_predictions_info(predicted)["copied"].made
    assert made["method"] == "copy" and made["versions"]["s3fo"]
    remove_predictions(predicted, "copied")


class Killed(BaseException):
    pass


@pytest.mark.parametrize("step", ["rename_frame_field", "index_labels", "remember"])
@pytest.mark.parametrize("replaces", [False, True])
def test_an_import_killed_at_its_end_is_done_again(
    dataset, results, benchmark, monkeypatch, step, replaces
):
    """Whatever was written last, the name stays free for the same import."""
    from s3fo.datasets.importing import predictions

    if replaces:
        s3fo.add_predictions(dataset, results, "shifted")
        write_results(benchmark, results, shift=0)

    def die(*args, **kwargs):
        raise Killed

    def remember(dataset, name, found):
        if found is not None and found.content:
            raise Killed
        keep(dataset, name, found)

    keep = predictions.save_predictions_info
    with monkeypatch.context() as patch:
        if step == "rename_frame_field":  # labels that are there keep their field
            last = "delete_frame_field" if replaces else step
            patch.setattr(type(dataset), last, die)
        elif step == "index_labels":
            patch.setattr(predictions, step, die)
        else:
            patch.setattr(predictions, "save_predictions_info", remember)
        with pytest.raises(Killed):
            s3fo.add_predictions(dataset, results, "shifted")
    s3fo.add_predictions(dataset, results, "shifted")
    assert set(load_predictions_info(dataset)) == {"shifted"}
    assert not dataset.has_frame_field("shifted_importing")
    fresh = dataset.values("frames.shifted.detections.bounding_box")
    remove_predictions(dataset, "shifted")
    s3fo.add_predictions(dataset, results, "shifted")
    assert dataset.values("frames.shifted.detections.bounding_box") == fresh


def test_a_killed_import_leaves_no_masks_of_a_video_that_has_none(
    dataset, results, monkeypatch
):
    from s3fo.datasets.importing import predictions

    def die(*args, **kwargs):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(type(dataset), "rename_frame_field", die)
        with pytest.raises(Killed):
            s3fo.add_predictions(dataset, results, "shifted")
    shutil.rmtree(results / "alone")
    assert s3fo.add_predictions(dataset, results, "shifted") == ["alone"]
    counts = dict(zip(*dataset.values(["sequence", f"{LABELS}.id"]), strict=True))
    assert not any(counts["alone"]) and any(counts["pair"])
    assert predictions.load_predictions_info(dataset)


@pytest.mark.parametrize("form", ["objects", "four digits", "upper case", "one deeper"])
def test_forms_that_are_scored_are_imported(predicted, benchmark, results, form):
    """The same masks as `results` in another form: the same labels."""
    there = results.parent / form
    for path in sorted(results.rglob("*.png")):
        video, label_map = path.parent.name, read_label_map(path)
        if form == "objects":
            for number in np.unique(label_map[label_map > 0]).tolist():
                mask = (label_map == number).astype(np.uint8) * 255
                write_label_map(there / video / f"{number:03d}" / path.name, mask)
            continue
        name = {
            "four digits": f"{int(path.stem):04d}.png",
            "upper case": f"{path.stem}.PNG",
            "one deeper": f"masks/{path.name}",
        }[form]
        write_label_map(there / video / name, label_map)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        s3fo.add_predictions(predicted, there, "other")
    for part in ("bounding_box", "index", "label"):
        values = predicted.values(f"frames.other.detections.{part}")
        assert values == predicted.values(f"frames.shifted.detections.{part}")


def test_folders_without_masks_are_refused(dataset, benchmark, tmp_path):
    for sequence in benchmark:
        folder = tmp_path / "tifs" / sequence.name
        folder.mkdir(parents=True)
        (folder / "00000.tif").write_bytes(b"II*\0")
    with pytest.raises(InputError, match=r"\.tif"):
        s3fo.add_predictions(dataset, tmp_path / "tifs", "tifs")
    assert not dataset.has_frame_field("tifs")

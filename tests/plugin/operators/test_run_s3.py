"""`run_s3`: the form's choices, first masks from any field, resuming, a few videos."""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from fiftyone.operators.executor import ExecutionError
from operator_runs import folder, form, problem, run, run_delegated
from small_benchmark import own_name

import s3fo
from evaluation.masks.label_map import read_label_map, write_label_map
from s3fo.plugin import install


@pytest.fixture(scope="session", autouse=True)
def plugin():
    return install()


@pytest.fixture
def drawn(dataset: fo.Dataset) -> fo.Dataset:
    """Somebody's masks in the field ``drawn``: object 2 alone, only from frame 3 on."""
    prompts = []
    for frames in dataset.values("frames.ground_truth"):
        late = [None, None, *frames[2:]]
        prompts.append([labels and _second(labels) for labels in late])
    dataset.set_values("frames.drawn", prompts)
    return dataset


def _second(labels: fo.Detections) -> fo.Detections:
    return fo.Detections(
        detections=[
            fo.Detection(
                label="kite", index=label.index, mask=label.mask,
                bounding_box=label.bounding_box,
            )
            for label in labels.detections
            if label.index == 2
        ]
    )  # fmt: skip


def masks(folder: Path, video: str = "pair") -> np.ndarray:
    return np.stack(
        [read_label_map(path) for path in sorted((folder / video).glob("*"))]
    )


def test_the_form_offers_what_there_is(predicted):
    offered = form("run_s3", predicted)
    assert offered["prompt_field"].type.values == ["ground_truth", "shifted"]
    assert offered["prompt_field"].default == "ground_truth"
    memory = offered["memory"]
    assert memory.default == "own" and "generic" in memory.view.choices[0].label
    assert {"davis", "lvos", "generic"} <= set(memory.type.values)
    assert offered["device"].type.values[:2] == ["auto", "cpu"]
    assert offered["precision"].default in offered["precision"].type.values
    assert not offered["out"].required
    assert "videos" not in offered, "nothing is chosen, so there is no choice"
    assert "memory" not in form("run_s3", predicted, method="flow")


def test_the_form_says_what_cannot_work(predicted):
    assert problem("run_s3", predicted) is None
    assert "no such file" in problem("run_s3", predicted, weights="elsewhere.pth")
    assert form("run_s3", predicted, name="a b")["name"].invalid
    assert form("run_s3", predicted, name="ground_truth")["name"].invalid
    assert "replaces" in form("run_s3", predicted, name="shifted")
    with pytest.raises(ExecutionError, match="letters, digits"):
        run("run_s3", predicted, method="copy", name="ground_truth")


def test_first_masks_come_from_any_field_and_nothing_later_does(drawn, tmp_path):
    run("run_s3", drawn, method="copy", prompt_field="drawn", name="copied",
        out=folder(tmp_path), videos="all")  # fmt: skip
    copied = masks(tmp_path / "copied")
    truth = s3fo.datasets.load_benchmark_info(drawn)["pair"]
    first = truth.read_annotation(truth.frames[2]) == 2
    assert not copied[:2].any()
    assert all(np.array_equal(frame == 2, first) for frame in copied[2:])
    assert set(np.unique(copied)) == {0, 2}
    assert not (tmp_path / "copied" / "alone").exists(), "nothing is drawn there"
    made = s3fo.datasets.load_predictions_info(drawn)["copied"].made
    assert made["settings"]["first masks"] == "frames.drawn"


def test_masks_of_other_first_masks_are_not_kept(drawn, tmp_path):
    params = {"method": "copy", "name": "copied", "out": folder(tmp_path)}
    run("run_s3", drawn, **params)
    with pytest.raises(ExecutionError, match="overwrite"):
        run("run_s3", drawn, prompt_field="drawn", **params)
    run("run_s3", drawn, prompt_field="drawn", overwrite=True, **params)
    assert set(np.unique(masks(tmp_path / "copied"))) == {0, 2}


@pytest.mark.parametrize("kept", ["instances", "reference"])
def test_first_masks_may_be_another_methods(benchmark, results, tmp_path, kept):
    dataset = s3fo.load_benchmark(benchmark, dataset_name=own_name(kept), masks=kept)
    try:
        s3fo.add_predictions(dataset, results, "shifted")
        run("run_s3", dataset, method="copy", prompt_field="shifted", name="copied",
            out=folder(tmp_path))  # fmt: skip
        assert "shifted_mask" not in form("run_s3", dataset)["prompt_field"].type.values
    finally:
        dataset.delete()
    first = read_label_map(results / "pair" / f"{benchmark['pair'].frames[0]}.png")
    assert all(np.array_equal(frame, first) for frame in masks(tmp_path / "copied"))


def test_first_masks_may_be_label_maps(dataset, benchmark, tmp_path):
    maps = []
    for sequence in benchmark:
        path = tmp_path / "drawn" / f"{sequence.name}.png"
        label_map = sequence.read_annotation(sequence.frames[0])[:, ::-1].copy()
        write_label_map(path, label_map)
        none = [None] * (len(sequence.frames) - 1)
        maps.append([fo.Segmentation(mask_path=str(path)), *none])
    dataset.set_values("frames.sketch", maps)
    run("run_s3", dataset, method="copy", prompt_field="sketch", name="copied",
        out=folder(tmp_path))  # fmt: skip
    drawn = read_label_map(tmp_path / "drawn" / "pair.png")
    assert set(np.unique(drawn)) == {0, 1, 2}
    assert all(np.array_equal(frame, drawn) for frame in masks(tmp_path / "copied"))


def test_labels_without_masks_are_refused(dataset, tmp_path):
    boxes = fo.Detections(detections=[fo.Detection(index=1, bounding_box=[0, 0, 1, 1])])
    for sample in dataset.iter_samples(autosave=True):
        sample.frames[1]["boxes"] = boxes.copy()
    with pytest.raises(ExecutionError, match=r"frame 1.*mask and index"):
        run("run_s3", dataset, method="copy", prompt_field="boxes", name="copied",
            out=folder(tmp_path))  # fmt: skip


def test_a_few_videos_first(dataset, tmp_path):
    view = dataset.match({"sequence": "pair"})
    offered = form(
        "run_s3", dataset, view=view._serialize(), selected=view.values("id")
    )
    assert offered["videos"].type.values == ["selected", "view", "all"]
    import fiftyone.operators as foo

    params = {"method": "copy", "name": "copied", "out": folder(tmp_path)}
    foo.execute_operator(
        "@s3fo/vos/run_s3", {"view": view, "params": {**params, "videos": "view"}}
    )
    assert [path.name for path in (tmp_path / "copied").iterdir() if path.is_dir()] == [
        "pair"
    ]
    assert dataset.match({"sequence": "alone"}).count("frames.copied.detections") == 0


def test_s3_delegated_does_what_the_command_line_does(dataset, benchmark, tmp_path):
    """The shipped weights, with settings that differ from the defaults."""
    operation = run_delegated(
        "run_s3", dataset, method="s3", name="s3", out=folder(tmp_path),
        memory="davis", size=48, device="cpu", precision="float32",
        weights="s3-small", prompt_field="ground_truth",
    )  # fmt: skip
    assert operation.run_state == "completed", operation.result.error
    assert operation.result.result["videos"] == 2
    assert operation.status.progress == 1
    s3fo.predict(
        benchmark, tmp_path / "cli", size=48, memory="davis", device="cpu",
        precision="float32",
    )  # fmt: skip
    for video in ("alone", "pair"):
        ours, theirs = masks(tmp_path / "s3", video), masks(tmp_path / "cli", video)
        assert np.array_equal(ours, theirs)
    assert masks(tmp_path / "s3").any()
    dataset.reload()
    made = s3fo.datasets.load_predictions_info(dataset)["s3"].made["settings"]
    assert (made["size"], made["weights"]["file"]) == (48, "s3-small.safetensors")
    assert dataset.count("frames.s3.detections") > 0

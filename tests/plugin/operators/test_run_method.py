"""`run_method`: every installed method in one form, its options, what it leaves."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import fiftyone as fo
import fiftyone.zoo as foz
import numpy as np
import pytest
from fiftyone.operators.executor import ExecutionError
from operator_runs import folder, form, problem, run, run_delegated, triggers_in_app

import s3fo
from evaluation.masks.label_map import read_label_map
from s3fo.inference.methods import registry
from s3fo.plugin import install
from s3fo.plugin.zoo import enable_zoo

sys.path.insert(0, str(Path(__file__).parents[2] / "inference"))

HOLD = (
    "import sys\nfrom pathlib import Path\nimport numpy as np\nfrom PIL import Image\n"
    "frames, masks, out = map(Path, sys.argv[1:4])\n"
    "known = None\n"
    "for frame in sorted(frames.iterdir()):\n"
    "    mask = masks / (frame.stem + '.png')\n"
    "    if mask.exists():\n"
    "        new = np.array(Image.open(mask))\n"
    "        known = new if known is None else np.where(new > 0, new, known)\n"
    "    Image.fromarray(known).save(out / (frame.stem + '.png'))\n"
)


@pytest.fixture(scope="session", autouse=True)
def plugin():
    return install()


@pytest.fixture(scope="module")
def sam2(tmp_path_factory) -> Path:
    pytest.importorskip("transformers")
    from tiny_transformers import save_tiny

    return save_tiny("sam2", tmp_path_factory.mktemp("weights") / "sam2")


@pytest.fixture
def held(tmp_path) -> str:
    """A command that repeats the first masks."""
    program = tmp_path / "hold.py"
    program.write_text(HOLD)
    return f"{sys.executable} {program} {{frames}} {{masks}} {{out}}"


def masks(out: Path, video: str = "pair") -> np.ndarray:
    return np.stack([read_label_map(path) for path in sorted((out / video).glob("*"))])


def test_the_form_offers_every_installed_method(dataset, monkeypatch):
    absent = registry.MethodInfo(
        "absent", "Absent", "no:thing", "-", "MIT", needs=("no-such-package",),
        install="pip install no-such-package",
    )  # fmt: skip
    monkeypatch.setattr(registry, "_BUILT_IN", (*registry._BUILT_IN, absent))
    offered = form("run_method", dataset)["method"]
    assert {"s3", "cutie", "command", "flow", "copy"} <= set(offered.type.values)
    assert "absent" not in offered.type.values
    assert "pip install no-such-package" in offered.view.description


def test_each_method_is_asked_for_what_it_has(dataset):
    s3 = form("run_method", dataset)
    assert s3["weights"].default == "s3-small" and not s3["weights"].required
    assert {"memory", "size", "device", "precision", "options"} <= s3.keys()
    sam2 = form("run_method", dataset, method="sam2")
    assert (
        sam2["weights"].required
        and "facebook/sam2.1" in sam2["weights"].view.description
    )
    assert {"device", "precision", "compile_encoder"} <= sam2.keys()
    assert not {"memory", "size", "command"} & sam2.keys()
    command = form("run_method", dataset, method="command")
    assert {"command", "timeout", "device"} <= command.keys()
    copy = form("run_method", dataset, method="copy")
    assert not {"weights", "device", "options"} & copy.keys()


def test_the_form_says_what_cannot_work(dataset, held):
    assert problem("run_method", dataset) is None
    assert "none" in problem("run_method", dataset, method="sam2")
    assert "no such file" in problem(
        "run_method", dataset, method="cutie", weights="gone.pth"
    )
    gone = "/no/such/folder/sam2"
    assert gone in problem("run_method", dataset, method="sam2", weights=gone)
    assert problem("run_method", dataset, method="sam2", weights="facebook/x") is None
    assert "50000 pixels" in problem("run_method", dataset, method="s3", size=50_000)
    assert problem("run_method", dataset, method="s3", size=480) is None
    assert "{out}" in problem("run_method", dataset, method="command")
    assert "{frame}" in problem(
        "run_method", dataset, method="command", command="python x.py {frame} {out}"
    )
    assert problem("run_method", dataset, method="command", command=held) is None


def test_sam2_runs_delegated_and_says_what_made_its_masks(dataset, sam2, tmp_path):
    operation = run_delegated(
        "run_method", dataset, method="sam2", name="sam2_tiny", weights=str(sam2),
        device="cpu", precision="float32", out=folder(tmp_path),
    )  # fmt: skip
    assert operation.run_state == "completed", operation.result.error
    dataset.reload()
    made = s3fo.datasets.load_predictions_info(dataset)["sam2_tiny"].made
    file = (sam2 / "model.safetensors").read_bytes()
    assert made["method"] == "sam2"
    assert made["settings"]["weights"]["sha256"] == hashlib.sha256(file).hexdigest()
    assert made["versions"]["transformers"]
    for video in ("alone", "pair"):
        assert made["sequences"][video]["seconds"] > 0
        assert made["sequences"][video]["peak_memory_mb"] > 50
    assert dataset.count("frames.sam2_tiny.detections") > 0


def test_a_program_runs_from_the_app_with_the_next_step(dataset, held, tmp_path):
    shown = triggers_in_app(
        "run_method", dataset, method="command", command=held, name="holder",
        timeout=60.0, out=folder(tmp_path),
    )  # fmt: skip
    text = str(shown[-1].params)
    assert "evaluate_vos" in text and "holder" in text
    found = masks(tmp_path / "holder")
    assert all(np.array_equal(frame, found[0]) for frame in found)
    made = s3fo.datasets.load_predictions_info(dataset)["holder"].made
    assert made["method"] == "holder" and made["settings"]["command"] == held


def test_further_options_are_typed(dataset, tmp_path):
    params = {"method": "s3", "name": "s3", "size": 48, "device": "cpu"}
    with pytest.raises(ExecutionError, match="inference settings"):
        run("run_method", dataset, options="depth=3", out=folder(tmp_path), **params)
    run("run_method", dataset, options="top_k=7", out=folder(tmp_path), **params)
    made = s3fo.datasets.load_predictions_info(dataset)["s3"].made
    assert made["settings"]["engine"]["top_k"] == 7


@pytest.fixture
def by_instance(dataset) -> fo.Dataset:
    """The ground truth in the field ``drawn``: objects known by instance alone."""
    for sample in dataset.iter_samples(autosave=True):
        for frame in sample.frames.values():
            drawn = [
                fo.Detection(
                    label=label.label, mask=label.mask, bounding_box=label.bounding_box,
                    instance=fo.Instance(id=label.instance.id),
                )
                for label in frame.ground_truth.detections
            ]  # fmt: skip
            frame["drawn"] = fo.Detections(detections=drawn)
    return dataset


def test_labels_with_an_instance_and_no_index_are_first_masks(by_instance, tmp_path):
    run("run_method", by_instance, method="copy", prompt_field="drawn", name="copied",
        out=folder(tmp_path))  # fmt: skip
    truth = s3fo.datasets.load_benchmark_info(by_instance)["pair"]
    first = truth.read_annotation(truth.frames[0])
    found = masks(tmp_path / "copied")
    assert set(np.unique(found)) == {0, 1, 2}
    for object_id in (1, 2):  # numbered in the order of the labels
        np.testing.assert_array_equal(found[-1] == object_id, first == object_id)


def test_the_zoo_model_keeps_the_instances_of_its_prompts(by_instance, sam2):
    enable_zoo()
    model = foz.load_zoo_model(
        "sam2-video-masks-torch", weights=str(sam2), device="cpu", cache=False
    )
    by_instance.apply_model(
        model, label_field="sam2", prompt_field="frames.drawn", skip_failures=False
    )
    for sample in by_instance:
        given = {
            label.instance.id
            for frame in sample.frames.values()
            for label in frame.drawn.detections
        }
        found = [
            label.instance.id
            for frame in sample.frames.values()
            for label in frame.sam2.detections
        ]
        assert found and set(found) <= given


def test_first_masks_whose_boxes_are_two_corners_are_refused(by_instance, tmp_path):
    """As scores refuse them: the masks would be stretched over most of the frame."""
    for sample in by_instance.iter_samples(autosave=True):
        for frame in sample.frames.values():
            for label in frame.drawn.detections:
                x, y, width, height = label.bounding_box
                label.bounding_box = [x, y, x + width, y + height]
    with pytest.raises(ExecutionError, match="boxes of two corners"):
        run("run_method", by_instance, method="copy", prompt_field="drawn", name="c",
            out=folder(tmp_path))  # fmt: skip


def test_labels_of_no_object_are_refused(by_instance, tmp_path):
    for sample in by_instance.iter_samples(autosave=True):
        for label in sample.frames[1].drawn.detections:
            label.instance = None
    with pytest.raises(ExecutionError, match="neither index nor instance"):
        run("run_method", by_instance, method="copy", prompt_field="drawn", name="c",
            out=folder(tmp_path))  # fmt: skip


@pytest.mark.slow
def test_a_delegated_run_as_tasks_of_an_engine_is_imported(
    dataset, held, tmp_path, monkeypatch
):
    pytest.importorskip("submitit")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    given = {"method": "command", "command": held, "on": "local", "parallel": 2}
    offered = form("run_method", dataset, **given)
    assert {"here", "local", "slurm"} <= set(offered["on"].type.values)
    assert "parallel" in offered and "partition" not in offered
    done = run_delegated(
        "run_method", dataset, name="by_tasks", out=folder(tmp_path), **given
    )
    assert done.run_state == "completed", done.result
    assert done.result.result["tasks"] == "2 on local"
    assert dataset.count("frames.by_tasks.detections") > 0
    assert (masks(tmp_path / "by_tasks")[0] > 0).any()
    wrong = problem("run_method", dataset, **{**given, "overwrite": True})
    assert wrong and "another results folder" in wrong
    assert "partition" in form("run_method", dataset, **{**given, "on": "slurm"})

"""Methods by the transformers library against driving its classes by hand."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

pytest.importorskip("transformers")

from tiny_transformers import save_tiny, save_whole_sam3

from evaluation.corrections import Box, Click
from evaluation.errors import InputError
from evaluation.masks.label_map import read_label_map, write_label_map
from s3fo.benchmarks import open_folders
from s3fo.benchmarks.video import VideoSequence
from s3fo.inference import ObjectPrompt, correct, predict
from s3fo.inference.methods import transformers as ours

pytestmark = pytest.mark.seconds

METHODS = {
    "sam2": ours.Sam2Method,
    "edgetam": ours.EdgeTamMethod,
    "sam3": ours.Sam3Method,
}
MEAN = {"sam2": (0.485, 0.456, 0.406), "edgetam": (0.485, 0.456, 0.406)}
STD = {"sam2": (0.229, 0.224, 0.225), "edgetam": (0.229, 0.224, 0.225)}


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("weights")
    return {name: save_tiny(name, root / name) for name in METHODS}


def _clip(frames: int, shape: tuple[int, int], seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    small = random.integers(0, 255, (9, 13, 3), np.uint8)
    big = cv2.resize(small, (shape[1] + frames, shape[0]))
    return [np.ascontiguousarray(big[:, t : t + shape[1]]) for t in range(frames)]


def _box(shape, top, left, object_id, onto=None):
    mask = np.zeros(shape, np.uint8) if onto is None else onto
    height, width = shape[0] // 3, shape[1] // 4
    mask[top : top + height, left : left + width] = object_id
    return mask


def _by_hand(model, method, clip, prompts, dtype=torch.float32):
    """Label maps of all frames: one session, whose whole past is kept.

    EdgeTAM's class cannot take a prompt while it tracks other objects, so there
    every object has a session of its own.
    """
    module = sys.modules[type(model).__module__]
    new = getattr(module, type(model).__name__.replace("Model", "InferenceSession"))
    side = model.config.image_size
    mean = torch.tensor(MEAN.get(method, (0.5,) * 3)).view(3, 1, 1)
    std = torch.tensor(STD.get(method, (0.5,) * 3)).view(3, 1, 1)
    sessions, found = {}, []
    for t, image in enumerate(clip):
        pixels = torch.from_numpy(image).permute(2, 0, 1)[None]
        pixels = F.interpolate(pixels, (side, side), mode="bilinear", antialias=True)
        frame = (pixels[0] / 255 - mean) / std
        fresh = {}
        for i in np.unique(prompts.get(t, np.zeros(1))).astype(int).tolist():
            if i:
                key = i if method == "edgetam" else 0
                if key not in sessions:
                    sessions[key] = new(dtype=dtype)
                mask = torch.from_numpy((prompts[t] == i).astype(np.float32))
                mask = F.interpolate(
                    mask[None, None], (side, side), mode="bilinear", antialias=True
                )
                index = sessions[key].obj_id_to_idx(i)
                sessions[key].add_mask_inputs(index, t, (mask >= 0.5).float())
                fresh.setdefault(key, []).append(i)
        scores = {}
        for key, session in sessions.items():
            session.obj_with_new_inputs = fresh.get(key, [])
            out = model(session, frame=frame[None].to(dtype), frame_idx=t)
            for object_id, logits in zip(out.object_ids, out.pred_masks, strict=True):
                full = F.interpolate(
                    logits[None].float(), image.shape[:2], mode="bilinear"
                )
                scores[object_id] = full[0, 0].numpy()
        label_map = np.zeros(image.shape[:2], int)
        highest = np.zeros(image.shape[:2])
        for object_id, score in scores.items():
            label_map[score > highest] = object_id
            highest = np.maximum(highest, score)
        found.append(label_map)
    return found


def _run(method, clip, prompts):
    method.start(VideoSequence("clip", (), {}, {}))
    return [method.step(image, prompts.get(t)) for t, image in enumerate(clip)]


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("objects", [1, 5])
def test_masks_are_those_of_the_class_driven_by_hand(name, objects, weights):
    shape = (61, 97)  # neither the model's size nor even
    first = np.zeros(shape, np.uint8)
    for k in range(objects):
        _box(shape, 3 + 7 * k, 2 + 17 * k, 3 * k + 1, onto=first)
    clip, prompts = _clip(6, shape), {0: first}
    method = METHODS[name](weights=str(weights[name]), device="cpu")
    expected = _by_hand(method._model, name, clip, prompts)
    found = _run(method, clip, prompts)
    for t in range(len(clip)):
        np.testing.assert_array_equal(found[t], expected[t], f"frame {t}")
    assert any(0 < (mask > 0).mean() < 1 for mask in found[2:])


@pytest.mark.parametrize("name", METHODS)
def test_objects_that_appear_later(name, weights):
    shape = (70, 50)
    clip = _clip(24, shape, seed=1)  # longer than what the models look back to
    prompts = {0: _box(shape, 5, 5, 9), 3: _box(shape, 40, 30, 2)}
    method = METHODS[name](weights=str(weights[name]), device="cpu")
    expected = _by_hand(method._model, name, clip, prompts)
    found = _run(method, clip, prompts)
    for t in range(len(clip)):
        np.testing.assert_array_equal(found[t], expected[t], f"frame {t}")
    assert not any((mask == 2).any() for mask in found[:3])
    assert any((mask == 2).any() for mask in found[4:])


@pytest.mark.parametrize("name", METHODS)
def test_later_masks_depend_on_the_prompt(name, weights):
    """Else the tests above could not fail for a memory that is lost."""
    shape = (61, 97)
    clip = _clip(4, shape)
    method = METHODS[name](weights=str(weights[name]), device="cpu")
    one = _run(method, clip, {0: _box(shape, 3, 3, 1)})
    other = _run(method, clip, {0: _box(shape, 30, 60, 1)})
    assert max((a != b).mean() for a, b in zip(one[1:], other[1:], strict=True)) > 0.005


@pytest.mark.parametrize("name", METHODS)
def test_memory_does_not_grow_with_the_video(name, weights):
    shape = (32, 32)
    method = METHODS[name](weights=str(weights[name]), device="cpu")
    method.start(VideoSequence("long", (), {}, {}))
    held = []
    for t in range(60):
        image = np.full((*shape, 3), t, np.uint8)
        prompt = {0: _box(shape, 2, 2, 1), 5: _box(shape, 15, 15, 2)}.get(t)
        method.step(image, prompt)
        held.append(_numbers_held(method._sessions))
    assert held[59] == held[30]


def _numbers_held(sessions) -> int:
    """Count of all numbers in tensors that the sessions refer to."""
    seen, waiting, total = set(), list(sessions), 0
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, torch.Tensor):
            total += item.numel()
        elif isinstance(item, dict):
            total += len(item)
            waiting += item.values()
        elif isinstance(item, list | tuple):
            waiting += item
        elif hasattr(item, "__dict__"):
            waiting += vars(item).values()
    return total


def test_a_stopped_run_is_continued(weights, tmp_path):
    for video in ("a", "b"):
        (tmp_path / "images" / video).mkdir(parents=True)
        for t, image in enumerate(_clip(4, (40, 56), seed=ord(video))):
            cv2.imwrite(str(tmp_path / "images" / video / f"{t:05d}.png"), image)
        mask = _box((40, 56), 4, 4, 1)
        write_label_map(tmp_path / "masks" / video / "00000.png", mask)
    source = open_folders(tmp_path / "images", tmp_path / "masks")
    method = ours.Sam2Method(weights=str(weights["sam2"]), device="cpu")
    whole = predict(source, tmp_path / "whole", method=method)
    part = predict(source, tmp_path / "part", method=method)
    assert whole.finished == part.finished == ("a", "b")
    shutil.rmtree(tmp_path / "part" / "b")
    again = predict(source, tmp_path / "part", method=method)
    assert again.kept == ("a",) and again.finished == ("b",)
    for path in (tmp_path / "whole").glob("*/*.png"):
        same = tmp_path / "part" / path.relative_to(tmp_path / "whole")
        np.testing.assert_array_equal(read_label_map(path), read_label_map(same))


def test_the_record_tells_the_weights_by_their_hash(weights):
    import hashlib

    method = ours.Sam2Method(weights=str(weights["sam2"]), device="cpu")
    file = weights["sam2"] / "model.safetensors"
    assert method.settings["weights"] == {
        "name": "sam2",
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }
    assert method.settings["model"] == "Sam2VideoModel"
    assert method.settings["size"] == 128 and method.settings["precision"] == "float32"


def test_half_precision_is_the_class_in_half_precision(weights):
    shape = (61, 97)
    clip, prompts = _clip(3, shape), {0: _box(shape, 3, 3, 1)}
    method = ours.Sam2Method(
        weights=str(weights["sam2"]), device="cpu", precision="bfloat16"
    )
    assert method.settings["precision"] == "bfloat16"
    expected = _by_hand(method._model, "sam2", clip, prompts, torch.bfloat16)
    found = _run(method, clip, prompts)
    for t in range(len(clip)):
        np.testing.assert_array_equal(found[t], expected[t], f"frame {t}")


def test_a_compiled_encoder_is_asked_for(weights, monkeypatch):
    compiled = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: compiled.append(self))
    method = ours.Sam2Method(
        weights=str(weights["sam2"]), device="cpu", compile_encoder=True
    )
    assert compiled == [method._model.vision_encoder]


def test_the_tracker_of_a_whole_sam3_is_taken(tmp_path):
    """The published weights hold a detector, too, and name things otherwise."""
    whole = save_whole_sam3(tmp_path / "sam3")
    method = ours.Sam3Method(weights=str(tmp_path / "sam3"), device="cpu")
    own = method._model.state_dict()
    for name, value in whole.tracker_model.state_dict().items():
        assert torch.equal(own[name], value), name
    neck = whole.tracker_neck.state_dict()
    assert all(torch.equal(own[f"vision_encoder.neck.{n}"], v) for n, v in neck.items())
    shape = (61, 97)
    clip = _clip(3, shape)
    masks = _run(method, clip, {0: _box(shape, 3, 3, 1)})
    assert masks[0].any() and masks[2].shape == shape


def test_normalisation_is_read_from_the_processors_file(weights, tmp_path):
    folder = tmp_path / "own"
    shutil.copytree(weights["sam2"], folder)
    processor = {"video_processor": {"image_mean": [0.1] * 3, "image_std": [0.7] * 3}}
    (folder / "processor_config.json").write_text(json.dumps(processor))
    method = ours.Sam2Method(weights=str(folder), device="cpu")
    assert method.settings["image_mean"] == [0.1] * 3
    pixels = method._prepare(np.full((128, 128, 3), 255, np.uint8))
    torch.testing.assert_close(pixels, torch.full((1, 3, 128, 128), 0.9 / 0.7))


def test_wrong_weights_are_refused(weights, tmp_path):
    with pytest.raises(InputError, match="Use --method edgetam"):
        ours.Sam2Method(weights=str(weights["edgetam"]), device="cpu")
    with pytest.raises(InputError, match="Pass --weights"):
        ours.Sam2Method(device="cpu")
    with pytest.raises(InputError, match="no such folder"):
        ours.Sam2Method(weights=str(tmp_path / "nothing"), device="cpu")
    file = tmp_path / "sam2.1_hiera_tiny.pt"
    file.write_bytes(b"x")
    with pytest.raises(InputError, match="must be converted"):
        ours.Sam2Method(weights=str(file), device="cpu")


def test_weights_that_lack_entries_are_refused(weights, tmp_path):
    """Else the library fills the gaps with random numbers, and only warns."""
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "gaps"
    shutil.copytree(weights["sam2"], folder)
    file = folder / "model.safetensors"
    state = load_file(file)
    left = {k: v for k, v in state.items() if not k.startswith("memory_encoder.")}
    save_file(left, file, {"format": "pt"})
    with pytest.raises(InputError, match="entries missing"):
        ours.Sam2Method(weights=str(folder), device="cpu")


def _corrected_by_hand(model, name, clip, first, prompt, at):
    """One object; the frame `at` is segmented, prompted, and segmented again."""
    module = sys.modules[type(model).__module__]
    new = getattr(module, type(model).__name__.replace("Model", "InferenceSession"))
    session, side = new(dtype=torch.float32), model.config.image_size
    index = session.obj_id_to_idx(1)
    height, width = clip[0].shape[:2]
    mean = torch.tensor(MEAN.get(name, (0.5,) * 3)).view(3, 1, 1)
    std = torch.tensor(STD.get(name, (0.5,) * 3)).view(3, 1, 1)

    def scale(x, y):
        return [x * side / width, y * side / height]

    def resize(mask):
        mask = torch.from_numpy(mask.astype(np.float32))[None, None]
        small = F.interpolate(mask, (side, side), mode="bilinear", antialias=True)
        return (small >= 0.5).float()

    found = []
    for t, image in enumerate(clip):
        pixels = torch.from_numpy(image).permute(2, 0, 1)[None]
        pixels = F.interpolate(pixels, (side, side), mode="bilinear", antialias=True)
        frame = (pixels / 255 - mean) / std
        for turn in range(1 + (t == at)):
            if t == 0:
                session.add_mask_inputs(index, 0, resize(first == 1))
                session.obj_with_new_inputs = [1]
            elif turn and prompt.mask is not None:
                del session.frames_tracked_per_obj[index][t]
                session.output_dict_per_obj[index]["non_cond_frame_outputs"].pop(t)
                session.add_mask_inputs(index, t, resize(prompt.mask))
                session.obj_with_new_inputs = [1]
            elif turn:
                points, labels = [], []
                if prompt.box:
                    left, top, right, bottom = prompt.box
                    points, labels = [scale(left, top), scale(right, bottom)], [2, 3]
                for click in prompt.clicks:
                    points.append(scale(click.x, click.y))
                    labels.append(1 if click.on_object else 0)
                inputs = {
                    "point_coords": torch.tensor([[points]], dtype=torch.float32),
                    "point_labels": torch.tensor([[labels]], dtype=torch.int32),
                }
                session.add_point_inputs(index, t, inputs)
                session.obj_with_new_inputs = [1]
            out = model(session, frame=frame, frame_idx=t)
        logits = F.interpolate(out.pred_masks.float(), (height, width), mode="bilinear")
        found.append((logits[0, 0] > 0).numpy())
    return found


@pytest.mark.parametrize("name", ["sam2", "sam3"])
@pytest.mark.parametrize("kind", ["mask", "clicks", "box"])
@torch.inference_mode()
def test_corrections_are_those_of_the_class_driven_by_hand(name, kind, weights):
    clip, shape = _clip(6, (60, 90)), (60, 90)
    first, later = _box(shape, 5, 10, 1), _box(shape, 30, 40, 1)
    prompt = {
        "mask": ObjectPrompt(mask=later == 1),
        "clicks": ObjectPrompt(clicks=(Click(50, 40, True), Click(15, 10, False))),
        "box": ObjectPrompt(box=Box(40, 30, 61, 49)),
    }[kind]
    method = METHODS[name](weights=str(weights[name]), device="cpu")
    assert kind in method.correction_prompts
    plain = _run(method, clip, {0: first})
    method.start(VideoSequence("clip", (), {}, {}))
    found = []
    for t, image in enumerate(clip):
        if t == 2:
            method.expect_correction()
        label_map = method.step(image, first if t == 0 else None)
        found.append(label_map if t != 2 else method.correct(image, {1: prompt}))
    by_hand = _corrected_by_hand(method._model, name, clip, first, prompt, 2)
    for one, other in zip(found, by_hand, strict=True):
        assert np.array_equal(one == 1, other)
    assert any(
        not np.array_equal(a, b) for a, b in zip(plain[2:], found[2:], strict=True)
    )
    assert all(np.array_equal(a, b) for a, b in zip(plain[:2], found[:2], strict=True))


def test_a_session_of_one_prompted_frame_takes_no_corrections(weights):
    method = METHODS["edgetam"](weights=str(weights["edgetam"]), device="cpu")
    assert method.correction_prompts == ()


def test_clicks_correct_videos(weights, tmp_path):
    shape = (48, 64)
    for t, image in enumerate(_clip(4, shape)):
        (tmp_path / "images" / "clip").mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "images" / "clip" / f"{t:05d}.png"), image)
        mask = _box(shape, 5 + 4 * t, 10, 1)
        write_label_map(tmp_path / "masks" / "clip" / f"{t:05d}.png", mask)
    done = correct(
        open_folders(tmp_path / "images", tmp_path / "masks"),
        tmp_path / "out",
        method="sam2",
        weights=str(weights["sam2"]),
        prompt="clicks",
        clicks=2,
        budget=2,
    )
    assert done.how == "memory" and done.prompts["clicks"].between(1, 2).all()
    assert done.prompts["number"].max() == 2, "frames 1 and 2 count"
    assert (tmp_path / "out" / "corrections-2" / "clip" / "00003.png").is_file()

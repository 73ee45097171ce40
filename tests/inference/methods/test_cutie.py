"""Cutie's checkpoints and probabilities against the package rf-cutie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

pytest.importorskip("cutie")
pytest.importorskip("omegaconf")

from cutie_reference import reference_config, reference_network, shapes

from evaluation.errors import InputError
from evaluation.masks.label_map import read_label_map, write_label_map
from s3fo.benchmarks import open_folders
from s3fo.inference import build_method, predict
from s3fo.inference.engine.config import InferenceConfig
from s3fo.inference.engine.propagator import Propagator
from s3fo.inference.presets import PRESETS, cutie_preset
from s3fo.model import build_network, load_weights, save_weights
from s3fo.model.optimised.network import optimise_for_inference

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.seconds,
]

SIZE = (90, 122)  # no multiple of 16
BAR = 1e-4
LONG = {
    "use_long_term": True,
    "mem_every": 1,
    "long_term": {
        "max_mem_frames": 4,
        "min_mem_frames": 2,
        "num_prototypes": 20,
        "max_num_tokens": 70,
        "buffer_tokens": 10,
    },
}


@pytest.fixture(scope="module")
def networks() -> dict[str, Any]:
    return {size: reference_network(size) for size in ("base", "small")}


def _clip(frames: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    height, width = SIZE
    small = torch.rand(
        1, 3, height // 8, (width + 2 * frames) // 8, generator=generator
    )
    wide = F.interpolate(small, (height, width + 2 * frames), mode="bicubic")
    wide = wide[0].clamp(0, 1)
    return [wide[:, :, 2 * t : 2 * t + width].contiguous() for t in range(frames)]


def _boxes(places: dict[int, tuple[int, int]]) -> torch.Tensor:
    mask = torch.zeros(SIZE, dtype=torch.long)
    for object_id, (top, left) in places.items():
        mask[top : top + 30, left : left + 35] = object_id
    return mask


@torch.inference_mode()
def _run(engine: Any, frames: list[torch.Tensor], prompts: dict[int, torch.Tensor]):
    found = []
    for t, frame in enumerate(frames):
        given: tuple = ()
        if t in prompts:
            given = (prompts[t], [i for i in prompts[t].unique().tolist() if i])
        found.append(engine.step(frame, *given, end=t == len(frames) - 1))
    return found


CASES = {
    "one object": ("small", {0: {1: (10, 10)}}, {}, 8),
    "three objects": ("base", {0: {1: (10, 10), 5: (50, 20), 9: (30, 70)}}, {}, 7),
    "late objects": ("small", {0: {4: (10, 10)}, 3: {1: (50, 60), 2: (8, 70)}}, {}, 9),
    "long-term memory": ("small", {0: {1: (10, 10), 2: (40, 60)}}, LONG, 24),
}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=pytest.mark.slow if CASES[case][2] else ())
        for case in CASES
    ],
)
def test_probabilities_are_those_of_inference_core(case, networks):
    from cutie.inference.inference_core import InferenceCore

    size, places, settings, count = CASES[case]
    frames = _clip(count)
    prompts = {t: _boxes(boxes) for t, boxes in places.items()}
    core = InferenceCore(networks[size], reference_config(size, **settings))
    expected = _run(core, frames, prompts)
    network = build_network(f"cutie-{size}").eval()
    load_weights(network, networks[size].state_dict())
    engine = Propagator(
        optimise_for_inference(network, None),
        InferenceConfig().with_overrides(**settings),
    )
    found = _run(engine, frames, prompts)
    for t in range(count):
        assert found[t].shape == expected[t].shape
        assert (found[t] - expected[t]).abs().max() <= BAR, f"frame {t}"
    assert expected[-1].std() > 0.03  # not flat, or any network would pass


@pytest.mark.parametrize("size", ["base", "small"])
def test_names_and_shapes_are_those_of_the_package(size, networks):
    with torch.device("meta"):
        own = build_network(f"cutie-{size}").state_dict()
    assert shapes(own) == shapes(networks[size].state_dict())


@pytest.fixture(scope="module")
def checkpoint(networks, tmp_path_factory) -> Path:
    """A file as Cutie publishes it: the state dict alone."""
    path = tmp_path_factory.mktemp("cutie") / "cutie-small-mega.pth"
    torch.save(networks["small"].state_dict(), path)
    return path


def _write_video(root: Path) -> None:
    (root / "images" / "v").mkdir(parents=True)
    for t, frame in enumerate(_clip(6)):
        pixels = (frame * 255).round().byte().permute(1, 2, 0).numpy()
        cv2.imwrite(str(root / "images" / "v" / f"{t:05d}.png"), pixels[:, :, ::-1])
    mask = _boxes({1: (10, 10), 2: (40, 60)}).numpy().astype(np.uint8)
    write_label_map(root / "masks" / "v" / "00000.png", mask)


def test_a_checkpoint_runs_by_name_as_cutie_evaluates_it(
    checkpoint, networks, tmp_path
):
    """Frames shrunk with antialiasing, masks by the nearest, probabilities enlarged."""
    from cutie.inference.inference_core import InferenceCore

    _write_video(tmp_path)
    source = open_folders(tmp_path / "images", tmp_path / "masks")
    out = tmp_path / "out"
    run = predict(source, out, method="cutie", weights=str(checkpoint), size=80)
    assert run.failures == {}
    record = json.loads((out / "run.json").read_text())
    assert record["method"] == "cutie"
    assert record["settings"]["model"] == "cutie-small"
    assert record["settings"]["precision"] == "float32"

    small = (80, int(80 * SIZE[1] / SIZE[0]))
    settings = {"use_long_term": True}  # a folder of one's own: Cutie's "generic"
    core = InferenceCore(networks["small"], reference_config("small", **settings))
    frames, prompt = [], read_label_map(tmp_path / "masks" / "v" / "00000.png")
    for path in sorted((tmp_path / "images" / "v").iterdir()):
        pixels = cv2.imread(str(path))[:, :, ::-1].copy()
        image = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255
        shrunk = F.interpolate(image, small, mode="bilinear", antialias=True)
        frames.append(shrunk[0])
    mask = torch.from_numpy(prompt)[None, None].float()
    mask = F.interpolate(mask, small, mode="nearest-exact")[0, 0].long()
    for t, p in enumerate(_run(core, frames, {0: mask})):
        expected = F.interpolate(p[None], SIZE, mode="bilinear")[0].argmax(0).numpy()
        found = read_label_map(out / "v" / f"{t:05d}.png")
        assert (found != expected).mean() < 1e-3, f"frame {t}"


def test_weights_of_another_network_are_refused(checkpoint, tmp_path):
    with pytest.raises(InputError, match="Use --method cutie"):
        build_method("s3", weights=str(checkpoint), device="cpu")
    torch.manual_seed(0)
    tiny = save_weights(
        build_network("tiny"), tmp_path / "tiny.safetensors", metadata={"model": "tiny"}
    )
    with pytest.raises(InputError, match="Use --method s3"):
        build_method("cutie", weights=str(tiny), device="cpu")
    with pytest.raises(InputError, match=r"cutie-base-mega\.pth"):
        build_method("cutie")


def test_settings_are_cuties_own():
    """Its evaluation file: 480 pixels for LVOS, where S3 takes 600."""
    assert PRESETS[cutie_preset("lvos-v1")].size == 480
    assert PRESETS[cutie_preset("lvos")].size == 480
    assert cutie_preset("davis-2017") == "davis-2017"
    assert cutie_preset("generic") == "generic"

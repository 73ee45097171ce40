"""The recipes of docs/how-to/models.md, with stand-ins for the trackers' modules."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from evaluation.masks.label_map import read_label_map, write_label_map
from s3fo.benchmarks import Benchmark, open_folders
from s3fo.inference import predict
from s3fo.inference.methods.command import CommandMethod

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "models.md"
SIZE = (20, 30)

# Each moves its object one pixel right per frame, so frames and objects show.
SAM2 = """
import numpy as np, torch
class _Predictor:
    def init_state(self, folder, offload_video_to_cpu):
        from pathlib import Path
        return {"frames": len(list(Path(folder).iterdir()))}
    def add_new_mask(self, state, frame, object_id, mask):
        state["mask"] = mask
    def propagate_in_video(self, state, begin):
        for t in range(begin, state["frames"]):
            moved = np.roll(state["mask"], t - begin, axis=1)
            yield t, [0], torch.from_numpy(moved).float()[None, None] * 20 - 10
def build_sam2_video_predictor(config, checkpoint):
    assert config.endswith(".yaml") and checkpoint.endswith(".pt")
    return _Predictor()
"""
DAM4SAM = """
import numpy as np
class DAM4SAMTracker:
    def __init__(self, name):
        self.t = 0
    def initialize(self, image, mask):
        assert image.size == (30, 20) and mask.dtype == np.uint8
        self.mask = mask
        return {"pred_mask": mask}
    def track(self, image):
        self.t += 1
        return {"pred_mask": np.roll(self.mask, self.t, axis=1)}
"""
VOS_INFERENCE = """
import argparse
from pathlib import Path
import numpy as np
from PIL import Image
p = argparse.ArgumentParser()
for name in ("sam2_cfg", "sam2_checkpoint", "model_path", "base_video_dir",
             "input_mask_dir", "video_list_file", "output_mask_dir", "num_pathway",
             "iou_thre", "uncertainty"):
    p.add_argument("--" + name)
p.add_argument("--track_object_appearing_later_in_video", action="store_true")
a = p.parse_args()
assert a.track_object_appearing_later_in_video
for video in Path(a.video_list_file).read_text().split():
    frames = list((Path(a.base_video_dir) / video).iterdir())
    frames.sort(key=lambda f: int(f.stem))
    out = Path(a.output_mask_dir) / video
    out.mkdir(parents=True, exist_ok=True)
    known = None
    for frame in frames:
        mask = Path(a.input_mask_dir) / video / (frame.stem + ".png")
        if mask.exists():
            new = np.array(Image.open(mask))
            known = new if known is None else np.where(new > 0, new, known)
        Image.fromarray(known).save(out / (frame.stem + ".png"))
"""


def _box(left: int, object_id: int, onto: np.ndarray | None = None) -> np.ndarray:
    mask = np.zeros(SIZE, np.uint8) if onto is None else onto
    mask[5:12, left : left + 4] = object_id
    return mask


@pytest.fixture
def video(tmp_path: Path) -> Benchmark:
    """Object 2 from frame 1 on, object 5 from frame 3 on; five frames."""
    (tmp_path / "images" / "v").mkdir(parents=True)
    for t in range(5):
        image = np.full((*SIZE, 3), 30 * t, np.uint8)
        cv2.imwrite(str(tmp_path / "images" / "v" / f"{t:05d}.jpg"), image)
    write_label_map(tmp_path / "masks" / "v" / "00001.png", _box(3, 2))
    write_label_map(tmp_path / "masks" / "v" / "00003.png", _box(20, 5, _box(9, 2)))
    return open_folders(tmp_path / "images", tmp_path / "masks")


def _commands() -> list[str]:
    text = PAGE.read_text().replace("\\\n", " ")
    found = re.findall(r"^s3fo predict .*$", text, re.MULTILINE)
    words = [shlex.split(line) for line in found]
    return [w[w.index("--command") + 1] for w in words if "--command" in w]


@pytest.mark.seconds
@pytest.mark.parametrize("tracker", ["samurai", "dam4sam"])
def test_trackers_of_one_object_follow_all_of_them(tracker, video, tmp_path):
    (tmp_path / "stubs" / "sam2").mkdir(parents=True)
    (tmp_path / "stubs" / "sam2" / "build_sam.py").write_text(SAM2)
    (tmp_path / "stubs" / "dam4sam_tracker.py").write_text(DAM4SAM)
    script = re.search(
        r"```python\n(\"\"\"one_by_one.py.*?)```", PAGE.read_text(), re.S
    )
    assert script is not None
    (tmp_path / "one_by_one.py").write_text(
        script[1].replace('torch.autocast("cuda"', 'torch.autocast("cpu"')
    )
    command = (
        f"env PYTHONPATH={tmp_path / 'stubs'} {sys.executable} "
        f"{tmp_path / 'one_by_one.py'} {tracker} {{frames}} {{masks}} {{out}}"
    )
    run = predict(video, tmp_path / "out", method="command", command=command)
    assert run.failures == {}
    for t in range(5):
        expected = np.zeros(SIZE, np.uint8)
        if t >= 1:
            expected = _box(3 + t - 1, 2)
        if t >= 3:
            expected = _box(20 + t - 3, 5, expected)
        found = read_label_map(tmp_path / "out" / "v" / f"{t:05d}.png")
        np.testing.assert_array_equal(found, expected, f"frame {t}")


@pytest.mark.parametrize("name", ["sam2", "SAM2Long", "SeC"])
def test_programs_that_take_folders_of_videos(name, video, tmp_path):
    """With the very options of the page, at a stand-in for ``vos_inference.py``."""
    (command,) = [c for c in _commands() if re.search(rf"/opt/{name}/\S*vos_", c)]
    program = tmp_path / "vos_inference.py"
    program.write_text(VOS_INFERENCE)
    command = re.sub(r"/opt/env-\S+/python", sys.executable, command)
    command = re.sub(r"/opt/\S+/vos_inference.py", str(program), command)
    run = predict(video, tmp_path / "out", method="command", command=command)
    assert run.failures == {}
    last = read_label_map(tmp_path / "out" / "v" / "00004.png")
    np.testing.assert_array_equal(last, _box(20, 5, _box(3, 2)))


def test_all_commands_of_the_page_have_placeholders_that_exist():
    commands = _commands()
    assert len(commands) == 6
    for command in commands:
        words = shlex.split(command)
        words[0] = sys.executable  # the others are not on this machine
        CommandMethod(command=shlex.join(words))

"""Corrections of methods in the loop, against traces worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest
import torch

import s3fo
from evaluation.errors import InputError
from evaluation.masks.label_map import read_label_map, write_label_map
from evaluation.protocols import get_protocol
from s3fo.benchmarks import Benchmark, open_folders
from s3fo.inference import CorrectableMethod, build_method, predict
from s3fo.inference.correcting.method import CorrectedMethod, Prompting
from s3fo.inference.correcting.plans import Planned
from s3fo.inference.methods.s3 import S3Method
from s3fo.model import build_network, save_weights

H, W, SIDE, FRAMES = 40, 60, 10, 8
FAR = 35

PLACES = {
    # Left edge of a square of 10 pixels per frame; None: it is not there.
    "moves": [10, 11, 12, 13, 14, 15, 16, 17],
    "jumps": [5, 5, 5, FAR, FAR, FAR, FAR, FAR],
    "hides": [5, 5, None, None, None, 5, 5, 5],
}


def _iou(shift: int) -> float:
    """IoU of a square with itself, so many pixels off."""
    return (SIDE - shift) / (SIDE + shift)


def _square(left: int | None, object_id: int = 1) -> np.ndarray:
    mask = np.zeros((H, W), np.uint8)
    if left is not None:
        mask[15 : 15 + SIDE, left : left + SIDE] = object_id
    return mask


@pytest.fixture(scope="module")
def videos(tmp_path_factory) -> Benchmark:
    """The three videos of `PLACES`; images are noise, which no baseline looks at."""
    root = tmp_path_factory.mktemp("videos")
    random = np.random.default_rng(0)
    for name, places in PLACES.items():
        (root / "images" / name).mkdir(parents=True)
        for t, left in enumerate(places):
            image = random.integers(0, 255, (H, W, 3), np.uint8)
            cv2.imwrite(str(root / "images" / name / f"{t:05d}.png"), image)
            write_label_map(root / "masks" / name / f"{t:05d}.png", _square(left))
    return open_folders(root / "images", root / "masks")


def _masks(folder: Path) -> dict[str, np.ndarray]:
    return {
        str(path.relative_to(folder)): read_label_map(path)
        for path in sorted(folder.glob("*/*.png"))
    }


def _corrected(done, budget: int, name: str) -> list[tuple[str, int]]:
    table = done.prompts
    rows = table[(table["budget"] == budget) & (table["sequence"] == name)]
    return list(zip(rows["frame"], rows["number"], strict=True))


def _means(out: Path, budget: int, videos: Benchmark) -> dict[str, float]:
    """Mean J of each video in a results folder."""
    from evaluation import score

    objects = score(out / f"corrections-{budget}", videos, "davis-2017").objects
    return dict(zip(objects["sequence"], objects["J_mean"], strict=True))


class Sticky:
    """Repeats first masks; knows nothing of corrections."""

    name, device = "sticky", "cpu"
    settings: ClassVar[dict[str, object]] = {}

    def __init__(self) -> None:
        self.steps = 0

    def start(self, sequence) -> None:
        self._masks = None

    def step(self, image, prompt, *, last=False):
        self.steps += 1
        if prompt is not None:
            old = prompt if self._masks is None else self._masks
            self._masks = np.where(prompt > 0, prompt, old)
        return self._masks


@pytest.mark.parametrize("method", ["copy", "restarted"])
def test_online_by_hand(videos, tmp_path, method):
    built = "copy" if method == "copy" else Sticky()
    done = s3fo.correct(videos, tmp_path, method=built, policy="online", budget=2)
    assert done.how == ("memory" if method == "copy" else "restart")
    # It moves a pixel per frame: IoU 9/11 and 8/12, which is below 0.75.
    assert _corrected(done, 1, "moves") == [("00002", 1)]
    assert _corrected(done, 2, "moves") == [("00002", 1), ("00004", 2)]
    one, two, six = _iou(1), _iou(2), [_iou(shift) for shift in range(1, 7)]
    means = [_means(tmp_path, budget, videos) for budget in range(3)]
    assert means[0]["moves"] == pytest.approx(np.mean(six))
    assert means[1]["moves"] == pytest.approx(
        np.mean([one, 1, one, two, _iou(3), _iou(4)])
    )
    assert means[2]["moves"] == pytest.approx(np.mean([one, 1, one, 1, one, two]))
    # It jumps once: one correction mends the rest, the second one is not needed.
    assert _corrected(done, 2, "jumps") == [("00003", 1)]
    assert [mean["jumps"] for mean in means] == pytest.approx([2 / 6, 1, 1])


def test_online_tells_that_an_object_is_not_there(videos, tmp_path):
    done = s3fo.correct(videos, tmp_path, method="copy", policy="online", budget=2)
    assert _corrected(done, 1, "hides") == [("00002", 1)]
    assert _corrected(done, 2, "hides") == [("00002", 1), ("00005", 2)]
    means = [_means(tmp_path, budget, videos)["hides"] for budget in range(3)]
    # Frames 1 to 6 count: absent in 2, 3, 4. Corrected there, it is lost in 5 and 6.
    assert means == pytest.approx([3 / 6, 4 / 6, 1])


def test_worst_by_hand(videos, tmp_path):
    done = s3fo.correct(videos, tmp_path, method="copy", policy="worst", budget=3)
    # The farthest off is the last frame that counts, then the one before it, ...
    assert _corrected(done, 3, "moves") == [("00004", 3), ("00005", 2), ("00006", 1)]
    means = [_means(tmp_path, budget, videos) for budget in range(4)]
    early = [_iou(shift) for shift in range(1, 7)]
    for budget in range(4):
        expected = np.mean([*early[: 6 - budget], *[1] * budget])
        assert means[budget]["moves"] == pytest.approx(expected)
    # Of equally bad frames the first: it mends those after it, too.
    assert _corrected(done, 3, "jumps") == [("00003", 1)]
    assert _corrected(done, 3, "hides") == [("00002", 1), ("00005", 2)]
    curve = done.curve.set_index("budget")
    assert curve.loc[1, "J"] == pytest.approx(np.mean(list(means[1].values())))
    assert curve["corrections"].tolist() == [0, 3, 5, 6]


def test_frames_before_a_correction_do_not_change_online(videos, tmp_path):
    s3fo.correct(videos, tmp_path, method="flow", policy="online", budget=1)
    plain, corrected = (_masks(tmp_path / f"corrections-{i}") for i in range(2))
    for frame in range(3):
        name = f"jumps/{frame:05d}.png"
        assert np.array_equal(plain[name], corrected[name])
    assert not np.array_equal(plain["jumps/00004.png"], corrected["jumps/00004.png"])


def test_no_budget_is_plain_predict(videos, tmp_path):
    done = s3fo.correct(videos, tmp_path / "corrected", method="flow", budget=0)
    predict(videos, tmp_path / "plain", method="flow")
    plain = _masks(tmp_path / "plain")
    ours = _masks(tmp_path / "corrected" / "corrections-0")
    assert plain.keys() == ours.keys()
    assert all(np.array_equal(plain[name], ours[name]) for name in plain)
    assert done.curve["budget"].tolist() == [0] and not len(done.prompts)
    assert done.area == done.curve["J&F"].iloc[0]


class Oracle(Sticky):
    """Answers the ground truth."""

    name = "oracle"

    def start(self, sequence) -> None:
        self._answers = iter([sequence.read_annotation(f) for f in sequence.frames])

    def step(self, image, prompt, *, last=False):
        return next(self._answers)


@pytest.mark.parametrize("policy", ["worst", "online"])
def test_an_oracle_reaches_one_and_is_never_corrected(videos, tmp_path, policy):
    done = s3fo.correct(videos, tmp_path, method=Oracle(), policy=policy, budget=2)
    assert done.area == 1 and done.curve["J&F"].tolist() == [1, 1, 1]
    assert not len(done.prompts)


@pytest.mark.seconds
def test_passes_resume(videos, tmp_path):
    method = Sticky()
    first = s3fo.correct(videos, tmp_path, method=method, budget=1)
    assert method.steps >= 2 * 3 * FRAMES
    method.steps = 0
    again = s3fo.correct(videos, tmp_path, method=method, budget=1)
    assert method.steps == 0
    assert again.curve.equals(first.curve) and again.prompts.equals(first.prompts)
    more = s3fo.correct(videos, tmp_path, method=method, budget=2)
    assert more.curve["J&F"].tolist()[:2] == first.curve["J&F"].tolist()
    whole = s3fo.correct(videos, tmp_path / "whole", method="copy", budget=2)
    s3fo.correct(videos, tmp_path / "steps", method="copy", budget=1)
    other = s3fo.correct(videos, tmp_path / "steps", method="copy", budget=2)
    assert other.prompts.equals(whole.prompts) and other.curve.equals(whole.curve)


@pytest.mark.seconds
def test_interrupted_pass_goes_on(videos, tmp_path):
    whole = s3fo.correct(videos, tmp_path / "whole", method=Sticky(), budget=1)

    class Breaks(Sticky):
        def step(self, image, prompt, *, last=False):
            if self.steps == 3 * FRAMES + 12:  # in the second pass
                raise KeyboardInterrupt
            return super().step(image, prompt, last=last)

    with pytest.raises(KeyboardInterrupt):
        s3fo.correct(videos, tmp_path / "out", method=Breaks(), budget=1)
    method = Sticky()
    done = s3fo.correct(videos, tmp_path / "out", method=method, budget=1)
    assert 0 < method.steps < 3 * FRAMES, "only what was missing"
    assert done.prompts.equals(whole.prompts) and done.curve.equals(whole.curve)


def test_another_policy_does_not_mix_into_a_folder(videos, tmp_path):
    s3fo.correct(videos, tmp_path, method="copy", policy="worst", budget=1)
    with pytest.raises(InputError, match="corrections"):
        s3fo.correct(videos, tmp_path, method="copy", policy="online", budget=1)


def test_events_regain_what_a_correction_at_their_onset_mends(videos, tmp_path):
    done = s3fo.correct(videos, tmp_path, method="copy", budget=0, events=None)
    events = done.events.set_index(["sequence", "start"])
    # It jumps in frame 3 of 1..6: everything after it comes right again.
    row = events.loc["jumps", "00003"]
    assert row["regain"] == pytest.approx(row["cost"]) == pytest.approx(4 / 6 / 3)
    # Absent for three frames; told so, the method loses it in the two after them.
    hides = events.loc["hides", "00002"]
    assert hides["cost"] == pytest.approx(3 / 6 / 3)
    assert hides["regain"] == pytest.approx((3 - 2) / 6 / 3)
    assert done.events["regain"].is_monotonic_decreasing


class Loud(Sticky):
    parallel = 1

    def segment(self, sequence, frames, folder):
        raise AssertionError


def test_what_cannot_be_corrected(videos, tmp_path):
    with pytest.raises(InputError, match="whole videos at once"):
        s3fo.correct(videos, tmp_path, method=Loud())
    with pytest.raises(InputError, match="takes mask"):
        s3fo.correct(videos, tmp_path, method="copy", prompt="clicks")
    with pytest.raises(InputError, match="proposals"):
        s3fo.correct(
            videos, tmp_path, method="copy", protocol="davis-2017-unsupervised"
        )
    assert not (tmp_path / "corrections-0").exists(), "refused before any work"


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("weights") / "mine.safetensors"
    return save_weights(build_network("tiny"), path, metadata={"model": "tiny"})


def _images(n: int = 7) -> list[np.ndarray]:
    random = np.random.default_rng(1)
    return [random.integers(0, 255, (H, W, 3), np.uint8) for _ in range(n)]


@pytest.mark.parametrize("memory", ["generic", "davis-2017"])
def test_s3_forgets_what_was_corrected(videos, weights, memory):
    """A corrected frame leaves what it leaves when the mask is given at once."""
    images, mask = _images(), _square(30)
    corrected, told = (
        S3Method(weights=weights, memory=memory, mem_every=2) for _ in range(2)
    )
    for method in (corrected, told):
        method.start(videos["moves"])
        method.step(images[0], _square(10))
        method.step(images[1], None)
    corrected.expect_correction()
    wrong = corrected.step(images[2], None)
    from s3fo.inference import ObjectPrompt

    twice = ObjectPrompt(mask=_square(5) > 0), ObjectPrompt(mask=mask > 0)
    for prompt in twice:
        right = corrected.correct(images[2], {1: prompt})
    given = told.step(images[2], mask)
    assert np.array_equal(right, given) and not np.array_equal(right, wrong)
    for image in images[3:]:
        assert np.array_equal(corrected.step(image, None), told.step(image, None))
        a, b = corrected._engine, told._engine
        assert a.memory.token_counts == b.memory.token_counts
        assert torch.equal(a._last_mask, b._last_mask)


@pytest.mark.seconds
def test_s3_online_equals_the_same_corrections_planned(videos, weights, tmp_path):
    method = build_method("s3", weights=weights, size=40)
    done = s3fo.correct(
        videos, tmp_path, method=method, policy="online", budget=2, threshold=0.99
    )
    assert done.how == "memory" and isinstance(method, CorrectableMethod)
    table = done.prompts[done.prompts["budget"] == 2]
    assert len(table)
    frames = {
        name: {frame: (1,) for frame in rows["frame"]}
        for name, rows in table.groupby("sequence")
    }
    from evaluation.masks.open import open_ground_truth

    planned = CorrectedMethod(
        method,
        Planned(frames, {}, {}),
        Prompting("mask", 3),
        open_ground_truth(videos).sequences,
        get_protocol("davis-2017"),
        tmp_path / "prompts" / "planned",
    )
    predict(videos, tmp_path / "planned", method=planned)
    online, replayed = (
        _masks(tmp_path / name) for name in ("corrections-2", "planned")
    )
    assert online.keys() == replayed.keys()
    assert all(np.array_equal(online[name], replayed[name]) for name in online)

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.errors import InputError
from s3fo.benchmarks import Benchmark, write_synthetic
from s3fo.benchmarks.synthetic import PRESETS, Factors, open_synthetic, read_record
from s3fo.benchmarks.synthetic.director import build_scene
from s3fo.benchmarks.synthetic.scene import Scene, render

SIZE = (90, 160)
FEW = {
    "away": Factors(objects=2, length=16, absence_frames=3),
    "post": Factors(length=16, occlusion=0.5, occlusion_frames=4, size=0.08),
}


def write(root: Path, seed: int = 0, **changes: object) -> Benchmark:
    settings = {"videos": FEW, "size": SIZE, "workers": 1, **changes}
    return write_synthetic(root, seed=seed, **settings)  # type: ignore[arg-type]


def digest(root: Path) -> str:
    parts = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file():
            parts.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return parts.hexdigest()


@pytest.mark.parametrize("textures", ["photographs", "procedural"])
def test_a_seed_decides_everything(tmp_path: Path, textures: str) -> None:
    write(tmp_path / "a", 3, textures=textures)
    write(tmp_path / "b", 3, textures=textures, workers=2)
    write(tmp_path / "c", 4, textures=textures)
    assert digest(tmp_path / "a") == digest(tmp_path / "b") != digest(tmp_path / "c")


@pytest.mark.seconds
def test_mini_is_there_in_seconds(tmp_path: Path) -> None:
    begin = time.process_time()
    benchmark = write_synthetic(tmp_path)
    assert time.process_time() - begin < 20, "CPU seconds; 10 s on two cores"
    assert len(benchmark) == 6
    assert sum(len(sequence.frames) for sequence in benchmark) == 240
    for sequence in benchmark:
        assert sequence.annotated_frames == sequence.frames
        expected = PRESETS["mini"].videos[sequence.name].objects
        assert sequence.object_ids == tuple(range(1, expected + 1))


def test_measured_extents_are_those_of_the_masks(tmp_path: Path) -> None:
    benchmark = write(tmp_path)
    record = read_record(tmp_path)
    for sequence in benchmark:
        for object_id, extent in record["sequences"][sequence.name]["objects"].items():
            areas = [
                int((sequence.read_annotation(frame) == int(object_id)).sum())
                for frame in sequence.frames
            ]
            assert areas == extent["visible"]
            assert all(
                seen <= inside <= whole
                for seen, inside, whole in zip(*extent.values(), strict=True)
            )


def test_the_object_leaves_and_returns(tmp_path: Path) -> None:
    write(tmp_path)
    seen = read_record(tmp_path)["sequences"]["away"]["objects"]["1"]["visible"]
    gone = [index for index, area in enumerate(seen) if area == 0]
    assert len(gone) >= 3
    assert gone == list(range(gone[0], gone[-1] + 1))
    assert seen[0] > 0
    assert seen[-1] > 0


@pytest.mark.parametrize("fraction", [0.25, 0.5, 0.75, 1.0])
def test_the_occluder_covers_what_was_asked_for(fraction: float) -> None:
    factors = Factors(length=20, occlusion=fraction, occlusion_frames=5, size=0.1)
    scene = build_scene("a", factors, SIZE, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    covered = []
    for index in range(scene.length):
        extent = render(scene, index, rng)[2][1]
        covered.append(1 - extent.visible / max(extent.in_frame, 1))
    middle = [value for value in covered if value > fraction - 0.05]
    assert len(middle) >= 5
    if fraction < 1:
        assert max(covered) < fraction + 0.05
    assert covered[0] == covered[-1] == 0


def test_speed_is_pixels_a_frame() -> None:
    factors = Factors(speed=4.0, length=50)
    scene = build_scene("a", factors, (270, 480), np.random.default_rng(0))
    motion = scene.actors[-1].motion
    steps = np.hypot(np.diff(motion.x), np.diff(motion.y))
    np.testing.assert_allclose(steps, 4.0, rtol=0.06)


def test_size_and_growth_are_as_asked_for() -> None:
    factors = Factors(size=0.05, growth=4.0, length=60, deformation=0.0)
    scene = build_scene("a", factors, (270, 480), np.random.default_rng(2))
    radius = scene.actors[-1].motion.radius
    assert radius.max() / radius.min() == pytest.approx(4.0, rel=0.01)
    still = build_scene(
        "a", replace(factors, growth=1.0), (270, 480), np.random.default_rng(2)
    )
    area = render(still, 0, np.random.default_rng(0))[2][1].whole / (270 * 480)
    assert area == pytest.approx(0.05, rel=0.25), "wobble adds a little"


def test_it_gets_dark() -> None:
    factors = Factors(illumination=0.8, length=21)
    scene = build_scene("a", factors, SIZE, np.random.default_rng(0))
    rng = np.random.default_rng(0)
    bright, dark = (render(scene, index, rng)[0].mean() for index in (0, 10))
    assert dark < 0.3 * bright


def test_identical_distractors_look_identical() -> None:
    factors = Factors(distractors=2, similarity=1.0)
    scene = build_scene("a", factors, SIZE, np.random.default_rng(0))
    *distractors, target = scene.actors
    for distractor in distractors:
        assert distractor.object_id == 0
        np.testing.assert_array_equal(distractor.texture, target.texture)
        np.testing.assert_array_equal(
            distractor.outline.amplitudes, target.outline.amplitudes
        )


def test_blur_and_antialiasing_change_frames_not_masks() -> None:
    def first(factors: Factors, antialias: bool = True) -> tuple[np.ndarray, ...]:
        rng = np.random.default_rng(5)
        scene = build_scene("a", factors, SIZE, rng, antialias=antialias)
        return render(scene, 8, np.random.default_rng(0))[:2]

    plain, mask = first(Factors(speed=8.0))
    hard, hard_mask = first(Factors(speed=8.0), antialias=False)
    blurred, blurred_mask = first(Factors(speed=8.0, blur=1.0))
    np.testing.assert_array_equal(mask, hard_mask)
    np.testing.assert_array_equal(mask, blurred_mask)
    assert (plain != hard).any()
    assert (
        np.abs(np.diff(blurred.astype(int))).sum()
        < np.abs(np.diff(plain.astype(int))).sum()
    )


def test_an_interrupted_call_goes_on(tmp_path: Path) -> None:
    class StopError(Exception):
        pass

    def stop(done: int, total: int, label: str) -> None:
        if label.startswith("post 3"):
            raise StopError

    with pytest.raises(StopError):
        write(tmp_path / "a", progress=stop)
    with pytest.raises(InputError):
        open_synthetic(tmp_path / "a")
    kept = tmp_path / "a/Annotations/480p/away/00000.png"
    before = kept.stat().st_mtime_ns
    write(tmp_path / "a")
    assert kept.stat().st_mtime_ns == before
    write(tmp_path / "b")
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_two_benchmarks_do_not_mix(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path)
    with pytest.raises(InputError, match="other settings"):
        write(tmp_path, seed=1)


def test_progress_counts_all_frames(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write(tmp_path, progress=lambda done, total, label: seen.append((done, total)))
    assert [done for done, _ in seen] == list(range(1, 33))
    assert {total for _, total in seen} == {32}


@pytest.mark.parametrize(
    "wrong",
    [
        Factors(occlusion=1.5),
        Factors(objects=0),
        Factors(length=10, absence_frames=9),
    ],
)
def test_impossible_factors_are_refused(tmp_path: Path, wrong: Factors) -> None:
    with pytest.raises(InputError):
        write(tmp_path, videos={"a": wrong})
    assert not list(tmp_path.iterdir())


def test_unknown_preset_names_the_known(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="mini, attributes, long"):
        write_synthetic(tmp_path, "huge")


def test_every_sweep_changes_one_factor() -> None:
    for name, factors in PRESETS["attributes"].videos.items():
        changed = {
            key
            for key, value in vars(factors).items()
            if value != getattr(Factors(), key)
        }
        assert len(changed - {"cast"}) <= 2, name


def test_one_cast_plays_in_several_videos(tmp_path: Path) -> None:
    videos = {
        "bright": Factors(length=6, cast=4),
        "dark": Factors(length=6, cast=4, illumination=0.5),
        "other": Factors(length=6),
    }
    bright, dark, other = (
        [sequence.read_annotation(frame) for frame in sequence.frames]
        for sequence in write(tmp_path, videos=videos)
    )
    np.testing.assert_array_equal(bright, dark)
    assert (np.array(bright) != np.array(other)).any()


def test_steps_of_a_sweep_differ_in_the_swept_factor_only() -> None:
    def scene(**changes: float) -> Scene:
        factors = replace(Factors(), **changes)  # type: ignore[arg-type]
        return build_scene("a", factors, SIZE, np.random.default_rng(7))

    base = scene()
    for changes in (
        {"distractors": 3, "similarity": 0.5},
        {"occlusion": 0.5, "occlusion_frames": 5},
        {"speed": 9.0},
        {"size": 0.2},
        {"illumination": 0.5},
        {"rotation": 0.1},
    ):
        other = scene(**changes)
        twin = next(actor for actor in other.actors if actor.object_id == 1)
        target = base.actors[-1]
        np.testing.assert_array_equal(other.background, base.background)
        np.testing.assert_array_equal(other.camera, base.camera)
        np.testing.assert_array_equal(twin.texture, target.texture)
        np.testing.assert_array_equal(twin.outline.phases, target.outline.phases)
        assert twin.motion.angle[0] == target.motion.angle[0]
        if not changes.keys() & {"speed", "size"}:
            np.testing.assert_array_equal(twin.motion.x, target.motion.x)

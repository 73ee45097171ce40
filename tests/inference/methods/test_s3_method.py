"""S3 in the predict loop: files in, files out."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import torch

from evaluation.errors import InputError
from evaluation.masks.label_map import read_label_map, write_label_map
from s3fo.benchmarks import open_folders
from s3fo.inference import build_method, fuse, precision, predict
from s3fo.inference.engine.config import InferenceConfig
from s3fo.inference.engine.frame_size import (
    choose_frame_size,
    shrunk_size,
    working_size,
)
from s3fo.inference.methods.s3 import (
    S3Method,
    choose_device,
    choose_enlargement,
    usual_limits,
)
from s3fo.inference.precision import choose_precision
from s3fo.inference.running.probabilities import read_probabilities, write_probabilities
from s3fo.inference.running.record import RunRecord
from s3fo.inference.weights import find_weights, load_network
from s3fo.model import build_network, save_weights

H, W, FRAMES = 48, 80, 4


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """A weights file that says which model it is for."""
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("weights") / "mine.safetensors"
    return save_weights(build_network("tiny"), path, metadata={"model": "tiny"})


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> tuple[Path, Path]:
    """Images and masks of two videos; in "late", object 7 appears in frame 2."""
    import cv2

    root = tmp_path_factory.mktemp("videos")
    random = np.random.default_rng(0)
    for video in ("first", "late"):
        (root / "images" / video).mkdir(parents=True)
        for t in range(FRAMES):
            image = random.integers(0, 255, (H, W, 3), np.uint8)
            cv2.imwrite(str(root / "images" / video / f"{t:05d}.png"), image)
        write_label_map(root / "masks" / video / "00000.png", _mask({1: 5, 2: 40}))
    write_label_map(root / "masks/late/00002.png", _mask({1: 5, 7: 20}))
    return root / "images", root / "masks"


def _mask(columns):
    mask = np.zeros((H, W), np.uint8)
    for object_id, column in columns.items():
        mask[10:30, column : column + 12] = object_id
    return mask


def _read(folder: Path) -> dict[str, np.ndarray]:
    return {
        str(path.relative_to(folder)): read_label_map(path)
        for path in sorted(folder.glob("*/*.png"))
    }


def test_predicts_every_frame_and_takes_late_objects(folders, weights, tmp_path):
    run = predict(open_folders(*folders), tmp_path, weights=weights, size=32)
    assert not run.failures and set(run.finished) == {"first", "late"}
    masks = _read(tmp_path)
    assert len(masks) == 2 * FRAMES
    assert all(mask.shape == (H, W) for mask in masks.values())
    agree = masks["first/00000.png"] == _mask({1: 5, 2: 40})
    assert agree.mean() > 0.9, "the first mask comes back, blurred by resizing"
    assert set(np.unique(masks["first/00003.png"])) <= {0, 1, 2}
    assert 7 not in masks["late/00001.png"] and 7 in masks["late/00002.png"]


def test_same_results_whatever_came_before(folders, weights, tmp_path):
    sequences = list(open_folders(*folders))
    predict(sequences, tmp_path / "both", weights=weights)
    predict(sequences[1], tmp_path / "one", weights=weights)
    both, one = _read(tmp_path / "both"), _read(tmp_path / "one")
    assert one and all(np.array_equal(both[name], mask) for name, mask in one.items())


def test_run_record_tells_how(weights):
    settings = S3Method(weights=weights, memory="davis-2017", top_k=7).settings
    assert settings["model"] == "tiny" and settings["size"] == 480
    assert len(settings["weights"]["sha256"]) == 64
    assert settings["engine"]["top_k"] == 7
    assert not settings["engine"]["use_long_term"]


def test_video_file_and_first_mask(weights, tmp_path):
    video = tmp_path / "clip.mp4"
    random = np.random.default_rng(0)
    with av.open(str(video), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = W, H, "yuv420p"
        for _ in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(
                random.integers(0, 255, (H, W, 3), np.uint8), "rgb24"
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    write_label_map(tmp_path / "mask.png", _mask({3: 5}))
    sequences = open_folders(video, tmp_path / "mask.png")
    run = predict(sequences, tmp_path / "out", weights=weights)
    assert not run.failures
    masks = _read(tmp_path / "out")
    assert len(masks) == FRAMES and 3 in masks["clip/00000.png"]


@pytest.mark.seconds
def test_merged_runs(folders, weights, tmp_path):
    sequences = open_folders(*folders)
    for name, options in {"a": {}, "b": {"flip_aug": True}}.items():
        predict(
            sequences,
            tmp_path / f"masks-{name}",
            weights=weights,
            scores=tmp_path / name,
            **options,
        )
    merged = _read(fuse([tmp_path / "a", tmp_path / "b"], tmp_path / "merged"))
    assert len(merged) == 2 * FRAMES
    for name, mask in _read(tmp_path / "masks-a").items():
        scores, ids = read_probabilities((tmp_path / "a" / name).with_suffix(".npz"))
        channel = np.searchsorted([0, *ids], mask)
        chosen = np.take_along_axis(scores, channel[None], 0)[0]
        assert np.array_equal(chosen, scores.max(0)), name


def test_merging_follows_object_ids(tmp_path):
    """Runs may hold the same objects in other channels."""
    p = np.zeros((3, 1, 4), np.float32)
    p[0], p[1, 0, 1], p[2, 0, 2] = 0.4, 0.9, 0.7
    write_probabilities(tmp_path / "a/video/0.npz", p, [5, 300])
    write_probabilities(tmp_path / "b/video/0.npz", p[[0, 2, 1]], [300, 5])
    merged = _read(fuse([tmp_path / "a", tmp_path / "b"], tmp_path / "out"))
    assert merged["video/0.png"].tolist() == [[0, 5, 300, 0]]
    assert read_probabilities(tmp_path / "a/video/0.npz")[1] == [5, 300]
    write_probabilities(tmp_path / "c/video/0.npz", p[:2], [5])
    with pytest.raises(InputError, match="same objects"):
        fuse([tmp_path / "a", tmp_path / "c"], tmp_path / "out")
    write_probabilities(tmp_path / "c/video/1.npz", p[:2], [5])
    with pytest.raises(InputError, match="same frames"):
        fuse([tmp_path / "a", tmp_path / "c"], tmp_path / "out")


def test_a_plain_checkpoint_is_recognised(tmp_path, monkeypatch):
    monkeypatch.setattr("s3fo.inference.weights.PRESETS", ["tiny", "tiny_r18"])
    network = build_network("tiny_r18")
    torch.save({"weights": network.state_dict()}, tmp_path / "last.pth")
    assert load_network(tmp_path / "last.pth").config.name == "tiny_r18"
    torch.save({"a": torch.zeros(2, 2)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match="Name the model"):
        load_network(tmp_path / "other.pth")


def test_scores_and_merged_masks_of_a_video_whose_object_comes_late(
    folders, weights, tmp_path
):
    """All frames are there: a server wants those before the first object, too."""
    write_label_map(tmp_path / "masks/first/00000.png", np.zeros((H, W), np.uint8))
    write_label_map(tmp_path / "masks/first/00002.png", _mask({4: 5}))
    sequence = open_folders(folders[0], tmp_path / "masks")["first"]
    predict(sequence, tmp_path / "a", weights=weights, scores=tmp_path / "scores")
    fuse([tmp_path / "scores"], tmp_path / "merged")
    merged = _read(tmp_path / "merged")
    assert len(merged) == FRAMES
    assert not merged["first/00001.png"].any() and 4 in merged["first/00002.png"]


@pytest.mark.seconds
def test_videos_without_their_scores_are_done_again(folders, weights, tmp_path):
    sequences, out = open_folders(*folders), tmp_path / "out"
    predict(sequences, out, weights=weights)
    asked = {"weights": weights, "scores": tmp_path / "scores"}
    assert set(predict(sequences, out, **asked).finished) == {"first", "late"}
    (tmp_path / "scores/late/00003.npz").unlink()
    run = predict(sequences, out, **asked)
    assert (run.kept, run.finished) == (("first",), ("late",))
    with pytest.raises(InputError, match="masks of one run"):
        fuse([tmp_path / "scores"], out)


@pytest.mark.seconds
def test_a_benchmark_brings_its_memory_settings(folders, weights, tmp_path):
    from dataclasses import replace

    named = replace(open_folders(*folders), name="mose-v1")
    for name, options in {"own": {}, "other": {"memory": "generic"}}.items():
        predict(named, tmp_path / name, weights=weights, **options)
        record = RunRecord.load(tmp_path / name)
        assert record.settings["engine"]["use_long_term"] == (name == "other")


def test_what_is_not_there_is_told(weights, tmp_path):
    with pytest.raises(InputError, match="no such file"):
        find_weights("nowhere.pth")
    with pytest.raises(InputError, match="a kind and a number"):
        choose_device("cpu:first")
    with pytest.raises(InputError, match="unknown name"):
        S3Method(weights=weights, model="vitx")
    for name in ("half.safetensors", "half.pth"):
        (tmp_path / name).write_bytes(weights.read_bytes()[:999])
        with pytest.raises(InputError, match="cannot be read as weights"):
            S3Method(weights=tmp_path / name)
    with pytest.raises(InputError, match="this machine has: cpu"):
        choose_device("tpu")


def test_devices_that_the_machine_has_not(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("cuda:1") == torch.device("cuda:1")
    for name in ("cuda:2", "cpu:1"):
        with pytest.raises(InputError, match="a number below"):
            choose_device(name)


def test_automatic_precision(weights, monkeypatch):
    """bfloat16 for what was trained in it where it is fast; the record says which."""
    cpu = torch.device("cpu")
    for fast in (True, False):
        monkeypatch.setattr(precision, "_cpu_multiplies_bfloat16", lambda f=fast: f)
        expected = "bfloat16" if fast else "float32"
        assert choose_precision("auto", "s3-small", cpu) == expected
        assert choose_precision("auto", "vitb", cpu) == "float32"
        assert choose_precision("float32", "s3-small", cpu) == "float32"
        assert choose_precision("auto", "s3-small", torch.device("cuda")) == "float32"
    assert S3Method(weights=weights).settings["precision"] == "float32"


def test_bad_options_are_told(weights):
    with pytest.raises(InputError, match="precision"):
        build_method("s3", weights=weights, precision="int8")
    with pytest.raises(InputError, match="mem_evry"):
        build_method("s3", weights=weights, mem_evry=3)
    with pytest.raises(InputError, match="dvais"):
        build_method("s3", weights=weights, memory="dvais")
    with pytest.raises(InputError, match="size"):
        build_method("s3", weights=weights, size=-1)


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [
        ((1080, 1920), 480, (480, 853)),
        ((1920, 1080), 480, (853, 480)),
        ((480, 854), 480, (480, 854)),
        ((400, 300), None, (400, 300)),
        ((400, 300), 0, (400, 300)),
    ],
)
def test_size_of_the_shorter_side(shape, size, expected):
    assert shrunk_size(shape, size) == expected


@pytest.mark.parametrize(
    ("preset_size", "size", "limit", "expected"),
    [
        (480, None, None, (480, -1)),
        (None, None, 480, (None, 480)),  # the preset "video": inside the engine
        (None, 384, 480, (384, -1)),  # a named size goes before the preset's limit
        (None, 0, 480, (0, -1)),
    ],
)
def test_a_frame_is_shrunk_once(preset_size, size, limit, expected) -> None:
    config = InferenceConfig(max_internal_size=limit or -1)
    chosen, engine = choose_frame_size(preset_size, size, config, {})
    assert (chosen, engine.max_internal_size) == expected


def test_a_limit_that_is_named_goes_before_the_presets_size() -> None:
    named = {"max_internal_size": 300}
    config = InferenceConfig(max_internal_size=300)
    chosen, engine = choose_frame_size(480, None, config, named)
    assert not chosen and engine.max_internal_size == 300
    with pytest.raises(InputError, match="either size or max_internal_size"):
        choose_frame_size(480, 384, config, named)


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [
        # 853 * 400 / 480 = 710.8: the long side is rounded down, as by the original.
        ((480, 853), 400, (400, 710)),
        ((853, 480), 400, (710, 400)),
        ((480, 853), 480, (480, 853)),
        ((480, 853), 479, (479, 851)),
        ((480, 853), None, (480, 853)),
    ],
)
def test_the_long_side_of_a_smaller_frame_is_rounded_down(shape, size, expected):
    assert shrunk_size(shape, size) == expected


@pytest.mark.parametrize(
    ("shape", "size", "enlarge", "expected"),
    [
        ((288, 512), 384, 1.5, (384, 682)),
        ((512, 288), 384, 1.5, (682, 384)),
        ((294, 500), 384, 1.5, (384, 653)),  # 294 * (384 / 294) rounds below 384
        ((100, 200), 384, 1.5, (150, 300)),  # as far as it goes
        ((288, 512), 384, 1.0, (288, 512)),
        ((480, 853), 400, 1.5, (400, 710)),  # larger frames are shrunk as ever
        ((384, 512), 384, 1.5, (384, 512)),
        ((288, 512), 0, 1.5, (288, 512)),
        ((288, 512), None, 1.5, (288, 512)),
    ],
)
def test_smaller_frames_are_enlarged_as_far_as_asked(shape, size, enlarge, expected):
    assert working_size(shape, size, enlarge) == expected


def test_the_network_sees_enlarged_frames_and_masks_come_back_small(
    folders, weights, monkeypatch
):
    method = S3Method(weights=weights, size=64, enlarge=1.25)
    seen = []
    step = method._engine.step

    def look(image, mask=None, *rest, **options):
        seen.append((tuple(image.shape[1:]), None if mask is None else mask.shape))
        return step(image, mask, *rest, **options)

    monkeypatch.setattr(method._engine, "step", look)
    (sequence,) = open_folders(*folders).subset(["first"])
    method.start(sequence)
    prompt = _mask({1: 5, 2: 40})
    label_map = method.step(np.full((H, W, 3), 9, np.uint8), prompt)
    larger = (int(H * 1.25), int(W * 1.25))
    assert seen == [(larger, larger)]
    # The first frame's masks come back as they were given, but for their edges.
    assert label_map.shape == (H, W) and (label_map != prompt).mean() < 0.05


def test_only_the_shipped_network_enlarges_unless_asked(weights):
    assert choose_enlargement(None, "s3-small") == 1.5
    assert choose_enlargement(None, "vitb") == 1
    settings = S3Method(weights=weights).settings
    assert settings["enlarge"] == settings["zoom"] == 1
    for wrong in (0.5, "much", float("inf"), True):
        with pytest.raises(InputError, match="enlarge"):
            S3Method(weights=weights, enlarge=wrong)


def test_a_single_object_is_seen_through_windows_of_the_frame(weights):
    assert not S3Method(weights=weights, zoom=2)._windowed.takes(
        np.eye(160, dtype=np.uint8), (160, 160)
    )
    method = S3Method(weights=weights, zoom=2, size=128)
    seen, step = [], method._engine.step

    def look(image, *rest, **options):
        seen.append(tuple(image.shape[1:]))
        return step(image, *rest, **options)

    method._engine.step = look  # type: ignore[method-assign]
    prompt = np.zeros((160, 240), np.uint8)
    prompt[60:90, 100:130] = 1
    method._skipped, method._frames, method._sequence = (), iter(["0"]), "x"
    method._keep_state = False
    label_map = method.step(np.full((*prompt.shape, 3), 9, np.uint8), prompt)
    assert seen[0] == (128, 192) and len(seen) == 2
    assert label_map.shape == prompt.shape and (label_map != prompt).mean() < 0.01


def test_only_the_shipped_network_limits_what_joins_objects_unless_asked(weights):
    assert usual_limits("s3-small") == {"reach": 1.25, "appearance_gap": 4}
    assert usual_limits("vitb") == {}
    engine = S3Method(weights=weights).settings["engine"]
    assert engine["reach"] == engine["appearance_gap"] == 0
    engine = S3Method(weights=weights, reach=2, appearance_gap=3).settings["engine"]
    assert engine["reach"] == 2 and engine["appearance_gap"] == 3

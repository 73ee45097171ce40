"""Damaged files of every kind that is read: equal, named, or another valid content.

A fixed budget of mutations per kind, from kept seeds: no error but `InputError`, which
names the file, no hang, no process that ends, and no memory beyond all measure. Files
with a check sum of their own must come out unchanged or be refused.
"""

from __future__ import annotations

import io
import json
import os
import random
import signal
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from harness import LONG, survived
from safetensors.torch import save_file

from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from evaluation.masks.run_lengths import encode_rle
from evaluation.results.scores import Scores
from evaluation.runs.registry import read_run
from evaluation.runs.schema import RunRecord, read_run_file
from evaluation.runs.speed import SpeedRecord
from evaluation.scoring import score
from s3fo.benchmarks.download.http import origin_of
from s3fo.benchmarks.download.unpack import unpack
from s3fo.benchmarks.layouts.burst import read_annotations
from s3fo.benchmarks.layouts.meta import read_meta
from s3fo.benchmarks.layouts.sa_v_train import load_masklets, masklet_objects
from s3fo.benchmarks.synthetic.writer import read_record
from s3fo.benchmarks.video_file import count_frames, iterate_frames, note_missing_frames
from s3fo.convert.reading import read
from s3fo.inference.methods.hub import HubWeights
from s3fo.inference.running.probabilities import (
    read_probabilities,
    write_probabilities,
)
from s3fo.model.checkpoint import WeightsFileError, read_file
from s3fo.training.run_files import load_state, save_state

pytestmark = pytest.mark.timeout(7200 if LONG else 600)
BUDGET = 400 if LONG else 40
SECONDS = 20
MASK = np.zeros((12, 16), np.uint8)
MASK[3:9, 4:12] = 1


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Attributes:
        name: of the file, below a folder of its own.
        write: makes a valid one at a path.
        read: reads it, and everything in it.
        summed: whether damage to its bytes must be noticed.
    """

    name: str
    write: Callable[[Path], object]
    read: Callable[[Path], object]
    summed: bool = False


def _json(content: object) -> Callable[[Path], object]:
    return lambda path: path.write_text(json.dumps(content))


def _saved_scores(path: Path) -> None:
    root = path.parent.parent
    for frame in range(4):
        write_label_map(root / f"gt/cat/{frame:05d}.png", MASK)
        write_label_map(root / f"pred/cat/{frame:05d}.png", np.roll(MASK, 1, 1))
    score(root / "pred", root / "gt").save(path.parent)


def _read_scores(path: Path) -> object:
    scores = Scores.load(path.parent)
    return scores.summary, scores.frames.to_dict("list"), scores.objects.to_dict("list")


def _video(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, width=32, height=16)
        stream.pix_fmt = "yuv420p"
        for seed in range(6):
            noise = np.random.default_rng(seed).integers(0, 255, (16, 32, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, "rgb24")))
        container.mux(stream.encode())


def _read_video(path: Path) -> object:
    return (
        count_frames(path),
        note_missing_frames(path),
        sum(1 for _ in iterate_frames(path)),
    )


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for frame in range(3):
            packed.writestr(f"DAVIS/a/{frame:05d}.txt", f"frame {frame} " * 40)


def _tar(path: Path) -> None:
    with tarfile.open(path, "w:gz") as packed:
        for frame in range(3):
            data = f"frame {frame} ".encode() * 40
            entry = tarfile.TarInfo(f"valid/a/{frame:05d}.txt")
            entry.size = len(data)
            packed.addfile(entry, io.BytesIO(data))


def _unpacked(path: Path) -> object:
    out = path.with_name("unpacked")
    count = len(list(path.parent.glob("unpacked*")))
    out = path.with_name(f"unpacked{count}")
    unpack(path, out)
    return {p.name: p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


BURST = {
    "sequences": [
        {
            "id": 1, "dataset": "LaSOT", "seq_name": "zebra", "height": 12, "width": 16,
            "fps": 6, "annotated_image_paths": ["a.jpg", "b.jpg"],
            "track_category_ids": {"4": 7},
            "segmentations": [{"4": {"rle": encode_rle(MASK)["counts"]}}, {}],
        }
    ],
    "categories": [{"id": 7, "name": "zebra"}],
}  # fmt: skip
MASKLETS = {
    "video_id": "v", "masklet_id": [0, 1], "video_height": 12.0, "video_width": 16.0,
    "masklet": [[encode_rle(MASK), encode_rle(MASK)] for _ in range(2)],
    "masklet_type": ["manual", "manual"],
}  # fmt: skip
META = {
    "videos": {
        "cat": {
            "objects": {"1": {"category": "cat", "frames": ["00000", "00005"]}},
            "attributes": ["fast"], "length": 2,
        },
        "dog": {"objects": [{"id": 1, "frame_range": {"start": 0, "end": 9}}]},
    }
}  # fmt: skip
COCO = {
    "images": [{"id": 1, "file_name": "cat/00000.png", "height": 12, "width": 16}],
    "annotations": [
        {"id": 1, "image_id": 1, "track_id": 3, "segmentation": encode_rle(MASK)}
    ],
    "categories": [{"id": 1, "name": "object"}],
}
ORIGIN = {"url": "https://host/x.zip", "size": 12, "etag": '"a"', "modified": None}
SPEED = {
    "schema": 1, "rows": [], "hardware": {}, "versions": {}, "method": "copy",
    "settings": {}, "device": "cpu", "warm_up": 5, "timing": "a", "memory": "b",
    "synchronisation": "c",
}  # fmt: skip


def _read_coco(path: Path) -> object:
    return [
        masks.read(frame)
        for masks in read(path, "coco").values()
        for frame in masks.frames
    ]


def _read_burst(path: Path) -> object:
    return read_annotations(path)


def _read_masklets(path: Path) -> object:
    masks = load_masklets(path)
    return masklet_objects(path), [masks.read(frame) for frame in masks.frames]


KINDS = {
    "meta": Kind("meta.json", _json(META), lambda path: read_meta([path])),
    "burst": Kind("all_classes.json", _json(BURST), _read_burst),
    "masklets": Kind("v_manual.json", _json(MASKLETS), _read_masklets),
    "coco": Kind("masks.json", _json(COCO), _read_coco),
    "run record": Kind(
        "run.json",
        lambda path: RunRecord.begin("copy", {"a": 1}).save(path.parent),
        read_run_file,
    ),
    "run": Kind(
        "run.json",
        lambda path: RunRecord.begin("copy", {"a": 1}).save(path.parent),
        lambda path: read_run(path.parent),
    ),
    "saved scores": Kind("scores.json", _saved_scores, _read_scores),
    "saved table": Kind("frames.parquet", _saved_scores, _read_scores, summed=True),
    "synthetic record": Kind(
        "synthetic.json",
        _json({"preset": "mini", "seed": 0, "sequences": {}}),
        lambda path: read_record(path.parent),
    ),
    "speed": Kind("speed.json", _json(SPEED), SpeedRecord.load),
    "origin": Kind(
        "x.origin.json", _json(ORIGIN), lambda path: origin_of(path.parent / "x")
    ),
    "hub configuration": Kind(
        "config.json",
        _json({"model_type": "sam2", "image_size": 1024}),
        lambda path: HubWeights("local", path.parent).config,
    ),
    "probabilities": Kind(
        "00000.npz",
        lambda path: write_probabilities(path, np.ones((3, 4, 5), np.float32), [1, 2]),
        read_probabilities,
    ),
    "video": Kind("clip.mp4", _video, _read_video),
    "zip": Kind("a.zip", _zip, _unpacked),
    "tar": Kind("a.tar.gz", _tar, _unpacked),
    "safetensors": Kind(
        "weights.safetensors",
        lambda path: save_file({"a": torch.ones(3, 4)}, path, {"format": "x"}),
        read_file,
    ),
    "pth": Kind(
        "weights.pth", lambda path: torch.save({"a": torch.ones(3, 4)}, path), read_file
    ),
    "training state": Kind(
        "last.pt",
        lambda path: save_state(path.parent, {"step": 1, "a": torch.ones(3)}),
        lambda path: load_state(path.parent),
    ),
}

ODD = [None, True, -1, 10**30, 1e308, "", "x", "../x", [], {}, [[]], {"a": None}]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Bytes with one or a few of the faults that disks and people make."""
    content = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 5])):
        at = chance.randrange(len(content) + 1)
        kind = chance.randrange(5)
        if kind == 0:
            del content[at:]
        elif kind == 1 and content:
            content[at % len(content)] ^= 1 << chance.randrange(8)
        elif kind == 2:
            content[at : at + 16] = bytes(16)
        elif kind == 3:
            content[at:at] = content[: chance.randrange(40)]
        else:
            del content[at : at + chance.randrange(1, 20)]
    return bytes(content)


def other_json(content: object, chance: random.Random) -> object:
    """JSON with one of its values replaced or left out."""
    content = json.loads(json.dumps(content))
    places = []

    def collect(value: object) -> None:
        keys = value if isinstance(value, dict) else range(len(value))
        for key in keys:
            places.append((value, key))
            if isinstance(value[key], (dict, list)):
                collect(value[key])

    collect(content)
    value, key = chance.choice(places)
    if chance.random() < 0.2:
        del value[key]
    else:
        value[key] = chance.choice(ODD)
    return content


@contextmanager
def limit(seconds: int):
    def stop(*_: object) -> None:
        raise TimeoutError(f"not read within {seconds} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(os.name != "posix", reason="needs an alarm")
@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_refused_by_name_or_read(tmp_path, kind):
    form = KINDS[kind]
    path = tmp_path / "it" / form.name
    path.parent.mkdir()
    form.write(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole, data = repr(form.read(path)), path.read_bytes()
        for seed in range(BUDGET):
            chance = random.Random(f"{kind} {seed}")
            if path.suffix == ".json" and seed % 2:
                path.write_text(json.dumps(other_json(json.loads(data), chance)))
            else:
                path.write_bytes(mutated(data, chance))
            with survived(f"damaged {kind}"), limit(SECONDS):
                try:
                    found = repr(form.read(path))
                except (InputError, WeightsFileError) as error:
                    named = path.name in str(error) or str(path.parent) in str(error)
                    assert named, f"seed {seed}: {error}"
                else:
                    changed = path.read_bytes() != data
                    assert not (form.summed and changed) or found == whole

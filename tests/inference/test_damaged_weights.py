"""Damaged, foreign or hostile weights files: one class of error, no code run."""

from __future__ import annotations

import pickle
import random
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from evaluation.errors import InputError
from s3fo.inference.weights import load_network
from s3fo.model import build_network, save_weights
from s3fo.training.api import _load_start


class Runs:
    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return Path.touch, (Path(self.path),)


CONTENTS = [
    3, "text", [], [1, 2], {}, {"weights": 3}, {"weights": []}, {"weights": {}},
    {"weights": {"a": 1}}, {1: torch.zeros(2)}, {"weights": {2: torch.zeros(1)}},
    {"a": "b"}, torch.zeros(3), {"weights": {"x": torch.zeros(2, 3)}}, None,
]  # fmt: skip


@pytest.mark.seconds
@pytest.mark.parametrize("number", range(len(CONTENTS)))
def test_pytorch_files_of_anything_else(tmp_path, number):
    path = tmp_path / "w.pth"
    torch.save(CONTENTS[number], path)
    with pytest.raises(InputError, match=r"w\.pth"):
        load_network(path)
    with pytest.raises(InputError):
        _load_start(build_network("tiny"), path, None, None)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol 4")
def test_code_in_a_file_never_runs(tmp_path):
    mark = tmp_path / "ran"
    for name, write in {
        "a.pth": lambda path: torch.save({"weights": Runs(mark)}, path),
        "b.pth": lambda path: path.write_bytes(pickle.dumps(Runs(mark))),
    }.items():
        write(tmp_path / name)
        with pytest.raises(InputError):
            load_network(tmp_path / name)
    assert not mark.exists()


@pytest.mark.seconds
def test_damaged_safetensors(tmp_path):
    torch.manual_seed(0)
    whole = tmp_path / "whole.safetensors"
    save_weights(build_network("tiny"), whole, metadata={"model": "tiny"})
    data, chosen = whole.read_bytes(), random.Random(5)
    path = tmp_path / "w.safetensors"
    for attempt in range(60):
        damaged = bytearray(data)
        if attempt % 3 == 0:
            damaged = damaged[: chosen.randrange(len(damaged))]
        else:  # in the header, where it means something
            damaged[chosen.randrange(3000)] ^= 1 << chosen.randrange(8)
        path.write_bytes(damaged)
        try:
            load_network(path)
        except InputError as error:
            assert "w.safetensors" in str(error)


@pytest.mark.seconds
@pytest.mark.parametrize("metadata", [{}, {"model": "none"}, {"model": "tiny"}])
def test_safetensors_of_something_else(tmp_path, metadata):
    path = tmp_path / "w.safetensors"
    save_file({"x": torch.zeros(2)}, path, metadata)
    with pytest.raises(InputError):
        load_network(path)

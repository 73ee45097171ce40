"""Which network a weights file is for, and how it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from evaluation._utils.fingerprint import file_sha256
from evaluation.errors import InputError
from s3fo.model.checkpoint import (
    CheckpointError,
    WeightsFileError,
    load_weights,
    read_file,
    read_metadata,
    state_in,
)
from s3fo.model.config import PRESETS, ModelConfig
from s3fo.model.network import S3Network, build_network

Weights: TypeAlias = str | PathLike[str] | Mapping[str, Tensor | np.ndarray]

SHIPPED = Path(__file__).resolve().parents[1] / "weights"
"""Folder of the weights that come with the package, ``<name>.safetensors``."""
DEFAULT = "s3-small"


def find_weights(name: str | PathLike[str]) -> Path:
    """The file of shipped weights by name, or a file by its path.

    Raises:
        InputError: neither exists.
    """
    shipped = SHIPPED / f"{name}.safetensors"
    for path in (shipped, Path(name)):
        if path.is_file():
            return path
    names = sorted(path.stem for path in SHIPPED.glob("*.safetensors"))
    raise InputError(
        f"weights {str(name)!r}",
        "no such file",
        f"a weights file, or one of the shipped weights: {', '.join(names) or 'none'}",
        "Give the path of a .safetensors or .pth file.",
    )


def load_network(path: Path, model: str | ModelConfig | None = None) -> S3Network:
    """Build the network that a weights file is for, and load it.

    Args:
        path: the file.
        model: a model preset or its name; by default what the file says, or the preset
            whose entries it has.

    Raises:
        InputError: no preset fits, or the weights do not fit `model`.
    """
    try:
        return _load_network(path, model)
    except CheckpointError as error:
        raise InputError(
            path,
            f"weights that do not fit: {error}",
            f"weights of {_name_of(model)}",
            "Name the model that these weights are for.",
        ) from error
    except WeightsFileError as error:
        raise InputError(
            path,
            "a file that cannot be read as weights",
            "a .safetensors file, or a PyTorch file of a state dict alone",
            "Give another file, or copy it again.",
        ) from error


def _load_network(path: Path, model: str | ModelConfig | None) -> S3Network:
    metadata = read_metadata(path) if path.suffix == ".safetensors" else {}
    model = model or metadata.get("model") or _recognise(path)
    if isinstance(model, str) and model not in PRESETS:
        raise InputError(
            f"model {model!r}",
            "an unknown name",
            f"one of {', '.join(sorted(PRESETS))}",
            "Choose one, or leave it to the weights file.",
        )
    return load_weights(build_network(model), path)


def _name_of(model: str | ModelConfig | None) -> str:
    if isinstance(model, ModelConfig):
        return model.name
    return model or "the network that the file names"


def file_hash(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    return file_sha256(path)


def as_tensors(state: Mapping[str, Tensor | np.ndarray]) -> dict[str, Tensor]:
    """The same state dict with numpy arrays as tensors."""
    return {
        name: torch.as_tensor(value) if isinstance(value, np.ndarray) else value
        for name, value in state.items()
    }


def _recognise(path: Path) -> str:
    """The preset that has the entries of a plain weights file."""
    found = {name: value.shape for name, value in state_in(read_file(path)).items()}
    for preset in PRESETS:
        with torch.device("meta"):
            expected = build_network(preset).state_dict()
        if all(found.get(n) == v.shape for n, v in expected.items() if v.ndim > 1):
            return preset
    raise InputError(
        path,
        f"{len(found)} entries that fit no model preset",
        f"weights of one of {', '.join(PRESETS)}",
        "Name the model that these weights are for.",
    )

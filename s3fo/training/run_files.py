"""The files of a training run: exact state to resume from, weights to use."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from evaluation._utils.atomic import unwritable, write_atomically
from evaluation.errors import InputError
from s3fo.model.config import ModelConfig

STATE_FILE = "last.pt"
FORMAT = "s3fo-weights-1"


def save_state(folder: Path, state: Mapping[str, object]) -> None:
    """Write the exact state of a run; a broken write leaves the old file.

    Raises:
        InputError: it cannot be written, e.g. on a full disk.
    """
    _write(folder / STATE_FILE, lambda path: torch.save(dict(state), path))


def require_room(folder: Path, network: nn.Module) -> None:
    """Refuse a disk that cannot hold the state of a run, before hours of work.

    The state has the weights, their mean and the optimiser's two moments, and lies
    there twice while it is renewed.

    Raises:
        InputError: there is less room.
    """
    parameters = sum(p.numel() * p.element_size() for p in network.parameters())
    present = next(p for p in (folder, *folder.absolute().parents) if p.is_dir())
    free, needed = shutil.disk_usage(present).free, 2 * parameters
    if free < needed:
        raise InputError(
            folder,
            f"{free // 1_000_000} MB free",
            f"at least {needed // 1_000_000} MB for the state and the weights of a run",
            "Make room, or write to another folder with --out (out=).",
        )


def _write(path: Path, fill: Callable[[Path], None]) -> None:
    """Write a file by torch or safetensors, which raise errors of their own."""
    try:
        write_atomically(path, fill)
    except (RuntimeError, OSError, SafetensorError) as error:
        if isinstance(error, OSError):
            raise unwritable(path, error) from error
        lines = str(error).splitlines() or [type(error).__name__]
        raise unwritable(path, OSError(lines[0])) from error


def load_state(folder: Path) -> dict[str, Any]:
    """Read what :func:`save_state` wrote.

    Raises:
        InputError: there is none, or it is broken.
    """
    path = folder / STATE_FILE
    if not path.is_file():
        raise InputError(
            path, "no such file", "the state of a run", "Start a new run instead."
        )
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(
            path,
            f"an unreadable file ({error})",
            "the state of a run",
            "Delete it and start again from the run's exported weights.",
        ) from error


def export_weights(
    path: Path,
    state: Mapping[str, Tensor],
    config: ModelConfig,
    *,
    backbone: str | None,
    details: Mapping[str, object] | None = None,
    half: bool = True,
) -> None:
    """Write a network's weights as safetensors, with what is needed to use them.

    Args:
        path: the file; written to a temporary name first.
        state: the whole state dict, the frozen ViT included.
        config: of the network.
        backbone: name of the frozen ViT it was trained on; None without one.
        details: anything else worth keeping (recipe, scores).
        half: store matrices and kernels as float16; vectors (norms, biases, batch
            statistics) cost nothing and stay float32.
    """
    tensors = {
        name: _to_stored(value.detach().cpu(), half).contiguous()
        for name, value in state.items()
    }
    metadata = {
        "format": FORMAT,
        "model": config.name,
        "config": json.dumps(asdict(config)),
        "backbone": backbone or "",
        "details": json.dumps(dict(details or {})),
    }
    _write(path, lambda part: save_file(tensors, part, metadata))


def _to_stored(value: Tensor, half: bool) -> Tensor:
    return (
        value.half() if half and value.is_floating_point() and value.ndim > 1 else value
    )

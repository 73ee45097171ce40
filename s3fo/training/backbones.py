"""Pre-trained weights of the frozen ViT that training starts from."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from evaluation._utils.fingerprint import sha256_stream
from evaluation.errors import InputError
from s3fo.inference.weights import DEFAULT, find_weights
from s3fo.model.checkpoint import read_file, state_in

VITS_FOCUS = "vits-focus"
"""The ViT-S inside the shipped weights: DINOv2's, fine-tuned for saliency."""
DINOV2_VITS14 = "dinov2-vits14"
BACKBONES = (VITS_FOCUS, DINOV2_VITS14)
DINOV2_URL = (
    "https://dl.fbaipublicfiles.com/dinov2/dinov2_vits14/dinov2_vits14_pretrain.pth"
)

VIT_PREFIX = "pixel_encoder.vit_module."
"""What the names of a network's ViT entries begin with."""


def load_vits(
    name: str = VITS_FOCUS, file: str | PathLike[str] | None = None
) -> dict[str, Any]:
    """Weights of a ViT, named as in :mod:`s3fo.model.vit`.

    Args:
        name: ``vits-focus`` (the blocks that the shipped weights hold) or
            ``dinov2-vits14`` (downloaded); not used if a file is given.
        file: a ``.safetensors`` or ``.pth`` file to read instead.

    Returns:
        Tensors by name.

    Raises:
        InputError: an unknown name, no such file, or the download failed.
    """
    if file is not None:
        return _read(Path(file))
    if name == VITS_FOCUS:
        return vit_entries(read_file(find_weights(DEFAULT)))
    if name == DINOV2_VITS14:
        return _without_registers(_download(DINOV2_URL))
    raise InputError(
        f"backbone {name!r}",
        "an unknown name",
        f"one of {', '.join(BACKBONES)}",
        "Choose one of them, or pass the weights as a file (backbone_file).",
    )


def vit_entries(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The ViT of a whole network's state dict; empty if it has none."""
    return {
        name.removeprefix(VIT_PREFIX): value
        for name, value in state.items()
        if name.startswith(VIT_PREFIX)
    }


def fingerprint(state: Mapping[str, Tensor]) -> str:
    """Which ViT this is: 16 hexadecimal digits over its block weights.

    The patch kernel and the position embedding are left out because they are
    resampled for a network.
    """
    parts = (
        name.encode() + state[name].detach().float().cpu().numpy().tobytes()
        for name in sorted(state)
        if name.startswith("blocks.")
    )
    return sha256_stream(parts)[:16]


def _read(path: Path) -> dict[str, object]:
    if not path.is_file():
        raise InputError(
            path, "no such file", "weights of a ViT", "Give an existing file."
        )
    return _without_registers(read_file(path))


def _without_registers(content: dict[str, object]) -> dict[str, object]:
    state = state_in(content, "model")
    return {n: v for n, v in state.items() if "register_tokens" not in n}


def _download(url: str) -> dict[str, object]:
    try:
        return torch.hub.load_state_dict_from_url(
            url, map_location="cpu", progress=False, weights_only=True
        )
    except OSError as error:
        raise InputError(
            url,
            f"download failed ({error})",
            "the weights of DINOv2's ViT-S/14",
            "Download the file by other means and pass it (backbone_file).",
        ) from error

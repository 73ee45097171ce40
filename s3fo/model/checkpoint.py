"""Weights on disk: strict and safe loading, conversion, pre-trained ViTs, saving."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from s3fo.model.network import S3Network
from s3fo.model.vit import VisionTransformer

State = dict[str, Tensor]

# Computed by the module itself, so a checkpoint may lack them or bring them along.
_TOLERATED = ("inv_freq", "num_batches_tracked")
# Inputs of these convolutions end in one channel per kind of mask.
_MASK_CHANNELS = ("mask_encoder.conv1.weight", "pixel_fuser.sensory_compress.weight")
_LISTED = 8


class WeightsFileError(ValueError):
    """A file that holds no weights, or not whole ones."""


class CheckpointError(ValueError):
    """Weights that do not fit, told entry by entry.

    Attributes:
        missing: names that the network has and the weights lack.
        unexpected: names that the weights have and the network lacks.
        misshaped: "name: found shape, expected shape".
    """

    def __init__(
        self,
        where: str,
        missing: Iterable[str] = (),
        unexpected: Iterable[str] = (),
        misshaped: Iterable[str] = (),
        remedy: str = "Choose the preset that these weights were trained with.",
    ) -> None:
        self.missing, self.unexpected = list(missing), list(unexpected)
        self.misshaped = list(misshaped)
        lines = [f"{where}: these weights do not fit the network."]
        for title in ("missing", "unexpected", "misshaped"):
            names = getattr(self, title)
            if names:
                lines.append(f"{len(names)} {title}: {_shorten(names)}")
        super().__init__("\n".join([*lines, remedy]))


def load_weights(
    network: S3Network,
    weights: str | os.PathLike[str] | Mapping[str, Any],
    *,
    ignore: Iterable[str] = (),
) -> S3Network:
    """Load S3 weights strictly: every entry must be there and fit.

    Single-object weights are converted for a multi-object network and back.

    Args:
        network: to load into, in place.
        weights: a .safetensors or .pth file, or its content: a state dict, a training
            checkpoint with an entry `weights`, with or without a `module.` prefix.
        ignore: name prefixes that the weights may lack; those entries are kept (a
            frozen ViT that was loaded before, say).

    Returns:
        The network.

    Raises:
        FileNotFoundError: if there is no such file.
        CheckpointError: if an entry is missing, unexpected or of another shape.
        WeightsFileError: if the file is not a dictionary of tensors.
    """
    where = "weights" if isinstance(weights, Mapping) else str(Path(weights))
    state = state_in(weights if isinstance(weights, Mapping) else read_file(weights))
    state = convert_objects(state, single_object=network.config.single_object)
    return _load(network, state, where, tuple(ignore))


def read_file(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a .safetensors or a PyTorch file without running any code in it.

    Raises:
        FileNotFoundError: if there is no such file.
        WeightsFileError: if it holds anything but a dictionary of plain data.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such weights file")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise WeightsFileError(
            f"{path}: this is no whole, plain weights file "
            f"({_first_sentence(error)}); save the state dict alone, or as .safetensors"
        ) from error
    if not isinstance(content, dict):
        raise WeightsFileError(
            f"{path}: found a {type(content).__name__}, expected a state dict"
        )
    return content


def read_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the short texts in the header of a .safetensors file.

    Raises:
        FileNotFoundError: if there is no such file.
        WeightsFileError: if it is damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such weights file")
    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except SafetensorError as error:
        raise WeightsFileError(f"{path}: no whole weights file ({error})") from error


def save_weights(
    network: nn.Module,
    path: str | os.PathLike[str],
    *,
    skip: Iterable[str] = (),
    dtype: torch.dtype | None = None,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Save the state dict as safetensors, complete or not at all.

    Args:
        network: whose state dict to save.
        path: the file to write.
        skip: name prefixes to leave out (a frozen ViT, say).
        dtype: store floating-point entries in this type.
        metadata: short texts to keep in the file's header.

    Returns:
        The path.
    """
    path = Path(path)
    prefixes = tuple(skip)
    state = {
        name: _to_stored(value, dtype)
        for name, value in network.state_dict().items()
        if not name.startswith(prefixes or ("\0",))
    }
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        save_file(state, unfinished, metadata)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def convert_objects(
    state: Mapping[str, Tensor], *, single_object: bool, orthogonal: bool = False
) -> State:
    """Convert weights between the single-object and the multi-object form.

    Args:
        state: a state dict in either form.
        single_object: the form to return.
        orthogonal: start the new input channel with orthogonal random weights, as
            training stage 2 does, not with zeros.

    Returns:
        A new state dict; entries that need no change are shared.
    """
    state = dict(state)
    first = state.get(_MASK_CHANNELS[0])
    if first is None or (first.shape[1] == 4) == single_object:
        return state
    for name in _MASK_CHANNELS:
        weight = state.get(name)
        if weight is None:
            continue
        if single_object:
            state[name] = weight[:, :-1].clone()
        else:
            channel = torch.zeros_like(weight[:, :1])
            if orthogonal:
                nn.init.orthogonal_(channel)
            state[name] = torch.cat([weight, channel], dim=1)
    return state


def load_vit(
    vit: VisionTransformer, weights: str | os.PathLike[str] | Mapping[str, Any]
) -> VisionTransformer:
    """Load a pre-trained ViT: DINOv2, Depth-Anything or another of its layout.

    A 14 x 14 patch embedding is resized to 16 x 16 bilinearly with aligned corners;
    registers and heads of the file are left out; everything else must fit.

    Args:
        vit: to load into, in place.
        weights: a file, or its content: a state dict or a dictionary with an entry
            `model`; names may start with `pretrained.`.

    Raises:
        FileNotFoundError: if there is no such file.
        CheckpointError: if an entry is missing or of another shape.
    """
    where = "ViT weights" if isinstance(weights, Mapping) else str(Path(weights))
    content = weights if isinstance(weights, Mapping) else read_file(weights)
    content = content.get("model", content)
    expected = vit.state_dict()
    state = {name.replace("pretrained.", ""): v for name, v in content.items()}
    state = {name: value for name, value in state.items() if name in expected}
    patch = state.get("patch_embed.proj.weight")
    if patch is not None:
        state["patch_embed.proj.weight"] = F.interpolate(
            patch.float(),
            expected["patch_embed.proj.weight"].shape[-2:],
            mode="bilinear",
            align_corners=True,
        )
    # Only masked training uses it, and converted files often lack it.
    ignore = ("mask_token",)
    return _load(
        vit, state, where, ignore, remedy="Use the ViT that this preset is made for."
    )


def _load(
    module: Any,
    state: Mapping[str, Any],
    where: str,
    ignore: tuple[str, ...],
    **remedy: str,
) -> Any:
    expected = module.state_dict()
    missing = [
        name
        for name in expected
        if name not in state
        and not name.endswith(_TOLERATED)
        and not name.startswith(ignore or ("\0",))
    ]
    unexpected = [
        name for name in state if name not in expected and not name.endswith(_TOLERATED)
    ]
    fitting = {name: state[name] for name in expected if name in state}
    misshaped = [
        f"{name}: {_shape(value)}, expected {_shape(expected[name])}"
        for name, value in fitting.items()
        if _shape(value) != _shape(expected[name])
    ]
    if missing or unexpected or misshaped:
        raise CheckpointError(where, missing, unexpected, misshaped, **remedy)
    module.load_state_dict({**expected, **fitting})
    return module


def state_in(content: Mapping[str, object], key: str = "weights") -> State:
    """Return the state dict inside a training checkpoint or a data-parallel one.

    Args:
        content: of a weights file.
        key: under which a checkpoint keeps it.

    Raises:
        WeightsFileError: it is no dictionary of tensors by name.
    """
    inner = content.get(key, content)
    if not isinstance(inner, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor)
        for name, value in inner.items()
    ):
        raise WeightsFileError(
            f"expected a dictionary of tensors, found entries {_shorten(content)}"
        )
    return {name.removeprefix("module."): value for name, value in inner.items()}


def _to_stored(value: Tensor, dtype: torch.dtype | None) -> Tensor:
    value = value.detach().cpu().contiguous()
    return value.to(dtype) if dtype and value.is_floating_point() else value


def _shape(value: Any) -> str:
    return "x".join(map(str, value.shape)) or "scalar"


def _shorten(names: Iterable[str]) -> str:
    names = [str(name) for name in names]
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def _first_sentence(error: Exception) -> str:
    """PyTorch adds advice on trusting files, which is not ours to give."""
    return str(error).partition(". ")[0]

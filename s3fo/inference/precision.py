"""The number format of the network: which there are, and which is best where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import torch

from evaluation.errors import InputError
from s3fo.choices import Precision

AUTO: Precision = "auto"
AUTOCAST: Mapping[str, torch.dtype | None] = {
    "float32": None,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
"""What the network runs under; None: no autocast."""
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

_TRAINED_IN_BFLOAT16 = frozenset({"s3-small"})


def require_precision(name: str) -> None:
    """Refuse what is not one of `PRECISIONS`.

    Raises:
        InputError: an unknown name.
    """
    if name not in PRECISIONS:
        known = ", ".join(PRECISIONS)
        raise InputError(
            "precision", repr(name), f"one of {known}", "Pass one of these."
        )


def choose_precision(name: str, model: str, device: torch.device) -> str:
    """The number format of a name.

    ``"auto"`` is bfloat16 for networks that were trained in it, on CPUs that multiply
    in it; there it costs a third less at equal scores. It is float32 for everything
    else.

    Args:
        name: one of `PRECISIONS`.
        model: name of the network's configuration.
        device: where the network runs.

    Raises:
        InputError: an unknown name.
    """
    if name == AUTO:
        fast = device.type == "cpu" and _cpu_multiplies_bfloat16()
        return "bfloat16" if fast and model in _TRAINED_IN_BFLOAT16 else "float32"
    require_precision(name)
    return name


def _cpu_multiplies_bfloat16() -> bool:
    """Whether the CPU has instructions for it; older PyTorch cannot tell."""
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(kind) for kind in ("avx512_bf16", "amx_bf16"))

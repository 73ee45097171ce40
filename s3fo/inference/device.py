"""What computes: choosing a device, and naming it in records."""

from __future__ import annotations

import torch

from evaluation.errors import InputError


def choose_device(name: str) -> torch.device:
    """The device of a name; ``"auto"`` takes CUDA, else MPS, else the CPU.

    Raises:
        InputError: this machine does not have it.
    """
    has_cuda, has_mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if has_cuda else "mps" if has_mps else "cpu")
    available = {"cpu": True, "cuda": has_cuda, "mps": has_mps}
    if not available.get(name.split(":")[0], False):
        present = [kind for kind, there in available.items() if there]
        raise InputError(
            "device",
            repr(name),
            f"'auto' or one this machine has: {', '.join(present)}",
            "Pass one of the devices that there are.",
        )
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError(
            "device",
            repr(name),
            "a kind and a number, as cuda:1",
            "Pass a device as cpu or cuda:1.",
        ) from error
    count = torch.cuda.device_count() if device.type == "cuda" else 1
    if (device.index or 0) >= count:
        raise InputError(
            "device",
            repr(name),
            f"a number below {count}",
            "Pass one of the devices that there are.",
        )
    return device


def device_name(device: torch.device) -> str:
    """What to call a device in a record, e.g. ``"cuda (NVIDIA H100)"``."""
    if device.type != "cuda":
        return str(device)
    return f"{device} ({torch.cuda.get_device_name(device)})"

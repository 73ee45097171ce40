"""Intermediate results of the official program, and how to compare with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

S3_FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "s3"
"""Synthetic clips, and what the official program computed on them."""


class ModuleFixture(NamedTuple):
    """Stored intermediate results, and a way to compare with them."""

    meta: dict[str, Any]
    arrays: dict[str, np.ndarray]

    def tensor(self, name: str) -> Tensor:
        """Return a stored array, which must be complete."""
        assert len(self.meta["arrays"][name]) == 2, name
        return torch.from_numpy(self.arrays[name])

    def check(self, name: str, found: Tensor) -> None:
        """Assert |found - stored| <= 5e-5 * max(1, max |stored|)."""
        shape, _, *every = self.meta["arrays"][name]
        stored = torch.from_numpy(self.arrays[name]).double().flatten()
        assert list(found.shape) == shape, (name, found.shape, shape)
        values = found.detach().double().flatten()[:: every[0] if every else 1]
        limit = 5e-5 * max(1.0, float(stored.abs().max()))
        worst = float((values - stored).abs().max())
        assert worst <= limit, f"{name}: off by {worst:.2e}, limit {limit:.2e}"

    def image(self, name: str) -> Tensor:
        """Return stored uint8 frames as a padded image [B, 3, H, W] in 0..1."""
        image = self.tensor(name).permute(0, 3, 1, 2).float() / 255
        return F.pad(image, self.tensor("pad_lrtb").tolist())

    def masks(self) -> Tensor:
        """Return the stored index mask, padded, as [B, K, H, W] of 0 and 1."""
        ids = F.pad(self.tensor("mask_ids"), self.tensor("pad_lrtb").tolist())
        return torch.stack(
            [(ids == k + 1).float() for k in range(self.meta["k"])], dim=1
        )

"""Similarity of objects by S3: features of its frozen vision transformer."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from threading import Lock

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evaluation.attributes.regions import Box, Region
from evaluation.errors import InputError
from s3fo.inference.methods.s3 import choose_device
from s3fo.inference.weights import DEFAULT, find_weights, load_network
from s3fo.model.spatial_semantic import SpatialSemanticEncoder
from s3fo.model.vit import PATCH


class S3Features:
    """Mean patch tokens of a region, after the last ViT block that S3 runs.

    A `FeatureExtractor` for `evaluation.object_attributes`. Of all depths of the
    small model's ViT, this one tells objects apart best.

    Args:
        weights: an S3 weights file, or the name of shipped weights.
        model: name of the model preset; by default the one the weights are for.
        side: length in pixels to which the shorter image side is reduced.
        device: as for `S3Method`.

    Attributes:
        name: told beside every similarity.
        side: see above.

    Raises:
        InputError: weights or a device that is not there, or a network whose encoder
            has no ViT of its own, or whose ViT is not there.
    """

    def __init__(
        self,
        weights: str | PathLike[str] = DEFAULT,
        *,
        model: str | None = None,
        side: int = 256,
        device: str = "auto",
    ) -> None:
        path = find_weights(weights)
        self._device = choose_device(device)
        network = load_network(path, model).to(self._device).eval()
        encoder = network.get_submodule("pixel_encoder")
        if not isinstance(encoder, SpatialSemanticEncoder):
            raise InputError(
                path,
                f"a network of preset {network.config.name!r}",
                "one with spatial-semantic blocks on a frozen ViT",
                "Use the weights of an S3 network, such as s3-small.",
            )
        self.name = f"S3 features ({path.stem}, {side} pixels)"
        self.side = side
        self._normalise, self._vit = network.normalise, encoder.vit_module
        count = range(len(encoder.config.ranges))
        self._blocks = [block for index in count for block in encoder.vit_blocks(index)]
        # Threads that share the processor's cores inside torch only slow each other.
        self._lock = Lock()

    def __call__(
        self, image: NDArray[np.uint8], regions: Sequence[Region]
    ) -> NDArray[np.float32]:
        """Describe each region of an [H, W, 3] RGB image: [len(regions), C]."""
        tokens = self._tokens(image)
        height, width, channels = tokens.shape
        if not regions:
            return np.zeros((0, channels), dtype=np.float32)
        frame = Box(0, 0, image.shape[0], image.shape[1])
        shares = np.stack(
            [_patch_shares(region, frame, (height, width)) for region in regions]
        )
        pooled = shares.reshape(len(regions), -1) @ tokens.reshape(-1, channels)
        length = np.linalg.norm(pooled, axis=1, keepdims=True)
        return np.asarray(pooled / np.maximum(length, 1e-12), dtype=np.float32)

    def _tokens(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Patch tokens [h, w, C] of an image, stretched to whole patches."""
        height, width = (max(1, round(n / PATCH)) for n in image.shape[:2])
        size = (width * PATCH, height * PATCH)
        fitted = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        pixels = torch.from_numpy(fitted).to(self._device).permute(2, 0, 1) / 255
        with self._lock:
            tokens = self._run(pixels[None])
        return tokens[0, 1:].reshape(height, width, -1).cpu().numpy()

    @torch.inference_mode()
    def _run(self, image: Tensor) -> Tensor:
        """Tokens [1, 1 + hw, C] of an image [1, 3, H, W] in 0..1."""
        tokens = self._vit.embed(self._normalise(image))
        for block in self._blocks:
            tokens = block(tokens)
        return tokens


def _patch_shares(
    region: Region, frame: Box, grid: tuple[int, int]
) -> NDArray[np.float32]:
    """Share of each patch that a region covers, [h, w] in 0..1."""
    mask = region.seen_in(frame).astype(np.float32)
    shares = cv2.resize(mask, (grid[1], grid[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(shares, dtype=np.float32)

"""The S3 network for inference: its stages in their fast forms."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from s3fo.model.encoders import ResNetEncoder
from s3fo.model.network import ImageFeatures, S3Network
from s3fo.model.optimised.stages import FastEncoder, FoldedDetail, fold_batch_norms
from s3fo.model.spatial_semantic import (
    SpatialSemanticEncoder,
)

_FLOAT32 = (
    "key_proj.",
    "mask_decoder.pred",
    "object_summarizer.feature_pred",
    "object_summarizer.weights_pred",
)
"""Parts that compute in float32 under autocast, too."""


_PRODUCTS = (
    nn.Linear,
    nn.Conv2d,
    nn.ConvTranspose2d,
    nn.MultiheadAttention,
    FoldedDetail,
)


def _store_in_half(network: nn.Module, half: torch.dtype) -> None:
    """Cast the weights that autocast would cast for every product anew."""
    for name, part in network.named_modules():
        if isinstance(part, _PRODUCTS) and not name.startswith(_FLOAT32):
            for tensors in (part.parameters, part.buffers):
                for weight in tensors(recurse=False):
                    weight.data = weight.data.to(half)


class InferenceNetwork(S3Network):
    """A network whose stages are computed in their fast forms, without gradients.

    In float32 it shares its parts with the plain network. What is folded is a snapshot
    of the weights: load weights first, then optimise.
    """

    def __init__(self, network: S3Network, half: torch.dtype | None = None) -> None:
        nn.Module.__init__(self)
        if half is not None:
            network = copy.deepcopy(network)
        self.config = network.config
        for name, part in network.named_children():
            self.add_module(name, part)
        self.register_buffer("pixel_mean", network.pixel_mean, persistent=False)
        self.register_buffer("pixel_std", network.pixel_std, persistent=False)
        encoder, decoder = network.pixel_encoder, network.mask_decoder
        self.fast_encoder: FastEncoder | None = None
        if isinstance(encoder, SpatialSemanticEncoder):
            self.fast_encoder = FastEncoder(decoder, encoder)
        if isinstance(encoder, ResNetEncoder):
            self.pixel_encoder = fold_batch_norms(encoder)
        self.mask_encoder = fold_batch_norms(network.mask_encoder)
        if half is not None:
            _store_in_half(self, half)

    def encode_image(self, image: Tensor) -> ImageFeatures:
        """Encode an RGB image [B, 3, H, W] in 0..1, already padded."""
        if self.fast_encoder is None:
            return super().encode_image(image)
        f16, detail8, detail4 = self.fast_encoder(
            self.pixel_encoder, self.normalise(image)
        )
        return ImageFeatures(f16, self.pix_feat_proj(f16), detail8, detail4)

    def encode_objects(
        self,
        image: Tensor,
        pix_feat: Tensor,
        sensory: Tensor,
        masks: Tensor,
        others: Tensor,
        deep_update: bool,
    ) -> tuple[Tensor, Tensor]:
        """Encode masks, see `MaskEncoder`."""
        return _join(
            self.mask_encoder(image, pix_feat, *each, deep_update=deep_update)
            for each in _one_by_one(sensory, masks, others)
        )

    def decode(
        self,
        features: ImageFeatures,
        pixels: Tensor,
        sensory: Tensor,
        update_sensory: bool,
    ) -> tuple[Tensor, Tensor]:
        """Decode objects, see `MaskDecoder`."""
        detail = features.detail8, features.detail4
        return _join(
            self.mask_decoder(*detail, *each, update_sensory=update_sensory)
            for each in _one_by_one(pixels, sensory)
        )


def _one_by_one(*objects: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Split [B, K, ...] tensors: a CPU then holds one object's wide maps at a time."""
    on_cpu = objects[0].device.type == "cpu"
    pieces = objects[0].shape[1] if on_cpu else 1
    return zip(*(maps.chunk(pieces, dim=1) for maps in objects), strict=True)


def _join(outputs: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    first, second = zip(*outputs, strict=True)
    return torch.cat(first, dim=1), torch.cat(second, dim=1)


def optimise_for_inference(
    network: S3Network, half: torch.dtype | None = None
) -> S3Network:
    """Return the network in evaluation mode, with every stage in its fast form.

    Args:
        network: the plain network with its weights.
        half: the type of the autocast that the network will run under, if any: what it
            casts is stored cast.
    """
    return InferenceNetwork(network.eval().requires_grad_(False), half).eval()

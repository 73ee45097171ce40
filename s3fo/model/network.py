"""The S3 network: all parts, and the steps that an engine or a trainer calls."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from s3fo.model.config import (
    FeaturePyramidConfig,
    ModelConfig,
    PixelEncoderConfig,
    ResNetConfig,
    get_config,
)
from s3fo.model.decoder import AuxiliaryHeads, MaskDecoder, aggregate
from s3fo.model.encoders import FeaturePyramidEncoder, MaskEncoder, ResNetEncoder
from s3fo.model.layers import other_objects
from s3fo.model.memory_reading import KeyProjection, PixelFusion
from s3fo.model.object_queries import ObjectSummarizer, ObjectTransformer
from s3fo.model.spatial_semantic import SpatialSemanticEncoder

PIXEL_MEAN = (0.485, 0.456, 0.406)
PIXEL_STD = (0.229, 0.224, 0.225)


class ImageFeatures(NamedTuple):
    """What the network keeps of one image, for any number of objects.

    Attributes:
        f16: [B, C, h, w] encoder feature at stride 16.
        pix_feat: [B, Cp, h, w] its projection.
        detail8: [B, up0, 2h, 2w] projected stride-8 feature for the decoder.
        detail4: [B, up1, 4h, 4w] projected stride-4 feature for the decoder.
    """

    f16: Tensor
    pix_feat: Tensor
    detail8: Tensor
    detail4: Tensor


class S3Network(nn.Module):
    """Scalable Video Object Segmentation with Spatio-temporal object memories (S3).

    Heights and widths of images must be multiples of 32; h and w are a 16th of them.
    All methods are differentiable. B batch, K objects, T memory frames, Q queries.
    """

    pixel_mean: Tensor
    pixel_std: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        dims = config.encoder.feature_dims
        self.pixel_encoder = _build_encoder(config.encoder)
        self.pix_feat_proj = nn.Conv2d(dims[0], config.pixel_dim, 1)
        self.key_proj = KeyProjection(dims[0], config.pixel_dim, config.key_dim)
        self.mask_encoder = MaskEncoder(config)
        self.mask_decoder = MaskDecoder(config, dims)
        self.pixel_fuser = PixelFusion(config)
        self.object_transformer = ObjectTransformer(config)
        self.object_summarizer = ObjectSummarizer(config)
        self.aux_computer = AuxiliaryHeads(config)
        for name, values in (("pixel_mean", PIXEL_MEAN), ("pixel_std", PIXEL_STD)):
            buffer = torch.tensor(values).view(3, 1, 1)
            self.register_buffer(name, buffer, persistent=False)

    def normalise(self, image: Tensor) -> Tensor:
        """Map an RGB image [..., 3, H, W] in 0..1 to the range the encoders expect."""
        return (image - self.pixel_mean) / self.pixel_std

    def encode_image(self, image: Tensor) -> ImageFeatures:
        """Encode an RGB image [B, 3, H, W] in 0..1, already padded."""
        f16, f8, f4 = self.pixel_encoder(self.normalise(image))
        detail8, detail4 = self.mask_decoder.decoder_feat_proc(f8, f4)
        return ImageFeatures(f16, self.pix_feat_proj(f16), detail8, detail4)

    def project_key(self, f16: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Project a stride-16 feature [B, C, h, w], in float32.

        Returns:
            key [B, Ck, h, w], shrinkage [B, 1, h, w] and selection [B, Ck, h, w].
        """
        return self.key_proj(f16)

    def encode_mask(
        self,
        image: Tensor,
        pix_feat: Tensor,
        sensory: Tensor,
        masks: Tensor,
        *,
        deep_update: bool = True,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Encode the masks of a memory frame.

        Args:
            image: [B, 3, H, W] in 0..1, already padded.
            pix_feat: [B, Cp, h, w].
            sensory: [B, K, Cs, h, w].
            masks: [B, K, H, W] in 0..1.
            deep_update: also update the sensory memory.

        Returns:
            value [B, K, Cv, h, w], sensory [B, K, Cs, h, w] and the object summaries
            [B, K, Q, E + 1], float32.
        """
        others = other_objects(masks)
        value, sensory = self.encode_objects(
            self.normalise(image), pix_feat, sensory, masks, others, deep_update
        )
        return value, sensory, self.object_summarizer(masks, value)

    def encode_objects(
        self,
        image: Tensor,
        pix_feat: Tensor,
        sensory: Tensor,
        masks: Tensor,
        others: Tensor,
        deep_update: bool,
    ) -> tuple[Tensor, Tensor]:
        """Encode masks given those of all other objects, see `MaskEncoder`."""
        return self.mask_encoder(
            image, pix_feat, sensory, masks, others, deep_update=deep_update
        )

    def read_objects(
        self,
        pix_feat: Tensor,
        visual_readout: Tensor,
        sensory: Tensor,
        last_mask: Tensor,
        object_memory: Tensor,
        *,
        selector: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Fuse the pixel readout with all that is known of the objects.

        Objects compete only with those of the same call.

        Args:
            pix_feat: [B, Cp, h, w].
            visual_readout: [B, K, Cv, h, w].
            sensory: [B, K, Cs, h, w].
            last_mask: [B, K, H, W] in 0..1.
            object_memory: [B, K, T, Q, E + 1] summaries.
            selector: [B, K, 1, 1], 1 for real objects, 0 for padding.

        Returns:
            pixels [B, K, E, h, w] and query logits [B, K, n + 1, h, w] before and
            after each of the n transformer blocks.
        """
        pixels = self.pixel_fuser(pix_feat, visual_readout, sensory, last_mask)
        return self.object_transformer(pixels, object_memory, selector=selector)

    def segment(
        self,
        features: ImageFeatures,
        pixels: Tensor,
        sensory: Tensor,
        *,
        selector: Tensor | None = None,
        update_sensory: bool = True,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Decode the masks of all objects and let them compete.

        Args:
            features: of the image.
            pixels: [B, K, E, h, w] of `read_objects`.
            sensory: [B, K, Cs, h, w].
            selector: [B, K, 1, 1], 1 for real objects, 0 for padding.
            update_sensory: also update the sensory memory.

        Returns:
            sensory [B, K, Cs, h, w], odds-logits [B, K + 1, H, W] and their softmax,
            background first, float32.
        """
        sensory, logits = self.decode(features, pixels, sensory, update_sensory)
        p = logits.sigmoid()
        odds = aggregate(p if selector is None else p * selector)
        odds = F.interpolate(odds, scale_factor=4, mode="bilinear")
        return sensory, odds, odds.softmax(dim=1)

    def decode(
        self,
        features: ImageFeatures,
        pixels: Tensor,
        sensory: Tensor,
        update_sensory: bool,
    ) -> tuple[Tensor, Tensor]:
        """Decode objects, each by itself, see `MaskDecoder`."""
        return self.mask_decoder(
            features.detail8,
            features.detail4,
            pixels,
            sensory,
            update_sensory=update_sensory,
        )


def build_network(
    preset: str | ModelConfig, *, single_object: bool = False
) -> S3Network:
    """Build a network with fresh weights, in training mode.

    Args:
        preset: a name of `s3fo.model.PRESETS`, or a configuration.
        single_object: the one-object form of training stage 1.

    Raises:
        ValueError: if there is no preset of this name.
    """
    return S3Network(get_config(preset, single_object=single_object)).train()


def _build_encoder(config: PixelEncoderConfig) -> nn.Module:
    if isinstance(config, ResNetConfig):
        return ResNetEncoder(config)
    if isinstance(config, FeaturePyramidConfig):
        return FeaturePyramidEncoder(config)
    return SpatialSemanticEncoder(config)

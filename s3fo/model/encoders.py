"""ResNet and feature-pyramid pixel encoders, and the mask encoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from s3fo.model.config import FeaturePyramidConfig, ModelConfig, ResNetConfig
from s3fo.model.layers import (
    ObjectFusion,
    as_maps,
    gated_update,
    per_object,
)
from s3fo.model.vit import PATCH, VisionTransformer


class BasicBlock(nn.Module):
    """The residual block of ResNet-18: two 3 x 3 convolutions."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(inputs, width, stride)

    def forward(self, maps: Tensor) -> Tensor:
        """Map [B, inputs, y, x] to [B, width, y / stride, x / stride]."""
        out = F.relu(self.bn1(self.conv1(maps)))
        out = self.bn2(self.conv2(out))
        return F.relu(out + (self.downsample(maps) if self.downsample else maps))


class Bottleneck(nn.Module):
    """The residual block of ResNet-50, with the stride in the 3 x 3 convolution."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = width * self.expansion
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = _shortcut(inputs, outputs, stride)

    def forward(self, maps: Tensor) -> Tensor:
        """Map [B, inputs, y, x] to [B, 4 * width, y / stride, x / stride]."""
        out = F.relu(self.bn1(self.conv1(maps)))
        out = F.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return F.relu(out + (self.downsample(maps) if self.downsample else maps))


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and inputs == outputs:
        return None
    conv = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


def _stage(
    block: type[BasicBlock] | type[Bottleneck],
    inputs: int,
    width: int,
    count: int,
    stride: int = 1,
) -> nn.Sequential:
    blocks = [block(inputs, width, stride)]
    for _ in range(count - 1):
        blocks.append(block(width * block.expansion, width, 1))
    return nn.Sequential(*blocks)


def _initialise_convolutions(module: nn.Module) -> None:
    """Start a ResNet as He et al. do: without statistics to normalise, it matters."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")


class ResNetEncoder(nn.Module):
    """ResNet-18 or -50 up to stride 16; batch statistics are always frozen."""

    def __init__(self, config: ResNetConfig) -> None:
        super().__init__()
        block: type[BasicBlock] | type[Bottleneck]
        block, counts = BasicBlock, (2, 2, 2)
        if config.depth == 50:
            block, counts = Bottleneck, (3, 4, 6)
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.res2 = _stage(block, 64, 64, counts[0])
        self.layer2 = _stage(block, 64 * block.expansion, 128, counts[1], 2)
        self.layer3 = _stage(block, 128 * block.expansion, 256, counts[2], 2)
        _initialise_convolutions(self)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the features of a normalised image at strides 16, 8 and 4."""
        maps = F.relu(self.bn1(self.conv1(image)))
        f4 = self.res2(F.max_pool2d(maps, 3, stride=2, padding=1))
        f8 = self.layer2(f4)
        return self.layer3(f8), f8, f4

    def train(self, mode: bool = True) -> ResNetEncoder:
        """Stay in evaluation mode: weights train, batch statistics do not."""
        return super().train(False)


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of every position of a map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, maps: Tensor) -> Tensor:
        """Normalise [B, C, y, x] over C."""
        rows = maps.permute(0, 2, 3, 1)
        rows = F.layer_norm(rows, rows.shape[-1:], self.weight, self.bias, eps=1e-6)
        return rows.permute(0, 3, 1, 2)


class NormedConv(nn.Conv2d):
    """A convolution without bias and the channel norm behind it."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        self.norm = ChannelNorm(outputs)

    def forward(self, maps: Tensor) -> Tensor:
        """Map [B, inputs, y, x] to [B, outputs, y, x]."""
        return self.norm(super().forward(maps))


def _pyramid_level(width: int, *upsampling: nn.Module, channels: int) -> nn.Sequential:
    return nn.Sequential(
        *upsampling, NormedConv(channels, width, 1), NormedConv(width, width, 3)
    )


class FeaturePyramidEncoder(nn.Module):
    """A simple feature pyramid on the last ViT block (Li et al., ViTDet, 2022)."""

    def __init__(self, config: FeaturePyramidConfig) -> None:
        super().__init__()
        self.checkpointing = config.checkpointing
        width = config.vit.width
        self.simfp_2 = _pyramid_level(
            width,
            nn.ConvTranspose2d(width, width // 2, 2, stride=2),
            ChannelNorm(width // 2),
            nn.GELU(),
            nn.ConvTranspose2d(width // 2, width // 4, 2, stride=2),
            channels=width // 4,
        )
        self.simfp_3 = _pyramid_level(
            width,
            nn.ConvTranspose2d(width, width // 2, 2, stride=2),
            channels=width // 2,
        )
        self.simfp_4 = _pyramid_level(width, channels=width)
        self.vit_module = VisionTransformer(config.vit)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the features of a normalised image at strides 16, 8 and 4."""
        size = (image.shape[-2] // PATCH, image.shape[-1] // PATCH)
        # The pyramid was trained without the class token.
        tokens = self.vit_module.embed(image)[:, 1:]
        for block in self.vit_module.blocks:
            if self.checkpointing and self.training and torch.is_grad_enabled():
                tokens = checkpoint(block, tokens, use_reentrant=False)
            else:
                tokens = block(tokens)
        maps = as_maps(tokens, size)
        return self.simfp_4(maps), self.simfp_3(maps), self.simfp_2(maps)


class _DeepSensoryUpdate(nn.Module):
    """Holds the gate convolution of the update on memory frames."""

    def __init__(self, value_dim: int, sensory_dim: int) -> None:
        super().__init__()
        self.transform = nn.Conv2d(
            value_dim + sensory_dim, 3 * sensory_dim, 3, padding=1
        )

    def forward(self, value: Tensor, sensory: Tensor) -> Tensor:
        return gated_update(self.transform, value, sensory)


class MaskEncoder(nn.Module):
    """Image and masks to memory values (a ResNet-18 trunk per object).

    Batch statistics are always frozen; the weights train.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.single_object = config.single_object
        width = config.mask_encoder_width
        channels = 4 if config.single_object else 5
        self.conv1 = nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = _stage(BasicBlock, width, width, 2)
        self.layer2 = _stage(BasicBlock, width, 2 * width, 2, 2)
        self.layer3 = _stage(BasicBlock, 2 * width, 4 * width, 2, 2)
        _initialise_convolutions(self)
        self.fuser = ObjectFusion(config.pixel_dim, 4 * width, config.value_dim)
        self.sensory_update = _DeepSensoryUpdate(config.value_dim, config.sensory_dim)

    def forward(
        self,
        image: Tensor,
        pix_feat: Tensor,
        sensory: Tensor,
        masks: Tensor,
        others: Tensor,
        *,
        deep_update: bool = True,
    ) -> tuple[Tensor, Tensor]:
        """Encode the masks of objects.

        Args:
            image: normalised image, [B, 3, H, W].
            pix_feat: [B, Cp, h, w].
            sensory: [B, K, Cs, h, w].
            masks: [B, K, H, W] in 0..1.
            others: [B, K, H, W], for each object the mask of all others.
            deep_update: also update the sensory memory.

        Returns:
            value [B, K, Cv, h, w] and sensory [B, K, Cs, h, w].
        """
        trunk = per_object(self._trunk, self._inputs(image, masks, others))
        value = self.fuser(pix_feat, trunk)
        if deep_update:
            sensory = self.sensory_update(value, sensory)
        return value, sensory

    def train(self, mode: bool = True) -> MaskEncoder:
        """Stay in evaluation mode: weights train, batch statistics do not."""
        return super().train(False)

    def _inputs(self, image: Tensor, masks: Tensor, others: Tensor) -> Tensor:
        """Stack image, own mask and the mask of all others, [B, K, 4 or 5, H, W]."""
        planes = [masks] if self.single_object else [masks, others]
        images = image[:, None].expand(-1, masks.shape[1], -1, -1, -1)
        return torch.cat([images, torch.stack(planes, dim=2)], dim=2)

    def _trunk(self, maps: Tensor) -> Tensor:
        maps = self.bn1(self.conv1(maps))
        maps = F.relu(F.max_pool2d(maps, 3, stride=2, padding=1))
        return self.layer3(self.layer2(self.layer1(maps)))

"""Every configuration of the network, as typed and frozen data.

`PRESETS` names them. The published ones keep the sizes of the official program; the
`tiny*` ones take the same code paths at test size; `s3-small` is the model this project
trains itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

Range: TypeAlias = tuple[int, int]


@dataclass(frozen=True)
class ViTConfig:
    """A plain vision transformer with 16 x 16 patches and one class token.

    Attributes:
        width: channels C of a token.
        depth: number of blocks in the state dict (not all need to be run).
        heads: attention heads.
        grid: side of the square grid that `pos_embed` was made for, in patches.
        mlp_ratio: hidden width of the block's MLP over `width`.
    """

    width: int
    depth: int
    heads: int
    grid: int = 37
    mlp_ratio: int = 4


@dataclass(frozen=True)
class SpatialSemanticConfig:
    """The S3 pixel encoder: a ViT beside a convolutional detail branch.

    Attributes:
        vit: the (pre-trained) vision transformer.
        deformable_heads: heads of the deformable and of the semantic cross-attention.
        inplanes: channels of the detail branch at stride 4.
        ranges: first and last ViT block (both included) of each spatial-semantic
            block (four in the published models, at least three), in order and without
            gaps; ViT blocks behind the last range are never run.
        points: sampling points per query and head.
        ffn_ratio: hidden width of the convolutional feed-forward over the ViT width.
        extra_extractors: further spatial-dependency steps after the last range.
        detail_width: channels of the detail branch and of all features; None is the
            ViT's own width. If narrower, ViT tokens are projected to it.
        freeze_vit: train without touching the ViT.
        finetune: indices of `ranges` whose ViT blocks train all the same.
        gradients_through_frozen: let gradients pass the frozen ViT blocks on their way
            to fine-tuned ones before them. The published training runs frozen ranges
            without gradient, so that a fine-tuned block learns only through the
            spatial-semantic blocks up to the next frozen range: that is the default.
        checkpointing: recompute the extractors in the backward pass to save memory.
    """

    vit: ViTConfig
    deformable_heads: int
    ranges: tuple[Range, ...]
    inplanes: int = 64
    points: int = 4
    ffn_ratio: float = 0.25
    extra_extractors: int = 2
    detail_width: int | None = None
    freeze_vit: bool = True
    finetune: tuple[int, ...] = ()
    gradients_through_frozen: bool = False
    checkpointing: bool = False

    def __post_init__(self) -> None:
        if len(self.ranges) < 3:
            raise ValueError(f"`ranges` must be three or more: {self.ranges}")
        follow = [0, *(last + 1 for _, last in self.ranges[:-1])]
        starts = [first for first, _ in self.ranges]
        if starts != follow or any(first > last for first, last in self.ranges):
            raise ValueError(f"`ranges` must follow one another from 0: {self.ranges}")
        if self.ranges[-1][1] >= self.vit.depth:
            raise ValueError(f"`ranges` {self.ranges} exceed depth {self.vit.depth}")

    @property
    def width(self) -> int:
        """Channels of the detail tokens."""
        return self.detail_width or self.vit.width

    @property
    def feature_dims(self) -> tuple[int, int, int]:
        """Channels of the features at strides 16, 8 and 4."""
        return (self.width,) * 3


@dataclass(frozen=True)
class FeaturePyramidConfig:
    """A simple feature pyramid on a ViT that trains as a whole.

    Attributes:
        vit: the vision transformer.
        checkpointing: recompute the ViT blocks in the backward pass to save memory.
    """

    vit: ViTConfig
    checkpointing: bool = False

    @property
    def feature_dims(self) -> tuple[int, int, int]:
        """Channels of the features at strides 16, 8 and 4."""
        return (self.vit.width,) * 3


@dataclass(frozen=True)
class ResNetConfig:
    """An ImageNet ResNet up to stride 16 with frozen batch statistics (Cutie's)."""

    depth: Literal[18, 50]

    @property
    def feature_dims(self) -> tuple[int, int, int]:
        """Channels of the features at strides 16, 8 and 4."""
        return (256, 128, 64) if self.depth == 18 else (1024, 512, 256)


PixelEncoderConfig: TypeAlias = (
    SpatialSemanticConfig | FeaturePyramidConfig | ResNetConfig
)


@dataclass(frozen=True)
class ModelConfig:
    """Everything that fixes the shapes of an S3 network.

    Attributes:
        name: name of the preset, for messages and checkpoints.
        encoder: the pixel encoder.
        pixel_dim: channels Cp of the projected image feature; equal to `embed_dim`.
        key_dim: channels Ck of the memory keys.
        value_dim: channels Cv of the memory values.
        sensory_dim: channels Cs of the sensory memory.
        embed_dim: channels E of object queries and object pixels.
        transformer_ff_dim: hidden channels of the query feed-forward.
        transformer_heads: heads of the object transformer.
        query_attention: how object queries read pixels: ``"discriminative"`` (S3) takes
            the most similar one, ``"masked"`` (Cutie) all of them, weighted.
        transformer_blocks: blocks of the object transformer.
        num_queries: object queries Q per object (and summaries); even.
        up_dims: decoder channels at strides 16, 8 and 4; the first is `embed_dim`.
        mask_encoder_width: channels of the mask encoder at stride 4 (64: ResNet-18).
        pe_scale: scale of the sinusoid positional encoding.
        pe_temperature: temperature of the sinusoid positional encoding.
        stride: heights and widths of images are padded to multiples of this.
        single_object: the one-object form of training stage 1, without the mask of
            all other objects.
    """

    name: str
    encoder: PixelEncoderConfig
    pixel_dim: int = 256
    key_dim: int = 64
    value_dim: int = 256
    sensory_dim: int = 256
    embed_dim: int = 256
    transformer_ff_dim: int = 2048
    transformer_heads: int = 8
    query_attention: Literal["discriminative", "masked"] = "discriminative"
    transformer_blocks: int = 3
    num_queries: int = 16
    up_dims: tuple[int, int, int] = (256, 128, 128)
    mask_encoder_width: int = 64
    pe_scale: float = 32
    pe_temperature: float = 128
    stride: int = 32
    single_object: bool = False

    def __post_init__(self) -> None:
        if not self.pixel_dim == self.embed_dim == self.up_dims[0]:
            raise ValueError(
                "`pixel_dim`, `embed_dim` and `up_dims[0]` must be equal, found "
                f"{self.pixel_dim}, {self.embed_dim} and {self.up_dims[0]}"
            )
        if self.num_queries % 2:
            raise ValueError(f"`num_queries` must be even, found {self.num_queries}")
        if self.embed_dim % self.transformer_heads:
            raise ValueError(
                f"`embed_dim` {self.embed_dim} must be a multiple of "
                f"`transformer_heads` {self.transformer_heads}"
            )


# A ViT-S has twelve blocks; those that are not run are left out.
_VIT_S = ViTConfig(width=384, depth=8, heads=6)
_VIT_B = ViTConfig(width=768, depth=12, heads=12)
_VIT_L = ViTConfig(width=1024, depth=24, heads=16)
_VIT_TINY = ViTConfig(width=48, depth=4, heads=3, grid=7)
_VIT_TINY8 = ViTConfig(width=64, depth=8, heads=4, grid=10)

_ADAPTER_B = SpatialSemanticConfig(
    _VIT_B, deformable_heads=12, ranges=((0, 2), (3, 5), (6, 8), (9, 11))
)
_TINY = ModelConfig(
    name="tiny",
    encoder=SpatialSemanticConfig(
        _VIT_TINY,
        deformable_heads=3,
        ranges=((0, 0), (1, 1), (2, 2), (3, 3)),
        inplanes=16,
    ),
    pixel_dim=64,
    key_dim=16,
    value_dim=40,
    sensory_dim=32,
    embed_dim=64,
    transformer_ff_dim=128,
    transformer_heads=4,
    transformer_blocks=2,
    num_queries=8,
    up_dims=(64, 32, 24),
)

PRESETS: dict[str, ModelConfig] = {
    config.name: config
    for config in (
        # The released evaluation and training target: Depth-Anything ViT-B.
        ModelConfig("vitb", _ADAPTER_B, transformer_blocks=5, num_queries=8),
        ModelConfig("vitb_vit", _ADAPTER_B),
        ModelConfig(
            "vitl",
            SpatialSemanticConfig(
                _VIT_L,
                deformable_heads=16,
                ranges=((0, 5), (6, 11), (12, 17), (18, 23)),
                checkpointing=True,
            ),
        ),
        ModelConfig("fpn", FeaturePyramidConfig(_VIT_B, checkpointing=True)),
        # S3's queries on Cutie's encoders, as the official S3 program has them.
        ModelConfig("cutie_base", ResNetConfig(50)),
        ModelConfig("cutie_small", ResNetConfig(18)),
        # Cutie itself (Cheng et al., CVPR 2024).
        ModelConfig(
            "cutie-base", ResNetConfig(50), query_attention="masked", stride=16
        ),
        ModelConfig(
            "cutie-small", ResNetConfig(18), query_attention="masked", stride=16
        ),
        _TINY,
        replace(
            _TINY,
            name="tiny8",
            encoder=SpatialSemanticConfig(
                _VIT_TINY8,
                deformable_heads=8,
                ranges=((0, 1), (2, 3), (4, 5), (6, 7)),
                inplanes=8,
            ),
        ),
        replace(_TINY, name="tiny_fpn", encoder=FeaturePyramidConfig(_VIT_TINY)),
        replace(_TINY, name="tiny_r18", encoder=ResNetConfig(18)),
        ModelConfig(
            "s3-small",
            # The middle blocks of a small ViT match parts of objects best, and a frame
            # must stay cheap: the last four blocks are not run.
            SpatialSemanticConfig(
                _VIT_S,
                deformable_heads=4,
                ranges=((0, 2), (3, 4), (5, 7)),
                inplanes=16,
                extra_extractors=1,
                detail_width=128,
            ),
            pixel_dim=128,
            key_dim=64,
            value_dim=128,
            sensory_dim=128,
            embed_dim=128,
            transformer_ff_dim=512,
            transformer_blocks=3,
            num_queries=8,
            up_dims=(128, 64, 48),
            mask_encoder_width=32,
        ),
    )
}


def get_config(
    preset: str | ModelConfig, *, single_object: bool = False
) -> ModelConfig:
    """Return the configuration of a preset.

    Args:
        preset: a name of `PRESETS`, or a configuration, which is passed through.
        single_object: ask for the one-object form of training stage 1.

    Raises:
        ValueError: if there is no preset of this name.
    """
    if isinstance(preset, str):
        if preset not in PRESETS:
            raise ValueError(
                f"there is no model preset {preset!r}; use one of {sorted(PRESETS)}"
            )
        preset = PRESETS[preset]
    return replace(preset, single_object=True) if single_object else preset

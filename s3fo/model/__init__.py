"""The S3 network."""

# ruff: noqa: E402
from s3fo._extras import require

require("model")  # before torch is imported

from s3fo.model.checkpoint import (
    CheckpointError,
    load_vit,
    load_weights,
    save_weights,
)
from s3fo.model.config import PRESETS, ModelConfig, get_config
from s3fo.model.network import ImageFeatures, S3Network, build_network
from s3fo.model.optimised.network import optimise_for_inference

__all__ = [
    "PRESETS",
    "CheckpointError",
    "ImageFeatures",
    "ModelConfig",
    "S3Network",
    "build_network",
    "get_config",
    "load_vit",
    "load_weights",
    "optimise_for_inference",
    "save_weights",
]

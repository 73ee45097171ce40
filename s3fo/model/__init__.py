"""The S3 network."""

from s3fo.model.config import PRESETS, ModelConfig, get_config
from s3fo.model.network import ImageFeatures, S3Network, build_network

__all__ = [
    "PRESETS",
    "ImageFeatures",
    "ModelConfig",
    "S3Network",
    "build_network",
    "get_config",
]

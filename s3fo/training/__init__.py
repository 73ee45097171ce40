"""Clips, losses and the training loop of S3."""

from s3fo._extras import require

require("train")  # before torch is imported

# ruff: noqa: E402
from s3fo.training.api import hold_out, train
from s3fo.training.data.sources import still_images, training_videos
from s3fo.training.recipes import RECIPES, Recipe, get_recipe
from s3fo.training.validation import PropagationScore

__all__ = [
    "RECIPES",
    "PropagationScore",
    "Recipe",
    "get_recipe",
    "hold_out",
    "still_images",
    "train",
    "training_videos",
]

"""Clips, losses and the training loop of S3."""

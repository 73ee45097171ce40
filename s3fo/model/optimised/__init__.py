"""Inference-only formulations of heavy stages."""

"""Segmentation methods that the predict loop can run."""

"""Errors of the ground truth on a dataset: events to review, and what they change."""

"""Pixel counts in, scores of one video and their means out."""

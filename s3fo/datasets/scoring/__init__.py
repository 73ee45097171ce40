"""Scores, attributes and failures written onto datasets."""

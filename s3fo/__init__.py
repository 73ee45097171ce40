"""Benchmark and evaluate video object segmentation in FiftyOne."""

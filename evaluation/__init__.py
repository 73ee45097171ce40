"""Exact video object segmentation scores: masks on disk in, tables out."""

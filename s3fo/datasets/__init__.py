"""Benchmarks, masks and scores as FiftyOne datasets."""

from s3fo.datasets.database import configure

# Before any module of this package imports FiftyOne.
configure()

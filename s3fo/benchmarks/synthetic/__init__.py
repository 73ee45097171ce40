"""A procedural benchmark: videos made on the spot, with exact masks."""

from s3fo.benchmarks.synthetic.factors import PRESETS, Factors, Preset
from s3fo.benchmarks.synthetic.writer import (
    open_synthetic,
    read_record,
    write_synthetic,
)

__all__ = [
    "PRESETS",
    "Factors",
    "Preset",
    "open_synthetic",
    "read_record",
    "write_synthetic",
]

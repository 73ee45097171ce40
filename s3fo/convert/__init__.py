"""Masks from one format into another: `convert`."""

from s3fo.convert.formats import FORMATS, Format
from s3fo.convert.run import Conversion, convert

__all__ = ["FORMATS", "Conversion", "Format", "convert"]

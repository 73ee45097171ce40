"""Pictures of scores and failures: error maps, strips, timelines, charts."""

from evaluation.pictures.attribute_chart import attribute_chart
from evaluation.pictures.errors import (
    PIXEL_COLOURS,
    PIXEL_NAMES,
    Pixel,
    error_map,
    lay_over,
)
from evaluation.pictures.failure_strip import error_map_figure, failure_strip
from evaluation.pictures.style import KIND_COLOURS, save_figure
from evaluation.pictures.timeline import timeline

__all__ = [
    "KIND_COLOURS",
    "PIXEL_COLOURS",
    "PIXEL_NAMES",
    "Pixel",
    "attribute_chart",
    "error_map",
    "error_map_figure",
    "failure_strip",
    "lay_over",
    "save_figure",
    "timeline",
]

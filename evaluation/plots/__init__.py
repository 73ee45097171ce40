"""Plots of scores and failures: error maps, strips, timelines, charts.

Names are loaded when they are first used: error maps need no matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evaluation.plots.chart import attribute_chart
    from evaluation.plots.corrections_curve import corrections_chart
    from evaluation.plots.errors import (
        PIXEL_COLOURS,
        PIXEL_NAMES,
        Pixel,
        error_map,
        lay_over,
    )
    from evaluation.plots.examples import attribute_examples, attribute_spread
    from evaluation.plots.strip import error_map_figure, failure_strip
    from evaluation.plots.style import KIND_COLOURS, save_figure
    from evaluation.plots.through_time import timeline

__all__ = [
    "KIND_COLOURS",
    "PIXEL_COLOURS",
    "PIXEL_NAMES",
    "Pixel",
    "attribute_chart",
    "attribute_examples",
    "attribute_spread",
    "corrections_chart",
    "error_map",
    "error_map_figure",
    "failure_strip",
    "lay_over",
    "save_figure",
    "timeline",
]

_HOMES = {
    "KIND_COLOURS": "style",
    "PIXEL_COLOURS": "errors",
    "PIXEL_NAMES": "errors",
    "Pixel": "errors",
    "attribute_chart": "chart",
    "attribute_examples": "examples",
    "attribute_spread": "examples",
    "corrections_chart": "corrections_curve",
    "error_map": "errors",
    "error_map_figure": "strip",
    "failure_strip": "strip",
    "lay_over": "errors",
    "save_figure": "style",
    "timeline": "through_time",
}


def __getattr__(name: str) -> object:
    """Import a public name from its module on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"evaluation.plots.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

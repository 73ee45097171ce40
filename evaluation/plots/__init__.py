"""Pictures of scores and failures: error maps, strips, timelines, charts.

Names are loaded when they are first used: error maps need no matplotlib.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "KIND_COLOURS": "style",
    "PIXEL_COLOURS": "errors",
    "PIXEL_NAMES": "errors",
    "Pixel": "errors",
    "attribute_chart": "chart",
    "attribute_examples": "examples",
    "attribute_spread": "examples",
    "error_map": "errors",
    "error_map_figure": "strip",
    "failure_strip": "strip",
    "lay_over": "errors",
    "save_figure": "style",
    "timeline": "through_time",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"evaluation.plots.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(_HOMES)

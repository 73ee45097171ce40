"""Corrections: which frame to correct, how, and what it regains.

Names are loaded when they are first used: clicks need no pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evaluation.corrections.clicks import (
        Box,
        Click,
        bounding_box,
        next_click,
    )
    from evaluation.corrections.curve import (
        area_under,
        pass_tables,
        regained,
        with_regain,
    )
    from evaluation.corrections.policies import (
        IOU_THRESHOLD,
        N_CLICKS,
        POLICIES,
        PROMPTS,
        check_choices,
        is_low,
        object_iou,
        worst_frame,
    )
    from evaluation.corrections.tables import (
        Corrections,
    )

__all__ = [
    "IOU_THRESHOLD",
    "N_CLICKS",
    "POLICIES",
    "PROMPTS",
    "Box",
    "Click",
    "Corrections",
    "area_under",
    "bounding_box",
    "check_choices",
    "is_low",
    "next_click",
    "object_iou",
    "pass_tables",
    "regained",
    "with_regain",
    "worst_frame",
]

_HOMES = {
    "IOU_THRESHOLD": "policies",
    "N_CLICKS": "policies",
    "POLICIES": "policies",
    "PROMPTS": "policies",
    "Box": "clicks",
    "Click": "clicks",
    "Corrections": "tables",
    "area_under": "curve",
    "bounding_box": "clicks",
    "check_choices": "policies",
    "is_low": "policies",
    "next_click": "clicks",
    "object_iou": "policies",
    "pass_tables": "curve",
    "regained": "curve",
    "with_regain": "curve",
    "worst_frame": "policies",
}


def __getattr__(name: str) -> object:
    """Import a public name from its module on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"evaluation.corrections.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

"""Scores by attribute, with honest intervals."""

from evaluation.breakdown.bootstrap import Bootstrap
from evaluation.breakdown.groups import attribute_groups, group_order
from evaluation.breakdown.tables import FEW, Breakdown, breakdown, two_way

__all__ = [
    "FEW",
    "Bootstrap",
    "Breakdown",
    "attribute_groups",
    "breakdown",
    "group_order",
    "two_way",
]

"""Scores by attribute, with honest intervals."""

from evaluation.by_attribute.bootstrap import Bootstrap
from evaluation.by_attribute.groups import attribute_groups, conditions, group_order
from evaluation.by_attribute.rows import FEW
from evaluation.by_attribute.tables import Breakdown, breakdown, two_way

__all__ = [
    "FEW",
    "Bootstrap",
    "Breakdown",
    "attribute_groups",
    "breakdown",
    "conditions",
    "group_order",
    "two_way",
]

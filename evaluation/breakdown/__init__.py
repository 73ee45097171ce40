"""Scores by attribute, with bootstrap confidence intervals."""

from evaluation.breakdown.groups import (
    attribute_groups,
    conditions,
    drop_repeated_groups,
    drop_repeated_splits,
    group_order,
    worse_groups,
)
from evaluation.breakdown.rows import FEW
from evaluation.breakdown.strongest import Strongest, strongest
from evaluation.breakdown.tables import Breakdown, breakdown, differences, two_way
from evaluation.results.bootstrap import Bootstrap

__all__ = [
    "FEW",
    "Bootstrap",
    "Breakdown",
    "Strongest",
    "attribute_groups",
    "breakdown",
    "conditions",
    "differences",
    "drop_repeated_groups",
    "drop_repeated_splits",
    "group_order",
    "strongest",
    "two_way",
    "worse_groups",
]

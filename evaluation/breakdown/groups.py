"""Which group an object falls into under an attribute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.attributes import ATTRIBUTES, OFFICIAL
from evaluation.metrics.aggregate import LOWER_IS_BETTER

Group = tuple[str, str, NDArray[np.bool_], NDArray[np.bool_]]
"""Attribute, group, [n] whether an object is in it, [n] whether that is known."""


def groups_of(table: pd.DataFrame, name: str) -> Iterator[Group]:
    """Attribute, group, members [n] and objects of known value [n] of each group."""
    groups = attribute_groups(table[name])
    known = groups.notna().to_numpy()
    number, names = pd.factorize(groups)
    for group in group_order(name, groups):
        yield name, group, number == names.get_loc(group), known


def attribute_groups(values: pd.Series) -> pd.Series:
    """Name of each object's group under one attribute; None where it is unknown.

    Tags give "yes" and "no", buckets their names, counts 0, 1, 2 and "3 or more".
    Continuous values are cut at their terciles; where over a third of the objects
    share the smallest value (no occlusion, say) up to a thousandth of the values'
    range, into those and the rest.

    Args:
        values: a column of an attributes' objects table, named as there.
    """
    name = str(values.name)
    groups = np.full(len(values), None, dtype=object)
    known = values.notna().to_numpy()
    if name.startswith(OFFICIAL) or ATTRIBUTES[name].kind == "tag":
        groups[known] = np.where(values[known].astype(bool), "yes", "no")
    elif ATTRIBUTES[name].kind == "bucket":
        groups[known] = values[known].astype(str).to_numpy()
    elif ATTRIBUTES[name].kind == "count":
        counts = values[known].astype(int)
        groups[known] = counts.astype(str).where(counts < 3, "3 or more").to_numpy()
    elif known.any():
        groups[known] = _terciles(values[known].astype(float))
    return pd.Series(groups, values.index, dtype=object)


def conditions(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of groups *with* what their attribute is about.

    Objects without it (no, 0, least) are what a group is compared with, and nothing
    that one could name as what makes a video hard.

    Args:
        table: rows of a breakdown, with a column ``group``.
    """
    without = table["group"].isin(["no", "0"])
    return table[~(without | table["group"].str.startswith("least "))]


def worse_groups(groups: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The groups that are worse than their others, the worst first, few objects last.

    Of what counts errors, such as the decay, those with more of it.

    Args:
        groups: a breakdown's rows of groups of one method.
        metric: that was broken down.
    """
    sign = -1 if metric in LOWER_IS_BETTER else 1
    change = sign * groups["delta"]
    order = groups.assign(_change=change)[change < 0]
    worse = conditions(order).sort_values(["few", "_change"])
    return worse.drop(columns="_change")


def drop_repeated_groups(rows: pd.DataFrame, objects: pd.DataFrame) -> pd.DataFrame:
    """The rows of groups, without those of the same objects as an earlier one.

    Args:
        rows: with columns ``attribute`` and ``group``.
        objects: an attributes' objects table.
    """
    members = [
        (attribute_groups(objects[name]) == group).to_numpy().tobytes()
        for name, group in zip(rows["attribute"], rows["group"], strict=True)
    ]
    return rows[~pd.Series(members, index=rows.index, dtype=object).duplicated()]


def drop_repeated_splits(names: Iterable[str], groups: pd.DataFrame) -> list[str]:
    """The attributes, without those that split the objects as an earlier one does.

    Args:
        names: attributes.
        groups: a breakdown's rows of groups of one method. Those of the same objects
            have the same numbers.
    """
    numbers = groups[["n_objects", "n_videos", "mean"]].apply(tuple, axis="columns")
    splits = numbers.groupby(groups["attribute"]).agg(frozenset)
    kept: dict[object, str] = {}
    for name in names:
        kept.setdefault(splits[name], name)
    return list(kept.values())


def group_order(name: str, groups: pd.Series) -> list[str]:
    """The groups of one attribute in the order people read them."""
    found = set(groups.dropna())
    if name in ATTRIBUTES and ATTRIBUTES[name].buckets:
        return [bucket for bucket in ATTRIBUTES[name].buckets if bucket in found]
    ranks = {"yes": 0, "no": 1, "least": 0, "low": 0, "middle": 1, "more": 2, "high": 2}
    return sorted(found, key=lambda group: (ranks.get(group.split(" ")[0], 0), group))


def _terciles(values: pd.Series) -> NDArray[np.object_]:
    # Differences below a thousandth of the range are noise of the masks.
    step = float(np.ptp(values)) / 1000
    least = values <= values.min() + step
    if least.mean() > 1 / 3:
        lowest = _format_rounded(float(values.min()), step)
        return np.where(least, f"least (= {lowest})", f"more (> {lowest})")
    low, high = np.percentile(values, [100 / 3, 200 / 3])
    names = [f"low (< {low:.3g})", "middle", f"high (>= {high:.3g})"]
    thirds = (values >= low).to_numpy(int) + (values >= high).to_numpy(int)
    return np.asarray(np.array(names, dtype=object)[thirds])


def _format_rounded(value: float, step: float) -> str:
    """A value in as many decimals as a step asks for, without needless zeros."""
    decimals = max(0, -int(np.floor(np.log10(step)))) if step else 3
    return f"{round(value, decimals) + 0.0:g}"

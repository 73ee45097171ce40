"""Scores by attribute as dots with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from evaluation._utils.names import storable
from evaluation.attributes import attribute_title
from evaluation.breakdown import Breakdown
from evaluation.breakdown.tables import EVERYTHING
from evaluation.plots.style import WIDTH, MethodStyle, method_styles, style

_LINE = 0.19
"""Inches per group."""


def attribute_chart(
    table: Breakdown,
    names: Sequence[str] | None = None,
    known: Iterable[str] = (),
) -> Figure:
    """Draw group means with 95 % intervals, one block of rows per attribute.

    The line through each method's colour is its mean over all objects. Groups of
    fewer than five objects are drawn hollow. Numbers of objects and videos stand at
    the right.

    Args:
        table: from `breakdown`.
        names: attributes to draw, in this order; None draws all in the table.
        known: all methods that are known, for their colours: see `method_styles`.
    """
    groups = table.groups
    methods = list(dict.fromkeys(groups["method"]))
    found = [name for name in dict.fromkeys(groups["attribute"]) if name != EVERYTHING]
    chosen = found if names is None else [name for name in names if name in found]
    rows = _rows(groups, chosen)
    with style():
        figure = Figure(
            figsize=(WIDTH, 0.75 + _LINE * (len(rows) + 0.5 * len(chosen))),
            layout="constrained",
        )
        axes = figure.add_subplot()
        looks = method_styles([*known, *methods])
        for number, method in enumerate(methods):
            shift = 0.5 * ((number + 0.5) / len(methods) - 0.5)
            _draw_method(axes, groups, rows, method, looks[method], shift)
        _label(axes, groups, rows)
        axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=None))
        axes.set_xlabel(
            f"{table.metric}, % (mean over objects, 95 % interval over videos)"
        )
        if len(methods) > 1:
            figure.legend(loc="outside upper center", ncols=len(methods), frameon=False)
    return figure


def _rows(groups: pd.DataFrame, names: Sequence[str]) -> dict[tuple[str, str], float]:
    """Height of each group's row, attributes apart by half a row, downwards."""
    rows: dict[tuple[str, str], float] = {}
    y = 0.0
    for name in names:
        for group in dict.fromkeys(groups.loc[groups["attribute"] == name, "group"]):
            rows[name, str(group)] = y
            y += 1
        y += 0.5
    return rows


def _draw_method(
    axes: Axes,
    groups: pd.DataFrame,
    rows: dict[tuple[str, str], float],
    method: str,
    look: MethodStyle,
    shift: float,
) -> None:
    colour, marker = look
    label: str | None = method or None
    for cell in groups[groups["method"] == method].to_dict("records"):
        key = cell["attribute"], cell["group"]
        if key == (EVERYTHING, EVERYTHING):
            axes.axvline(cell["mean"], color=colour, linewidth=0.7)
        if key not in rows:
            continue
        y = rows[key] + shift
        if np.isfinite(cell["low"]):
            axes.plot([cell["low"], cell["high"]], [y, y], color=colour, linewidth=1)
        axes.plot(
            cell["mean"],
            y,
            marker,
            color=colour,
            markerfacecolor="white" if cell["few"] else colour,
            markersize=4,
            label=label,
        )
        label = None


def _label(
    axes: Axes, groups: pd.DataFrame, rows: dict[tuple[str, str], float]
) -> None:
    """Names at the left, numbers of objects and videos at the right."""
    axes.set_yticks(list(rows.values()), [_name(*key) for key in rows])
    axes.set_ylim(max(rows.values(), default=0) + 0.7, -0.7)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", linewidth=0.3, color="#CCCCCC")
    axes.set_axisbelow(True)
    right = axes.get_yaxis_transform()
    for cell in groups.drop_duplicates(["attribute", "group"]).to_dict("records"):
        key = cell["attribute"], cell["group"]
        if key in rows:
            text = f"{cell['n_objects']} in {cell['n_videos']}"
            axes.text(1.01, rows[key], text, transform=right, va="center", fontsize=6.5)
    axes.text(1.01, -0.8, "objects in videos", transform=right, va="bottom", fontsize=6)


def _name(attribute: str, group: str) -> str:
    return storable(f"{attribute_title(attribute)}: {group}")

"""The curve of J&F over corrections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from evaluation.plots.style import WIDTH, method_styles, style

if TYPE_CHECKING:
    from evaluation.corrections import Corrections

_MOST_OBJECTS = 60


def corrections_chart(
    curves: Mapping[str, Corrections], methods: Iterable[str] = ()
) -> Figure:
    """Draw J&F after 0, 1, ... corrections of each object.

    Args:
        curves: by what to call them. Of one alone, every object is drawn, too (thin;
            of more than sixty, those that gain most and least).
        methods: all that are known, for their colours.
    """
    with style():
        figure = Figure(figsize=(WIDTH, 2.8), layout="constrained")
        axes = figure.add_subplot()
        if len(curves) == 1:
            _draw_objects(axes, next(iter(curves.values())))
        looks = method_styles([*methods, *curves])
        for name, one in curves.items():
            axes.plot(
                one.curve["budget"],
                100 * one.curve["J&F"],
                marker=looks[name].marker,
                color=looks[name].colour,
                markersize=4,
                label=f"{name} (area {100 * one.area:.1f})",
                zorder=3,
            )
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(linewidth=0.3, color="#CCCCCC")
        axes.set_axisbelow(True)
        axes.set_xlabel("corrections per object at most")
        axes.set_ylabel("J&F, %")
        figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure


def _draw_objects(axes: Axes, one: Corrections) -> None:
    """A thin line for each object."""
    areas = one.object_areas().sort_values("gain", kind="stable", ignore_index=True)
    if len(areas) > _MOST_OBJECTS:
        half = _MOST_OBJECTS // 2
        areas = areas.iloc[[*range(half), *range(len(areas) - half, len(areas))]]
    shown = set(zip(areas["sequence"], areas["object"], strict=True))
    for key, rows in one.objects.groupby(["sequence", "object"], sort=False):
        if key in shown:
            axes.plot(rows["budget"], 100 * rows["J&F"], color="#BBBBBB", linewidth=0.6)

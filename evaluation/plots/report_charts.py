"""The charts of a report: what costs most, which videos, how fast for how good."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from evaluation._utils.names import storable
from evaluation.failures import FailureKind
from evaluation.plots.style import (
    FIRST,
    KIND_COLOURS,
    SECOND,
    THIRD,
    WIDTH,
    method_styles,
    style,
)

_MOST_SEQUENCES = 40
_IN_NO_EVENT = "in no event"
_ROOM = 0.05
"""Share of the whole loss that a bar needs to carry its number."""


def losses_chart(kinds: pd.DataFrame) -> Figure:
    """Points of J&F that each method loses, stacked by kind of failure.

    Args:
        kinds: rows `method`, `kind`, `cost` (fraction of J&F); the kind
            ``"in no event"`` is drawn last.
    """
    methods = list(dict.fromkeys(kinds["method"]))
    longest = kinds.groupby("method")["cost"].sum().max()
    with style():
        height = 0.95 + 0.36 * len(methods)
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        axes = figure.add_subplot()
        for y, method in enumerate(methods):
            own = kinds[kinds["method"] == method].set_index("kind")["cost"]
            _stack(axes, y, own, longest)
        axes.set_yticks(range(len(methods)), [storable(m) for m in methods])
        axes.set_ylim(len(methods) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("points of J&F lost")
        handles, labels = axes.get_legend_handles_labels()
        unique = dict(zip(labels, handles, strict=True))
        figure.legend(
            unique.values(),
            unique.keys(),
            loc="outside upper center",
            ncols=5,
            frameon=False,
            handlelength=1.2,
        )
    return figure


def _stack(axes: Axes, y: int, costs: pd.Series, longest: float) -> None:
    left = 0.0
    for kind in (*FailureKind, _IN_NO_EVENT):
        name = kind.value if isinstance(kind, FailureKind) else kind
        cost = 100 * float(costs.get(name, 0.0))
        if not cost:
            continue
        known = isinstance(kind, FailureKind)
        colour = KIND_COLOURS[kind] if isinstance(kind, FailureKind) else "white"
        axes.barh(
            y,
            cost,
            0.6,
            left=left,
            color=colour,
            edgecolor="black",
            linewidth=0.4,
            hatch=None if known else "////",
            label=name,
        )
        if cost > 100 * _ROOM * longest:
            dark = known and colour in ("#7B2CBF", "#0072B2", "#D55E00")
            axes.text(
                left + cost / 2,
                y,
                f"{cost:.1f}",
                ha="center",
                va="center",
                fontsize=7,
                color="white" if dark else "black",
                bbox=None if known else {"facecolor": "white", "lw": 0, "pad": 1},
            )
        left += cost


def sequences_chart(
    table: pd.DataFrame, methods: Mapping[str, str], known: Iterable[str] = ()
) -> Figure:
    """J&F of every method in every sequence, worst of the first method on top.

    Args:
        table: rows `sequence` and a column of fractions per method, worst first; of
            more than forty the worst are drawn.
        methods: column -> what to call the method.
        known: all methods that are known, for their colours.
    """
    table = table.head(_MOST_SEQUENCES)
    with style():
        size = (WIDTH, 0.8 + 0.16 * len(table))
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        rows = range(len(table))
        if len(methods) > 1:
            scores = table[list(methods)]
            low, high = scores.min(axis=1), scores.max(axis=1)
            axes.hlines(rows, 100 * low, 100 * high, color="#BBBBBB", linewidth=1)
        looks = method_styles([*known, *methods.values()])
        for column, method in methods.items():
            axes.plot(
                100 * table[column],
                rows,
                looks[method].marker,
                color=looks[method].colour,
                markersize=4,
                label=method,
                linestyle="none",
            )
        axes.set_yticks(rows, [storable(name) for name in table["sequence"]])
        axes.set_ylim(len(table) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.grid(linewidth=0.3, color="#CCCCCC")
        axes.set_axisbelow(True)
        axes.set_xlabel("J&F, %")
        if len(methods) > 1:
            figure.legend(loc="outside upper center", ncols=6, frameon=False)
    return figure


def speed_chart(
    speed: pd.DataFrame,
    metric: str,
    projected: pd.DataFrame | None = None,
    methods: Iterable[str] = (),
) -> Figure:
    """J&F over frames per second, one mark per method; the speed is logarithmic.

    Args:
        speed: rows `method`, `fps` and the metric (fraction).
        metric: column of the score.
        projected: the same columns, of other settings of these methods: a dashed line
            with hollow marks per method.
        methods: all that are known, for their colours.
    """
    projected = speed.head(0) if projected is None or projected.empty else projected
    with style():
        figure = Figure(figsize=(WIDTH, 2.6), layout="constrained")
        axes = figure.add_subplot()
        looks = method_styles([*methods, *speed["method"]])
        for row in speed.to_dict("records"):
            colour, marker = looks[row["method"]]
            others = projected[projected["method"] == row["method"]]
            axes.plot(
                others["fps"],
                100 * others[metric],
                marker=marker,
                color=colour,
                markerfacecolor="white",
                linestyle="--",
                linewidth=0.8,
                markersize=4,
            )
            axes.plot(row["fps"], 100 * row[metric], marker, color=colour, markersize=6)
            axes.annotate(
                row["method"],
                (row["fps"], 100 * row[metric]),
                xytext=(6, 3),
                textcoords="offset points",
                fontsize=7.5,
            )
        axes.set_xscale("log")
        reached = pd.concat([speed["fps"], projected["fps"]])
        low, high = reached.min(), reached.max()
        axes.set_xlim(low / 1.6, high * 2.2)
        axes.margins(y=0.25)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("{x:g}" if high < 8 * low else "")
        axes.grid(linewidth=0.3, color="#CCCCCC", which="both")
        axes.set_axisbelow(True)
        axes.set_xlabel("frames per second (faster is further right)")
        axes.set_ylabel("J&F, %")
    return figure


def throughput_chart(measured: pd.DataFrame, methods: Iterable[str] = ()) -> Figure:
    """Frames per second over the number of objects; both axes are logarithmic.

    Args:
        measured: rows `method`, `objects`, `size`, `length`, `fps`; a line per method,
            size and length.
        methods: all that are known, for their colours.
    """
    looks = method_styles([*methods, *measured["method"]])
    with style():
        figure = Figure(figsize=(WIDTH, 2.8), layout="constrained")
        axes = figure.add_subplot()
        for (name, size, length), rows in measured.groupby(
            ["method", "size", "length"], sort=False
        ):
            method = str(name)
            own = rows.sort_values("objects")
            axes.plot(
                own["objects"],
                own["fps"],
                marker=looks[method].marker,
                color=looks[method].colour,
                markersize=4,
                linewidth=1,
                label=f"{method}, {size}, {length} frames",
            )
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        counts = sorted(set(measured["objects"]))
        axes.set_xticks(counts, [str(count) for count in counts])
        axes.yaxis.set_major_formatter("{x:g}")
        axes.grid(linewidth=0.3, color="#CCCCCC", which="both")
        axes.set_axisbelow(True)
        axes.set_xlabel("objects")
        axes.set_ylabel("frames per second")
        figure.legend(loc="outside right upper", frameon=False)
    return figure


_LOOKS = {
    "published": ("o", FIRST, True, "reported by its authors"),
    "second-hand": ("o", FIRST, False, "second-hand or reproduced"),
    "highlight": ("D", SECOND, True, "S3"),
    "superseded": ("D", SECOND, False, "superseded by its authors"),
    "local": ("s", THIRD, True, "local run"),
}
"""Marker, colour, whether it is filled, and what it stands for."""


def rank_chart(ranking: pd.DataFrame, measure: str, heading: str, title: str) -> Figure:
    """A leaderboard as dots, best on top.

    Args:
        ranking: rows `label`, the measure (percent) and `look`: ``published``,
            ``second-hand``, ``superseded``, ``highlight`` or ``local``.
        measure: column to draw.
        heading: its name for people.
        title: above.
    """
    with style():
        size = (WIDTH, 0.9 + 0.155 * len(ranking))
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        for y, row in enumerate(ranking.to_dict("records")):
            marker, colour, filled, _ = _LOOKS[row["look"]]
            face = colour if filled else "white"
            axes.plot(row[measure], y, marker, color=colour, mfc=face, markersize=4.5)
            axes.annotate(
                f"{row[measure]:.1f}",
                (row[measure], y),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                fontsize=6,
            )
        axes.set_yticks(range(len(ranking)), [storable(n) for n in ranking["label"]])
        axes.set_ylim(len(ranking) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0, labelsize=6.5)
        axes.margins(x=0.12)
        axes.grid(linewidth=0.3, color="#CCCCCC")
        axes.set_axisbelow(True)
        axes.set_xlabel(f"{heading}, %")
        axes.set_title(title, loc="left")
        handles = _legend_of_looks(set(ranking["look"]))
        figure.legend(
            handles=handles, loc="outside lower center", ncols=5, frameon=False
        )
    return figure


def _legend_of_looks(shown: set[str]) -> list[Line2D]:
    return [
        Line2D(
            [], [], color=colour, marker=marker, label=name, linestyle="none",
            mfc=colour if filled else "white", markersize=4.5,
        )
        for look, (marker, colour, filled, name) in _LOOKS.items()
        if look in shown
    ]  # fmt: skip

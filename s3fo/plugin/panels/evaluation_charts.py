"""Charts of the panel "VOS evaluation", as Plotly takes them.

Every bar and point carries an id that says what to show when it is clicked.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
import numpy as np
import pandas as pd

from evaluation.attributes import ATTRIBUTES
from evaluation.by_attribute import attribute_groups
from evaluation.pictures.style import METHOD_COLOURS, METHOD_MARKERS
from evaluation.protocols import Protocol
from s3fo.datasets import tables
from s3fo.plugin.panels.base import plain

_HARDEST = 15
"""Groups shown when all attributes are looked at together."""

_BINS = 20
_AGAINST = ("length", "size", "occlusion", "similarity", "speed", "deformation")
_HEADLINE = (
    *("J&F", "J", "F", "J&F_adaptive", "F_adaptive"),
    *("J_seen", "F_seen", "J_unseen", "F_unseen"),
    *("J&F_disappearance", "J&F_reappearance"),
)
_FACTS = ("sequence", "object", "label")
_NEUTRAL = "#8A8F98"

Trace = dict[str, Any]


@dataclass(frozen=True)
class Chart:
    """A chart.

    Attributes:
        traces: Plotly's data.
        layout: Plotly's layout.
        text: what it says, in Markdown.
    """

    traces: list[Trace]
    layout: dict[str, Any]
    text: str


def headline(dataset: fo.Dataset, methods: list[str]) -> pd.DataFrame:
    """Overall scores by method, as the protocols average them, and n_objects.

    Columns: method, those of `_HEADLINE` that any protocol has, n_objects.
    """
    found = []
    for method in methods:
        row = {"method": method, **tables.summary(dataset, method)}
        objects = tables.object_scores(dataset, method).objects
        found.append({**row, "n_objects": len(objects)})
    table = pd.DataFrame(found)
    return table[
        ["method", *(name for name in _HEADLINE if name in table), "n_objects"]
    ]


def headline_columns(table: pd.DataFrame) -> dict[str, str]:
    """Columns of `headline` -> headings."""
    names = {"method": "Evaluation", "n_objects": "Objects"}
    return {name: names.get(name, name.replace("_", " ")) for name in map(str, table)}


def rules(dataset: fo.Dataset, methods: list[str]) -> str:
    """The protocol of the evaluations in words; said if they differ."""
    of = {key: _rules(tables.evaluation_protocol(dataset, key)) for key in methods}
    if len(set(of.values())) == 1:
        return f"*{of[methods[0]]}*"
    lines = [f"- {key}: *{text}*" for key, text in of.items()]
    return "\n".join(["**Different protocols: do not compare.**", "", *lines])


def _rules(protocol: Protocol) -> str:
    return "; ".join(text for text in (protocol.one_line(), protocol.remark) if text)


def title_of(name: str) -> str:
    """What an attribute is called."""
    if name in ATTRIBUTES:
        return ATTRIBUTES[name].title
    return name.replace("official_", "official tag ")


def attribute_titles(dataset: fo.Dataset, methods: list[str]) -> dict[str, str]:
    """Attributes that set the objects apart -> their titles."""
    groups = tables.breakdown(dataset, tuple(methods)).groups
    return {
        name: title_of(name) for name in groups["attribute"].unique() if name != "all"
    }


def by_attribute(dataset: fo.Dataset, methods: list[str], name: str | None) -> Chart:
    """J&F by attribute with intervals, methods side by side.

    Args:
        dataset: evaluated.
        methods: evaluations.
        name: an attribute: all its groups; None: of every attribute the group with
            the largest deficit, the largest first, for the first method.
    """
    result = tables.breakdown(dataset, tuple(methods))
    groups = result.groups[result.groups["attribute"] != "all"]
    if groups.empty:
        text = "No attributes yet: press ` and run **Compute attributes**."
        return Chart([], {"height": 120}, text)
    own = groups[groups["method"] == methods[0]]
    if name is None:
        chosen = _hardest(own).iloc[::-1]
        text = _verdict(chosen.iloc[-1], methods[0])
    else:
        chosen = own[own["attribute"] == name].iloc[::-1]
        text = (
            f"**{title_of(name)}**: {ATTRIBUTES[name].definition}."
            if (name in ATTRIBUTES)
            else f"**{title_of(name)}**: given by the benchmark, for whole videos."
        )
    order = list(zip(chosen["attribute"], chosen["group"], strict=True))
    traces = [_bars(groups, method, order, k, name) for k, method in enumerate(methods)]
    everything = result.groups[result.groups["attribute"] == "all"]
    means = dict(zip(everything["method"], everything["mean"], strict=True))
    layout = _bar_layout(len(order) * len(methods), len(methods))
    layout["shapes"] = [
        _line(means[method], METHOD_COLOURS[k % 6]) for k, method in enumerate(methods)
    ]
    return Chart(traces, layout, text)


def _hardest(groups: pd.DataFrame) -> pd.DataFrame:
    """The group of each attribute furthest below the rest; few objects come last."""
    below = groups[groups["delta"] < 0].sort_values(["few", "delta"])
    return below.drop_duplicates("attribute").head(_HARDEST)


def _verdict(row: pd.Series, method: str) -> str:
    sure = (
        f" [{row['delta_low']:+.2f}, {row['delta_high']:+.2f}]"
        if np.isfinite(row["delta_low"])
        else ""
    )
    return (
        f"**{title_of(row['attribute'])}: {row['group']}** hurts {method} most: J&F "
        f"{row['mean']:.3f}, {row['delta']:+.3f}{sure} against all other objects "
        f"({row['n_objects']} objects in {row['n_videos']} videos). Attributes "
        f"overlap: none is claimed to be the cause."
    )


def _bars(
    groups: pd.DataFrame,
    method: str,
    order: list[tuple[str, str]],
    k: int,
    name: str | None,
) -> Trace:
    rows = groups[groups["method"] == method].set_index(["attribute", "group"])
    rows = rows.reindex(pd.MultiIndex.from_tuples(order, names=["attribute", "group"]))
    names = [group if name else f"{title_of(a)}: {group}" for a, group in order]
    names = [
        f"{text} *" if few else text
        for text, few in zip(names, rows["few"], strict=True)
    ]
    colour = METHOD_COLOURS[k % len(METHOD_COLOURS)]
    return {
        "type": "bar",
        "orientation": "h",
        "name": method,
        "x": plain(rows["mean"]),
        "y": names,
        "ids": [f"{method}|{a}|{group}" for a, group in order],
        "marker": {"color": colour},
        "error_x": _whiskers(rows["mean"], rows["low"], rows["high"]),
        "customdata": [
            [int(n), int(v)]
            for n, v in zip(rows["n_objects"], rows["n_videos"], strict=True)
        ],
        "hovertemplate": "%{y}<br>J&F %{x:.3f}, %{customdata[0]} objects in "
        f"%{{customdata[1]}} videos<extra>{method}</extra>",
    }


def _whiskers(mean: pd.Series, low: pd.Series, high: pd.Series) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, v) for v in (high - mean).fillna(0)],
        "arrayminus": [max(0.0, v) for v in (mean - low).fillna(0)],
        "color": _NEUTRAL,
        "thickness": 1.2,
        "width": 3,
    }


def _bar_layout(bars: int, methods: int) -> dict[str, Any]:
    return {
        "height": 90 + 24 * bars,
        "barmode": "group",
        "bargap": 0.25,
        "showlegend": methods > 1,
        "legend": {"orientation": "h", "y": 1.08, "x": 0, "traceorder": "normal"},
        "margin": {"t": 30, "b": 40, "l": 20, "r": 20},
        "xaxis": {
            "title": {"text": "J&F (mean over objects, 95 % interval)"},
            "rangemode": "tozero",
        },
        "yaxis": {"tickfont": {"size": 12}},
    }


def _line(x: float, colour: str) -> dict[str, Any]:
    """Where the mean over all objects is."""
    line = {"color": colour, "width": 1, "dash": "dot"}
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": line,
    }


def members(dataset: fo.Dataset, name: str, group: str) -> list[tuple[str, int]]:
    """Sample id and object of everything in a group."""
    objects = tables.object_table(dataset)
    return _places(objects[attribute_groups(objects[name]) == group])


def histogram(dataset: fo.Dataset, methods: list[str]) -> list[Trace]:
    """How many objects reach which J&F."""
    edges = np.linspace(0, 1, _BINS + 1)
    traces = []
    for k, method in enumerate(methods):
        values = tables.object_scores(dataset, method).objects["J&F"].dropna()
        counts, _ = np.histogram(values.clip(0, 1), edges)
        ids = [
            f"{method}|{low:.4f}|{high:.4f}" for low, high in itertools.pairwise(edges)
        ]
        traces.append(
            {
                "type": "bar",
                "name": method,
                "x": ((edges[1:] + edges[:-1]) / 2).tolist(),
                "y": counts.tolist(),
                "ids": ids,
                "marker": {"color": METHOD_COLOURS[k % len(METHOD_COLOURS)]},
                "hovertemplate": "J&F %{x:.3f}: %{y} objects",
            }
        )
    return traces


HISTOGRAM_LAYOUT: dict[str, Any] = {
    "dragmode": "select",
    "selectdirection": "h",
    "showlegend": True,
    "legend": {"orientation": "h", "y": 1.15, "x": 0},
    "bargap": 0.08,
    "margin": {"t": 24, "b": 40, "l": 44, "r": 12},
    "xaxis": {"title": {"text": "J&F of an object"}, "range": [0, 1]},
    "yaxis": {"title": {"text": "objects"}},
}


def objects_between(
    dataset: fo.Dataset, method: str, low: float, high: float
) -> list[tuple[str, int]]:
    """Sample id and object of everything with low <= J&F < high (1 belongs to 1)."""
    objects = tables.object_scores(dataset, method).objects
    scores = objects["J&F"]
    inside = (scores >= low) & ((scores < high) | (high >= 1))
    return _places(objects[inside])


def against_choices(dataset: fo.Dataset) -> dict[str, str]:
    """Attributes that J&F can be held against -> titles."""
    objects = tables.object_table(dataset)
    return {name: title_of(name) for name in _AGAINST if name in objects}


def scatter(dataset: fo.Dataset, methods: list[str], against: str) -> list[Trace]:
    """J&F of every object against an attribute of it."""
    objects = tables.object_table(dataset)[[*_FACTS[:2], "label", against]]
    return [
        _points(
            tables.object_scores(dataset, method).objects.merge(
                objects, on=list(_FACTS[:2])
            ),
            method,
            (against, "J&F"),
            k,
        )
        for k, method in enumerate(methods)
    ]


def scatter_layout(against: str) -> dict[str, Any]:
    """Axes of `scatter`; attributes over several decades get a logarithmic one."""
    unit = ATTRIBUTES[against].unit
    wide = against in ("length", "size")
    return {
        **_POINT_LAYOUT,
        "xaxis": {
            "title": {"text": f"{title_of(against)} ({unit})"},
            "type": "log" if wide else "linear",
        },
        "yaxis": {"title": {"text": "J&F"}, "range": [-0.03, 1.03]},
    }


_POINT_LAYOUT: dict[str, Any] = {
    "dragmode": "lasso",
    "hovermode": "closest",
    "showlegend": True,
    "legend": {"orientation": "h", "y": 1.1, "x": 0},
    "margin": {"t": 24, "b": 44, "l": 48, "r": 12},
}


def _points(table: pd.DataFrame, method: str, axes: tuple[str, str], k: int) -> Trace:
    places = zip(table["sample_id"], table["object"], strict=True)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": method,
        "x": plain(table[axes[0]]),
        "y": plain(table[axes[1]]),
        "ids": [f"{method}|{sample_id}|{number}" for sample_id, number in places],
        "text": [
            f"{sequence}, object {number}"
            for sequence, number in zip(table["sequence"], table["object"], strict=True)
        ],
        "marker": {
            "color": METHOD_COLOURS[k % len(METHOD_COLOURS)],
            "symbol": _SYMBOLS[METHOD_MARKERS[k % len(METHOD_MARKERS)]],
            "size": 7,
            "opacity": 0.75,
        },
        "hovertemplate": "%{text}<br>%{x:.3f}, %{y:.3f}",
    }


_SYMBOLS = {
    "o": "circle",
    "s": "square",
    "D": "diamond",
    "^": "triangle-up",
    "v": "triangle-down",
    "P": "cross",
}


def worst_objects(
    dataset: fo.Dataset, method: str, order: str, methods: list[str]
) -> pd.DataFrame:
    """Objects of one method, the worst first, with the J&F of the others."""
    keys = list(_FACTS[:2])
    table = tables.object_scores(dataset, method).objects.merge(
        tables.object_table(dataset).drop(columns="sample_id"), on=keys
    )
    for other in methods:
        if other != method:
            theirs = tables.object_scores(dataset, other).objects[[*keys, "J&F"]]
            theirs = theirs.rename(columns={"J&F": f"J&F {other}"})
            table = table.merge(theirs, on=keys, how="left")
    lowest_first = order != "J_decay"
    return table.sort_values(order, ascending=lowest_first, ignore_index=True)


def worst_columns(methods: list[str], table: pd.DataFrame) -> dict[str, str]:
    """Columns of the table of worst objects -> headings."""
    columns = {"sequence": "Video", "object": "Object", "J&F": "J&F"}
    columns |= {"J_mean": "J", "F_mean": "F", "J_decay": "J decay"}
    columns |= {f"J&F {other}": f"J&F {other}" for other in methods}
    columns |= {"length": "Frames", "size_bucket": "Size", "occlusion": "Occlusion"}
    return {name: heading for name, heading in columns.items() if name in table}


def difference(dataset: fo.Dataset, first: str, second: str) -> Chart:
    """Who wins where: mean J&F difference by attribute, second minus first."""
    rows = tables.differences(dataset, first, second)
    overall = rows[rows["attribute"] == "all"].iloc[0]
    text = (
        f"**{second} - {first}: {overall['difference']:+.3f}** J&F "
        f"[{overall['low']:+.3f}, {overall['high']:+.3f}]; {second} is better on "
        f"{overall['wins']:.0%} of {overall['n_objects']} objects."
    )
    groups = rows[rows["attribute"] != "all"]
    groups = groups.assign(size=groups["difference"].abs())
    groups = groups.sort_values(["few", "size"], ascending=[True, False])
    groups = groups.drop_duplicates("attribute").head(_HARDEST)
    groups = groups.sort_values("difference")
    better = groups["difference"] > 0
    pairs = list(zip(groups["attribute"], groups["group"], strict=True))
    trace = {
        "type": "bar",
        "orientation": "h",
        "name": "difference",
        "x": plain(groups["difference"]),
        "y": [
            f"{title_of(name)}: {group}" + (" *" if few else "")
            for (name, group), few in zip(pairs, groups["few"], strict=True)
        ],
        "ids": [f"{second}|{name}|{group}" for name, group in pairs],
        "marker": {
            "color": [METHOD_COLOURS[1] if win else METHOD_COLOURS[0] for win in better]
        },
        "error_x": _whiskers(groups["difference"], groups["low"], groups["high"]),
        "hovertemplate": "%{y}: %{x:+.3f}<extra></extra>",
    }
    layout = _bar_layout(len(pairs), 1)
    title = f"J&F of {second} minus {first} (right: {second} is better)"
    layout["xaxis"] = {"title": {"text": title}, "zeroline": True}
    return Chart([trace], layout, text)


def duel(dataset: fo.Dataset, first: str, second: str) -> list[Trace]:
    """J&F of every object, one method against the other."""
    keys = list(_FACTS[:2])
    ours = tables.object_scores(dataset, first).objects
    theirs = tables.object_scores(dataset, second).objects[[*keys, "J&F"]]
    table = ours.merge(theirs, on=keys, suffixes=("", " second"))
    wins = table["J&F second"] > table["J&F"]
    axes = ("J&F", "J&F second")
    traces = [
        _points(table[~wins], first, axes, 0),
        _points(table[wins], second, axes, 1),
    ]
    for trace, name in zip(traces, (first, second), strict=True):
        trace["name"] = f"{name} is better"
    return traces


def duel_layout(first: str, second: str) -> dict[str, Any]:
    """Axes of `duel`, with the line of equal scores."""
    line = {"color": _NEUTRAL, "width": 1, "dash": "dot"}
    limits = [-0.03, 1.03]
    return {
        **_POINT_LAYOUT,
        "xaxis": {"title": {"text": f"J&F of {first}"}, "range": limits},
        "yaxis": {"title": {"text": f"J&F of {second}"}, "range": limits},
        "shapes": [{"type": "line", "x0": 0, "y0": 0, "x1": 1, "y1": 1, "line": line}],
    }


def _places(objects: pd.DataFrame) -> list[tuple[str, int]]:
    return list(zip(objects["sample_id"], objects["object"].tolist(), strict=True))

"""Chart of the tab "By attribute"."""

from __future__ import annotations

import fiftyone as fo
import pandas as pd

from evaluation._utils.escape import markdown_text, plotly_text
from evaluation.attributes import ATTRIBUTES, attribute_title
from evaluation.breakdown import (
    FEW,
    Breakdown,
    attribute_groups,
    drop_repeated_groups,
    strongest,
    worse_groups,
)
from s3fo.datasets.reading import tables
from s3fo.plugin.operators.compute_attributes import ComputeAttributes
from s3fo.plugin.panels.charts.elements import plain
from s3fo.plugin.panels.charts.parts import (
    FEW_OBJECTS,
    HARDEST,
    INTERVAL,
    Chart,
    Layout,
    Trace,
    bar_layout,
    legend_text,
    method_style,
    places,
    score_title,
    whiskers,
)

EVERY = f"All attributes: largest drop first, under {FEW} objects (*) last"
"""What the list of all attributes is called: its order."""


def attribute_titles(dataset: fo.Dataset, methods: list[str]) -> dict[str, str]:
    """Attributes that set the objects apart -> their titles."""
    groups = tables.breakdown(dataset, tuple(methods)).groups
    return {
        name: attribute_title(name)
        for name in groups["attribute"].unique()
        if name != "all"
    }


def by_attribute(dataset: fo.Dataset, methods: list[str], name: str | None) -> Chart:
    """The published J&F by attribute with intervals, methods side by side.

    Args:
        dataset: evaluated.
        methods: evaluations.
        name: an attribute: all its groups; None: of every attribute the group with
            the largest deficit, the largest first, for the first method.
    """
    result = tables.breakdown(dataset, tuple(methods))
    groups = result.groups[result.groups["attribute"] != "all"]
    if groups.empty:
        text = f"No attributes yet: press ` and run **{ComputeAttributes.label}**."
        return Chart([], {}, text)
    score = score_title(result.metric)
    own = groups[groups["method"] == methods[0]]
    if name is None:
        chosen = _hardest(own, tables.object_table(dataset), result.metric)
        if chosen.empty:
            return Chart([], {}, f"No attribute lowers {score} of {methods[0]}.")
        text = _verdict(result, methods[0], score)
        rest = f"per attribute: the group of {methods[0]} furthest below its others"
        few = f"{FEW_OBJECTS}, whose drop is uncertain: they come last"
    else:
        chosen = own[own["attribute"] == name]
        rest, few = "", FEW_OBJECTS
        given = "given by the benchmark, for whole videos"
        meaning = ATTRIBUTES[name].definition if name in ATTRIBUTES else given
        text = f"**{markdown_text(attribute_title(name))}**: {meaning}."
    order = list(zip(chosen["attribute"], chosen["group"], strict=True))
    labels = [
        plotly_text(group if name else f"{attribute_title(attribute)}: {group}")
        + (" *" if few else "")
        for (attribute, group), few in zip(order, chosen["few"], strict=True)
    ]
    traces = []
    for method in methods:
        rows = groups[groups["method"] == method].set_index(["attribute", "group"])
        trace = _bars(
            rows.reindex(order), method, method_style(dataset, method).colour, score
        )
        traces.append({**trace, "y": labels})
    everything = result.groups[result.groups["attribute"] == "all"]
    means = dict(zip(everything["method"], everything["mean"], strict=True))
    axis = f"{score} (mean over objects, 95 % interval)"
    layout = bar_layout(len(order) * len(methods), len(methods), axis)
    layout["shapes"] = [
        _line(means[method], method_style(dataset, method).colour) for method in methods
    ]
    signs = (
        few if chosen["few"].any() else "",
        rest,
        "dotted lines: means over all objects",
        INTERVAL,
    )
    return Chart(traces, layout, text, legend_text(*signs))


def _hardest(groups: pd.DataFrame, objects: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The group of each attribute furthest below the rest; few objects come last."""
    below = worse_groups(groups, metric).drop_duplicates("attribute")
    return drop_repeated_groups(below, objects).head(HARDEST)


def _verdict(result: Breakdown, method: str, score: str) -> str:
    """The headline of reports, in fractions as everywhere in the App."""
    found = strongest(result, method)
    told = found.text(method, lambda change: f"{change:+.3f}", score)
    return f"**{markdown_text(found.headline(score))}.** {markdown_text(told)}"


def _bars(rows: pd.DataFrame, method: str, colour: str, score: str) -> Trace:
    """One bar per group; none of groups in which nothing of the method was scored."""
    counts = rows[["n_objects", "n_videos"]].fillna(0).astype(int)
    return {
        "type": "bar",
        "orientation": "h",
        "name": method,
        "x": plain(rows["mean"]),
        "ids": [f"{method}|{name}|{group}" for name, group in rows.index],
        "marker": {"color": colour},
        "error_x": whiskers(rows["mean"], rows["low"], rows["high"]),
        "customdata": counts.to_numpy().tolist(),
        "hovertemplate": f"%{{y}}<br>{score} %{{x:.3f}}, %{{customdata[0]}} objects "
        f"in %{{customdata[1]}} videos<extra>{method}</extra>",
    }


def _line(x: float, colour: str) -> Layout:
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
    return places(objects[attribute_groups(objects[name]) == group])

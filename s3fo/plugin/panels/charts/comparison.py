"""Charts of the tab "Difference": one method against another."""

from __future__ import annotations

import fiftyone as fo

from evaluation._utils.escape import plotly_text
from evaluation._utils.names import counted
from evaluation.attributes import attribute_title
from evaluation.breakdown import drop_repeated_groups
from evaluation.results.same_rules import note_rules
from s3fo.datasets.reading import tables
from s3fo.plugin.panels.charts.elements import plain
from s3fo.plugin.panels.charts.parts import (
    FEW_OBJECTS,
    HARDEST,
    INTERVAL,
    KEYS,
    NEUTRAL,
    POINT_LAYOUT,
    Chart,
    Layout,
    Trace,
    bar_layout,
    legend_text,
    method_style,
    points,
    score_title,
    whiskers,
)


def difference(dataset: fo.Dataset, first: str, second: str) -> Chart:
    """Who wins where: mean J&F difference by attribute, second minus first."""
    rows = tables.differences(dataset, first, second)
    score = score_title(tables.published_score(dataset, [first, second]))
    overall = rows[rows["attribute"] == "all"].iloc[0]
    text = (
        f"**{second} - {first}: {overall['b_minus_a']:+.3f}** {score} "
        f"[{overall['low']:+.3f}, {overall['high']:+.3f}]; {second} is better on "
        f"{overall['b_wins']:.0%} of {counted(overall['n_objects'], 'object')}."
    )
    notes = _notes(dataset, first, second)
    text += "".join(f"\n\n**Note:** {note}." for note in notes)
    groups = rows[rows["attribute"] != "all"]
    if groups.empty:
        return Chart([], {}, text)
    groups = groups.assign(size=groups["b_minus_a"].abs())
    groups = groups.sort_values(["few", "size"], ascending=[True, False])
    groups = groups.drop_duplicates("attribute")
    groups = drop_repeated_groups(groups, tables.object_table(dataset)).head(HARDEST)
    groups = groups.sort_values("b_minus_a", ascending=False)
    better = groups["b_minus_a"] > 0
    pairs = list(zip(groups["attribute"], groups["group"], strict=True))
    trace: Trace = {
        "type": "bar",
        "orientation": "h",
        "name": "difference",
        "x": plain(groups["b_minus_a"]),
        "y": [
            plotly_text(f"{attribute_title(name)}: {group}") + (" *" if few else "")
            for (name, group), few in zip(pairs, groups["few"], strict=True)
        ],
        "ids": [f"{second}|{name}|{group}" for name, group in pairs],
        "marker": {
            "color": [
                method_style(dataset, second if win else first).colour for win in better
            ]
        },
        "error_x": whiskers(groups["b_minus_a"], groups["low"], groups["high"]),
        "hovertemplate": "%{y}: %{x:+.3f}<extra></extra>",
    }
    axis = f"{score} of {second} minus {first} (right: {second} is better)"
    layout = bar_layout(len(pairs), 1, axis, from_zero=False)
    few = FEW_OBJECTS if groups["few"].any() else ""
    signs = ("points and bars: in the colour of the better method", INTERVAL, few)
    return Chart([trace], layout, text, legend_text(*signs))


def _notes(dataset: fo.Dataset, *keys: str) -> tuple[str, ...]:
    """What keeps two evaluations from being compared."""
    return note_rules({key: tables.object_scores(dataset, key) for key in keys})


def duel(dataset: fo.Dataset, first: str, second: str) -> list[Trace]:
    """The published J&F of every object, one method against the other."""
    score = tables.published_score(dataset, [first, second])
    ours = tables.object_scores(dataset, first).objects
    theirs = tables.object_scores(dataset, second).objects[[*KEYS, score]]
    table = ours.merge(theirs, on=KEYS, suffixes=("", " second"))
    axes = (score, f"{score} second")
    wins = table[axes[1]] > table[axes[0]]
    traces = [
        points(table[~wins], first, axes, method_style(dataset, first)),
        points(table[wins], second, axes, method_style(dataset, second)),
    ]
    for trace, name in zip(traces, (first, second), strict=True):
        trace["name"] = f"{name} is better"
    return traces


def duel_layout(dataset: fo.Dataset, first: str, second: str) -> Layout:
    """Axes of `duel`, with the line of equal scores."""
    score = score_title(tables.published_score(dataset, [first, second]))
    line = {"color": NEUTRAL, "width": 1, "dash": "dot"}
    limits = [-0.03, 1.03]
    return {
        **POINT_LAYOUT,
        "xaxis": {"title": {"text": f"{score} of {first}"}, "range": limits},
        "yaxis": {"title": {"text": f"{score} of {second}"}, "range": limits},
        "shapes": [{"type": "line", "x0": 0, "y0": 0, "x1": 1, "y1": 1, "line": line}],
    }

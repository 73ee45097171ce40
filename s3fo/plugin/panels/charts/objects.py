"""Charts of the tab "Objects", and the table of the worst ones."""

from __future__ import annotations

import itertools

import fiftyone as fo
import numpy as np
import pandas as pd

from evaluation.attributes import ATTRIBUTES, attribute_title
from evaluation.breakdown import strongest
from evaluation.metrics.aggregate import HALVED, METRICS
from s3fo.datasets.reading import tables
from s3fo.plugin.panels.charts.parts import (
    KEYS,
    LEGEND,
    POINT_LAYOUT,
    Layout,
    Trace,
    method_style,
    places,
    points,
    score_title,
)

_BINS = 20

_DECAY = "J_decay"
_AGAINST = ("length", "size", "occlusion", "similarity", "speed", "deformation")
"""Attributes to hold J&F against in any case, as far as they were measured."""


def histogram(dataset: fo.Dataset, methods: list[str]) -> list[Trace]:
    """How many objects reach which J&F."""
    score = tables.published_score(dataset, methods)
    edges = np.linspace(0, 1, _BINS + 1)
    traces = []
    for method in methods:
        values = tables.object_scores(dataset, method).objects[score].dropna()
        counts, _ = np.histogram(values.clip(0, 1), edges)
        ids = [
            f"{method}|{score}|{low:.4f}|{high:.4f}"
            for low, high in itertools.pairwise(edges)
        ]
        traces.append(
            {
                "type": "bar",
                "name": method,
                "x": ((edges[1:] + edges[:-1]) / 2).tolist(),
                "y": counts.tolist(),
                "ids": ids,
                "marker": {"color": method_style(dataset, method).colour},
                "hovertemplate": f"{score_title(score)} %{{x:.3f}}: %{{y}} objects",
            }
        )
    return traces


def histogram_layout(score: str) -> Layout:
    """Axes of `histogram`."""
    return {
        "dragmode": "select",
        "selectdirection": "h",
        "showlegend": True,
        "legend": LEGEND,
        "bargap": 0.08,
        "margin": {"t": 28, "b": 68, "l": 44, "r": 12},
        "xaxis": {
            "title": {"text": f"{score_title(score)} of an object", "standoff": 8},
            "range": [0, 1],
        },
        "yaxis": {"title": {"text": "objects"}},
    }


def objects_between(
    dataset: fo.Dataset, method: str, score: str, low: float, high: float
) -> list[tuple[str, int]]:
    """Sample id and object of everything with low <= score < high (1 belongs to 1)."""
    objects = tables.object_scores(dataset, method).objects
    scores = objects[score]
    inside = (scores >= low) & ((scores < high) | (high >= 1))
    return places(objects[inside])


def against_choices(dataset: fo.Dataset, methods: list[str]) -> dict[str, str]:
    """Attributes that J&F can be held against -> titles.

    First the one that the headline about attributes names, then by the strength of
    their rank correlation with the first method's scores.
    """
    objects = tables.object_table(dataset)
    if not any(name in objects for name in _AGAINST):
        return {}
    result = tables.breakdown(dataset, tuple(methods))
    found = strongest(result, methods[0])
    named = [one.attribute for one in (found.found or found.closest,) if one]
    trends = result.trends
    if len(trends):
        own = trends[trends["method"] == methods[0]].dropna(subset=["spearman"])
        order = own["spearman"].abs().sort_values(ascending=False, kind="stable").index
        ranked = own["attribute"].reindex(order).tolist()
    else:
        ranked = []
    known = [*(name for name in named if name in ranked), *ranked, *_AGAINST]
    return {
        name: attribute_title(name)
        for name in dict.fromkeys(known)
        if name in objects and name in ATTRIBUTES
    }


def scatter(dataset: fo.Dataset, methods: list[str], against: str) -> list[Trace]:
    """The published J&F of every object against an attribute of it."""
    score = tables.published_score(dataset, methods)
    objects = tables.object_table(dataset)[[*KEYS, "label", against]]
    return [
        points(
            tables.object_scores(dataset, method).objects.merge(objects, on=KEYS),
            method,
            (against, score),
            method_style(dataset, method),
        )
        for method in methods
    ]


def scatter_layout(against: str, score: str) -> Layout:
    """Axes of `scatter`; attributes over several decades get a logarithmic one."""
    unit = ATTRIBUTES[against].unit
    wide = against in ("length", "size")
    return {
        **POINT_LAYOUT,
        "xaxis": {
            "title": {"text": f"{attribute_title(against)} ({unit})"},
            "type": "log" if wide else "linear",
        },
        "yaxis": {"title": {"text": score_title(score)}, "range": [-0.03, 1.03]},
    }


def worst_objects(
    dataset: fo.Dataset, method: str, order: str, methods: list[str]
) -> pd.DataFrame:
    """Objects of one method, the worst first, with the J&F of the others.

    Args:
        dataset: evaluated.
        method: the evaluation whose objects they are.
        order: one of `orders`.
        methods: all evaluations that are shown.
    """
    score = tables.published_score(dataset, methods)
    table = tables.object_scores(dataset, method).objects.merge(
        tables.object_table(dataset).drop(columns="sample_id"), on=KEYS
    )
    for other in methods:
        if other != method:
            theirs = tables.object_scores(dataset, other).objects[[*KEYS, score]]
            theirs = theirs.rename(columns={score: f"{score} {other}"})
            table = table.merge(theirs, on=KEYS, how="left")
    if "length" in table:  # kept beside fractions, as a float
        table["length"] = pd.to_numeric(table["length"]).round().astype("Int64")
    lowest_first = order != _DECAY
    return table.sort_values(order, ascending=lowest_first, ignore_index=True)


def orders(score: str) -> dict[str, str]:
    """Columns of objects that they can be ordered by -> titles.

    Args:
        score: the J&F that they are looked at by, of which the other two are halves.
    """
    halves = [METRICS[half] for half in HALVED[score]]
    return {name: score_title(name) for name in (score, *halves, _DECAY)}


def worst_columns(
    methods: list[str], score: str, table: pd.DataFrame, order: str
) -> dict[str, str]:
    """Columns of the table of worst objects -> headings: no more than are read."""
    scores = orders(score)
    if order != _DECAY:
        scores.pop(_DECAY)
    columns = {"sequence": "Video", "object": "Object", **scores}
    columns |= {
        f"{score} {other}": f"{score_title(score)} {other}" for other in methods
    }
    columns |= {"group": "Group", "proposal": "Proposal"}
    columns |= {"length": "Frames", "size": "Size", "occlusion": "Occlusion"}
    return {name: heading for name, heading in columns.items() if name in table}

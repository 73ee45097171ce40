"""The tables of a report about attributes: which objects a method is good at."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluation.attributes import OFFICIAL, attribute_title
from evaluation.breakdown import drop_repeated_splits
from evaluation.breakdown.tables import EVERYTHING
from evaluation.report.material import Material, places
from evaluation.report.tables import Table, number, percent, text


def groups_table(material: Material) -> Table:
    """Scores by attribute."""
    data = _surest_first(material)
    data.insert(2, "title", data["attribute"].map(attribute_title))
    caption = (
        "Mean J&F over the objects of a group, and its difference from all other "
        "objects, with 95 % intervals (videos resampled), surest first. "
        "Attributes overlap: a difference is not the attribute's own effect. In "
        "italics: under five objects."
    )
    if data["attribute"].str.startswith(OFFICIAL).any():
        caption += (
            " Official tags are the benchmark's, of whole sequences: every object of "
            "a sequence has them. All others are computed."
        )
    return Table(
        "attributes",
        "Scores by attribute",
        caption,
        data,
        [
            text("method", "Method"),
            text("title", "Attribute"),
            text("group", "Group"),
            number("n_objects", "Objects"),
            number("n_videos", "Videos"),
            percent("mean", "J&F", interval=("low", "high")),
            percent(
                "delta", "Difference", signed=True, interval=("delta_low", "delta_high")
            ),
        ],
        _few_classes(data),
    )


def trends_table(material: Material) -> Table:
    """How scores go with continuous attributes."""
    data = material.breakdown.trends.copy()
    if len(data):
        data.insert(2, "title", data["attribute"].map(attribute_title))
        data = data[data["spearman"].notna()]
        order = data["spearman"].abs().sort_values(ascending=False).index
        data = data.loc[order].reset_index(drop=True)
    return Table(
        "trends",
        "Scores against continuous attributes",
        "Rank correlation of J&F with the attribute, and the J&F difference between "
        "its lower and upper quartile on a straight line, with 95 % intervals.",
        data,
        [
            text("method", "Method"),
            text("title", "Attribute"),
            number("n_objects", "Objects"),
            number("spearman", "Rank corr.", 2, interval=("low", "high")),
            percent(
                "change",
                "Change",
                signed=True,
                interval=("change_low", "change_high"),
            ),
        ],
    )


def differences_table(material: Material) -> Table:
    """Paired differences between methods by attribute."""
    data = material.breakdown.differences.copy()
    if len(data):
        data.insert(3, "title", data["attribute"].map(attribute_title))
        # As in the table of methods compared: what a method gains on the first.
        names = {"a": "against", "b": "method"}
        names |= {"b_minus_a": "difference", "b_wins": "wins"}
        data = data.rename(columns=names)
    return Table(
        "differences",
        "Methods compared by attribute",
        "Mean difference of J&F over the objects both have, in points, with 95 % "
        "intervals (paired, videos resampled). Wins: share of objects where the "
        "method is better, ties half. In italics: under five objects.",
        data,
        [
            text("method", "Method"),
            text("against", "Against"),
            text("title", "Attribute"),
            text("group", "Group"),
            number("n_objects", "Objects"),
            number("n_videos", "Videos"),
            percent("difference", "Difference", signed=True, interval=("low", "high")),
            percent("wins", "Wins, %"),
        ],
        _few_classes(data),
    )


def _few_classes(data: pd.DataFrame) -> list[str]:
    """HTML class of each row: groups of few objects are marked."""
    return ["few" if few else "" for few in data.get("few", [])]


def grouped_attributes(material: Material, n: int | None = None) -> list[str]:
    """The attributes of the surest differences of the main method, surest first.

    Of attributes that split the objects into the same groups only the first.
    """
    groups = material.breakdown.groups
    every = groups[groups["method"] == material.main.name]
    own = every[~every["few"] & (every["attribute"] != EVERYTHING)].copy()
    # How far the interval of the difference stays away from 0; below 0 it does not.
    own["sure"] = np.maximum(own["delta_low"], -own["delta_high"])
    best = own.groupby("attribute", sort=False)["sure"].max().dropna()
    names = best.sort_values(ascending=False, kind="stable").index
    return drop_repeated_splits(map(str, names), every)[:n]


def _surest_first(material: Material) -> pd.DataFrame:
    """Groups by attribute, methods beside each other; attributes of few last."""
    groups = material.breakdown.groups
    order = dict.fromkeys([EVERYTHING, *grouped_attributes(material)])
    order |= dict.fromkeys(groups["attribute"])
    rank = {name: place for place, name in enumerate(order)}
    placed = pd.DataFrame(
        {
            "attribute": groups["attribute"].map(rank),
            "group": groups.groupby("method", sort=False).cumcount(),
            "method": places(groups["method"], material),
        }
    )
    return groups.loc[
        placed.sort_values(["attribute", "group", "method"]).index
    ].reset_index(drop=True)

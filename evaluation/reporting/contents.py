"""The tables of a report."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluation.by_attribute.tables import EVERYTHING
from evaluation.failures import CIRCUMSTANCES
from evaluation.reporting.facts import facts_table, protocol_table, speed_table
from evaluation.reporting.material import Material, Method
from evaluation.reporting.tables import Column, Table, number, percent, text
from evaluation.reporting.verdict import attribute_name, circumstance_name, fix_first

_KEYS = ["sequence", "object"]
_HEADLINES = {
    "J&F_adaptive": "J&F adaptive", "F_adaptive": "F adaptive", "J&F": "J&F",
    "J": "J", "F": "F", "J_recall": "J recall", "J_decay": "J decay",
    "F_recall": "F recall", "F_decay": "F decay", "J_seen": "J seen",
    "F_seen": "F seen", "J_unseen": "J unseen", "F_unseen": "F unseen",
    "V": "V",
}  # fmt: skip
_BETTER_HIGHER = {"J&F", "J", "F", "J&F_adaptive", "F_adaptive"}
# The attributes worth a column in the table of objects.
_SHOWN_ATTRIBUTES = ("length", "occlusion", "size", "reappearances")


def tables(material: Material) -> dict[str, Table]:
    """All tables that there is something to put into, by name, in reading order."""
    made = [
        headline_table(material),
        comparison_table(material),
        fix_table(material.main),
        kinds_table(material),
        events_table(material),
        circumstances_table(material),
        groups_table(material),
        trends_table(material),
        differences_table(material),
        sequences_table(material),
        objects_table(material),
        speed_table(material),
        facts_table(material),
        protocol_table(material),
    ]
    return {table.name: table for table in made if len(table)}


def headline_table(material: Material) -> Table:
    """One row a method, all scores of its summary."""
    rows = [
        {"method": method.name, **_interval(material, method), **method.scores.summary}
        for method in material.methods
    ]
    data = pd.DataFrame(rows)
    shown = [
        percent(
            key,
            heading,
            best=key in _BETTER_HIGHER,
            interval=("low", "high")
            if key == material.metric and data["low"].notna().any()
            else None,
        )
        for key, heading in _HEADLINES.items()
        if key in data
    ]
    caption = (
        f"{material.protocol.title} protocol, in percent. Decay: smaller is better."
    )
    if data["low"].notna().any():
        caption += " In brackets: 95 % interval, videos resampled."
    return Table("methods", "Scores", caption, data, [text("method", "Method"), *shown])


def comparison_table(material: Material) -> Table:
    """The main method against each other one."""
    rows = []
    for name, result in material.comparisons.items():
        better = (result.b > result.a).mean() + (result.b == result.a).mean() / 2
        rows.append(
            {
                "method": name,
                "against": material.main.name,
                "difference": result.delta,
                "low": result.interval[0],
                "high": result.interval[1],
                "p_value": result.p_value,
                "wins": float(better),
                "n_objects": len(result.keys),
                "only_here": len(result.only_in_b),
                "only_there": len(result.only_in_a),
            }
        )
    return Table(
        "comparison",
        "Methods compared",
        "Mean difference of J&F over the objects both have, in points, with its 95 % "
        "interval (paired bootstrap over videos). Wins: share of objects where the "
        "method is better, ties half.",
        pd.DataFrame(rows),
        [
            text("method", "Method"),
            text("against", "Against"),
            percent("difference", "Difference", signed=True, interval=("low", "high")),
            number("p_value", "p", 4),
            percent("wins", "Wins, %"),
            number("n_objects", "Objects"),
        ],
    )


def fix_table(method: Method) -> Table:
    """What mending each kind of failure is worth."""
    return Table(
        "fix_first",
        f"What to fix first in {method.name}",
        "Kinds of failure, costliest first. Cost: points of J&F. Ceiling: J&F if all "
        "events of the kind were perfect instead.",
        fix_first(method),
        [
            text("kind", "Kind"),
            number("events", "Events"),
            number("n_frames", "Frames"),
            percent("cost", "Cost"),
            percent("share", "Share of loss, %"),
            percent("ceiling", "Ceiling"),
            text("worst", "Worst event"),
            text("onset", "Mostly begins"),
        ],
    )


def kinds_table(material: Material) -> Table:
    """Cost of each kind of failure, all methods beside each other."""
    parts = [
        method.failures.by("kind").assign(method=method.name)
        for method in material.methods
    ]
    rest = [
        {
            "method": method.name,
            "kind": "in no event",
            "cost": method.failures.unassigned,
            "share": method.failures.unassigned / method.failures.lost
            if method.failures.lost
            else 0.0,
        }
        for method in material.methods
    ]
    data = pd.concat([*parts, pd.DataFrame(rest)], ignore_index=True)
    data = _main_first(data, material, "cost")
    data[["events", "n_frames"]] = data[["events", "n_frames"]].astype("Int64")
    return Table(
        "kinds",
        "Failures by kind",
        "Costs in points of J&F; of each method they add up to what it lacks to 100.",
        data[["method", "kind", "events", "n_frames", "cost", "share"]],
        [
            text("method", "Method"),
            text("kind", "Kind"),
            number("events", "Events"),
            number("n_frames", "Frames"),
            percent("cost", "Cost"),
            percent("share", "Share of loss, %"),
        ],
    )


def events_table(material: Material) -> Table:
    """Every failure event of every method."""
    parts = [
        method.failures.events.assign(method=method.name) for method in material.methods
    ]
    data = pd.concat(parts, ignore_index=True)
    front = ["method", "event"]
    data = data[[*front, *(name for name in data if name not in front)]]
    columns = [
        text("method", "Method"),
        number("event", "No."),
        text("sequence", "Sequence"),
        number("object", "Object"),
        text("kind", "Kind"),
        text("start", "From"),
        text("end", "To"),
        text("worst", "Worst"),
        number("n_frames", "Frames"),
        percent("worst_J", "J at worst"),
        Column("cost", "Cost", 2, 100.0),
        text("recovered", "Right again"),
    ]
    if "onset" in data:
        columns.append(text("onset", "Begins"))
    return Table(
        "events",
        "Failure events",
        "Costliest first. Cost: points of J&F. Right again: first later frame in which "
        "J is at least 50. Begins: what held in the half second before.",
        data,
        columns,
    )


def circumstances_table(material: Material) -> Table:
    """What precedes failures more often than it precedes any frame."""
    parts = [
        method.failures.onsets().assign(method=method.name)
        for method in material.methods
    ]
    data = pd.concat(parts, ignore_index=True)
    if len(data):
        names = data["circumstance"]
        data["name"] = names.map(circumstance_name)
        data["definition"] = names.map(lambda name: CIRCUMSTANCES[name])
        data = _main_first(data, material, "cost")
    return Table(
        "circumstances",
        "How failures begin",
        "Share of events that begin within half a second of the circumstance, against "
        "the share of all frames of which the same holds. Lift: how many times as "
        "often.",
        data,
        [
            text("method", "Method"),
            text("name", "Circumstance"),
            text("definition", "Meaning"),
            number("events", "Events"),
            percent("share", "Of events, %"),
            percent("base", "Of frames, %"),
            number("lift", "Lift", 1),
            percent("cost", "Cost"),
        ],
    )


def groups_table(material: Material) -> Table:
    """Scores by attribute."""
    data = _surest_first(material)
    data.insert(2, "title", data["attribute"].map(attribute_name))
    return Table(
        "attributes",
        "Scores by attribute",
        "Mean J&F over the objects of a group, and its difference from all other "
        "objects, with 95 % intervals (videos resampled), surest first. "
        "Attributes overlap: a difference is not the attribute's own effect. In "
        "italics: under five objects.",
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
        ["few" if few else "" for few in data["few"]],
    )


def trends_table(material: Material) -> Table:
    """How scores go with continuous attributes."""
    data = material.by_attribute.trends.copy()
    if len(data):
        data.insert(2, "title", data["attribute"].map(attribute_name))
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
    data = material.by_attribute.differences.copy()
    if len(data):
        data.insert(3, "title", data["attribute"].map(attribute_name))
    return Table(
        "differences",
        "Methods compared by attribute",
        "Mean J&F of the first method minus the second, over objects both have, in "
        "points, with 95 % intervals (paired, videos resampled).",
        data,
        [
            text("first", "First"),
            text("second", "Second"),
            text("title", "Attribute"),
            text("group", "Group"),
            *(
                number(key, heading)
                for key, heading in (("n_objects", "Objects"), ("n_videos", "Videos"))
                if key in data
            ),
            percent("difference", "Difference", signed=True, interval=("low", "high")),
            percent("wins", "Wins, %"),
        ],
    )


def sequences_table(material: Material) -> Table:
    """One row a sequence, worst of the main method first."""
    main = material.main
    column = "J&F" if material.metric == "J&F" else material.metric
    means = {
        method.name: method.scores.objects.groupby("sequence", sort=False)[
            column
        ].mean()
        for method in material.methods
    }
    data = pd.DataFrame(means).rename_axis("sequence").reset_index()
    counts = main.scores.objects.groupby("sequence").size()
    data.insert(1, "n_objects", data["sequence"].map(counts).astype("Int64"))
    cost = main.failures.frames.groupby("sequence")["cost"].sum()
    data["cost"] = data["sequence"].map(cost)
    data = data.sort_values(main.name, kind="stable", ignore_index=True)
    return Table(
        "sequences",
        "Sequences",
        f"Mean J&F over the objects of each sequence; cost: points of the benchmark's "
        f"J&F that {main.name} loses there. Worst first.",
        data,
        [
            text("sequence", "Sequence"),
            number("n_objects", "Objects"),
            *(percent(method.name, method.name) for method in material.methods),
            Column("cost", f"Cost ({main.name})", 2, 100.0),
        ],
    )


def objects_table(material: Material) -> Table:
    """One row an object, worst of the main method first."""
    main = material.main
    data = main.scores.objects.copy()
    for other in material.methods[1:]:
        own = other.scores.objects[[*_KEYS, material.metric]]
        data = data.merge(
            own.rename(columns={material.metric: other.name}), on=_KEYS, how="left"
        )
    frames = main.failures.frames
    cost = frames.groupby(_KEYS)["cost"].sum().rename("cost").reset_index()
    data = data.merge(cost, on=_KEYS, how="left")
    kind = main.failures.events.drop_duplicates(_KEYS)[[*_KEYS, "kind"]]
    data = data.merge(
        kind.rename(columns={"kind": "worst_failure"}), on=_KEYS, how="left"
    )
    known = material.attributes.objects
    shown = [name for name in _SHOWN_ATTRIBUTES if name in known]
    data = data.merge(known[[*_KEYS, *shown]], on=_KEYS, how="left")
    data = data.sort_values(material.metric, kind="stable", ignore_index=True)
    boundary = "F_mean" if material.metric == "J&F" else "F_adaptive_mean"
    return Table(
        "objects",
        "Objects",
        f"Scores of {main.name}, worst first, beside the J&F of the other methods. "
        f"Cost: points of the benchmark's J&F. Failure: kind of the costliest event.",
        data,
        [
            text("sequence", "Sequence"),
            number("object", "Object"),
            percent(material.metric, "J&F"),
            percent("J_mean", "J"),
            percent(boundary, "F"),
            percent("J_decay", "J decay"),
            *(percent(other.name, other.name) for other in material.methods[1:]),
            Column("cost", "Cost", 2, 100.0),
            text("worst_failure", "Failure"),
            *(_attribute_column(name) for name in shown),
        ],
    )


def _interval(material: Material, method: Method) -> dict[str, float]:
    """95 % interval of the headline, where it is the plain mean over objects."""
    groups = material.by_attribute.groups
    row = groups[
        (groups["method"] == method.name) & (groups["attribute"] == EVERYTHING)
    ]
    if material.protocol.average == "seen-unseen" or row.empty:
        return {"low": np.nan, "high": np.nan}
    return {"low": float(row["low"].iloc[0]), "high": float(row["high"].iloc[0])}


def _attribute_column(name: str) -> Column:
    if name in ("length", "reappearances"):
        return number(name, attribute_name(name))
    return number(name, attribute_name(name), 3)


def grouped_attributes(material: Material, n: int | None = None) -> list[str]:
    """The attributes of the surest differences of the main method, surest first."""
    groups = material.by_attribute.groups
    own = groups[(groups["method"] == material.main.name) & ~groups["few"]]
    own = own[own["attribute"] != EVERYTHING].copy()
    # How far the interval of the difference stays away from 0; below 0 it does not.
    own["sure"] = np.maximum(own["delta_low"], -own["delta_high"])
    best = own.groupby("attribute", sort=False)["sure"].max().dropna()
    return [str(name) for name in best.sort_values(ascending=False).index[:n]]


def _surest_first(material: Material) -> pd.DataFrame:
    """Groups by attribute, methods beside each other; attributes of few last."""
    groups = material.by_attribute.groups
    order = dict.fromkeys([EVERYTHING, *grouped_attributes(material)])
    order |= dict.fromkeys(groups["attribute"])
    rank = {name: place for place, name in enumerate(order)}
    places = pd.DataFrame(
        {
            "attribute": groups["attribute"].map(rank),
            "group": groups.groupby("method", sort=False).cumcount(),
            "method": _places(groups["method"], material),
        }
    )
    return groups.loc[
        places.sort_values(["attribute", "group", "method"]).index
    ].reset_index(drop=True)


def _main_first(table: pd.DataFrame, material: Material, by: str) -> pd.DataFrame:
    """Methods in the report's order, each one's rows with the largest value first."""
    places = table.assign(place=_places(table["method"], material))
    order = places.sort_values(["place", by], ascending=[True, False], kind="stable")
    return table.loc[order.index].reset_index(drop=True)


def _places(methods: pd.Series, material: Material) -> pd.Series:
    names = [method.name for method in material.methods]
    return methods.map({name: place for place, name in enumerate(names)})

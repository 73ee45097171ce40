"""The tables of a report about failures: kinds, events, how they begin."""

from __future__ import annotations

import pandas as pd

from evaluation.failures import CIRCUMSTANCES
from evaluation.failures.reviews import REVIEW
from evaluation.report.material import Material, Method, places
from evaluation.report.tables import Column, Table, number, percent, text
from evaluation.report.verdict import circumstance_name, fix_first

_NOT_REVIEWED = "not reviewed"

_COSTS_OF_A_KIND = (
    text("kind", "Kind"),
    number("events", "Events"),
    number("n_frames", "Frames"),
    percent("cost", "Cost"),
    percent("share", "Share of loss, %"),
)


def fix_table(method: Method) -> Table:
    """What correcting each kind of failure would regain."""
    return Table(
        "fix_first",
        f"Kinds of failure of {method.name}",
        "Costliest first. Cost: points of J&F. Ceiling: J&F if all "
        "events of the kind were perfect instead.",
        fix_first(method),
        [
            *_COSTS_OF_A_KIND,
            percent("ceiling", "Ceiling"),
            text("worst", "Worst event"),
            text("onset", "Common trigger"),
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
            *_COSTS_OF_A_KIND,
        ],
    )


def events_table(material: Material) -> Table:
    """Every failure event of every method."""
    parts = [
        method.failures.events.assign(method=method.name) for method in material.methods
    ]
    data = pd.concat(parts, ignore_index=True)
    data["rank"] = data["event"] + 1
    front = ["method", "rank", "event"]
    data = data[[*front, *(name for name in data if name not in front)]]
    columns = [
        text("method", "Method"),
        number("rank", "No."),
        text("sequence", "Sequence"),
        number("object", "Object"),
        text("kind", "Kind"),
        text("start", "From"),
        text("end", "To"),
        text("worst", "Worst"),
        number("n_frames", "Frames"),
        percent("worst_J", "J at worst, %"),
        Column("cost", "Cost", 2, 100.0),
        text("recovered", "Recovered at"),
    ]
    if "onset" in data:
        columns.append(text("onset", "Trigger"))
    if REVIEW in data:
        data[REVIEW] = data[REVIEW].replace("", pd.NA)
        columns.append(text(REVIEW, "Review"))
    return Table(
        "events",
        "Failure events",
        "Costliest first. Cost: points of J&F. Recovered at: first later frame in "
        "which J is at least 50 %. Trigger: what held in the half second before.",
        data,
        columns,
    )


def reviews_table(material: Material) -> Table:
    """What people who looked at the failures said of them, where somebody did.

    Empty unless the events of a method have a column `review`.
    """
    parts = []
    for method in material.methods:
        events = method.failures.events
        if REVIEW in events and (events[REVIEW].fillna("") != "").any():
            said = events[REVIEW].fillna("").replace("", _NOT_REVIEWED)
            costs = events["cost"].groupby(said).agg(["size", "sum"])
            costs = costs.rename(columns={"size": "events", "sum": "cost"})
            costs["share"] = costs["cost"] / method.failures.lost
            costs["method"] = method.name
            parts.append(costs.rename_axis(REVIEW).reset_index())
    columns = ["method", REVIEW, "events", "cost", "share"]
    data = pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)
    return Table(
        "reviews",
        "Reviews of the failures",
        "Cost: points of J&F.",
        _main_first(data, material, "cost") if parts else data,
        [
            text("method", "Method"),
            text(REVIEW, "Review"),
            number("events", "Events"),
            percent("cost", "Cost"),
            percent("share", "Share of loss, %"),
        ],
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


def _main_first(table: pd.DataFrame, material: Material, by: str) -> pd.DataFrame:
    """Methods in the report's order, each one's rows with the largest value first."""
    placed = table.assign(place=places(table["method"], material))
    order = placed.sort_values(["place", by], ascending=[True, False], kind="stable")
    return table.loc[order.index].reset_index(drop=True)

"""The tables of a report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from evaluation.attributes import ATTRIBUTES
from evaluation.breakdown.tables import EVERYTHING
from evaluation.metrics.aggregate import HALVED, METRICS
from evaluation.report.attribute_tables import (
    differences_table,
    groups_table,
    trends_table,
)
from evaluation.report.correction_tables import curve_table, regain_table
from evaluation.report.facts import facts_table, protocol_table, speed_table
from evaluation.report.failure_tables import (
    circumstances_table,
    events_table,
    fix_table,
    kinds_table,
    reviews_table,
)
from evaluation.report.material import Material, Method
from evaluation.report.settings import settings_table
from evaluation.report.tables import Column, Table, number, percent, text
from evaluation.report.throughput import throughput_table

_KEYS = ["sequence", "object"]
_HEADLINES = {
    "J&F_adaptive": "J&F adaptive", "F_adaptive": "F adaptive", "J&F": "J&F",
    "J": "J", "F": "F", "J_recall": "J recall", "J_decay": "J decay",
    "F_recall": "F recall", "F_decay": "F decay", "J_seen": "J seen",
    "F_seen": "F seen", "J_unseen": "J unseen", "F_unseen": "F unseen",
    "V": "V (deviation over frames)",
    "HOTA": "HOTA", "HOTA_common": "HOTA common", "HOTA_uncommon": "HOTA uncommon",
    "DetA": "DetA", "AssA": "AssA", "LocA": "LocA", "MOTA": "MOTA", "MOTP": "MOTP",
    "IDF1": "IDF1", "cgF1": "cgF1", "positive_micro_F1": "pmF1", "IL_MCC": "IL MCC",
}  # fmt: skip
_BETTER_HIGHER = {
    "J&F", "J", "F", "J&F_adaptive", "F_adaptive", "HOTA", "HOTA_common",
    "HOTA_uncommon", "DetA", "AssA", "LocA", "MOTA", "MOTP", "IDF1", "cgF1",
    "positive_micro_F1", "IL_MCC",
}  # fmt: skip
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
        reviews_table(material),
        circumstances_table(material),
        groups_table(material),
        trends_table(material),
        differences_table(material),
        sequences_table(material),
        objects_table(material),
        curve_table(material.corrections),
        regain_table(material.corrections),
        speed_table(material),
        throughput_table(material),
        settings_table(material),
        facts_table(material),
        protocol_table(material),
    ]
    if len(material.methods) == 1:
        made = [_about_one(table) for table in made]
    return {table.name: table for table in made if len(table)}


def _about_one(table: Table) -> Table:
    """Without the column that says of every row that it is about the one method."""
    if table.name in ("methods", "speed", "throughput"):
        return table
    shown = [column for column in table.columns if column.key != "method"]
    return replace(table, columns=shown)


def headline_table(material: Material) -> Table:
    """One row per method, all scores of its summary."""
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
    return Table(
        "methods", "All scores", caption, data, [text("method", "Method"), *shown]
    )


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
            percent("wins", "Wins, %"),
            number("n_objects", "Objects"),
        ],
    )


def score_column(material: Material, method: Method) -> str:
    """Column of a method's scores; methods may be called like other columns."""
    return f"{material.metric} of {method.name}"


def sequences_table(material: Material) -> Table:
    """One row per sequence, worst of the main method first."""
    main = material.main
    means = {
        score_column(material, method): method.scores.objects.groupby(
            "sequence", sort=False
        )[material.metric].mean()
        for method in material.methods
    }
    data = pd.DataFrame(means).rename_axis("sequence").reset_index()
    counts = main.scores.objects.groupby("sequence").size()
    data.insert(1, "n_objects", data["sequence"].map(counts).astype("Int64"))
    cost = main.failures.frames.groupby("sequence")["cost"].sum()
    data["cost"] = data["sequence"].map(cost)
    first = score_column(material, main)
    data = data.sort_values(first, kind="stable", ignore_index=True)
    return Table(
        "sequences",
        "Sequences",
        f"Mean J&F over the objects of each sequence; cost: points of the benchmark's "
        f"J&F that {main.name} loses there. Worst first.",
        data,
        [
            text("sequence", "Sequence"),
            number("n_objects", "Objects"),
            *(
                percent(score_column(material, method), method.name)
                for method in material.methods
            ),
            Column("cost", f"Cost ({main.name})", 2, 100.0),
        ],
    )


def objects_table(material: Material) -> Table:
    """One row per object, worst of the main method first."""
    main = material.main
    data = main.scores.objects.copy()
    for other in material.methods[1:]:
        own = other.scores.objects[[*_KEYS, material.metric]]
        own = own.rename(columns={material.metric: score_column(material, other)})
        data = data.merge(own, on=_KEYS, how="left")
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
    boundary = METRICS[HALVED[material.metric][1]]
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
            *(
                percent(score_column(material, other), other.name)
                for other in material.methods[1:]
            ),
            Column("cost", "Cost", 2, 100.0),
            text("worst_failure", "Failure"),
            *(_attribute_column(name) for name in shown),
        ],
    )


def _interval(material: Material, method: Method) -> dict[str, float]:
    """95 % interval of the headline, where it is the plain mean over objects."""
    groups = material.breakdown.groups
    row = groups[
        (groups["method"] == method.name) & (groups["attribute"] == EVERYTHING)
    ]
    if material.protocol.average == "seen-unseen" or row.empty:
        return {"low": np.nan, "high": np.nan}
    return {"low": float(row["low"].iloc[0]), "high": float(row["high"].iloc[0])}


def _attribute_column(name: str) -> Column:
    attribute = ATTRIBUTES[name]
    if attribute.kind == "count":
        return number(name, attribute.title)
    digits = 0 if attribute.unit == "frames" else 3
    return number(name, f"{attribute.title}, {attribute.unit}", digits)

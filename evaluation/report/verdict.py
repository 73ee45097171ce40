"""What to fix first: what the numbers say, in sentences a reader can check."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation._utils.names import counted
from evaluation.breakdown import FEW, strongest
from evaluation.failures import CIRCUMSTANCES, FailureKind
from evaluation.report.material import Material, Method

_LIFT = 1.5
"""A circumstance is worth telling if failures prefer it at least this much."""


@dataclass(frozen=True)
class Finding:
    """One thing a reader should know.

    Attributes:
        headline: in a few words.
        text: with the numbers.
        table: name of the table that holds them.
    """

    headline: str
    text: str
    table: str


def findings(material: Material) -> list[Finding]:
    """What to fix first in the main method, most important first."""
    main = material.main
    if not len(main.failures.events):
        return [_nothing_fails(main)]
    found = [_kind(main), _concentration(main), _where(main)]
    circumstance = _circumstance(main)
    if circumstance is not None:
        found.append(circumstance)
    found.append(_attribute(material))
    return found + [_against(material, name) for name in material.comparisons]


def fix_first(method: Method) -> pd.DataFrame:
    """One row per kind of failure, costliest first, and the J&F to recover by each.

    Columns: kind, definition, events, n_frames, cost, share (of everything lost),
    ceiling (the J&F if all events of the kind were perfect instead), worst_event
    (number in the events table), worst (which), onset (commonest circumstance).
    """
    table = method.failures.by("kind")
    events = method.failures.events
    rows = []
    for row in table.to_dict("records"):
        own = events[events["kind"] == row["kind"]]
        worst = own.iloc[0]
        rows.append(
            {
                "kind": row["kind"],
                "definition": FailureKind(row["kind"]).definition,
                "events": row["events"],
                "n_frames": row["n_frames"],
                "cost": row["cost"],
                "share": row["share"],
                "ceiling": method.failures.headline + row["cost"],
                "worst_event": int(worst["event"]) + 1,
                "worst": f"{worst['sequence']}, object {worst['object']}, "
                f"frames {worst['start']} to {worst['end']}",
                "onset": _commonest_onset(own),
            }
        )
    return pd.DataFrame(
        rows,
        columns=[
            "kind", "definition", "events", "n_frames", "cost", "share", "ceiling",
            "worst_event", "worst", "onset",
        ],
    )  # fmt: skip


def points(fraction: float, digits: int = 1, *, signed: bool = False) -> str:
    """A fraction of J&F as points (percent), with so many decimals."""
    shown = f"{100 * fraction:{'+' if signed else ''}.{digits}f}"
    return shown.replace("-", "\N{MINUS SIGN}")


def circumstance_name(name: str) -> str:
    """A circumstance for people."""
    return name.replace("_", " ")


def _nothing_fails(main: Method) -> Finding:
    return Finding(
        "No failure events found",
        f"{main.name} loses {points(main.failures.lost)} points of J&F, all of them in "
        f"frames too slightly wrong to be called a failure.",
        "methods",
    )


def _kind(main: Method) -> Finding:
    row = fix_first(main).iloc[0]
    return Finding(
        f"Fix first: {row['kind']}",
        f"It costs {points(row['cost'])} of the {points(main.failures.lost)} points of "
        f"J&F that {main.name} loses ({points(row['share'])} %), in {row['events']} "
        f"events. Without it, J&F would be at most {points(row['ceiling'])} instead "
        f"of {points(main.failures.headline)}. It means: {row['definition']}.",
        "fix_first",
    )


def _concentration(main: Method) -> Finding:
    costs = main.failures.events["cost"].to_numpy()
    reached = np.flatnonzero(np.cumsum(costs) >= main.failures.lost / 2)
    lost = points(main.failures.lost)
    rest = (
        f" Frames too slightly wrong for an event cost "
        f"{points(main.failures.unassigned)} points."
    )
    if len(reached):
        k = int(reached[0]) + 1
        return Finding(
            f"{counted(k, 'event')} of {len(costs)} cost half of it",
            f"The {counted(k, 'costliest event')} cost "
            f"{points(main.failures.recoverable(k))} of the {lost} points." + rest,
            "events",
        )
    return Finding(
        "Most of the loss is in no event",
        f"All {len(costs)} events together cost {points(costs.sum())} of the {lost} "
        f"points." + rest,
        "events",
    )


def _where(main: Method) -> Finding:
    row = main.failures.by("sequence", "object").iloc[0]
    return Finding(
        f"Look at {row['sequence']}, object {row['object']}",
        f"This one object costs {points(row['cost'])} points "
        f"({points(row['share'])} % of what is lost); no other costs more.",
        "objects",
    )


def _circumstance(main: Method) -> Finding | None:
    table = main.failures.onsets()
    if table.empty:
        return None
    table = table[(table["lift"] >= _LIFT) & (table["events"] >= FEW)]
    if table.empty:
        return None
    row = table.sort_values("cost", ascending=False).iloc[0]
    return Finding(
        f"It begins {circumstance_name(row['circumstance'])}",
        f"{row['events']} of {len(main.failures.events)} events "
        f"({points(row['share'])} %, against {points(row['base'])} % of all frames) "
        f"begin within half a second of this: {CIRCUMSTANCES[row['circumstance']]}. "
        f"They cost {points(row['cost'])} points.",
        "circumstances",
    )


def _attribute(material: Material) -> Finding:
    main = material.main.name
    found = strongest(material.breakdown, main)
    told = found.text(main, lambda change: points(change, signed=True))
    trend = found.found is not None and not found.found.group
    return Finding(
        found.headline(),
        f"{told[0].upper()}{told[1:]} Differences are in points.",
        "trends" if trend else "attributes",
    )


def _against(material: Material, name: str) -> Finding:
    result = material.comparisons[name]
    low, high = result.interval
    who = material.main.name
    sure = "one video, so no interval"
    if not np.isnan(low):
        ends = f"{points(low, signed=True)} to {points(high, signed=True)}"
        sure = f"{100 * result.confidence:g} % interval {ends}"
    if low > 0:
        headline = f"{name} is better than {who}"
    elif high < 0:
        headline = f"{name} is worse than {who}"
    else:
        headline = f"{name} cannot be told from {who}"
    return Finding(
        headline,
        f"{name} \N{MINUS SIGN} {who}: {points(result.delta, signed=True)} points of "
        f"J&F, {sure}, over {counted(len(result.keys), 'object')}, paired, videos "
        f"resampled." + "".join(f" Note: {note}." for note in result.notes),
        "comparison",
    )


def _commonest_onset(events: pd.DataFrame) -> str:
    held = {
        name: int(events[name].astype(bool).sum())
        for name in CIRCUMSTANCES
        if name in events
    }
    if not held or not max(held.values()):
        return ""
    name = max(held, key=lambda key: held[key])
    return f"{circumstance_name(name)} ({held[name]} of {len(events)})"

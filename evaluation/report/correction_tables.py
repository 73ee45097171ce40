"""The tables of a report about corrections: the curve, and what events regain."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from evaluation.corrections import Corrections
from evaluation.report.tables import Column, Table, number, percent, text


def curve_table(curves: Mapping[str, Corrections]) -> Table:
    """One row per number of corrections; the area stands in each."""
    parts = [
        one.curve.assign(
            corrected=name, policy=one.policy, prompt=one.prompt, area=one.area
        )
        for name, one in curves.items()
    ]
    return Table(
        "corrections",
        "J&F over corrections",
        "J&F with at most so many corrections of each object by a simulated user. "
        "Policy worst: each pass corrects the frame of lowest J and runs again; "
        "online: the first frame below the IoU threshold is corrected, and "
        "segmentation goes on. Area: mean height of the curve.",
        pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(),
        [
            text("corrected", "Method"),
            text("policy", "Policy"),
            text("prompt", "Prompt"),
            number("budget", "At most"),
            number("corrections", "Corrections"),
            percent("J&F", "J&F"),
            percent("J", "J"),
            percent("F", "F"),
            percent("area", "Area"),
        ],
    )


def regain_table(curves: Mapping[str, Corrections]) -> Table:
    """Failure events by what a correction at their onset regains."""
    parts = [
        one.events[one.events["regain"].notna()].assign(corrected=name)
        for name, one in curves.items()
        if len(one.events)
    ]
    return Table(
        "regain",
        "What a correction at its onset regains",
        "Events of the masks without corrections. Cost: points of J&F that the event "
        "takes off. Regain: points that come back when the object is corrected in its "
        "first frame and the video is segmented again; above the cost, other failures "
        "went with it. Largest first.",
        pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(),
        [
            text("corrected", "Method"),
            text("sequence", "Sequence"),
            number("object", "Object"),
            text("kind", "Kind"),
            text("start", "From"),
            text("end", "To"),
            Column("cost", "Cost", 2, 100.0),
            Column("regain", "Regain", 2, 100.0),
        ],
    )

"""What our own network costs and reaches at other settings, beside a run of it."""

from __future__ import annotations

import pandas as pd

from evaluation.leaderboard.settings import (
    DEVICES,
    find_setting,
    measured_settings,
    recommend,
)
from evaluation.report.material import Material, Method
from evaluation.report.tables import Table, number, percent, text


def settings_table(material: Material) -> Table:
    """The measured settings of the networks that the runs are of; else no rows."""
    models = dict.fromkeys(_model(method) for method in material.methods)
    parts = [measured_settings(model) for model in models if model]
    data = pd.concat(parts) if parts else pd.DataFrame()
    if len(data):
        data = data.sort_values(["model", "device", "cost"], ignore_index=True)
        data["on_frontier"] = data["frontier"].map({True: "yes", False: ""})
    return Table(
        "settings",
        "Settings of our own network: quality per second",
        "Measured by s3fo on videos of its own (`benchmarks/frontier.md`), not on the "
        "benchmark of this report. Cost: seconds per frame over those at 384 pixels in "
        "bfloat16. Frontier: among settings with the usual memory, none costs less and "
        "reaches as much; which memory is better, so few videos do not tell. "
        + " ".join(filter(None, (_advice(model) for model in models if model))),
        data,
        [
            text("model", "Network"),
            text("device", "Device"),
            number("size", "Size"),
            text("precision", "Precision"),
            text("memory", "Memory"),
            number("cost", "Cost", 2),
            percent("J&F", "J&F"),
            text("on_frontier", "Frontier"),
        ],
    )


def project_settings(material: Material) -> pd.DataFrame:
    """Where the runs of our own network would be at the settings on its frontier.

    A run's frames per second are divided by the ratio of the measured costs, and the
    difference of the measured J&F is added to its own: a projection, no measurement.

    Returns:
        Rows ``method``, ``fps`` and the metric of the material, the cheapest first;
        none where the setting of a run was not measured on its device.
    """
    rows = []
    for method in material.methods:
        made, fps = method.run.record, method.run.frames_per_second
        model = _model(method)
        if made is None or fps is None or model is None:
            continue
        own = find_setting(model, made.device, made.settings)
        if own is None:
            continue
        table = measured_settings(model, made.device)
        for row in table[table["frontier"]].sort_values("cost").to_dict("records"):
            rows.append(
                {
                    "method": method.name,
                    "fps": fps * own["cost"] / row["cost"],
                    material.metric: method.headline + row["J&F"] - own["J&F"],
                }
            )
    return pd.DataFrame(rows)


def _model(method: Method) -> str | None:
    """Name of our own network whose run this is, where settings of it are measured."""
    made = method.run.record
    if made is None or made.method != "s3":
        return None
    model = made.settings.get("model")
    known = set(measured_settings()["model"])
    return model if isinstance(model, str) and model in known else None


def _advice(model: str) -> str:
    """A recommendation per device, in words."""
    told = []
    for device in DEVICES:
        found = recommend(device, model)
        if not found:
            told.append(f"On {device}: not measured.")
            continue
        aims = ", ".join(
            f"{item.aim}: {item.size} pixels in {item.precision}, memory {item.memory}"
            for item in found
        )
        told.append(f"Recommended on {device}: {aims}.")
    return f"{model}. " + " ".join(told)

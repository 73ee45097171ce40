"""What was measured: benchmark, protocol, methods, machines, speed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from evaluation._utils.version import __version__
from evaluation.report.material import Material, Method
from evaluation.report.tables import Table, number, percent, text
from evaluation.results.text import notes_to_show


def speed_table(material: Material) -> Table:
    """Speed as the prediction recorded it."""
    rows = []
    for method in material.methods:
        made = method.run.record
        if made is None or method.run.frames_per_second is None:
            continue
        done = made.sequences.values()
        rows.append(
            {
                "method": method.name,
                material.metric: method.headline,
                "fps": method.run.frames_per_second,
                "frames": sum(item.frames for item in done),
                "seconds": sum(item.seconds for item in done),
                "memory": max((item.peak_memory_mb or 0 for item in done), default=0)
                or None,
                "device": made.device,
                "hardware": _list_values(made.hardware),
                "started": made.started,
            }
        )
    return Table(
        "speed",
        "Frames per second",
        "Frames per second of the prediction, reading images and writing masks "
        "included, on the machine named; other machines and settings give others.",
        pd.DataFrame(rows),
        [
            text("method", "Method"),
            percent(material.metric, "J&F"),
            number("fps", "Frames/s", 1),
            number("frames", "Frames"),
            number("seconds", "Seconds", 1),
            number("memory", "Peak, MB"),
            text("device", "Device"),
            text("hardware", "Machine"),
        ],
    )


def facts_table(material: Material) -> Table:
    """What was measured, with what, on what."""
    rows = [{"about": "benchmark", **row} for row in _benchmark_facts(material)]
    for method in material.methods:
        rows += [{"about": method.name, **row} for row in _method_facts(method)]
    return Table(
        "measured",
        "Inputs and settings",
        "From the benchmark, and from the record in each results folder.",
        pd.DataFrame(rows),
        [text("about", ""), text("what", "What"), text("value", "Value")],
    )


def protocol_table(material: Material) -> Table:
    """The rules in words."""
    protocol = material.protocol
    rules = {"name": protocol.name, "source": protocol.source, **protocol.rules()}
    if protocol.remark:
        rules["remark"] = protocol.remark
    return Table(
        "protocol",
        f"Protocol: {protocol.title}",
        "The rules that every score here was made by.",
        pd.DataFrame({"rule": list(rules), "words": list(rules.values())}),
        [text("rule", "Rule"), text("words", "In words")],
    )


def _benchmark_facts(material: Material) -> list[dict[str, str]]:
    scores = material.main.scores
    facts = {
        "name": " ".join(part for part in (material.benchmark, material.split) if part),
        "protocol": material.protocol.describe(),
        "sequences": str(len(set(scores.object_columns["sequence"]))),
        "objects": str(len(scores.object_columns["sequence"])),
        "scored frames of all objects": str(sum(scores.object_columns["n_frames"])),
        "appearance described by": material.attributes.extractor,
        "scored with": f"s3fo {__version__}",
    }
    notes = (*material.notes, *material.attributes.notes, *material.breakdown.notes)
    rows = [{"what": key, "value": value} for key, value in facts.items()]
    return rows + [{"what": "note", "value": note} for note in notes_to_show(notes)]


def _method_facts(method: Method) -> list[dict[str, str]]:
    made, scores = method.run.record, method.scores
    facts: dict[str, Any] = {
        "masks": scores.inputs.get("results", ""),
        "fingerprint of all masks read": scores.fingerprint,
        "method": made.method if made else "not recorded: masks from elsewhere",
    }
    if made:
        settings = dict(made.settings)
        facts |= {
            "weights": _list_values(settings.pop("weights", None) or {}),
            "settings": _list_values(settings),
            "predicted": made.started,
            "predicted with": _list_values(made.versions),
            "device": made.device,
            "machine": _list_values(made.hardware),
            "failed videos": _list_values(made.failures),
            "videos of another run": ", ".join(made.others),
        }
    rows = [{"what": key, "value": str(v)} for key, v in facts.items() if v]
    told = notes_to_show(scores.notes)
    return rows + [{"what": "note", "value": note} for note in told]


def _list_values(values: Mapping[str, object] | str) -> str:
    """Names and values on one line; what is unset or nested in its own words."""
    if isinstance(values, str):
        return values
    return ", ".join(
        f"{key} ({_list_values(value)})"
        if isinstance(value, Mapping)
        else f"{key} {value}"
        for key, value in values.items()
        if value is not None
    )

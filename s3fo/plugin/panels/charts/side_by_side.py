"""What the panel "Side by side" draws: frames, curves and events of two methods."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TypedDict

import fiftyone as fo
import pandas as pd

from s3fo.datasets.reading import frame_table, tables
from s3fo.datasets.scoring.frame_masks import TRUTH
from s3fo.datasets.views.colours import line_colour
from s3fo.plugin.panels.charts.parts import method_style

_RATE = 24.0
"""Frames per second where a video does not say."""


class Column(TypedDict):
    """One of the pictures beside each other."""

    name: str
    colour: str


class ObjectRow(TypedDict):
    """An object in the timeline: evaluation -> J&F per frame, None if unscored."""

    object: int
    colour: str
    curves: dict[str, list[float | None]]


class EventBar(TypedDict):
    """A failure in the timeline, in the colour of its method."""

    key: str
    object: int
    start: int
    end: int
    kind: str
    text: str


class Comparison(TypedDict):
    """A video under two evaluations, as the App's own code draws it.

    Attributes:
        sequence: its name.
        rate: frames per second.
        folder: of the images, with a slash at the end; empty where there are none.
        images: their names; one per frame.
        columns: ground truth, then the evaluations.
        rows: one per object.
        events: failures, where they were found.
    """

    sequence: str
    rate: float
    folder: str
    images: list[str]
    columns: list[Column]
    rows: list[ObjectRow]
    events: list[EventBar]


def comparison(
    dataset: fo.Dataset, sample_id: str, eval_keys: Sequence[str]
) -> Comparison:
    """What is drawn of a video.

    Args:
        dataset: evaluated.
        sample_id: of the video.
        eval_keys: evaluations, one or two.
    """
    video = dataset.select(sample_id)
    (paths,), (sequence,), (rate,) = video.values(
        ["frames.filepath", "sequence", "metadata.frame_rate"]
    )
    folders = {str(PurePath(path).parent) for path in paths}
    alone = len(folders) == 1  # Else names alone would not find them.
    scores = {
        key: frame_table.object_frames(dataset, key, sample_id) for key in eval_keys
    }

    def column(key: str) -> Column:
        return {"name": key, "colour": method_style(dataset, key).colour}

    objects = sorted({int(own) for table in scores.values() for own in table["object"]})
    return {
        "sequence": str(sequence),
        "rate": float(rate or _RATE),
        "folder": f"{folders.pop()}/" if alone else "",
        "images": [PurePath(path).name if alone else str(path) for path in paths],
        "columns": [Column(name=TRUTH, colour=""), *map(column, eval_keys)],
        "rows": [
            {
                "object": own,
                "colour": line_colour(own),
                "curves": {
                    key: _curve(table[table["object"] == own], len(paths))
                    for key, table in scores.items()
                },
            }
            for own in objects
        ],
        "events": [bar for key in eval_keys for bar in _bars(dataset, key, sample_id)],
    }


def _curve(table: pd.DataFrame, count: int) -> list[float | None]:
    """J&F of an object in every frame, to three digits."""
    found: list[float | None] = [None] * count
    known = table.dropna(subset=["J", "F"])
    means = (known["J"] + known["F"]) / 2
    for number, mean in zip(known["number"], means, strict=True):
        found[int(number) - 1] = round(float(mean), 3)
    return found


def _bars(dataset: fo.Dataset, eval_key: str, sample_id: str) -> list[EventBar]:
    events = tables.event_table(dataset, eval_key)
    own = events[events["sample_id"] == sample_id]
    return [
        {
            "key": eval_key,
            "object": int(event["object"]),
            "start": int(event["start"]),
            "end": int(event["end"]),
            "kind": str(event["kind"]),
            "text": f"{eval_key}, object {event['object']}: {event['kind']}, frames "
            f"{event['start']} to {event['end']}, {100 * event['cost']:.2f} points",
        }
        for event in own.to_dict("records")
    ]

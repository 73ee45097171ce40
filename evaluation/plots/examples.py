"""What attributes mean: objects of a benchmark from the least to the most of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluation.attributes import ATTRIBUTES, Attributes
from evaluation.attributes.video import AnnotatedVideo, read_objects
from evaluation.masks.label_map import join_objects
from evaluation.plots.drawing import frame_picture, outlined, show
from evaluation.plots.style import FIRST, WIDTH, style

SHOWN = (
    "occlusion", "similarity", "background_similarity", "size", "speed", "deformation",
    "appearance_change", "complexity", "crowdedness",
)  # fmt: skip
"""Attributes that a single frame can show an example of."""

_FRAME_COLUMN = {"size": "area_fraction"}
"""Column of the frames table, where it is named otherwise."""

_COLUMNS = 5
_LEFT, _CAPTION, _GAP, _TALLEST = 0.28, 0.15, 0.03, 1.3
"""Inches."""


def attribute_examples(
    attributes: Attributes,
    videos: Iterable[AnnotatedVideo],
    names: Sequence[str] = SHOWN,
) -> Figure | None:
    """Show five objects per attribute: least, quartiles, most, with their values.

    Each is shown in the frame whose own value is nearest to the object's.

    Args:
        attributes: of the benchmark.
        videos: of the benchmark, as `evaluation.attributes.video.open_videos` gives.
        names: attributes, among `SHOWN`; those on which all objects agree, or that
            were not measured, are left out.

    Returns:
        The figure; None where nothing is left to show.
    """
    by_name = {video.name: video for video in videos}
    objects = attributes.objects
    told = [name for name in names if objects[name].nunique() > 1]
    if not told:
        return None
    cell = (WIDTH - _LEFT) / _COLUMNS
    row = min(_TALLEST, 0.62 * cell) + _CAPTION
    height = len(told) * row
    with style():
        figure = Figure(figsize=(WIDTH, height))
        for line, name in enumerate(told):
            for column, example in enumerate(_spread(objects, name)):
                left, bottom = _LEFT + column * cell, (len(told) - 1 - line) * row
                place = np.array([left, bottom, cell - _GAP, row - _CAPTION])
                axes = figure.add_axes(tuple(place / [WIDTH, height, WIDTH, height]))
                _draw(axes, example, name, attributes.frames, by_name)
                if column == 0:
                    _name_row(axes, ATTRIBUTES[name].title)
    return figure


def attribute_spread(attributes: Attributes) -> Figure:
    """Histograms over all objects, one per number or count that sets them apart."""
    objects = attributes.objects
    shown = [
        item
        for item in ATTRIBUTES.values()
        if item.kind in ("number", "count") and objects[item.name].nunique() > 1
    ]
    rows = -(-len(shown) // 4)
    with style():
        figure = Figure(
            figsize=(WIDTH, 0.3 + 1.05 * max(rows, 1)), layout="constrained"
        )
        for number, item in enumerate(shown, start=1):
            axes = figure.add_subplot(rows, 4, number)
            values = objects[item.name].dropna().to_numpy(float)
            axes.hist(values, bins=min(12, len(values)), color=FIRST)
            axes.set_title(item.title, fontsize=7, pad=2)
            axes.set_xlabel(item.unit, fontsize=6, labelpad=1)
            axes.tick_params(labelsize=6, length=2, pad=1)
            axes.locator_params(nbins=4)
        figure.supylabel("objects", fontsize=7)
    return figure


def _spread(objects: pd.DataFrame, name: str) -> list[dict[str, object]]:
    """Up to five objects at even steps of an attribute's order."""
    known = objects.dropna(subset=[name]).sort_values(name, kind="stable")
    steps = np.linspace(0, len(known) - 1, min(_COLUMNS, len(known)))
    rows = known.iloc[steps.round().astype(int)].to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]


def _draw(
    axes: Axes,
    example: dict[str, Any],
    name: str,
    frames: pd.DataFrame,
    videos: dict[str, AnnotatedVideo],
) -> None:
    """One object in the frame that is most like its value."""
    sequence, object_id = example["sequence"], int(example["object"])
    own = frames[(frames["sequence"] == sequence) & (frames["object"] == object_id)]
    own = own[own["visible"]].dropna(subset=[_FRAME_COLUMN.get(name, name)])
    away = (own[_FRAME_COLUMN.get(name, name)] - example[name]).abs()
    frame = str(own["frame"].loc[away.idxmin()])
    masks = read_objects(videos[sequence], frame)
    label_map = masks if isinstance(masks, np.ndarray) else join_objects(masks)
    image = frame_picture(videos[sequence].images, frame, label_map.shape)
    show(axes, outlined(image, label_map, object_id), "equal")
    who = sequence if len(sequence) <= 20 else f"{sequence[:18]}..."
    digits = 3 if abs(example[name]) < 1 else 2
    title = f"{who}, {object_id}: {example[name]:.{digits}f}"
    axes.set_title(title, fontsize=6, pad=1)


def _name_row(axes: Axes, title: str) -> None:
    """The attribute's name along the left side of its first picture."""
    lines = "\n".join(wrap(title, 14))
    place = {"transform": axes.transAxes, "ha": "right", "va": "center"}
    axes.text(-0.04, 0.5, lines, rotation=90, fontsize=6, **place)  # type: ignore[arg-type]

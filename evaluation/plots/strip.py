"""A failure at a glance: onset, worst frame and end, truth beside prediction."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from evaluation.attributes.regions import Box, region_of
from evaluation.failures.compared import ComparedMasks
from evaluation.masks.label_map import LabelMap, as_label_map
from evaluation.plots.drawing import (
    Picture,
    canvas,
    cut,
    frame_picture,
    outlined,
    show,
)
from evaluation.plots.errors import (
    PIXEL_COLOURS,
    PIXEL_NAMES,
    Pixel,
    error_map,
    lay_over,
)
from evaluation.plots.style import WIDTH, style

STRIP_COLUMNS = ("onset", "worst", "end")
STRIP_ROWS = ("ground truth", "prediction", "errors")
_MARGIN = 0.25
"""Surroundings shown on each side of the object, of its larger box side."""

# Inches: beside and below the pictures, between them, and the tallest picture.
_LEFT, _BELOW, _GAP, _TALLEST = 0.25, 0.28, 0.03, 2.4
_TEXT_LINE, _CHARACTERS = 0.135, 100
"""Height of a line of the title, inches, and how much text one holds."""


def error_map_figure(
    image: NDArray[np.uint8] | None,
    truth: LabelMap,
    predicted: LabelMap,
    object_id: int | None = None,
    title: str = "",
) -> Figure:
    """Error map of a frame with its legend.

    Args:
        image: [H, W, 3] RGB; None draws on grey.
        truth: [H, W] ground truth.
        predicted: [H, W] prediction.
        object_id: the object it is about; None for all.
        title: above the picture.
    """
    errors = error_map(truth, predicted, object_id)
    height, width = errors.shape
    with style():
        figure = Figure(figsize=(WIDTH, WIDTH * height / width + 0.55))
        axes = figure.add_axes((0.0, 0.3 / figure.get_figheight(), 1.0, 0.0))
        axes.set_position(
            (0, 0.3 / figure.get_figheight(), 1, 1 - 0.55 / figure.get_figheight())
        )
        show(axes, lay_over(canvas(image, errors.shape), errors))
        axes.set_title(title, pad=4)
        _legend(figure)
    return figure


def failure_strip(
    event: Mapping[str, Any],
    masks: ComparedMasks,
    images: Mapping[str, Path] | None = None,
    numbers: Mapping[str, int] | None = None,
    *,
    titled: bool = True,
) -> Figure:
    """Three frames of a failure event, zoomed to what it is about.

    Args:
        event: a row of the events table of `Failures`.
        masks: what was compared.
        images: image file by frame name of the event's sequence; None draws on grey.
        numbers: what a player calls a frame, by its name, to be named as well.
        titled: whether what happened and what it cost stands above.
    """
    frames = _frames(event)
    rows = strip_pictures(event, masks, images)
    cell = (WIDTH - _LEFT) / 3
    shape = rows[0][0].shape
    row = min(_TALLEST, cell * shape[0] / shape[1])
    title = _headline(event) if titled else ""
    above = 0.27 + _TEXT_LINE * (1 + title.count("\n")) * titled
    height = 3 * row + above + _BELOW
    with style():
        figure = Figure(figsize=(WIDTH, height))
        figure.text(0.5, 1 - 0.05 / height, title, ha="center", va="top")
        for line, pictures in enumerate(rows):
            for column, picture in enumerate(pictures):
                left, bottom = _LEFT + column * cell, _BELOW + (2 - line) * row
                place = np.array([left, bottom, cell - _GAP, row - _GAP])
                axes = figure.add_axes(tuple(place / [WIDTH, height, WIDTH, height]))
                show(axes, picture, "equal")
                if line == 0:
                    frame = frames[column]
                    called = frame_label(frame, (numbers or {}).get(frame))
                    axes.set_title(f"{STRIP_COLUMNS[column]}: frame {called}", pad=3)
                if column == 0:
                    name_row(axes, STRIP_ROWS[line])
        _legend(figure)
    return figure


def strip_pictures(
    event: Mapping[str, Any],
    masks: ComparedMasks,
    images: Mapping[str, Path] | None = None,
) -> list[list[Picture]]:
    """The pictures of `failure_strip`: a row per `STRIP_ROWS`, each of three frames.

    Args:
        event: as for `failure_strip`.
        masks: what was compared.
        images: image file by frame name; None draws on grey.
    """
    sequence, object_id = str(event["sequence"]), int(event["object"])
    maps = [_frame(masks, sequence, frame) for frame in _frames(event)]
    window = window_around(maps, object_id)
    columns = [
        _rows(frame_picture(images, frame, pair[0].shape), pair, object_id)
        for frame, pair in zip(_frames(event), maps, strict=True)
    ]
    return [
        [cut(picture, window) for picture in row] for row in zip(*columns, strict=True)
    ]


def _frames(event: Mapping[str, Any]) -> list[str]:
    return [str(event[when]) for when in ("start", "worst", "end")]


def frame_label(name: str, number: int | None = None) -> str:
    """What people call a frame: its file's name, behind the player's number if known.

    >>> frame_label("00004", 5)
    '5 (file 00004)'
    """
    return name if number is None else f"{number} (file {name})"


def _rows(
    image: Picture, maps: tuple[LabelMap, LabelMap], object_id: int
) -> list[Picture]:
    """Ground truth, prediction and errors of one frame."""
    errors = error_map(*maps, object_id)
    masks = [outlined(image, label_map, object_id) for label_map in maps]
    return [*masks, lay_over(image, errors)]


def name_row(axes: Axes, name: str) -> None:
    """Write what a row of pictures is beside the first one."""
    place = {"transform": axes.transAxes, "ha": "right", "va": "center"}
    axes.text(-0.03, 0.5, name, rotation=90, **place)  # type: ignore[arg-type]


def _headline(event: Mapping[str, Any]) -> str:
    """What happened, what it cost and what came before, broken into lines."""
    other = f" (object {event['other']})" if event["other"] else ""
    cost = f"{event['n_frames']} frames, costs {100 * event['cost']:.2f} points of J&F"
    onset = f"; {event['onset']}" if event.get("onset") else ""
    lines = [
        f"{event['sequence']}, object {event['object']}: {event['kind']}{other}",
        cost + onset,
    ]
    return "\n".join(part for line in lines for part in wrap(line, _CHARACTERS))


def _frame(
    masks: ComparedMasks, sequence: str, frame: str
) -> tuple[LabelMap, LabelMap]:
    truth, predicted = masks.read(sequence, frame)
    return as_label_map(truth, predicted), as_label_map(predicted, truth)


def window_around(maps: list[tuple[LabelMap, LabelMap]], object_id: int) -> Box:
    """Part of the frame around an object and its prediction in all frames.

    Args:
        maps: label maps [H, W] of one video: ground truth and prediction.
        object_id: the object.
    """
    boxes = []
    for pair in maps:
        for label_map in pair:
            region = region_of(label_map == object_id)
            if region is not None:
                boxes.append(region.box)
    height, width = maps[0][0].shape
    if not boxes:
        return Box(0, 0, height, width)
    around = Box(
        min(box.top for box in boxes),
        min(box.left for box in boxes),
        max(box.bottom for box in boxes),
        max(box.right for box in boxes),
    )
    side = max(around.height, around.width)
    around = around.grown(max(8, round(_MARGIN * side)))
    return _fit_to_shape(around, height, width)


def _fit_to_shape(around: Box, height: int, width: int) -> Box:
    """The smallest window of the frame's proportions that holds a box."""
    scale = min(1.0, max(around.height / height, around.width / width))
    rows, columns = round(scale * height), round(scale * width)
    top = (around.top + around.bottom - rows) // 2
    left = (around.left + around.right - columns) // 2
    top, left = np.clip(top, 0, height - rows), np.clip(left, 0, width - columns)
    return Box(int(top), int(left), int(top) + rows, int(left) + columns)


def _legend(figure: Figure) -> None:
    patches = [
        Patch(
            facecolor=PIXEL_COLOURS[pixel], edgecolor="black", linewidth=0.4, label=name
        )
        for pixel, name in PIXEL_NAMES.items()
    ]
    figure.legend(
        handles=patches,
        loc="lower center",
        ncols=len(Pixel) - 1,
        frameon=False,
        borderaxespad=0.3,
        handlelength=1.2,
    )

"""A failure at a glance: onset, worst frame and end, truth beside prediction."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from evaluation.attributes.regions import Box, region_of
from evaluation.failures.compared import ComparedMasks
from evaluation.labelmap import LabelMap, davis_palette
from evaluation.pictures.errors import (
    PIXEL_COLOURS,
    PIXEL_NAMES,
    Pixel,
    as_label_map,
    error_map,
    lay_over,
)
from evaluation.pictures.style import WIDTH, style

_COLUMNS = ("onset", "worst", "end")
_ROWS = ("ground truth", "prediction", "errors")
_MARGIN = 0.25
"""Surroundings shown on each side of the object, of its larger box side."""


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
        _show(axes, lay_over(_canvas(image, errors.shape), errors))
        axes.set_title(title, pad=4)
        _legend(figure)
    return figure


def failure_strip(
    event: Mapping[str, Any],
    masks: ComparedMasks,
    images: Mapping[str, Path] | None = None,
) -> Figure:
    """Three frames of a failure event, zoomed to what it is about.

    Args:
        event: a row of the events table of `Failures`.
        masks: what was compared.
        images: image file by frame name of the event's sequence; None draws on grey.
    """
    frames = [str(event[when]) for when in ("start", "worst", "end")]
    object_id = int(event["object"])
    maps = [_frame(masks, str(event["sequence"]), frame) for frame in frames]
    window = _window(maps, object_id)
    cell = (WIDTH - 0.25) / 3
    row = cell * window.height / window.width
    height = 3 * row + 0.7
    with style():
        figure = Figure(figsize=(WIDTH, height))
        figure.text(0.5, 1 - 0.05 / height, _headline(event), ha="center", va="top")
        for column, frame in enumerate(frames):
            truth, predicted = maps[column]
            image = _canvas(_read(images, frame, truth.shape), truth.shape)
            pictures = (
                _outlined(image, truth, object_id),
                _outlined(image, predicted, object_id),
                lay_over(image, error_map(truth, predicted, object_id)),
            )
            for line, picture in enumerate(pictures):
                left, bottom = 0.25 + column * cell, 0.28 + (2 - line) * row
                axes = figure.add_axes(
                    (
                        left / WIDTH,
                        bottom / height,
                        (cell - 0.03) / WIDTH,
                        (row - 0.03) / height,
                    )
                )
                _show(axes, _cut(picture, window))
                if line == 0:
                    axes.set_title(f"{_COLUMNS[column]}: frame {frame}", pad=3)
                if column == 0:
                    _name_row(axes, _ROWS[line])
        _legend(figure)
    return figure


def _name_row(axes: Axes, name: str) -> None:
    place = {"transform": axes.transAxes, "ha": "right", "va": "center"}
    axes.text(-0.03, 0.5, name, rotation=90, **place)  # type: ignore[arg-type]


def _headline(event: Mapping[str, Any]) -> str:
    other = f" (object {event['other']})" if event["other"] else ""
    onset = f"; {event['onset']}" if event.get("onset") else ""
    return (
        f"{event['sequence']}, object {event['object']}: {event['kind']}{other}, "
        f"{event['n_frames']} frames, costs {100 * event['cost']:.2f} points of J&F"
        f"{onset}"
    )


def _frame(
    masks: ComparedMasks, sequence: str, frame: str
) -> tuple[LabelMap, LabelMap]:
    truth, predicted = masks.read(sequence, frame)
    return as_label_map(truth, predicted), as_label_map(predicted, truth)


def _read(
    images: Mapping[str, Path] | None, frame: str, shape: tuple[int, ...]
) -> NDArray[np.uint8] | None:
    if not images or frame not in images:
        return None
    image = cv2.imread(str(images[frame]), cv2.IMREAD_COLOR)
    if image is None:
        return None
    if image.shape[:2] != shape:
        image = cv2.resize(image, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(image[..., ::-1], dtype=np.uint8)


def _canvas(
    image: NDArray[np.uint8] | None, shape: tuple[int, ...]
) -> NDArray[np.uint8]:
    return np.full((*shape, 3), 170, np.uint8) if image is None else image


def _outlined(
    image: NDArray[np.uint8], label_map: LabelMap, object_id: int
) -> NDArray[np.uint8]:
    """All objects tinted in their colours, the one in question strongly and edged."""
    tinted = image.astype(np.float32)
    for other in np.unique(label_map).tolist():
        if other == 0:
            continue
        weight = 0.6 if other == object_id else 0.3
        here = label_map == other
        tinted[here] = (1 - weight) * tinted[here] + weight * davis_palette()[
            other % 256
        ]
    picture = tinted.astype(np.uint8)
    mask = (label_map == object_id).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    thickness = max(1, round(min(label_map.shape) / 240))
    cv2.drawContours(picture, contours, -1, (255, 255, 255), thickness)
    return picture


def _window(maps: list[tuple[LabelMap, LabelMap]], object_id: int) -> Box:
    """Part of the frame around the object and its prediction in all frames."""
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
    return _shaped(around, height, width)


def _shaped(around: Box, height: int, width: int) -> Box:
    """The smallest window of the frame's proportions that holds a box."""
    scale = min(1.0, max(around.height / height, around.width / width))
    rows, columns = round(scale * height), round(scale * width)
    top = (around.top + around.bottom - rows) // 2
    left = (around.left + around.right - columns) // 2
    top, left = np.clip(top, 0, height - rows), np.clip(left, 0, width - columns)
    return Box(int(top), int(left), int(top) + rows, int(left) + columns)


def _cut(picture: NDArray[np.uint8], window: Box) -> NDArray[np.uint8]:
    return picture[window.top : window.bottom, window.left : window.right]


def _show(axes: Axes, picture: NDArray[np.uint8]) -> None:
    axes.imshow(picture, interpolation="bilinear", aspect="auto")
    axes.set_axis_off()


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

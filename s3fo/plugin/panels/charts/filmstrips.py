"""Filmstrips: pictures in rows and columns, with texts in the colours of the App."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TypedDict

import cv2
from fiftyone.operators import types

from evaluation.plots.drawing import Picture

_WIDEST = 480
"""Pixels of a picture in a strip: the widest that a panel shows it."""


class Sign(TypedDict):
    """What a colour means."""

    name: str
    colour: str


@dataclass(frozen=True)
class Filmstrip:
    """What a filmstrip shows; all texts are read as they are.

    Attributes:
        columns: what stands above each column.
        rows: what each row is.
        pictures: row -> column -> source of an image.
        legend: of colours that are no object's.
    """

    columns: tuple[str, ...]
    rows: tuple[str, ...]
    pictures: tuple[tuple[str, ...], ...]
    legend: tuple[Sign, ...] = ()


def jpeg_sources(rows: Sequence[Sequence[Picture]]) -> tuple[tuple[str, ...], ...]:
    """Pictures as sources of images."""
    return tuple(tuple(map(_jpeg_source, row)) for row in rows)


def _jpeg_source(picture: Picture) -> str:
    height, width = picture.shape[:2]
    if width > _WIDEST:
        size = (_WIDEST, round(height * _WIDEST / width))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()


def lay_out_strip(panel: types.Object, strip: Filmstrip) -> None:
    """Add a filmstrip.

    In the layout, not in data or state: the App sends these back.
    """
    view = types.View(component="Filmstrip", composite_view=True, strip=asdict(strip))
    panel.view("strip", view)

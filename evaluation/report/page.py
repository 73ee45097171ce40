"""The report as one HTML page, as Markdown and as LaTeX."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from evaluation._utils.version import __version__
from evaluation.masks.pictures import read_picture
from evaluation.report.material import Material
from evaluation.report.tables import FORMATS, Table
from evaluation.report.templates import environment
from evaluation.report.verdict import Finding, points

MOST_ROWS = 1000
"""Rows of a table that the HTML page shows; all are in its files."""

_MOST_ROWS_IN_TEXT = 25
_SECTIONS = (
    ("fix", "What to fix first", ("fix_first",)),
    ("scores", "Scores", ("methods", "comparison")),
    ("speed", "Speed", ("speed", "throughput", "settings")),
    (
        "events",
        "The costliest failures",
        ("events", "reviews", "kinds", "circumstances"),
    ),
    ("corrections", "What corrections regain", ("corrections", "regain")),
    ("attributes", "By attribute", ("attributes", "trends", "differences")),
    ("sequences", "By sequence and object", ("sequences", "objects")),
    ("measured", "What was measured", ("measured", "protocol")),
)
"""Name, heading and tables of each section, in reading order."""


@dataclass(frozen=True)
class Picture:
    """A figure of the report.

    Attributes:
        name: of its files.
        title: caption.
        section: where it belongs; empty for files only.
        out: folder of the report.
        png: file, relative to the report.
        svg: file, relative to the report.
        photograph: whether it shows video frames rather than a chart.
    """

    name: str
    title: str
    section: str
    out: Path
    png: str
    svg: str
    photograph: bool

    @property
    def source(self) -> str:
        """The picture itself as an address that needs no file."""
        if not self.photograph:
            return _address("image/svg+xml", (self.out / self.svg).read_bytes())
        pixels = read_picture(self.out / self.png)
        _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 88])
        return _address("image/jpeg", encoded.tobytes())


@dataclass(frozen=True)
class Section:
    """One section of the page."""

    name: str
    heading: str
    tables: Sequence[Table]
    pictures: Sequence[Picture]


def render(
    title: str,
    material: Material,
    findings: Sequence[Finding],
    tables: Mapping[str, Table],
    pictures: Sequence[Picture],
) -> dict[str, str]:
    """File name -> content of the page in its three forms."""
    context = {
        "title": title,
        "material": material,
        "findings": findings,
        "sections": _sections(tables, pictures),
        "headline": points(material.main.headline),
        "headline_name": material.protocol.headline_metric.removesuffix("_adaptive"),
        "version": __version__,
        "formats": FORMATS,
        "most": MOST_ROWS,
        "most_in_text": _MOST_ROWS_IN_TEXT,
    }
    return {
        f"report.{ending}": environment(ending)
        .get_template(f"report.{ending}")
        .render(context)
        for ending in ("html", "md", "tex")
    }


def table_page(table: Table) -> str:
    """One table as a page of its own that needs nothing else."""
    return environment("html").get_template("table.html").render(table=table)


def _sections(
    tables: Mapping[str, Table], pictures: Sequence[Picture]
) -> list[Section]:
    made = [
        Section(
            name,
            heading,
            [tables[key] for key in keys if key in tables],
            [picture for picture in pictures if picture.section == name],
        )
        for name, heading, keys in _SECTIONS
    ]
    return [section for section in made if section.tables or section.pictures]


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"

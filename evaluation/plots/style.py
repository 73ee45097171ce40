"""How pictures look: as wide as a thesis' text, legible in print, colour-blind safe."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text

from evaluation._utils.atomic import write_atomically
from evaluation._utils.names import storable
from evaluation.failures.kinds import FailureKind

WIDTH = 6.3
"""Inches: the text width of an A4 thesis."""

_PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_MARKERS = ("o", "s", "D", "^", "v", "P")


FIRST, SECOND, THIRD = _PALETTE[:3]
"""Colours of what is no method: two curves, sources of a leaderboard."""


class MethodStyle(NamedTuple):
    """How a method is drawn: ``"#RRGGBB"``, and a marker of matplotlib."""

    colour: str
    marker: str


def method_styles(methods: Iterable[str]) -> dict[str, MethodStyle]:
    """The look of every method, which it keeps when others are added.

    A name has a colour that it prefers, whatever else is drawn. Where two prefer the
    same one, the first of them keeps it, and the other takes the next free colour.
    From the seventh method on colours come again, with another marker.

    Args:
        methods: all that are known, also those that one chart leaves out; in the order
            in which they came, as a dataset's evaluations, the oldest first.

    Returns:
        By name.

    Example:
        >>> method_styles(["s3", "flow"])["flow"].colour
        '#D55E00'
    """
    found: dict[str, MethodStyle] = {}
    count = len(_PALETTE)
    for name in dict.fromkeys(methods):
        again = len(found) // count
        wanted = _preferred(name)
        taken = {look.colour for look in list(found.values())[again * count :]}
        turn = next(k for k in range(count) if _colour(wanted + k) not in taken)
        marker = _MARKERS[(wanted + turn + again) % len(_MARKERS)]
        found[name] = MethodStyle(_colour(wanted + turn), marker)
    return found


def _preferred(name: str) -> int:
    """A number of the palette that a name always has; s3fo's own three differ."""
    return zlib.crc32(b"vos " + name.encode(errors="surrogateescape")) % len(_PALETTE)


def _colour(number: int) -> str:
    return _PALETTE[number % len(_PALETTE)]


KIND_COLOURS: dict[FailureKind, str] = {
    FailureKind.FALSE_ON_ABSENT: "#F0E442",
    FailureKind.IDENTITY_SWAP: "#7B2CBF",
    FailureKind.LATE_RECOVERY: "#0072B2",
    FailureKind.MISSED: "#D55E00",
    FailureKind.DRIFT: "#E69F00",
    FailureKind.MERGE: "#CC79A7",
    FailureKind.PARTIAL: "#56B4E9",
    FailureKind.LEAK: "#009E73",
    FailureKind.BOUNDARY: "#999999",
}
"""Colour of each kind of failure; always beside its name."""


@contextmanager
def style() -> Iterator[None]:
    """Fonts and lines at their size in print."""
    settings: Any = {
        "font.size": 8,
        "axes.titlesize": 8,
        "axes.labelsize": 8,
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
        "legend.fontsize": 7,
        "axes.linewidth": 0.6,
        "lines.linewidth": 1.2,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "svg.fonttype": "none",
        # Equal figures give equal files; names are text, whatever they look like.
        "svg.hashsalt": "s3fo",
        "text.parse_math": False,
    }
    with matplotlib.rc_context(settings):
        yield


def save_figure(
    figure: Figure, path: str | os.PathLike[str], dots_per_inch: int = 200
) -> Path:
    """Write a figure as PNG, SVG or PDF by the name's ending; whole or not at all."""
    path = Path(path)
    buffer = io.BytesIO()
    form = path.suffix.lstrip(".").lower() or "png"
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    _use_storable_texts(figure)
    with style():
        figure.savefig(
            buffer,
            format=form,
            dpi=dots_per_inch,
            facecolor="white",
            metadata=undated.get(form),
        )
    write_atomically(path, buffer.getvalue())
    return path


def _use_storable_texts(figure: Figure) -> None:
    """Write what is not UTF-8 in names as fonts can: by their bytes' numbers."""
    for text in _texts(figure):
        text.set_text(storable(text.get_text()))


def _texts(artist: Artist) -> Iterator[Text]:
    """All texts under an artist, but for ticks that are not drawn.

    matplotlib makes ticks when they are asked for: most of the time, for hidden ones.
    """
    if isinstance(artist, Text):
        yield artist
    hidden = isinstance(artist, Axes) and not artist.axison
    for child in artist.get_children():
        if not (hidden and isinstance(child, Axis)):
            yield from _texts(child)

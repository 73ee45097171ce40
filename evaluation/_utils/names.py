"""Names that become parts of paths: one function refuses, another one makes them safe.

Names of sequences, frames, objects and methods come from lists, JSON files, archives
and people. A name such as ``../x`` in a list would lead out of the folder that it is
put into, so whatever becomes a path passes `safe_name` first.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from os import PathLike
from threading import RLock

from evaluation._utils.fingerprint import encoded, short_digest
from evaluation.errors import InputError

MAX_BYTES = 255
"""Bytes that the usual file systems allow in one name."""

_SEPARATOR = re.compile(r"[/\\]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DRIVE = re.compile(r"[A-Za-z]:")
_NOT_PLAIN = re.compile(r"[^\w.+=@,&()\[\]-]+")
_SUSPECT = re.compile(r"[/\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SUSPECT_LINES = re.compile(
    r"^(?:[.\s]|.:|$)|^.{61}|[/\\\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]",
    re.MULTILINE,
)
"""Finds anything in names put below each other that needs a closer look."""

_SURROGATE = re.compile("[\ud800-\udfff]")
"""How Python writes a byte of a file name that is not UTF-8."""

_SHORT = 100


def safe_name(
    name: object,
    what: str,
    where: str | PathLike[str],
    ending: str = "",
) -> str:
    """Return a name if it is one plain part of a path, and refuse it otherwise.

    Args:
        name: e.g. of a sequence.
        what: what it names, e.g. ``"sequence"``.
        where: the file or argument it comes from.
        ending: what will be appended, e.g. ``".png"``; it takes room, too.

    Returns:
        The name as it is.

    Raises:
        InputError: it is no text, empty, hidden, leads elsewhere (separators, ``..``,
            a drive), holds control characters, or is longer than file systems allow.
            Names in another encoding than UTF-8 are taken as the system gives them.

    Example:
        >>> safe_name("bear", "sequence", "val.txt")
        'bear'
    """
    reason = _fault(name, ending)
    if reason is None:
        assert isinstance(name, str)
        note_odd_names(name)
        return name
    raise InputError(
        where,
        f"the {what} name {printable(name)}, {reason}",
        f"{what} names that can be the name of one folder or file",
        f"Correct the {what} name there: no '/', '\\', leading '.', or control "
        f"characters, and at most {MAX_BYTES - len(ending)} bytes.",
    )


def check_names(
    names: Iterable[str],
    what: str,
    where: str | PathLike[str],
    ending: str = "",
) -> None:
    """Refuse names as `safe_name` does; quick for many.

    Raises:
        InputError: one of them is no plain part of a path.
    """
    known = list(names)
    with contextlib.suppress(TypeError):  # not all are texts
        together = "\n".join(known)
        plain = together.count("\n") == len(known) - 1
        if plain and not _SUSPECT_LINES.search(together):
            return
    for name in known:
        safe_name(name, what, where, ending)


def file_name(*parts: object, ending: str = "") -> str:
    """Make a file name of any words, for pictures and reports.

    Characters that could mean something to a file system or a web page become ``-``.
    A name that is too long, or in which something was replaced, ends in a few
    characters of its digest, so that different words give different names.

    Args:
        parts: e.g. a sequence, an object and a kind; joined by ``-``.
        ending: e.g. ``".png"``; appended unchanged.

    Example:
        >>> file_name("bear", 2, "lost object", ending=".png")
        'bear-2-lost-object.png'
    """
    text = "-".join(str(part) for part in parts)
    usual = text.replace(" ", "-")
    plain = _NOT_PLAIN.sub("-", usual).lstrip(".-") or "unnamed"
    if plain == usual and len(plain.encode()) <= _SHORT:
        return plain + ending
    digest = short_digest(encoded(text), 4)
    short = plain.encode()[:_SHORT].decode(errors="ignore")
    return f"{short}-{digest.hex()}{ending}"


def told_move(down: float, right: float) -> str:
    """A move in words, without minus signs and what is 0.

    Args:
        down: pixels; below 0 for up.
        right: pixels; below 0 for left.

    Example:
        >>> told_move(-3, 10), told_move(0, -6), told_move(2, 0)
        ('10 pixels to the right and 3 up', '6 pixels to the left', '2 pixels down')
    """
    across, along = round(right), round(down)
    side = f" to the {'right' if across > 0 else 'left'}" if across else ""
    height = f" {'down' if along > 0 else 'up'}" if along else ""
    if side and height:
        return f"{counted(abs(across), 'pixel')}{side} and {abs(along)}{height}"
    return f"{counted(abs(across or along), 'pixel')}{side or height}"


def storable(text: str) -> str:
    r"""A text that UTF-8 can store: names in another encoding by their bytes' numbers.

    Example:
        >>> storable("caf\udce9")
        'caf\\udce9'
    """
    return text.encode(errors="backslashreplace").decode()


def printable(text: object) -> str:
    """A name as it can be shown anywhere: quoted, odd characters escaped, shortened."""
    shown = ascii(text) if _SUSPECT.search(str(text)) else repr(text)
    return shown if len(shown) <= 80 else f"{shown[:60]}...{shown[-15:]}"


def note_odd_names(*names: str) -> None:
    """Let tables hold these names, should one of them not be UTF-8."""
    text = "".join(names)
    if not text.isascii() and _SURROGATE.search(text):
        _TABLES.meet_odd_name()


class _Tables:
    """How pandas keeps texts, which as Arrow's must be UTF-8.

    Once a name is met that is not, they are kept as Python's own, within
    `any_name_in_tables` alone: the option is everybody's.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._depth = 0
        self._met = False
        self._before: str | None = None

    def meet_odd_name(self) -> None:
        """Note that there are names that are not UTF-8."""
        with self._lock:
            self._met = True
            self._switch()

    def enter(self) -> None:
        """Begin to make tables."""
        with self._lock:
            self._depth += 1
            self._switch()

    def leave(self) -> None:
        """Leave the option as it was."""
        with self._lock:
            self._depth -= 1
            if self._depth == 0 and self._before is not None:
                import pandas as pd

                pd.set_option(_STORAGE, self._before)
                self._before = None

    def _switch(self) -> None:
        if self._met and self._depth and self._before is None:
            import pandas as pd

            self._before = pd.get_option(_STORAGE)
            pd.set_option(_STORAGE, "python")


_STORAGE = "mode.string_storage"
_TABLES = _Tables()


@contextmanager
def any_name_in_tables() -> Iterator[None]:
    """While tables are made and read: they may hold names that are not UTF-8.

    Also a decorator of functions that make tables.

    >>> with any_name_in_tables():
    ...     pass
    """
    _TABLES.enter()
    try:
        yield
    finally:
        _TABLES.leave()


def _fault(name: object, ending: str) -> str | None:
    """Why a name cannot be one part of a path; None if it can."""
    if not isinstance(name, str):
        return f"which is a {type(name).__name__}, not a text"
    if not name.strip():
        return "which is empty"
    if _CONTROL.search(name):
        return "which holds control characters"
    if name in (".", "..") or _SEPARATOR.search(name) or _DRIVE.match(name):
        return "which leads to another folder"
    if name.startswith("."):
        return "which is hidden"
    try:
        length = len(os.fsencode(name))
    except UnicodeEncodeError:
        return "which no file system can store"
    if length > MAX_BYTES - len(ending.encode()):
        return f"which has {length} bytes"
    return None


def as_names(names: str | Iterable[str]) -> list[str]:
    """The names that were given: a text is one name, not one per letter.

    >>> as_names("12"), as_names({"b": 1, "a": 2})
    (['12'], ['b', 'a'])

    Args:
        names: one, or several.
    """
    return [names] if isinstance(names, str) else [str(name) for name in names]


def about_seconds(seconds: float) -> str:
    """An estimate of a time as people say it.

    >>> about_seconds(4.2), about_seconds(42), about_seconds(400), about_seconds(9000)
    ('5 seconds', '40 seconds', '7 minutes', '2 hours')
    """
    if seconds >= 5400:
        return f"{round(seconds / 3600)} hours"
    if seconds >= 90:
        return f"{round(seconds / 60)} minutes"
    return f"{max(5, 10 * round(seconds / 10) if seconds > 10 else 5)} seconds"


def counted(n: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "video"), counted(2, "video")
    ('1 video', '2 videos')

    Args:
        n: how many.
        noun: in the singular; its plural takes an s.
    """
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def note_several_videos(frames: Collection[str]) -> tuple[str, ...]:
    """A note where frames of one video have the same numbers after several beginnings.

    >>> note_several_videos(["a_00", "a_01", "b_00", "b_01"])[0][:54]
    "frames begin with 'a_' and 'b_', with the same numbers"
    >>> note_several_videos(["a_00", "a_01", "b_02", "b_03"])
    ()

    Args:
        frames: names of the frames.
    """
    numbers: dict[str, set[int]] = {}
    for name in frames:
        start = name.rstrip("0123456789")
        if start != name:
            numbers.setdefault(start, set()).add(int(name[len(start) :]))
    several = sorted(b for b in numbers if len(numbers[b]) > 1)
    shared = set.intersection(*(numbers[b] for b in several)) if several else set()
    if len(several) < 2 or len(shared) < 2:
        return ()
    listed = " and ".join(map(repr, several[:2]))
    more = f" (and {len(several) - 2} more)" if len(several) > 2 else ""
    return (
        f"frames begin with {listed}{more}, with the same numbers, and are taken for "
        "those of one video; if they are of several, put each into a folder of its own",
    )

"""JSON files read against a dataclass, so that an error names the very place."""

from __future__ import annotations

import json
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from evaluation._utils.input_files import read_input, why_unreadable
from evaluation.errors import InputError

T = TypeVar("T")

MAX_BYTES = 1 << 31
"""Size above which no JSON file is read."""

_NAMES = {
    bool: "true or false", int: "an integer", float: "a number", str: "a text",
    dict: "an object", list: "a list", tuple: "a list", type(None): "null",
}  # fmt: skip


def read_json(path: Path, fix: str, what: str = "a JSON file") -> Any:
    """Parse a JSON file.

    Args:
        path: of the file; UTF-8, with or without a byte order mark.
        fix: what to do where it is damaged.
        what: what it should be, for the error.

    Raises:
        InputError: it cannot be read or parsed, is nested too deep, or gives a key of
            one object twice.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"{path.stat().st_size} bytes, more than {MAX_BYTES}")
        text = read_input(path, what, fix).decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_refuse_repeated_keys)
    except InputError:
        raise
    except OSError as error:
        found = why_unreadable(path, error)
        raise InputError(path, found, what, fix) from error
    except RecursionError as error:
        raise InputError(path, "JSON nested too deep", what, fix) from error
    except ValueError as error:
        raise InputError(path, f"damaged JSON ({error})", what, fix) from error


def parse(value: object, form: type[T], path: Path, fix: str) -> T:
    """Check parsed JSON against a dataclass and make one of it.

    Args:
        value: the parsed JSON.
        form: a dataclass; its annotations say what must be where. Keys that it does
            not have are ignored: later versions may add some.
        path: of the file, for the error.
        fix: what to do where it is wrong.

    Raises:
        InputError: a key is missing, or a value is of another type; names the place,
            e.g. ``sequences.bear.frames``.
    """
    try:
        made = _convert(value, form, "")
    except _WrongPlace as wrong:
        raise InputError(path, wrong.found, wrong.expected, fix) from None
    return typing.cast(T, made)


class _WrongPlace(Exception):
    def __init__(self, place: str, value: object, expected: str) -> None:
        kind = _NAMES.get(type(value), type(value).__name__)
        shown = repr(value)
        if len(shown) > 40:
            shown = shown[:37] + "..."
        self.found = f"{kind} ({shown}) at {place or 'the top'}"
        self.expected = f"{expected} there"


def _convert(value: Any, form: Any, place: str) -> Any:
    origin = typing.get_origin(form)
    if form is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        return _union(value, typing.get_args(form), place)
    if origin is typing.Literal:
        known = typing.get_args(form)
        if value not in known:
            raise _WrongPlace(place, value, " or ".join(map(repr, known)))
        return value
    if is_dataclass(form):
        return _record(value, form, place)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(value, typing.get_args(form)[1], place)
    if origin in (list, tuple):
        if not isinstance(value, list):
            raise _WrongPlace(place, value, "a list")
        item = typing.get_args(form)[0]
        made = [_convert(v, item, f"{place}[{i}]") for i, v in enumerate(value)]
        return made if origin is list else tuple(made)
    return _plain(value, form, place)


def _plain(value: Any, form: Any, place: str) -> Any:
    if form is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if type(value) is form and not (form is float and not math.isfinite(value)):
        return value
    raise _WrongPlace(place, value, _NAMES.get(form, str(form)))


def _union(value: Any, forms: tuple[Any, ...], place: str) -> Any:
    for form in forms:
        try:
            return _convert(value, form, place)
        except _WrongPlace as wrong:
            last = wrong
    if len([form for form in forms if form is not type(None)]) == 1:
        raise last if value is not None else _WrongPlace(place, value, "a value")
    raise _WrongPlace(place, value, " or ".join(_NAMES.get(f, str(f)) for f in forms))


def _mapping(value: object, item: object, place: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _WrongPlace(place, value, "an object")
    return {k: _convert(v, item, _inside(place, k)) for k, v in value.items()}


def _record(value: Any, form: Any, place: str) -> Any:
    if not isinstance(value, dict):
        raise _WrongPlace(place, value, "an object")
    hints = typing.get_type_hints(form)
    given = {}
    for item in fields(form):
        if item.name in value:
            inside = _inside(place, item.name)
            given[item.name] = _convert(value[item.name], hints[item.name], inside)
        elif item.default is MISSING and item.default_factory is MISSING:
            raise _WrongPlace(place, value, f"an object with the key {item.name!r}")
    return form(**given)


def _inside(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _refuse_repeated_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A dictionary of the pairs; JSON's own takes the last of equal keys in silence."""
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"the key {key!r} twice in one object")
            seen.add(key)
    return made


def plain(value: Any) -> Any:
    """Turn NaN into None and numpy numbers into Python's, all the way down."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else value

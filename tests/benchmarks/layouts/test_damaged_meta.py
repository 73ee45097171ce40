"""Meta files of any content are read, or refused by name: never a traceback."""

from __future__ import annotations

import copy
import json
import random

import pytest

from evaluation.errors import InputError
from s3fo.benchmarks.layouts.meta import read_meta

WHOLE = {
    "videos": {
        "bear": {
            "objects": {
                "1": {"category": "bear", "frames": ["00000", "00005"]},
                "2": {"frame_range": {"start": 0, "end": 9}, "attributes": ["OCC"]},
            },
            "attributes": "FM, OCC",
            "length": 10,
        }
    }
}
ODD = [
    None, 3, -1, 1e400, 10**40, "x", "", [], {}, [[]], {"a": 1}, True, [1, None], "1",
    {"1": {"1": {}}}, float("nan"),
]  # fmt: skip


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for key, inner in items:
        yield from places(inner, (*path, key))


def changed(path, new):
    made = copy.deepcopy(WHOLE)
    if not path:
        return new
    inner = made
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return made


@pytest.mark.parametrize("path", list(places(WHOLE)), ids=str)
def test_any_value_anywhere(tmp_path, path):
    file = tmp_path / "meta.json"
    for odd in ODD:
        file.write_text(json.dumps(changed(path, odd)))
        try:
            read_meta([file])
        except InputError as error:
            assert "meta.json" in error.where


def test_flipped_bytes(tmp_path):
    file, whole, chosen = tmp_path / "meta.json", json.dumps(WHOLE).encode(), None
    chosen = random.Random(11)
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(chosen.randrange(1, 4)):
            damaged[chosen.randrange(len(damaged))] ^= 1 << chosen.randrange(8)
        file.write_bytes(damaged[: chosen.randrange(1, len(damaged) + 40)])
        try:
            read_meta([file])
        except InputError as error:
            assert "meta.json" in error.where


@pytest.mark.parametrize("text", ["[" * 200_000, '{"videos":' * 50_000])
def test_depths_that_no_file_has(tmp_path, text):
    file = tmp_path / "meta.json"
    file.write_text(text)
    with pytest.raises(InputError, match=r"meta\.json"):
        read_meta([file])

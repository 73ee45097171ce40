"""What keeps the plan of the code readable: small folders, types that say something."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("evaluation", "s3fo")

MOST_MODULES = 15
"""In one folder: what a reader takes in at a glance."""

MOST_ANY = 0.05
"""Share of the functions that have `Any` in their signature."""


def _modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (ROOT / package).rglob("*.py")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_folder_has_too_many_modules(package):
    found = Counter(
        str(path.parent.relative_to(ROOT))
        for path in _modules()
        if path.name != "__init__.py" and path.is_relative_to(ROOT / package)
    )
    assert sum(found.values()) > 50
    assert {name: n for name, n in found.items() if n > MOST_MODULES} == {}


def test_no_two_files_of_tests_have_one_name():
    """pytest imports them by their names alone."""
    found = Counter(path.name for path in ROOT.glob("tests/**/*.py"))
    repeated = {name for name, n in found.items() if n > 1} - {"conftest.py"}
    assert repeated == set()


def test_no_folder_has_too_many_tests():
    found = Counter(
        str(path.parent.relative_to(ROOT)) for path in ROOT.glob("tests/**/test_*.py")
    )
    assert sum(found.values()) > 100
    assert {name: n for name, n in found.items() if n > MOST_MODULES} == {}


def _functions() -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for path in _modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node


def _says_any(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    taken = function.args
    arguments = [*taken.posonlyargs, *taken.args, *taken.kwonlyargs]
    arguments += [item for item in (taken.vararg, taken.kwarg) if item]
    kinds = [function.returns, *(item.annotation for item in arguments)]
    return any(
        isinstance(node, ast.Name) and node.id == "Any"
        for kind in kinds
        if kind is not None
        for node in ast.walk(kind)
    )


@pytest.mark.seconds
def test_few_signatures_say_any():
    functions = list(_functions())
    assert len(functions) > 2000
    found = sum(map(_says_any, functions))
    assert found <= MOST_ANY * len(functions), f"{found} of {len(functions)}"


def _walks() -> dict[str, list[str]]:
    """The stations of each walk through the code that docs/architecture.md tells."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    walks = text.split("## Three walks")[1].split("\n## ")[0].split("\n### ")[1:]
    return {
        walk.split("\n")[0]: re.findall(r"^\d+\. (.+(?:\n   .+)*)", walk, re.MULTILINE)
        for walk in walks
    }


@pytest.mark.parametrize("walk", _walks())
def test_every_station_of_a_walk_exists(walk):
    stations = _walks()[walk]
    assert 4 < len(stations) <= 12
    places = 0
    for station in stations:
        words = re.findall(r"`([^`]+)`", station)
        if not words[0].startswith(PACKAGES):
            continue
        places += 1
        path = ROOT / words[0]
        text = path.read_text() if path.is_file() else str(list(path.glob("*.py")))
        assert path.exists() and text != "[]", station
        for word in words[1:]:
            if "/" in word:
                assert (ROOT / word).exists(), station
            else:
                assert all(part in text for part in word.split(".")), station
    assert places > len(stations) / 2

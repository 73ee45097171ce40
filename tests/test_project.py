"""The files around the code agree with it and with each other."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import evaluation
import s3fo

REPOSITORY = Path(__file__).resolve().parents[1]
RELEASE_NOTES = runpy.run_path(str(REPOSITORY / ".ci" / "release_notes.py"))
SCHEMAS = {
    "vendor.github-workflows": sorted((REPOSITORY / ".github/workflows").iterdir()),
    "vendor.dependabot": [REPOSITORY / ".github/dependabot.yml"],
    "vendor.citation-file-format": [REPOSITORY / "CITATION.cff"],
}


def test_the_version_stands_in_one_place() -> None:
    decided = RELEASE_NOTES["version"]()
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
    plugin = yaml.safe_load((REPOSITORY / "s3fo/plugin/vos/fiftyone.yml").read_text())

    assert re.fullmatch(r"\d+\.\d+\.\d+", decided)
    assert s3fo.__version__ == evaluation.__version__ == decided
    assert citation["version"] == plugin["version"] == decided
    text = (REPOSITORY / "pyproject.toml").read_text()
    assert not re.search(r'^version = "', text, re.MULTILINE)


def test_the_command_prints_the_version() -> None:
    command = [sys.executable, "-c", "from s3fo.cli import main; main()", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"s3fo {s3fo.__version__}\n"


def test_the_changelog_has_this_version_and_room_for_the_next() -> None:
    changelog = (REPOSITORY / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert headings[0] == "Unreleased" and len(set(headings)) == len(headings)
    assert RELEASE_NOTES["notes"](changelog, s3fo.__version__)


@pytest.mark.parametrize(
    ("changelog", "expected"),
    [
        ("## [1.0.0] - 2026-01-02\n\n- a\n\n## [0.9.0] - 2025-01-02\n\n- b\n", "- a"),
        ("## [1.0.0]\n\n- no date\n", ""),
        ("## [1.0.00] - 2026-01-02\n\n- another\n", ""),
    ],
)
def test_the_notes_of_a_release(changelog: str, expected: str) -> None:
    assert RELEASE_NOTES["notes"](changelog, "1.0.0") == expected


def test_a_tag_of_another_version_is_refused() -> None:
    with pytest.raises(SystemExit, match=f"tag v{s3fo.__version__}"):
        RELEASE_NOTES["main"]("v99.0.0")


@pytest.mark.seconds
@pytest.mark.parametrize("schema", SCHEMAS)
def test_configuration_is_valid(schema: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    done = subprocess.run(
        [*command, *map(str, SCHEMAS[schema])], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_ci_runs_the_commands_of_the_readme() -> None:
    script = (REPOSITORY / ".ci/run").read_text()
    makefile = (REPOSITORY / "Makefile").read_text()
    targets = re.findall(r"make ([a-z -]+)$", script, re.MULTILINE)
    named = {word for words in targets for word in words.split()}
    checks = {"lint", "types", "walls", "test", "test-slow", "app-test"}
    assert {"setup", *checks} <= named
    for name in named:
        assert re.search(rf"^{name}:", makefile, re.MULTILINE), name

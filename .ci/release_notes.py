"""Print the changelog of a tag; fail unless tag, version and changelog agree.

python3 .ci/release_notes.py v0.2.0
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
VERSION_FILE = "evaluation/_utils/version.py"


def version() -> str:
    """The version of the software, from the one place where it stands."""
    found = re.search(r'__version__ = "(.+)"', (REPOSITORY / VERSION_FILE).read_text())
    if not found:
        sys.exit(f"{VERSION_FILE} has no __version__")
    return found[1]


def notes(changelog: str, released: str) -> str:
    """The section of a version, without its heading; empty if there is none."""
    heading = rf"^## \[{re.escape(released)}\] - \d{{4}}-\d\d-\d\d$"
    found = re.search(heading, changelog, re.MULTILINE)
    if not found:
        return ""
    return re.split(r"^## ", changelog[found.end() :], flags=re.MULTILINE)[0].strip()


def main(tag: str) -> None:
    """Check a tag and print its notes."""
    released = version()
    if tag != f"v{released}":
        sys.exit(f"tag {tag}, but {VERSION_FILE} says {released}: tag v{released}")
    text = notes((REPOSITORY / "CHANGELOG.md").read_text(), released)
    if not text:
        sys.exit(
            f"CHANGELOG.md has nothing under '## [{released}] - YYYY-MM-DD': "
            "move the entries of Unreleased there"
        )
    print(text)


if __name__ == "__main__":
    main(sys.argv[1])

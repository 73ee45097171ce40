"""Print the lowest versions that pyproject.toml allows, as constraints for pip."""

import re
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    from pip._vendor import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """One line per dependency; every one must have a lower bound."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for requirement in project["dependencies"]:
        found = re.match(r"([\w.-]+)>=([\w.]+)", requirement)
        if found is None:
            sys.exit(f"{requirement}: no lower bound; write it as name>=version")
        print(f"{found[1]}=={found[2]}")


if __name__ == "__main__":
    main()

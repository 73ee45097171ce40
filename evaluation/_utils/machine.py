"""Which machine and software took part; kept beside every result."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable


def hardware() -> dict[str, object]:
    """System, processor and number of cores of this machine."""
    return {
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
    }


def installed_versions(packages: Iterable[str]) -> dict[str, str]:
    """Versions of Python and of those packages that are installed, by name."""
    from importlib.metadata import PackageNotFoundError, version  # takes 10 ms

    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found

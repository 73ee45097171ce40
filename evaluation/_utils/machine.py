"""Which machine took part; kept beside every measurement of speed."""

from __future__ import annotations

import os
import platform


def hardware() -> dict[str, object]:
    """System, processor and number of cores of this machine."""
    return {
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
    }

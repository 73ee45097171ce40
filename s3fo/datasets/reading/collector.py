"""Python's collector of cycles, kept out of the way while tables are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Let Python look for no cycles meanwhile.

    While ten thousands of labels are read it would go through all that the process
    holds again and again, and find nothing: nine tenths of the time of reading.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()

"""How long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

ProgressCallback = Callable[[int, int, str], None]
"""Called as ``progress(done, total, label)``: `done` of `total` steps are finished
and `label` names what is being worked on, e.g. ``"blackswan 12/50"``."""

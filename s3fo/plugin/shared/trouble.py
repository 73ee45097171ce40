"""What a panel shows in place of a traceback."""

from __future__ import annotations

import logging
import traceback

import fiftyone as fo
from fiftyone.operators import types

import s3fo
from s3fo.plugin.context import Context, Handler
from s3fo.plugin.shared.outcome import PLUGIN

_LOG = logging.getLogger(__name__)


def describe(error: BaseException) -> tuple[str, str]:
    """A short report of an unexpected error for people, and its details for us.

    The error also goes to the log of the App's server.
    """
    _LOG.error("A panel failed", exc_info=error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    what = str(error).strip().splitlines()
    short = f"{type(error).__name__}: {what[0] if what else 'no message'}"
    text = (
        "**This should not have happened.** Nothing was changed.\n\n"
        f"`{short}`\n\n(in `{place.name}`, s3fo {s3fo.__version__}, "
        f"FiftyOne {fo.__version__}). Please report it with the copied details."
    )
    lines = "".join(traceback.format_exception(error))
    versions = f"s3fo {s3fo.__version__}, FiftyOne {fo.__version__}"
    return text, f"{versions}\n{lines}"


def lay_out(panel: types.Object, text: str, copy: Handler, again: Handler) -> None:
    """Show a report, with buttons to copy its details and to try again."""
    panel.md(text, name="trouble")
    line = panel.h_stack("trouble_buttons", gap=1)
    line.btn("copy_details", "Copy details", icon="content_copy", on_click=copy)
    line.btn("try_again", "Try again", icon="refresh", on_click=again)


def copy_text(ctx: Context, text: str) -> None:
    """Put a text on the clipboard of whoever looks at the App."""
    ctx.trigger(f"{PLUGIN}/copy_text", {"text": text})

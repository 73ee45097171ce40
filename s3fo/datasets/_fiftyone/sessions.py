"""The Python side of a running App: what it prints, and how its server ends."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import psutil
from fiftyone.core.session import client

_SERVER = ["--51-service", "server"]
"""What FiftyOne starts the App's server with; its database has another name."""


def let_session_speak(speaks: bool) -> None:
    """Whether a session prints that it could not connect to its server yet.

    FiftyOne prints so at every start on a busy machine, and goes on to connect.
    """
    module: Any = client
    if speaks:
        module.__dict__.pop("print", None)
    else:
        module.print = _say_nothing


def _say_nothing(*_: object, **__: object) -> None:
    """Print nothing."""


def end_servers() -> None:
    """End the App's servers that this process started, at once.

    FiftyOne's own end waits until every page in a browser is closed, up to half a
    minute. A server keeps nothing that could be lost; the database ends by itself.
    """
    for service in psutil.Process().children():
        with suppress(psutil.Error):
            command = service.cmdline()
            if any(command[i : i + 2] == _SERVER for i in range(len(command))):
                for process in [*service.children(recursive=True), service]:
                    with suppress(psutil.Error):
                        process.kill()

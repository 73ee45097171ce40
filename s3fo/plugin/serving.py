"""Whether the server of the App opens the dataset that a person asked for."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from evaluation.errors import InputError

_QUERY = (
    "query($name: String!, $view: BSONArray) "
    "{ dataset(name: $name, view: $view) { name } }"
)
_PAUSE = 0.5

T = TypeVar("T")


_STARTS = 3
_INTERRUPTED = 130
"""What the shell tells of a program that Ctrl-C has ended."""


def start_patiently(launch: Callable[[], T]) -> T:
    """Start the App's server, again where FiftyOne gives up on one that comes up late.

    Args:
        launch: starts it. It joins a server that came up meanwhile.

    Returns:
        What `launch` returns.

    Raises:
        InputError: it did not come up in several minutes.
    """
    from fiftyone.core.service import ServiceListenTimeout

    for _ in range(_STARTS):
        with suppress(ServiceListenTimeout):
            return launch()
    raise InputError(
        "the App's server",
        f"no answer in {_STARTS} minutes",
        "one within a minute",
        "Run the command again when this machine is less busy.",
    )


@contextmanager
def quiet_session() -> Iterator[Callable[[], None]]:
    """Let a session end at once, and say nothing of a server that is not there yet.

    Yields:
        What lets it speak: from now on a server that is gone is news.
    """
    from s3fo.datasets.sessions import end_servers, let_session_speak

    let_session_speak(False)
    try:
        yield lambda: let_session_speak(True)
    finally:
        let_session_speak(False)
        end_servers()


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """End this process as soon as a person or the system ends what is waited for.

    Python alone takes two seconds more to take apart all that FiftyOne has imported.
    Nothing is left to be written then, and the database ends by itself.
    """
    from s3fo.datasets.sessions import end_servers

    try:
        yield
    except (KeyboardInterrupt, SystemExit) as stop:
        end_servers()
        print("The App is closed.", file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        code = stop.code if isinstance(stop, SystemExit) else _INTERRUPTED
        os._exit(code if isinstance(code, int) else 1)


def require_opened(root: str, name: str, *, patience: float = 120) -> None:
    """Ask the App's server for a dataset, as the page in the browser does.

    The page itself only says "No dataset selected" where it gets none.

    Args:
        root: address of the server, such as ``http://127.0.0.1:5151``.
        name: of the dataset.
        patience: seconds until a server that does not answer is left alone.

    Raises:
        InputError: the server cannot open the dataset; says why.
    """
    answer = _ask(root, name, patience)
    if answer is None:
        return
    data: dict[str, object] = answer.get("data") or {}
    if data.get("dataset"):
        return
    errors: list[dict[str, object]] = answer.get("errors") or []
    problems = [str(one.get("message")) for one in errors]
    port = root.rsplit(":", 1)[-1]
    if problems:
        raise InputError(
            f"dataset {name!r}",
            f"a dataset that the App cannot open: {'; '.join(problems)}",
            "one that it can",
            "Delete the dataset and load its benchmark again: s3fo load.",
        )
    raise InputError(
        f"dataset {name!r}",
        f"an App at {root} that does not know it: it serves another database",
        "an App of this database (FIFTYONE_DATABASE_NAME, FIFTYONE_DATABASE_URI)",
        f"Stop the App that uses port {port}, or add --port {int(port) + 1}.",
    )


def _ask(root: str, name: str, patience: float) -> dict[str, Any] | None:
    """The server's answer; None where it gives none that can be read."""
    question = json.dumps({"query": _QUERY, "variables": {"name": name}}).encode()
    kind = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{root}/graphql", question, kind)
    end = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                found = json.load(answer)
                return found if isinstance(found, dict) else None
        except ValueError:
            return None
        except OSError:
            if time.monotonic() > end:
                return None
            time.sleep(_PAUSE)

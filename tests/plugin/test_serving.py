"""How the App's server starts and ends."""

from __future__ import annotations

import subprocess
import sys

import pytest
from fiftyone.core.session import client

from s3fo.plugin.serving import leaving_at_once, quiet_session


@pytest.fixture
def services():
    """Two services as FiftyOne starts them: the App's server, and a database."""
    words = [sys.executable, "-S", "-c", "input()", "--51-service"]
    started = {
        name: subprocess.Popen([*words, name], stdin=subprocess.PIPE)
        for name in ("server", "db")
    }
    yield started
    for service in started.values():
        service.communicate()


def test_the_server_ends_at_once_and_the_database_by_itself(services):
    with pytest.raises(SystemExit), quiet_session():
        sys.exit(143)
    assert services["server"].wait(timeout=2) != 0
    assert services["db"].poll() is None


def test_a_session_is_silent_until_its_server_is_there(capsys):
    with quiet_session() as speak:
        client.__dict__.get("print", print)("Could not connect session")
        speak()
        client.__dict__.get("print", print)("It is gone")
    assert capsys.readouterr().out == "It is gone\n"


@pytest.mark.parametrize(
    ("ends", "code"), [(SystemExit(143), 143), (KeyboardInterrupt, 130)]
)
def test_the_process_leaves_at_once_with_the_code_of_what_ended_it(
    ends, code, services, monkeypatch
):
    def leave(code):
        raise ChildProcessError(code)

    monkeypatch.setattr("os._exit", leave)
    with pytest.raises(ChildProcessError) as left, leaving_at_once():
        raise ends
    assert left.value.args == (code,)
    assert services["server"].wait(timeout=2) != 0

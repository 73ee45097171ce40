"""What every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real videos and masks, which are not ours to ship; tests skip without them."""
    if not SHARED.is_dir():
        pytest.skip("needs real videos in `shared` beside the repository")
    return SHARED


def pytest_configure(config: pytest.Config) -> None:
    """Keep FiftyOne's database and plugins of the tests away from the user's."""
    folder = config.cache.mkdir("fiftyone") if config.cache else None
    if folder is not None and "FIFTYONE_DATABASE_URI" not in os.environ:
        os.environ["FIFTYONE_DATABASE_DIR"] = str(folder / "mongodb")
        os.environ["FIFTYONE_PLUGINS_DIR"] = str(folder / "plugins")

    from s3fo.datasets import configure

    # Before any test imports FiftyOne: no telemetry, no question about it.
    configure()

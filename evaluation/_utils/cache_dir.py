"""Where what can be made again is kept between runs."""

from __future__ import annotations

import os
from pathlib import Path


def user_cache(*parts: str) -> Path:
    """A folder in ``$S3FO_CACHE_DIR``, else in ``s3fo`` in the user's cache folder.

    Args:
        parts: names of folders inside.
    """
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("S3FO_CACHE_DIR") or Path(base, "s3fo"), *parts)

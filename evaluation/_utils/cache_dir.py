"""Where what can be made again is kept between runs."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import warnings
from functools import lru_cache
from pathlib import Path

from platformdirs import user_cache_dir

from evaluation._utils.atomic import part_path
from evaluation.errors import InputWarning


def user_cache(*parts: str) -> Path:
    """A folder in ``$S3FO_CACHE_DIR``, else in the system's place for a user's caches.

    On Linux that is ``$XDG_CACHE_HOME/s3fo``, or ``~/.cache/s3fo``.

    Where that cannot be written to (no home, read-only, full), a folder for temporary
    files takes its place, with a warning: a cache that fails only makes things slower.

    Args:
        parts: names of folders inside.
    """
    home = os.environ.get("HOME", "")
    base = os.environ.get("XDG_CACHE_HOME", "")
    return Path(_usable(os.environ.get("S3FO_CACHE_DIR", ""), base, home), *parts)


def why_unwritable(folder: Path) -> str | None:
    """Why nothing can be kept in a folder; None if it can. The folder is made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = part_path(folder)
        probe.write_bytes(bytes(4096))
    except OSError as error:
        with contextlib.suppress(OSError, UnboundLocalError):
            probe.unlink(missing_ok=True)
        return error.strerror or str(error)
    with contextlib.suppress(OSError):
        probe.unlink()
    return None


@lru_cache(maxsize=8)
def _usable(own: str, base: str, home: str) -> Path:
    """The first of the user's places that can be written to."""
    usual = Path("s3fo-cache")
    try:
        usual = Path(own or user_cache_dir("s3fo", appauthor=False))
        if str(usual).startswith("~"):  # where nobody knows the home of this user
            raise RuntimeError("no home")
        reason = why_unwritable(usual)
        place = f"The cache folder {usual}"
    except RuntimeError:
        reason, place = "no home folder", "The cache folder in the user's home"
    if reason is None:
        return usual
    instead = _temporary()
    if instead is None:
        return usual  # who writes there says that it cannot
    warnings.warn(
        f"{place} cannot be written to ({reason}): {instead} takes its place. Set "
        "S3FO_CACHE_DIR to a folder that can be written to.",
        InputWarning,
        stacklevel=3,
    )
    return instead


def _temporary() -> Path | None:
    """A folder for temporary files that nobody else can write to; None without any."""
    with contextlib.suppress(OSError):
        mine = Path(tempfile.gettempdir(), f"s3fo-{os.getuid()}")
        mine.mkdir(mode=0o700, exist_ok=True)
        found = mine.lstat()
        private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o022
        if private and found.st_uid == os.getuid() and why_unwritable(mine) is None:
            return mine
    with contextlib.suppress(OSError):
        made = Path(tempfile.mkdtemp(prefix="s3fo-"))
        return made if why_unwritable(made) is None else None
    return None

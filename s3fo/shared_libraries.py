"""Shared libraries of the system that a package needs: named, or installed.

Only ``s3fo doctor --fix`` installs any, and only as root where apt-get is: elsewhere
the command is told that a person with the right to run it can run.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess

from evaluation.errors import InputError

# Shared library -> Debian and Ubuntu package, Fedora package.
_PACKAGES = {
    "libGL.so.1": ("libgl1", "mesa-libGL"),
    "libcrypto.so.3": ("libssl3", "openssl-libs"),
    "libcurl.so.4": ("libcurl4", "libcurl"),
    "libgcc_s.so.1": ("libgcc-s1", "libgcc"),
    "libgomp.so.1": ("libgomp1", "libgomp"),
    "libgthread-2.0.so.0": ("libglib2.0-0", "glib2"),
    "liblzma.so.5": ("liblzma5", "xz-libs"),
    "libssl.so.3": ("libssl3", "openssl-libs"),
    "libstdc++.so.6": ("libstdc++6", "libstdc++"),
    "libz.so.1": ("zlib1g", "zlib"),
}
_MISSING = re.compile(r"(lib[\w.+-]+): cannot open shared object file")

# An address that does not answer costs seconds, not minutes.
_APT = (
    "apt-get", "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=5",
    "-o", "Acquire::https::Timeout=5",
)  # fmt: skip
_LIMIT = 300
"""Seconds after which apt-get is given up."""


def missing_library(message: str) -> str | None:
    """The shared library that a loader's message misses, such as ``libcurl.so.4``.

    Args:
        message: what the dynamic loader or Python said.
    """
    found = _MISSING.search(message)
    return found.group(1) if found else None


def install_command(library: str) -> str:
    """The command that installs a shared library on this system, where it is known.

    Args:
        library: file name, such as ``libcurl.so.4``.
    """
    if library not in _PACKAGES:
        return f"install the package of your system that holds {library}"
    debian, fedora = _PACKAGES[library]
    as_root = "" if os.geteuid() == 0 else "sudo "
    if shutil.which("dnf"):
        return f"{as_root}dnf install {fedora}"
    return f"{as_root}apt-get install {debian}"


def install_library(library: str) -> None:
    """Install a shared library by apt-get, and say so; without a question.

    Args:
        library: file name, such as ``libcurl.so.4``.

    Raises:
        InputError: that may not be done (not root, no apt-get, a library of unknown
            package), or failed; names the library and the command to run.
    """
    known = library in _PACKAGES
    if not known or os.geteuid() != 0 or not shutil.which("apt-get"):
        raise _failure(library, "a shared library that this system lacks")
    install = ["install", "-y", "--no-install-recommends", _PACKAGES[library][0]]
    print(f"{library} is missing: running {shlex.join(['apt-get', *install])}")
    problem = _run(install)
    # A small system has no list of packages until the first update.
    if problem and not _run(["update"]):
        problem = _run(install)
    if problem:
        raise _failure(library, f"that apt-get could not install it ({problem})")


def _failure(library: str, found: str) -> InputError:
    command = install_command(library)
    if library in _PACKAGES:
        command = f"Run: {command}"
    remedy = f"{command[0].upper()}{command[1:]}."
    return InputError(library, found, f"the shared library {library}", remedy)


def _run(words: list[str]) -> str:
    """Run apt-get without its output; why it failed, empty if it did not."""
    try:
        done = subprocess.run(
            [*_APT, "-qq", *words],
            capture_output=True,
            check=False,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=_LIMIT,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"it ends with status {done.returncode}"

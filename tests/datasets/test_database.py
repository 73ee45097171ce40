"""The MongoDB server on a system that lacks the shared libraries it needs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evaluation.errors import InputError
from s3fo import doctor
from s3fo.datasets import database

LOADER = (
    "mongod: error while loading shared libraries: {}: cannot open shared object "
    "file: No such file or directory"
)
# Looks for two libraries as the loader does, one after the other.
NEEDS_TWO = f"""#!/bin/sh
for library in libcurl.so.4 libssl.so.3; do
  [ -e "${{LD_LIBRARY_PATH%%:*}}/$library" ] && continue
  echo "{LOADER.format("$library")}" >&2
  exit 127
done
echo "db version v6.0.5 for $1"
"""


class FakeAptGet:
    """A PATH with an ``apt-get`` that knows one package, and a user who is root."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.folder.mkdir()
        self.program = folder / "apt-get"
        self.provides("nothing", "nothing")
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        # This machine's own are not for tests.
        monkeypatch.setattr(
            "shutil.which",
            lambda name: str(folder / name) if (folder / name).exists() else None,
        )
        monkeypatch.setattr("os.geteuid", lambda: 0)

    def provides(self, package: str, library: str) -> None:
        """Have one package that holds a library, once the lists are up to date."""
        write_script(
            self.program,
            f"""#!/bin/sh
cd "${{0%/*}}"
while [ "$1" = -o ] || [ "$1" = -qq ]; do
  [ "$1" = -o ] && shift
  shift
done
echo "$@" >> calls
[ "$1" = update ] && exec touch lists
case "$@" in
  *" {package}") [ -e lists ] && exec touch "{library}" ;;
esac
echo "E: Unable to locate package" >&2
exit 100
""",
        )

    def remove(self) -> None:
        self.program.unlink()

    def calls(self) -> list[str]:
        """The words of each call, without the options before the verb."""
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def mongod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where FiftyOne looks for its server; nothing is there yet."""
    path = tmp_path / "with space" / "fiftyone" / "db" / "bin" / "mongod"
    path.parent.mkdir(parents=True)
    monkeypatch.setattr(database, "mongod_path", lambda: path)
    monkeypatch.delenv("FIFTYONE_DATABASE_URI", raising=False)
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    return path


def write_script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def test_a_missing_server_names_the_command(mongod: Path) -> None:
    with pytest.raises(InputError, match=r"no MongoDB server.*s3fo doctor --fix"):
        database.check_server()


@pytest.mark.parametrize(
    ("library", "package"),
    [
        ("libcurl.so.4", "libcurl4"),
        ("libssl.so.3", "libssl3"),
        ("liblzma.so.5", "liblzma5"),
    ],
)
def test_a_missing_library_is_named_with_its_package(
    mongod: Path, monkeypatch: pytest.MonkeyPatch, library: str, package: str
) -> None:
    write_script(mongod, f"#!/bin/sh\necho '{LOADER.format(library)}' >&2; exit 127\n")
    monkeypatch.setenv("PATH", "/nonexistent")  # no dnf
    with pytest.raises(InputError) as caught:
        database.check_server()
    assert library in caught.value.found and library in caught.value.expected
    assert f"apt-get install {package}" in caught.value.remedy
    assert database.FIX in caught.value.remedy


def test_a_processor_that_is_too_old_is_told_apart(mongod: Path) -> None:
    write_script(mongod, "#!/bin/sh\nkill -ILL $$\n")
    with pytest.raises(InputError, match=r"signal 4 .*FIFTYONE_DATABASE_URI"):
        database.check_server()


def test_a_server_of_the_users_own_needs_none(
    mongod: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIFTYONE_DATABASE_URI", "mongodb://localhost:1")
    database.check_server()
    assert "FIFTYONE_DATABASE_URI" in database.ensure_database()


def test_libraries_of_a_wheel_make_the_server_run(
    mongod: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other, under the name that is sought; the second call is idle."""
    write_script(mongod, NEEDS_TWO)
    installed = []

    def install(package: str, folder: Path) -> None:
        installed.append(package)
        (folder / "pycurl.libs").mkdir(parents=True)
        for name in ("libcurl-1a2b.so.4.8.0", "libssl-3c4d.so.3", "libz-5e.so.1"):
            (folder / "pycurl.libs" / name).touch()

    monkeypatch.setattr(database, "_install", install)
    monkeypatch.setattr(database, "_start", lambda: None)
    for _ in range(2):
        assert str(mongod) in database.ensure_database()
    assert installed == [database.LIBRARIES]
    run = subprocess.run([mongod, "me"], capture_output=True, text=True, check=True)
    assert run.stdout == "db version v6.0.5 for me\n"
    write_script(mongod, NEEDS_TWO)  # as an upgrade of the server does
    database.ensure_database()
    assert subprocess.run([mongod, "me"], check=False).returncode == 0


def test_a_library_that_no_wheel_has_stops_at_once(
    mongod: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"#!/bin/sh\necho '{LOADER.format('libodd.so.2')}' >&2; exit 127\n"
    write_script(mongod, text)
    monkeypatch.setattr(database, "_install", lambda *_: None)
    with pytest.raises(
        InputError, match=r"package of your system that holds libodd\.so\.2"
    ):
        database.ensure_database()
    assert mongod.read_text() == text


NEEDS_CURL = f"""#!/bin/sh
[ -e "${{0%/*}}/system/libcurl.so.4" ] && exit 0
echo "{LOADER.format("libcurl.so.4")}" >&2
exit 127
"""


def no_wheel(package: str, folder: Path | None = None) -> None:
    raise InputError(package, "no network", "a wheel", "Run: pip install it.")


@pytest.fixture
def apt(mongod: Path, monkeypatch: pytest.MonkeyPatch) -> FakeAptGet:
    """A server that needs libcurl, no wheel that has it, and a stand-in for apt-get."""
    write_script(mongod, NEEDS_CURL)
    monkeypatch.setattr(database, "_install", no_wheel)
    monkeypatch.setattr(database, "_start", lambda: None)
    return FakeAptGet(mongod.parent / "system", monkeypatch)


def test_as_root_apt_get_installs_what_no_wheel_has(
    mongod: Path, apt: FakeAptGet, capsys: pytest.CaptureFixture[str]
) -> None:
    apt.provides("libcurl4", "libcurl.so.4")
    assert str(mongod) in database.ensure_database(system=True)
    command = "apt-get install -y --no-install-recommends libcurl4"
    assert f"libcurl.so.4 is missing: running {command}" in capsys.readouterr().out
    # The lists of a small system are empty at first.
    assert [words.split()[0] for words in apt.calls()] == [
        "install",
        "update",
        "install",
    ]
    assert apt.calls()[-1] == command.removeprefix("apt-get ")


def test_a_wheel_comes_before_the_system(
    mongod: Path, apt: FakeAptGet, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_script(mongod, NEEDS_TWO)

    def install(package: str, folder: Path) -> None:
        (folder / "pycurl.libs").mkdir(parents=True)
        for name in ("libcurl-1a2b.so.4.8.0", "libssl-3c4d.so.3"):
            (folder / "pycurl.libs" / name).touch()

    monkeypatch.setattr(database, "_install", install)
    database.ensure_database(system=True)
    assert apt.calls() == []


@pytest.mark.parametrize("why", ["not asked", "not root", "no apt-get", "it fails"])
def test_where_apt_get_may_not_the_command_is_told_at_once(
    apt: FakeAptGet, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    if why == "not root":
        monkeypatch.setattr("os.geteuid", lambda: 1000)
    if why == "no apt-get":
        apt.remove()
    start = time.monotonic()
    with pytest.raises(InputError) as caught:
        database.ensure_database(system=why != "not asked")
    assert time.monotonic() - start < 10
    assert "libcurl.so.4" in caught.value.expected
    sudo = "sudo " if why == "not root" else ""
    assert f": {sudo}apt-get install libcurl4" in caught.value.remedy
    if why == "it fails":
        assert "Unable to locate package" in caught.value.found
    else:
        assert apt.calls() == []


def test_doctor_repairs_a_module_that_lacks_a_library(
    apt: FakeAptGet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyAV is imported again once apt-get has installed what it needs."""
    code = f"""import pathlib
if not pathlib.Path({str(apt.folder)!r}, "libz.so.1").exists():
    raise ImportError("libz.so.1: cannot open shared object file: No such file")
"""
    (tmp_path / "av.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "av", raising=False)
    monkeypatch.setattr(doctor, "ensure_database", lambda system: "")
    apt.provides("zlib1g", "libz.so.1")
    doctor.repair()
    assert apt.calls()[-1].endswith("zlib1g")
    monkeypatch.delitem(sys.modules, "av")


def test_the_command_prints_nothing_but_its_answer() -> None:
    """No RuntimeWarning about a module that is imported twice."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "s3fo.datasets.database"],
        capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert run.stdout.rstrip().endswith("mongod") and run.stderr == ""

"""The plugin's folder as `fiftyone plugins download` takes it from the repository."""

from __future__ import annotations

import logging
import re
import sys
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fiftyone as fo
import fiftyone.plugins as fop
import pytest
import yaml
from fiftyone.plugins.context import PluginContext
from fiftyone.plugins.core import _iter_plugin_metadata_files

import s3fo
from s3fo.benchmarks.catalog import ENTRIES
from s3fo.plugin import register
from s3fo.plugin.install import FOLDER, install

REPOSITORY = Path(__file__).resolve().parents[2]
DEFINITION = yaml.safe_load((FOLDER / "fiftyone.yml").read_text())


def test_the_readme_lists_the_benchmarks_of_the_catalog() -> None:
    text = (FOLDER / "README.md").read_text()
    listed = re.search(r"\*\*Benchmarks\*\* (.*?), or your own", text, re.DOTALL)
    assert listed is not None
    families = {entry.title.split()[0] for entry in ENTRIES}
    assert sorted(re.split(r",\s+", listed[1])) == sorted(families)


class Names:
    """Stands for FiftyOne's plugin context: takes whatever is registered."""

    def __init__(self) -> None:
        self.operators: list[str] = []
        self.panels: list[str] = []

    def register(self, kind: type) -> None:
        known = self.panels if issubclass(kind, fo.operators.Panel) else self.operators
        known.append(kind(_builtin=False).name)


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def archive(tmp_path) -> str:
    """Address of the repository's archive, as a forge packs it."""
    served = tmp_path / "served"
    served.mkdir()
    with zipfile.ZipFile(served / "s3fo-main.zip", "w") as file:
        for path in sorted((REPOSITORY / "s3fo" / "plugin").rglob("*")):
            file.write(path, Path("s3fo-main") / path.relative_to(REPOSITORY))
    handler = partial(QuietHandler, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/s3fo-main.zip"
        server.shutdown()


def test_every_operator_and_panel_is_listed_and_no_other():
    names = Names()
    register(names)
    assert sorted(names.operators) == sorted(DEFINITION["operators"])
    assert sorted(names.panels) == sorted(DEFINITION["panels"])


def test_the_repository_holds_one_plugin():
    assert plugins_below(REPOSITORY) == [FOLDER / "fiftyone.yml"]


def plugins_below(clone: Path) -> list[Path]:
    """Plugins in the repository itself: what is built in a clone is not packed."""
    ignored = (clone / ".gitignore").read_text().splitlines()
    built = {clone / line.strip("/") for line in ignored if line.startswith("/")}
    found = map(Path, _iter_plugin_metadata_files(root_dir=str(clone), strict=True))
    return [path for path in found if built.isdisjoint(path.parents)]


def test_plugins_in_build_folders_are_no_second_one(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("__pycache__/\n/build/\n*.so\n")
    for folder in ("build/lib/s3fo/plugin", "s3fo/plugin", "s3fo/build"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "fiftyone.yml").write_text("name: '@s3fo/vos'\n")
    found = [str(path.relative_to(tmp_path)) for path in plugins_below(tmp_path)]
    assert sorted(found) == ["s3fo/build/fiftyone.yml", "s3fo/plugin/fiftyone.yml"]


def test_download_takes_a_plugin_that_works(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(fo.config, "plugins_dir", str(tmp_path / "plugins"))
    downloaded = fop.download_plugin(archive)
    assert downloaded == {"@s3fo/vos": str(tmp_path / "plugins" / "@s3fo" / "vos")}

    plugin = PluginContext(fop.get_plugin("@s3fo/vos"))
    plugin.register_all()
    assert not plugin.errors
    listed = DEFINITION["operators"] + DEFINITION["panels"]
    assert sorted(operator.name for operator in plugin.instances) == sorted(listed)
    fop.ensure_plugin_requirements("@s3fo/vos", error_level=0)
    fop.ensure_plugin_compatibility("@s3fo/vos", error_level=0)
    for operator in plugin.instances:
        if icon := operator.config.icon:
            assert (tmp_path / "plugins/@s3fo/vos" / icon.strip("/")).is_file()


def test_download_and_install_write_the_same_folder(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(fo.config, "plugins_dir", str(tmp_path / "plugins"))
    (path,) = fop.download_plugin(archive).values()
    installed = install(tmp_path / "other")
    assert contents(installed) == contents(Path(path))


def test_without_the_package_the_log_says_what_to_do(tmp_path, monkeypatch, caplog):
    log = logging.getLogger("fiftyone")
    monkeypatch.setattr(log, "propagate", True)
    monkeypatch.setattr(fo.config, "plugins_dir", str(tmp_path))
    install(tmp_path)
    monkeypatch.setitem(sys.modules, "s3fo.plugin", None)
    plugin = PluginContext(fop.get_plugin("@s3fo/vos"))
    plugin.register_all()
    assert not plugin.instances
    assert "needs the package s3fo" in plugin.errors[0]
    assert f"the Python that runs FiftyOne, {sys.executable}" in caplog.text
    assert "pip install 's3fo[app,model]'" in caplog.text


def test_versions_agree():
    assert DEFINITION["version"] == s3fo.__version__


def test_readme_names_every_operator_and_panel():
    readme = (FOLDER / "README.md").read_text()
    table = re.findall(r"^\| .+ \| `(\w+)` \| .+ \|$", readme, re.MULTILINE)
    assert sorted(table) == sorted(DEFINITION["operators"] + DEFINITION["panels"])


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }

"""The documentation builds without warnings and speaks of what is really there."""

from __future__ import annotations

import ast
import importlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

import evaluation
import s3fo
from evaluation.protocols import PROTOCOLS

REPOSITORY = Path(__file__).resolve().parents[1]
DOCS = REPOSITORY / "docs"
OUTSIDE = [
    REPOSITORY / name
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CODE_OF_CONDUCT.md",
        "s3fo/weights/README.md",
        "s3fo/plugin/vos/README.md",
    )
]
PAGES = [*sorted(DOCS.rglob("*.md")), *OUTSIDE]
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.py"))
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built in strict mode: broken links and anchors are errors."""
    for module in ("mkdocs", "material", "mkdocstrings_handlers.python"):
        pytest.importorskip(module, reason=f"{module}: pip install 's3fo[docs]'")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=REPOSITORY,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def _page(site: Path, name: str) -> str:
    return (site / name / "index.html").read_text()


@pytest.mark.slow
def test_reference_has_every_protocol(site: Path) -> None:
    page = _page(site, "reference/protocols")

    for protocol in PROTOCOLS.values():
        assert f'id="{protocol.name}"' in page
        assert f'href="#{protocol.name}"' in page


@pytest.mark.slow
def test_reference_has_every_command(site: Path) -> None:
    page = _page(site, "reference/commands")

    for words in _commands().command_words():
        assert f'id="{"-".join(words)}"' in page, words


@pytest.mark.slow
def test_reference_has_every_public_name(site: Path) -> None:
    pages = [path.read_text() for path in (site / "reference/api").rglob("index.html")]
    text = "".join(pages)

    for name in (*evaluation.__dir__(), *s3fo.__all__):
        assert re.search(rf'id="[\w.]+\.{name}"', text), name


@pytest.mark.slow
def test_every_operator_and_panel_is_explained(site: Path) -> None:
    page = _page(site, "how-to/fiftyone")
    plugin = yaml.safe_load((REPOSITORY / "s3fo/plugin/vos/fiftyone.yml").read_text())

    for name in (*plugin["operators"], *plugin["panels"]):
        assert f"<code>{name}</code>" in page, name


@pytest.mark.slow
def test_site_has_every_notebook(site: Path) -> None:
    for notebook in NOTEBOOKS:
        page = _page(site, f"notebooks/{notebook.stem}")
        assert "<h1" in page and "%%" not in page


@pytest.mark.slow
def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    loads = re.compile(r'<(?:script|img|iframe)[^>]+src="(?:https?:)?//')
    sheets = re.compile(
        r'<link[^>]+rel="(?:stylesheet|preconnect)"[^>]+href="https?://'
    )
    for path in site.rglob("*.html"):
        page = path.read_text()
        assert not loads.search(page) and not sheets.search(page), path


@pytest.mark.slow
def test_licences_of_all_benchmarks_are_listed(site: Path) -> None:
    from s3fo.benchmarks.catalog import ENTRIES

    page = _page(site, "licences")
    for entry in ENTRIES:
        assert entry.licence in page, entry.name


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_links_lead_somewhere_in_the_repository(path: Path) -> None:
    """There, too, where files are read that the site makes pages of."""
    for target in re.findall(r"\]\(([^)#\s]+)", path.read_text()):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{path}: {target}"


@pytest.mark.seconds
def test_documented_commands_exist() -> None:
    found = list(_documented_commands())
    assert len(found) > 30

    known = set(_commands().command_words())
    for path, line in found:
        words = shlex.split(line, comments=True)[1:]
        command = (
            tuple(words[:1]) if tuple(words[:2]) not in known else tuple(words[:2])
        )
        assert command in known, f"{path.name}: {line}"
        options = {word for word in words if word.startswith("--")}
        unknown = options - set(_options(command))
        assert not unknown, f"{path.name}: {line}"


def _documented_commands() -> Iterator[tuple[Path, str]]:
    """Lines that call s3fo, in the blocks of pages and the text of notebooks."""
    for path in PAGES:
        for _, block in FENCED.findall(path.read_text()):
            yield from _calls(path, block)
    for path in NOTEBOOKS:
        code = re.findall(r"^# {5}(.*)$", path.read_text(), flags=re.MULTILINE)
        yield from _calls(path, "\n".join(code))


def _calls(path: Path, text: str) -> Iterator[tuple[Path, str]]:
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        if re.match(r"s3fo [a-z]", line):
            yield path, line.removesuffix("...")


@cache
def _options(command: tuple[str, ...]) -> list[str]:
    return re.findall(r"--[a-z][\w-]*", _commands().help_text(command))


def _commands():  # type: ignore[no-untyped-def]  # a module
    if str(DOCS / "generators") not in sys.path:
        sys.path.append(str(DOCS / "generators"))
    return importlib.import_module("command_page")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_documented_python_is_python(path: Path) -> None:
    for language, block in FENCED.findall(path.read_text()):
        if language == "python":
            for statement in ast.walk(ast.parse(block)):
                _check_import(statement, path)


def _check_import(statement: ast.AST, path: Path) -> None:
    """A name that a page imports from our packages must be there."""
    if isinstance(statement, ast.ImportFrom) and statement.module:
        if statement.module.split(".")[0] in ("s3fo", "evaluation"):
            module = importlib.import_module(statement.module)
            for alias in statement.names:
                assert hasattr(module, alias.name), f"{path.name}: {alias.name}"


def test_citation_is_complete() -> None:
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())

    assert citation["license"] == "Apache-2.0"
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()


def test_the_operators_and_panels_of_the_page_are_there(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS / "generators"))
    table = importlib.import_module("plugin_table")
    page = (DOCS / "how-to" / "fiftyone.md").read_text()
    shown = page.split(table.MARK)[1].split(table.END)[0]
    names = set(re.findall(r"^\| [^|]+ \| `(\w+)` \|", shown, re.MULTILINE))
    now = table.operators_and_panels(REPOSITORY / "s3fo" / "plugin")
    assert len(names) > 20
    assert {name for name in names if f"`{name}`" not in now} == set()
    assert table.renew(page, REPOSITORY / "s3fo" / "plugin").count("| in the App") == 1

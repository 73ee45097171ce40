"""Optional extras: one table in code and metadata, one line when one is missing."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from evaluation import InputError
from s3fo import _extras
from s3fo._extras import EXTRAS, MissingExtra, require
from s3fo.inference import build_method

REPOSITORY = Path(__file__).resolve().parents[1]
DISTRIBUTIONS = {"huggingface_hub": "huggingface-hub"}
UNBOUNDED = {"torch", "fiftyone"}
"""Never replaced by pip, whatever version is there."""

HIDE = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hidden())
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: (
    None if name.partition(".")[0] in HIDDEN else found(name, *rest)
)
"""


def run_without(modules: set[str], code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process in which some modules cannot be found."""
    return subprocess.run(
        [sys.executable, "-c", f"HIDDEN = {modules!r}\n{HIDE}\n{code}"],
        capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip


def command_line(*words: object) -> str:
    words = ("s3fo", *map(str, words))
    return f"import sys; sys.argv = {list(words)!r}\nfrom s3fo.cli import main; main()"


def requirements(extra: str) -> dict[str, Requirement]:
    """What pyproject.toml asks for under an extra, other extras of s3fo followed."""
    tomllib = pytest.importorskip("tomllib")  # from Python 3.11 on
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    found: dict[str, Requirement] = {}
    for text in project["optional-dependencies"][extra]:
        item = Requirement(text)
        inner = [requirements(other) for other in item.extras]
        found |= {k: v for more in inner for k, v in more.items()}
        if item.name != "s3fo":
            found[item.name] = item
    return found


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_table_is_that_of_the_metadata(extra: str) -> None:
    wanted = requirements(extra)
    for module, lowest in EXTRAS[extra].items():
        item = wanted[DISTRIBUTIONS.get(module, module)]
        if module in UNBOUNDED:
            assert str(item.specifier) == ""
        else:
            assert lowest in item.specifier and f">={lowest}" in str(item.specifier)


def test_all_holds_every_extra_but_ray() -> None:
    """Ray is 200 MB and of use only where a cluster of it runs."""
    every = requirements("all")
    wanted = {name for extra in EXTRAS for name in requirements(extra)}
    assert wanted - every.keys() == {"ray"}


def test_a_module_of_the_cluster_names_its_extra() -> None:
    """Slurm needs no Ray: each engine asks for its own module."""
    for module in ("submitit", "ray"):
        error = _extras.missing_module(module)
        assert error is not None and module in error.found
        assert error.command == "pip install 's3fo[cluster]'"


@pytest.mark.seconds
@pytest.mark.parametrize(
    ("words", "command"),
    [
        (("demo",), "pip install 's3fo[app,model]'"),
        (("app",), "pip install 's3fo[app]'"),
        (("load", "davis-2017", "--root", "."), "pip install 's3fo[app]'"),
        (("plugin", "install"), "pip install 's3fo[app]'"),
        (("train", "--out", "run"), "pip install 's3fo[train]'"),
        (("predict", "--images", "clip.mp4"), "pip install 's3fo[model]'"),
    ],
)
def test_a_command_says_in_one_line_what_to_install(words, command, tmp_path) -> None:
    modules = {name for extra in EXTRAS.values() for name in extra}
    if words[0] == "predict":
        clip = tmp_path / "clip.mp4"
        clip.touch()
        words = ("predict", "--images", clip, "--masks", tmp_path, "--out", tmp_path)
    run = run_without(modules, command_line(*words))
    assert run.returncode == 2, run.stderr
    assert run.stdout == "" and len(run.stderr.splitlines()) == 1, run.stderr
    assert run.stderr.startswith("error: This needs") and command in run.stderr


@pytest.mark.seconds
@pytest.mark.parametrize(
    ("code", "extra"),
    [
        ("import s3fo; s3fo.load_benchmark", "app"),
        ("from s3fo.inference import build_method; build_method('s3')", "model"),
        ("from s3fo.inference import S3Features", "model"),
        ("import s3fo.model", "model"),
        ("import s3fo.training", "train"),
        ("from s3fo.plugin import register; register(None)", "app,model"),
        ("import s3fo.plugin.vos", "app,model"),
    ],
)
def test_python_says_what_to_install(code: str, extra: str) -> None:
    modules = {name for found in EXTRAS.values() for name in found}
    run = run_without(modules, code)
    assert run.returncode == 1
    assert f"pip install 's3fo[{extra}]'" in run.stderr.splitlines()[-1]


@pytest.mark.seconds
def test_scores_need_no_extra(tmp_path: Path) -> None:
    modules = {name for found in EXTRAS.values() for name in found}
    run = run_without(modules, command_line("evaluate", "--help"))
    assert run.returncode == 0 and "--gt" in run.stdout, run.stderr
    run = run_without(modules, "import s3fo, evaluation; evaluation.score")
    assert run.returncode == 0, run.stderr


def test_an_old_version_is_told_and_left_alone(monkeypatch) -> None:
    version = metadata.version
    monkeypatch.setattr(
        _extras.metadata,
        "version",
        lambda name: "2.1.0+cu118" if name == "torch" else version(name),
    )
    with pytest.raises(MissingExtra, match=r"torch 2\.3 or newer, found 2\.1\.0"):
        require("model")


def test_the_error_is_both_kinds_and_survives_a_process() -> None:
    error = _extras.missing_module("torch.nn.functional")
    assert isinstance(error, ImportError) and isinstance(error, InputError)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.command) == (str(error), "pip install 's3fo[model]'")
    assert _extras.missing_module("os") is None


def test_a_method_names_its_extra(monkeypatch) -> None:
    monkeypatch.setattr(_extras, "is_installed", lambda name: name != "transformers")
    monkeypatch.setattr(
        "s3fo.inference.methods.registry._is_installed", lambda need: False
    )
    with pytest.raises(MissingExtra, match=re.escape("'s3fo[transformers]'")):
        build_method("sam2", weights="nowhere")

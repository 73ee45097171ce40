"""Methods by name: those of s3fo, and those that other packages announce."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from evaluation.errors import InputError
from evaluation.masks.label_map import read_label_map, write_label_map
from s3fo.inference import build_method, list_methods, predict
from s3fo.inference.methods import registry
from s3fo.inference.methods.registry import MethodInfo, find_method

CODE = '''
import numpy as np

class Shift:
    """Moves every object by some pixels per frame."""

    name, device = "shift", "cpu"

    def __init__(self, pixels: int = 1) -> None:
        self.pixels = pixels
        self.settings = {"pixels": pixels}

    def start(self, sequence):
        self.masks = None

    def step(self, image, prompt, *, last=False):
        if self.masks is not None:
            self.masks = np.roll(self.masks, self.pixels, axis=1)
        if prompt is not None:
            old = prompt if self.masks is None else self.masks
            self.masks = np.where(prompt > 0, prompt, old)
        return self.masks

class Hollow:
    """Has no step."""

    name, device, settings = "hollow", "cpu", {}

    def start(self, sequence):
        pass

number = 7
'''


@pytest.fixture
def other_package(tmp_path, monkeypatch) -> Path:
    """An installed distribution that announces good and bad methods."""
    site = tmp_path / "site"
    info = site / "vos_extra-2.1.dist-info"
    info.mkdir(parents=True)
    (site / "vos_extra.py").write_text(CODE)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: vos-extra\nVersion: 2.1\n"
        "License-Expression: BSD-3-Clause\n"
        "Project-URL: Homepage, https://example.org/vos-extra\n"
    )
    (info / "entry_points.txt").write_text(
        "[s3fo.methods]\nshift = vos_extra:Shift\nhollow = vos_extra:Hollow\n"
        "gone = vos_extra:Nothing\nnumber = vos_extra:number\nflow = vos_extra:Shift\n"
    )
    monkeypatch.syspath_prepend(str(site))
    yield site
    sys.modules.pop("vos_extra", None)


def _video(root: Path) -> Path:
    (root / "images" / "v").mkdir(parents=True)
    for t in range(3):
        image = np.full((20, 30, 3), 40 * t, np.uint8)
        cv2.imwrite(str(root / "images" / "v" / f"{t:05d}.png"), image)
    mask = np.zeros((20, 30), np.uint8)
    mask[5:9, 4:8] = 6
    write_label_map(root / "masks" / "v" / "00000.png", mask)
    return root


def test_an_announced_class_is_listed_with_its_packages_licence(other_package):
    info = find_method("shift")
    assert info.title == "Moves every object by some pixels per frame."
    assert info.licence == "BSD-3-Clause"
    assert "https://example.org/vos-extra" in info.source
    assert info.installed and info.options == ("pixels",)


def test_an_announced_method_runs_from_the_command_line(other_package, tmp_path):
    from s3fo.cli import app, model  # noqa: F401 - the command registers itself

    root, out = _video(tmp_path), tmp_path / "out"
    command = ["predict", "--images", str(root / "images"), "--masks"]
    command += [str(root / "masks"), "--out", str(out), "--method", "shift"]
    done = CliRunner().invoke(app, [*command, "--set", "pixels=3"])
    assert done.exit_code == 0, done.output
    last = read_label_map(out / "v" / "00002.png")
    assert np.argwhere(last == 6).min(axis=0).tolist() == [5, 10]
    record = json.loads((out / "run.json").read_text())
    assert record["method"] == "shift" and record["settings"] == {"pixels": 3}


def test_what_cannot_be_imported_is_listed_with_the_reason(other_package):
    found = {info.name: info for info in list_methods()}
    assert "Nothing" in found["gone"].problem and not found["gone"].installed
    assert "no class" in found["number"].problem
    assert found["flow (vos-extra)"].problem == "its name is taken"
    assert found["flow"].problem == ""
    with pytest.raises(InputError, match="cannot be imported"):
        build_method("gone")


def test_an_object_that_is_no_method_is_refused(other_package):
    with pytest.raises(InputError, match="without step"):
        build_method("hollow")


def test_options_are_refused_by_name():
    with pytest.raises(InputError, match="Leave out weights"):
        build_method("flow", weights="x.pth")
    with pytest.raises(InputError, match="device"):
        build_method("copy", device="cuda")
    assert build_method("copy", device="cpu").device == "cpu"


def test_a_missing_package_is_told_with_the_command_that_installs_it(monkeypatch):
    lacking = MethodInfo(
        "new",
        "title",
        "no_such_module:Thing",
        "source",
        "MIT",
        needs=("no-such-package>=3", "numpy>=1", "pandas<0.1"),
        install="pip install no-such-package",
    )
    monkeypatch.setattr(registry, "_BUILT_IN", (lacking,))
    assert lacking.missing == ("no-such-package>=3", "pandas<0.1")
    with pytest.raises(InputError) as caught:
        build_method("new")
    assert "no-such-package>=3, pandas<0.1 not installed" in caught.value.found
    assert caught.value.remedy == "Run `pip install no-such-package`."


def test_every_method_of_s3fo_says_what_it_is():
    for info in registry._BUILT_IN:
        assert info.title and info.source and info.licence, info.name
        if info.installed:
            assert ("weights" in info.options) == bool(info.weights), info.name


def test_the_command_lists_methods_as_json():
    from s3fo.cli import app, methods  # noqa: F401 - the command registers itself

    done = CliRunner().invoke(app, ["methods", "--json"])
    listed = {item["name"]: item for item in json.loads(done.output)}
    assert {"s3", "sam2", "edgetam", "sam3", "flow", "copy"} <= listed.keys()
    assert {"torch>=2.3", "transformers>=5.20"} <= set(listed["sam2"]["needs"])
    assert listed["sam2"]["install"] == "pip install 's3fo[transformers]'"
    shown = CliRunner().invoke(app, ["methods", "show", "flow"])
    assert shown.exit_code == 0 and "options    size" in shown.output


def test_a_class_of_ones_own_needs_no_name(tmp_path):
    namespace: dict = {}
    exec(CODE, namespace)
    root = _video(tmp_path)
    from s3fo.benchmarks import open_folders

    source = open_folders(root / "images", root / "masks")
    run = predict(source, tmp_path / "out", method=namespace["Shift"](pixels=2))
    assert run.finished == ("v",)

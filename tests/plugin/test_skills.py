"""What the skills for agents tell exists in the plugin."""

from __future__ import annotations

import re
from pathlib import Path

import fiftyone as fo
import fiftyone.plugins as fop
import pytest
import yaml

from s3fo.plugin import install, vos

ROOT = Path(__file__).resolve().parents[2]
SKILLS = sorted((ROOT / "skills").glob("*/SKILL.md"))


def test_there_are_two_skills():
    names = [path.parent.name for path in SKILLS]
    assert names == ["evaluate-vos-method", "triage-failures"]


@pytest.mark.parametrize("path", SKILLS, ids=lambda path: path.parent.name)
def test_a_skill_has_its_folders_name_and_says_when_to_use_it(path):
    _, front, _ = path.read_text(encoding="utf-8").split("---\n", 2)
    told = yaml.safe_load(front)
    assert set(told) == {"name", "description"}
    assert told["name"] == path.parent.name
    assert "Use when" in told["description"] and len(told["description"]) < 1024


@pytest.mark.parametrize("path", SKILLS, ids=lambda path: path.parent.name)
def test_a_skill_names_operators_that_exist(path):
    manifest = Path(vos.__file__).parent / "fiftyone.yml"
    known = yaml.safe_load(manifest.read_text(encoding="utf-8"))["operators"]
    named = re.findall(r"@s3fo/vos/(\w+)", path.read_text(encoding="utf-8"))
    assert named and set(named) <= set(known)


def test_the_installed_plugin_brings_its_skills(tmp_path, monkeypatch):
    monkeypatch.setattr(fo.config, "plugins_dir", str(tmp_path))
    install(tmp_path)
    found = {skill.name: skill for skill in fop.list_skills(plugin="@s3fo/vos")}
    assert set(found) == {path.parent.name for path in SKILLS}
    for path in SKILLS:
        skill = found[path.parent.name]
        assert skill.content == path.read_text(encoding="utf-8")
        assert skill.description

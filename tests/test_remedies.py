"""No error tells people to use an option that is not there where they read it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pytest
import typer

import evaluation
import s3fo
from evaluation.masks.label_map import write_label_map
from s3fo.cli import app, import_commands, main

SOURCES = [Path(package.__file__).parent for package in (evaluation, s3fo)]
INPUT_OPTIONS = {"--missing", "--resize", "--binarize", "--void"}
READ_MASKS = ("evaluate", "failures", "report", "attributes", "breakdown")
"""Commands that read masks through `evaluation`."""

COMMAND_OF = {
    "evaluation/audit/": "audit",
    "evaluation/corrections/": "correct",
    "evaluation/stability.py": "stability",
}
"""The one command that shows the errors of some places."""


def options_of_commands() -> dict[str, set[str]]:
    import_commands()
    commands = typer.main.get_command(app).commands
    return {
        name: {text for p in command.params for text in (*p.opts, *p.secondary_opts)}
        for name, command in commands.items()
    }


def texts(node: ast.AST) -> str:
    """All string constants below a node, as one text."""
    parts = (n.value for n in ast.walk(node) if isinstance(n, ast.Constant))
    return " ".join(part for part in parts if isinstance(part, str))


def remedies() -> list[tuple[str, str, str]]:
    """(file, function, remedy) of every `InputError(...)` in the sources."""
    found = []
    for root in SOURCES:
        for path in sorted(root.rglob("*.py")):
            tree = ast.parse(path.read_text())
            for function in ast.walk(tree):
                if not isinstance(function, ast.FunctionDef):
                    continue
                for call in ast.walk(function):
                    name = getattr(getattr(call, "func", None), "id", "")
                    if isinstance(call, ast.Call) and name == "InputError":
                        text = " ".join(texts(argument) for argument in call.args[3:])
                        place = f"{root.name}/{path.relative_to(root)}"
                        found.append((place, function.name, text))
    return found


def test_there_are_remedies_to_walk():
    assert len(remedies()) > 150
    assert any("--missing" in text for _, _, text in remedies())


@pytest.mark.parametrize("command", READ_MASKS)
def test_commands_that_read_masks_take_all_input_options(command):
    assert options_of_commands()[command] >= INPUT_OPTIONS


def test_every_option_in_a_remedy_exists_where_it_is_shown():
    commands = options_of_commands()
    everywhere = set().union(*commands.values())
    for place, function, text in remedies():
        # Options of pip and convmv in a remedy are their own.
        ours = re.sub(r"`pip [^`]*`|convmv .*", "", text)
        named = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", ours))
        own = commands.get(function.replace("_", "-"))
        one = next((c for k, c in COMMAND_OF.items() if place.startswith(k)), None)
        if place.startswith("s3fo/cli/") and own is not None:
            missing = named - own
        elif one is not None:
            missing = named - commands[one]
        elif place.startswith("evaluation/") and not place.startswith(
            ("evaluation/runs", "evaluation/leaderboard")
        ):
            missing = {
                n for n in named if any(n not in commands[c] for c in READ_MASKS)
            }
        else:
            missing = named - everywhere
        assert not missing, f"{place}: {function}: {text}"


@pytest.mark.parametrize("command", ["evaluate", "failures", "report"])
def test_the_remedy_for_missing_frames_works_as_it_is_written(
    command, tmp_path, monkeypatch, capsys
):
    masks = np.zeros((20, 24), np.uint8)
    masks[4:12, 5:15] = 1
    for frame in range(6):
        write_label_map(tmp_path / f"gt/clip/{frame:05d}.png", masks)
        if frame != 3:
            write_label_map(tmp_path / f"pred/clip/{frame:05d}.png", masks)
    words = [command, str(tmp_path / "pred"), "--gt", str(tmp_path / "gt")]
    words += ["--out", str(tmp_path / "out")]
    assert run(words, monkeypatch) == 2
    told = capsys.readouterr().err
    assert "00003" in told and "--missing score-as-empty" in told
    assert run([*words, "--missing", "score-as-empty"], monkeypatch) == 0


def run(words, monkeypatch) -> int:
    monkeypatch.setattr("sys.argv", ["s3fo", *words])
    with pytest.raises(SystemExit) as exit_:
        main()
    return int(exit_.value.code or 0)

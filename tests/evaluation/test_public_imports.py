"""What users import stays importable, and is visible to type checkers."""

from __future__ import annotations

import importlib
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import evaluation
from evaluation._utils.former_names import MOVED

USES = """
import evaluation
import s3fo
from evaluation import breakdown, compare, find_failures, report, score

reveal_type(score)
reveal_type(evaluation.report)
reveal_type(evaluation.breakdown)
reveal_type(compare)
reveal_type(find_failures)
reveal_type(s3fo.evaluate)
reveal_type(s3fo.predict)
"""


@pytest.mark.parametrize("name", sorted(evaluation.__all__))
def test_every_public_name_is_there(name: str) -> None:
    if name == "PROTOCOLS":
        assert "davis-2017" in evaluation.PROTOCOLS
    else:
        assert getattr(evaluation, name).__module__.startswith("evaluation.")


def test_functions_win_over_subpackages_of_the_same_name() -> None:
    import evaluation.breakdown.rows
    import evaluation.report.tables

    assert callable(evaluation.report) and callable(evaluation.breakdown)


@pytest.mark.parametrize("old", sorted(MOVED))
def test_old_module_paths_warn_and_give_the_new_module(old: str) -> None:
    name = f"evaluation.{old}"
    sys.modules.pop(name, None)
    with pytest.warns(DeprecationWarning, match=f"{name} has moved"):
        module = importlib.import_module(name)
    assert module is importlib.import_module(f"evaluation.{MOVED[old]}")
    assert module.__spec__ is not None
    assert module.__spec__.name == f"evaluation.{MOVED[old]}"


@pytest.mark.slow
def test_mypy_sees_the_public_functions(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    script = tmp_path / "uses.py"
    script.write_text(USES)
    # With the options of `make types`, whose cache then serves here.
    done = subprocess.run(
        [sys.executable, "-m", "mypy", str(script)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
        check=False,
    )
    revealed = [line for line in done.stdout.splitlines() if "Revealed" in line]
    assert len(revealed) == 7, done.stdout
    assert all('"def (' in line for line in revealed), revealed


def test_the_former_name_of_the_protocol_class_still_works() -> None:
    from evaluation import protocols

    for module in (evaluation, protocols):
        with pytest.warns(DeprecationWarning, match="ScoringProtocol"):
            assert module.Protocol is protocols.ScoringProtocol


def test_a_function_is_served_under_its_former_name():
    with pytest.warns(DeprecationWarning, match="is now compare_with_official") as told:
        former = evaluation.check_against
    assert former is evaluation.compare_with_official
    assert told[0].filename == __file__


@pytest.mark.parametrize(
    ("package", "present"),
    [("evaluation.runs", "RunFolder"), ("s3fo.inference", "PredictionSummary")],
)
def test_classes_once_called_run_say_what_they_are(package, present):
    module = import_module(package)
    assert present in module.__all__
    with pytest.warns(DeprecationWarning, match=f"is now {present}"):
        assert module.Run is getattr(module, present)


def test_a_method_is_served_under_its_former_name():
    truth = np.zeros((4, 20, 20), np.uint8)
    truth[:, 5:15, 5:15] = 1
    lost = truth * (np.arange(4) < 1)[:, None, None].astype(np.uint8)
    failures = evaluation.find_failures(
        {"cat": lost}, {"cat": truth}, protocol="davis-2017"
    )
    with pytest.warns(DeprecationWarning, match="is now recoverable") as told:
        gain = failures.worth(1)
    assert gain == failures.recoverable(1) == 1.0
    assert told[0].filename == __file__


def test_names_of_the_package_are_listed_before_their_first_use() -> None:
    code = "import s3fo; print(set(s3fo.__all__) <= set(dir(s3fo)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "True", done.stderr

"""The check for GPUs runs in its tiny form, so that it works when a card is at hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_the_tiny_form_runs_on_a_cpu(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.gpu", "--short", "--device", "cpu"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert all(row["equal"] for row in found["parity"])
    jf = {row["precision"]: row["J&F"] for row in found["precision"]}
    assert jf.keys() == {"float32", "bfloat16"}
    assert 0.3 < jf["float32"] < 1 and abs(jf["bfloat16"] - jf["float32"]) < 0.05
    assert [row["stage"].split(",")[0] for row in found["stages"]] == [
        "ViT",
        "spatial dependency",
        "semantic embedding",
        "detail of strides 8 and 4",
    ]
    assert len(found["long video"]) == 3 and len(found["speed"]) == 2
    assert "| ms per frame |" in (tmp_path / "gpu.md").read_text()


@pytest.mark.slow
def test_the_whole_check_is_refused_without_a_gpu(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.gpu", "--device", "cpu"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and "--short" in done.stderr

"""The check for GPUs runs in its tiny form, so that it works when a card is at hand."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import gpu


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["benchmarks.gpu", *map(str, words)])
    return gpu.main()


@pytest.mark.slow
def test_the_tiny_form_runs_on_a_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(monkeypatch, "--short", "--device", "cpu", "--out", tmp_path)
    assert code == 0, capsys.readouterr()
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


def test_the_whole_check_is_refused_without_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        run(monkeypatch, "--device", "cpu", "--out", tmp_path)
    assert refused.value.code == 2 and "--short" in capsys.readouterr().err

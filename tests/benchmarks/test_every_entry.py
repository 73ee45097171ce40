"""Every split of the catalog: its tree loads, its masks score or are submitted."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from benchmark_trees import write_entry

from evaluation.errors import InputError
from evaluation.scoring import score
from s3fo.benchmarks import open_benchmark, validate, write_submission
from s3fo.benchmarks.catalog import ENTRIES, Entry
from s3fo.inference import predict


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda item: f"{item.name} {item.split}")
def test_an_entry(tmp_path: Path, entry: Entry) -> None:
    write_entry(tmp_path / "data", entry)
    benchmark = open_benchmark(entry.name, tmp_path / "data", split=entry.split)
    assert benchmark.protocol == entry.protocol
    problems = validate(benchmark, deep=True).problems
    assert all("the catalog says" in problem for problem in problems)

    run = predict(benchmark, tmp_path / "out", method="copy")
    assert run.failures == {}
    if entry.public:
        # Masks of DAVIS-2016 are 0/255, predictions 0/1.
        binarize = entry.name == "davis-2016"
        scores = score(tmp_path / "out", benchmark, entry.protocol, binarize=binarize)
        assert 0 < scores.summary["J&F"] <= 1
    elif entry.submission is None:
        with pytest.raises(InputError, match="no server"):
            write_submission(tmp_path / "out", benchmark, tmp_path / "x.zip")
    else:
        done = write_submission(tmp_path / "out", benchmark, tmp_path / "x.zip")
        with zipfile.ZipFile(done.path) as archive:
            members = archive.namelist()
        assert len(members) == done.frames
        top = {member.split("/")[0] for member in members}
        folder = entry.submission.folder
        assert top == ({folder} if folder else {item.name for item in benchmark})

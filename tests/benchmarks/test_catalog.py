from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
from benchmark_trees import write_davis, write_image, write_mask
from typer.testing import CliRunner

from evaluation.errors import InputError
from evaluation.protocols import get_protocol
from s3fo.benchmarks import VideoObject, open_benchmark, open_folders, validate
from s3fo.benchmarks.catalog import ENTRIES, Counts, get_entry, names, splits
from s3fo.benchmarks.opening import _READERS
from s3fo.cli import app, import_commands, main


def test_every_entry_is_complete() -> None:
    assert len({(entry.name, entry.split) for entry in ENTRIES}) == len(ENTRIES)
    for entry in ENTRIES:
        assert get_protocol(entry.protocol).name == entry.protocol
        assert entry.download.startswith("https://")
        known = entry.counts.sequences or entry.name == "visor"  # no source says
        assert known, f"{entry.name} {entry.split}"
        texts = [getattr(entry, item.name) for item in fields(entry)]
        assert all(text != "" for text in texts)
        hidden = not entry.public
        assert entry.submission is None or hidden, "public splits are scored at home"


def test_every_name_has_a_reader_and_a_validation_split() -> None:
    assert list(_READERS) == names()
    for name in names():
        if "val" in splits(name):
            assert get_entry(name) == get_entry(name, "val") == get_entry(name, "valid")
    without = {name for name in names() if "val" not in splits(name)}
    assert without == {"youtube-vis-2019", "youtube-vis-2021", "ovis", "mevis"}
    assert get_entry("ovis").split == "train"
    assert get_entry("mevis") == get_entry("mevis", "valid_u")


def test_published_totals_add_up() -> None:
    def total(name: str, field: str) -> int:
        kept = ("train", "val", "test")
        return sum(
            getattr(entry.counts, field)
            for entry in ENTRIES
            if entry.name == name and entry.split in kept
        )

    assert total("mose-v1", "sequences") == 2149
    assert total("lvos-v1", "sequences") == 220
    assert total("lvos-v2", "sequences") == 720
    assert total("burst", "sequences") == 2914
    assert get_entry("davis-2017", "val").counts == Counts(30, 61, 1999, 1999)


def test_names_close_to_known_ones_are_suggested() -> None:
    with pytest.raises(InputError, match=r"Did you mean davis-2017\?"):
        get_entry("davis2017")
    with pytest.raises(InputError, match="train, val, test-dev"):
        get_entry("davis-2017", "test")
    with pytest.raises(InputError, match="resolution"):
        open_benchmark("mose-v1", ".", resolution="480p")


def test_validation_compares_with_the_catalog(tmp_path: Path) -> None:
    write_davis(tmp_path, {"ape": [1, 2], "bat": [1]})
    result = validate(open_benchmark("davis-2017", tmp_path))
    assert result.found == Counts(2, 3, 8, 8)
    assert not result.ok
    assert "2 sequences, the catalog says 30" in result.problems
    assert ("objects", 3, 61) in result.rows()


def test_validation_of_own_folders_looks_at_the_files(tmp_path: Path) -> None:
    for name in ("broken", "empty", "fine", "small"):
        for frame in ("0", "1"):
            write_image(tmp_path / "images" / name / f"{frame}.jpg")
            write_mask(tmp_path / "masks" / name / f"{frame}.png", [1])
    (tmp_path / "masks/broken/1.png").write_bytes(b"\x89PNG")
    write_mask(tmp_path / "masks/empty/0.png", [])
    write_mask(tmp_path / "masks/empty/1.png", [])
    write_image(tmp_path / "images/small/0.jpg", size=(7, 9))
    steps: list[tuple[int, int, str]] = []
    result = validate(
        open_folders(tmp_path / "images", tmp_path / "masks"),
        progress=lambda *step: steps.append(step),
    )
    assert [name for _, _, name in steps] == ["broken", "empty", "fine", "small"]
    assert len(result.problems) == 3
    assert "1.png" in result.problems[0]
    assert result.problems[1] == "empty: its masks show no object"
    assert "the image is 9x7, its mask 32x24" in result.problems[2]


def test_validation_finds_objects_that_are_not_as_said(tmp_path: Path) -> None:
    write_davis(tmp_path, {"ape": [1]})
    write_mask(tmp_path / "Annotations/480p/ape/00003.png", [1, 4])
    benchmark = open_benchmark("davis-2017", tmp_path)
    said = (VideoObject(1, "00000"), VideoObject(2, "00001"))
    sequence = replace(benchmark["ape"], known_objects=said)
    claimed = replace(benchmark, name="mine", sequences=(sequence,))
    (absent,) = validate(claimed).problems
    assert absent == "ape, frame 00001: object 2 is not there"
    assert validate(claimed, deep=True).problems == (
        absent,
        "ape, frame 00003: id 4 is in the mask, but the objects are 1, 2",
    )


def test_the_real_val_sequences_are_well(shared: Path) -> None:
    benchmark = open_benchmark("davis-2016", shared / "data/davis2016-val")
    result = validate(benchmark)
    assert result.found.sequences == result.found.objects == 10
    assert all("the catalog says" in problem for problem in result.problems)


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int | str | None:
    monkeypatch.setattr("sys.argv", ["s3fo", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_show_tells_what_the_server_wants(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "benchmarks", "show", "youtube-vos-2019")
    shown = " ".join(capsys.readouterr().out.split())
    for fact in (
        "Annotations/<video>/<frame>.png, an indexed PNG of every frame the meta file",
        "competitions/6066",
        "frame rate 6 a second",
        "preset youtube-vos",
    ):
        assert fact in shown
    run(monkeypatch, "benchmarks", "show", "davis-2017", "--split", "test-dev")
    shown = " ".join(capsys.readouterr().out.split())
    assert "submission <video>/<frame>.png, an indexed PNG of every frame" in shown
    assert "A folder around the sequences is rejected." in shown


def test_a_folder_that_fails_validation_is_not_loaded(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_davis(tmp_path, {"ape": [1]})
    (tmp_path / "Annotations/480p/ape/00002.png").unlink()
    code = run(monkeypatch, "load", "davis-2017", "--root", tmp_path, "--validate")
    said = capsys.readouterr().err
    assert code == 1
    assert "problem: ape: no mask of 1 frame (00002)" in said
    assert "Nothing was loaded" in said


def test_every_server_has_a_state_and_a_day_of_which_it_is_true() -> None:
    from s3fo.benchmarks.catalog import nearest_public

    for entry in ENTRIES:
        form = entry.submission
        if form is None:
            continue
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", form.known), entry.name
        assert form.source.startswith("https://")
        if form.state == "closed":
            assert form.since == "2025-12-31"
            assert form.page is None
            near = nearest_public(entry)
            assert near is not None
            assert near.public
            assert near.name == entry.name
        else:
            assert form.page == form.server
    assert nearest_public(get_entry("davis-2017", "test-dev")).split == "val"
    assert nearest_public(get_entry("youtube-vos-2019", "val")).split == "train"


def test_show_names_what_can_be_scored_instead_of_a_closed_server() -> None:
    import_commands(["benchmarks"])
    shown = CliRunner().invoke(app, ["benchmarks", "show", "mose-v1"]).output
    assert "closed since 2025-12-31" in " ".join(shown.split())
    assert "--benchmark mose-v1 --split train" in " ".join(shown.split())
    assert "https://codalab" not in shown
    shown = CliRunner().invoke(app, ["benchmarks", "show", "mose-v2"]).output
    assert "open: https://www.codabench.org/competitions/10062" in " ".join(
        shown.split()
    )
    assert "instead" not in shown

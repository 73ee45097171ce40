"""Links that lead nowhere, pipes and unreadable folders: named, or skipped with a note.

Every file and folder of a small tree is replaced in turn.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from evaluation.errors import InputError
from s3fo.benchmarks import Benchmark, open_benchmark, open_folders
from s3fo.benchmarks.catalog import get_entry
from s3fo.inference import predict
from s3fo.inference.running.reader import read_frames
from tests.benchmarks.benchmark_trees import (
    names,
    write_davis,
    write_entry,
    write_image,
    write_mask,
)


def to_nowhere(path: Path) -> None:
    path.symlink_to("/nowhere/at/all")


def to_itself(path: Path) -> None:
    path.symlink_to(path.name)


OBSTACLES: dict[str, tuple[Callable[[Path], object], str]] = {
    "link to nowhere": (to_nowhere, "a link to /nowhere/at/all, which is not there"),
    "circle": (to_itself, "a link to"),
    "pipe": (os.mkfifo, "a pipe (fifo)"),
}


@contextmanager
def replaced(path: Path, obstacle: Callable[[Path], object]) -> Iterator[None]:
    away = path.with_name(".away")
    path.rename(away)
    obstacle(path)
    try:
        yield
    finally:
        path.unlink()
        away.rename(path)


def content(benchmark: Benchmark) -> list[object]:
    """All that methods and scores get to see of a benchmark."""
    return [
        (
            sequence.name,
            [(frame, image.sum()) for frame, image in read_frames(sequence)],
            [sequence.read_annotation(f).tobytes() for f in sequence.annotated_frames],
            sequence.objects,
        )
        for sequence in benchmark
    ]  # fmt: skip


UNUSED = {"burst": "first_frame_annotations.json"}


@pytest.mark.parametrize("kind", OBSTACLES)
@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("davis-2017", "val"),
        ("mose-v1", "train"),
        ("sa-v", "val"),
        ("sa-v", "train"),
        ("burst", "val"),
    ],
)
def test_nothing_of_a_benchmark_is_dropped_in_silence(
    tmp_path: Path, name: str, split: str, kind: str
) -> None:
    obstacle, told = OBSTACLES[kind]
    root = tmp_path / "root"
    write_entry(root, get_entry(name, split))
    places = [p for p in sorted(root.rglob("*")) if p.name != UNUSED.get(name)]
    assert len(places) > 2
    for place in places:
        with replaced(place, obstacle), pytest.raises(InputError) as caught:
            content(open_benchmark(name, root, split=split))
        message = str(caught.value)
        assert told in message, f"{place}: {message}"
        assert place.name in message, message


def clip(root: Path, *videos: str, frames: int = 4) -> tuple[Path, Path]:
    for video in videos:
        for index, frame in enumerate(names(frames)):
            write_image(root / "im" / video / f"{frame}.jpg", 40 + index)
        write_mask(root / "gt" / video / "00000.png", [1, 2])
    return root / "im", root / "gt"


@pytest.mark.parametrize("kind", OBSTACLES)
@pytest.mark.parametrize(
    "place", ["im/ape", "im/ape/00002.jpg", "gt/ape", "gt/ape/00000.png", "im", "gt"]
)
def test_nothing_of_plain_folders_is_dropped_in_silence(
    tmp_path: Path, kind: str, place: str
) -> None:
    images, masks = clip(tmp_path, "ape", "bat")
    obstacle, told = OBSTACLES[kind]
    with replaced(tmp_path / place, obstacle), pytest.raises(InputError) as caught:
        open_folders(images, masks)
    assert told in str(caught.value)
    assert str(tmp_path / place) in str(caught.value)


def test_a_folder_in_the_place_of_a_frame_is_named(tmp_path: Path) -> None:
    images, masks = clip(tmp_path, "ape")
    (images / "ape/00002.jpg").unlink()
    (images / "ape/00002.jpg").mkdir()
    with pytest.raises(InputError, match=r"00002\.jpg: found a folder"):
        open_folders(images, masks)


def test_what_is_no_sequence_is_told(tmp_path: Path) -> None:
    images, masks = clip(tmp_path, "ape", "bat")
    (images / "lost+found").mkdir(mode=0)
    (images / "empty").mkdir()
    (images / "notes.txt").symlink_to("/nowhere/notes.txt")
    (masks / "cat").mkdir()
    write_mask(masks / "cat/00000.png", [1])
    write_image(images / "bat/title.jpg")
    benchmark = open_folders(images, masks)
    assert [sequence.name for sequence in benchmark] == ["ape", "bat"]
    assert "folders without images are left out: empty, lost+found" in benchmark.notes
    assert "masks without images are left out: cat" in benchmark.notes
    told = "bat: not numbered like the others: 1 frame (title)"
    assert told in benchmark.notes


def test_a_foreign_picture_among_numbered_frames_is_told(tmp_path: Path) -> None:
    root = write_davis(tmp_path, {"ape": [1]})
    write_image(root / "JPEGImages/480p/ape/cover.jpg")
    (missing,) = (
        text
        for text in open_benchmark("davis-2017", root).missing_files
        if "numbered" in text
    )
    assert missing == "ape: not numbered like the others: 1 frame (cover)"


def test_folders_that_links_lead_to_are_read(tmp_path: Path) -> None:
    elsewhere, root = tmp_path / "elsewhere", tmp_path / "root"
    write_entry(elsewhere, get_entry("sa-v", "train"))
    root.mkdir()
    (root / "sav_000").symlink_to(elsewhere / "sav_000")
    (elsewhere / "sav_000/back").symlink_to(root)  # a circle of folders
    found = open_benchmark("sa-v", root, split="train")
    assert [sequence.name for sequence in found] == ["sav_000001"]


@pytest.fixture
def as_nobody() -> Iterator[None]:
    """Rights that hold: the superuser may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_nobody_may_read_is_named(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    images, masks = clip(tmp_path, "ape", "bat")
    for above in (tmp_path, *tmp_path.parents):
        if above == Path(tempfile.gettempdir()):
            break
        above.chmod(0o755)
    closed = images / "bat"
    closed.chmod(0)
    request.getfixturevalue("as_nobody")
    with pytest.raises(InputError) as caught:
        open_folders(images, masks)
    assert f"{closed}: found a folder that cannot be read" in str(caught.value)


def test_names_in_another_encoding_are_followed(tmp_path: Path) -> None:
    odd = os.fsdecode(b"caf\xe9")
    images, masks = clip(tmp_path, odd)
    done = predict(open_folders(images, masks), tmp_path / "out", method="copy")
    assert done.failures == {}
    made = sorted(os.listdir(tmp_path / "out" / odd))
    assert made == [f"{frame}.png" for frame in names(4)]
    assert np.array_equal(
        (tmp_path / "out" / odd / "00003.png").read_bytes(),
        (tmp_path / "out" / odd / "00000.png").read_bytes(),
    )

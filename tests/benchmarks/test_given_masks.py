"""Submitted masks beside those that were given: when something is said of them."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from evaluation.errors import InputError, InputWarning
from evaluation.masks.label_map import write_label_map
from evaluation.masks.sequence import ArraySequence, FileSequence
from s3fo.benchmarks.submission.checks import (
    _drawn_otherwise,
    _exchanged,
    _may_not_jump,
    _shows_something,
    _warn_of_next,
    find_exchanged,
    find_results,
    note_empty,
)
from s3fo.benchmarks.submission.mask_files import MaskFiles

SHAPE = (20, 20)
FRAMES = ("0", "1", "2")


def drawn(**boxes: tuple[int, int, int, int]) -> np.ndarray:
    """A label map with objects `_<id>` in boxes of rows and columns."""
    label_map = np.zeros(SHAPE, np.uint8)
    for name, (top, bottom, left, right) in boxes.items():
        label_map[top:bottom, left:right] = int(name[1:])
    return label_map


def video(given: np.ndarray, *ids: int) -> Any:
    return SimpleNamespace(
        name="v",
        frames=FRAMES,
        object_ids=ids,
        prompt_frames=lambda: {"0": ids},
        read_prompt=lambda frame: given,
    )


def handed_in(files: dict[str, Path]) -> MaskFiles:
    """Mask files by frame, as those of a video are read."""
    truth = ArraySequence("v", {"0": drawn(_1=LEFT, _2=RIGHT)})
    return MaskFiles(FileSequence("v", files), {frame: frame for frame in files}, truth)


def said(call) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InputWarning)
        call()
    return [str(one.message) for one in caught]


LEFT, RIGHT, FAR = (2, 12, 2, 8), (2, 12, 10, 16), (14, 20, 0, 20)


@pytest.mark.parametrize(
    ("given", "own", "told"),
    [
        (drawn(_1=LEFT, _2=RIGHT), drawn(_2=LEFT, _1=RIGHT), "[1, 2] lie under each"),
        (drawn(_1=LEFT, _2=RIGHT), drawn(_1=LEFT, _2=RIGHT), ""),
        (drawn(_1=LEFT, _2=RIGHT), drawn(_1=LEFT, _2=FAR), ""),
        # One object alone is lost to another, which is no exchange.
        (drawn(_1=LEFT, _2=RIGHT), drawn(_2=LEFT), ""),
        (drawn(_1=LEFT), drawn(_1=FAR), "masks lie elsewhere"),
        (drawn(_1=LEFT), drawn(_1=(2, 12, 7, 13)), "masks lie elsewhere"),
        (drawn(_1=LEFT), drawn(_1=(2, 12, 6, 12)), ""),
        (drawn(_1=LEFT), drawn(), ""),
        (drawn(_1=LEFT), np.ones((5, 7), np.uint8), ""),
    ],
)
def test_the_frame_after_the_given_masks(tmp_path, given, own, told) -> None:
    write_label_map(tmp_path / "1.png", own)
    one = video(given, 1, 2)
    files = handed_in({"1": tmp_path / "1.png"})
    notes = said(lambda: _warn_of_next(files, "1", one, "0"))
    assert len(notes) == bool(told) and all(told in note for note in notes)


@pytest.mark.parametrize(
    ("pixels", "frame", "expected"),
    [(3, "1", True), (2, "1", False), (3, "2", False)],
)
def test_only_small_objects_jump_from_a_frame_to_the_next(
    pixels, frame, expected
) -> None:
    """2 of 400 pixels are a two-hundredth."""
    first = np.zeros(SHAPE, np.uint8)
    first[0, :pixels] = 1
    assert _may_not_jump(first, frame, video(first, 1), "0") == expected


@pytest.mark.parametrize(
    ("given", "own", "told", "warned"),
    [
        (drawn(_1=LEFT), drawn(_1=LEFT), 0, 0),
        (drawn(), drawn(_1=LEFT), 0, 0),  # nothing was given
        (drawn(_3=LEFT), drawn(_1=FAR), 0, 0),  # nor of the objects of this frame
        (drawn(_1=LEFT), 1 - drawn(_1=LEFT), 1, 0),
        (drawn(_1=LEFT), drawn(), 0, 0),  # told elsewhere
        (drawn(_1=LEFT), drawn(_3=LEFT), 0, 0),  # its id is told as unknown
        (drawn(_1=LEFT), np.indices(SHAPE).sum(axis=0) % 7 == 0, 0, 1),
        (drawn(_1=LEFT), drawn(_1=LEFT) * (np.indices(SHAPE)[0] != 6), 0, 0),
        (drawn(_1=LEFT), drawn(_1=(2, 8, 2, 8)), 0, 0),  # an IoU of 0.6
    ],
)
def test_masks_of_the_given_frame(given, own, told, warned) -> None:
    found: list[str] = []

    def look() -> None:
        own_map = np.asarray(own).astype(np.uint8)
        found.extend(_drawn_otherwise("v/0.png", own_map, video(given, 1), "0"))

    assert len(said(look)) == warned
    assert len(found) == told


def test_damaged_masks_are_not_called_empty(tmp_path: Path) -> None:
    write_label_map(tmp_path / "0.png", drawn(_1=LEFT))
    (tmp_path / "1.png").write_bytes(b"no mask")
    files = handed_in({frame: tmp_path / f"{frame}.png" for frame in ("0", "1")})
    assert _shows_something(files, "1")
    one = video(drawn(_1=LEFT), 1)
    notes = said(lambda: note_empty({"v": files}, [one], lambda _: ("0", "1")))  # type: ignore[arg-type]
    assert notes == []


def test_only_json_files_are_told_how_to_become_folders(tmp_path: Path) -> None:
    benchmark = [video(drawn(), 1)]
    for name, told in (("masks.json", "a JSON file"), ("masks.txt", "")):
        (tmp_path / name).write_text("[]")
        with pytest.raises(InputError) as caught:
            find_results(tmp_path / name, benchmark)  # type: ignore[arg-type]
        assert ("convert" in caught.value.remedy) == bool(told)
        assert told in caught.value.found


def test_objects_are_exchanged_only_if_each_has_the_id_of_the_other() -> None:
    one = video(drawn(_1=LEFT, _2=RIGHT), 1, 2)
    assert _exchanged(drawn(_2=LEFT, _1=RIGHT), one, "0") == [1, 2]
    assert _exchanged(drawn(_2=LEFT), one, "0") == [1]  # 2 is background
    both = drawn(_2=LEFT) + drawn(_2=RIGHT)
    assert _exchanged(both, one, "0") == []


@pytest.mark.parametrize(
    ("shown", "warned", "refused"),
    [
        (("011", "000"), "1 of 2 videos are empty in every frame: v1", 0),
        (("010", "011"), "", 0),
        (("100", "011"), "1 of 2 videos are empty in every frame but the first", 0),
        (("000", "111"), "1 of 2 videos are empty in every frame: v0", 0),
        (("100", "100"), "2 of 2 videos are empty in every frame but the first", 0),
        (("000", "000"), "", 1),
        (("1", "111"), "", 0),
        (("10", "111"), "1 of 2 videos are empty in every frame but the first", 0),
    ],
)
def test_videos_without_masks_are_counted(tmp_path, shown, warned, refused) -> None:
    """`shown` has a 1 for each frame of a video with a mask in it."""
    found, videos = {}, []
    for k, frames in enumerate(shown):
        one = video(drawn(_1=LEFT), 1)
        one.name = f"v{k}"
        videos.append(one)
        names = map(str, range(len(frames)))
        files = {name: tmp_path / f"{k}/{name}.png" for name in names}
        for path, filled in zip(files.values(), frames, strict=True):
            write_label_map(path, drawn(_1=LEFT) if filled == "1" else drawn())
        found[one.name] = handed_in(files)
    complaints: list[str] = []
    notes = said(lambda: complaints.extend(note_empty(found, videos, lambda _: FRAMES)))
    assert len(complaints) == refused
    assert len(notes) == bool(warned) and all(warned in note for note in notes)


def test_the_folder_of_the_videos_is_found(tmp_path: Path) -> None:
    write_label_map(tmp_path / "inner/v/0.png", drawn(_1=LEFT))
    videos = [video(drawn(), 1)]
    for given in (tmp_path, tmp_path / "inner"):
        assert find_results(given, videos) == tmp_path / "inner"  # type: ignore[arg-type]


def test_first_masks_of_another_video_are_refused(tmp_path: Path) -> None:
    given = {"a": drawn(_1=LEFT), "b": drawn(_1=(2, 12, 3, 9)), "c": drawn(_1=RIGHT)}
    masks = {"a": given["b"], "b": given["a"], "c": drawn(_1=FAR)}
    benchmark = []
    files = {}
    for name, label_map in given.items():
        benchmark.append(SimpleNamespace(**{**vars(video(label_map, 1)), "name": name}))
        write_label_map(tmp_path / name / "0.png", masks[name])
        files[name] = handed_in({"0": tmp_path / name / "0.png"})
    told = find_exchanged(files, benchmark)  # type: ignore[arg-type]
    assert [line.partition(": are")[0] for line in told] == [
        "a: its first masks are, to the pixel, those given for b",
        "b: its first masks are, to the pixel, those given for a",
    ]
    damaged = {"a": handed_in({"0": tmp_path / "b/0.png"})}
    assert find_exchanged(damaged, benchmark) == []  # type: ignore[arg-type]

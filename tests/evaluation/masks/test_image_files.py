"""Image files of any name, rotation tag and damage."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from evaluation import find_failures, score
from evaluation.errors import InputError
from evaluation.masks.pictures import note_few_bits, read_picture, write_picture

RED, BLUE = (250, 10, 10), (10, 10, 250)


def halves(height: int = 16, width: int = 32) -> np.ndarray:
    """Left red, right blue; RGB."""
    image = np.full((height, width, 3), BLUE, np.uint8)
    image[:, : width // 2] = RED
    return image


def test_names_in_another_encoding_are_read(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))
    write_picture(path, halves()[..., ::-1], 90)
    assert os.listdir(os.fsencode(tmp_path)) == [b"caf\xe9.png"]
    assert np.array_equal(read_picture(path)[..., ::-1], halves())


def test_pictures_are_as_stored_whatever_viewers_do(tmp_path: Path) -> None:
    tags = Image.Exif()
    tags[0x0112] = 6  # turned by 90 degrees when shown
    path = tmp_path / "turned.jpg"
    Image.fromarray(halves()).save(path, exif=tags, quality=95)
    assert read_picture(path).shape == (16, 32, 3)
    assert read_picture(path, reduced=4).shape == (4, 8, 3)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "an empty file"),
        (b"GIF, or what", "cannot be decoded"),
        # A PNG that says it has 60000 x 60000 pixels, more than OpenCV takes.
        (
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xea\x60\0\0\xea\x60\x08\x02\0\0\0"
            b"\x1f\x95\xea\x8f",
            "cannot be decoded",
        ),
    ],
)
def test_damaged_pictures_are_named(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "damaged.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=told):
        read_picture(path)


ONE_BY_ONE = """
import json, sys
from s3fo.cli import main
for words in json.loads(sys.argv[1]):
    sys.argv = ["s3fo", *words]
    try:
        main()
    except SystemExit as end:
        print(words[0], int(end.code or 0), file=sys.stderr, flush=True)
"""


@pytest.mark.seconds
def test_videos_named_in_another_encoding(tmp_path: Path) -> None:
    """In a process of its own: OpenCV's own reader would end it."""
    odd = os.fsdecode(b"caf\xe9")
    for kind, ending in (("im", "jpg"), ("gt", "png"), ("pred", "png")):
        folder = tmp_path / kind / odd
        folder.mkdir(parents=True)
        for frame in range(4):
            pixels = halves() if kind == "im" else (halves()[..., 0] > 99).astype("u1")
            Image.fromarray(np.roll(pixels, frame * (kind == "pred"), 1)).save(
                folder / f"{frame:05d}.{ending}"
            )
    images, truth = ["--images", tmp_path / "im"], ["--gt", tmp_path / "gt"]
    results = tmp_path / "pred"
    commands: list[list[str | Path]] = [
        ["attributes", *truth, *images, "--out", tmp_path / "attributes"],
        ["failures", results, *truth, *images, "--out", tmp_path / "failures"],
        ["report", results, *truth, *images, "--out", tmp_path / "report"],
    ]
    every = json.dumps([[str(word) for word in words] for words in commands])
    done = subprocess.run(
        [sys.executable, "-c", ONE_BY_ONE, every],
        capture_output=True,
        text=True,
        env={**os.environ, "S3FO_CACHE_DIR": str(tmp_path / "cache")},
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    codes = dict(re.findall(r"^([a-z]+) (\d)$", done.stderr, re.MULTILINE))
    expected = {"attributes": "0", "failures": "0", "report": "0"}
    assert codes == expected, done.stderr
    for verb in ("attributes", "failures"):
        texts = [
            value
            for path in (tmp_path / verb).rglob("*.parquet")
            for value in pd.read_parquet(path).get("sequence", [])
        ]
        assert set(texts) == {"caf\\udce9"}, verb
    assert (tmp_path / "report" / "report.html").is_file()


def test_names_that_are_not_utf8_change_no_option_of_pandas(tmp_path):
    for folder in ("gt", "pred"):
        for frame in range(4):
            path = tmp_path / folder / os.fsdecode(b"caf\xe9") / f"{frame:05d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = (halves()[..., 0] > 99).astype("u1")
            Image.fromarray(np.roll(pixels, frame, 1)).save(path)
    before = pd.get_option("mode.string_storage")
    scores = score(tmp_path / "pred", tmp_path / "gt")
    assert scores.frames["sequence"].tolist() == [os.fsdecode(b"caf\xe9")] * 2
    assert pd.get_option("mode.string_storage") == before
    failures = find_failures(tmp_path / "pred", tmp_path / "gt", scores)
    assert not len(failures.events)
    assert pd.get_option("mode.string_storage") == before


def write_12_bits(folder: Path, greatest: int = 4000, frames: int = 4) -> list[Path]:
    """Images of 16 bits as of a 12-bit camera, brighter from frame to frame."""
    folder.mkdir(parents=True)
    paths = [folder / f"{index:05d}.png" for index in range(frames)]
    for index, path in enumerate(paths):
        image = np.zeros((12, 16, 3), np.uint16)
        image[3:9, 4:12, 1] = greatest * (index + 1) // frames
        cv2.imwrite(str(path), image)
    return paths


@pytest.mark.parametrize(
    ("greatest", "bits", "values"),
    [
        (4000, 12, [62, 125, 187, 250]),  # 1000 // 16 and so on
        (1000, 10, [62, 125, 187, 250]),
        (200, 8, [50, 100, 150, 200]),
        (60000, 16, [58, 117, 175, 234]),  # 15000 // 256: dark at first, yet whole
    ],
)
def test_images_of_few_bits_are_brought_to_their_range(
    tmp_path: Path, greatest: int, bits: int, values: list[int]
) -> None:
    paths = write_12_bits(tmp_path / "a", greatest)
    assert [read_picture(path)[5, 5].tolist() for path in paths] == [
        [0, value, 0] for value in values
    ]
    assert read_picture(paths[3], reduced=2)[2, 3, 1] == values[3]
    told = note_few_bits(paths[0])
    assert (told is None) == (bits == 16)
    if told:
        assert f"no value above {greatest} of 65535 (00003.png)" in told
        assert f"images of {bits} bits" in told
        assert f"divided by {2 ** (bits - 8)};" in told
    cv2.imwrite(str(paths[0]), np.full((12, 16, 3), 65535, np.uint16))
    assert read_picture(paths[0]).min() == 255
    assert read_picture(paths[3])[5, 5, 1] == greatest // 256
    assert note_few_bits(paths[3]) is None

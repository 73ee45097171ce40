"""Label maps survive the way to disk and back; anything doubtful is refused."""

import warnings

import numpy as np
import pytest
from PIL import Image

from evaluation.errors import InputError
from evaluation.masks.label_map import (
    davis_palette,
    join_objects,
    label_iou,
    read_label_map,
    split_objects,
    write_label_map,
)

IDS = np.array([[0, 1, 2], [3, 0, 15]], dtype=np.uint8)


def test_palette_starts_with_the_davis_colours():
    assert davis_palette()[:9].tolist() == [
        [0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128],
        [128, 0, 128], [0, 128, 128], [128, 128, 128], [64, 0, 0],
    ]  # fmt: skip
    assert len(np.unique(davis_palette(), axis=0)) == 256


@pytest.mark.parametrize("top", [1, 255, 256, 65535])
def test_ids_survive_writing_and_reading(tmp_path, top):
    label_map = np.array([[0, 1], [top, 0]], dtype=np.uint16)
    write_label_map(tmp_path / "deep" / "00000.png", label_map)
    back = read_label_map(tmp_path / "deep" / "00000.png")
    assert back.dtype == (np.uint8 if top < 256 else np.uint16)
    assert np.array_equal(back, label_map)
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["00000.png"]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("kind", ["palette", "grey"])
def test_ids_of_shallow_files_are_the_raw_values(tmp_path, bits, kind):
    import struct
    import zlib

    ids = (np.arange(8).reshape(2, 4) % (2**bits)).astype(np.uint8)
    rows = b""
    for row in ids:
        packed = "".join(f"{value:0{bits}b}" for value in row)
        packed += "0" * (-len(packed) % 8)
        rows += b"\0" + bytes(
            int(packed[i : i + 8], 2) for i in range(0, len(packed), 8)
        )

    def chunk(name: bytes, body: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(name + body))
        return struct.pack(">I", len(body)) + name + body + crc

    colour_type = 3 if kind == "palette" else 0
    header = struct.pack(">IIBBBBB", 4, 2, bits, colour_type, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    if kind == "palette":
        data += chunk(b"PLTE", davis_palette().tobytes()[: 3 * 2**bits])
    data += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(data)
    assert np.array_equal(read_label_map(tmp_path / "a.png"), ids)


def test_black_and_white_and_grey_alpha_files(tmp_path):
    Image.fromarray(IDS > 0).save(tmp_path / "bw.png")
    assert read_label_map(tmp_path / "bw.png").tolist() == [[0, 1, 1], [1, 0, 1]]
    Image.fromarray(IDS).convert("LA").save(tmp_path / "la.png")
    assert np.array_equal(read_label_map(tmp_path / "la.png"), IDS)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_are_mapped_back_with_a_warning(tmp_path, mode):
    write_label_map(tmp_path / "p.png", IDS)
    Image.open(tmp_path / "p.png").convert(mode).save(tmp_path / "c.png")
    with pytest.warns(UserWarning, match=r"c\.png"):
        assert np.array_equal(read_label_map(tmp_path / "c.png"), IDS)


def test_unknown_colour_is_refused_by_name_and_place(tmp_path):
    pixels = np.zeros((2, 3, 3), dtype=np.uint8)
    pixels[1, 2] = (1, 2, 3)
    Image.fromarray(pixels).save(tmp_path / "c.png")
    with pytest.raises(InputError, match=r"c\.png.*\(1, 2, 3\) at row 1, column 2"):
        read_label_map(tmp_path / "c.png")


def test_jpeg_is_refused_whatever_its_name(tmp_path):
    Image.fromarray(IDS).save(tmp_path / "a.png", format="JPEG")
    with pytest.raises(InputError, match="JPEG"):
        read_label_map(tmp_path / "a.png")


@pytest.mark.parametrize("keep", [0, 4, 20, 40, 0.3, 0.6])
def test_damaged_files_are_named(tmp_path, keep):
    noise = np.random.default_rng(0).integers(0, 9, (64, 64), dtype=np.uint8)
    write_label_map(tmp_path / "a.png", noise)
    data = (tmp_path / "a.png").read_bytes()
    size = keep if isinstance(keep, int) else int(len(data) * keep)
    (tmp_path / "a.png").write_bytes(data[:size])
    with pytest.raises(InputError, match=r"a\.png"):
        read_label_map(tmp_path / "a.png")


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_label_map(tmp_path / "none.png")


@pytest.mark.parametrize(
    "bad", [np.zeros((2, 2, 3), np.uint8), np.ones((2, 2)), np.full((1, 1), -1)]
)
def test_only_label_maps_are_written(tmp_path, bad):
    with pytest.raises(InputError, match="label map"):
        write_label_map(tmp_path / "a.png", bad)
    assert not list(tmp_path.iterdir())


def test_split_and_join_are_inverse():
    masks = split_objects(IDS, [1, 2, 3, 7, 15])
    assert not masks[7].any()
    assert np.array_equal(join_objects(masks), IDS)
    masks[300] = IDS == 2
    assert join_objects(masks).tolist() == [[0, 1, 300], [3, 0, 15]]


def test_reading_clean_files_warns_of_nothing(tmp_path):
    write_label_map(tmp_path / "a.png", IDS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_label_map(tmp_path / "a.png")


def test_iou_of_label_maps_is_over_all_objects_by_their_ids() -> None:
    one = np.array([[1, 1, 2, 0], [0, 0, 2, 3]])
    other = np.array([[1, 2, 2, 0], [0, 4, 2, 0]])
    assert label_iou(one, other) == 3 / 6
    assert label_iou(one != 0, other != 0) == 4 / 6
    assert label_iou(one, one * 0) == 0
    assert label_iou(one * 0, one * 0) is label_iou(one, one.T) is None

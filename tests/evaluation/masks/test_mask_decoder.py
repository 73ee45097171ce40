"""What does this mask say? Colours, indices, channels, alpha, soft edges."""

from __future__ import annotations

import contextlib
import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from evaluation import object_attributes, score
from evaluation.errors import InputError
from evaluation.masks.colours import exchange_red_and_blue
from evaluation.masks.decoder import MaskDecoder
from evaluation.masks.encoding import encoding_of, is_soft
from evaluation.masks.label_map import davis_palette, write_label_map
from evaluation.masks.png import check_size, parse_header, read_header
from evaluation.masks.sequence import FileSequence

PALETTE = davis_palette()


def label_map(*ids: int) -> np.ndarray:
    """[24, 40] label map with a solid block per id."""
    drawn = np.zeros((24, 40), np.uint8)
    for place, object_id in enumerate(ids):
        drawn[2 + place : 20, 2 + 5 * place : 6 + 5 * place] = object_id
    return drawn


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def indexed(indices: np.ndarray, palette: np.ndarray) -> bytes:
    image = Image.fromarray(indices.astype(np.uint8))
    image.putpalette(palette.astype(np.uint8).tobytes())
    return png(image)


def decode(data: bytes, **options) -> tuple[list[int], list[str]]:
    notes: list[str] = []
    ids = MaskDecoder(notice=notes.append, **options).decode(data, "mask.png")
    return np.unique(ids).tolist(), notes


@given(st.permutations(range(8)))
@settings(max_examples=60, deadline=None)
def test_palettes_in_another_order_are_read_by_colour(order):
    """Index k has the colour of id order[k]; what is drawn are all ids 0..7."""
    drawn = np.repeat(np.arange(8, dtype=np.uint8), 6).reshape(8, 6)
    indices = np.argsort(order).astype(np.uint8)[drawn]
    data = indexed(indices, PALETTE[list(order)])
    notes: list[str] = []
    ids = MaskDecoder(notice=notes.append).decode(data, "mask.png")
    as_usual = order == list(range(8))
    exchanged = np.array_equal(exchange_red_and_blue(np.arange(8)), order)
    if as_usual or exchanged:
        assert np.array_equal(ids, indices) and not notes
    else:
        assert np.array_equal(ids, drawn) and "another order" in notes[0]


@pytest.mark.parametrize(
    "palette",
    [
        PALETTE,
        PALETTE[:5],
        PALETTE[:, ::-1],
        np.repeat(np.arange(256)[:, None], 3, 1),
        np.array([[0, 0, 0], [236, 95, 103], [249, 145, 87], [128, 0, 0], [9, 9, 9]]),
        np.random.default_rng(3).integers(0, 256, (256, 3)),
    ],
    ids=["davis", "short", "bgr", "grey", "youtube-vos", "random"],
)
def test_indices_are_ids_whatever_other_palettes_look_like(palette):
    assert decode(indexed(label_map(1, 2, 3), palette)) == ([0, 1, 2, 3], [])


def test_a_palette_that_fits_both_readings_is_read_like_its_video(tmp_path):
    """Blue alone is index 1 of a BGR palette, or id 4 by colour."""
    lone = indexed(label_map(1), np.array([[0, 0, 0], [0, 0, 128]]))
    assert decode(lone)[0] == [0, 1]
    others = np.array([[0, 0, 0], [0, 0, 128], [128, 0, 0], [0, 128, 0]])
    (tmp_path / "0.png").write_bytes(lone)
    (tmp_path / "1.png").write_bytes(indexed(label_map(1, 2, 3), others))
    files = {frame: str(tmp_path / f"{frame}.png") for frame in "01"}
    video = FileSequence("v", files)
    assert np.unique(video.read("0")).tolist() == [0, 4]
    assert np.unique(video.read("1")).tolist() == [0, 1, 2, 4]


@pytest.mark.parametrize("meant", ["indices", "colours"])
def test_first_masks_tell_whether_indices_or_colours_are_ids(tmp_path, meant):
    """1 is green, 2 olive and 3 red: a palette that a tool chose, or reordered ids."""
    palette = PALETTE[[0, 2, 3, 1]]
    drawn = label_map(1, 2, 3)
    indices = drawn if meant == "indices" else np.array([0, 3, 1, 2])[drawn]
    for t in range(4):
        write_label_map(tmp_path / f"gt/v/{t}.png", np.roll(drawn, t, axis=1))
        path = tmp_path / f"pred/v/{t}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(indexed(np.roll(indices, t, axis=1), palette))
    scores = score(tmp_path / "pred", tmp_path / "gt")
    assert scores.summary["J&F"] == 1
    told = {"indices": "indices were taken for ids", "colours": "from the colours"}
    assert len(scores.notes) == 1 and told[meant] in scores.notes[0]


def test_copies_of_the_given_masks_do_not_hide_that_indices_are_ids(tmp_path):
    """The first file has the usual palette, the others one that a tool chose."""
    given, others = label_map(1, 2, 3), PALETTE[[0, 2, 3, 1]]
    write_label_map(tmp_path / "gt/0.png", given)
    write_label_map(tmp_path / "pred/0.png", given)
    for t in (1, 2):
        drawn = np.roll(given, t, axis=1)
        (tmp_path / f"pred/{t}.png").write_bytes(indexed(drawn, others))
    truth = FileSequence("v", {"0": str(tmp_path / "gt/0.png")})
    video = FileSequence(
        "v", {str(t): str(tmp_path / f"pred/{t}.png") for t in range(3)}
    )
    assert np.array_equal(video.read("2"), np.array([0, 2, 3, 1])[np.roll(given, 2, 1)])
    video = FileSequence(
        "v", {str(t): str(tmp_path / f"pred/{t}.png") for t in range(3)}
    )
    video.compare_with(truth)
    assert np.array_equal(video.read("2"), np.roll(given, 2, axis=1))


def test_one_colour_that_fits_both_readings_is_read_as_the_first_masks_say(tmp_path):
    """Blue alone is index 1 of a BGR palette, or id 4 by colour."""
    for key in (1, 4):
        write_label_map(tmp_path / f"gt{key}/0.png", label_map(key))
        (tmp_path / "0.png").write_bytes(
            indexed(label_map(1), np.array([[0, 0, 0], [0, 0, 128]]))
        )
        video = FileSequence("v", {"0": str(tmp_path / "0.png")})
        video.compare_with(FileSequence("v", {"0": str(tmp_path / f"gt{key}/0.png")}))
        assert np.unique(video.read("0")).tolist() == [0, key]


@pytest.mark.parametrize("ids", [(1,), (1, 2), (1, 2, 3), (1, 2, 3, 4, 5)])
def test_red_and_blue_exchanged_are_noticed_by_the_ids_of_the_other_side(tmp_path, ids):
    drawn = label_map(*ids)
    for t in range(4):
        write_label_map(tmp_path / f"gt/v/{t}.png", drawn)
        path = tmp_path / f"pred/v/{t}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(PALETTE[drawn][..., ::-1]).save(path)
    scores = score(tmp_path / "pred", tmp_path / "gt")
    assert scores.objects["object"].tolist() == list(ids)
    assert scores.summary["J&F"] == 1
    assert any("red and blue" in note for note in scores.notes)


@pytest.mark.parametrize("ids", [(1,), (1, 4), (2, 5), (3,), (4,), (7,)])
def test_colours_in_order_stay_as_they_are(tmp_path, ids):
    drawn = label_map(*ids)
    for t in range(4):
        write_label_map(tmp_path / f"gt/v/{t}.png", drawn)
        path = tmp_path / f"pred/v/{t}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(PALETTE[drawn]).save(path)
    if ids == (7,):  # grey: its value is as good a reading, so it is not guessed
        with pytest.raises(InputError, match="128"):
            score(tmp_path / "pred", tmp_path / "gt")
    else:
        assert score(tmp_path / "pred", tmp_path / "gt").summary["J&F"] == 1


def test_grey_colours_are_ids_by_colour_where_other_frames_have_colours(tmp_path):
    files = {}
    for t, ids in enumerate([(7,), (1, 7)]):
        files[str(t)] = str(tmp_path / f"{t}.png")
        Image.fromarray(PALETTE[label_map(*ids)]).save(files[str(t)])
    video = FileSequence("v", files)
    assert np.unique(video.read("0")).tolist() == [0, 7]


@pytest.mark.parametrize("value", [1, 3, 128, 255])
@pytest.mark.parametrize("alpha", [False, True])
def test_equal_channels_are_grey(value, alpha):
    mask = label_map(value)
    channels = [mask] * 3 + [np.full_like(mask, 255)] * alpha
    ids, notes = decode(png(Image.fromarray(np.stack(channels, -1))))
    assert ids == [0, value] and "equal channels" in notes[0]


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255)])
def test_the_mask_may_be_in_alpha(colour):
    mask = label_map(255)
    rgba = np.concatenate(
        [np.full((*mask.shape, 3), colour, np.uint8), mask[..., None]], 2
    )
    ids, notes = decode(png(Image.fromarray(rgba)))
    assert ids == [0, 255] and notes


def test_a_cut_out_picture_has_its_mask_in_alpha():
    mask = label_map(255)
    picture = np.random.default_rng(0).integers(0, 255, (*mask.shape, 3), np.uint8)
    ids, notes = decode(png(Image.fromarray(np.dstack([picture, mask]))))
    assert ids == [0, 255] and "alpha" in notes[0]


def test_transparent_pixels_are_background_whatever_colour_they_have():
    mask = label_map(1, 2)
    colours = PALETTE[mask].copy()
    colours[mask == 0] = 255
    rgba = np.dstack([colours, np.where(mask, 255, 0).astype(np.uint8)])
    assert decode(png(Image.fromarray(rgba)))[0] == [0, 1, 2]


def test_binarize_takes_colours_that_no_id_has():
    mask = label_map(1)
    data = png(
        Image.fromarray(np.where(mask[..., None], (10, 200, 30), 0).astype("u1"))
    )
    with pytest.raises(InputError, match="colour"):
        decode(data)
    assert decode(data, binarize=True)[0] == [0, 1]


def soft_masks():
    rows, columns = np.mgrid[:96, :160]
    disc = (rows - 40) ** 2 + (columns - 70) ** 2 < 900
    white = Image.fromarray(disc.astype(np.uint8) * 255)
    for radius in (0.4, 1, 3, 8):
        yield f"blur {radius}", np.array(white.filter(ImageFilter.GaussianBlur(radius)))
    for way in (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC):
        yield f"resize {way.name}", np.array(white.resize((211, 130), way))
    buffer = io.BytesIO()
    white.save(buffer, "JPEG")
    yield "jpeg", np.array(Image.open(buffer))
    yield "box", np.array(white.resize((93, 55), Image.Resampling.BOX))
    yield "half", np.array(white.resize((80, 96), Image.Resampling.BOX))


@pytest.mark.parametrize(("kind", "mask"), list(soft_masks()))
def test_soft_edges_are_told_from_ids(kind, mask):
    assert is_soft(mask), kind


@pytest.mark.parametrize("n", [1, 4, 16, 60, 250])
def test_many_ids_are_no_soft_edges(n):
    """A crowd: tiles of 1 to 9 pixels a side, touching and apart, ids up to n."""
    rng = np.random.default_rng(n)
    crowd = np.zeros((120, 200), np.uint8)
    for object_id in range(1, n + 1):
        top, left = rng.integers(0, 110), rng.integers(0, 190)
        height, width = rng.integers(1, 10, 2)
        crowd[top : top + height, left : left + width] = object_id
    assert not is_soft(crowd)
    assert not is_soft(crowd.astype(np.uint16) * 200)
    assert encoding_of(crowd, "crowd").notes == []


def test_encodings_are_told():
    assert encoding_of(label_map(255), "m").binary
    assert encoding_of(label_map(1, 255), "m").void
    assert not encoding_of(label_map(1, 2), "m").notes
    assert encoding_of(255 - label_map(255), "m").inverted
    assert not encoding_of(label_map(255).astype(np.uint16), "m").binary


def test_headers_of_all_kinds(tmp_path):
    for mode, kind in [("P", "indexed"), ("L", "8-bit grey"), ("RGB", "8-bit RGB")]:
        Image.new(mode, (7, 5)).save(tmp_path / "x.png")
        header = read_header(tmp_path / "x.png")
        assert header.size == (5, 7) and header.kind.startswith(kind)
    (tmp_path / "no.png").write_bytes(b"GIF89a")
    for name in ("no.png", "none.png"):
        with pytest.raises(InputError, match=name):
            read_header(tmp_path / name)


def test_huge_sizes_are_refused_before_memory_is_taken():
    data = bytearray(png(Image.new("L", (4, 4))))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    assert parse_header(bytes(data)).size == (60_000, 60_000)
    with pytest.raises(InputError, match="60000"):
        check_size(bytes(data), "bomb.png")
    with pytest.raises(InputError, match=r"bomb\.png"):
        MaskDecoder().decode(bytes(data), "bomb.png")


@pytest.mark.seconds
def test_a_stream_that_holds_more_than_it_declares_takes_no_memory():
    """A file of 300 kB that inflates to 300 MB, declared as 4 x 4 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
        )

    stream = zlib.compress(bytes(300 << 20), 9)
    data = b"\x89PNG\r\n\x1a\n" + chunk(
        b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 0, 0, 0, 0)
    )
    data += chunk(b"IDAT", stream) + chunk(b"IEND", b"")
    tracemalloc.start()
    with contextlib.suppress(InputError):
        assert not MaskDecoder().decode(data, "bomb.png").any()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 32 << 20


@pytest.mark.parametrize("length", [1, 70_000, 3_000_000])
def test_large_incompressible_files_are_read(length):
    noise = np.random.default_rng(length).integers(0, 256, (1, length), np.uint8)
    assert np.array_equal(MaskDecoder().decode(png(Image.fromarray(noise)), "n"), noise)


@pytest.mark.parametrize("seed", range(12))
def test_damaged_files_are_read_as_pillow_does_or_refused(seed):
    """Flipped, cut and lengthened bytes; the seeds are kept, the work is bounded."""
    rng = np.random.default_rng(seed)
    kinds = [
        indexed(label_map(1, 2, 3), PALETTE),
        png(Image.fromarray(label_map(1, 2))),
        png(Image.fromarray(label_map(1, 2).astype(np.uint16) * 300)),
        png(Image.fromarray(PALETTE[label_map(1, 2)])),
        png(Image.fromarray(label_map(255)).convert("1")),
    ]
    for _ in range(60):
        data = bytearray(kinds[rng.integers(len(kinds))])
        for _ in range(rng.integers(1, 4)):
            place = int(rng.integers(len(data)))
            change = rng.integers(3)
            if change == 0:
                data[place] = rng.integers(256)
            elif change == 1:
                del data[place : place + int(rng.integers(1, 9))]
            else:
                data[place:place] = rng.bytes(int(rng.integers(1, 9)))
        try:
            ids = MaskDecoder().decode(bytes(data), "fuzz.png")
        except InputError as error:
            assert error.where == "fuzz.png"
            continue
        with Image.open(io.BytesIO(bytes(data))) as image:
            pixels = np.array(image)
        assert ids.shape == pixels.shape[:2]
        if pixels.ndim == 2 and data[25] in (0, 3) and data[24] == 8:
            palette = image.getpalette() if image.mode == "P" else None
            if palette is None or bytes(palette[:24]) == PALETTE[:8].tobytes():
                assert np.array_equal(ids, pixels)


def test_attributes_read_masks_like_scores(tmp_path):
    """One 0/255 video beside one with ids; soft masks are refused."""
    for t in range(4):
        write_label_map(tmp_path / f"gt/white/{t}.png", label_map(255))
        write_label_map(tmp_path / f"gt/ids/{t}.png", label_map(1, 2))
    found = object_attributes(tmp_path / "gt", images=False).objects
    pairs = list(zip(found["sequence"], found["object"], strict=True))
    assert sorted(pairs) == [("ids", 1), ("ids", 2), ("white", 1)]
    (_, soft), *_ = soft_masks()
    write_label_map(tmp_path / "soft/v/0.png", soft)
    with pytest.raises(InputError, match="soft edges"):
        object_attributes(tmp_path / "soft", images=False)

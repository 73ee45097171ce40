"""The compiled counts against the plain ones, number for number."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from evaluation._utils import native
from evaluation.counting import kernels, reference
from evaluation.counting.boundaries import boundary_map, disk
from evaluation.counting.kernels import compiled
from evaluation.counting.kernels.elements import ADD_ROW, GROW, recipe
from evaluation.errors import InputError
from evaluation.masks.label_map import object_digest
from evaluation.scoring import score

needs_library = pytest.mark.skipif(
    not kernels.are_compiled(), reason="the compiled kernels are not in use"
)

Pair = tuple[NDArray[Any], NDArray[Any]]

WIDTHS = [1, 2, 3, 62, 63, 64, 65, 66, 127, 128, 129, 191, 192, 193, 200]
"""Around machine words, where bit planes have their corners."""


def noise(rng: np.random.Generator, shape: tuple[int, int], labels: int) -> Any:
    return rng.integers(0, labels + 1, shape)


def sparse(rng: np.random.Generator, shape: tuple[int, int], labels: int) -> Any:
    return noise(rng, shape, labels) * (rng.random(shape) < 0.01)


def rectangles(rng: np.random.Generator, shape: tuple[int, int], labels: int) -> Any:
    label_map = np.zeros(shape, np.int64)
    for label in rng.permutation(labels) + 1:
        y, x = rng.integers(0, shape[0]), rng.integers(0, shape[1])
        bottom, right = y + rng.integers(1, shape[0] + 1), x + rng.integers(1, 99)
        label_map[y:bottom, x:right] = label
    return label_map


def full(rng: np.random.Generator, shape: tuple[int, int], labels: int) -> Any:
    label_map = np.full(shape, rng.integers(1, labels + 1))
    for y, x in ((0, 0), (-1, -1), (0, -1), (-1, 0)):
        label_map[y, x] = rng.choice([0, label_map[y, x]])
    return label_map


def border(rng: np.random.Generator, shape: tuple[int, int], labels: int) -> Any:
    label_map = noise(rng, shape, labels)
    label_map[1:-1, 1:-1] = 0
    return label_map


PATTERNS: list[Callable[..., Any]] = [noise, sparse, rectangles, full, border]


def perturbed(rng: np.random.Generator, label_map: Any, labels: int) -> Any:
    """A prediction: the same, shifted, speckled, something else, or nothing."""
    choice = rng.integers(0, 5)
    if choice == 0:
        return label_map
    if choice == 1:
        return np.roll(label_map, rng.integers(-9, 10, 2), (0, 1))
    if choice == 2:
        speckles = rng.random(label_map.shape) < 0.02
        return np.where(speckles, rng.integers(0, labels + 1), label_map)
    if choice == 3:
        pattern = PATTERNS[rng.integers(0, len(PATTERNS))]
        return pattern(rng, label_map.shape, labels)
    return np.zeros_like(label_map)


def make_pair(
    seed: int, shape: tuple[int, int], labels: int, dtype: Any = np.uint8
) -> Pair:
    rng = np.random.default_rng(seed)
    gt = PATTERNS[seed % len(PATTERNS)](rng, shape, labels)
    return gt.astype(dtype), perturbed(rng, gt, labels).astype(dtype)


shapes = st.tuples(st.integers(1, 70), st.sampled_from(WIDTHS))


@pytest.mark.seconds
@given(
    st.integers(0, 2**32), shapes, st.integers(1, 6), st.integers(0, 80), st.booleans()
)
@settings(max_examples=250, deadline=None)
def test_count_frame(
    seed: int, shape: tuple[int, int], labels: int, radius: int, wide: bool
) -> None:
    gt, pred = make_pair(seed, shape, labels, np.uint16 if wide else np.uint8)
    ids = list(range(1, labels + 2))
    expected = reference.count_frame(gt, pred, ids, radius)
    assert np.array_equal(kernels.count_frame(gt, pred, ids, radius), expected)


@pytest.mark.seconds
@given(
    st.integers(0, 2**32),
    st.integers(120, 300),
    st.sampled_from([65, 200, 500]),
    st.integers(1, 80),
)
@settings(max_examples=60, deadline=None)
def test_frames_of_several_tiles(
    seed: int, height: int, width: int, radius: int
) -> None:
    """Outlines are matched in tiles of 128 rows; pixels reach over their borders."""
    gt, pred = make_pair(seed, (height, width), 2)
    expected = reference.count_frame(gt, pred, [1, 2], radius)
    assert np.array_equal(kernels.count_frame(gt, pred, [1, 2], radius), expected)
    pairs = kernels.count_pairs(gt, pred, [1, 2], [1, 2], radius)
    assert np.array_equal(pairs[[0, 1], [0, 1]], expected)


@given(st.integers(0, 2**32), shapes, st.integers(1, 6), st.integers(0, 20))
@settings(max_examples=100, deadline=None)
def test_count_present(
    seed: int, shape: tuple[int, int], labels: int, radius: int
) -> None:
    gt, pred = make_pair(seed, shape, labels)
    ids, counts = kernels.count_present(gt, pred, radius)
    present = np.union1d(reference.present_ids(gt), reference.present_ids(pred))
    assert np.array_equal(ids, present)
    expected = reference.count_frame(gt, pred, present.tolist(), radius)
    assert np.array_equal(counts, expected)


@given(
    st.integers(0, 2**32),
    st.integers(1, 200),
    st.sampled_from(WIDTHS),
    st.integers(1, 4),
)
@settings(max_examples=100, deadline=None)
def test_count_frame_adaptive(seed: int, height: int, width: int, labels: int) -> None:
    gt, pred = make_pair(seed, (height, width), labels)
    ids = list(range(1, labels + 2))
    expected = reference.count_frame_adaptive(gt, pred, ids)
    assert np.array_equal(kernels.count_frame_adaptive(gt, pred, ids), expected)


@given(st.integers(0, 2**32), shapes, st.integers(1, 5), st.integers(0, 20))
@settings(max_examples=60, deadline=None)
def test_count_pairs(
    seed: int, shape: tuple[int, int], labels: int, radius: int
) -> None:
    gt, pred = make_pair(seed, shape, labels)
    gt_ids, pred_ids = list(range(1, labels + 1)), list(range(labels + 1, 0, -1))
    expected = reference.count_pairs(gt, pred, gt_ids, pred_ids, radius)
    assert np.array_equal(
        kernels.count_pairs(gt, pred, gt_ids, pred_ids, radius), expected
    )


@given(st.integers(0, 2**32), shapes, st.integers(1, 300))
@settings(max_examples=50, deadline=None)
def test_present_ids(seed: int, shape: tuple[int, int], labels: int) -> None:
    gt, _ = make_pair(seed, shape, labels, np.uint16)
    assert np.array_equal(kernels.present_ids(gt), reference.present_ids(gt))


@given(st.integers(0, 2**32), shapes, st.integers(1, 300), st.booleans())
@settings(max_examples=100, deadline=None)
def test_object_boxes(
    seed: int, shape: tuple[int, int], labels: int, wide: bool
) -> None:
    dtype = np.uint16 if wide else np.uint8
    label_map, _ = make_pair(seed, shape, labels if wide else 1 + labels % 254, dtype)
    padded = np.pad(label_map, ((0, 0), (1, 0)), constant_values=1)[:, 1:]
    for layout in (label_map, padded):
        ids, boxes = kernels.object_boxes(layout)
        expected_ids, expected_boxes = reference.object_boxes(label_map)
        assert np.array_equal(ids, expected_ids)
        assert np.array_equal(boxes, expected_boxes)


@pytest.mark.parametrize("shape", [(480, 854), (431, 960), (720, 1280)])
def test_common_frame_sizes(shape: tuple[int, int]) -> None:
    gt, pred = make_pair(2, shape, 4)
    radius = math.ceil(0.008 * math.hypot(*shape))
    expected = reference.count_frame(gt, pred, [1, 2, 3, 4], radius)
    assert np.array_equal(kernels.count_frame(gt, pred, [1, 2, 3, 4], radius), expected)
    adaptive = reference.count_frame_adaptive(gt, pred, [1, 2, 3, 4])
    assert np.array_equal(
        kernels.count_frame_adaptive(gt, pred, [1, 2, 3, 4]), adaptive
    )


@pytest.mark.seconds
def test_the_lopsided_element_of_4k() -> None:
    """MOSE v2 takes a 72 x 72 element there, reaching 36 up and left, 35 back."""
    shape = (2160, 3840)
    gt, pred = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    gt[100:1900, 200:3000] = 1
    pred[136:1860, 164:3036] = 1
    expected = reference.count_frame_adaptive(gt, pred, [1])
    assert np.array_equal(kernels.count_frame_adaptive(gt, pred, [1]), expected)


def test_two_hundred_objects() -> None:
    labels = np.arange(1, 201).reshape(10, 20).repeat(12, 0).repeat(13, 1)
    gt, pred = labels.astype(np.uint8), np.roll(labels, (2, 3), (0, 1)).astype(np.uint8)
    ids = list(range(1, 201))
    expected = reference.count_frame(gt, pred, ids, 3)
    assert np.array_equal(kernels.count_frame(gt, pred, ids, 3), expected)


@needs_library
def test_a_crowd_is_counted_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    gt, pred = make_pair(0, (40, 100), 30)
    ids, expected = kernels.count_present(gt, pred, 2)
    monkeypatch.setattr(compiled, "_BUDGET", 40 * 2 * 16 * 7)  # seven objects
    assert np.array_equal(kernels.count_frame(gt, pred, ids, 2), expected)
    # The objects of the last frame are looked for first; here, others turn up.
    kernels.count_present(np.full_like(gt, 31), np.full_like(gt, 32), 2)
    again, counts = kernels.count_present(gt, pred, 2)
    assert np.array_equal(again, ids) and np.array_equal(counts, expected)


def test_ids_beyond_a_byte() -> None:
    gt = np.zeros((20, 70), np.uint16)
    gt[3:9, 60:68], gt[10:, :5] = 256, 65535
    pred = np.roll(gt, 1, 1)
    ids = [255, 256, 65535]
    expected = reference.count_frame(gt, pred, ids, 1)
    assert np.array_equal(kernels.count_frame(gt, pred, ids, 1), expected)
    assert kernels.present_ids(gt).tolist() == [256, 65535]
    mixed = kernels.count_frame(gt, pred.astype(np.uint8), ids, 1)
    assert mixed[:, 0].tolist() == [0, 48, 50] and mixed[1, 1] == 0


def test_any_memory_layout() -> None:
    gt, pred = make_pair(2, (50, 130), 3)
    expected = kernels.count_frame(gt, pred, [1, 2, 3], 4)
    wide = np.full((50, 140), 9, np.uint8)
    wide[:, 5:135] = pred
    for layout in (np.asfortranarray(pred), pred[::-1][::-1], wide[:, 5:135]):
        assert np.array_equal(kernels.count_frame(gt, layout, [1, 2, 3], 4), expected)
    flipped = kernels.count_frame(gt[:, ::-1], pred[:, ::-1], [1, 2, 3], 4)
    assert np.array_equal(flipped[:, :3], expected[:, :3])


def test_nothing_to_count() -> None:
    empty = np.zeros((5, 5), np.uint8)
    assert kernels.count_frame(empty, empty, [], 1).shape == (0, 7)
    assert kernels.count_frame(empty, empty, [3], 1).tolist() == [[0] * 7]
    assert kernels.count_present(empty, empty, 1)[1].shape == (0, 7)
    assert kernels.count_pairs(empty, empty, [], [1], 1).shape == (0, 1, 7)
    for shape in ((0, 5), (5, 0)):
        nothing = np.zeros(shape, np.uint8)
        assert kernels.count_frame(nothing, nothing, [1], 1).tolist() == [[0] * 7]


@pytest.mark.parametrize(
    ("gt", "pred", "ids", "error"),
    [
        (np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8), [1], ValueError),
        (np.zeros((2, 3), np.int64), np.zeros((2, 3), np.uint8), [1], TypeError),
        (np.zeros((2, 3, 1), np.uint8), np.zeros((2, 3, 1), np.uint8), [1], TypeError),
        (np.zeros((2, 3), np.uint8), np.zeros((2, 3), np.uint8), [0], ValueError),
        (np.zeros((2, 3), np.uint8), np.zeros((2, 3), np.uint8), [65536], ValueError),
    ],
)
def test_what_is_refused(gt: Any, pred: Any, ids: list[int], error: type) -> None:
    with pytest.raises(error):
        kernels.count_frame(gt, pred, ids, 1)


def test_threads_do_not_meet() -> None:
    pairs = [make_pair(seed, (90, 150), 5) for seed in range(24)]
    alone = [kernels.count_present(gt, pred, 3) for gt, pred in pairs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda p: kernels.count_present(*p, 3), pairs * 8))
    for i, (ids, counts) in enumerate(together):
        assert np.array_equal(ids, alone[i % 24][0])
        assert np.array_equal(counts, alone[i % 24][1])


@needs_library
def test_an_interrupted_frame_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gt, pred = make_pair(2, (60, 130), 3)
    expected = kernels.count_frame(gt, pred, [1, 2, 3], 2)

    def interrupt(self: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(compiled.Workspace, "measure", interrupt)
        with pytest.raises(KeyboardInterrupt):
            kernels.count_frame(np.ones_like(gt), np.ones_like(gt), [1], 2)
    assert np.array_equal(kernels.count_frame(gt, pred, [1, 2, 3], 2), expected)


@pytest.mark.parametrize("element", [np.eye(3), [[1, 0, 1]], [[1, 1, 0], [0, 1, 1]]])
def test_elements_that_have_no_recipe(element: Any) -> None:
    with pytest.raises(ValueError, match="row"):
        recipe(np.array(element, np.uint8))


@pytest.mark.parametrize("radius", [0, 1, 2.5, 7.84, 8, 35.25, 80])
def test_a_recipe_dilates_by_its_element(radius: float) -> None:
    """Follow the steps on a single pixel, in plain numpy."""
    size = 3 * int(radius) + 9
    point = np.zeros((2 * size + 1, 2 * size + 1), bool)
    point[size, size] = True
    grown = np.zeros_like(point)
    for operation, pixels in recipe(disk(radius)):
        moved = np.roll(grown, pixels, 1)
        if operation == ADD_ROW:
            grown |= np.roll(point, -pixels, 0)
        else:
            grown = grown | moved if operation == GROW else moved
    assert np.array_equal(grown, reference.dilate(point, disk(radius)))


@pytest.fixture(params=["compiled", "reference"])
def either(request: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Counting with the library, and with numpy and OpenCV in its place."""
    if request.param == "compiled" and not kernels.are_compiled():
        pytest.skip("the compiled kernels are not in use")
    if request.param == "reference":
        monkeypatch.setattr(native, "library", lambda: native.Library({}, "a test"))
        monkeypatch.setattr(kernels, "library", native.library)
    return request.param


def count_by_distance(gt: Any, pred: Any, radius: int) -> list[int]:
    """The seven counts from nearest distances, without any dilation."""
    points = [np.argwhere(boundary_map(mask)) for mask in (gt, pred)]
    squares = ((points[0][:, None] - points[1][None]) ** 2).sum(axis=2)
    near = squares <= radius**2
    areas = [int(mask.sum()) for mask in (gt, pred, gt & pred)]
    matched = [int(near.any(axis=axis).sum()) for axis in (1, 0)]
    return [*areas, len(points[0]), len(points[1]), *matched]


@pytest.mark.parametrize("seed", range(30))
def test_counts_are_what_distances_say(either: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 12)), WIDTHS[seed % len(WIDTHS)])
    radius = int(rng.choice([0, 1, 3, 8, 80]))
    gt, pred = make_pair(seed, shape, 3, np.uint16 if seed % 2 else np.uint8)
    ids, counts = kernels.count_present(gt, pred, radius)
    assert set(ids) == (set(np.unique(gt)) | set(np.unique(pred))) - {0}
    for object_id, row in zip(ids, counts, strict=True):
        expected = count_by_distance(gt == object_id, pred == object_id, radius)
        assert row.tolist() == expected
    pairs = kernels.count_pairs(gt, pred, [1, 2], [2, 3], radius)
    expected = count_by_distance(gt == 2, pred == 3, radius)
    assert pairs[1, 1].tolist() == expected


VOIDS = [None, np.bool_, np.uint8, np.int16, np.float16, ">i4", np.float32, np.int64]
VOIDS += [np.float64, np.longdouble]


@pytest.mark.parametrize("seed", range(30))
def test_masks_are_compared_without_void_pixels(either: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (3, int(rng.integers(1, 12)), WIDTHS[seed % len(WIDTHS)])
    gt, pred = (rng.random((2, *shape)) < 0.5).astype(np.uint8) * 200
    gt[:, :2] = pred[:, :2] = 0
    void, known, kind = None, np.ones(shape, bool), VOIDS[seed % len(VOIDS)]
    if kind is not None:
        known = rng.random(shape) < 0.7
        empty = -0.0 if np.dtype(kind).kind == "f" else 0
        void = np.where(known, empty, 1).astype(kind)
    truth, found = (gt > 0) & known, (pred > 0) & known
    counts = kernels.compare_masks(gt, pred, void)
    shared, united = (truth & found).sum(axis=(1, 2)), (truth | found).sum(axis=(1, 2))
    assert counts.tolist() == np.stack([shared, united], axis=1).tolist()
    spread = np.repeat(gt, 2, axis=2)[:, :, ::2]  # not in one piece
    assert np.array_equal(kernels.compare_masks(spread, pred, void), counts)
    one = kernels.count_mask_pair(gt[1], pred[1], None if void is None else void[1], 3)
    assert one.tolist() == count_by_distance(truth[1], found[1], 3)


@pytest.mark.parametrize("shape", [(480, 854), (2, 9000)])
def test_void_pixels_of_frames_of_several_runs(either: str, shape: Any) -> None:
    """Void is read after runs of 4096 pixels, of those that hold a mask."""
    rng = np.random.default_rng(3)
    gt, pred = np.zeros((2, *shape), bool)
    gt[shape[0] // 3 :, : shape[1] // 2] = pred[:, shape[1] // 4 :] = True
    void = rng.random(shape) < 0.3
    shared, united = (gt & pred & ~void).sum(), ((gt | pred) & ~void).sum()
    assert kernels.compare_masks(gt, pred, void).tolist() == [[shared, united]]


def test_masks_of_one_byte_and_one_shape(either: str) -> None:
    mask = np.zeros((4, 5), bool)
    assert kernels.compare_masks(mask[:, :0], mask[:, :0]).tolist() == [[0, 0]]
    assert kernels.compare_masks(mask[None][:0], mask[None][:0]).shape == (0, 2)
    with pytest.raises(TypeError, match="int64"):
        kernels.compare_masks(mask, mask.astype(np.int64))
    for sides in ((mask, mask[1:], None), (mask, mask, mask[1:])):
        with pytest.raises(ValueError, match="several shapes"):
            kernels.compare_masks(*sides)


def test_bits_are_counted_without_numpy_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(np, "bitwise_count", raising=False)
    mask = np.arange(70).reshape(7, 10) % 3 == 0
    assert reference.compare_masks(mask, ~mask, None).tolist() == [[0, 70]]


def test_both_refuse_the_same(either: str) -> None:
    with pytest.raises(ValueError, match="object ids"):
        kernels.count_frame(
            np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8), [0], 1
        )
    with pytest.raises(TypeError, match="int64"):
        kernels.present_ids(np.zeros((2, 2), np.int64))


def test_bytes_in_another_order(either: str) -> None:
    """A 16-bit image of a big-endian file: 1 is 0x0001, not 0x0100."""
    swapped = np.array([[0, 1], [300, 1]], ">u2")
    assert kernels.present_ids(swapped).tolist() == [1, 300]
    assert kernels.count_present(swapped, swapped, 1)[1][:, 0].tolist() == [2, 1]


def test_unaligned_pixels(either: str) -> None:
    data = b"x" + np.array([[0, 7, 7], [9, 0, 0]], np.uint16).tobytes()
    label_map = np.ndarray((2, 3), np.uint16, data, offset=1)
    assert kernels.present_ids(label_map).tolist() == [7, 9]


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    environment = {**os.environ, **environment}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


COUNT = """
import numpy as np
from evaluation.counting import kernels
label_map = np.full((9, 70), 5, np.uint8)
print(kernels.present_ids(label_map).tolist(), kernels.are_compiled())
print(kernels.slowness_note())
"""


def test_the_reference_can_be_asked_for() -> None:
    done = run_python(COUNT, S3FO_KERNELS="reference")
    assert done.stdout == "[5] False\nNone\n"


def test_an_unknown_wish_is_refused() -> None:
    done = run_python(COUNT, S3FO_KERNELS="fast")
    assert done.returncode and "auto, compiled or reference" in done.stderr


@pytest.mark.parametrize("content", [None, b"", b"not a library"])
def test_without_a_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    """Missing or damaged: the same numbers, and one note that says what to do."""
    path = tmp_path / "_kernels.so"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(native, "library_file", lambda: path)
    monkeypatch.delenv("S3FO_KERNELS", raising=False)
    native.library.cache_clear()
    try:
        assert not kernels.are_compiled()
        note = kernels.slowness_note() or ""
        assert f"{kernels.SLOWNESS} times slower" in note and "C compiler" in note
        mask = np.ones((3, 9, 9), np.uint8)
        assert note not in score({"v": mask}, {"v": mask}).notes, "doctor says it"
        assert len(note) < 200 and note.count(".") == 2  # one sentence, one file name
        page, _, anchor = note.rpartition("(")[2].rstrip(").").partition("#")
        root = next(up for up in Path(__file__).parents if (up / "docs").is_dir())
        headings = (root / page).read_text().lower()
        assert "## " + anchor.replace("-", " ") in headings
        assert kernels.count_present(*make_pair(0, (9, 9), 2), 1)[0].tolist() == [1, 2]
        monkeypatch.setenv("S3FO_KERNELS", "compiled")
        native.library.cache_clear()
        with pytest.raises(InputError, match="C compiler"):
            kernels.are_compiled()
    finally:
        monkeypatch.undo()
        native.library.cache_clear()


@needs_library
def test_a_library_of_other_sources_is_not_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(native, "_INTERFACE", native._INTERFACE + 1)
    assert "another version" in native._load(native.library_file()).reason


def test_overlaps_are_those_of_the_reference():
    generator = np.random.default_rng(8)
    for dtype, top in ((np.uint8, 5), (np.uint16, 300)):
        gt = generator.integers(0, top, (37, 91)).astype(dtype)
        pred = np.where(generator.random(gt.shape) < 0.6, gt, 0).astype(dtype)
        ids = reference.present_ids(gt)
        fast = kernels.count_overlaps(gt, pred, ids[1:], ids)
        slow = reference.count_overlaps(gt, pred, ids[1:], ids)
        for one, other in zip(fast, slow, strict=True):
            assert np.array_equal(one, other)
        assert np.array_equal(fast[0], [(gt == k).sum() for k in ids[1:].tolist()])
        assert np.array_equal(np.diag(fast[2], 1), np.diag(slow[2], 1))


@pytest.mark.parametrize(("shape", "dtype"), [((40, 200), np.uint8), ((33, 63), "u2")])
def test_checksums_of_objects_are_those_of_numpy(shape, dtype):
    rng = np.random.default_rng(3)
    gt, pred = (noise(rng, shape, n).astype(dtype) for n in (4, 5))
    ids, counts, digests = kernels.count_and_digest(gt, pred, 2)
    expected = kernels.count_present(gt, pred, 2)
    assert np.array_equal(ids, expected[0]) and np.array_equal(counts, expected[1])
    known = reference.count_and_digest(gt, pred, 2)[2]
    assert digests.tolist() == known.tolist() and len(set(digests.tolist())) == 5
    assert ids[-1] == 5 and digests[-1] == 0  # predicted only
    moved = kernels.count_and_digest(np.roll(gt, 1, axis=1), pred, 2)[2]
    assert not set(digests.tolist()) & set(moved.tolist()) - {0}
    # By the whole frame, or by a box around the object: the same.
    for key, digest in zip(ids.tolist(), digests.tolist(), strict=True):
        if (gt == key).any():
            assert object_digest(0, 0, gt == key) == digest != 0

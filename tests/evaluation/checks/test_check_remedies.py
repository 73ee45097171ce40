"""What a refusal says to do leads to the right number when it is done literally."""

import zipfile

import cv2
import numpy as np
import pytest

from evaluation import InputError, object_attributes, score
from evaluation.audit import audit_ground_truth
from evaluation.masks.label_map import write_label_map
from s3fo.benchmarks import open_benchmark, open_folders


def disc(radius: int) -> np.ndarray:
    y, x = np.mgrid[:48, :64]
    return ((y - 24) ** 2 + (x - 32) ** 2 <= radius**2).astype(np.uint8)


TRUTH = {"v": {f"{t:05d}": disc(12) for t in range(5)}}
EXACT = score(TRUTH, TRUTH).summary["J&F"]


def softened() -> dict[str, np.ndarray]:
    blurred = cv2.GaussianBlur(disc(12).astype(np.float32), (0, 0), 2)
    return {f"{t:05d}": blurred for t in range(5)}


def refusal(masks: dict) -> str:
    with pytest.raises(InputError) as refused:
        score({"v": masks}, TRUTH)
    return refused.value.remedy


@pytest.mark.parametrize("per_object", [False, True])
def test_soft_masks_of_0_to_255_are_cut_at_half(per_object: bool) -> None:
    soft = {k: (255 * m).astype(np.uint8) for k, m in softened().items()}
    remedy = refusal({k: {1: m} for k, m in soft.items()} if per_object else soft)
    assert "mask > 127" in remedy and "binarize" not in remedy
    cut = {k: {1: m > 127} if per_object else (m > 127) * 1 for k, m in soft.items()}
    assert score({"v": cut}, TRUTH).summary["J&F"] > 0.98 * EXACT
    faint = score({"v": soft}, TRUTH, binarize=True)
    assert faint.summary["J"] < 0.75
    assert any("mask > 127 of 255" in note for note in faint.notes)


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        (lambda m: m, "mask > 0.5"),
        (lambda m: 9 * m - 4.5, "mask > 0)"),
        (lambda m: 0.9 * m + 0.05, "mask > 0.5"),
        (lambda m: 255 * m, "mask > 127"),
    ],
)
def test_real_numbers_are_cut_where_they_are_said_to_be(change, remedy: str) -> None:
    values = {k: change(m) for k, m in softened().items()}
    told = refusal({k: {1: m} for k, m in values.items()})
    assert remedy in told
    at = float(remedy.removeprefix("mask > ").rstrip(")"))
    cut = {k: {1: m > at} for k, m in values.items()}
    assert score({"v": cut}, TRUTH).summary["J&F"] > 0.98 * EXACT


def test_archives_are_to_be_unpacked_and_webp_is_no_jpeg(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "results.zip", "w") as archive:
        archive.writestr("v/00000.png", b"")
    with pytest.raises(InputError) as refused:
        score(tmp_path / "results.zip", TRUTH)
    assert "archive" in refused.value.found and "Unpack it" in refused.value.remedy
    folder = tmp_path / "results" / "v"
    folder.mkdir(parents=True)
    for frame in TRUTH["v"]:
        (folder / f"{frame}.webp").write_bytes(b"RIFF")
    with pytest.raises(InputError) as refused:
        score(tmp_path / "results", TRUTH)
    assert "JPEG" not in str(refused.value)
    assert "Convert them to PNG" in refused.value.remedy


@pytest.mark.parametrize("videos", [("one", "three"), ("three",)])
@pytest.mark.parametrize("protocol", ["vos-benchmark", "trackeval-davis"])
def test_ids_from_0_with_255_for_the_background_are_repaired(videos, protocol):
    """One formula for all videos, of one object or of several."""
    ids = np.zeros((48, 64), np.uint8)
    ids[4:16, 8:24], ids[20:32, 8:24], ids[20:32, 36:56] = 1, 2, 3
    maps = {"one": (ids == 1).astype(np.uint8), "three": ids}
    truth = {name: dict.fromkeys("012", maps[name]) for name in videos}
    shifted = {
        name: {
            t: np.where(np.roll(m, 4, 1) == 0, 255, np.roll(m, 4, 1) - 1).astype(
                np.uint8
            )
            for t, m in masks.items()
        }
        for name, masks in truth.items()
    }
    formula = "np.where(mask == 255, 0, mask + 1)"
    if len(videos) == 2:
        with pytest.raises(InputError) as refused:
            score(shifted, truth, protocol)
        assert formula in refused.value.remedy
    else:
        assert any(formula in note for note in score(shifted, truth, protocol).notes)
    done = {
        name: {t: eval(formula, {"np": np, "mask": m}) for t, m in masks.items()}
        for name, masks in shifted.items()
    }
    scores = score(done, truth, protocol)
    # Of widths 16, 16, 20 and 4 pixels off: 12/20, 12/20, 16/24.
    wanted = [0.6, 0.6, 0.6, 2 / 3] if len(videos) == 2 else [0.6, 0.6, 2 / 3]
    assert scores.objects["J_mean"].tolist() == pytest.approx(wanted)
    assert not scores.notes


def test_void_around_objects_of_the_right_ids_is_no_such_mask():
    ids = np.zeros((48, 64), np.uint8)
    ids[4:16, 8:24], ids[20:32, 8:24] = 1, 2
    truth = {"a": dict.fromkeys("012", ids)}
    rimmed = {"a": dict.fromkeys("012", np.where(ids == 0, 255, ids))}
    scores = score(rimmed, truth, "vos-benchmark")
    assert scores.summary["J"] == 1.0
    assert not any("np.where" in note for note in scores.notes)


def test_ground_truth_of_interpolated_ids_is_told_by_all_that_read_it(tmp_path):
    """Discs 1 to 3 of half the size, brought to full size with averages of ids."""
    truth, spoilt = {}, {}
    for t in range(3):
        ids = np.zeros((96, 128), np.uint8)
        for k, x in ((1, 20), (2, 60), (3, 100)):
            cv2.circle(ids, (x + t, 48), 14, k, -1)
        truth[f"{t:05d}"] = ids
        spoilt[f"{t:05d}"] = cv2.resize(cv2.resize(ids, (64, 48)), (128, 96))
    sides = {"truth": truth, "spoilt": spoilt}
    for name, masks in sides.items():
        for frame, label_map in masks.items():
            write_label_map(tmp_path / name / "v" / f"{frame}.png", label_map)
            image = np.full((96, 128, 3), 90, np.uint8)
            path = tmp_path / "images" / "v" / f"{frame}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), image)
        root = tmp_path / f"davis-{name}"
        for part, folder in (("Annotations", name), ("JPEGImages", "images")):
            (root / part).mkdir(parents=True)
            (root / part / "480p").symlink_to(tmp_path / folder)
        (root / "ImageSets" / "2017").mkdir(parents=True)
        (root / "ImageSets" / "2017" / "val.txt").write_text("v\n")
        found = [
            open_benchmark("davis-2017", root).notes,
            object_attributes(tmp_path / name, images=False).notes,
            audit_ground_truth(tmp_path / name, images=False).notes,
            open_folders(tmp_path / "images", tmp_path / name).notes,
        ]
        told = [any("like a rim" in note for note in notes) for notes in found]
        assert told == [name == "spoilt"] * 4

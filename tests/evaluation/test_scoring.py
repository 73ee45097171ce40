"""Scoring many sequences at once: same numbers, told progress, small imports."""

import multiprocessing
import subprocess
import sys
import threading

import numpy as np
import pytest

from evaluation import InputError, object_attributes, score
from evaluation.counting import kernels


@pytest.fixture
def many(small):
    for i in range(6):
        small.write(small.gt, 0, f"s{i}")
        small.write(small.pred, i, f"s{i}")
    return small


@pytest.mark.seconds
@pytest.mark.parametrize("protocol", ["davis-2017", "davis-2017-unsupervised"])
def test_the_number_of_workers_changes_nothing(many, protocol):
    one = score(many.pred, many.gt, protocol, workers=1)
    for workers in (2, 5, None):
        other = score(many.pred, many.gt, protocol, workers=workers)
        assert other.frames.equals(one.frames)
        assert other.objects.equals(one.objects)
        assert other.fingerprint == one.fingerprint


@pytest.mark.seconds
@pytest.mark.parametrize("workers", [1, 3])
def test_progress_comes_from_the_calling_thread_and_ends_complete(many, workers):
    told = []

    def progress(done, total, label):
        assert threading.current_thread() is threading.main_thread()
        told.append((done, total, label))

    score(many.pred, many.gt, progress=progress, workers=workers)
    assert told[-1][:2] == (70, 70) and told[-1][2].endswith("7/7")
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)


@pytest.mark.seconds
@pytest.mark.parametrize("workers", [1, 3])
def test_an_error_in_one_sequence_ends_the_job(many, workers):
    path = many.pred / "s3" / "00004.png"
    path.write_bytes(b"")
    with pytest.raises(InputError) as caught:
        score(many.pred, many.gt, workers=workers)
    assert caught.value.where == str(path)
    assert multiprocessing.active_children() == []


@pytest.mark.seconds
def test_an_interrupt_leaves_no_process_behind(many):
    def interrupt(done, total, label):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(many.pred, many.gt, workers=3, progress=interrupt)
    assert multiprocessing.active_children() == []


def test_some_sequences_only(many):
    scores = score(many.pred, many.gt, sequences=["s4", "s1"])
    assert scores.sequences["sequence"].tolist() == ["s1", "s4"]


def test_importing_and_scoring_loads_no_more_than_it_needs(many):
    """Start-up counts: these packages together cost more than scoring a benchmark.

    The masks go to and fro: those that fit frames nearby are looked at once more.
    """
    for name in ("walk", *(f"s{i}" for i in range(6))):
        many.change(many.pred, lambda m, t: np.roll(m, 2 * (t % 3) - 2, 1), name)
    code = (
        "import sys; from evaluation import score; "
        f"score({str(many.pred)!r}, {str(many.gt)!r}).to_json_dict(); "
        "heavy = {'pandas', 'scipy', 'cv2', 'PIL', 'matplotlib', 'pyarrow', "
        "'pycocotools', 'torch', 'fiftyone'}; print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    # Without the compiled kernels OpenCV does the counting.
    expected = [] if kernels.are_compiled() else ["cv2"]
    assert done.stdout.strip() == str(expected)


def test_the_fingerprint_is_that_of_the_sequences_with_scores():
    masks = {
        name: np.full((4, 5, 5), value, np.uint8)
        for name, value in (("a", 1), ("b", 0))
    }
    both = score(masks, masks, "davis-2017")
    assert set(both.objects["sequence"]) == {"a"}
    only = score(masks, masks, "davis-2017", sequences=["a"])
    assert only.fingerprint == both.fingerprint


def test_one_name_is_a_sequence_and_not_its_letters():
    truth = np.zeros((4, 12, 12), np.uint8)
    truth[:, 2:8, 3:9] = 1
    truths = {"12": truth, "1": truth, "2": truth}
    results = {"12": np.roll(truth, 3, axis=1), "1": truth, "2": truth}
    one = score(results, truths, "youtube-vos", sequences="12", unseen="12")
    assert list(one.sequences["sequence"]) == ["12"]
    assert one.summary["J_unseen"] == pytest.approx(1 / 3)  # 3 of 9 rows
    assert list(object_attributes(truths, sequences="12").objects["sequence"]) == ["12"]


def test_a_copy_of_a_frame_among_numbered_ones_is_told(small, tmp_path):
    for folder in (small.gt, small.pred):
        video = next(path for path in folder.iterdir() if path.is_dir())
        first = sorted(video.glob("*.png"))[1]
        (video / f"{first.stem} copy.png").write_bytes(first.read_bytes())
    notes = score(small.pred, small.gt, "davis-2017").notes
    assert any(
        f"{first.stem} copy of the ground truth counts as a frame of its own" in note
        for note in notes
    )
    assert not any("natural order" in note for note in notes)


@pytest.mark.parametrize("form", ["mapping", "list", "views", "after the given one"])
def test_one_array_for_all_frames_is_told(form: str) -> None:
    true = np.zeros((5, 20, 30), np.uint8)
    for t in range(5):
        true[t, 5:15, 5 + t : 15 + t] = 1
    one = true[4].copy()
    masks = {
        "mapping": {f"{t:05d}": one for t in range(5)},
        "list": [one] * 5,
        "views": {f"{t:05d}": one[:] for t in range(5)},
        "after the given one": {t: one if t else true[0] for t in range(5)},
    }[form]
    told = [n for n in score({"a": masks}, {"a": true}).notes if "one array" in n]
    assert len(told) == 1 and told[0].startswith("a: the predicted masks")
    assert "pass a copy of each (mask.copy())" in told[0]
    for still in ([one.copy() for _ in range(5)], true):
        told = score({"a": still}, {"a": true}).notes
        assert not any("one array" in note for note in told)
    told = [n for n in score({"a": true}, {"a": [one] * 5}).notes if "one array" in n]
    assert len(told) == 1 and told[0].startswith("a: the true masks")

"""Frames whose numbers may be one off, are negative, or are no whole numbers.

An object of 15 x 15 pixels moves by 5 per frame: one frame off, 150 of 300 pixels are
shared, so J is 0.5 where every frame is taken for its neighbour.
"""

import json

import numpy as np
import pytest
from remarks import remarks

from evaluation import Meter
from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from evaluation.masks.names import frame_number, match_names, numbers_of
from evaluation.masks.numbering import doubts as doubted
from evaluation.masks.run_lengths import encode_rle
from evaluation.masks.sequence import natural
from evaluation.scoring import score


def moving(t, step=5, width=15):
    drawn = np.zeros((40, 60), np.uint8)
    drawn[5:20, 5 + step * t : 5 + width + step * t] = 1
    return drawn


TRUTH = [moving(t) for t in range(7)]


def write(root, masks, first=0, video="a"):
    for t, mask in enumerate(masks):
        write_label_map(root / video / f"{t + first:05d}.png", mask)
    return root


def doubts(scores):
    return [note for note in scores.notes if "numbered from another frame" in note]


@pytest.mark.parametrize(
    ("masks", "first", "side"),
    [
        pytest.param(TRUTH[1:], 0, "later", id="first left out, from 0"),
        pytest.param(TRUTH[:6], 1, "earlier", id="last left out, from 1"),
        pytest.param([TRUTH[0], *TRUTH], 0, "earlier", id="first twice"),
    ],
)
def test_masks_that_fit_one_frame_off_are_told(tmp_path, masks, first, side):
    gt = write(tmp_path / "gt", TRUTH)
    scores = score(write(tmp_path / "mine", masks, first), gt)
    assert scores.summary["J"] == pytest.approx(0.5)  # kept: a method may lag behind
    (note,) = doubts(scores)
    assert note.startswith(f"a: masks fit the ground truth better one frame {side} ")
    assert "mean IoU 1.00 against 0.50" in note


def test_masks_in_memory_and_json_one_frame_off_are_told(tmp_path):
    gt = {"a": dict(enumerate(TRUTH))}
    late = {"a": {t - 1: TRUTH[t] for t in range(1, 7)}}
    assert len(doubts(score(late, gt))) == 1
    encoded = {
        "a": {f"{t - 1:05d}": {1: encode_rle(TRUTH[t] == 1)} for t in range(1, 7)}
    }
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(encoded))
    scores = score(path, write(tmp_path / "gt", TRUTH))
    assert len(doubts(scores)) == 1
    assert scores.summary["J"] == pytest.approx(0.5)


def test_one_video_off_is_told_beside_right_ones(tmp_path):
    gt = write(write(tmp_path / "gt", TRUTH), TRUTH, video="b")
    mine = write(tmp_path / "mine", TRUTH[1:])
    write(mine, TRUTH[1:], first=1, video="b")  # also without the first, named right
    (note,) = doubts(score(mine, gt))
    assert note.startswith("a: ")


def test_masks_that_keep_their_numbers_are_not_doubted(tmp_path):
    gt = write(tmp_path / "gt", TRUTH)
    right = score(write(tmp_path / "right", TRUTH[1:], first=1), gt)
    assert right.summary["J"] == 1.0
    assert not doubts(right)
    # As good as still: the IoU of neighbours is 29 / 31.
    slow = [moving(t, step=1, width=30) for t in range(7)]
    gt = write(tmp_path / "slow_gt", slow)
    scores = score(write(tmp_path / "slow", slow[1:]), gt)
    assert scores.summary["J"] == pytest.approx(29 / 31)
    (note,) = remarks(scores)
    assert note.startswith("all videos lack exactly their last frame: is the first one")
    # What stays where it was fits no better in any other frame.
    frozen = score(write(tmp_path / "frozen", [TRUTH[0]] * 6), gt)
    assert not doubts(frozen)


def test_slow_masks_of_a_short_clip_without_its_first_frame_are_told(tmp_path):
    """11 of 12 frames, numbered from 0 again: 29 / 31 of the object is where it was."""
    slow = [moving(t, step=1, width=30) for t in range(12)]
    gt = write(tmp_path / "gt", slow)
    scores = score(write(tmp_path / "mine", slow[1:]), gt)
    assert scores.summary["J"] == pytest.approx(29 / 31)
    (note,) = doubts(scores)
    assert "one frame later (mean IoU 1.00 against 0.94 in 9 frames" in note
    (note,) = doubts(score(write(tmp_path / "behind", slow[:1] + slow[:10]), gt))
    assert "1 frame earlier (mean IoU 1.000 against 0.935" in note
    # Errors to either side of a method that lacks the last frame are not told.
    errors = [np.roll(m, (0, 2, -2)[t % 3], 1) for t, m in enumerate(slow[:11])]
    assert not doubts(score(write(tmp_path / "errors", errors), gt))


def test_few_masks_are_compared_and_only_where_counts_differ(tmp_path, monkeypatch):
    looked_at = []
    fit = doubted._fit

    def counted(gt, pred, frame, names):
        looked_at.append(frame)
        return fit(gt, pred, frame, names)

    monkeypatch.setattr(doubted, "_fit", counted)
    long = [moving(t % 7) for t in range(40)]
    gt = write(tmp_path / "gt", long)
    score(write(tmp_path / "equal", long), gt)
    assert not looked_at
    score(write(tmp_path / "right", long[1:], first=1), gt)
    assert len(looked_at) <= 5
    looked_at.clear()
    assert doubts(score(write(tmp_path / "off", long[1:]), gt))
    assert len(set(looked_at)) <= 5


def test_negative_numbers_are_in_order_of_value():
    names = ["1", "-2", "0", "-10", "a-3", "-1"]
    assert sorted(names, key=natural) == ["-10", "-2", "-1", "0", "1", "a-3"]
    assert numbers_of(["-1", "0", "1"]) == {-1: "-1", 0: "0", 1: "1"}
    assert numbers_of(["cat-1", "cat-2"]) == {1: "cat-1", 2: "cat-2"}
    assert match_names(["00001", "00002"], ["-1", "1", "2"]).names["00001"] == "1"


def test_frames_before_0_are_scored_in_order():
    found = {t - 2: mask for t, mask in enumerate(TRUTH)}
    wrong = found | {4: TRUTH[0]}  # the last frame is not scored
    scores = score({"a": wrong}, {"a": found})
    assert scores.summary["J"] == 1.0
    assert [*scores.frames.frame] == ["-1", "0", "1", "2", "3"]


def test_a_meter_refuses_frames_before_0():
    meter = Meter("davis-2017")
    with pytest.raises(InputError, match=r"frame number -2.*frame=0, 1, 2"):
        meter.update(TRUTH[0], TRUTH[0], sequence="a", frame=-2)
    assert meter.n_frames == 0


@pytest.mark.parametrize("frame", [0.5, np.float32(0.1), float("nan"), float("inf")])
def test_numbers_that_are_not_whole_are_refused(frame):
    meter = Meter("davis-2017")
    with pytest.raises(InputError, match="whole numbers"):
        meter.update(TRUTH[0], TRUTH[0], frame=frame)
    masks = {"a": {frame: TRUTH[0], 1: TRUTH[1], 2: TRUTH[2]}}
    with pytest.raises(InputError, match="whole numbers"):
        score(masks, masks)


def test_whole_numbers_of_any_type_are_taken():
    meter = Meter("davis-2017")
    for t, frame in enumerate((0, np.int64(1), 2.0)):
        meter.update(TRUTH[t], TRUTH[t], frame=frame)
    assert meter.compute().summary["J"] == 1.0
    assert frame_number(np.float32(3), "array") == 3
    masks = {float(t): TRUTH[t] for t in range(4)}
    right = {"a": np.stack(TRUTH[:4])}
    assert score({"a": masks}, right).summary["J"] == 1.0


def test_masks_of_two_runs_in_one_folder_are_told():
    """The exact names are scored; pictures of the masks beside them are no run."""
    own = {f"{t:05d}": mask for t, mask in enumerate(TRUTH)}
    other = {f"run2_{t:05d}": np.roll(mask, 9, 1) for t, mask in enumerate(TRUTH)}
    scores = score({"a": {**own, **other}}, {"a": own})
    assert scores.summary["J"] == 1.0
    (note,) = (n for n in scores.notes if "two runs" in n)
    assert note.startswith("a: 7 more predicted masks") and "run2_00000" in note
    pictures = {f"{name}_overlay": mask for name, mask in own.items()}
    scores = score({"a": {**own, **pictures}}, {"a": own})
    assert not any("two runs" in n for n in scores.notes)


SLOW = [moving(t, step=1, width=30) for t in range(12)]
"""An object whose IoU with itself a frame earlier or later is 29 / 31."""


def named(masks, frames):
    return {f"{t:05d}": masks[t] for t in frames}


def behind(frames):
    """Masks of a method that is a frame late, under their right names."""
    return {f"{t:05d}": SLOW[max(t - 1, 0)] for t in frames}


@pytest.mark.parametrize("step", [2, 3, 5])
@pytest.mark.parametrize("videos", ["a", "abc"])
def test_sparse_truth_and_results_without_the_given_frame_keep_names(step, videos):
    """Every scored frame is there by name; masks fit their neighbours better."""
    last = 10 // step * step
    truth = named(SLOW, range(0, last + 1, step))
    scores = score(
        dict.fromkeys(videos, behind(range(1, last + 2))), dict.fromkeys(videos, truth)
    )
    assert scores.summary["J"] == pytest.approx(29 / 31)
    assert not remarks(scores)


def test_right_videos_beside_those_of_a_late_method_are_not_refused():
    truth = named(SLOW, range(0, 11, 2))
    mine = {"a": behind(range(1, 12)), "b": named(SLOW, range(1, 12))}
    scores = score(mine, {"a": truth, "b": truth})
    assert scores.objects["J_mean"].tolist() == [pytest.approx(29 / 31), 1.0]
    assert not remarks(scores)


@pytest.mark.parametrize(
    ("step", "frames", "off", "J"),
    [
        pytest.param(2, range(1, 5), 1, 29 / 31, id="one after the other"),
        pytest.param(3, range(2, 9), -2, 28 / 32, id="from the first on"),
    ],
)
def test_names_win_over_the_order_of_few_frames(step, frames, off, J):
    """Masks of a method that is off fit better if frames are counted otherwise."""
    truth = named(SLOW, range(0, 2 * step + 1, step))
    mine = {f"{t:05d}": SLOW[t + off] for t in frames}
    scores = score({"a": mine}, {"a": truth}, "youtube-vos")
    assert scores.summary["J"] == pytest.approx(J)
    assert not any("matched" in note for note in scores.notes)


def test_a_video_of_which_nothing_is_scored_says_nothing_of_numbers():
    truth = {"a": named(TRUTH, range(7)), "b": named(TRUTH, [0])}
    mine = dict.fromkeys("ab", named(TRUTH, range(1, 7)))
    scores = score(mine, truth)
    assert scores.summary["J"] == 1.0
    assert not any("count from" in note for note in scores.notes)


def test_results_from_1_that_end_where_the_next_frame_would_be_annotated():
    """`a` has 12 frames: there is no frame 12, which would be annotated. `b` has 11."""
    truth = named(SLOW, range(0, 12, 2))
    mine = {f"{t + 1:05d}": mask for t, mask in enumerate(SLOW)}
    scores = score(
        {"a": mine, "b": {f: m for f, m in mine.items() if f != "00012"}},
        {"a": truth, "b": truth},
    )
    assert scores.objects["J_mean"].tolist() == [1.0, 1.0]
    assert sum("count from another number" in n for n in scores.notes) == 2


@pytest.mark.parametrize("step", [1, 5])
def test_all_videos_without_their_last_frame_are_told(step):
    truth = named(SLOW, range(0, 11, step))
    noisy = [np.roll(m, (3, -3, 2, -2)[t % 4], 0) for t, m in enumerate(SLOW)]
    mine = {f"{t - 1:05d}": noisy[t] for t in range(1, 11)}
    scores = score(dict.fromkeys("ab", mine), dict.fromkeys("ab", truth))
    (note,) = remarks(scores)
    assert note.startswith("all videos lack exactly their last frame: ")
    whole = mine | {"00010": noisy[11]}
    assert not remarks(score({"a": mine, "b": whole}, dict.fromkeys("ab", truth)))

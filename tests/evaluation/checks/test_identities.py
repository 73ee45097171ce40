"""Masks under the ids of other objects, or in the folders of other videos."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation import Meter, score
from evaluation.errors import InputError

T, H, W = 12, 60, 90
PLACES = {1: (2, 5), 2: (22, 30), 3: (44, 10)}
"""Top and left of the bars of 12 x 20 pixels that are the objects."""


def drawn(t, ids=(0, 1, 2, 3), shift=0, turned=False):
    """Label map of frame t; object k is drawn with `ids[k]`."""
    label_map = np.zeros((H, W), np.uint8)
    for k, (top, left) in PLACES.items():
        column = left + 2 * t + shift
        label_map[top : top + 12, column : column + 20] = ids[k]
    return label_map[::-1, ::-1].copy() if turned else label_map


def video(**how):
    return np.stack([drawn(t, **how) for t in range(T)])


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        ((0, 2, 1, 3), "object 1 under id 2, object 2 under id 1"),
        ((0, 1, 3, 2), "object 2 under id 3, object 3 under id 2"),
        ((0, 3, 1, 2), "object 1 under id 3, object 2 under id 1, object 3 under id 2"),
    ],
)
def test_exchanged_ids_are_told_beside_right_ones(ids, told):
    """Shifted by 2 of 20 columns, J is 18 / 22, and 0 where ids are exchanged."""
    scores = score({"a": video(ids=ids, shift=2)}, {"a": video()})
    right = sum(ids[k] == k for k in (1, 2, 3))
    assert scores.summary["J"] == pytest.approx(right / 3 * 18 / 22)
    (note,) = [n for n in scores.notes if "exchanged" in n]
    assert told in note


def test_objects_that_a_method_confuses_later_are_not_called_exchanged():
    """Right in a third of the frames: errors of the method, and no others."""
    found = [drawn(t, (0, 1, 2, 3) if t < 4 else (0, 2, 1, 3)) for t in range(T)]
    assert not any("exchanged" in n for n in score({"a": found}, {"a": video()}).notes)
    lost = video(ids=(0, 0, 2, 0))
    assert not any("exchanged" in n for n in score({"a": lost}, {"a": video()}).notes)


def test_videos_that_are_exchanged_are_told():
    truth = {"a": video(), "b": video(turned=True), "c": video(shift=20)}
    found = {"a": truth["b"], "b": truth["a"], "c": truth["c"]}
    scores = score(found, truth)
    notes = [n for n in scores.notes if "ground truth of" in n]
    assert [n[:1] for n in notes] == ["a", "b"]
    assert "fit the ground truth of b far better (mean IoU 1.00" in notes[0]
    # Masks that fit nothing at all, and right ones, are not told.
    lost = {**truth, "a": np.roll(truth["a"], 30, 1)}
    assert not any("ground truth of" in n for n in score(lost, truth).notes)


def numbered_by_sight(masks):
    """Ids 1 to as many as are visible, as of `enumerate` in each frame."""
    found = np.zeros_like(masks)
    for t, mask in enumerate(masks):
        for i, k in enumerate(np.unique(mask[mask > 0]), 1):
            found[t][mask == k] = i
    return found


def test_ids_that_count_the_objects_in_sight_are_told():
    """Object 1 is away in four frames, in which J of 2 is 0, of 3 too."""
    truth = video()
    truth[4:8][truth[4:8] == 1] = 0
    anew = numbered_by_sight(truth)
    for pred, gt, word in ((anew, truth, "predicted"), (truth, anew, "true")):
        scores = score({"a": pred}, {"a": gt})
        (note,) = (n for n in scores.notes if "numbered anew" in n)
        assert note.startswith(f"a: in every frame {word} masks")
    assert score({"a": anew}, {"a": anew}).notes == ()
    anew[2] = 0  # and a frame without any
    assert any("numbered anew" in n for n in score({"a": anew}, {"a": truth}).notes)
    lost = np.where(truth == 2, 0, truth)  # a method that loses an object
    late = np.roll(truth, 1, axis=0)
    gone = truth.copy()
    gone[8:11] = 0
    for pred in (truth, lost, late, gone, np.roll(truth, 3, axis=2)):
        notes = score({"a": pred}, {"a": truth}).notes
        assert not any("numbered anew" in n for n in notes)


def without(masks, key, frames):
    """The masks, as of a method that loses an object in some frames."""
    found = masks.copy()
    found[frames] = np.where(found[frames] == key, 0, found[frames])
    return found


def told_as_found(pred, truth):
    scores = score({"a": pred}, {"a": truth})
    return scores, [n for n in scores.notes if "numbered anew" in n]


@pytest.mark.parametrize(
    ("lost", "frames", "right"),
    [
        # Frames 1 to 10 are scored. Object 1 lost: 2 and 3 lie under 1 and 2 there.
        (1, slice(4, 8), (0.6, 0.6, 0.6)),
        (1, slice(4, 6), (0.8, 0.8, 0.8)),
        (1, slice(2, 12), (0.1, 0.1, 0.1)),  # and never found again
        (2, [3, 5, 8], (1.0, 0.7, 0.7)),
    ],
)
def test_ids_that_count_what_a_method_found_are_told(lost, frames, right):
    """The ground truth shows all three objects throughout; right ids cost only one."""
    truth = video()
    found = without(truth, lost, frames)
    scores, notes = told_as_found(numbered_by_sight(found), truth)
    assert tuple(scores.objects["J_mean"]) == pytest.approx(right)
    (note,) = notes
    n = len(np.arange(12)[frames]) - (frames == slice(2, 12))
    assert note.startswith(
        f"a: in {n} of the {n} frames in which some of its 3 objects"
    )
    scores, notes = told_as_found(found, truth)
    assert scores.summary["J"] == pytest.approx((2 + right[lost - 1]) / 3)
    assert not notes


def test_one_of_two_objects_that_a_method_lost_is_told():
    """Two objects, of which 2 is 1 in frames 4 to 6: J is .7 of both, not .7 and 1."""
    truth = video(ids=(0, 1, 2, 0))
    found = numbered_by_sight(without(truth, 1, slice(4, 7)))
    scores, (note,) = told_as_found(found, truth)
    assert scores.summary["J"] == pytest.approx(0.7)
    assert note.startswith("a: in 3 of the 3 frames in which some of its 2 objects")


def test_objects_that_a_method_loses_or_confuses_are_not_numbered_anew():
    truth = video(ids=(0, 1, 2, 0))
    swapped = np.choose(truth, [0, 2, 1]).astype(np.uint8)
    late = np.where(np.arange(T)[:, None, None] < 5, truth, swapped)
    jumped = numbered_by_sight(without(truth, 1, slice(4, 6)))
    rarely = without(numbered_by_sight(without(truth, 1, slice(1, 4))), 2, slice(5, 11))
    for pred in (
        late,  # ids exchanged half-way, and from then on
        without(late, 2, slice(7, 11)),  # and the one of them that lies on 1 is lost
        without(late, 1, slice(7, 11)),
        jumped,  # one mask on the other object, in two frames
        rarely,  # or in few of the frames in which one is lost
        without(truth, 2, slice(4, 8)),
        numbered_by_sight(without(truth, 2, slice(4, 8))),
    ):
        assert told_as_found(pred, truth)[1] == []
    small = truth.copy()
    small[:, 4:14][truth[:, 4:14] == 1] = 0  # 40 pixels of object 1, 240 of 2
    grown = small.copy()
    grown[4:8] = small[4:8] > 0  # one mask over both
    assert told_as_found(grown, small)[1] == []
    three = video()
    crossed = three.copy()  # 1 and 2 exchanged for a while, in which 3 is lost
    crossed[4:8] = np.array([0, 2, 1, 0], np.uint8)[three[4:8]]
    assert told_as_found(crossed, three)[1] == []


# --- the Meter, to which nobody names the video --------------------------------------


def filled(videos, **how):
    meter = Meter("davis-2017")
    for masks in videos:
        for mask in masks:
            meter.update(mask, mask, **how)
    return meter


def test_videos_without_a_name_are_told_by_jumps_and_ids():
    first, other = video()[:5], video(turned=True)[:6]
    (note,) = [n for n in filled([first, other]).compute().notes if "several" in n]
    assert "at frame 00005 the true masks jump" in note
    ids = np.where(first > 0, first + 4, 0).astype(np.uint8)
    (note,) = [n for n in filled([first, ids]).compute().notes if "several" in n]
    assert "at frame 00005 all ids change" in note
    assert not any("several" in n for n in filled([video()]).compute().notes)
    named = filled([first, other], sequence="a").compute()
    assert not any("several" in n or "jump" in n for n in named.notes)


def test_objects_given_one_after_the_other_are_told():
    """Three objects of 12 frames under one name and without ids."""
    masks = [video() == k for k in (1, 2, 3)]
    (note,) = (n for n in filled(masks, sequence="a").compute().notes if "jump" in n)
    assert note.startswith("a: the true masks jump every 12 frames: were its 3 objects")
    meter = Meter("davis-2017")
    for t in range(12):
        frame = {k: mask[t] for k, mask in enumerate(masks, 1)}
        meter.update(frame, frame, sequence="a")
    assert not any("jump" in n for n in meter.compute().notes)


def test_frames_given_twice_each_are_told():
    meter, once = Meter("davis-2017"), video()
    for mask in once:
        meter.update(np.roll(mask, 1, 1), mask, sequence="a")
        meter.update(np.roll(mask, 1, 1), mask, sequence="a")
    assert any("all 12 pairs of frames" in n for n in meter.compute().notes)
    meter.update(once[0], once[1], sequence="a")  # and one more on its own
    meter.update(once[1], once[2], sequence="a")
    assert not any("pairs" in n for n in meter.compute().notes)


def test_frames_without_prediction_are_told_by_a_meter_too():
    meter = Meter("davis-2017", missing="score-as-empty")
    for t, mask in enumerate(video()):
        meter.update(None if t in (3, 4) else mask, mask, sequence="a")
    folder = {"a": {t: m for t, m in enumerate(video()) if t not in (3, 4)}}
    notes = score(folder, {"a": dict(enumerate(video()))}, missing="score-as-empty")
    (told,) = (n for n in meter.compute().notes if "as empty" in n)
    assert "2 frames" in told and any("2 frames" in n for n in notes.notes)


def test_an_object_that_is_left_out_as_void_is_told():
    """Object 2 of 3; the highest label, which nothing predicts, may be unclear."""
    scores = score({"a": video()}, {"a": video()}, void=2)
    (note,) = (n for n in scores.notes if "left out of both masks" in n)
    assert note.startswith("a: object 2 of the ground truth")
    assert "2 in the ground truth is left out" in scores.format_table().splitlines()[0]
    found = np.where(video() == 3, 0, video()).astype(np.uint8)
    notes = score({"a": found}, {"a": video()}, void=3).notes
    assert not any("left out of both masks" in n for n in notes)


def test_a_video_without_a_name_has_one_size_and_runs_forward():
    meter = filled([video()])
    with pytest.raises(InputError, match=r"of 90x50 after 90x60.*sequence="):
        meter.update(drawn(0)[:50], drawn(0)[:50])
    meter = Meter("davis-2017")
    for t in (4, 5, 6, 0, 1, 2):
        meter.update(drawn(t), drawn(t), frame=t)
    assert any("frame 00000 comes after 00006" in n for n in meter.compute().notes)


@pytest.mark.parametrize("name", [None, "a"])
def test_a_second_round_without_reset_is_refused(name):
    meter = filled([video()], sequence=name)
    with pytest.raises(InputError, match=r"same 12 true masks twice.*reset\(\)"):
        for mask in video():
            meter.update(mask, mask, sequence=name)
    meter.reset()
    for mask in video():
        meter.update(mask, mask, sequence=name)
    assert meter.compute().summary["J"] == 1.0
    still = filled([[drawn(0)] * 8], sequence=name)  # masks that never change
    assert still.compute().summary["J"] == 1.0


def test_videos_numbered_one_after_the_other_under_one_name_are_told():
    """Frames 0 to 11 of one, and 12 to 23 of another; and a video with numbers."""
    frames = [*video(), *video(turned=True)]
    assert len(frames) == 24
    meter = Meter("davis-2017")
    for t, frame in enumerate(frames):
        meter.update(frame, frame, sequence="val", frame=t)
    (note,) = (n for n in meter.compute().notes if "jump" in n)
    assert note.startswith("val: the true masks jump every 12 frames")
    alone = Meter("davis-2017")
    for t, frame in enumerate(video()):
        alone.update(frame, frame, sequence="val", frame=t)
    assert not any("jump" in n for n in alone.compute().notes)

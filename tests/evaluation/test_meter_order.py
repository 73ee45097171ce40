"""Frames given to a `Meter` in no order, of videos in turn, or twice."""

import numpy as np
import pytest

from evaluation import Meter


def moving(seed, n_frames=12, step=4, size=10):
    """[T, 60, 100] masks of a box that moves on from a place of its own."""
    top, left = np.random.default_rng(seed).integers([0, 0], [48, 40])
    video = np.zeros((n_frames, 60, 100), np.uint8)
    for t in range(n_frames):
        video[t, top : top + size, left + step * t : left + step * t + size] = 1
    return video


def at(lefts):
    """[T, 60, 100] masks of a box that is so far right, and of a pixel that counts."""
    video = np.zeros((len(lefts), 60, 100), np.uint8)
    for t, left in enumerate(lefts):
        video[t, 20:30, left : left + 10] = video[t, 40, 2 * t] = 1
    return video


def predicted(truth):
    """The first frame equals the truth, as methods are given it."""
    return np.concatenate([truth[:1], np.roll(truth[1:], 1, axis=1)])


def fed(frames, protocol="davis-2017", **how):
    """A meter with (prediction, truth) of frames, one after the other."""
    meter = Meter(protocol)
    for found, truth in frames:
        meter.update(found, truth, **how)
    return meter


def pairs(truth, order=None):
    found = predicted(truth)
    return [
        (found[t], truth[t]) for t in (range(len(truth)) if order is None else order)
    ]


def told(meter, words):
    return [note for note in meter.compute().notes if words in note]


SHUFFLED = (5, 2, 9, 0, 7, 11, 3, 8, 1, 10, 4, 6)


@pytest.mark.parametrize("how", [{}, {"sequence": "v"}])
def test_shuffled_frames_are_told_by_places_and_the_given_frame(how):
    (note,) = told(fed(pairs(moving(0), SHUFFLED), **how), "playing order?")
    assert "objects jump about" in note and "of 12 predictions number 4, not" in note
    assert "pass frame=" in note
    steady = at([30] * 12)  # only the given frame tells
    (note,) = told(fed(pairs(steady, SHUFFLED), **how), "playing order?")
    assert "jump" not in note and "of 12 predictions number 4, not" in note
    for video in (moving(0), steady):
        assert not fed(pairs(video), **how).compute().notes
    everything = fed(pairs(steady, SHUFFLED), "vos-benchmark-all-frames", **how)
    assert not told(everything, "number 4")  # all frames are scored, the first, too


def test_jumps_smaller_than_the_object_tell_where_a_shorter_way_is_left():
    """From frame to frame by 4 pixels of 10 in the mean, where 1 would do."""
    truth = moving(0, step=1)
    found = np.roll(truth, 1, axis=1)
    shuffled = [(found[t], truth[t]) for t in SHUFFLED]
    assert told(fed(shuffled), "objects jump about")
    swing = [abs(t % 22 - 11) for t in range(40)]
    rare = [4 * abs(t % 6 - 3) for t in range(18)]
    for honest in (truth, at(swing), at(rare), at([30, 31] * 8)):
        frames = zip(np.roll(honest, 1, axis=1), honest, strict=True)
        assert not told(fed(frames), "jump")


@pytest.mark.parametrize("first", [0, 1])
def test_frames_sorted_as_text_are_told(first):
    """0, 1, 10, 11, 12, 2 to 9, or 1, 10 to 13, 2 to 9."""
    truth = moving(0, n_frames=13, step=1)
    order = [int(t) - first for t in sorted(map(str, range(first, first + 13)))]
    assert told(fed(pairs(truth, order)), "once 10 comes after 9, not after 1")
    assert not told(fed(pairs(truth)), "once 10 comes")


def test_an_object_that_comes_late_is_given_in_its_first_frame():
    truth = moving(0)
    truth[:3] = 0
    found = np.concatenate([truth[:3], predicted(truth[3:])])
    frames = [*zip(found, truth, strict=True)]
    assert not told(fed(frames, "vos-benchmark"), "playing order?")
    frames = frames[3:]  # of which the given one comes late
    frames.insert(4, frames.pop(0))
    assert told(fed(frames, "vos-benchmark"), "number 5, not the first")


def test_frames_with_numbers_may_come_in_any_order():
    """As in order: J of 10 rows moved by 1, frames 1 to 10."""
    truth = moving(0)
    found = predicted(truth)
    meter = Meter()
    for t in SHUFFLED:
        meter.update(found[t], truth[t], sequence="v", frame=t)
    scores = meter.compute()
    assert scores.summary["J"] == pytest.approx(9 / 11)
    assert scores.notes == ()


@pytest.mark.parametrize("how", [{}, {"sequence": "batch"}])
@pytest.mark.parametrize("n_videos", [2, 3, 4])
def test_videos_in_turn_are_told(n_videos, how):
    videos = [pairs(moving(seed)) for seed in range(n_videos)]
    turns = [frame for frames in zip(*videos, strict=True) for frame in frames]
    (note,) = told(fed(turns, **how), "in turn?")
    assert f"of {n_videos} videos" in note and "sequence=" in note
    meter = Meter()
    for frames in zip(*videos, strict=True):  # as the note says
        for i, frame in enumerate(frames):
            meter.update(*frame, sequence=str(i))
    assert meter.compute().notes == ()
    assert meter.compute().summary["J"] == pytest.approx(9 / 11)


def test_a_video_that_swings_or_stands_still_is_one():
    there = moving(1)
    swing = np.concatenate([there, there[::-1]])
    assert not told(fed(pairs(swing)), "in turn?")
    assert not told(fed(pairs(np.stack([there[0]] * 12))), "?")


def test_clips_that_share_two_frames_are_told():
    """Frames 0 to 5, then 4 to 9: two of them count twice."""
    truth = moving(2)

    def again(*frames):
        meter = fed(pairs(truth, frames), "vos-benchmark-all-frames", sequence="v")
        return told(meter, "overlap")

    (note,) = again(*range(6), *range(4, 10))
    assert note.startswith("v: 2 true masks came before")
    (note,) = again(*range(6), *range(4, 10), *range(8, 12))
    assert note.startswith("v: 4 true masks came before")
    assert not again(*range(12))
    assert not again(0, 1, 2, 1, 2, 1, 2, 3)  # a mask that flickers
    assert not again(0, 1, 2, 3, 2, 1, 0)  # and one that turns round


def test_signs_of_merged_meters_are_told():
    clips = fed(pairs(moving(2), (*range(6), *range(4, 10))), sequence="a")
    mixed = fed(pairs(moving(0), SHUFFLED), sequence="b")
    both = Meter.merged([clips, mixed])
    assert told(both, "a: 2 true masks") and told(both, "b: objects jump")

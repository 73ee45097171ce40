"""Masks given to a `Meter` as a stack, whose layers have no ids."""

import numpy as np
import pytest

from evaluation import InputError, Meter, db_eval_boundary, db_eval_iou, score

T, H, W = 6, 40, 60


def drawn(n_objects=3, shift=0, away=()):
    """[T, H, W] label maps of boxes that move right; object 1 may be away."""
    video = np.zeros((T, H, W), np.uint8)
    for t in range(T):
        for k in range(1, n_objects + 1):
            if k > 1 or t not in away:
                left = 5 + 2 * t + shift
                video[t, 12 * k - 9 : 12 * k, left : left + 12 + k] = k
    return video


def layers(frame, n_objects=3):
    return np.stack([frame == k for k in range(1, n_objects + 1)])


def visible(frame):
    return np.stack([frame == k for k in np.unique(frame) if k])


def by_id(frame):
    return {int(k): frame == k for k in np.unique(frame) if k}


def fed(found, truth, forms=(layers, layers), *, numbered=False, **options):
    meter = Meter(options.pop("protocol", "davis-2017"), **options)
    for t in range(len(truth)):
        frame = t if numbered else None
        meter.update(forms[0](found[t]), forms[1](truth[t]), sequence="v", frame=frame)
    return meter.compute()


TRUTH, FOUND = drawn(away=(2, 3)), drawn(shift=1, away=(2, 3))
RIGHT = np.mean(
    [
        [
            1.0 if k == 1 and t in (2, 3) else (11 + k) / (13 + k)
            for t in range(1, T - 1)
        ]
        for k in (1, 2, 3)
    ]
)
"""J: boxes of width 12 + k, moved by 1; object 1 is rightly absent in two frames."""


@pytest.mark.parametrize("numbered", [False, True])
@pytest.mark.parametrize("other", [layers, visible, np.array, by_id])
@pytest.mark.parametrize("side", [0, 1])
def test_stacks_of_the_visible_objects_are_refused(side, other, numbered):
    forms = [other, other]
    forms[side] = visible
    with pytest.raises(InputError, match=r"3, 40, 60\] and \[2, 40.*object id: mask"):
        fed(FOUND, TRUTH, forms, numbered=numbered)
    forms = [by_id if form is visible else form for form in forms]
    scores = fed(FOUND, TRUTH, forms, numbered=numbered)  # as the error says
    assert scores.summary["J"] == pytest.approx(RIGHT)
    assert scores.notes == ()


def test_stacks_of_two_lengths_are_refused_of_merged_meters_too():
    meters = [Meter(), Meter()]
    for t in range(T):
        stack = visible(TRUTH[t])
        meters[len(stack) == 2].update(stack, TRUTH[t], sequence="v", frame=t)
    with pytest.raises(InputError, match="which object is each"):
        Meter.merged(meters).compute()


def test_lengths_do_not_matter_where_objects_are_merged_or_none_is_there():
    forms = visible, np.array
    merged = fed(FOUND, TRUTH, forms, protocol="davis-2016")
    assert (
        merged.summary["J"] == fed(FOUND > 0, TRUTH > 0, (np.array,) * 2).summary["J"]
    )
    empty = np.zeros_like(TRUTH)
    empty[0] = TRUTH[0]
    none = fed(empty, TRUTH, (lambda m: layers(m)[: 3 * m.any()], np.array))
    assert none.summary["J"] == pytest.approx(2 / 12)  # object 1 is away in 2 of 4


def test_stacks_of_other_ids_than_1_to_k_are_refused_or_told():
    """Ground truth of objects 1 and 3; objects 1 and 2, then 2 and 3 in sight."""
    two = np.where(drawn() == 2, 0, drawn())
    with pytest.raises(InputError, match=r"objects 1 to 2.*objects 1, 3"):
        fed(two, two, (visible, np.array))
    changing = drawn()
    changing[:3][changing[:3] == 3] = 0
    changing[3:][changing[3:] == 1] = 0
    scores = fed(changing, changing, (visible, np.array), protocol="vos-benchmark")
    assert any("numbered anew in each frame?" in note for note in scores.notes)
    for form in (layers, by_id, np.array):
        notes = fed(changing, changing, (form, np.array)).notes
        assert not any("numbered anew" in note for note in notes)


@pytest.mark.parametrize("other", [np.array, by_id, layers, None])
@pytest.mark.parametrize("n_objects", [1, 3])
def test_objects_last_are_refused(n_objects, other):
    truth, found = drawn(n_objects), drawn(n_objects, shift=1)

    def last(frame):
        return np.moveaxis(layers(frame, n_objects), 0, -1)

    fit = other if other is not layers else lambda m: layers(m, n_objects)
    with pytest.raises(InputError, match=rf"40, 60, {n_objects}\].*transpose\(2, 0, 1"):
        fed(found, truth, (last, fit or last))
    with pytest.raises(InputError, match="objects first"):
        fed(found, truth, (fit or last, last), resize="nearest")
    moved = fed(found, truth, [lambda m: last(m).transpose(2, 0, 1)] * 2)
    right = np.mean([(11 + k) / (13 + k) for k in range(1, n_objects + 1)])
    assert moved.summary["J"] == pytest.approx(right)


def test_arrays_with_frames_last_are_refused_or_told():
    truth = np.stack([drawn()[0]] * 3)
    last = np.moveaxis(truth, 0, -1)
    with pytest.raises(InputError, match=r"\(40, 60, 3\).*count frames last"):
        score({"v": last}, {"v": last}, "vos-benchmark-all-frames")
    for function in (db_eval_iou, db_eval_boundary):
        with pytest.warns(UserWarning, match=r"40 masks \[60, 3\].*moveaxis"):
            function(last > 0, last > 0)
    assert score({"v": truth}, {"v": truth}).summary["J"] == 1
    # Many frames, of which [60, 14] is no shape; half of a wide screen is one.
    many = np.moveaxis(np.stack([drawn()[0]] * 14), 0, -1)
    with pytest.raises(InputError, match="count frames last"):
        score({"v": many}, {"v": many}, "vos-benchmark-all-frames")
    upright = np.repeat(np.stack([drawn()[0][:, :20]] * 45), 2, axis=1)  # 80 x 20
    assert score({"v": upright}, {"v": upright}).summary["J"] == 1


def clips(length, *, step=2, frames=None):
    """One object that moves `step` of its 10 columns per frame, in clips."""
    truth = np.zeros((6, H, W), bool)
    for t in range(6):
        truth[t, 10:20, 2 + step * t : 12 + step * t] = True
    meter = Meter("vos-benchmark-all-frames")
    for i, start in enumerate(range(0, 6, length)):
        one = truth[start : start + length]
        frame = frames(i, start) if frames else None
        meter.update(np.roll(one, 1, 1), one, sequence="v", frame=frame)
    return [note for note in meter.compute().notes if "clips of K frames" in note]


@pytest.mark.parametrize("frames", [None, lambda i, start: i, lambda i, start: start])
def test_clips_are_told_with_and_without_names_of_frames(frames):
    for length in (2, 3):
        (note,) = clips(length, frames=frames)
        assert note.startswith(f"v: in {6 // length} of {6 // length} frames")


def test_videos_of_one_clip_each_are_told():
    meter = Meter("vos-benchmark-all-frames")
    for name, shift in (("a", 0), ("b", 3)):
        masks = drawn(1, shift) > 0
        meter.update(masks, masks, sequence=name, frame=0)
    notes = [note for note in meter.compute().notes if "clips of K frames" in note]
    assert [note.split(" frames")[0] for note in notes] == [
        "a: in 1 of 1",
        "b: in 1 of 1",
    ]
    last = drawn(1)[:2] > 0  # a last clip that is shorter
    meter.update(masks, masks, sequence="c", frame=0)
    with pytest.raises(InputError, match=r"frames of one object.*masks\[t\]"):
        meter.update(last, last, sequence="c", frame=6)


def test_clips_of_a_fast_object_are_told_where_frames_are_their_starts():
    """Masks share 3 of 17 columns with those before."""
    assert clips(3, step=7, frames=lambda i, start: start)
    assert not clips(3, step=7, frames=lambda i, start: i)
    truth = drawn()  # and objects apart are none, wherever frames are annotated
    meter = Meter()
    for t in range(T):
        meter.update(layers(truth[t]), layers(truth[t]), sequence="v", frame=3 * t)
    assert meter.compute().notes == ()


def with_ground(frame, *, last=False):
    """Background and objects, but for a rim of 1 pixel around these."""
    near = frame > 0
    for axis in (0, 1):
        near = near | np.roll(near, 1, axis) | np.roll(near, -1, axis)
    masks = [~near, *layers(frame)]
    return np.stack(masks[1:] + masks[:1] if last else masks)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("other", [with_ground, np.array, layers])
def test_a_background_with_gaps_around_objects_is_refused(other, last):
    forms = (lambda m: with_ground(m, last=last), other)
    with pytest.raises(InputError, match=r"without the background.*masks\[1:\]"):
        fed(FOUND, TRUTH, forms, numbered=True)


def test_a_background_with_other_gaps_is_told():
    """The left quarter of the frame is in no mask."""

    def cut(frame):
        masks = with_ground(frame)
        masks[0, :, :15] = False
        return masks

    notes = fed(FOUND, TRUTH, (cut, cut)).notes
    for word in ("true", "predicted"):
        assert any(
            f"the first of the {word} masks [K, H, W] covers" in n for n in notes
        )


def test_a_large_object_is_no_background():
    """It fills the frame but for a true background of a third beside others."""
    truth = np.ones((T, H, W), np.uint8)
    truth[:, 5:35, 10:40] = 0
    for t in range(T):
        truth[t, 15:25, 12 + t : 20 + t] = 2
    both = [lambda m: layers(m, 2)] * 2
    assert fed(truth, truth, both).summary["J"] == 1
    # One frame in which it seems to surround the other is not enough.
    truth[2, 5:35, 10:40] = 1
    truth[2, 14:26, 9:31] = 0
    truth[2, 15:25, 10:30] = 2
    assert fed(truth, truth, both).summary["J"] == 1


@pytest.mark.parametrize("side", [0, 1])
def test_a_label_map_in_a_batch_of_one_is_told_as_such(side):
    video = drawn()
    given = [video[0], video[0]]
    given[side] = video[0][None]
    with pytest.raises(InputError) as error:
        Meter("davis-2017").update(*given, sequence="v", frame=0)
    assert "values 0, 1, 2, 3, which looks like a label map" in str(error.value)
    assert "Pass masks[0]" in error.value.remedy
    soft = np.tile(np.arange(W, dtype=np.uint8), (1, H, 1))
    with pytest.raises(InputError) as error:
        Meter("davis-2017").update(soft, video[0], sequence="v", frame=0)
    assert "label map" not in str(error.value)

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluation.errors import InputError
from s3fo.training.data.augmentation import ColourJitter
from s3fo.training.data.clips import (
    ClipRequest,
    MixedClips,
    StillClips,
    StillStyle,
    VideoClips,
    VideoStyle,
    finish,
)
from s3fo.training.data.layers import moving_layer
from s3fo.training.data.loading import ClipDataset, ClipSampler, collate

STILL = StillStyle(
    sequence_colour=ColourJitter(0, 0, 0),
    frame_colour=ColourJitter(0, 0, 0),
    grey_probability=0.0,
)
VIDEO = VideoStyle(
    degrees=0,
    shear=0,
    crop_scale=(0.5, 0.7),
    paste_probability=0.0,
    sequence_colour=ColourJitter(0, 0, 0),
    frame_colour=ColourJitter(0, 0, 0),
    grey_probability=0.0,
)


def request(number: int = 0, objects: int = 3, frames: int = 3) -> ClipRequest:
    return ClipRequest(number, 0.5, objects, frames, 64)


@pytest.fixture(params=["stills", "videos", "mixed"])
def maker(request, videos, stills):
    synthetic = StillClips(stills, replace(STILL, part_probability=0.5))
    real = VideoClips(videos, replace(VIDEO, paste_probability=0.5))
    return {
        "stills": synthetic,
        "videos": real,
        "mixed": MixedClips(real, synthetic, real_share=0.5),
    }[request.param]


def test_a_clip_has_the_requested_shape_and_numbered_objects(maker) -> None:
    for number in range(12):
        clip = maker(np.random.default_rng(number), number % len(maker), request())
        assert clip.frames.shape == (3, 64, 64, 3) and clip.frames.dtype == np.uint8
        assert clip.labels.shape == (3, 64, 64) and clip.labels.dtype == np.uint8
        present = np.unique(clip.labels[0])
        assert set(present) - {0} == set(range(1, clip.num_objects + 1))
        assert clip.labels.max() <= clip.num_objects <= 3


def test_the_same_number_gives_the_same_clip(maker) -> None:
    one, again = (ClipDataset(maker, seed=3)[request(17)] for _ in range(2))
    other = ClipDataset(maker, seed=3)[request(18)]
    np.testing.assert_array_equal(one.frames, again.frames)
    np.testing.assert_array_equal(one.labels, again.labels)
    assert not np.array_equal(one.frames, other.frames)


def test_colours_stay_on_their_objects(videos) -> None:
    """Images and masks move together (red and blue discs on green)."""
    maker = VideoClips(videos, VIDEO)
    clip = maker(np.random.default_rng(0), 3, request())
    for frame, labels in zip(clip.frames, clip.labels, strict=True):
        for label in range(1, clip.num_objects + 1):
            red, green, blue = frame[labels == label].mean(0)
            assert max(red, blue) > green + 40
        assert frame[labels == 0][:, 1].mean() > 75


def test_a_shaken_frame_takes_its_mask_along(videos) -> None:
    shaken = replace(VIDEO, frame_degrees=20, frame_scale=(0.8, 1.2), frame_shift=0.1)
    still, moved = (
        VideoClips(videos, style)(np.random.default_rng(0), 3, request())
        for style in (VIDEO, shaken)
    )
    assert all(
        not np.array_equal(one, other)
        for one, other in zip(still.labels, moved.labels, strict=True)
    )
    for frame, labels in zip(moved.frames, moved.labels, strict=True):
        for label in range(1, moved.num_objects + 1):
            red, green, blue = frame[labels == label].mean(0)
            assert max(red, blue) > green + 40


class NoStills(StillClips):
    def layer(self, rng, request):
        raise AssertionError("a still image was asked for")


def test_pasted_objects_may_come_from_other_videos(videos, stills) -> None:
    real = VideoClips(videos, VIDEO)
    maker = MixedClips(real, NoStills(stills, STILL), 1.0, moving_share=1.0)
    clips = [maker(np.random.default_rng(i), 0, request()) for i in range(9)]
    alone = [real(np.random.default_rng(i), 0, request()) for i in range(9)]
    assert sum(c.num_objects for c in clips) > sum(c.num_objects for c in alone)
    layer = moving_layer(*real.raw(np.random.default_rng(1), 2, request()))
    assert layer.frames.shape == (3, 64, 64, 3) and layer.masks.shape == (3, 64, 64)
    assert layer.masks.min() >= 0 and 0.9 < layer.masks.max() <= 1


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_similar_objects_are_objects_of_the_clips_own_video(
    videos, stills, share, monkeypatch
) -> None:
    asked, read = [], VideoClips.raw

    def recorded(self, rng, item, request):
        asked.append(item)
        return read(self, rng, item, request)

    monkeypatch.setattr(VideoClips, "raw", recorded)
    maker = MixedClips(
        VideoClips(videos, VIDEO),
        NoStills(stills, STILL),
        real_share=1.0,
        moving_share=1.0,
        distractor_share=share,
    )
    for seed in range(9):
        maker(np.random.default_rng(seed), 3, request())
    assert len(asked) > 2 * 9
    assert (set(asked) == {3}) == (share == 1.0)


def test_moved_stills_keep_their_colours_too(stills) -> None:
    clip = StillClips(stills, STILL)(np.random.default_rng(4), 0, request(objects=1))
    for frame, labels in zip(clip.frames, clip.labels, strict=True):
        inside = frame[labels > 0].astype(int)
        assert (inside[:, [0, 2]].max(1) > inside[:, 1]).mean() > 0.9


def test_an_occluder_is_seen_but_not_labelled(stills) -> None:
    always = replace(STILL, occluder_probability=1.0, most_pasted=2)
    maker = StillClips(stills, always)
    counts = [
        maker(np.random.default_rng(i), 0, request()).num_objects for i in range(9)
    ]
    assert max(counts) == 1


def test_frames_are_near_each_other_and_in_order(videos) -> None:
    maker = VideoClips(videos, replace(VIDEO, max_skip=((0, 1), (0.9, 7))))
    rng = np.random.default_rng(0)
    for _ in range(20):
        picked = maker._sample(rng, 0, 4, request(frames=3))
        assert 4 in picked and len(set(picked)) == 3
        assert picked in (sorted(picked), sorted(picked, reverse=True))
        # The clip length is the least reach.
        assert max(abs(np.diff(picked))) <= 3


def test_the_reach_follows_the_schedule() -> None:
    reach = [VideoStyle().skip_at(p, interval=5) for p in (0.0, 0.2, 0.5, 0.9)]
    assert reach == [1, 2, 3, 1]


def test_too_short_videos_are_refused(videos) -> None:
    with pytest.raises(InputError, match="at least 9 annotated frames"):
        VideoClips(videos, VIDEO, min_frames=9)


def test_more_objects_than_wanted_are_drawn_from() -> None:
    labels = np.zeros((2, 8, 8), np.uint8)
    labels[:, 0, :5] = [1, 2, 3, 4, 5]
    labels[1, 1, 0] = 6  # appears later: no object
    frames = np.zeros((2, 8, 8, 3), np.uint8)
    chosen = set()
    for seed in range(30):
        clip = finish(frames, labels, 3, np.random.default_rng(seed))
        assert clip.num_objects == 3
        assert clip.labels[1, 1, 0] == 0
        chosen |= set(np.flatnonzero(clip.labels[0, 0, :5]))
    assert chosen == set(range(5))


def test_collate_scales_and_orders_axes(videos) -> None:
    maker = VideoClips(videos, VIDEO)
    clips = [maker(np.random.default_rng(i), i, request()) for i in range(2)]
    batch = collate(clips)
    assert batch.frames.shape == (2, 3, 3, 64, 64)
    assert batch.frames.min() >= 0 and batch.frames.max() <= 1
    assert batch.labels.shape == (2, 3, 1, 64, 64)
    masks = batch.first_masks()
    assert masks.shape[1] == max(batch.num_objects)
    assert masks[0, 0].sum() == (clips[0].labels[0] == 1).sum()


def test_processes_share_a_step_without_overlap(tiny_recipe) -> None:
    recipe = tiny_recipe(object_shares=(0.5, 0.5))
    alone = ClipSampler(recipe, lambda _: 0.0).step(7)
    shared = [
        ClipSampler(recipe, lambda _: 0.0, rank=rank, world=2).step(7)
        for rank in range(2)
    ]
    numbers = [r.number for part in shared for batch in part for r in batch]
    assert sorted(numbers) == sorted(r.number for batch in alone for r in batch)
    limits = {r.num_objects for part in shared for batch in part for r in batch}
    assert len(limits) == 1

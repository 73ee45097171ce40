"""Parts of a mask far from an object's last place are taken off it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evaluation.errors import InputError
from s3fo.inference.engine.config import InferenceConfig
from s3fo.inference.engine.propagator import Propagator
from s3fo.inference.engine.reach import Reach, out_of_reach

SIZE = (64, 128)


def _squares(*lefts, side=16, size=SIZE):
    """[H, W] bool: squares in one row, from these columns on."""
    mask = np.zeros(size, bool)
    for left in lefts:
        mask[20 : 20 + side, left : left + side] = True
    return mask


def _probabilities(*masks):
    """[K + 1, H, W] of objects that are quite sure of their masks."""
    objects = torch.from_numpy(np.stack(masks).astype(np.float32)) * 0.9
    return torch.cat([1 - objects.sum(0, keepdim=True), objects])


@pytest.mark.parametrize(
    ("left", "side", "factor", "dropped"),
    [
        # Columns 4..19 are the object, 16 pixels large: a part from column 50 on is 31
        # pixels away, almost two of its sizes.
        (50, 16, 1.0, True),
        (50, 16, 2.1, False),
        (34, 16, 1.0, False),
        (38, 16, 1.0, True),
        # A sixteenth of it is a part, a hundredth a speck: within 0.4 of the reach.
        (30, 4, 1.0, False),
        (30, 2, 1.0, True),
        (24, 2, 1.0, False),
        (30, 2, 2.0, False),
    ],
)
def test_a_part_is_dropped_by_its_distance_in_sizes_of_the_object(
    left, side, factor, dropped
):
    last, part = _squares(4), _squares(left, side=side)
    outside = out_of_reach(last | part, last, last.sum(), factor)
    assert (part & outside).any() == dropped
    if dropped:
        np.testing.assert_array_equal((last | part) & outside, part)


def test_a_part_that_begins_within_reach_is_kept_to_its_end():
    last = _squares(4)
    mask = last.copy()
    mask[40:60, 6:120] = True
    assert not (mask & out_of_reach(mask, last, last.sum(), 1.0)).any()


@pytest.mark.parametrize(
    ("mask", "area"),
    [
        pytest.param(_squares(100), 256, id="it jumped"),
        pytest.param(_squares(4, 100), 2000, id="most of it is hidden"),
        pytest.param(np.zeros(SIZE, bool), 256, id="it is gone"),
    ],
)
def test_an_object_that_is_not_where_it_was_may_be_anywhere(mask, area):
    assert not out_of_reach(mask, _squares(4), area, 1.0).any()
    assert not out_of_reach(_squares(4, 100), np.zeros(SIZE, bool), area, 1.0).any()


def test_what_is_dropped_goes_to_the_next_best_object_or_to_the_background():
    p = _probabilities(_squares(4, 80, 110), _squares())
    p[:, 20:36, 110:126] = torch.tensor([0.1, 0.6, 0.3])[:, None, None]
    before = _probabilities(_squares(4), _squares())[1:]
    kept, limited = Reach().limit(p, before, (3, 8), 1.0)
    assert limited  # at columns 80..95, which are background now
    torch.testing.assert_close(kept.sum(0), torch.ones(SIZE))
    labels = kept.max(dim=0).indices.numpy()
    np.testing.assert_array_equal(labels == 1, _squares(4))
    np.testing.assert_array_equal(labels == 2, _squares(110))
    same, limited = Reach().limit(p, p[1:], (3, 8), 1.0)
    assert not limited and same is p


def test_what_goes_to_another_object_is_not_news_of_the_background():
    p = _probabilities(_squares(4, 110), _squares())
    p[:, 20:36, 110:126] = torch.tensor([0.1, 0.6, 0.3])[:, None, None]
    before = _probabilities(_squares(4), _squares())[1:]
    kept, limited = Reach().limit(p, before, (3, 8), 1.0)
    assert not limited
    labels = kept.max(dim=0).indices.numpy()
    np.testing.assert_array_equal(labels == 2, _squares(110))


def test_the_size_is_remembered_while_an_object_is_being_hidden():
    reach, sliver = Reach(), np.zeros(SIZE, bool)
    sliver[20:36, 18:20] = True
    whole = _probabilities(_squares(4))
    reach.limit(whole, whole[1:], (1,), 1.0)
    # An eighth of it is left: what appears elsewhere may be the object.
    p = _probabilities(sliver | _squares(90))
    assert not reach.limit(p, _probabilities(sliver)[1:], (1,), 1.0)[1]
    reach.forget([1])
    assert reach.limit(p, _probabilities(sliver)[1:], (1,), 1.0)[1]


@pytest.mark.parametrize("reach", [0.0, 1.0])
def test_a_frame_with_something_out_of_reach_is_memorised_at_once(
    tiny, monkeypatch, reach
):
    engine = Propagator(tiny, InferenceConfig(mem_every=10, reach=reach))
    found = iter([_squares(4), _squares(4), _squares(4, 90), _squares(4)])
    monkeypatch.setattr(
        Propagator, "_segment", lambda *_, **__: _probabilities(next(found))
    )
    frame = np.random.default_rng(5).random((3, *SIZE), np.float32)
    engine.step(frame, _squares(4).astype(np.int64))
    tokens, masks = [], []
    for _ in range(4):
        masks.append(engine.step(frame)[1] > 0.5)
        tokens.append(engine.memory.token_counts[0].temporary)
    one_frame = SIZE[0] * SIZE[1] // 256
    assert tokens == ([0, 0, one_frame, one_frame] if reach else [0] * 4)
    expected = _squares(4) if reach else _squares(4, 90)
    np.testing.assert_array_equal(masks[2], expected)


def test_going_back_to_a_state_goes_back_to_its_sizes(tiny):
    engine = Propagator(tiny, InferenceConfig(reach=1.0))
    frames = np.random.default_rng(6).random((3, 3, *SIZE), np.float32)
    engine.step(frames[0], _squares(4).astype(np.int64))
    engine.step(frames[1])
    state = engine.save_state()
    first = engine.step(frames[2])
    engine.restore_state(state)
    np.testing.assert_array_equal(engine.step(frames[2]), first)


def test_an_object_that_comes_again_by_a_known_number_has_a_new_size(tiny):
    engine = Propagator(tiny, InferenceConfig(reach=1.0))
    frames = np.random.default_rng(7).random((2, 3, *SIZE), np.float32)
    engine.step(frames[0], _squares(4).astype(np.int64))
    engine.step(frames[1])
    assert engine._reach._areas == {1: 256}
    engine.delete_objects([1])
    assert not engine._reach._areas


@pytest.mark.parametrize("wrong", [-0.5, float("inf"), float("nan")])
def test_a_reach_below_nothing_or_without_end_is_refused(wrong):
    with pytest.raises(InputError, match="reach"):
        InferenceConfig(reach=wrong)

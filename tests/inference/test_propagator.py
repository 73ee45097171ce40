"""What the engine promises besides its numbers."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from plain_engine import PlainEngine

from evaluation.errors import InputError
from s3fo.inference.build import build_propagator
from s3fo.inference.engine.config import InferenceConfig
from s3fo.inference.engine.frame_size import internal_size
from s3fo.inference.engine.frames import Padding
from s3fo.inference.engine.propagator import Propagator
from s3fo.inference.presets import PRESETS, get_preset, preset_for
from s3fo.model import build_network

LONG = {
    "mem_every": 1,
    "use_long_term": True,
    "long_term": {
        "max_mem_frames": 3,
        "min_mem_frames": 2,
        "num_prototypes": 4,
        "max_num_tokens": 16,
        "buffer_tokens": 4,
    },
}
SIZE = (40, 50)


def _video(frames, seed=0, size=SIZE):
    return np.random.default_rng(seed).random((frames, 3, *size), np.float32)


def _mask(*ids, size=SIZE):
    """Objects side by side."""
    mask = np.zeros(size, np.int64)
    for n, object_id in enumerate(ids):
        mask[8:30, 12 * n + 2 : 12 * n + 10] = object_id
    return mask


def _run(engine, frames, mask, **keywords):
    first = engine.step(frames[0], mask, **keywords)
    return [first, *(engine.step(frame) for frame in frames[1:])]


def _config(overrides):
    return InferenceConfig().with_overrides(**overrides)


def _engine(network, **overrides):
    return Propagator(network, _config(overrides))


def test_probabilities_of_given_and_of_propagated_masks(tiny):
    engine, frames = _engine(tiny), _video(3)
    first, second, _ = _run(engine, frames, _mask(5, 2))
    assert first.shape == second.shape == (3, *SIZE)
    assert first.dtype == np.float32
    assert engine.objects.ids == (2, 5)
    assert (first[1] > 0.5).sum() == (_mask(5, 2) == 2).sum()
    np.testing.assert_allclose(second.sum(0), 1, atol=1e-5)


@pytest.mark.seconds
@pytest.mark.parametrize(
    "overrides",
    [
        {"mem_every": 2, "max_mem_frames": 3, "stagger_updates": 1},
        {**LONG, "top_k": 20, "chunk_size": 2},
        {
            **LONG,
            "flip_aug": True,
            "long_term": {**LONG["long_term"], "min_mem_frames": 1},
        },
        {"mem_every": 1, "max_internal_size": 32},
    ],
)
def test_an_eventful_video_as_the_specification_tells_it(tiny, overrides):
    """Late objects, a partial and a full annotation, a permanent frame, a deletion."""
    late, partial = np.zeros((2, *SIZE), np.int64)
    late[32:38, 5:30], partial[2:12, 5:45], partial[14:30, 4:20] = 9, 2, 7
    partial[32:] = 99  # of no object: nobody may keep these pixels
    masks = {
        0: (_mask(1, 2), [1, 2]),
        3: (late, [9]),
        5: (partial, [2, 7]),
        8: (_mask(1, 2, 9, 7), [1, 2, 9, 7]),
    }
    frames, results = _video(12), []
    for engine in (_engine(tiny, **overrides), PlainEngine(tiny, _config(overrides))):
        played = []
        for t, frame in enumerate(frames):
            if t == 10:
                engine.delete_objects([2])
            given = masks.get(t, (None, None))
            played.append(engine.step(frame, *given, force_permanent=t == 6))
        results.append(played)
    for p, q in zip(*results, strict=True):
        np.testing.assert_allclose(p, q, atol=2e-5)


def test_shipped_weights_by_name_frame_by_frame():
    engine, frames = build_propagator("s3-small", "s3-small"), _video(2)
    _, p = _run(engine, frames, _mask(7))
    labels = engine.objects.label_map(p)
    assert labels.shape == SIZE and set(np.unique(labels)) <= {0, 7}
    assert torch.equal(
        torch.from_numpy(labels), engine.objects.label_map(torch.from_numpy(p))
    )
    with pytest.raises(InputError, match="weights of tiny"):
        build_propagator("tiny", "s3-small")


def test_torch_in_torch_out(tiny):
    frames, mask = _video(3), _mask(1)
    arrays = _run(_engine(tiny), frames, mask)
    tensors = _run(_engine(tiny), torch.from_numpy(frames), torch.from_numpy(mask))
    for array, tensor in zip(arrays, tensors, strict=True):
        assert isinstance(tensor, torch.Tensor) and isinstance(array, np.ndarray)
        np.testing.assert_array_equal(array, tensor.numpy())


@pytest.mark.parametrize("overrides", [{}, LONG, {"flip_aug": True}])
def test_nothing_leaks_into_the_next_video(tiny, overrides):
    frames, other = _video(5), _video(6, seed=1, size=(64, 33))
    fresh = _run(_engine(tiny, **overrides), frames, _mask(1, 2))
    engine = _engine(tiny, **overrides)
    _run(engine, other, _mask(3, 4, size=(64, 33)))
    engine.clear_memory()
    again = _run(engine, frames, _mask(1, 2))
    for p, q in zip(again, fresh, strict=True):
        np.testing.assert_array_equal(p, q)


def test_channel_masks_equal_index_masks(tiny):
    frames, mask = _video(3), _mask(1, 2)
    channels = np.stack([mask == 1, mask == 2]).astype(np.float32)
    by_id = _run(_engine(tiny), frames, mask)
    by_channel = _run(_engine(tiny), frames, channels, idx_mask=False)
    for p, q in zip(by_channel, by_id, strict=True):
        np.testing.assert_array_equal(p, q)


def test_a_deleted_object_is_as_if_it_had_been_forgotten(tiny):
    engine, frames = _engine(tiny, **LONG), _video(8)
    _run(engine, frames[:5], _mask(1, 2, 3))
    engine.delete_objects([2])
    assert engine.step(frames[5]).shape[0] == 3
    assert engine.objects.ids == (1, 3)
    back = np.zeros(SIZE, np.int64)
    back[30:38, 2:10] = 2
    engine.step(frames[6], back, [2])
    assert engine.objects.ids == (1, 3, 2)
    assert [c.object_ids for c in engine.memory.token_counts] == [(1, 3), (2,)]
    engine.delete_objects([1, 2, 3])
    assert not engine.memory.has_entries
    assert engine.step(frames[7]).shape == (1, *SIZE)


def test_a_mask_of_some_objects_leaves_the_others_to_the_engine(tiny):
    engine, frames = _engine(tiny), _video(3)
    _run(engine, frames[:2], _mask(1, 2))
    predicted = _engine(tiny)
    _run(predicted, frames[:2], _mask(1, 2))
    old = predicted.step(frames[2])
    given = np.zeros(SIZE, np.int64)
    given[:6] = 2
    p = engine.step(frames[2], given, [2])
    assert (p[2, :6] > 0.99).all() and (p[1, :6] < 0.01).all()
    alone = old[1] / (1 - old[1])  # odds of object 1 where object 2 is ruled out
    expected = np.where(given == 2, p[1], alone / (alone + 1 / alone))
    np.testing.assert_allclose(p[1], expected, atol=1e-5)


def test_ids_of_a_new_annotation_may_come_in_any_order(tiny):
    frames, mask = _video(4), _mask(1, 2, 3)
    results = []
    for order in ([1, 2, 3], [3, 1, 2]):
        engine = _engine(tiny)
        _run(engine, frames[:2], mask)
        engine.step(frames[2], mask, order)
        results.append(engine.step(frames[3]))
    np.testing.assert_array_equal(*results)


def test_before_any_mask_there_is_background_of_no_probability(tiny):
    engine = _engine(tiny)
    assert not engine.step(_video(1)[0]).any()
    with pytest.warns(UserWarning, match="without objects"):
        skipped = engine.step(_video(1)[0], np.zeros(SIZE, np.int64))
    assert skipped.shape == (1, 64, 64)
    small = _engine(tiny, max_internal_size=32)
    with pytest.warns(UserWarning, match="without objects"):
        nothing = small.step(_video(1)[0], np.zeros((0, *SIZE)), idx_mask=False)
    assert nothing.shape == (1, 32, 64)


def test_clearing_parts(tiny):
    engine, frames = _engine(tiny, **LONG), _video(8)
    _run(engine, frames[:6], _mask(1))
    (before,) = engine.memory.token_counts
    assert before.long and before.temporary
    engine.clear_non_permanent()
    (after,) = engine.memory.token_counts
    assert (after.long, after.permanent, after.temporary) == (0, before.permanent, 0)
    twin = copy.deepcopy(engine)
    twin.clear_sensory()
    with_sensory, without = engine.step(frames[6]), twin.step(frames[6])
    assert np.isfinite(without).all() and not np.array_equal(with_sensory, without)


def test_settings_that_may_change_while_running(tiny):
    engine, frames = _engine(tiny, mem_every=1, max_mem_frames=4), _video(8)
    _run(engine, frames[:6], _mask(1))
    assert engine.memory.token_counts[0].temporary == 3 * 16
    engine.update_config(max_mem_frames=2, top_k=3)
    engine.step(frames[6])
    assert engine.memory.token_counts[0].temporary == 16
    with pytest.raises(InputError, match="use_long_term"):
        engine.update_config(use_long_term=True)
    with pytest.raises(InputError, match="count_usage"):
        engine.update_config(long_term={"count_usage": False})


def test_half_precision_stays_close(tiny):
    frames, mask = _video(3), _mask(1, 2)
    exact = _run(_engine(tiny), frames, mask)
    engine = Propagator(tiny, InferenceConfig(), autocast=torch.bfloat16)
    for p, q in zip(_run(engine, frames, mask), exact, strict=True):
        assert p.dtype == np.float32
        assert np.abs(p - q).mean() < 0.05
    assert engine.memory._buckets[0].operand.dtype == torch.float32


def test_keeps_no_graph_and_leaves_the_network_trainable(tiny):
    network = build_network("tiny").eval()
    engine = Propagator(network)
    frames = torch.from_numpy(_video(2))
    engine.step(frames[0], torch.from_numpy(_mask(1)))
    assert not engine.step(frames[1]).requires_grad
    network.encode_image(torch.rand(1, 3, 64, 64)).pix_feat.sum().backward()
    assert network.pix_feat_proj.weight.grad is not None


@pytest.mark.parametrize(
    ("image", "mask", "keywords", "message"),
    [
        (np.zeros((40, 50, 3), np.float32), None, {}, "channels to the front"),
        (np.zeros((3, 40, 50), np.uint8), None, {}, "divide 8-bit values"),
        (_video(1)[0], np.zeros((4, 5), np.int64), {}, "Resize the mask"),
        (_video(1)[0], _mask(1)[None], {"objects": [1]}, "set `idx_mask`"),
        (_video(1)[0], _mask(1), {"objects": [1, 1]}, "distinct"),
        (_video(1)[0], _mask(1), {"objects": [0, 1]}, "ids from 1"),
        (_video(1)[0], _mask(1) * 0.4, {}, "object id of every pixel"),
        (
            _video(1)[0],
            np.full((1, *SIZE), 255, np.uint8),
            {"idx_mask": False},
            "Divide 8-bit masks by 255",
        ),
        (
            _video(1)[0],
            np.zeros((2, *SIZE), np.float32),
            {"objects": [1], "idx_mask": False},
            "one id for each mask",
        ),
    ],
)
def test_input_that_does_not_fit(tiny, image, mask, keywords, message):
    """It is refused before anything of it is remembered."""
    engine = _engine(tiny)
    with pytest.raises(InputError, match=message):
        engine.step(image, mask, **keywords)
    fresh, frames = _engine(tiny), _video(2)
    for p, q in zip(
        _run(engine, frames, _mask(1)), _run(fresh, frames, _mask(1)), strict=True
    ):
        np.testing.assert_array_equal(p, q)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64, np.float32])
def test_masks_of_any_type_and_layout(tiny, dtype):
    frame, mask = _video(1)[0], _mask(1, 200)
    expected = _engine(tiny).step(frame, mask)
    found = _engine(tiny).step(
        np.asfortranarray(frame.astype(np.float64)), np.asfortranarray(mask, dtype)
    )
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(
        _engine(tiny).step(frame, mask > 1), _engine(tiny).step(frame, mask // 200)
    )


def test_large_ids_stay_apart_when_the_frame_is_shrunk(tiny):
    """Beyond 2^24 not every whole number is a float32."""
    ids = (2**24, 2**24 + 1)
    engine = _engine(tiny, max_internal_size=32)
    p = engine.step(_video(1)[0], _mask(*ids))
    assert engine.objects.ids == ids
    assert [(channel > 0.5).sum() > 50 for channel in p[1:]] == [True, True]


def test_an_object_without_a_pixel_and_one_that_comes_with_the_last_frame(tiny):
    engine, frames = _engine(tiny), _video(4)
    p = engine.step(frames[0], _mask(1), [1, 8])
    assert p.shape[0] == 3 and (p[2] < 0.01).all()
    late = np.zeros(SIZE, np.int64)
    late[32:38] = 5
    assert engine.step(frames[1], late, [5], end=True).shape[0] == 4
    p = engine.step(frames[2])  # the video goes on after all
    assert p.shape[0] == 4 and np.isfinite(p).all()
    assert [c.object_ids for c in engine.memory.token_counts] == [(1, 8), (5,)]


def test_two_videos_in_turns_on_one_network(tiny):
    videos = [_video(6), _video(6, seed=1, size=(64, 33))]
    masks = [_mask(1, 2), _mask(3, size=(64, 33))]
    engines = [_engine(tiny, **LONG) for _ in videos]
    for t in range(6):
        for engine, video, mask in zip(engines, videos, masks, strict=True):
            last = engine.step(video[t], mask if t == 0 else None)
    alone = _run(_engine(tiny, **LONG), videos[1], masks[1])[-1]
    np.testing.assert_array_equal(last, alone)


def test_deleting_what_is_not_tracked(tiny):
    engine = _engine(tiny)
    with pytest.raises(InputError, match="tracked"):
        engine.delete_objects([4])
    engine.step(_video(1)[0], _mask(4, 7))
    engine.delete_objects(torch.tensor([4]))
    assert engine.objects.ids == (7,)


def test_unknown_settings_are_named():
    with pytest.raises(InputError, match="mem_evry"):
        build_propagator("tiny", mem_evry=3)
    with pytest.raises(InputError, match="prototypes"):
        build_propagator("tiny", long_term={"prototypes": 3})
    with pytest.raises(InputError, match="top_k"):
        build_propagator("tiny", top_k=0)


@pytest.mark.parametrize(
    ("every", "updates", "steps"),
    [
        (5, 5, {1, 2, 3, 4, 5}),
        (3, 5, {1, 2, 3}),
        (5, 2, {1, 5}),
        (10, 5, {1, 3, 6, 8, 10}),  # 1, 3.25, 5.5, 7.75, 10: halves to even
        (10, 4, {1, 4, 7, 10}),
        (5, 0, set()),
    ],
)
def test_when_the_sensory_memory_is_updated(every, updates, steps):
    config = InferenceConfig(mem_every=every, stagger_updates=updates)
    assert config.sensory_steps == steps


def test_padding_splits_what_is_missing():
    padding = Padding.to_stride((41, 96))
    assert padding == (0, 0, 11, 12)
    maps = torch.rand(2, 41, 96)
    assert padding.pad(maps).shape == (2, 64, 96)
    assert torch.equal(padding.unpad(padding.pad(maps)), maps)


def test_internal_size():
    assert internal_size((120, 214), 96) == (96, 171)
    assert internal_size((90, 160), 96) == (90, 160)
    assert internal_size((90, 160), -1) == (90, 160)


def test_presets():
    assert get_preset("davis-2017") == PRESETS["davis"]
    assert get_preset("davis-plus").size == 720
    assert get_preset("youtube-vos-2019") == PRESETS["youtube-vos"]
    assert get_preset("sa-v") == PRESETS["generic"]
    assert preset_for("burst") == "burst"
    assert preset_for("video") == "generic", "a folder of that name is no preset"
    with pytest.raises(InputError, match="davis-plus"):
        get_preset("dvais")
    shipped = PRESETS["s3"]
    assert shipped.engine.flip_aug and shipped.engine.mem_every == 10
    assert shipped.engine.long_term.max_num_tokens == 30_000

"""Bookkeeping of the memory: what is kept, in which order, and what is forgotten."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.errors import InputError
from s3fo.inference.engine.config import InferenceConfig, LongTermConfig
from s3fo.inference.engine.memory import Memory

H, W, CK, CV = 2, 3, 4, 5
HW = H * W
FRAME = "frame"


class _Recorder:
    """Writes frames whose values tell the object and the frame."""

    def __init__(self, config: InferenceConfig, batch: int = 1) -> None:
        self.memory = Memory(config)
        self.batch, self.frame = batch, 0
        self.random = torch.Generator().manual_seed(0)

    def _maps(self, channels):
        return torch.randn(self.batch, channels, H, W, generator=self.random)

    def write(self, ids, permanent=False):
        tags = torch.tensor([100.0 * i + self.frame for i in ids])
        values = tags.view(1, -1, 1, 1, 1).expand(self.batch, -1, CV, H, W)
        self.memory.write(
            self._maps(CK),
            1 + self._maps(1).square(),
            self._maps(CK).sigmoid(),
            values.clone(),
            ids,
            permanent=permanent,
        )
        self.frame += 1

    def read(self):
        reads = self.memory.read(self._maps(CK), self._maps(CK).sigmoid())
        return {
            object_id: readout[:, n]
            for ids, readout in reads
            for n, object_id in enumerate(ids)
        }

    def frames_of(self, object_id):
        """Frame of every token of an object, the temporary ones by age."""
        for bucket in self.memory._buckets:
            if object_id in bucket.object_ids:
                frames = bucket.values(object_id)[0, :, 0] - 100 * object_id
                start = bucket.long + bucket.permanent
                ring = frames[start:].roll(-bucket._oldest)
                return [*frames[:start].tolist(), *ring.tolist()]
        return []


def _repeat(*frames):
    return [float(frame) for frame in frames for _ in range(HW)]


def test_first_frame_stays_and_the_oldest_of_the_others_go():
    recorder = _Recorder(InferenceConfig(max_mem_frames=3))
    for _ in range(6):
        recorder.write([1])
    assert recorder.frames_of(1) == _repeat(0, 4, 5)


def test_permanent_frames_go_before_the_first_and_stay():
    recorder = _Recorder(InferenceConfig(max_mem_frames=3))
    for t in range(7):
        recorder.write([1], permanent=t in (2, 4))
    assert recorder.frames_of(1) == _repeat(4, 2, 0, 5, 6)


def test_a_shorter_memory_keeps_the_newest():
    recorder = _Recorder(InferenceConfig(max_mem_frames=5))
    for _ in range(7):
        recorder.write([1])
    recorder.memory.configure(InferenceConfig(max_mem_frames=3))
    recorder.write([1])
    assert recorder.frames_of(1) == _repeat(0, 6, 7)
    recorder.memory.configure(InferenceConfig(max_mem_frames=4))
    for _ in range(2):
        recorder.write([1])
    assert recorder.frames_of(1) == _repeat(0, 7, 8, 9)


def test_only_the_first_frame_fits():
    recorder = _Recorder(InferenceConfig(max_mem_frames=1))
    for _ in range(3):
        recorder.write([1])
    assert recorder.frames_of(1) == _repeat(0)


def test_objects_of_one_frame_share_a_bucket():
    recorder = _Recorder(InferenceConfig())
    recorder.write([4, 2])
    recorder.write([4, 2, 9])
    recorder.write([4, 2, 9])
    (first, second) = recorder.memory.token_counts
    assert (first.object_ids, second.object_ids) == ((4, 2), (9,))
    assert (first.temporary, second.temporary) == (2 * HW, HW)
    assert recorder.frames_of(9) == _repeat(1, 2)


def test_consolidation_keeps_the_newest_and_summarises_the_rest():
    limits = LongTermConfig(max_mem_frames=4, min_mem_frames=2, num_prototypes=5)
    recorder = _Recorder(InferenceConfig(use_long_term=True, long_term=limits), batch=2)
    for _ in range(4):
        recorder.write([1])
        recorder.read()
    (counts,) = recorder.memory.token_counts
    assert (counts.long, counts.permanent, counts.temporary) == (5, HW, HW)
    frames = recorder.frames_of(1)
    assert all(1 <= frame <= 2 for frame in frames[:5]), "averages of frames 1 and 2"
    assert frames[5:] == _repeat(0, 3)


def test_full_store_forgets_the_least_used():
    limits = LongTermConfig(
        max_mem_frames=3, min_mem_frames=1, num_prototypes=4, max_num_tokens=12,
        buffer_tokens=3,
    )  # fmt: skip
    recorder = _Recorder(InferenceConfig(use_long_term=True, long_term=limits, top_k=3))
    while True:
        recorder.write([1])
        recorder.read()
        (counts,) = recorder.memory.token_counts
        if counts.long == 8 and counts.temporary == HW:
            break
    (bucket,) = recorder.memory._buckets
    usage = bucket.normalised_usage(0, 8)[0]
    best = usage.topk(5).indices
    assert (usage > 0).any() and usage.unique().numel() > 5
    expected = bucket.operand[0, best].clone()
    recorder.write([1])
    (counts,) = recorder.memory.token_counts
    assert counts.long == 5 + 4
    assert torch.equal(bucket.operand[0, :5], expected)


def test_full_store_forgets_the_oldest_without_counting():
    limits = LongTermConfig(
        max_mem_frames=2, min_mem_frames=1, num_prototypes=4, max_num_tokens=12,
        buffer_tokens=3, count_usage=False,
    )  # fmt: skip
    recorder = _Recorder(InferenceConfig(use_long_term=True, long_term=limits))
    for _ in range(7):
        recorder.write([1])
        recorder.read()
    (counts,) = recorder.memory.token_counts
    assert counts.long == 9
    long = [round(frame) for frame in recorder.frames_of(1)[: counts.long]]
    assert long == [4, 5, 5, 5, 5, 6, 6, 6, 6]


def test_prototypes_are_weighted_means_of_candidates():
    limits = LongTermConfig(max_mem_frames=3, min_mem_frames=1, num_prototypes=3)
    recorder = _Recorder(InferenceConfig(use_long_term=True, long_term=limits))
    recorder.write([1])
    (bucket,) = recorder.memory._buckets
    recorder.write([1])
    recorder.read()
    keys = bucket.column("key", HW, 2 * HW).clone()
    recorder.write([1])
    recorder.read()
    assert recorder.memory.token_counts[0].long == 3
    chosen = bucket.column("key", 0, 3)[0]
    distance = (chosen[:, None] - keys[0][None]).abs().sum(-1)
    assert (distance.min(dim=1).values == 0).all(), "a prototype keeps its own key"


def test_summaries_add_up():
    memory = Memory(InferenceConfig())
    memory.add_summaries([1, 2], torch.ones(1, 2, 4, 3))
    memory.add_summaries([1], torch.ones(1, 1, 4, 3))
    assert memory.summaries([2, 1]).squeeze(2)[0, :, 0, 0].tolist() == [1, 2]


def test_forgetting_objects():
    recorder = _Recorder(InferenceConfig())
    recorder.write([1, 2])
    recorder.write([1, 2, 3])
    memory = recorder.memory
    memory.add_summaries([1, 2, 3], torch.ones(1, 3, 4, 3))
    memory.update_sensory([1, 2, 3], torch.ones(1, 3, 2, H, W))
    memory.keep_objects([2])
    assert [counts.object_ids for counts in memory.token_counts] == [(2,)]
    assert set(recorder.read()) == {2}
    unknown = torch.zeros(1, 2, H, W)
    assert memory.sensory([3], unknown).sum() == 0
    with pytest.raises(KeyError):
        memory.summaries([1])
    memory.keep_objects([])
    assert not memory.has_entries


def test_another_frame_size_is_told():
    recorder = _Recorder(InferenceConfig())
    recorder.write([1])
    with pytest.raises(InputError, match="Clear the memory"):
        list(recorder.memory.read(torch.zeros(1, CK, 1, 1), torch.zeros(1, CK, 1, 1)))


_OPERATIONS = st.lists(
    st.sampled_from(["write", "write", "read", "permanent", "add", "drop", "clear"]),
    max_size=25,
)


@settings(deadline=None, max_examples=60)
@given(operations=_OPERATIONS, long_term=st.booleans(), batch=st.integers(1, 2))
def test_invariants(operations, long_term, batch):
    """Any sequence of events keeps to the limits and to what is permanent."""
    limits = LongTermConfig(
        max_mem_frames=4, min_mem_frames=2, num_prototypes=5, max_num_tokens=16,
        buffer_tokens=4,
    )  # fmt: skip
    config = InferenceConfig(
        max_mem_frames=3, use_long_term=long_term, long_term=limits, top_k=4
    )
    recorder = _Recorder(config, batch)
    ids, permanent, next_id = [], {}, 1
    for operation in ["add", *operations]:
        if operation == "add":
            ids.append(next_id)
            next_id += 1
        if operation == "drop" and ids:
            gone = ids.pop(0)
            permanent.pop(gone, None)
            recorder.memory.keep_objects(ids)
        if operation == "clear":
            recorder.memory.forget_temporary()
        if operation == "read" and recorder.memory.has_entries:
            for object_id, readout in recorder.read().items():
                tags = readout - 100 * object_id
                assert torch.isfinite(readout).all()
                assert (tags >= -1e-2).all() and (tags < recorder.frame).all()
        if operation in ("add", "write", "permanent") and ids:
            for object_id in ids:
                first = object_id not in permanent
                if first or operation == "permanent":
                    permanent.setdefault(object_id, []).insert(0, recorder.frame)
            recorder.write(ids, permanent=operation == "permanent")
        _check(recorder, ids, permanent, config)


def _check(recorder, ids, permanent, config):
    counts = recorder.memory.token_counts
    assert sorted(i for c in counts for i in c.object_ids) == sorted(permanent)
    assert set(permanent) <= set(ids)
    for c in counts:
        limits = config.long_term
        frames = (limits if config.use_long_term else config).max_mem_frames
        assert c.temporary <= (frames - 1) * HW
        assert c.long <= limits.max_num_tokens
        assert c.temporary % HW == 0
        for object_id in c.object_ids:
            kept = recorder.frames_of(object_id)
            start, stop = c.long, c.long + c.permanent
            assert kept[start:stop] == _repeat(*permanent[object_id])
            assert kept[stop:] == sorted(kept[stop:]), "oldest first"

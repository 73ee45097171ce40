"""Reading in blocks equals the dense formulation."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from s3fo.inference.engine import memory_read
from s3fo.inference.engine.memory_read import (
    memory_operand,
    query_operand,
    sparse_affinity,
    sparse_readout,
    token_usage,
)
from s3fo.model.memory_reading import readout, similarity, top_k_affinity


def _tokens(seed, batch, memory, queries, channels):
    random = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=random)

    key, query = draw(batch, memory, channels), draw(batch, queries, channels)
    shrinkage = 1 + draw(batch, memory, 1).square()
    selection = draw(batch, queries, channels).sigmoid()
    return key, shrinkage, query, selection, draw(batch, memory, 5)


def _compare(key, shrinkage, query, selection, values, top_k):
    s = similarity(key.mT, shrinkage.mT, query.mT, selection.mT)
    dense = top_k_affinity(s, top_k)
    affinity = sparse_affinity(
        memory_operand(key, shrinkage), query_operand(query, selection), top_k
    )
    expected = readout(dense, values.mT[:, None])[:, 0].mT
    torch.testing.assert_close(
        sparse_readout(affinity, values), expected, atol=1e-4, rtol=1e-4
    )
    torch.testing.assert_close(
        token_usage(affinity, key.shape[1]).squeeze(-1),
        dense.sum(-1),
        atol=1e-4,
        rtol=1e-4,
    )


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    batch=st.integers(1, 2),
    memory=st.integers(1, 300),
    queries=st.integers(1, 40),
    top_k=st.integers(1, 40),
)
def test_equals_the_dense_formulation(seed, batch, memory, queries, top_k):
    _compare(*_tokens(seed, batch, memory, queries, 7), top_k)


@pytest.mark.parametrize("memory", [2048, 3001])
def test_equals_the_dense_formulation_in_stripes_and_blocks(memory, monkeypatch):
    monkeypatch.setitem(memory_read.BLOCK_ELEMENTS, "cpu", 16 * memory)
    _compare(*_tokens(0, 1, memory, 50, 7), top_k=30)


@pytest.mark.parametrize("memory", [2048, 3001])
def test_keeps_exactly_the_largest(memory):
    rows = torch.rand(20, memory, generator=torch.Generator().manual_seed(1))
    values, indices = memory_read._largest(rows, 30)
    assert torch.equal(values.sort().values, rows.topk(30).values.sort().values)
    assert torch.equal(rows.gather(1, indices), values)


def test_far_away_tokens_do_not_underflow():
    """Where every kept similarity is far below -103, softmax needs its maximum."""
    key, shrinkage, query, selection, _ = _tokens(0, 1, 50, 4, 7)
    affinity = sparse_affinity(
        memory_operand(key + 1000, shrinkage), query_operand(query, selection), 5
    )
    assert torch.isfinite(affinity.weights).all()
    torch.testing.assert_close(affinity.weights.sum(-1), torch.ones(1, 4))


def test_stays_exact_in_half_precision_autocast():
    key, shrinkage, query, selection, _ = _tokens(0, 1, 80, 9, 7)
    operands = memory_operand(key, shrinkage), query_operand(query, selection)
    expected = sparse_affinity(*operands, 5)
    with torch.autocast("cpu", torch.bfloat16):
        found = sparse_affinity(*operands, 5)
    assert torch.equal(found.indices, expected.indices)
    assert torch.equal(found.weights, expected.weights)

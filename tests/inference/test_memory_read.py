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


def _exact(key, shrinkage, query, selection):
    """The similarity from its definition, in float64: [P, N] of one sample."""
    key, shrinkage, query, selection = (
        part[0].double() for part in (key, shrinkage, query, selection)
    )
    squares = (query[:, None] - key[None]).square() * selection[:, None]
    return -squares.sum(-1) * shrinkage.squeeze(-1) / key.shape[1] ** 0.5


def _most_similar(key, shrinkage, query, selection, k):
    tokens = memory_operand(key, shrinkage)[0]
    pixels = query_operand(query, selection)[0]
    return memory_read._most_similar(tokens, memory_read._keys(tokens), pixels, k)


@pytest.mark.parametrize("memory", [300, 2048])
@pytest.mark.parametrize("mean", [0.0, 1.0, 4.0])
def test_is_as_accurate_as_the_plain_formulation(memory, mean):
    """Errors against float64. A mean of the keys makes large terms cancel."""
    key, shrinkage, query, selection, _ = _tokens(3, 1, memory, 60, 64)
    key, query = key + mean, query + mean
    exact = _exact(key, shrinkage, query, selection)
    plain = similarity(key.mT, shrinkage.mT, query.mT, selection.mT)[0].T.double()
    values, indices = _most_similar(key, shrinkage, query, selection, 30)
    fast_error = (values - exact.gather(1, indices)).abs().max()
    plain_error = (plain - exact).gather(1, indices).abs().max()
    # A few roundings of a number of this size, whatever the processor.
    assert fast_error <= 6e-7 * values.abs().max()
    assert fast_error <= 1.5 * plain_error


def test_near_ties_fall_as_they_should():
    """The 30th and 31st token differ by 1e-6 to 3e-5 of similarities near 1.

    The keys have a mean of 4: a product that multiplies the square out errs by 1e-4.
    """
    random = torch.Generator().manual_seed(5)
    query = 4 + torch.randn(1, 40, 64, generator=random)
    selection = torch.rand(1, 40, 64, generator=random) + 0.1
    wrong = compared = 0
    for pixel in range(40):
        one, chosen = query[:, pixel : pixel + 1], selection[:, pixel : pixel + 1]
        offsets = torch.randn(60, 64, generator=random)
        distance = (offsets.square() * chosen[0]).sum(-1, keepdim=True) / 8
        steps = 1 + 1e-5 * torch.arange(60).unsqueeze(1)
        key = (one[0] + offsets * (steps / distance).sqrt())[None]
        shrinkage = torch.ones(1, 60, 1)
        exact = _exact(key, shrinkage, one, chosen)
        edge = exact.topk(31).values[0, 29:]
        if edge[0] - edge[1] >= 1e-6:
            compared += 1
            _, found = _most_similar(key, shrinkage, one, chosen, 30)
            wrong += set(found[0].tolist()) != set(exact.topk(30).indices[0].tolist())
    assert compared > 30 and wrong == 0

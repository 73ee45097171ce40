"""The engine against the official program, and against a plain second engine."""

from __future__ import annotations

import numpy as np
import pytest
from parity_cases import CASES, Case, load_module
from plain_engine import PlainEngine

from s3fo.inference.build import build_propagator
from s3fo.inference.memory import TokenCounts
from s3fo.model import build_network

PUBLIC = ["e2e_tiny_k1_fifo", "e2e_tiny_k3_longterm"]
SEED = 14
ROUNDING = 1e-5
ONE_FLIP = 5e-3
"""The network decides hard in places (arg max): rounding may flip one on a tie, which
moves a frame by this much at most; any mistake in the engine moves it by more."""


class _Watched:
    """An engine that also notes its bookkeeping after every step."""

    def __init__(self, engine):
        self.engine, self.states = engine, []

    def step(self, *args, **keywords):
        result = self.engine.step(*args, **keywords)
        self.states.append(self.engine.memory.token_counts)
        return result


@pytest.mark.parametrize("name", PUBLIC)
def test_official_outputs(shared, recipe_state, name):
    parity = load_module(shared / "fixtures/s3/parity.py")
    case = parity.load_case(str(shared / f"fixtures/s3/public/{name}.json"))
    state = recipe_state(case["config"], case["seed"])
    engine = _Watched(build_propagator(case["config"], state, **case["overrides"]))
    report = parity.replay(case, engine)
    assert report["ok"], report
    for step, counts in zip(case["steps"], engine.states, strict=True):
        after = step["state_after"]
        long = after.get("long_tokens", {}).get("0", 0)
        permanent = after["perm_tokens"]["0"]
        temporary = after["work_tokens"]["0"] - permanent
        ids = tuple(after["obj_ids"])
        assert counts == (TokenCounts(ids, long, permanent, temporary),)


@pytest.mark.filterwarnings("ignore:a mask without objects")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_agrees_with_plain_engine_and_network(shared, recipe_state, case):
    _compare(case, shared, recipe_state)


def _compare(case: Case, shared, recipe_state):
    state = recipe_state(case.preset, SEED)
    fast = build_propagator(case.preset, state, **case.overrides)
    plain = build_network(case.preset).eval()
    plain.load_state_dict(state, assign=True)
    expected = case.play(PlainEngine(plain, fast.config), shared)
    found = case.play(fast, shared)
    assert [p.shape for p in found] == [p.shape for p in expected]
    errors = [np.abs(p - q).max() for p, q in zip(found, expected, strict=True)]
    assert np.median(errors) <= ROUNDING, errors
    assert max(errors) <= ONE_FLIP, errors
    assert len({p.tobytes() for p in found}) > 2, "nothing moves: the case is empty"

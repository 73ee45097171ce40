"""What newly joins an object and looks unlike it is taken off it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evaluation.errors import InputError
from s3fo.inference.engine.appearance import Appearance, AppearanceLimit, unlike_cells
from s3fo.inference.engine.config import InferenceConfig
from s3fo.inference.engine.propagator import Propagator

CELLS = (4, 8)
SIZE = (64, 128)
OBJECT = {(1, 1): 0.0, (1, 2): 0.0}
FOUND = {(1, 1): 1.0, (1, 2): 1.0}
"""Appearance is one number per cell, similarity minus its squared difference. The
object was given as 0 and is 1 now, so its similarity to itself is -1."""


def _appearance(values):
    key = torch.full((1, *CELLS), 9.0)
    for cell, value in values.items():
        key[0][cell] = value
    return Appearance(key, torch.ones(1, *CELLS), torch.ones(1, *CELLS))


def _mask(cells, rows=16):
    mask = np.zeros(SIZE, bool)
    for y, x in cells:
        mask[16 * y : 16 * y + rows, 16 * x : 16 * x + 16] = True
    return mask


def _probabilities(*masks):
    objects = torch.from_numpy(np.stack(masks).astype(np.float32)) * 0.9
    return torch.cat([1 - objects.sum(0, keepdim=True), objects])


def _knows(*objects):
    limit = AppearanceLimit()
    for object_id, cells in enumerate(objects, 1):
        masks = _probabilities(_mask(cells))[1:]
        limit.remember(_appearance(cells), masks, [object_id])
    return limit


def _unlike(now, last=OBJECT, gap=3.0, looked=OBJECT):
    """Unlike cells of an object given as two cells of 0."""
    given = torch.zeros(1, 2), torch.ones(1, 2)
    cells = unlike_cells(
        _mask(now), _mask(last), given, _appearance(looked), _appearance(now), gap
    )
    return [tuple(map(int, cell)) for cell in np.argwhere(cells)]


@pytest.mark.parametrize(
    ("new", "off"),
    [
        # -1 - 3 = -4 is the least similarity of a cell, -1 - 0.8 * 3 = -3.4 that of a
        # region on average.
        ({(1, 3): 1.8}, []),
        ({(1, 3): 1.9}, [(1, 3)]),
        ({(1, 3): 0.5, (1, 4): 2.1}, [(1, 4)]),
        ({(1, 3): 1.5, (1, 4): 2.5}, [(1, 3), (1, 4)]),
        ({(1, 3): 1.5, (3, 7): 2.5}, [(3, 7)]),
    ],
)
def test_a_new_cell_goes_by_its_look_and_that_of_its_region(new, off):
    assert _unlike(FOUND | new) == off


@pytest.mark.parametrize(
    ("now", "last"),
    [
        pytest.param({(3, 6): 7.0}, OBJECT, id="it jumped"),
        pytest.param(FOUND | {(3, 6): 7.0}, {*OBJECT, (3, 6)}, id="nothing is new"),
        pytest.param(FOUND | {(1, 3): 1.8}, OBJECT, id="it is like the rest"),
    ],
)
def test_nothing_is_taken_off_an_object_that(now, last):
    assert _unlike(now, last) == []


def test_an_object_that_changed_its_look_gets_new_parts_of_such_looks():
    now = {(1, 1): 3.0, (1, 2): 3.0, (1, 3): 3.2}
    # -3.2 ** 2 = -10.24 is 1.24 less than -9 of the rest.
    assert _unlike(now) == []
    assert _unlike(now, gap=1.0) == [(1, 3)]


def test_new_parts_may_look_as_the_object_did_in_the_frame_before():
    now = FOUND | {(1, 3): 5.0}
    assert _unlike(now) == [(1, 3)]
    # One of its cells was 4 then, and 5 is only 1 away from that.
    assert _unlike(now, looked={(1, 1): 0.0, (1, 2): 4.0}) == []
    # A cell outside its last mask tells nothing.
    assert _unlike(now, looked=OBJECT | {(1, 3): 5.0}) == [(1, 3)]


@pytest.mark.parametrize(("rows", "off"), [(5, []), (6, [(3, 0)])])
def test_an_edge_that_changes_is_not_a_new_part(rows, off):
    # A twentieth of seven cells is 0.35 of a cell: between 5 and 6 of its 16 rows.
    last = [(1, x) for x in range(7)]
    mask = _mask(last) | _mask([(3, 0)], rows)
    given = torch.zeros(1, 2), torch.ones(1, 2)
    appearance = _appearance(dict.fromkeys(last, 0.0))
    cells = unlike_cells(mask, _mask(last), given, appearance, appearance, 3.0)
    assert [tuple(map(int, cell)) for cell in np.argwhere(cells)] == off


def test_what_is_taken_off_goes_to_the_next_best_object_or_to_the_background():
    now = FOUND | {(1, 3): 5.0, (2, 3): 5.0}
    p = _probabilities(_mask(now), _mask([(3, 7)]))
    p[:, 32:48, 48:64] = torch.tensor([0.1, 0.6, 0.3])[:, None, None]
    before = _probabilities(_mask(OBJECT), _mask([(3, 7)]))[1:]
    limit = _knows(OBJECT)
    kept = limit.limit(p, before, (1, 2), _appearance(now), 3.0)
    torch.testing.assert_close(kept.sum(0), torch.ones(SIZE))
    labels = kept.max(dim=0).indices.numpy()
    np.testing.assert_array_equal(labels == 1, _mask(OBJECT))
    np.testing.assert_array_equal(labels == 2, _mask([(2, 3), (3, 7)]))


def test_pixels_of_the_last_mask_stay():
    last = _mask(OBJECT)
    last[16:32, 48:55] = True
    now = last.copy()
    now[16:32, 55:64] = True
    appearance = _appearance(FOUND | {(1, 3): 5.0})
    before = _probabilities(last)[1:]
    kept = _knows(OBJECT).limit(_probabilities(now), before, (1,), appearance, 3.0)
    np.testing.assert_array_equal(kept[1].numpy() > 0.5, last)


def test_every_mask_that_is_given_tells_what_an_object_looks_like():
    now = FOUND | {(1, 3): 5.0}
    p, before = _probabilities(_mask(now)), _probabilities(_mask(OBJECT))[1:]
    limit = _knows(OBJECT)
    later = {(0, 0): 5.0}
    limit.remember(_appearance(later), _probabilities(_mask(later))[1:], [1])
    assert limit.limit(p, before, (1,), _appearance(now), 3.0) is p
    limit.forget([1])
    assert limit.limit(p, before, (1,), _appearance(now), 3.0) is p


@pytest.mark.parametrize("gap", [0.0, 1e-3])
def test_the_engine_takes_off_what_is_unlike_and_memorises_no_frame_for_it(
    tiny, monkeypatch, gap
):
    engine = Propagator(tiny, InferenceConfig(mem_every=10, appearance_gap=gap))
    whole, more = _mask(OBJECT), _mask([*OBJECT, (1, 3), (2, 3), (3, 3)])
    found = iter([whole, whole, more, whole])
    monkeypatch.setattr(
        Propagator, "_segment", lambda *_, **__: _probabilities(next(found))
    )
    # What is new is noise, beside an even object.
    frame = np.full((3, *SIZE), 0.5, np.float32)
    noise = np.random.default_rng(5).random((3, *SIZE), np.float32)
    changed = np.where(whole, frame, noise)
    engine.step(frame, whole.astype(np.int64))
    state = engine.save_state()
    masks = [engine.step(image)[1] > 0.5 for image in (frame, frame, changed, frame)]
    assert engine.memory.token_counts[0].temporary == 0
    np.testing.assert_array_equal(masks[2], whole if gap else more)
    engine.delete_objects([1])
    assert not engine._appearance._tokens
    engine.restore_state(state)
    assert set(engine._appearance._tokens) == ({1} if gap else set())


@pytest.mark.parametrize("wrong", [-0.5, float("inf"), float("nan")])
def test_a_gap_below_nothing_or_without_end_is_refused(wrong):
    with pytest.raises(InputError, match="appearance_gap"):
        InferenceConfig(appearance_gap=wrong)

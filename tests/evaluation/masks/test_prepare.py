"""The compared masks are decided once: what is counted is what `prepare` gives."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evaluation import PROTOCOLS, find_failures, score
from evaluation.counting import reference
from evaluation.counting.boundaries import tolerance_radius
from evaluation.counting.frame import FrameCounter
from evaluation.errors import InputError
from evaluation.failures import ComparedMasks
from evaluation.masks.pairs import SequencePair
from evaluation.masks.prepare import has_other_aspect, prepare
from evaluation.masks.sequence import ArraySequence
from evaluation.options import InputOptions

OPTIONS = [
    InputOptions(missing, resize, binarize, void)
    for missing, resize, binarize, void in itertools.product(
        ("error", "score-as-empty"), (None, "nearest"), (False, True), (None, 2, 255)
    )
]
RULES = list(
    {
        (p.objects == "foreground", p.void, p.boundary, p.matching, p.tracking): p
        for p in PROTOCOLS.values()
    }.values()
)
"""One protocol for every way in which protocols treat the masks of a frame."""

SHAPE = (9, 11)
OTHER_SHAPE = (12, 7)


def label_maps(shape):
    return arrays(np.uint8, shape, elements=st.sampled_from([0, 0, 1, 2, 7, 255]))


def overlapping(shape):
    return st.dictionaries(st.sampled_from([1, 2, 7, 255]), arrays(bool, shape))


def counted(gt, pred, protocol):
    """Counts by id of prepared masks, in plain numpy; ids without a pixel left out."""
    rows = {}
    for key in {*ids_of(gt), *ids_of(pred)}:
        one, other = mask_of(gt, key), mask_of(pred, key)
        one = np.zeros_like(other) if one is None else one
        other = np.zeros_like(one) if other is None else other
        if protocol.boundary == "adaptive":
            row = reference.count_frame_adaptive(one, other, [1])[0]
        else:
            row = reference.count_frame(one, other, [1], tolerance_radius(one.shape))[0]
        rows[key] = row.tolist()
    return rows


def ids_of(masks):
    if isinstance(masks, dict):
        return {key for key, mask in masks.items() if mask.any()}
    return set(np.unique(masks).tolist()) - {0}


def mask_of(masks, key):
    if isinstance(masks, dict):
        return masks[key].astype(np.uint8) if key in masks else None
    return (masks == key).astype(np.uint8)


def pair_of(gt, pred):
    if pred is None:
        return SequencePair(ArraySequence("v", {"0": gt}), None, ("0",), {})
    sides = ArraySequence("v", {"0": gt}), ArraySequence("v", {"0": pred})
    return SequencePair(*sides, ("0",), {"0": "0"})


@pytest.mark.seconds
@settings(max_examples=400, deadline=None)
def no_label_map(masks):
    """Whether masks are per object and cannot be laid into one map."""
    if not isinstance(masks, dict) or not masks:
        return False
    return 0 in masks or bool((sum(m.astype(int) for m in masks.values()) > 1).any())


@given(
    gt=st.one_of(label_maps(SHAPE), overlapping(SHAPE)),
    pred=st.one_of(
        st.none(),
        label_maps(SHAPE),
        overlapping(SHAPE),
        label_maps(OTHER_SHAPE),
        overlapping(OTHER_SHAPE),
    ),
    protocol=st.sampled_from(RULES),
    options=st.sampled_from(OPTIONS),
)
def test_counts_are_those_of_the_prepared_masks(gt, pred, protocol, options):
    counter = FrameCounter(protocol, options)
    try:
        compared = prepare(gt, pred, protocol, options)
    except InputError as refused:
        with pytest.raises(InputError) as error:
            counter.count(pair_of(gt, pred), "0")
        assert error.value.found == refused.found
        return
    if protocol.matching == "proposals" and any(map(no_label_map, compared)):
        with pytest.raises(InputError, match=r"overlap|object 0"):
            counter.count(pair_of(gt, pred), "0")
        return
    (ids, counts), grid = counter.count(pair_of(gt, pred), "0")
    fast = dict(zip(ids.tolist(), counts.tolist(), strict=True))
    # The label that is background is dropped when objects are chosen, not here.
    dropped = protocol.void_label if protocol.void == "background" else None
    expected = counted(*compared, protocol)
    for key in {*fast, *expected} - {dropped}:
        n = 9 if protocol.boundary == "adaptive" else 7
        assert fast.get(key, [0] * n) == expected.get(key, [0] * n), key
    if grid is not None:
        radius = tolerance_radius(SHAPE)
        for row, one in enumerate(grid.gt_ids.tolist()):
            for column, other in enumerate(grid.pred_ids.tolist()):
                masks = mask_of(compared[0], one), mask_of(compared[1], other)
                inner = reference.count_frame(*masks, [1], radius)[0]
                assert grid.counts[row, column].tolist() == inner.tolist()
    for shared in counter.overlaps:
        assert set(shared.gt_ids[shared.gt_area > 0].tolist()) == ids_of(compared[0])
        visible = set(shared.track_ids[shared.track_area > 0].tolist())
        # TrackEval matches tracks before it takes void out of them.
        assert visible == ids_of(compared[1]) or (
            protocol.void == "ignored" and visible > ids_of(compared[1])
        )


def test_the_test_above_covers_every_option_and_rule():
    assert len(OPTIONS) == 24
    assert {p.void for p in RULES} == {p.void for p in PROTOCOLS.values()}
    assert {p.matching for p in RULES} == {p.matching for p in PROTOCOLS.values()}


@pytest.mark.parametrize("form", ["label map", "objects"])
def test_void_is_left_out_of_predictions_of_every_form(form):
    truth = np.zeros((10, 10), np.uint8)
    truth[0:2, :] = 1  # 20 pixels, of which 15 are predicted
    truth[2:6, :] = 255
    predicted = np.zeros_like(truth)
    predicted[0, :], predicted[1, :5], predicted[2:5, :] = 1, 1, 1
    if form == "objects":
        predicted = {1: predicted == 1}
    frames = [f"{t:05d}" for t in range(4)]
    gt, pred = (
        {"v": dict.fromkeys(frames, truth)},
        {"v": dict.fromkeys(frames, predicted)},
    )
    without, rules = score(pred, gt, "davis-2017"), {"void": 255}
    assert without.objects.set_index("object")["J_mean"][1] == 15 / 50
    left_out = score(pred, gt, "davis-2017", **rules)
    assert left_out.objects.set_index("object")["J_mean"].to_dict() == {1: 15 / 20}
    masks = ComparedMasks(pred, gt, left_out, InputOptions(**rules))
    one, other = masks.read("v", "00001")
    other = other[1] if isinstance(other, dict) else other == 1
    assert int(other.sum()) == 15 and not (one == 255).any()


@pytest.mark.parametrize("binarize", [False, True])
def test_the_kind_of_a_failure_does_not_hang_on_binarize(binarize):
    """Object 1 leaks into the background; void lies elsewhere."""
    truth = np.zeros((40, 40), np.uint8)
    truth[4:14, 4:14] = 1
    truth[20:38, 4:38] = 255
    leaking = np.where(truth == 1, 1, 0).astype(np.uint8)
    good = leaking.copy()
    leaking[4:14, 14:34] = 1
    frames = {f"{t:05d}": leaking if t > 2 else good for t in range(10)}
    gt, pred = {"v": dict.fromkeys(frames, truth)}, {"v": frames}
    options = InputOptions(binarize=binarize, void=255)
    found = find_failures(pred, gt, options=options)
    assert found.events["kind"].tolist() == ["leak"]
    assert found.events["worst_J"].tolist() == [100 / 300]


def test_inputs_are_left_as_they_were():
    truth = np.array([[1, 255, 0, 2]], np.uint8)
    predicted = np.array([[2, 2, 2, 2]], np.uint8)
    before = truth.copy(), predicted.copy()
    prepare(truth, predicted, PROTOCOLS["davis-2017"], InputOptions(void=255))
    assert np.array_equal(truth, before[0]) and np.array_equal(predicted, before[1])


def test_a_few_pixels_of_one_side_alone_are_another_aspect():
    """854 columns cut to 848; 427 x 240 is half of 854 x 480, 641 x 361 by rounding."""
    assert has_other_aspect((480, 848), (480, 854))
    assert not has_other_aspect((240, 427), (480, 854))
    assert not has_other_aspect((361, 641), (480, 854))

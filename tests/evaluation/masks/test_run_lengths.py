import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evaluation import score
from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from evaluation.masks.run_lengths import decode_rle, encode_rle

DISC = np.hypot(*(np.mgrid[:60, :80] - [[[30]], [[35]]])) < 20


def runs_of(mask):
    """Run lengths down the columns, background first, counted pixel by pixel."""
    runs, value = [0], False
    for pixel in mask.T.ravel():
        if pixel != value:
            runs.append(0)
            value = not value
        runs[-1] += 1
    return runs


# pycocotools' own call of numpy is a little old-fashioned.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@settings(max_examples=50, deadline=None)
@given(arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_rle_round_trip(mask):
    assert np.array_equal(decode_rle(encode_rle(mask)), mask)
    plain = {"size": list(mask.shape), "counts": runs_of(mask)}
    assert np.array_equal(decode_rle(plain), mask)


def test_long_runs_and_many_runs_are_decoded():
    big = np.zeros((3000, 2000), bool)
    big[17:2900, 3:1990:2] = True
    assert np.array_equal(decode_rle(encode_rle(big)), big)


@pytest.mark.parametrize(
    "rle",
    [
        {},
        {"size": [2, 2]},
        {"size": 3},
        {"size": [2, 2], "counts": [3]},
        {"size": [2, 2], "counts": [3, 2]},
        {"size": [2, 2], "counts": [5, -1]},
        {"size": [2, 2], "counts": []},
        {"size": [2, 2], "counts": [2**70]},
        {"size": [2, 2], "counts": [True, 3]},
        {"size": [2, 2], "counts": ""},
        {"size": [2, 2], "counts": None},
        {"size": [2, 2], "counts": "\u00e9"},
        {"size": [2, 2], "counts": "~~"},
        {"size": [2, 2], "counts": "T"},
        {"size": [2, 2], "counts": "PPPPPPPPPPPP4"},
        {"size": [0, 2], "counts": []},
        {"size": [-2, -2], "counts": [4]},
        {"size": [2.0, 2], "counts": [4]},
        {"size": ["2", 2], "counts": [4]},
        {"size": [2, 2, 1], "counts": [4]},
        {"size": [10**6, 10**6], "counts": "4"},
        {"size": [2**31, 2], "counts": "4"},
        {"size": [2**32 + 2, 2], "counts": "4"},
    ],
)
def test_broken_rle_is_refused(rle):
    with pytest.raises(InputError, match="frame 3"):
        decode_rle(rle, "frame 3")


def test_cut_counts_are_refused_wherever_they_are_cut():
    whole = encode_rle(DISC)
    for end in range(len(whole["counts"])):
        with pytest.raises(InputError):
            decode_rle(whole | {"counts": whole["counts"][:end]})


def results_file(path, rle):
    frames = {f"{t:05d}": {"1": encode_rle(DISC)} for t in range(5)}
    frames["00002"]["1"] = rle
    path.write_text(json.dumps({"v": frames}))
    return path


@pytest.fixture
def truth(tmp_path):
    for t in range(5):
        write_label_map(tmp_path / "gt" / "v" / f"{t:05d}.png", DISC)
    return tmp_path / "gt"


def test_a_cut_prediction_does_not_score_as_the_truth(tmp_path, truth):
    cut = encode_rle(DISC)
    cut["counts"] = cut["counts"][:4]
    with pytest.raises(InputError, match="sequence v, frame 00002, object 1"):
        score(results_file(tmp_path / "p.json", cut), truth)


@pytest.mark.parametrize("size", [[20_000, 6_000], [10**6, 10**6]])
@pytest.mark.parametrize("resize", [None, "nearest"])
def test_sizes_far_from_the_truth_take_no_memory(tmp_path, truth, size, resize):
    pixels = size[0] * size[1]
    path = results_file(tmp_path / "p.json", {"size": size, "counts": [pixels]})
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="frame 00002"):
            score(path, truth, resize=resize, workers=1)
        assert tracemalloc.get_traced_memory()[1] < pixels // 2
    finally:
        tracemalloc.stop()


def test_one_frame_of_the_truth_has_one_size(tmp_path):
    frames = {
        f"{t:05d}": {"1": encode_rle(DISC), "2": encode_rle(DISC)} for t in range(4)
    }
    frames["00001"]["2"] = encode_rle(DISC[:30])
    path = tmp_path / "gt.json"
    path.write_text(json.dumps({"v": frames}))
    with pytest.raises(InputError, match="in one frame"):
        score(path, path, "vos-benchmark")

"""Protocols say what they do, and do what they say."""

import numpy as np
import pytest

from evaluation import PROTOCOLS, InputError, get_protocol, score
from evaluation.protocols import ScoringProtocol

NAMES = (
    "davis-2016", "davis-2017", "davis-2017-unsupervised", "youtube-vos", "mose-v1",
    "mose-v2", "lvos", "sa-v", "vos-benchmark", "trackeval-davis",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_has_a_protocol_that_prints_itself(name):
    text = str(get_protocol(name))
    for rule in ("frames", "objects", "void", "region", "boundary", "average"):
        assert f"  {rule}" in text
    assert name in text


def test_protocols_are_frozen_and_checked():
    with pytest.raises(AttributeError):
        get_protocol("davis-2017").frames = "all"  # type: ignore[misc]
    with pytest.raises(ValueError, match="frames='some'"):
        ScoringProtocol("mine", "Mine", "me", frames="some")


def test_a_name_slightly_wrong_is_answered_with_the_right_one():
    assert get_protocol("DAVIS_2017") is PROTOCOLS["davis-2017"]
    with pytest.raises(InputError, match="Did you mean mose-v2"):
        get_protocol("mosev2")


def test_compatible_modes_say_what_they_reproduce():
    for name, protocol in PROTOCOLS.items():
        if name.endswith("-official"):
            assert "bugs" in protocol.title and "8-bit" in protocol.remark


@pytest.mark.parametrize(
    ("protocol", "frames"),
    [
        ("davis-2017", range(1, 11)),
        ("davis-2017-unsupervised", range(12)),
        ("youtube-vos", range(1, 12)),
        ("youtube-vos-skip-last", range(1, 11)),
        ("vos-benchmark-all-frames", range(12)),
        ("trackeval-davis", range(12)),
    ],
)
def test_frames_that_are_scored(small, protocol, frames):
    table = score(small.pred, small.gt, protocol).frames
    assert table["frame"].unique().tolist() == [f"{t:05d}" for t in frames]


def test_my_own_protocol_is_an_entry(small):
    mine = ScoringProtocol("mine", "Mine", "me", frames="all", objects="all")
    scores = score(small.pred, small.gt, mine)
    assert scores.protocol is mine and len(scores.frames) == 24


def test_late_objects(small):
    """Object 2 shows in frame 6: each protocol starts to count it elsewhere."""
    for folder in (small.gt, small.pred):
        small.change(folder, lambda m, t: m * ((m != 2) | (t >= 6)))
    started = {}
    for name in ("youtube-vos", "mose-v2", "lvos", "vos-benchmark", "trackeval-davis"):
        frames = score(small.pred, small.gt, name).frames
        started[name] = frames.query("object == 2")["frame"].iloc[0]
    assert started == {
        "youtube-vos": "00007",
        "mose-v2": "00001",
        "lvos": "00001",
        "vos-benchmark": "00006",
        "trackeval-davis": "00000",
    }


def test_early_prediction_starts_the_count_of_vos_benchmark(small):
    small.change(small.gt, lambda m, t: m * ((m != 2) | (t >= 6)))
    small.change(small.pred, lambda m, t: m * ((m != 2) | (t >= 4)))
    frames = score(small.pred, small.gt, "vos-benchmark").frames.query("object == 2")
    assert frames["frame"].iloc[0] == "00004"
    assert frames["J"].tolist()[:2] == [0, 0]


def test_disappearance_is_scored_under_every_protocol(small):
    small.change(small.gt, lambda m, t: m * ((m != 2) | (t < 4) | (t > 7)))
    small.change(small.pred, lambda m, t: m * ((m != 2) | (t < 5) | (t > 7)))
    for name in ("davis-2017", "mose-v1", "sa-v"):
        table = score(small.pred, small.gt, name).objects.set_index("object")
        assert table.loc[2, "J_disappearance"] == 0.75
        assert 0 < table.loc[2, "J_reappearance"] < 1
        assert np.isnan(table.loc[1, "J_disappearance"])


def test_objects_without_a_track_are_compared_with_empty_masks(small):
    small.change(small.pred, lambda m, t: (m == 1).astype(np.uint8))
    small.change(small.gt, lambda m, t: m * ((m != 2) | (t < 6)))
    track = score(small.pred, small.gt, "trackeval-davis").objects.set_index("object")
    davis = score(small.pred, small.gt, "davis-2017-unsupervised").objects
    assert track.loc[2, ["J_mean", "proposal"]].tolist() == [0.5, 0]
    assert davis.set_index("object").loc[2, "J_mean"] == 0.5


def test_phantom_objects_of_davis_unsupervised_take_phantom_proposals(small):
    for folder in (small.gt, small.pred):
        small.change(folder, lambda m, t: np.where(m == 2, 4, m))
    fixed = score(small.pred, small.gt, "davis-2017-unsupervised").objects
    official = score(small.pred, small.gt, "davis-2017-unsupervised-official").objects
    assert fixed["object"].tolist() == [1, 4]
    assert official["object"].tolist() == [1, 2, 3, 4]
    assert official["J_mean"].tolist()[1:3] == [1, 1]
    crowded = {k: np.full((60, 80), k, np.uint8) for k in (1, 2, 3, 4)}
    small.change(small.pred, lambda m, t: crowded[1 + t % 4])
    official = score(small.pred, small.gt, "davis-2017-unsupervised-official").objects
    assert (official["J_mean"] < 1).all()

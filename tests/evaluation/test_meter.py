"""A meter fed frame by frame gives what `score` gives, bit for bit."""

import pickle
import warnings

import numpy as np
import pytest
from drawn_masks import drawn_pair
from remarks import remarks

from evaluation import (
    InputError,
    Meter,
    db_eval_boundary,
    db_eval_iou,
    score,
)
from evaluation.counting.boundaries import disk
from evaluation.counting.reference import count_masks
from evaluation.masks.run_lengths import encode_rle
from evaluation.metrics.boundary import boundary_f
from evaluation.protocols import PROTOCOLS


@pytest.fixture(scope="module")
def masks():
    """Two videos: sequence -> [T, H, W] truth and prediction."""
    return {"one": drawn_pair(0, 3), "two": drawn_pair(1, 2)}


def arrays(masks, side: int):
    return {
        name: {f"{t:05d}": label_map for t, label_map in enumerate(pair[side])}
        for name, pair in masks.items()
    }


def fed(masks, protocol, order=None, convert=lambda label_map: label_map, **options):
    meter = Meter(protocol, **options)
    for name, (truth, found) in masks.items():
        for t in order or range(len(truth)):
            meter.update(convert(found[t]), convert(truth[t]), sequence=name, frame=t)
    return meter


def assert_same(one, other):
    assert one.summary == pytest.approx(other.summary, rel=0, abs=0, nan_ok=True)
    assert one.fingerprint == other.fingerprint
    assert remarks(one) == remarks(other)
    for name in ("frames", "objects", "sequences"):
        ours, theirs = getattr(one, name), getattr(other, name)
        assert ours.equals(theirs), name


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_equals_score_under_every_protocol(masks, protocol):
    unseen = ["two"]
    expected = score(arrays(masks, 1), arrays(masks, 0), protocol, unseen=unseen)
    assert_same(fed(masks, protocol, unseen=unseen).compute(), expected)


def test_masks_of_0_and_255_are_read_as_score_reads_them():
    truth, found = ((side == 1).astype(np.uint8) for side in drawn_pair(6, 2))
    truth *= 255
    for side in (found, np.where(found > 0, 255, 0).astype(np.uint8)):
        pair = {"one": (truth, side)}
        expected = score(arrays(pair, 1), arrays(pair, 0), "davis-2017")
        assert_same(fed(pair, "davis-2017").compute(), expected)


def test_frames_may_come_in_any_order_and_more_may_follow(masks):
    meter = fed(masks, "davis-2017", order=[3, 0, 7, 5])
    meter.compute()
    for name, (truth, found) in masks.items():
        for t in (1, 2, 4, 6, *range(8, len(truth))):
            meter.update(found[t], truth[t], sequence=name, frame=t)
    assert_same(meter.compute(), score(arrays(masks, 1), arrays(masks, 0)))


def test_tensors_run_lengths_and_masks_per_object_are_read(masks):
    torch = pytest.importorskip("torch")
    expected = fed(masks, "davis-2017").compute()
    tensors = fed(masks, "davis-2017", convert=lambda m: torch.from_numpy(m.copy()))
    assert_same(tensors.compute(), expected)

    def as_objects(label_map):
        return {k: label_map == k for k in np.unique(label_map).tolist() if k}

    def as_rle(label_map):
        masks = as_objects(label_map)
        return {k: encode_rle(mask) for k, mask in masks.items()}

    by_object = fed(masks, "sa-v", convert=as_objects).compute()
    truth = {
        n: {f: as_objects(m) for f, m in v.items()} for n, v in arrays(masks, 0).items()
    }
    found = {
        n: {f: as_objects(m) for f, m in v.items()} for n, v in arrays(masks, 1).items()
    }
    assert_same(by_object, score(found, truth, "sa-v"))
    assert_same(fed(masks, "sa-v", convert=as_rle).compute(), by_object)


def test_stacked_masks_are_the_objects_1_to_k():
    truth, found = drawn_pair(4, 3)
    meter, stacked = Meter("sa-v"), Meter("sa-v")
    for one, other in zip(truth, found, strict=True):
        sides = [{k: side == k for k in (1, 2, 3)} for side in (other, one)]
        meter.update(*sides)
        stacked.update(*(np.stack(list(side.values())) for side in sides))
    assert_same(stacked.compute(), meter.compute())


def test_meters_of_several_processes_add_up(masks):
    whole = fed(masks, "trackeval-davis")
    parts = [Meter("trackeval-davis") for _ in range(3)]
    step = 0
    for name, (truth, found) in masks.items():
        for t, (one, other) in enumerate(zip(truth, found, strict=True)):
            parts[step % 3].update(other, one, sequence=name, frame=t)
            step += 1
    sent = [pickle.loads(pickle.dumps(part)) for part in parts]
    assert_same(Meter.merged(sent).compute(), whole.compute())
    assert [part.n_frames for part in parts] == [part.n_frames for part in sent]


def test_no_masks_are_kept():
    truth, found = drawn_pair(2, 2, height=400, width=600)
    meter = Meter("davis-2017")
    for one, other in zip(truth, found, strict=True):
        meter.update(other, one)
    assert len(pickle.dumps(meter)) < truth.nbytes / 100


def test_reset_forgets(masks):
    meter = fed(masks, "davis-2017")
    meter.reset()
    with pytest.raises(InputError, match="no frames"):
        meter.compute()
    truth, found = masks["one"]
    for one, other in zip(truth, found, strict=True):
        meter.update(other, one)
    assert set(meter.compute().sequences["sequence"]) == {"video"}


def test_bad_input_is_told():
    meter = Meter("davis-2017")
    mask = np.ones((4, 5), np.uint8)
    meter.update(mask, mask, frame=0)
    with pytest.raises(InputError, match="given before"):
        meter.update(mask, mask, frame=0)
    with pytest.raises(InputError, match="5x4"):
        meter.update(np.ones((5, 5), np.uint8), mask, frame=1)
    with pytest.raises(InputError, match="score-as-empty"):
        meter.update(None, mask, frame=1)
    with pytest.raises(InputError, match="one protocol"):
        meter.merge(Meter("sa-v"))
    assert meter.n_frames == 1
    lenient = Meter("vos-benchmark-all-frames", missing="score-as-empty")
    lenient.update(None, mask)
    assert lenient.compute().summary["J"] == 0


def test_drop_in_functions_have_the_values_of_the_definitions():
    truth, found = drawn_pair(5, 3)
    void = np.zeros(truth.shape, bool)
    void[:, 10:14] = True
    J = db_eval_iou(truth, found)
    expected = [
        (a & b).sum() / (a | b).sum() for a, b in zip(truth > 0, found > 0, strict=True)
    ]
    assert J.tolist() == expected
    assert db_eval_iou(truth[0], found[0]) == expected[0]
    assert db_eval_iou(truth * 0, found * 0).tolist() == [1.0] * len(truth)
    for marked in (None, void):
        F = db_eval_boundary(truth, found, marked)
        for t in range(len(truth)):
            known = True if marked is None else ~marked[t]
            pair = (truth[t] > 0) & known, (found[t] > 0) & known
            radius = int(np.ceil(0.008 * np.linalg.norm(truth[t].shape)))
            counts = np.array(count_masks(*pair, disk(radius)))
            assert F[t] == boundary_f(counts)
    assert db_eval_boundary(truth[0], truth[0]) == 1.0
    assert db_eval_boundary(truth[0], found[0], bound_th=2) <= F.max() + 1
    with pytest.raises(AssertionError):
        db_eval_iou(truth[0], found[0][:-1])
    with pytest.raises(ValueError, match="4 dimensions"):
        db_eval_boundary(truth[None], found[None])


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32])
def test_drop_in_functions_take_whatever_is_not_0_as_the_object(kind):
    truth, found = (side > 0 for side in drawn_pair(5, 3))
    void = np.zeros(truth.shape, bool)
    void[:, 10:14] = True
    values = truth.astype(kind) * 2, found.astype(kind), void.astype(kind) * 200
    assert (db_eval_iou(*values[:2]) == db_eval_iou(truth, found)).all()
    known = [
        (a & b & ~v).sum() / ((a | b) & ~v).sum()
        for a, b, v in zip(truth, found, void, strict=True)
    ]
    assert db_eval_iou(*values).tolist() == known
    assert db_eval_iou(truth, found, void).tolist() == known
    assert (db_eval_boundary(*values) == db_eval_boundary(truth, found, void)).all()
    mixed = truth, values[1], values[2]
    assert db_eval_iou(*mixed).tolist() == known
    assert db_eval_iou(*(side[:0] for side in values)).tolist() == []
    with pytest.raises(AssertionError, match="void pixels"):
        db_eval_iou(truth, found, void[:, 1:])


def test_stacks_that_may_be_frames_are_refused():
    """A video [T, H, W] of one object is no frame of T objects."""
    truth = np.zeros((6, 20, 24), bool)
    truth[:, 4:12, 4:14] = True
    late = np.roll(truth, 2, axis=2)

    def scored(lengths, protocol="mevis", **more):
        meter = Meter(protocol)
        for i, n in enumerate(lengths):
            meter.update(late[:n], truth[:n], sequence=more.get("name", str(i)))
        return meter.compute()

    for lengths, more in (((6,), {}), ((6, 3), {}), ((6, 3, 6), {"name": "v"})):
        with pytest.raises(InputError, match="objects of one frame, or frames of one"):
            scored(lengths, **more)
    video = Meter("mevis")
    for t in range(6):
        video.update(late[t], truth[t], sequence="v")
    assert video.compute().summary["J"] == pytest.approx(8 / 12)
    named = Meter("mevis")  # the remedies, done literally
    named.update(late[:2], truth[:2], sequence="v", frame=0)
    assert len(named.compute().objects) == 2
    clips = scored((2, 2, 2), name="v")
    assert len(clips.objects) == 2
    (told,) = [note for note in clips.notes if "clips of K frames" in note]
    assert told.startswith("v: in 3 of 3 frames")
    assert not any("clips" in note for note in named.compute().notes)


def test_logits_are_no_masks_for_the_functions_of_davis():
    """All of them are not 0, and would count as the object, as in the official tool."""
    truth = np.zeros((4, 6), bool)
    truth[1:3, 1:4] = True
    logits = np.where(truth, 2.5, -2.5)
    odd = ((logits, "below 0.*> 0"), (1 / (1 + np.exp(-logits)), "0 and 1.*> 0.5"))
    for function in (db_eval_iou, db_eval_boundary):
        for masks, told in odd:
            with pytest.warns(UserWarning, match=f"segmentation has values.*{told}"):
                function(truth, masks)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            function(truth, truth.astype(np.float32))
            function(truth[None], 0 * truth[None].astype(np.uint8))
        with pytest.warns(UserWarning, match="0 in all 2 masks: were probabilities"):
            function(np.stack([truth] * 2), np.zeros((2, 4, 6), np.uint8))
        soft = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10
        with pytest.warns(UserWarning, match="segmentation has many values.*> 127"):
            function(truth, soft)
    assert db_eval_iou(truth, logits > 0) == 1.0


def test_clips_that_overlap_are_told():
    """Frames 0 to 7, then 4 to 11: four of them count twice."""
    truth = np.zeros((12, 20, 40), np.uint8)
    for t in range(12):
        truth[t, 4:12, 4 + 2 * t : 14 + 2 * t] = 1

    def noted(*frames, words="overlap"):
        meter = Meter("vos-benchmark-all-frames")
        for t in frames:
            meter.update(np.roll(truth[t], 1, axis=0), truth[t], sequence="v")
        return [n for n in meter.compute().notes if words in n]

    (note,) = noted(*range(8), *range(4, 12))
    assert note.startswith("v: 4 true masks came before")
    assert noted(*range(12)) == noted(3, 3, 3, 4, 4, 4, 3, 3, 3) == []
    border, padded = (0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 8, 9, 10), (*range(12), 11, 11)
    for frames, n in (
        (border, "2 frames"),
        (padded, "2 frames"),
        ((*border[:7], 9), "1 frame"),
    ):
        (note,) = noted(*frames, words="share their border")
        assert note.startswith(
            f"v: the true masks of {n} equal those of the frame before"
        )
    stands = (*range(6), 6, 6, 7, 7, 8, 9, 9, 9)
    assert noted(*stands, words="border") == noted(*range(12), words="border") == []

"""The same masks give the same scores in whatever form they come."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from evaluation.errors import InputError
from evaluation.masks.label_map import read_label_map, write_label_map
from evaluation.masks.run_lengths import encode_rle
from evaluation.scoring import score


def arrays(folder, sequence="walk"):
    return {
        path.stem: read_label_map(path)
        for path in sorted((folder / sequence).glob("*.png"))
    }


def object_masks(folder):
    return {
        frame: {k: label_map == k for k in (1, 2)}
        for frame, label_map in arrays(folder).items()
    }


def same(scores, reference) -> None:
    for column in ("sequence", "object", "frame", "J", "F", "gt_area", "pred_area"):
        ours, theirs = scores.frame_columns[column], reference.frame_columns[column]
        assert list(ours) == list(theirs), column
    assert scores.summary == pytest.approx(reference.summary, nan_ok=True, abs=0)


PROTOCOLS = ("davis-2016", "davis-2017", "vos-benchmark", "mose-v2", "youtube-vos")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays(small, protocol):
    reference = score(small.pred, small.gt, protocol)
    gt, pred = {"walk": arrays(small.gt)}, {"walk": arrays(small.pred)}
    same(score(pred, gt, protocol), reference)
    same(score(pred, small.gt, protocol), reference)
    stack = {"walk": np.stack(list(pred["walk"].values())).astype(np.int64)}
    same(score(stack, small.gt, protocol), reference)


def test_stack_of_another_length_is_refused(small):
    stack = {"walk": np.zeros((5, 60, 80), np.uint8)}
    with pytest.raises(InputError, match="5 frames"):
        score(stack, small.gt)


@pytest.mark.parametrize(
    "bad", [np.zeros((60, 80, 3), np.uint8), np.zeros((60, 80)), np.full((60, 80), -1)]
)
def test_arrays_that_are_no_label_maps_are_refused(small, bad):
    pred = arrays(small.pred) | {"00005": bad}
    with pytest.raises(InputError, match="frame 00005"):
        score({"walk": pred}, small.gt)


@pytest.mark.parametrize("side", ["gt", "pred"])
def test_probabilities_per_object_are_refused(small, side):
    both = {"gt": object_masks(small.gt), "pred": object_masks(small.pred)}
    both[side]["00005"][2] = np.where(both[side]["00005"][2], 0.9, 0.05)
    with pytest.raises(InputError, match="frame 00005, object 2"):
        score({"walk": both["pred"]}, {"walk": both["gt"]}, workers=1)


@pytest.mark.parametrize("protocol", ["davis-2017", "sa-v", "mose-v2"])
def test_per_object_masks(small, protocol):
    reference = score(small.pred, small.gt, protocol)
    gt, pred = {"walk": object_masks(small.gt)}, {"walk": object_masks(small.pred)}
    same(score(pred, gt, protocol), reference)
    same(score(pred, small.gt, protocol), reference)
    same(score(small.pred, gt, protocol), reference)


def write_object_folders(folder, masks) -> None:
    for frame, objects in masks.items():
        for object_id, mask in objects.items():
            path = folder / "walk" / f"{object_id:03d}" / f"{frame}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(mask).save(path)


@pytest.fixture
def folders(small, tmp_path):
    for side in ("gt", "pred"):
        masks = object_masks(getattr(small, side))
        write_object_folders(tmp_path / "objects" / side, masks)
    return tmp_path / "objects"


def test_object_folders(small, folders):
    reference = score(small.pred, small.gt, "sa-v")
    same(score(folders / "pred", folders / "gt", "sa-v"), reference)
    same(score(small.pred, folders / "gt", "sa-v"), reference)


def test_objects_may_overlap(small, folders):
    for path in (folders / "pred" / "walk" / "002").iterdir():
        Image.fromarray(np.ones((60, 80), bool)).save(path)
    objects = score(folders / "pred", folders / "gt", "sa-v").objects
    alone = score(small.pred, small.gt, "sa-v").objects
    assert objects["J_mean"][0] == alone["J_mean"][0]
    assert objects["J_mean"][1] == 150 / 4800


def test_each_object_has_its_own_frames(folders):
    for side in ("gt", "pred"):
        for frame in (0, 1, 2, 11):
            (folders / side / "walk" / "002" / f"{frame:05d}.png").unlink()
    frames = score(folders / "pred", folders / "gt", "sa-v").frames
    own = frames.groupby("object")["frame"].apply(list)
    assert own[1] == [f"{t:05d}" for t in range(1, 11)]
    assert own[2] == [f"{t:05d}" for t in range(4, 10)]


def test_missing_object_file_and_folder_are_listed(folders):
    (folders / "pred" / "walk" / "001" / "00004.png").unlink()
    shutil.rmtree(folders / "pred" / "walk" / "002")
    with pytest.raises(InputError) as caught:
        score(folders / "pred", folders / "gt", "sa-v")
    assert "walk, object 1: 00004 (1 frame)" in caught.value.found
    assert "walk, object 2: 00001-00010 (10 frames)" in caught.value.found


def rle_frames(folder):
    return {
        frame: {str(k): encode_rle(mask) for k, mask in masks.items()}
        for frame, masks in object_masks(folder).items()
    }


def burst(folder):
    frames = rle_frames(folder)
    segmentations = [
        {k: {"rle": rle["counts"]} for k, rle in masks.items()}
        for masks in frames.values()
    ]
    sequence = {
        "seq_name": "walk",
        "height": 60,
        "width": 80,
        "annotated_image_paths": [f"{frame}.jpg" for frame in frames],
        "segmentations": segmentations,
    }
    return {"sequences": [sequence], "split": "val"}


def youtube_vis(folder):
    frames = rle_frames(folder)
    annotations = [
        {"id": k, "video_id": 7, "segmentations": [m[str(k)] for m in frames.values()]}
        for k in (1, 2)
    ]
    files = [f"walk/{frame}.jpg" for frame in frames]
    return {"videos": [{"id": 7, "file_names": files}], "annotations": annotations}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "form", [burst, youtube_vis, lambda folder: {"walk": rle_frames(folder)}]
)
def test_json_files(small, tmp_path, form):
    reference = score(small.pred, small.gt, "davis-2017")
    for side in ("gt", "pred"):
        text = json.dumps(form(getattr(small, side)))
        (tmp_path / f"{side}.json").write_text(text)
    same(score(tmp_path / "pred.json", tmp_path / "gt.json"), reference)
    same(score(tmp_path / "pred.json", small.gt), reference)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_sa_v_json_has_every_fourth_frame(small, tmp_path):
    reference = score(small.pred, small.gt, "sa-v")
    masklet = [list(masks.values()) for masks in rle_frames(small.gt).values()]
    document = {"video_id": "walk", "masklet_id": [1, 2], "masklet": masklet}
    (tmp_path / "gt.json").write_text(json.dumps(document))
    for path in sorted((small.pred / "walk").iterdir(), reverse=True):
        path.rename(path.with_name(f"{4 * int(path.stem):05d}.png"))
    scores = score(small.pred, tmp_path / "gt.json", "sa-v")
    assert scores.frames["J"].equals(reference.frames["J"])
    assert scores.frame_columns["frame"][0] == "00004"


@pytest.mark.parametrize(
    "text", ["{", "[]", "3", '{"walk": {"00000": {"1": {"size": [1, 1]}}}}']
)
def test_broken_json_is_named(small, tmp_path, text):
    (tmp_path / "pred.json").write_text(text)
    with pytest.raises(InputError, match=r"pred\.json"):
        score(tmp_path / "pred.json", small.gt)


def benchmark(small, **known):
    annotations = {p.stem: p for p in sorted((small.gt / "walk").iterdir())}
    objects = [SimpleNamespace(object_id=k, **known) for k in (1, 2)]
    video = SimpleNamespace(
        name="walk", annotations=annotations, object_masks=None, known_objects=objects
    )
    return SimpleNamespace(name="mine", sequences=[video])


def test_a_benchmark_is_a_ground_truth(small):
    same(score(small.pred, benchmark(small)), score(small.pred, small.gt))


def test_lvos_scores_every_fifth_frame_of_the_range_but_its_ends(small):
    ranged = benchmark(small, frame_range=(1, 12), seen=None)
    scores = score(small.pred, ranged, "lvos")
    assert scores.frames["frame"].unique().tolist() == ["00006"]


def test_seen_and_unseen_are_averaged_apart(small):
    scores = score(small.pred, small.gt, "youtube-vos", unseen=["walk/2"])
    one, two = scores.objects["J_mean"]
    assert scores.summary["J_seen"] == one
    assert scores.summary["J_unseen"] == two
    parts = [scores.summary[k] for k in ("J_seen", "J_unseen", "F_seen", "F_unseen")]
    assert scores.summary["J&F"] == pytest.approx(np.mean(parts), abs=1e-15)
    marked = benchmark(small, seen=False)
    alone = score(small.pred, marked, "youtube-vos")
    assert "J_seen" not in alone.summary
    assert any("all objects are marked as unseen" in note for note in alone.notes)


def test_proposals_may_be_given_mask_by_mask_and_must_not_overlap(small):
    rules = "davis-2017-unsupervised"
    label_maps = score(small.pred, small.gt, rules).summary
    masks, truth = object_masks(small.pred), object_masks(small.gt)
    assert score({"walk": masks}, small.gt, rules).summary == label_maps
    assert score({"walk": masks}, {"walk": truth}, rules).summary == label_maps
    masks["00004"][3] = masks["00004"][2]
    with pytest.raises(InputError, match="frame 00004: found masks of objects 2 and 3"):
        score({"walk": masks}, small.gt, rules)


def test_tracks_may_be_given_mask_by_mask(small):
    masks = score({"walk": object_masks(small.pred)}, small.gt, "trackeval-davis")
    assert masks.summary == score(small.pred, small.gt, "trackeval-davis").summary


def test_two_dimensional_results_per_sequence_are_refused(small):
    with pytest.raises(InputError, match="sequence walk"):
        score({"walk": np.zeros((60, 80), np.uint8)}, small.gt)


def test_object_zero_needs_masks_of_its_own(small):
    gt = {f: {0: m[1], 1: m[2]} for f, m in object_masks(small.gt).items()}
    pred = {f: {0: m[1], 1: m[2]} for f, m in object_masks(small.pred).items()}
    scores = score({"walk": pred}, {"walk": gt}, "sa-v")
    assert scores.objects["object"].tolist() == [0, 1]
    with pytest.raises(InputError, match="object 0"):
        score(small.pred, {"walk": gt}, "sa-v")


def test_more_proposals_than_davis_takes_are_refused(small):
    def crowd(label_map, frame):
        label_map[-1, :21] = np.arange(1, 22)
        return label_map

    small.change(small.pred, crowd)
    with pytest.raises(InputError, match="21 proposals"):
        score(small.pred, small.gt, "davis-2017-unsupervised")
    assert score(small.pred, small.gt, "trackeval-davis").summary["J"] > 0.5


def test_void_of_choice(small):
    for path in (small.gt / "walk").iterdir():
        label_map = read_label_map(path)
        label_map[:5] = 200
        write_label_map(path, label_map)
    objects = score(small.pred, small.gt, "vos-benchmark", void=200).objects
    assert objects["object"].tolist() == [1, 2]

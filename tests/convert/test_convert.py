"""Masks in every format, there and back again, and as other tools read them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from evaluation import InputError, score
from evaluation.masks.label_map import read_label_map, write_label_map
from s3fo.convert import FORMATS, convert
from s3fo.convert.reading import detect, read
from s3fo.convert.videos import as_video

TARGETS = [name for name in FORMATS if name != "fiftyone"]
SIZE = (40, 56)
FRAMES = [f"{t:05d}" for t in (0, 5, 10, 15, 20)]


def label_maps(seed: int) -> dict[str, np.ndarray]:
    """Objects 2 and 7; 2 is away for a while, the last frame is empty."""
    generator = np.random.default_rng(seed)
    maps = {}
    for t, frame in enumerate(FRAMES):
        label_map = np.zeros(SIZE, np.uint8)
        if t < 4:
            label_map[4:20, 5 + t : 15 + t] = 7
            label_map[24:30, 30:40] = 7 * (generator.random((6, 10)) < 0.5)
        if t not in (1, 4):
            label_map[10:26, 20 + t : 34 + t] = 2
        maps[frame] = label_map
    return maps


@pytest.fixture
def davis(tmp_path: Path) -> Path:
    root = tmp_path / "davis"
    for seed, name in enumerate(("bear", "car-turn")):
        for frame, label_map in label_maps(seed).items():
            write_label_map(root / name / f"{frame}.png", label_map)
    return root


@pytest.fixture
def overlapping(tmp_path: Path) -> Path:
    root = tmp_path / "objects"
    for t, frame in enumerate(FRAMES):
        for object_id in (1, 12):
            mask = np.zeros(SIZE, np.uint8)
            mask[4 + object_id : 30, 3 + t : 25 + t] = 1
            path = root / "zebra" / f"{object_id:03d}" / f"{frame}.png"
            write_label_map(path, mask if t != 2 or object_id != 12 else mask * 0)
    return root


def contents(path: Path, form: str | None = None) -> dict:
    """sequence -> frame -> object id -> mask as bytes, empty masks left out."""
    found = {}
    for name, masks in read(path, form or detect(path)).items():
        video = as_video(masks)
        found[name] = {
            frame: {k: np.packbits(m).tobytes() for k, m in video.read(frame).items()}
            for frame in video.frames
        }
    return found


@pytest.mark.parametrize("target", TARGETS)
def test_there_and_back_again_is_equal(davis, tmp_path, target):
    middle = tmp_path / f"middle{'.json' if FORMATS[target].is_file else ''}"
    done = convert(davis, middle, target)
    assert (done.source_format, done.sequences, done.frames, done.objects) == (
        "davis", 2, 10, 4,
    )  # fmt: skip
    assert detect(middle) == target
    assert contents(middle) == contents(davis)
    convert(middle, tmp_path / "back", "davis")
    for path in sorted(davis.rglob("*.png")):
        again = tmp_path / "back" / path.relative_to(davis)
        assert np.array_equal(read_label_map(path), read_label_map(again))
    assert len(list((tmp_path / "back").rglob("*"))) == len(list(davis.rglob("*")))


@pytest.mark.parametrize("target", [n for n in TARGETS if FORMATS[n].overlaps])
@pytest.mark.parametrize("via", [n for n in TARGETS if FORMATS[n].overlaps])
def test_masks_that_overlap_survive(overlapping, tmp_path, target, via):
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    convert(overlapping, one, target)
    convert(one, two, via, source_format=target)
    assert contents(two, via) == contents(overlapping)


@pytest.mark.parametrize("target", [n for n in TARGETS if not FORMATS[n].overlaps])
def test_overlaps_are_refused_where_a_pixel_has_one_object(
    overlapping, tmp_path, target
):
    out = tmp_path / "out"
    with pytest.raises(InputError, match="objects 1 and 12 overlap"):
        convert(overlapping, out, target)
    assert not out.exists()
    convert(overlapping, out, target, on_overlap="smaller-on-top")
    first = contents(out)["zebra"][FRAMES[0]]
    assert first[12] == contents(overlapping)["zebra"][FRAMES[0]][12]
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("target", [name for name in TARGETS if name != "mots-png"])
def test_what_is_written_can_be_scored(davis, tmp_path, target):
    out = tmp_path / f"out{'.json' if FORMATS[target].is_file else ''}"
    convert(davis, out, target)
    for results, truth in ((out, davis), (davis, out)):
        scores = score(results, truth, "vos-benchmark")
        assert scores.summary["J&F"] == 1.0
        assert scores.objects["object"].tolist() == [2, 7, 2, 7]


def test_pycocotools_reads_coco_and_its_masks(davis, tmp_path):
    coco_module = pytest.importorskip("pycocotools.coco")
    convert(davis, tmp_path / "coco.json", "coco")
    coco = coco_module.COCO(tmp_path / "coco.json")
    assert len(coco.getImgIds()) == 10
    for image in coco.loadImgs(coco.getImgIds()):
        expected = read_label_map(davis / image["file_name"].replace(".jpg", ".png"))
        ours = np.zeros(SIZE, np.uint8)
        for item in coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]])):
            mask = coco.annToMask(item)
            ours[mask > 0] = item["object_id"]
            assert item["area"] == mask.sum()
        assert np.array_equal(ours, expected)


def test_mots_lines_are_those_of_the_benchmark(davis, tmp_path):
    convert(davis, tmp_path / "mots", "mots")
    line = (tmp_path / "mots" / "bear.txt").read_text().splitlines()[0].split(" ")
    assert line[:5] == ["0", "1002", "1", "40", "56"]
    assert (tmp_path / "mots" / "seqmap.txt").read_text().splitlines() == [
        "bear empty 000000 000021",
        "car-turn empty 000000 000021",
    ]


def test_mots_leaves_out_what_it_ignores(davis, tmp_path):
    convert(davis, tmp_path / "png", "mots-png")
    path = tmp_path / "png" / "bear" / "00000.png"
    stored = read_label_map(path)
    assert set(np.unique(stored).tolist()) == {0, 1002, 1007}
    write_label_map(path, np.where(stored == 0, 10000, stored).astype(np.uint16))
    assert contents(tmp_path / "png") == contents(davis)


def test_trackeval_reads_burst(davis, tmp_path):
    trackeval = pytest.importorskip("trackeval")
    for folder in ("gt", "tracker/ours/data"):
        (tmp_path / folder).mkdir(parents=True)
        convert(davis, tmp_path / folder / "masks.json", "burst")
    config = trackeval.datasets.BURST.get_default_dataset_config() | {
        "GT_FOLDER": str(tmp_path / "gt"),
        "TRACKERS_FOLDER": str(tmp_path / "tracker"),
        "PRINT_CONFIG": False,
        "EXEMPLAR_GUIDED": True,
    }
    dataset = trackeval.datasets.BURST(config)
    raw = dataset.get_raw_seq_data("ours", "val-videos-bear")
    data = dataset.get_preprocessed_seq_data(raw, dataset.class_list[0])
    assert data["num_gt_dets"] == data["num_tracker_dets"] == 7
    numbers = trackeval.metrics.HOTA().eval_sequence(data)
    assert np.all(numbers["HOTA"] == 1.0)


def test_trackeval_reads_youtube_vis(davis, tmp_path):
    trackeval = pytest.importorskip("trackeval")
    gt = tmp_path / "gt_youtube_vis_val"
    results = tmp_path / "tr_youtube_vis_val" / "ours" / "data"
    gt.mkdir()
    results.mkdir(parents=True)
    convert(davis, gt / "gt.json", "youtube-vis")
    document = json.loads((gt / "gt.json").read_text())
    coco = pytest.importorskip("pycocotools.mask")
    tracks = []
    for item in document["annotations"]:
        masks = [rle and coco.frPyObjects(rle, *SIZE) for rle in item["segmentations"]]
        for rle in filter(None, masks):
            rle["counts"] = rle["counts"].decode()
        tracks.append({**item, "segmentations": masks, "score": 1.0})
    (results / "results.json").write_text(json.dumps(tracks))
    config = trackeval.datasets.YouTubeVIS.get_default_dataset_config() | {
        "GT_FOLDER": str(tmp_path / "gt_"),
        "TRACKERS_FOLDER": str(tmp_path / "tr_"),
        "SPLIT_TO_EVAL": "val",
        "PRINT_CONFIG": False,
    }
    dataset = trackeval.datasets.YouTubeVIS(config)
    raw = dataset.get_raw_seq_data("ours", dataset.seq_list[0])
    data = dataset.get_preprocessed_seq_data(raw, dataset.class_list[0])
    assert data["num_gt_dets"] == 7
    assert np.all(trackeval.metrics.HOTA().eval_sequence(data)["HOTA"] == 1.0)


def test_a_place_that_another_run_took_meanwhile_is_told(davis, tmp_path, monkeypatch):
    """Two runs look for the place, and find it free; one of them fills it first."""
    out = tmp_path / "out"
    monkeypatch.setattr("s3fo.convert.run.as_video", lambda own: taken(as_video(own)))

    def taken(video):
        (out / "theirs").mkdir(parents=True, exist_ok=True)
        return video

    with pytest.raises(InputError, match=r"made there meanwhile.*Remove it"):
        convert(davis, out, "object-folders")
    assert [path.name for path in tmp_path.glob("out/*")] == ["theirs"]


def test_nothing_is_overwritten_and_odd_requests_are_told(davis, tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    with pytest.raises(InputError, match=r"there already.*Remove it"):
        convert(davis, there, "coco")
    for inside in (davis, davis / "bear"):  # nobody should remove what is converted
        with pytest.raises(InputError, match="outside the folder that is converted"):
            convert(davis, inside, "coco")
    with pytest.raises(InputError, match="Did you mean youtube-vis"):
        convert(davis, tmp_path / "x", "youtubevis")
    with pytest.raises(InputError, match="no such path"):
        convert(tmp_path / "nowhere", tmp_path / "x", "davis")
    with pytest.raises(InputError, match="DATASET:FIELD"):
        convert("davis", tmp_path / "x", "davis", source_format="fiftyone")
    write_label_map(davis / "bear" / "00000.png", np.full(SIZE, 1500, np.uint16))
    with pytest.raises(InputError, match="ids below 1000"):
        convert(davis, tmp_path / "x", "mots", source_format="davis")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("out", ["new", "bear/new", "new.json"])
def test_nothing_is_written_into_what_is_converted(davis, out):
    before = sorted(davis.rglob("*"))
    target = "burst" if out.endswith("json") else "object-folders"
    with pytest.raises(InputError, match="outside the folder that is converted"):
        convert(davis, davis / out, target)
    assert sorted(davis.rglob("*")) == before


def test_a_dataset_and_its_field_need_no_format(davis, tmp_path, monkeypatch):
    """A name with a colon that is no file is FiftyOne's; paths stay paths."""
    from s3fo.convert import run

    asked = []

    def opened(source, origin, folder, whole_ids):
        asked.append((str(source), origin))
        return read(tmp_path / "clips:labels", "davis")

    monkeypatch.setattr(run, "_open", opened)
    davis.rename(tmp_path / "clips:labels")
    convert("my clips:labels", tmp_path / "one.json", "burst")
    with pytest.raises(InputError, match="no such path"):
        convert(tmp_path / "c:/nowhere", tmp_path / "two.json", "burst")
    davis = tmp_path / "clips:labels"
    convert(davis, tmp_path / "two.json", "burst")
    assert asked == [("my clips:labels", "fiftyone"), (str(davis), "davis")]


def test_on_the_command_line(davis, tmp_path):
    from typer.testing import CliRunner

    from s3fo.cli import app, import_commands

    import_commands(["convert"])
    out = tmp_path / "masks.json"
    words = ["convert", str(davis), str(out), "--to", "burst", "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["sequences"] == 2


@pytest.mark.parametrize("target", TARGETS)
def test_a_video_without_objects_is_kept(davis, tmp_path, target):
    for frame in FRAMES:
        write_label_map(davis / "ant" / f"{frame}.png", np.zeros(SIZE, np.uint8))
    middle = tmp_path / f"middle{'.json' if FORMATS[target].is_file else ''}"
    done = convert(davis, middle, target)
    assert detect(middle) == target
    assert contents(middle) == contents(davis)
    assert list(contents(davis)) == ["ant", "bear", "car-turn"]
    kept = [note for note in done.notes if note.startswith("ant: no object")]
    assert len(kept) == (target in ("object-folders", "json"))
    convert(middle, tmp_path / "back", "davis")
    assert contents(tmp_path / "back") == contents(davis)


def test_an_empty_object_folder_changes_no_score(davis, tmp_path):
    for frame in FRAMES:
        write_label_map(davis / "ant" / f"{frame}.png", np.zeros(SIZE, np.uint8))
    convert(davis, tmp_path / "objects", "object-folders")
    scores = score(tmp_path / "objects", tmp_path / "objects", "sa-v")
    expected = score(davis, davis, "sa-v")
    assert scores.summary == expected.summary
    assert scores.objects["sequence"].tolist() == expected.objects["sequence"].tolist()


def test_soft_edges_are_refused_as_by_evaluate(tmp_path):
    import cv2

    for t, frame in enumerate(FRAMES):
        mask = np.zeros(SIZE, np.uint8)
        cv2.circle(mask, (28, 20), 8 + t, 255, -1)
        write_label_map(tmp_path / "soft/cat" / f"{frame}.png", cv2.blur(mask, (5, 5)))
    with pytest.raises(InputError, match="a mask with soft edges") as refused:
        convert(tmp_path / "soft", tmp_path / "out", "object-folders")
    assert not (tmp_path / "out").exists()
    assert "binarize" not in str(refused.value), "convert has no such option"
    with pytest.raises(InputError) as told:
        score(tmp_path / "soft", tmp_path / "soft")
    assert (refused.value.where, refused.value.found) == (
        told.value.where,
        told.value.found,
    )


@pytest.fixture
def from_zero(tmp_path: Path) -> Path:
    """Objects 000 and 001 of bear and 001 and 002 of cows, each 3 columns off."""
    for name, numbers in (("bear", (0, 1)), ("cows", (1, 2))):
        for t, frame in enumerate(FRAMES):
            truth = np.zeros(SIZE, np.uint8)
            for number in numbers:
                mask = np.zeros(SIZE, np.uint8)
                mask[2 + 12 * number : 10 + 12 * number, 5 + t : 17 + t] = 1
                truth[mask > 0] = number + 1
                folder = tmp_path / "objects" / name / f"{number:03d}"
                write_label_map(folder / f"{frame}.png", np.roll(mask, 3, 1))
            write_label_map(tmp_path / "gt" / name / f"{frame}.png", truth)
    return tmp_path / "objects"


@pytest.mark.parametrize("target", ["davis", "mots", "mots-png"])
def test_object_0_is_no_background(from_zero, tmp_path, target):
    """12 columns that are 3 off share 9 of 15: what the folders score themselves."""
    truth = tmp_path / "gt"
    right = dict.fromkeys([("bear", 1), ("bear", 2), ("cows", 2), ("cows", 3)], 0.6)
    done = convert(from_zero, tmp_path / "out", target)
    assert done.objects == 4
    (told,) = done.notes
    assert told.startswith(f"objects count from 0, which is the background in {target}")
    if target == "mots-png":
        convert(tmp_path / "out", tmp_path / "plain", "davis")
    plain = tmp_path / ("plain" if target == "mots-png" else "out")
    for results in (from_zero, plain):
        table = score(results, truth, "vos-benchmark").objects
        keys = zip(table["sequence"], table["object"], strict=True)
        scored = dict(zip(keys, table["J_mean"], strict=True))
        assert scored == pytest.approx(right)


def test_overlaps_of_object_0_are_refused(from_zero, tmp_path):
    frame = from_zero / "bear" / "001" / f"{FRAMES[0]}.png"
    write_label_map(frame, np.ones(SIZE, np.uint8))
    with pytest.raises(InputError, match=r"objects [12] and [12] overlap"):
        convert(from_zero, tmp_path / "out", "davis")


def test_object_0_stays_where_masks_are_kept_object_by_object(from_zero, tmp_path):
    done = convert(from_zero, tmp_path / "out.json", "json")
    assert done.notes == ()
    assert set(contents(tmp_path / "out.json")["bear"][FRAMES[0]]) == {0, 1}


def test_ids_that_label_maps_cannot_keep_are_refused(tmp_path):
    from evaluation.masks.run_lengths import encode_rle

    masks = {"0": {"70000": encode_rle(np.ones(SIZE, bool))}}
    (tmp_path / "a.json").write_text(json.dumps({"bear": masks}))
    with pytest.raises(InputError, match="object 70000; expected ids up to 65535"):
        convert(tmp_path / "a.json", tmp_path / "out", "davis")
    assert not (tmp_path / "out").exists()


def test_objects_keep_numbers_of_any_length(davis, tmp_path):
    """Objects 2 and 7 become 2 and 2500: folders that are written are read again."""
    for file in davis.rglob("*.png"):
        label_map = read_label_map(file).astype(np.uint16)
        write_label_map(file, np.where(label_map == 7, 2500, label_map))
    convert(davis, tmp_path / "folders", "object-folders")
    back = contents(tmp_path / "folders")
    assert back == contents(davis)
    assert {k for video in back.values() for f in video.values() for k in f} == {
        2,
        2500,
    }


@pytest.mark.parametrize("target", ["mots", "json", "burst", "coco", "object-folders"])
def test_ids_may_be_taken_beside_the_source(davis, tmp_path, target):
    source = tmp_path / ("masks" if target in ("mots", "object-folders") else "m.json")
    convert(davis, source, target)
    done = convert(source, tmp_path / "beside", "davis", ids_from=davis)
    assert contents(tmp_path / "beside").keys() == contents(davis).keys()
    assert done.sequences == len(contents(davis))
    with pytest.raises(InputError, match="outside the folder that ids are taken from"):
        convert(source, davis / "inside", "davis", ids_from=davis)
    assert not (davis / "inside").exists()

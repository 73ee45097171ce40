"""MOTS in and out: classes in ids, and regions that it ignores."""

from __future__ import annotations

import json
import shlex
import shutil

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from evaluation import InputError, Meter, find_failures, object_attributes, score
from evaluation.audit import audit_ground_truth
from evaluation.masks.label_map import read_label_map, write_label_map
from s3fo.benchmarks import open_folders
from s3fo.cli import app, import_commands
from s3fo.convert import convert
from s3fo.convert.reading import read


def two_classes(folder, drop=0):
    """MOTS of two classes, whose objects would both be 1, and a region to ignore."""
    masks = {}
    for t in range(4):
        label_map = np.zeros((24, 40), np.uint16)
        label_map[2:9, 2 + t : 10 + t] = 1001
        label_map[12:20, 4 + t : 12 + t] = 2001
        label_map[2:9, 20 + t : 26 + t] = 2003
        label_map[:, 36:] = 10000
        masks[t] = np.where(label_map == drop, 0, label_map).astype(np.uint16)
        write_label_map(folder / "street" / f"{t:06d}.png", masks[t])
    return masks


def test_mots_to_mots_loses_neither_class_nor_ignored_regions(tmp_path):
    masks = two_classes(tmp_path / "png")
    assert convert(tmp_path / "png", tmp_path / "text", "mots").objects == 3
    lines = (tmp_path / "text" / "street.txt").read_text().splitlines()
    assert [line.split()[1:3] for line in lines[:4]] == [
        ["1001", "1"], ["2001", "2"], ["2003", "2"], ["10000", "10"],
    ]  # fmt: skip
    for source in ("png", "text"):
        assert not convert(tmp_path / source, tmp_path / f"{source}2", "mots-png").notes
        for t, label_map in masks.items():
            path = tmp_path / f"{source}2" / "street" / f"{t:06d}.png"
            assert np.array_equal(read_label_map(path), label_map)


def test_ignored_regions_that_get_lost_are_told(tmp_path):
    two_classes(tmp_path / "png")
    convert(tmp_path / "png", tmp_path / "text", "mots")
    for source in ("png", "text"):
        out = tmp_path / f"{source}.json"
        done = convert(tmp_path / source, out, "json")
        assert done.objects == 3
        assert "regions that MOTS ignores (10000) are left out" in done.notes[0]
        ids = {
            k for masks in json.loads(out.read_text())["street"].values() for k in masks
        }
        assert ids == {"1001", "2001", "2003"}


def test_ids_without_their_class_are_told(tmp_path):
    for t in range(2):
        label_map = np.zeros((24, 40), np.uint16)
        label_map[2:9, 2:10], label_map[12:20, 4:12] = 2003, 1007
        write_label_map(tmp_path / "png/street" / f"{t:06d}.png", label_map)
    convert(tmp_path / "png", tmp_path / "text", "mots")
    for source in ("png", "text"):
        done = convert(tmp_path / source, tmp_path / f"{source}-davis", "davis")
        told = "ids without the class of MOTS: 1007 became 7, 2003 became 3"
        assert done.notes == (told,)


def test_the_remedy_for_mots_of_two_classes_can_be_scored(tmp_path):
    """Results of MOTS against label maps from 1 on; both commands are as told."""
    masks = two_classes(tmp_path / "mots")
    for t, label_map in masks.items():
        ids = np.select([label_map == k for k in (1001, 2001, 2003)], [1, 2, 3])
        write_label_map(tmp_path / "ids/street" / f"{t:06d}.png", ids.astype(np.uint8))
    for results, truth in (("mots", "ids"), ("ids", "mots")):
        with pytest.raises(InputError) as refused:
            score(tmp_path / results, tmp_path / truth, "vos-benchmark")
        words = shlex.split(refused.value.remedy.split("`")[1])
        assert words[:2] == ["s3fo", "convert"]
        import_commands(["convert"])
        done = CliRunner().invoke(app, words[1:])
        assert done.exit_code == 0, done.output
        assert "1001 became 1, 2001 became 2, 2003 became 3" in " ".join(
            done.output.split()
        )
        sides = {"results": tmp_path / results, "ground_truth": tmp_path / truth}
        sides["results" if results == "mots" else "ground_truth"] = words[3]
        assert score(**sides, protocol="vos-benchmark").summary["J&F"] == 1.0
        shutil.rmtree(words[3])


def test_objects_that_cannot_be_told_are_refused(tmp_path):
    """Without 2001 nobody knows whether 2003 is object 2 or 3 of three."""
    masks = two_classes(tmp_path / "mots", drop=2001)
    two_classes(tmp_path / "truth")
    two_classes(tmp_path / "mots/other")
    (tmp_path / "mots/other/street").rename(tmp_path / "mots/second")
    (tmp_path / "mots/other").rmdir()
    for name in ("street", "second"):
        for t in masks:
            ids = np.zeros((24, 40), np.uint8)
            ids[0, :3] = 1, 2, 3
            write_label_map(tmp_path / "ids" / name / f"{t:06d}.png", ids)
    with pytest.raises(InputError, match="objects 1, 2, 3, beside 1001, 2003"):
        convert(tmp_path / "mots", tmp_path / "x", "davis", ids_from=tmp_path / "ids")
    assert not (tmp_path / "x").exists()
    # Results get the ids that the ground truth of MOTS gets.
    (tmp_path / "one").mkdir()
    (tmp_path / "mots/street").rename(tmp_path / "one/street")
    done = convert(
        tmp_path / "one", tmp_path / "y", "davis", ids_from=tmp_path / "truth"
    )
    street = read(tmp_path / "y", "davis")["street"]
    assert street.labels_in(street.frames) == {1001, 2003}
    assert done.objects == 2


def halves(folder, ids=(2001, 2002)):
    """Half of each object is predicted, and all of the region to ignore as 2001."""
    for t in range(4):
        truth = np.zeros((24, 40), np.uint16)
        truth[2:10, 4:12], truth[14:22, 4:12] = 2001, 2002
        pred = truth.copy()
        pred[2:10, 8:12] = pred[14:22, 8:12] = 0
        truth[:, 30:] = 10000 if t in (1, 2) else 0
        pred[:, 30:] = 2001 if t in (1, 2) else 0
        write_label_map(folder / "gt" / "road" / f"{t:06d}.png", truth)
        write_label_map(folder / "pred" / "road" / f"{t:06d}.png", pred)
    return folder / "pred", folder / "gt"


@pytest.mark.parametrize(
    "protocol",
    ["davis-2017", "vos-benchmark", "trackeval-davis", "trackeval-hota", "davis-2016"],
)
def test_ignored_regions_count_in_neither_mask(tmp_path, protocol):
    """First and last frame have none of it; predictions lie in all of it."""
    pred, gt = halves(tmp_path)
    scores = score(pred, gt, protocol)
    assert scores.summary["J"] == pytest.approx(0.5)
    assert (
        "10000 in the ground truth marks regions that MOTS ignores" in scores.notes[0]
    )
    assert score(gt, gt, protocol).summary["J"] == 1.0
    if protocol == "trackeval-hota":
        assert score(gt, gt, protocol).summary["HOTA"] == 1.0


def test_all_readers_ignore_the_same_regions(tmp_path):
    pred, gt = halves(tmp_path)
    text = tmp_path / "text"
    convert(gt, text, "mots")
    convert(pred, tmp_path / "pred-text", "mots")
    assert score(tmp_path / "pred-text", text, "vos-benchmark").summary["J"] == 0.5
    for source in (gt, text):
        measured = object_attributes(source, images=False)
        assert len(measured.objects) == 2
        assert any("MOTS ignores (10000)" in note for note in measured.notes)
        audit = audit_ground_truth(source, images=False)
        assert set(audit.events["object"]) <= {1, 2, 2001, 2002}
        assert any("MOTS ignores" in note for note in audit.notes)
    scores = score(pred, gt, "vos-benchmark")
    found = find_failures(pred, gt, scores)
    assert set(found.events["object"]) <= {2001, 2002}
    for t in range(4):
        path = tmp_path / f"images/road/{t:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 24)).save(path)
    loaded = open_folders(tmp_path / "images", gt)
    assert loaded.sequences[0].object_ids == (2001, 2002)
    assert any("MOTS ignores (10000)" in note for note in loaded.notes)
    assert score(pred, loaded, "vos-benchmark").summary["J"] == 0.5
    meter = Meter("vos-benchmark")
    for t in range(4):
        one, other = (read_label_map(f / f"road/{t:06d}.png") for f in (pred, gt))
        meter.update(one, other, sequence="road")
    assert meter.compute().summary["J"] == 0.5


def test_ids_times_1000_are_no_ignored_regions():
    """Ten objects, to be looked at."""
    masks = {
        f"{t}": np.repeat(np.arange(11, dtype=np.uint16) * 1000, 4)[None].repeat(8, 0)
        for t in range(3)
    }
    scores = score({"a": masks}, {"a": masks}, "vos-benchmark")
    assert len(scores.objects) == 10

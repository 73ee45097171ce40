"""Lists and JSON files that name videos outside their folder are refused by name."""

import json

import numpy as np
import pytest

from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from evaluation.masks.run_lengths import encode_rle
from s3fo.benchmarks import open_benchmark
from s3fo.benchmarks.video import VideoSequence
from s3fo.inference import predict
from tests.benchmarks.benchmark_trees import write_image

UNSAFE = ["../x", "..", "a/../../x", "/etc/x", "x\\y", "C:x", "x\0y", "x\ny", ".x"]


@pytest.fixture
def neighbours(tmp_path):
    """A folder `work` in which results go, beside things that must stay."""
    for place in ("x", "src", "work/x"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "precious.txt").write_text("keep")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    yield tmp_path
    assert all(path.read_bytes() == data for path, data in before.items())


def davis(root, names):
    images, masks = root / "JPEGImages" / "480p", root / "Annotations" / "480p"
    for t in range(3):
        write_image(images / "bear" / f"{t:05d}.jpg", size=(30, 40))
        write_label_map(masks / "bear" / f"{t:05d}.png", np.eye(30, 40, dtype=np.uint8))
    lists = root / "ImageSets" / "2017"
    lists.mkdir(parents=True)
    (lists / "val.txt").write_text("".join(f"{name}\n" for name in names))
    return root


@pytest.mark.parametrize("name", ["..", "x\\y", "C:x", "x\0y", ".x"])
def test_davis_list(neighbours, name):
    root = davis(neighbours / "davis", ["bear", name])
    with pytest.raises(InputError, match=r"val\.txt"):
        predict(
            "davis-2017", neighbours / "work" / "out", root=root, method="copy",
            overwrite=True,
        )  # fmt: skip


@pytest.mark.parametrize("name", UNSAFE)
def test_meta_file(neighbours, name):
    root = neighbours / "mose" / "valid"
    for tree in ("JPEGImages", "Annotations"):
        (root / tree / "bear").mkdir(parents=True)
    meta = {"videos": {name: {"objects": {"1": {"category": "x"}}}}}
    (root / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(InputError, match=r"meta\.json.*sequence name"):
        open_benchmark("mose-v1", root.parent, split="val")


@pytest.mark.parametrize("key", ["dataset", "seq_name"])
@pytest.mark.parametrize("name", [*UNSAFE, 3, None])
def test_burst_json(tmp_path, key, name):
    entry = {
        "dataset": "LaSOT", "seq_name": "v", "height": 30, "width": 40,
        "annotated_image_paths": [], "segmentations": [],
    }  # fmt: skip
    source = tmp_path / "annotations" / "val" / "all_classes.json"
    source.parent.mkdir(parents=True)
    (tmp_path / "frames" / "val").mkdir(parents=True)
    source.write_text(json.dumps({"sequences": [entry | {key: name}]}))
    with pytest.raises(InputError, match=r"all_classes\.json"):
        open_benchmark("burst", tmp_path, split="val")


@pytest.mark.parametrize("name", UNSAFE)
def test_masks_in_json(tmp_path, name):
    from evaluation import score

    rle = encode_rle(np.eye(9, dtype=bool))
    path = tmp_path / "gt.json"
    for document in ({name: {"00000": {"1": rle}}}, {"v": {name: {"1": rle}}}):
        path.write_text(json.dumps(document))
        with pytest.raises(InputError, match=r"gt\.json"):
            score(path, path)


@pytest.mark.parametrize("name", UNSAFE)
def test_nothing_can_be_called_so(name):
    with pytest.raises(InputError):
        VideoSequence(name, ("00000",), {}, {})
    with pytest.raises(InputError):
        VideoSequence("v", (name,), {}, {})
    with pytest.raises(InputError):
        VideoSequence("v", ("0",), {}, {}, listed_frames=(name,))

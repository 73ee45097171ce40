"""Every split of the catalogue: its tree loads, its masks score or are submitted."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from benchmark_trees import (
    burst,
    masklets,
    names,
    sa_v,
    write_clip,
    write_davis,
    write_image,
    write_json,
    write_sequence,
    write_tree,
)

from evaluation.errors import InputError
from evaluation.scoring import score
from s3fo.benchmarks import open_benchmark, validate, write_submission
from s3fo.benchmarks.catalog import ENTRIES, Entry
from s3fo.inference import predict

FOLDERS = {"train": "train", "val": "valid", "test": "test"}


def write_entry(root: Path, entry: Entry) -> None:
    """A small tree in the format of one split."""
    name = entry.name
    if name.startswith("davis"):
        write_davis_entry(root, entry)
    elif name == "burst":
        burst(root, entry.split)
    elif name == "sa-v" and entry.split == "train":
        write_clip(root / "sav_000/sav_000001.mp4")
        write_json(root / "sav_000/sav_000001_manual.json", masklets("sav_000001"))
    elif name == "sa-v":
        sa_v(root, entry.split)
    else:
        write_tree_entry(root, entry)


def write_davis_entry(root: Path, entry: Entry) -> None:
    single = entry.name == "davis-2016"
    write_davis(
        root,
        {"ape": [255] if single else [1, 2], "bat": [255] if single else [1]},
        year=2016 if single else 2017,
        split=entry.split,
        first_only=not entry.public,
    )
    if entry.name.endswith("unsupervised"):
        folder = root / "Annotations_unsupervised/480p"
        for name in ("ape", "bat"):
            write_sequence(
                root / "unused", folder, name, names(4), {f: [1, 2] for f in names(4)}
            )


def write_tree_entry(root: Path, entry: Entry) -> None:
    split = entry.split.removesuffix("-all-frames")
    folder = root / FOLDERS[split]
    lvos = entry.name.startswith("lvos")
    frames = names(4, 5, 8, 1) if lvos else names(4, 5)
    late = not entry.name.startswith("mose")
    if entry.public:
        annotated = {f: [1] if late and f == frames[0] else [1, 2] for f in frames}
    else:
        annotated = {frames[0]: [1] if late else [1, 2]}
        if late:
            annotated[frames[1]] = [2]
    write_tree(folder, {"ape": annotated}, frames)
    first = frames[1:] if late else frames
    spans = {1: frames, 2: first}
    if lvos:
        objects = {
            key: {"frame_range": {"start": int(span[0]), "end": int(span[-1]) + 5}}
            for key, span in spans.items()
        }
        path = folder / f"{FOLDERS[split]}_meta.json"
    else:
        objects = {key: {"frames": span} for key, span in spans.items()}
        path = folder / "meta.json"
    write_json(path, {"videos": {"ape": {"objects": objects}}})
    if split != entry.split:
        images = root / f"all_frames/{folder.name}_all_frames/JPEGImages/ape"
        for frame in names(16):
            write_image(images / f"{frame}.jpg")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda item: f"{item.name} {item.split}")
def test_an_entry(tmp_path: Path, entry: Entry) -> None:
    write_entry(tmp_path / "data", entry)
    benchmark = open_benchmark(entry.name, tmp_path / "data", split=entry.split)
    assert benchmark.protocol == entry.protocol
    problems = validate(benchmark, deep=True).problems
    assert all("the catalogue says" in problem for problem in problems)

    run = predict(benchmark, tmp_path / "out", method="copy")
    assert run.failures == {}
    if entry.public:
        # Masks of DAVIS-2016 are 0/255, predictions 0/1.
        binarize = entry.name == "davis-2016"
        scores = score(tmp_path / "out", benchmark, entry.protocol, binarize=binarize)
        assert 0 < scores.summary["J&F"] <= 1
    elif entry.submission is None:
        with pytest.raises(InputError, match="no server"):
            write_submission(tmp_path / "out", benchmark, tmp_path / "x.zip")
    else:
        done = write_submission(tmp_path / "out", benchmark, tmp_path / "x.zip")
        with zipfile.ZipFile(done.path) as archive:
            members = archive.namelist()
        assert len(members) == done.frames
        top = {member.split("/")[0] for member in members}
        folder = entry.submission.folder
        assert top == ({folder} if folder else {item.name for item in benchmark})

"""Small, format-true benchmark trees for the tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from evaluation.masks.label_map import write_label_map
from evaluation.masks.run_lengths import encode_rle
from s3fo.benchmarks.catalog import Entry

SIZE = (24, 32)


def write_image(path: Path, value: int = 90, size: tuple[int, int] = SIZE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((*size, 3), value, np.uint8)
    path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())


def label_map(
    ids: Iterable[int], shift: int = 0, size: tuple[int, int] = SIZE
) -> np.ndarray:
    """One 5x5 square for each id, side by side, moved right by `shift` pixels."""
    pixels = np.zeros(size, np.uint16 if max(ids, default=0) > 255 else np.uint8)
    for position, object_id in enumerate(ids):
        left = 1 + 6 * position + shift
        pixels[4:9, left : left + 5] = object_id
    return pixels


def write_mask(path: Path, ids: Iterable[int], shift: int = 0) -> None:
    write_label_map(path, label_map(list(ids), shift))


def write_sequence(
    images: Path,
    masks: Path,
    name: str,
    frames: Iterable[str],
    annotated: Mapping[str, Iterable[int]],
) -> None:
    """Images of all frames, masks with the given ids for some of them."""
    for index, frame in enumerate(frames):
        write_image(images / name / f"{frame}.jpg", 60 + index)
        if frame in annotated:
            write_mask(masks / name / f"{frame}.png", annotated[frame], index)


def names(count: int, step: int = 1, digits: int = 5, first: int = 0) -> list[str]:
    return [f"{first + index * step:0{digits}d}" for index in range(count)]


def write_davis(
    root: Path,
    sequences: Mapping[str, Iterable[int]],
    *,
    year: int = 2017,
    split: str = "val",
    frames: int = 4,
    resolution: str = "480p",
    first_only: bool = False,
) -> Path:
    """A DAVIS tree: object ids by sequence name."""
    for name, ids in sequences.items():
        stems = names(frames)
        annotated = {stem: ids for stem in (stems[:1] if first_only else stems)}
        write_sequence(
            root / "JPEGImages" / resolution,
            root / "Annotations" / resolution,
            name,
            stems,
            annotated,
        )
    path = root / "ImageSets" / str(year) / f"{split}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name}\n" for name in sequences))
    return root


def write_tree(
    folder: Path,
    videos: Mapping[str, Mapping[str, Iterable[int]]],
    frames: Iterable[str],
) -> Path:
    """``<folder>/{JPEGImages,Annotations}/<video>``: ids by annotated frame."""
    for name, annotated in videos.items():
        write_sequence(
            folder / "JPEGImages", folder / "Annotations", name, frames, annotated
        )
    return folder


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def write_object_folders(
    folder: Path, frames: Iterable[str], objects: Mapping[str, Mapping[str, np.ndarray]]
) -> None:
    """SA-V annotations of one video: masks by object folder and frame."""
    for number, masks in objects.items():
        for frame in frames:
            mask = masks.get(frame, np.zeros(SIZE, bool))
            write_label_map(folder / number / f"{frame}.png", mask.astype(np.uint8))


def square(left: int, width: int = 6) -> np.ndarray:
    """A boolean mask with one square."""
    mask = np.zeros(SIZE, bool)
    mask[4 : 4 + width, left : left + width] = True
    return mask


ANNOTATED = names(3, step=4)  # 00000 00004 00008
BIG, SMALL = square(2, 12), square(4, 4)


def sa_v(root: Path, split: str = "val") -> Path:
    """Two videos; in the first, object 002 lies on 000 and appears late."""
    folder = root / f"sav_{split}"
    for name in ("sav_000001", "sav_000002"):
        for frame in names(9):
            write_image(folder / "JPEGImages_24fps" / name / f"{frame}.jpg")
    masks = folder / "Annotations_6fps"
    objects = {
        "000": dict.fromkeys(ANNOTATED, BIG),
        "002": dict.fromkeys(ANNOTATED[1:], SMALL),
    }
    write_object_folders(masks / "sav_000001", ANNOTATED, objects)
    one = {"000": dict.fromkeys(ANNOTATED, SMALL)}
    write_object_folders(masks / "sav_000002", ANNOTATED, one)
    (folder / f"sav_{split}.txt").write_text("sav_000001\nsav_000002\n")
    return root


def write_clip(path: Path, frames: int = 9) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.height, stream.width, stream.pix_fmt = *SIZE, "yuv420p"
        for index in range(frames):
            image = np.full((*SIZE, 3), 20 * index, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def masklets(name: str) -> dict[str, Any]:
    empty = np.zeros(SIZE, bool)
    tracks = [[BIG, empty], [BIG, SMALL], [BIG, SMALL]]
    return {
        "video_id": name,
        "video_frame_count": 9.0,
        "video_height": float(SIZE[0]),
        "video_width": float(SIZE[1]),
        "video_split": "train",
        "masklet": [[encode_rle(mask) for mask in frame] for frame in tracks],
        "masklet_id": [0, 1],
        "masklet_size_bucket": ["medium", "small"],
        "masklet_visibility_changes": [0, 2],
        "masklet_first_appeared_frame": [0.0, 1.0],
        "masklet_type": ["manual", "manual"],
        "masklet_num": 2,
    }


def burst(root: Path, split: str = "val") -> Path:
    """One video of 6 frames, of which the second and fifth are annotated."""
    frames = [f"frame{index:04d}" for index in range(1, 7)]
    for frame in frames:
        write_image(root / "frames" / split / "LaSOT/zebra-17" / f"{frame}.jpg")

    def masks(tracks: dict[str, np.ndarray]) -> dict[str, Any]:
        return {
            track: {"rle": encode_rle(mask)["counts"], "is_gt": True}
            for track, mask in tracks.items()
        }

    entry = {
        "id": 1,
        "dataset": "LaSOT",
        "seq_name": "zebra-17",
        "height": SIZE[0],
        "width": SIZE[1],
        "fps": 6,
        "all_image_paths": [f"{frame}.jpg" for frame in frames],
        "annotated_image_paths": ["frame0002.jpg", "frame0005.jpg"],
        "track_category_ids": {"4": 7, "9": 8},
        "segmentations": [
            masks({"4": square(2)}),
            masks({"4": square(4), "9": square(20)}),
        ],
    }
    categories = [{"id": 7, "name": "zebra"}, {"id": 8, "name": "tree"}]
    content = {"sequences": [entry], "categories": categories, "split": split}
    write_json(root / "annotations" / split / "all_classes.json", content)
    entry["segmentations"] = [masks({"4": square(2)}), masks({"9": square(20)})]
    write_json(root / "annotations" / split / "first_frame_annotations.json", content)
    return root


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
    elif name == "mevis":
        write_mevis(root, {"valid-u": "valid_u"}.get(entry.split, entry.split))
    elif name.endswith("vis") or name.startswith("youtube-vis"):
        write_instances(root, entry)
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
    folder = root / FOLDERS.get(split, "")
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


INSTANCE_FILES = {
    "youtube-vis-2019": "train.json",
    "youtube-vis-2021": "train/instances.json",
    "ovis": "annotations_train.json",
    "lv-vis": "{split}_instances.json",
}


def write_instances(root: Path, entry: Entry) -> None:
    """Two objects of one video, the second late and over the first, and a picture
    that the JSON file does not list."""
    folder = root / entry.split / ("" if entry.name == "ovis" else "JPEGImages")
    frames = names(4, 5)
    for frame in [*frames, "00003"]:
        write_image(folder / "ape" / f"{frame}.jpg")
    first = [encode_rle(square(2 + t, 12)) for t in range(4)]
    second = [None, *(encode_rle(square(4 + t, 4)) for t in range(3))]
    content = {
        "videos": [
            {
                "id": 7,
                "height": SIZE[0],
                "width": SIZE[1],
                "file_names": [f"ape/{frame}.jpg" for frame in frames],
            }
        ],
        "annotations": [
            {"id": 31, "video_id": 7, "category_id": 1, "segmentations": second},
            {"id": 4, "video_id": 7, "category_id": 1, "segmentations": first},
        ],
        "categories": [{"id": 1, "name": "ape"}],
    }
    write_json(root / INSTANCE_FILES[entry.name].format(split=entry.split), content)


def write_mevis(root: Path, folder: str) -> Path:
    """One video with two sentences: one of two objects, one of the second alone."""
    frames = names(3)
    for frame in frames:
        write_image(root / folder / "JPEGImages/ape" / f"{frame}.jpg")
    masks = {
        "10": [encode_rle(square(2 + t)) for t in range(3)],
        "11": [None, encode_rle(square(20)), encode_rle(square(21))],
    }
    write_json(root / folder / "mask_dict.json", masks)
    expressions = {
        "0": {"exp": "both of them", "obj_id": [0, 1], "anno_id": [10, 11]},
        "1": {"exp": "the one that comes", "obj_id": [1], "anno_id": [11]},
    }
    video = {"expressions": expressions, "vid_id": 0, "frames": frames}
    write_json(root / folder / "meta_expressions.json", {"videos": {"ape": video}})
    return root / folder

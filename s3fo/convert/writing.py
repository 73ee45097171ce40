"""Write videos in any of the formats."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evaluation._utils.atomic import new_folder, write_atomically
from evaluation.errors import InputError
from evaluation.formats.mots import FRAMES_FILE, MOTS_SCALE
from evaluation.masks.label_map import NO_OBJECT, write_label_map, write_object_masks
from evaluation.masks.run_lengths import decode_rle, encode_rle
from s3fo.convert.videos import Video, label_map

CLASS = 1
CATEGORY = {"id": CLASS, "name": "object", "supercategory": "object"}
"""What objects are called whose category nobody tells."""

Document = dict[str, Any]


def write(videos: Sequence[Video], out: Path, target: str, on_overlap: str) -> None:
    """Write all videos; they appear complete or not at all.

    Args:
        videos: the masks.
        out: the file or folder to make.
        target: name of the format.
        on_overlap: ``"error"``, or ``"smaller-on-top"``.

    Raises:
        InputError: the format cannot keep these masks.
    """
    if target in _DOCUMENTS:
        content = json.dumps(_DOCUMENTS[target](videos))
        write_atomically(out, content.encode())
        return
    with new_folder(out) as folder:
        for video in videos:
            _FOLDERS[target](video, folder, on_overlap)
        if target == "mots":
            _write_frame_names(videos, folder)


def _write_davis(video: Video, folder: Path, on_overlap: str) -> None:
    for frame in video.frames:
        path = folder / video.name / f"{frame}.png"
        write_label_map(path, label_map(video, frame, on_overlap))


def _write_object_folders(video: Video, folder: Path, on_overlap: str) -> None:
    """Ids are the names of folders; every object has a file for every frame."""
    for frame in video.frames:
        masks = video.read(frame)
        write_object_masks(
            masks, video.object_ids, video.size, folder / video.name, frame
        )


def _write_sa_v(video: Video, folder: Path, on_overlap: str) -> None:
    empty = np.zeros(video.size, bool)
    read = map(video.read, video.frames)
    masklet = [
        [encode_rle(masks.get(k, empty)) for k in video.object_ids] for masks in read
    ]
    document = {
        "video_id": video.name,
        "video_frame_count": len(video.frames),
        "video_height": video.size[0],
        "video_width": video.size[1],
        "masklet_annotated_frame_count": len(video.frames),
        "masklet_num": len(video.object_ids),
        "masklet_id": list(video.object_ids),
        "masklet_type": "manual",
        "masklet_frame_names": list(video.frames),
        "masklet": masklet,
    }
    path = folder / f"{video.name}_manual.json"
    write_atomically(path, json.dumps(document).encode())


def _write_mots(video: Video, folder: Path, on_overlap: str) -> None:
    _check_mots(video)
    lines = []
    for frame in video.frames:
        labels = label_map(video, frame, on_overlap)
        for k in np.unique(labels[labels > 0]).tolist():
            rle = encode_rle(labels == k)
            height, width = video.size
            own = _mots_id(k)
            place = f"{int(frame)} {own} {own // MOTS_SCALE} {height} {width}"
            lines.append(f"{place} {rle['counts']}\n")
    write_atomically(folder / f"{video.name}.txt", "".join(lines).encode())


def _write_mots_png(video: Video, folder: Path, on_overlap: str) -> None:
    _check_mots(video)
    for frame in video.frames:
        labels = label_map(video, frame, on_overlap).astype(np.uint16)
        stored = np.where(labels > 0, _mots_id(labels), 0).astype(np.uint16)
        write_label_map(folder / video.name / f"{frame}.png", stored)


def _mots_id(object_id: Any) -> Any:
    """An id with its class; ids of MOTS have it already."""
    own = np.asarray(object_id)
    return np.where(own < MOTS_SCALE, CLASS * MOTS_SCALE + own, own)[()]


def _check_mots(video: Video) -> None:
    ids = video.object_ids
    if ids and ids[0] < MOTS_SCALE <= ids[-1]:
        raise InputError(
            f"sequence {video.name}",
            f"objects {ids[0]} and {ids[-1]}",
            f"ids below {MOTS_SCALE}, before which MOTS writes the class, or ids of "
            f"class * {MOTS_SCALE} + object throughout",
            "Renumber the objects, or choose another format.",
        )
    if not all(frame.isdecimal() for frame in video.frames):
        odd = next(frame for frame in video.frames if not frame.isdecimal())
        raise InputError(
            f"sequence {video.name}",
            f"a frame called {odd}",
            "numbers, as MOTS has no names of frames",
            "Number the frames, or choose another format.",
        )


def _write_frame_names(videos: Sequence[Video], folder: Path) -> None:
    """The frames and sizes that lines of masks do not tell, and MOTS's list."""
    known = {v.name: {"frames": list(v.frames), "size": list(v.size)} for v in videos}
    write_atomically(folder / FRAMES_FILE, json.dumps(known).encode())
    lines = [
        f"{v.name} empty {int(v.frames[0]):06d} {int(v.frames[-1]) + 1:06d}\n"
        for v in videos
    ]
    write_atomically(folder / "seqmap.txt", os.fsencode("".join(lines)))


def _youtube_vis(videos: Sequence[Video]) -> Document:
    items: list[Document] = []
    for number, video in enumerate(videos, 1):
        tracks: dict[int, list[Document | None]] = {k: [] for k in video.object_ids}
        for frame in video.frames:
            masks = video.read(frame)
            for object_id, track in tracks.items():
                mask = masks.get(object_id)
                track.append(None if mask is None else encode_rle(mask))
        for object_id, track in tracks.items():
            boxes = [None if rle is None else _box(rle) for rle in track]
            areas = [None if rle is None else _area(rle) for rle in track]
            items.append({
                "id": len(items) + 1, "video_id": number,
                "category_id": CLASS, "object_id": object_id, "iscrowd": 0,
                "height": video.size[0], "width": video.size[1],
                "length": len(video.frames),
                "segmentations": [rle and _plain(rle) for rle in track],
                "bboxes": boxes, "areas": areas,
            })  # fmt: skip
    return {
        "info": {"description": "masks converted by s3fo"},
        "licenses": [],
        "videos": [
            {
                "id": number, "height": video.size[0], "width": video.size[1],
                "length": len(video.frames),
                "file_names": [f"{video.name}/{frame}.jpg" for frame in video.frames],
            }
            for number, video in enumerate(videos, 1)
        ],
        "annotations": items,
        "categories": [CATEGORY],
    }  # fmt: skip


def _burst(videos: Sequence[Video]) -> Document:
    sequences = []
    for number, video in enumerate(videos, 1):
        dataset, _, name = video.name.rpartition("_-_")
        paths = [f"{frame}.jpg" for frame in video.frames]
        segmentations = [
            {
                str(k): {"rle": encode_rle(mask)["counts"]}
                for k, mask in video.read(frame).items()
            }
            for frame in video.frames
        ]
        sequences.append({
            "id": number, "dataset": dataset or "videos", "seq_name": name,
            "height": video.size[0], "width": video.size[1],
            "annotated_image_paths": paths, "all_image_paths": paths,
            "segmentations": segmentations,
            "track_category_ids": {
                str(k): CLASS for k in video.object_ids
            },
            "neg_category_ids": [], "not_exhaustive_category_ids": [],
        })  # fmt: skip
    return {"split": "val", "sequences": sequences, "categories": [CATEGORY]}


def _coco(videos: Sequence[Video]) -> Document:
    images: list[Document] = []
    items: list[Document] = []
    for video in videos:
        for frame in video.frames:
            images.append({
                "id": len(images) + 1, "video": video.name,
                "file_name": f"{video.name}/{frame}.jpg",
                "height": video.size[0], "width": video.size[1],
            })  # fmt: skip
            for object_id, mask in video.read(frame).items():
                rle = encode_rle(mask)
                items.append({
                    "id": len(items) + 1, "image_id": len(images),
                    "category_id": CLASS, "object_id": object_id,
                    "segmentation": rle, "area": _area(rle), "bbox": _box(rle),
                    "iscrowd": 0,
                })  # fmt: skip
    return {
        "info": {"description": "masks converted by s3fo"},
        "licenses": [],
        "images": images,
        "annotations": items,
        "categories": [CATEGORY],
    }


def _nest(videos: Sequence[Video]) -> Document:
    document: Document = {}
    for video in videos:
        # Without a mask nothing would tell the size.
        kept = {} if video.object_ids else {NO_OBJECT: np.zeros(video.size, bool)}
        document[video.name] = {
            frame: {
                str(k): encode_rle(m) for k, m in (video.read(frame) or kept).items()
            }
            for frame in video.frames
        }
    return document


def _plain(rle: Document) -> Document:
    """The same run lengths as a list of integers, as YouTube-VIS has them."""
    pixels = decode_rle(rle).ravel(order="F")
    edges = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    runs = np.diff(edges, prepend=0, append=pixels.size).tolist()
    return {"size": rle["size"], "counts": [0, *runs] if pixels[0] else runs}


def _box(rle: Document) -> list[float]:
    from pycocotools import mask as coco

    box: list[float] = coco.toBbox(rle).tolist()
    return box


def _area(rle: Document) -> int:
    from pycocotools import mask as coco

    return int(coco.area(rle))


_DOCUMENTS: dict[str, Callable[[Sequence[Video]], Document]] = {
    "youtube-vis": _youtube_vis,
    "burst": _burst,
    "coco": _coco,
    "json": _nest,
}
_FOLDERS: dict[str, Callable[[Video, Path, str], None]] = {
    "davis": _write_davis,
    "object-folders": _write_object_folders,
    "sa-v": _write_sa_v,
    "mots": _write_mots,
    "mots-png": _write_mots_png,
}

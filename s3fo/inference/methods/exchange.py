"""Files that a program reads and writes: frames, first masks, its output."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from evaluation.errors import InputError
from evaluation.masks.label_map import join_objects, write_label_map
from evaluation.masks.open import open_results
from evaluation.masks.pictures import write_picture
from evaluation.masks.sequence import FileSequence, MaskSequence
from s3fo.benchmarks.video import VideoSequence
from s3fo.inference.running.reader import read_frames, read_image

_JPEG_QUALITY = 100


def write_frames(
    sequence: VideoSequence, shown: Sequence[str], folder: Path, jpeg: bool
) -> tuple[int, int]:
    """Link or write the frames; returns their height and width."""
    folder.mkdir(parents=True)
    suffixes = {path.suffix.lower() for path in sequence.images.values()}
    if sequence.images and (not jpeg or suffixes <= {".jpg", ".jpeg"}):
        for frame in shown:
            source = sequence.images[frame].resolve()
            _link(source, folder / f"{frame}{source.suffix}")
        height, width = read_image(sequence.images[shown[0]]).shape[:2]
        return height, width
    wanted, shape = frozenset(shown), (0, 0)
    for frame, image in read_frames(sequence):
        shape = (image.shape[0], image.shape[1])
        if frame in wanted:
            path = folder / f"{frame}{'.jpg' if jpeg else '.png'}"
            write_picture(path, image[..., ::-1], _JPEG_QUALITY)
    return shape


def _link(source: Path, target: Path) -> None:
    try:
        target.symlink_to(source)
    except OSError:  # a file system without links
        shutil.copyfile(source, target)


def write_first_masks(sequence: VideoSequence, folder: Path) -> None:
    """Write one palette PNG per frame in which objects first appear."""
    for frame in sequence.prompt_frames():
        write_label_map(folder / f"{frame}.png", sequence.read_prompt(frame))


def collect_masks(
    sequence: VideoSequence,
    root: Path,
    wanted: Sequence[str],
    shown: Sequence[str],
    shape: tuple[int, int],
    folder: Path,
) -> None:
    """Read what a program wrote, check it, and write it as label maps."""
    masks = _open(sequence, root)
    segmented = frozenset(shown)
    missing = [f for f in wanted if f in segmented and f not in set(masks.frames)]
    if missing:
        raise InputError(
            f"{sequence.name}, output of the command",
            f"no masks of {len(missing)} frames ({', '.join(missing[:5])})",
            f"one PNG for each of the {len(shown)} frames, named as they are",
            "Let the program write all of them into {out}.",
        )
    for frame in wanted:
        if frame in segmented:
            label_map = _read(masks, frame, sequence, shape)
        else:
            label_map = np.zeros(shape, np.uint8)
        write_label_map(folder / f"{frame}.png", label_map)


def _open(sequence: VideoSequence, root: Path) -> MaskSequence:
    """The output, wherever below ``{out}`` or ``{out_root}`` it lies."""
    own, name = root / sequence.name, sequence.name
    inside = [path.name for path in own.iterdir()] if own.is_dir() else []
    is_object = name.isdecimal() and int(name) in sequence.object_ids
    if inside == [name] and not is_object:
        root = own  # it took {out} for the folder of all videos
    truth = sequence.object_masks or FileSequence(name, dict(sequence.annotations))
    found, _ = open_results(root, {name: truth})
    return found[name]


def _read(
    masks: MaskSequence, frame: str, sequence: VideoSequence, shape: tuple[int, int]
) -> np.ndarray:
    """Label map [H, W] of one frame.

    Raises:
        InputError: another size, or ids that no first mask has.
    """
    content = masks.read(frame)
    if isinstance(content, dict):
        larger_first = sorted(content, key=lambda key: -int(content[key].sum()))
        content = join_objects({key: content[key] for key in larger_first})
    label_map = np.asarray(content)
    if sequence.binary:
        label_map = (label_map > 0).astype(np.uint8)
    if label_map.shape != shape:
        raise InputError(
            masks.where(frame),
            f"a mask of {label_map.shape[1]}x{label_map.shape[0]} pixels",
            f"{shape[1]}x{shape[0]}, as the frames",
            "Let the program write masks at the size of the frames.",
        )
    found = np.unique(label_map).tolist()
    unknown = sorted(set(found) - {0, *sequence.object_ids})
    if unknown:
        raise InputError(
            masks.where(frame),
            f"ids {_list_ids(unknown[:5])}",
            f"0 and the ids of the first masks, {_list_ids(sequence.object_ids)}",
            "Let the program write the ids that the masks in {masks} have.",
        )
    return label_map


def _list_ids(ids: Iterable[int]) -> str:
    return ", ".join(map(str, ids))

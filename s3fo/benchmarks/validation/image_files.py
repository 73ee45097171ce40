"""Are image files whole, and of one size? Seen from their first and last bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from evaluation.errors import InputError
from evaluation.masks.png import PNG_SIGNATURE
from evaluation.masks.sequence import ObjectFolderSequence
from s3fo.benchmarks.video import VideoSequence

Size = tuple[int, int]
"""Height and width in pixels."""

_TAIL = 1024
_ENDS = {PNG_SIGNATURE: b"IEND", b"\xff\xd8\xff": b"\xff\xd9"}
"""How PNG and JPEG files begin, and what is near their end."""


def file_problems(sequence: VideoSequence) -> Iterator[str]:
    """What is wrong with the image and mask files of a video, one sentence each.

    Every image and every mask must be whole; images must have one size, and masks
    that of their image. Pixels are not decoded.
    """
    unreadable: list[str] = []
    images = _sizes(sequence.images, unreadable)
    unlike = [
        problem
        for masks in _mask_files(sequence)
        for problem in _unlike_their_images(
            sequence.name, images, _sizes(masks, unreadable)
        )
    ]
    yield from unlike or _unlike_the_first(sequence.name, images)
    yield from (f"{sequence.name}: {problem}" for problem in unreadable)


def picture_size(path: Path) -> Size:
    """Size of an image file, from its header.

    Raises:
        InputError: it is no image, or breaks off.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            size = image.height, image.width
        whole = _is_whole(path)
    except OSError as error:
        raise InputError(
            path, "no image that can be read", "an image file", "Copy it again."
        ) from error
    if not whole:
        raise InputError(
            path, "an image that breaks off", "a whole one", "Copy it again."
        )
    return size


def _is_whole(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(len(PNG_SIGNATURE))
        file.seek(max(0, path.stat().st_size - _TAIL))
        tail = file.read()
    ends = (end for begin, end in _ENDS.items() if start.startswith(begin))
    return all(end in tail for end in ends)


def _mask_files(sequence: VideoSequence) -> Iterator[Mapping[str, Path]]:
    """Mask files by frame: of the video, or of each object that has its own."""
    masks = sequence.object_masks
    if isinstance(masks, ObjectFolderSequence):
        for object_id in sorted(masks.annotated_ids()):
            frames = sorted(masks.object_frames(object_id))
            yield {frame: Path(masks.where(frame, object_id)) for frame in frames}
    elif masks is None:
        yield sequence.annotations


def _sizes(files: Mapping[str, Path], unreadable: list[str]) -> dict[str, Size]:
    """Sizes by frame; what cannot be read is told in `unreadable`."""
    sizes = {}
    for frame, path in files.items():
        try:
            sizes[frame] = picture_size(path)
        except InputError as error:
            unreadable.append(str(error))
    return sizes


def _unlike_the_first(name: str, images: Mapping[str, Size]) -> Iterator[str]:
    first = next(iter(images), "")
    others = [frame for frame in images if images[frame] != images[first]]
    if others:
        yield (
            f"{name}: the image of frame {others[0]} is {_text(images[others[0]])}, "
            f"that of {first} {_text(images[first])}{_more(others)}"
        )


def _unlike_their_images(
    name: str, images: Mapping[str, Size], masks: Mapping[str, Size]
) -> Iterator[str]:
    unlike = [f for f in masks if f in images and masks[f] != images[f]]
    if unlike:
        frame = unlike[0]
        yield (
            f"{name}, frame {frame}: the image is {_text(images[frame])}, its mask "
            f"{_text(masks[frame])}{_more(unlike)}"
        )


def _text(size: Size) -> str:
    return f"{size[1]}x{size[0]}"


def _more(frames: list[str]) -> str:
    return f" (and {len(frames) - 1} more)" if frames[1:] else ""

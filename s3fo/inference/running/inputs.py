"""What the masks of a video were made from, so that a change of it is noticed."""

from __future__ import annotations

import os
from collections.abc import Iterator

from evaluation._utils.fingerprint import digest_file, digest_of
from evaluation._utils.input_files import why_unreadable
from evaluation.errors import InputError
from evaluation.masks.sequence import ObjectFolderSequence
from evaluation.runs.schema import VideoInputs
from s3fo.benchmarks.layouts.files import FrameFiles, path_text
from s3fo.benchmarks.video import VideoSequence


def inputs_of(sequence: VideoSequence, known: VideoInputs | None = None) -> VideoInputs:
    """Digests of the images and the first masks of a video.

    Args:
        sequence: the video.
        known: of an earlier run. Where no file has changed since, by size and time, it
            is returned, and nothing is read.

    Raises:
        InputError: a mask is broken, or a file is missing.
        OSError: a file cannot be read.
    """
    files = _files(sequence)
    state = digest_of(_states(sequence, files)) if files else ""
    if known is not None and state and state == known.state:
        return known
    return VideoInputs(
        images=digest_of(_images(sequence)),
        prompts=digest_of(_prompts(sequence)),
        state=state,
    )


def changes(sequence: VideoSequence, made_from: VideoInputs | None) -> str:
    """What of a video changed since its masks were made; "" if nothing did.

    Masks of versions that kept no digests count as unchanged.

    Raises:
        InputError: a mask is broken, or a file is missing.
        OSError: a file cannot be read.
    """
    if made_from is None:
        return ""
    now = inputs_of(sequence, made_from)
    changed = [
        what
        for what, old, new in (
            ("images", made_from.images, now.images),
            ("first masks", made_from.prompts, now.prompts),
        )
        if old != new
    ]
    return " and ".join(changed)


def _files(sequence: VideoSequence) -> list[str]:
    """Image, video and mask files; none where masks lie in no files of their own."""
    files = [str(sequence.video)] if sequence.video else []
    files += [path_text(sequence.images, frame) for frame in sequence.images]
    if sequence.load_object_masks is None:
        annotations = sequence.annotations
        if not isinstance(annotations, (dict, FrameFiles)):
            return []  # made when they are asked for
        return files + [path_text(annotations, frame) for frame in annotations]
    masks = sequence.object_masks
    if not isinstance(masks, ObjectFolderSequence):
        return []
    return files + [
        masks.where(frame, object_id)
        for object_id in sorted(masks.annotated_ids())
        for frame in sorted(masks.object_frames(object_id))
    ]


def _states(sequence: VideoSequence, files: list[str]) -> Iterator[str]:
    yield f"{sequence.frames} {sequence.binary} {sequence.void} {sequence.late_objects}"
    for file in files:
        try:
            found = os.stat(file)
        except OSError as error:
            told = why_unreadable(file, error)
            fix = "Copy or fetch this file again."
            raise InputError(file, told, "an image or mask", fix) from error
        yield f"{file} {found.st_size} {found.st_mtime_ns}"


def _images(sequence: VideoSequence) -> Iterator[str | bytes]:
    if sequence.video:
        yield digest_file(sequence.video)
    for frame in sequence.frames:
        yield frame
        if frame in sequence.images:
            yield digest_file(path_text(sequence.images, frame))


def _prompts(sequence: VideoSequence) -> Iterator[str | bytes]:
    for frame, object_ids in sequence.prompt_frames().items():
        label_map = sequence.read_prompt(frame)
        yield f"{frame} {object_ids} {label_map.shape}"
        yield label_map.astype("<u2").tobytes()

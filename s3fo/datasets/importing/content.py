"""What a sample is made from: its fingerprint, taken while every file is read."""

from __future__ import annotations

from collections.abc import Iterator

from evaluation._utils.fingerprint import digest_of, digest_stream, encoded
from evaluation._utils.input_files import read_input
from evaluation.errors import InputError
from evaluation.masks.png import parse_header
from s3fo.benchmarks import VideoSequence
from s3fo.benchmarks.layouts.files import path_text
from s3fo.choices import MaskForm
from s3fo.datasets.importing.labels import categories_of
from s3fo.datasets.importing.videos import VideoFile

_PADDING = ((0, 0), (0, 1), (1, 0), (1, 1))
"""By how many pixels a video may be higher and wider than its frames."""


def content_of(sequence: VideoSequence, video: VideoFile, form: MaskForm) -> str:
    """Hash of everything that a sample is made from.

    Raises:
        InputError: a mask is not of the size of the frames.
    """
    return digest_stream(_parts(sequence, video, form))


def truth_token(sequence: VideoSequence) -> str:
    """Token of a video's name and the files of its ground truth, for a later look."""
    return digest_of(_truth_parts(sequence))[:12]


def _truth_parts(sequence: VideoSequence) -> Iterator[str | bytes]:
    yield sequence.name
    for frame in sequence.annotated_frames:
        yield frame
        if sequence.object_masks is None:
            yield read_input(
                path_text(sequence.annotations, frame), "a PNG file that can be read"
            )
        else:
            yield sequence.object_masks.digest(frame)


def _parts(
    sequence: VideoSequence, video: VideoFile, form: MaskForm
) -> Iterator[bytes]:
    yield encoded(f"{video.content} {form} {sequence.frames}")
    yield encoded(f"{categories_of(sequence)} {sequence.attributes}")
    for frame in sequence.annotated_frames:
        if sequence.object_masks is None:
            path = path_text(sequence.annotations, frame)
            data = read_input(path, "a PNG file that can be read")
            header = parse_header(data)
            _check_size(path, header.size if header else None, video)
            yield data
        else:
            for object_id, mask in sorted(sequence.read_object_masks(frame).items()):
                _check_size(sequence.object_masks.where(frame), mask.shape, video)
                yield encoded(f"{frame} {object_id}") + mask.tobytes()


def _check_size(where: str, size: tuple[int, ...] | None, video: VideoFile) -> None:
    """Complain about a mask that does not fit its frame; videos have even sizes."""
    fits = {(video.height - bottom, video.width - right) for bottom, right in _PADDING}
    if size is not None and size not in fits:
        raise InputError(
            where,
            f"a mask of {size[1]}x{size[0]} pixels",
            f"about {video.width}x{video.height}, as the frames",
            "Use the masks and frames of one resolution.",
        )

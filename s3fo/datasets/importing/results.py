"""A method's masks of the videos of a dataset, in every form that can be scored.

Results are opened by the resolver of `evaluation.score`: label maps or object folders,
whatever lies around them, or a JSON file; with the names of the frames or nearly.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.errors import InputError, InputWarning
from evaluation.masks.encoding import encoding_of
from evaluation.masks.label_map import join_objects
from evaluation.masks.names import shown
from evaluation.masks.numbering import name_video_frames
from evaluation.masks.open import open_results
from evaluation.masks.prepare import keeps_objects
from evaluation.masks.sequence import FileSequence, MaskSequence
from evaluation.options import DEFAULT_OPTIONS, InputOptions
from evaluation.results.checks.masks import describe_filling, filling_objects
from s3fo.benchmarks import VideoSequence
from s3fo.datasets.importing.labels import ObjectMask, masks_of_label_map


@dataclass(frozen=True)
class PredictedVideo:
    """The predicted masks of one video.

    Attributes:
        sequence: the video.
        masks: what was predicted.
        names: the prediction's name of each frame that it has.
        binary: whether any non-zero pixel is object 1.
    """

    sequence: VideoSequence
    masks: MaskSequence
    names: Mapping[str, str]
    binary: bool

    @property
    def is_plain(self) -> bool:
        """Whether the files are label maps whose pixels are ids as they stand."""
        return isinstance(self.masks, FileSequence) and not self.masks.remarks()

    def files(self) -> dict[str, Path]:
        """The mask file of each frame; none unless there is one file per frame."""
        if not isinstance(self.masks, FileSequence):
            return {}
        return {f: Path(self.masks.where(name)) for f, name in self.names.items()}

    def label_map(self, frame: str) -> NDArray[np.integer]:
        """Label map [H, W] of a frame; where masks overlap the smaller lies on top."""
        masks = self.masks.read(self.names[frame])
        if not isinstance(masks, dict):
            return (masks > 0).view(np.uint8) if self.binary else masks
        if self.binary:
            return np.logical_or.reduce(list(masks.values())).view(np.uint8)
        larger_first = sorted(masks, key=lambda key: -int(masks[key].sum()))
        return join_objects({key: masks[key] for key in larger_first})

    def objects(self, frame: str) -> list[ObjectMask]:
        """The objects predicted in a frame; overlapping masks stay whole."""
        masks = self.masks.read(self.names[frame])
        if self.binary or not isinstance(masks, dict):
            return masks_of_label_map(self.label_map(frame))
        return [
            one._replace(object_id=key)
            for key, mask in sorted(masks.items())
            for one in masks_of_label_map(np.ascontiguousarray(mask).view(np.uint8))
        ]


def open_predictions(
    results: Path,
    sequences: Sequence[VideoSequence],
    options: InputOptions = DEFAULT_OPTIONS,
) -> list[PredictedVideo]:
    """Open the predictions for some videos.

    Args:
        results: folder, or JSON file of run-length encodings.
        sequences: the videos.
        options: how masks are read: `binarize` counts.

    Returns:
        Those that there are, in the order of the videos. What is odd about them is
        told by an `InputWarning`.

    Raises:
        InputError: there are none, their names fit no frame, or masks have soft edges.
    """
    truth = _truth(sequences)
    found, label = open_results(results, truth, binarize=options.binarize)
    for name, given in found.items():
        found[name] = own = given.binarized() if options.binarize else given
        if isinstance(own, FileSequence) and truth[name].frames:
            own.compare_with(truth[name])
    frames = {item.name: item.frames for item in sequences}
    named = name_video_frames(truth, found, frames, label)
    predicted = []
    for sequence in sequences:
        masks = found.get(sequence.name)
        if masks is None:
            continue
        merge = options.binarize and not keeps_objects(truth[sequence.name], masks)
        binary = sequence.binary or merge
        names = named[sequence.name].names
        if not names:
            raise _complain_unmatched(sequence, masks, results)
        for note in named[sequence.name].notes:
            _tell(sequence, note)
        video = PredictedVideo(sequence, masks, names, binary)
        binary = binary or _look_at(video)
        for remark in masks.remarks():
            _tell(sequence, remark)
        predicted.append(PredictedVideo(sequence, masks, names, binary))
    return predicted


def find_videos(results: Path, sequences: Sequence[VideoSequence]) -> list[str]:
    """The videos that there are predictions of; no mask is looked at.

    Args:
        results: folder, or JSON file of run-length encodings.
        sequences: the videos.

    Raises:
        InputError: there are none.
    """
    return list(open_results(results, _truth(sequences))[0])


def _truth(sequences: Sequence[VideoSequence]) -> dict[str, MaskSequence]:
    return {
        item.name: item.object_masks or FileSequence(item.name, dict(item.annotations))
        for item in sequences
    }


def _complain_unmatched(
    sequence: VideoSequence, masks: MaskSequence, results: Path
) -> InputError:
    """The complaint about masks of which no name fits a frame."""
    there, remarks = masks.frames, "; ".join(masks.remarks())
    return InputError(
        f"{results}, sequence {sequence.name}",
        f"masks called {shown(there)} of which none fits" if there else remarks,
        f"one mask per frame, called like the frames: {shown(sequence.frames)}",
        masks.remedy,
    )


def _look_at(video: PredictedVideo) -> bool:
    """Look at the first mask that is not empty: is it a mask of 0 and 255?

    Raises:
        InputError: it has soft edges.
    """
    if not isinstance(video.masks, FileSequence):
        found: dict[int, bool] = {}
        for name in list(video.names.values())[:_FILLED]:
            found |= filling_objects(video.masks.read(name))
        if found:
            _tell(video.sequence, describe_filling(found))
        return False
    for name in list(video.names.values())[:_LOOKED_AT]:
        label_map = video.masks.read(name)
        assert not isinstance(label_map, dict)
        if label_map.any():
            encoding = encoding_of(label_map, video.masks.where(name))
            for note in encoding.notes if not video.binary else ():
                _tell(video.sequence, note)
            return encoding.binary
    return False


_FILLED = 5
"""Masks looked at for objects that fill the frame."""

_LOOKED_AT = 20
"""Masks looked at for one that is not empty."""


def read_sizes(video: PredictedVideo) -> Iterator[tuple[str, str, tuple[int, int]]]:
    """Frame, file and (height, width) of each mask, from headers where there are any.

    Raises:
        InputError: a file is no PNG.
    """
    from evaluation.masks.png import read_header

    for frame, name in video.names.items():
        if isinstance(video.masks, FileSequence):
            path = video.masks.where(name)
            yield frame, path, read_header(path).size
        else:
            masks = video.masks.read(name)
            assert isinstance(masks, dict)
            for key, mask in masks.items():
                yield (
                    frame,
                    video.masks.where(name, key),
                    (mask.shape[0], mask.shape[1]),
                )


def _tell(sequence: VideoSequence, text: str) -> None:
    warnings.warn(f"{sequence.name}: {text}", InputWarning, stacklevel=3)

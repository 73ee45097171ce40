"""Masks of single frames as small pictures, ground truth beside predictions."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import cv2
import fiftyone as fo
import numpy as np
from PIL import Image

from evaluation.failures import ComparedMasks
from evaluation.masks.label_map import LabelMap, as_label_map, davis_palette
from s3fo.benchmarks import VideoSequence
from s3fo.datasets.reading.cache import cached
from s3fo.datasets.scoring.from_files import compared_masks

MaskPictures = dict[str, list[str | None]]
"""Name of a column -> the source of an image per frame; None where there is no mask."""

TRUTH = "ground truth"
"""Name of the first column."""


def mask_pictures(
    dataset: fo.Dataset,
    sequence: str,
    eval_keys: Sequence[str],
    numbers: Sequence[int],
    width: int = 640,
) -> MaskPictures:
    """Masks of some frames, each object in its colour and the background clear.

    Args:
        dataset: evaluated.
        sequence: name of the video.
        eval_keys: evaluations whose predictions are wanted, one or more.
        numbers: of the frames, from 1.
        width: of the pictures, pixels; never enlarged.

    Returns:
        Of the ground truth, and of every evaluation: PNG as ``data:`` URLs. Masks are
        those that were compared; frames without ground truth have predictions as they
        are in the files, and none where objects were matched to proposals.

    Raises:
        InputError: no such evaluation, or its files are gone.
    """
    found: MaskPictures = {TRUTH: [None] * len(numbers)}
    for key in eval_keys:
        video, masks = _load_compared(dataset, key, sequence)
        found[key] = []
        for place, number in enumerate(numbers):
            truth, predicted = _read(masks, sequence, video.frames[number - 1])
            found[key].append(_picture(predicted, width))
            if found[TRUTH][place] is None:
                found[TRUTH][place] = _picture(truth, width)
    return found


def _load_compared(
    dataset: fo.Dataset, eval_key: str, sequence: str
) -> tuple[VideoSequence, ComparedMasks]:
    """A video and its masks, kept for the next frames."""
    if eval_key not in dataset.list_evaluations():
        return compared_masks(dataset, eval_key, sequence)  # Says what there is.
    made = dataset.get_evaluation_info(eval_key).timestamp
    key = ("compared masks", eval_key, sequence)
    return cached(
        dataset, key, made, lambda: compared_masks(dataset, eval_key, sequence)
    )


def _read(
    masks: ComparedMasks, sequence: str, frame: str
) -> tuple[LabelMap | None, LabelMap | None]:
    """Ground truth and prediction of a frame, as far as there are any."""
    pair = masks.pairs[sequence]
    if frame in pair.gt.frames:
        truth, predicted = masks.read(sequence, frame)
        return as_label_map(truth, predicted), as_label_map(predicted, truth)
    if pair.pred is None or frame not in pair.pred.frames or masks.matched(sequence):
        return None, None
    found = pair.pred.read(frame)
    if isinstance(found, dict) and not found:
        return None, None
    return None, as_label_map(found, found)


def _picture(label_map: LabelMap | None, width: int) -> str | None:
    """A label map as a PNG with palette, the background clear."""
    if label_map is None:
        return None
    # Palettes have 255 colours beside the background.
    small = np.where(label_map > 0, (label_map.astype(np.int64) - 1) % 255 + 1, 0)
    small = small.astype(np.uint8)
    scale = width / small.shape[1]
    if scale < 1:
        size = (width, max(1, round(scale * small.shape[0])))
        small = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_NEAREST))
    image = Image.fromarray(small)
    image.putpalette(davis_palette().tobytes())
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", transparency=0)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()

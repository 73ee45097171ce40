"""Trivial baselines: the first mask everywhere, and masks carried by flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from s3fo.benchmarks.video import VideoSequence
from s3fo.inference.methods.base import ObjectPrompt


class CopyBaseline:
    """Every object stays where it first appeared.

    Args:
        size: accepted for uniformity; copying works at any size.
    """

    name = "copy"
    device = "cpu"
    correction_prompts = ("mask",)

    def __init__(self, size: int | None = None) -> None:
        self.settings: Mapping[str, Any] = {}

    def start(self, sequence: VideoSequence) -> None:
        """Forget the previous video."""
        self._label_map: np.ndarray | None = None

    def step(
        self, image: np.ndarray, prompt: np.ndarray | None, *, last: bool = False
    ) -> np.ndarray:
        """Repeat the label map; new objects are laid over it."""
        self._label_map = lay_over(self._label_map, prompt, image.shape[:2])
        return self._label_map

    def expect_correction(self) -> None:
        """Nothing to keep: a correction replaces masks of objects."""

    def correct(
        self,
        image: np.ndarray,
        prompts: Mapping[int, ObjectPrompt],
        *,
        last: bool = False,
    ) -> np.ndarray:
        """Repeat the corrected masks from here on."""
        assert self._label_map is not None
        self._label_map = replace_objects(self._label_map, prompts)
        return self._label_map


class FlowBaseline:
    """Masks carried along by dense optical flow (Kroeger et al., ECCV 2016: DIS).

    For every pixel it keeps the place in the prompted frame that the flows lead back
    to, and looks the label up there: labels are sampled once, however long the video.

    Args:
        size: flow is computed with the short side at most this many pixels; None
            for the frames as they are.
    """

    name = "flow"
    device = "cpu"
    correction_prompts = ("mask",)

    def __init__(self, size: int | None = None) -> None:
        self.settings: Mapping[str, Any] = {"flow": "DIS medium", "size": size}
        self._size = size

    def start(self, sequence: VideoSequence) -> None:
        """Forget the previous video."""
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._grey: np.ndarray | None = None
        self._anchor: np.ndarray | None = None
        self._source = np.empty((0, 0, 2), np.float32)

    def step(
        self, image: np.ndarray, prompt: np.ndarray | None, *, last: bool = False
    ) -> np.ndarray:
        """Carry the objects to this frame; lay new ones over them."""
        grey = self._shrink(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
        label_map = None
        if self._grey is not None and self._anchor is not None:
            # Flow from here to the frame before, so that every pixel finds a source.
            no_guess = np.zeros((*grey.shape, 2), np.float32)
            flow = self._flow.calc(grey, self._grey, no_guess)
            flow = self._enlarge(flow, image.shape[:2])
            self._source = _follow(self._source, flow)
            label_map = _look_up(self._anchor, self._source)
        self._grey = grey
        if prompt is not None or label_map is None:
            label_map = self._carry_from(lay_over(label_map, prompt, image.shape[:2]))
        self._label_map = label_map
        return label_map

    def _carry_from(self, label_map: np.ndarray) -> np.ndarray:
        """Carry the labels of this frame from here on."""
        self._anchor, self._source = label_map, _pixel_grid(label_map.shape)
        return label_map

    def expect_correction(self) -> None:
        """Nothing to keep: a correction replaces masks of objects."""

    def correct(
        self,
        image: np.ndarray,
        prompts: Mapping[int, ObjectPrompt],
        *,
        last: bool = False,
    ) -> np.ndarray:
        """Carry the corrected masks from here on."""
        self._label_map = self._carry_from(replace_objects(self._label_map, prompts))
        return self._label_map

    def _shrink(self, grey: np.ndarray) -> np.ndarray:
        short = min(grey.shape)
        if not self._size or short <= self._size:
            return grey
        scale = self._size / short
        return cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)

    def _enlarge(self, flow: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        if flow.shape[:2] == shape:
            return flow
        ratio = np.array([shape[1] / flow.shape[1], shape[0] / flow.shape[0]])
        return cv2.resize(flow, shape[::-1]) * ratio.astype(np.float32)


def lay_over(
    label_map: np.ndarray | None, prompt: np.ndarray | None, shape: tuple[int, ...]
) -> np.ndarray:
    """The label map with new objects on top; all background if there is neither."""
    if prompt is None:
        return np.zeros(shape, np.uint8) if label_map is None else label_map
    if label_map is None:
        return prompt
    return np.where(prompt > 0, prompt, label_map).astype(
        np.promote_types(prompt.dtype, label_map.dtype)
    )


def replace_objects(
    label_map: np.ndarray, prompts: Mapping[int, ObjectPrompt]
) -> np.ndarray:
    """The label map with the masks of prompts in place of those objects' pixels.

    Args:
        label_map: [H, W] uint8 or uint16.
        prompts: with masks, by object id; they claim pixels of other objects.

    Example:
        >>> mask = np.array([[False, True, True]])
        >>> replace_objects(
        ...     np.array([[1, 2, 0]], np.uint8), {1: ObjectPrompt(mask=mask)}
        ... )
        array([[0, 1, 1]], dtype=uint8)
    """
    narrow = max(prompts, default=0) < 256
    fit = np.promote_types(label_map.dtype, np.uint8 if narrow else np.uint16)
    replaced = np.where(np.isin(label_map, list(prompts)), 0, label_map).astype(fit)
    for object_id, prompt in prompts.items():
        assert prompt.mask is not None
        replaced[prompt.mask] = object_id
    return replaced


def _pixel_grid(shape: tuple[int, ...]) -> np.ndarray:
    """(x, y) of every pixel, [H, W, 2] float32."""
    rows, columns = np.indices(shape[:2], np.float32)
    return np.stack([columns, rows], axis=-1)


def _follow(source: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Where each pixel came from, one flow step [H, W, 2] further on."""
    before = _pixel_grid(flow.shape) + flow
    no_second_map = np.empty(0)
    return cv2.remap(
        source,
        before,
        no_second_map,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _look_up(label_map: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Labels at the source places; outside the frame there is background."""
    return cv2.remap(
        label_map,
        source,
        np.empty(0),
        cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )

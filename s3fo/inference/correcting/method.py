"""`CorrectedMethod`: a method, and a simulated user who corrects it on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.corrections import Click, bounding_box, next_click, object_iou
from evaluation.errors import InputError
from evaluation.masks.pairs import Masks
from evaluation.masks.prepare import prepare
from evaluation.masks.sequence import MaskSequence
from evaluation.protocols import ScoringProtocol
from s3fo.benchmarks.video import VideoObject, VideoSequence
from s3fo.inference.correcting.plans import Plan, VideoPlan
from s3fo.inference.correcting.prompted import (
    Prompted,
    VideoPrompts,
    read_prompts,
    write_prompts,
)
from s3fo.inference.methods.base import (
    AnyMethod,
    CorrectableMethod,
    Method,
    ObjectPrompt,
    VideoMethod,
)
from s3fo.inference.methods.baselines import replace_objects

MEMORY, RESTART = "memory", "restart"


@dataclass(frozen=True)
class Prompting:
    """How corrections are given.

    Attributes:
        kind: ``"mask"``, ``"clicks"`` or ``"box"``.
        clicks: of one correction at most.
    """

    kind: str
    clicks: int


def how_corrected(method: AnyMethod, kind: str) -> str:
    """What a method makes of corrections: into its memory, or by beginning anew.

    Raises:
        InputError: it takes no corrections of this kind.
    """
    taken: tuple[str, ...] = ()
    if isinstance(method, CorrectableMethod):
        taken = method.correction_prompts
    if kind in taken:
        return MEMORY
    if isinstance(method, VideoMethod):
        raise InputError(
            f"method {method.name}",
            "a method that segments whole videos at once",
            "one that goes frame by frame, and so can be corrected on the way",
            "Choose another method, e.g. --method s3 (method='s3').",
        )
    if kind != "mask":
        raise InputError(
            f"prompt {kind!r}",
            f"the method {method.name}, which takes "
            + (", ".join(taken) or "masks only"),
            "a prompt that the method takes",
            "Choose --prompt mask (prompt='mask'), or a method that takes clicks and "
            "boxes, e.g. --method sam2 (method='sam2').",
        )
    return RESTART


class CorrectedMethod:
    """A `Method` that a simulated user corrects as a plan says.

    A method that cannot be corrected begins anew at a corrected frame, with the masks
    of all objects there as its first ones.

    Args:
        method: what is corrected; no `VideoMethod`.
        plan: which objects are corrected in which frames.
        prompting: how.
        truth: ground truth by sequence.
        protocol: says what is compared with it.
        record: folder for what was corrected.
        masks: sequence and frame -> masks of objects to correct by; None takes those
            of the ground truth.

    Raises:
        InputError: the method takes no such corrections.
    """

    def __init__(
        self,
        method: AnyMethod,
        plan: Plan,
        prompting: Prompting,
        truth: Mapping[str, MaskSequence],
        protocol: ScoringProtocol,
        record: Path,
        masks: Callable[[str, str], Mapping[int, np.ndarray]] | None = None,
    ) -> None:
        self._restarts = how_corrected(method, prompting.kind) == RESTART
        assert not isinstance(method, VideoMethod)
        self._method: Method = method
        self._plan, self._prompting, self._masks = plan, prompting, masks
        self._truth, self._protocol, self._record = truth, protocol, record
        self.name, self.device = method.name, method.device
        settings = {
            **plan.settings,
            "prompt": prompting.kind,
            "protocol": protocol.name,
            "how": RESTART if self._restarts else MEMORY,
        }
        if prompting.kind == "clicks":
            settings["clicks"] = prompting.clicks
        self.settings: Mapping[str, Any] = {
            **method.settings,
            "corrections": settings,
        }

    def has_written(self, sequence: VideoSequence) -> bool:
        """Whether the video was corrected as the plan has it."""
        written = read_prompts(self._record, sequence.name)
        inner = getattr(self._method, "has_written", None)
        return (
            written is not None
            and written.key == self._plan.key(sequence.name)
            and (inner is None or bool(inner(sequence)))
        )

    def start(self, sequence: VideoSequence) -> None:
        """Forget the previous video."""
        self._sequence = sequence
        first = sequence.frames.index(next(iter(sequence.prompt_frames())))
        self._frames: Iterator[str] = iter(sequence.frames[first:])
        self._video: VideoPlan = self._plan.begin(sequence.name)
        self._made: list[Prompted] = []
        self._method.start(sequence)

    def step(
        self, image: np.ndarray, prompt: np.ndarray | None, *, last: bool = False
    ) -> np.ndarray:
        """Segment the next frame, and correct it where the plan says so."""
        self._frame = frame = next(self._frames)
        due = self._video.due(frame)
        if due and isinstance(self._method, CorrectableMethod):
            self._method.expect_correction()
        label_map = self._method.step(image, prompt, last=last)
        if due:
            label_map = self._look(frame, image, label_map, due, last)
        if last:
            key = self._plan.key(self._sequence.name)
            prompts = VideoPrompts(key, tuple(self._made))
            write_prompts(self._record, self._sequence.name, prompts)
        return label_map

    def _look(
        self,
        frame: str,
        image: np.ndarray,
        label_map: np.ndarray,
        due: tuple[int, ...],
        last: bool,
    ) -> np.ndarray:
        """Look at the objects of a frame, and correct those that need it."""
        ious = self._ious(frame, label_map, due)
        chosen = self._video.choose(frame, ious)
        if not chosen:
            return label_map
        shown = self._shown(frame)
        absent = np.zeros(label_map.shape, dtype=bool)
        wanted = {key: shown.get(key, absent).astype(bool) for key in chosen}
        if self._prompting.kind == "clicks":
            corrected, clicks = self._click(image, label_map, wanted, last)
        else:
            corrected = self._give(image, label_map, wanted, last)
            clicks = dict.fromkeys(chosen, 0)
        self._made += [Prompted(key, frame, ious[key], clicks[key]) for key in chosen]
        return corrected

    def _shown(self, frame: str) -> Mapping[int, np.ndarray]:
        """Masks of the objects that the user sees in a frame."""
        if self._masks is None:
            return self._sequence.read_object_masks(frame)
        return self._masks(self._sequence.name, frame)

    def _ious(
        self, frame: str, label_map: np.ndarray, objects: tuple[int, ...]
    ) -> dict[int, float]:
        """IoU of each object, on the masks that are compared for scoring."""
        gt = self._truth[self._sequence.name].read(frame)
        truth, predicted = prepare(gt, label_map, self._protocol)
        return {
            key: object_iou(_mask_of(truth, key), _mask_of(predicted, key))
            for key in objects
        }

    def _give(
        self,
        image: np.ndarray,
        label_map: np.ndarray,
        wanted: Mapping[int, NDArray[np.bool_]],
        last: bool,
    ) -> np.ndarray:
        """Correct by the masks of objects, or by boxes around them."""
        masks = {key: ObjectPrompt(mask=mask) for key, mask in wanted.items()}
        if self._restarts:
            return self._restart(image, replace_objects(label_map, masks), last)
        assert isinstance(self._method, CorrectableMethod)
        if self._prompting.kind == "box":
            boxes = {key: bounding_box(mask) for key, mask in wanted.items()}
            given = {k: ObjectPrompt(box=box) for k, box in boxes.items() if box}
            return self._method.correct(image, given, last=last)
        # What the user has drawn is the result there, whatever the method keeps of it.
        return replace_objects(self._method.correct(image, masks, last=last), masks)

    def _click(
        self,
        image: np.ndarray,
        label_map: np.ndarray,
        wanted: Mapping[int, NDArray[np.bool_]],
        last: bool,
    ) -> tuple[np.ndarray, dict[int, int]]:
        """Click at the largest errors, again and again; also how often."""
        assert isinstance(self._method, CorrectableMethod)
        clicks: dict[int, tuple[Click, ...]] = dict.fromkeys(wanted, ())
        for _ in range(self._prompting.clicks):
            further = {
                key: next_click(mask, label_map == key) for key, mask in wanted.items()
            }
            if not any(further.values()):
                break
            for key, click in further.items():
                clicks[key] += (click,) if click is not None else ()
            prompts = {k: ObjectPrompt(clicks=given) for k, given in clicks.items()}
            given = {key: prompt for key, prompt in prompts.items() if prompt.clicks}
            label_map = self._method.correct(image, given, last=last)
        return label_map, {key: len(given) for key, given in clicks.items()}

    def _restart(
        self, image: np.ndarray, corrected: np.ndarray, last: bool
    ) -> np.ndarray:
        """Begin anew at this frame, with the masks of all objects in it."""
        shown = [int(key) for key in np.unique(corrected) if key]
        if shown:  # there is no first mask of nothing
            self._method.start(_rest(self._sequence, self._frame, shown))
            self._method.step(image, corrected, last=last)
        return corrected


def _rest(sequence: VideoSequence, frame: str, shown: list[int]) -> VideoSequence:
    """A video from a frame on, where the objects in it are the first ones."""
    frames = sequence.frames[sequence.frames.index(frame) :]
    known = {item.object_id: item for item in sequence.objects}
    begun = tuple(
        replace(known.get(key, VideoObject(key, frame)), first_frame=frame)
        for key in shown
    )
    later = tuple(
        item for item in sequence.objects if item.first_frame in set(frames[1:])
    )
    return replace(sequence, frames=frames, known_objects=(*begun, *later))


def _mask_of(masks: Masks, object_id: int) -> NDArray[np.bool_]:
    if isinstance(masks, dict):
        shape = next((mask.shape for mask in masks.values()), (1, 1))
        return masks.get(object_id, np.zeros(shape, bool)).astype(bool)
    return np.asarray(masks == object_id)

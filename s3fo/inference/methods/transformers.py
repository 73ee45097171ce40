"""SAM 2, EdgeTAM and SAM 3 trackers, by the classes of the transformers library.

Frames are streamed: each is resized, given to the model and forgotten. A mask prompt is
added by the model's own session calls, so the library's processors (and torchvision,
which they need) are not used; what they compute is done here in the same way.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from evaluation.errors import InputError
from s3fo.benchmarks.video import VideoSequence
from s3fo.inference.device import choose_device, device_name
from s3fo.inference.methods.base import ObjectPrompt
from s3fo.inference.methods.families import EDGETAM, SAM2, SAM3, Family, load_model
from s3fo.inference.methods.hub import find_hub_weights
from s3fo.inference.precision import AUTO, AUTOCAST, require_precision


class TransformersMethod:
    """Objects followed by a video tracker of the transformers library.

    Every object is segmented by itself. Where several claim a pixel, it goes to the
    one with the highest logit, as in SAM 2's own evaluation script and in the library's
    `post_process_masks` with ``apply_non_overlapping_constraints``; a pixel where no
    logit is above 0 is background.

    What the model no longer looks at is dropped after every frame, so memory does not
    grow with the length of the video.

    Args:
        weights: a local folder or a name on the hub, see `find_hub_weights`.
        device: as for `S3Method`.
        precision: number format of weights and activations: ``"float32"``,
            ``"bfloat16"``, ``"float16"``; ``"auto"`` is bfloat16 on CUDA, as SAM 2's
            own tools use it there, else float32.
        compile_encoder: compile the image encoder; pays off over many frames.

    Raises:
        InputError: weights, device or precision that is not there, weights of another
            kind of model, or not all of them.
    """

    family: ClassVar[Family]

    def __init__(
        self,
        *,
        weights: str | None = None,
        device: str = "auto",
        precision: str = AUTO,
        compile_encoder: bool = False,
    ) -> None:
        if not weights:
            raise InputError(
                f"method {self.family.method}",
                "no weights",
                "a folder or a hub name",
                f"Pass --weights, for example --weights {self.family.example}.",
            )
        chosen = choose_device(device)
        precision = _choose_precision(precision, chosen)
        found = find_hub_weights(weights)
        dtype = AUTOCAST[precision] or torch.float32
        self._model = load_model(self.family, found).to(chosen, dtype).eval()
        if compile_encoder:
            self._model.vision_encoder.compile()
        module = sys.modules[type(self._model).__module__]
        session = self.family.model.replace("Model", "InferenceSession")
        self._session_class = getattr(module, session)
        normalisation = found.normalisation or self.family.normalisation
        mean, std = normalisation["image_mean"], normalisation["image_std"]
        self._mean = torch.tensor(mean).view(3, 1, 1).to(chosen)
        self._std = torch.tensor(std).view(3, 1, 1).to(chosen)
        self._device, self._dtype = chosen, dtype
        self.name = self.family.method
        self.device = device_name(chosen)
        self.settings: Mapping[str, Any] = {
            "model": self.family.model,
            "weights": found.record(),
            "size": self._side,
            "precision": precision,
            "overlaps": "highest logit",
            "image_mean": mean,
            "image_std": std,
        }

    @property
    def _side(self) -> int:
        """Height and width in pixels of the frames that the model takes."""
        size = self._model.config.image_size
        return int(size if isinstance(size, int) else size[0])

    def start(self, sequence: VideoSequence) -> None:
        """Forget the previous video."""
        self._sessions: list[Any] = []
        self._frame = -1

    @torch.inference_mode()
    def step(
        self, image: np.ndarray, prompt: np.ndarray | None, *, last: bool = False
    ) -> np.ndarray:
        """Segment the next frame; objects of the prompt are followed from here on."""
        self._frame += 1
        if prompt is not None and prompt.any():
            self._add_objects(prompt, image.shape[:2])
        return self._track(image)

    def _track(self, image: np.ndarray) -> np.ndarray:
        """Label map of all objects in the frame at hand."""
        if not self._sessions:
            return np.zeros(image.shape[:2], np.uint8)
        pixels = self._prepare(image)
        ids: list[int] = []
        logits: list[Tensor] = []
        for session in self._sessions:
            answer = self._model(session, frame=pixels, frame_idx=self._frame)
            ids += answer.object_ids
            logits.append(answer.pred_masks.float())
            self._forget(session)
        return _label_map(torch.cat(logits), ids, image.shape[:2])

    @property
    def correction_prompts(self) -> tuple[str, ...]:
        """What `correct` takes; nothing where a session has one prompted frame."""
        return () if self.family.one_prompt_frame else ("mask", "clicks", "box")

    def expect_correction(self) -> None:
        """Nothing to keep: a session takes prompts for frames that it has tracked."""

    @torch.inference_mode()
    def correct(
        self,
        image: np.ndarray,
        prompts: Mapping[int, ObjectPrompt],
        *,
        last: bool = False,
    ) -> np.ndarray:
        """Segment the frame again by prompts.

        A mask makes the frame one that conditions all later ones, as that of an
        object's first mask. Clicks and boxes refine what the memory says, as in SAM 2's
        own predictor.
        """
        session = self._sessions[-1]
        for object_id, prompt in prompts.items():
            index = session.obj_id_to_idx(object_id)
            if prompt.mask is not None:
                session.frames_tracked_per_obj[index].pop(self._frame, None)
                outputs = session.output_dict_per_obj[index]
                outputs["non_cond_frame_outputs"].pop(self._frame, None)
                self._add_mask(session, object_id, prompt.mask)
            else:
                points = _points(prompt, image.shape[:2], self._side)
                session.add_point_inputs(index, self._frame, points)
        session.obj_with_new_inputs = list(prompts)
        return self._track(image)

    def _add_mask(self, session: Any, object_id: int, mask: np.ndarray) -> None:
        """Give the mask [H, W] of an object in this frame to a session."""
        pixels = torch.from_numpy(mask).to(self._device)[None, None]
        session.add_mask_inputs(
            session.obj_id_to_idx(object_id),
            self._frame,
            _resize_mask(pixels, self._side),
        )

    def _add_objects(self, prompt: np.ndarray, shape: tuple[int, ...]) -> None:
        """Give the objects of a label map [H, W] to a session, as masks."""
        ids = [int(i) for i in np.unique(prompt) if i]
        if self.family.one_prompt_frame or not self._sessions:
            session = self._session_class(
                video_height=shape[0],
                video_width=shape[1],
                inference_device=self._device,
                inference_state_device=self._device,
                video_storage_device=self._device,
                dtype=self._dtype,
            )
            if self._sessions:  # of one frame the image is encoded once
                session.cache = self._sessions[0].cache
            self._sessions.append(session)
        session = self._sessions[-1]
        for object_id in ids:
            self._add_mask(session, object_id, prompt == object_id)
        session.obj_with_new_inputs = list(ids)

    def _prepare(self, image: np.ndarray) -> Tensor:
        """A frame [H, W, 3] uint8 as the model takes it: [1, 3, side, side]."""
        pixels = torch.from_numpy(image).permute(2, 0, 1)[None]
        size = (self._side, self._side)
        if tuple(image.shape[:2]) != size:
            # In uint8 and on the CPU, as the library's processor does by default.
            pixels = F.interpolate(
                pixels, size, mode="bilinear", align_corners=False, antialias=True
            )
        pixels = pixels.to(self._device, torch.float32) / 255
        return ((pixels - self._mean) / self._std).to(self._dtype)

    def _forget(self, session: Any) -> None:
        """Drop what no later frame reads."""
        config = self._model.config
        reach = max(config.num_maskmem, config.max_object_pointers_in_encoder)
        session.processed_frames.clear()
        for index in range(session.get_obj_num()):
            session.mask_inputs_per_obj[index].clear()
            session.point_inputs_per_obj[index].clear()
            outputs = session.output_dict_per_obj[index]
            tracked = session.frames_tracked_per_obj[index]
            for stored in (outputs["non_cond_frame_outputs"], tracked):
                for frame in [f for f in stored if f <= self._frame - reach]:
                    del stored[frame]
            for kind in ("cond_frame_outputs", "non_cond_frame_outputs"):
                output = outputs[kind].get(self._frame, {})
                output.pop("high_res_masks", None)


class Sam2Method(TransformersMethod):
    """SAM 2 and 2.1 (Ravi et al., ICLR 2025)."""

    family = SAM2


class EdgeTamMethod(TransformersMethod):
    """EdgeTAM (Zhou et al., CVPR 2025)."""

    family = EDGETAM


class Sam3Method(TransformersMethod):
    """The tracker of SAM 3 with mask prompts (Carion et al., 2025)."""

    family = SAM3


def _label_map(masks: Tensor, ids: Sequence[int], shape: tuple[int, ...]) -> np.ndarray:
    """Label map [H, W] from the logits [K, 1, h, w] of all objects."""
    full = F.interpolate(masks, tuple(shape), mode="bilinear", align_corners=False)
    best, index = full[:, 0].max(dim=0)
    known = torch.tensor(ids, device=index.device)
    label_map = torch.where(best > 0, known[index], 0).cpu().numpy()
    return label_map.astype(np.uint8 if max(ids) < 256 else np.uint16)


_BOX_CORNERS = (2, 3)
"""Labels of a box's two corners among points, as the prompt encoder knows them."""


def _points(
    prompt: ObjectPrompt, shape: tuple[int, ...], side: int
) -> dict[str, Tensor]:
    """Clicks and box of an object as points at the model's size.

    Returns:
        ``point_coords`` [1, 1, n, 2] (x, y) and ``point_labels`` [1, 1, n].
    """
    places = [(click.x, click.y) for click in prompt.clicks]
    labels = [int(click.on_object) for click in prompt.clicks]
    if prompt.box is not None:
        left, top, right, bottom = prompt.box
        places = [(left, top), (right, bottom), *places]
        labels = [*_BOX_CORNERS, *labels]
    scale = torch.tensor([side / shape[1], side / shape[0]])
    coordinates = torch.tensor(places, dtype=torch.float32) * scale
    return {
        "point_coords": coordinates[None, None],
        "point_labels": torch.tensor(labels, dtype=torch.int32)[None, None],
    }


def _resize_mask(mask: Tensor, side: int) -> Tensor:
    """A mask [1, 1, H, W] at the model's size, 0 or 1, as the library resizes it."""
    if tuple(mask.shape[-2:]) == (side, side):
        return mask.float()
    small = F.interpolate(
        mask.float(),
        (side, side),
        mode="bilinear",
        align_corners=False,
        antialias=True,
    )
    return (small >= 0.5).float()


def _choose_precision(name: str, device: torch.device) -> str:
    if name == AUTO:
        return "bfloat16" if device.type == "cuda" else "float32"
    require_precision(name)
    return name

"""The video trackers of the transformers library, and how one is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from evaluation.errors import InputError
from s3fo.inference.methods.hub import HubWeights

_IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}


_HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}


@dataclass(frozen=True)
class Family:
    """One of the library's video trackers.

    Attributes:
        method: its name here.
        model: name of its class.
        config_types: ``model_type`` of configurations that the class can load.
        normalisation: of images, where the weights say nothing.
        one_prompt_frame: whether a session takes prompts in one frame only (its class
            cannot put prompted and tracked objects of one frame together).
        example: weights on the hub.
    """

    method: str
    model: str
    config_types: tuple[str, ...]
    normalisation: Mapping[str, list[float]]
    one_prompt_frame: bool
    example: str


SAM2 = Family(
    "sam2",
    "Sam2VideoModel",
    ("sam2_video", "sam2"),
    _IMAGENET,
    False,
    "facebook/sam2.1-hiera-tiny",
)


EDGETAM = Family(
    "edgetam",
    "EdgeTamVideoModel",
    ("edgetam_video", "edgetam"),
    _IMAGENET,
    True,
    "yonigozlan/EdgeTAM-hf",
)


SAM3 = Family(
    "sam3",
    "Sam3TrackerVideoModel",
    ("sam3_tracker_video", "sam3_video", "sam3_tracker"),
    _HALF,
    False,
    "facebook/sam3",
)


FAMILIES = (SAM2, EDGETAM, SAM3)


def load_model(family: Family, weights: HubWeights) -> Any:
    """The library's model with these weights, all of them.

    Raises:
        InputError: the library lacks the class, or the weights are for another model.
    """
    import transformers

    kind = weights.config.get("model_type")
    if kind not in family.config_types:
        others = [f.method for f in FAMILIES if kind in f.config_types]
        raise InputError(
            weights.folder,
            f"weights of model type {kind!r}",
            f"one of {', '.join(family.config_types)}",
            f"Use --method {others[0]}." if others else "Give other weights.",
        )
    model_class = getattr(transformers, family.model, None)
    if model_class is None:
        raise InputError(
            f"transformers {transformers.__version__}",
            f"no class {family.model}",
            "a version that has it",
            'Run `pip install --upgrade "s3fo[transformers]"`.',
        )
    try:
        with _without_progress_bars():
            model, told = model_class.from_pretrained(
                weights.folder, output_loading_info=True, local_files_only=True
            )
    except Exception as error:  # the library raises many kinds
        raise InputError(
            weights.folder,
            f"weights that cannot be loaded ({type(error).__name__}: {error})",
            f"weights of {family.model}",
            "Give other weights, or download them again.",
        ) from error
    wrong = [*told["missing_keys"], *(str(key) for key in told["mismatched_keys"])]
    if wrong:
        raise InputError(
            weights.folder,
            f"{len(wrong)} entries missing or misshaped ({', '.join(wrong[:5])})",
            f"all weights of {family.model}",
            "Give the weights of the video model, not of an image model.",
        )
    return model


@contextmanager
def _without_progress_bars() -> Iterator[None]:
    """Keep the library's progress bars out of ours."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()

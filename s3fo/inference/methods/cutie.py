"""Cutie as a method of the predict loop."""

from __future__ import annotations

from os import PathLike

from evaluation.errors import InputError
from s3fo.inference.methods.s3 import S3Method
from s3fo.inference.precision import AUTO
from s3fo.inference.presets import GENERIC, cutie_preset

RELEASE = "https://github.com/hkchengrex/Cutie/releases"


class CutieMethod(S3Method):
    """Objects followed by Cutie (Cheng et al., CVPR 2024).

    The published checkpoints are loaded as they are, and run by this project's engine
    with Cutie's own settings of evaluation. Probabilities equal those of Cutie's
    `InferenceCore` to within 1e-4; see ``docs/how-to/models.md``.

    Args:
        weights: ``cutie-base-mega.pth``, ``cutie-small-mega.pth`` or another
            checkpoint of these networks.
        model: ``"cutie-base"`` or ``"cutie-small"``; by default the one that the
            weights fit.
        memory: settings of the engine: a name of `presets.PRESETS`, or a benchmark
            whose settings to take.
        size: as of `S3Method`.
        enlarge: as of `S3Method`.
        zoom: likewise.
        device: as of `S3Method`.
        precision: as of `S3Method`.
        compile_encoder: as of `S3Method`.
        scores: as of `S3Method`.
        overrides: further settings of `InferenceConfig`.

    Raises:
        InputError: no weights, or those of another network; what `S3Method` raises.
    """

    name = "cutie"
    query_attention = "masked"

    def __init__(
        self,
        *,
        weights: str | PathLike[str] | None = None,
        model: str | None = None,
        memory: str = GENERIC,
        size: int | None = None,
        enlarge: float | None = None,
        zoom: float | None = None,
        device: str = "auto",
        precision: str = AUTO,
        compile_encoder: bool = False,
        scores: str | PathLike[str] | None = None,
        **overrides: object,
    ) -> None:
        if weights is None:
            raise InputError(
                "method cutie",
                "no weights",
                "a checkpoint of Cutie, such as cutie-base-mega.pth",
                f"Download one from {RELEASE} and pass it: "
                "--weights cutie-base-mega.pth",
            )
        super().__init__(
            weights=weights,
            model=model,
            memory=cutie_preset(memory),
            size=size,
            enlarge=enlarge,
            zoom=zoom,
            device=device,
            precision=precision,
            compile_encoder=compile_encoder,
            scores=scores,
            **overrides,
        )

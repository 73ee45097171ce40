"""S3 as a FiftyOne zoo model, used like FiftyOne's video SAM 2.

>>> from s3fo.plugin.zoo import enable_zoo
>>> enable_zoo()
>>> model = foz.load_zoo_model("s3-video-torch")
>>> dataset.apply_model(
...     model, label_field="s3", prompt_field="frames.ground_truth"
... )
"""

from __future__ import annotations

from pathlib import Path

MANIFEST = Path(__file__).with_name("manifest.json")
"""What FiftyOne must read to know the model; see `enable_zoo`."""

__all__ = ["MANIFEST", "enable_zoo"]


def enable_zoo() -> None:
    """Tell FiftyOne of the model in this process.

    To have it told in every process, name `MANIFEST` in the environment variable
    ``FIFTYONE_MODEL_ZOO_MANIFEST_PATHS``.
    """
    from s3fo.datasets import configure

    configure()
    import fiftyone as fo

    known = list(fo.config.model_zoo_manifest_paths or [])
    if str(MANIFEST) not in known:
        fo.config.model_zoo_manifest_paths = [*known, str(MANIFEST)]

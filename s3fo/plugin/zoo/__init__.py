"""S3 as a FiftyOne zoo model, and the benchmarks as zoo datasets.

>>> from s3fo.plugin.zoo import enable_zoo
>>> enable_zoo()
>>> dataset = foz.load_zoo_dataset(
...     "s3fo-davis-2017", split="val", source_dir="/data/DAVIS"
... )
>>> model = foz.load_zoo_model("s3-video-torch")
>>> dataset.apply_model(
...     model, label_field="s3", prompt_field="frames.ground_truth"
... )
"""

from __future__ import annotations

from pathlib import Path

MANIFEST = Path(__file__).with_name("manifest.json")
"""What FiftyOne must read to know the model; see `enable_zoo`."""

DATASETS = Path(__file__).with_name("datasets.json")
"""What FiftyOne must read to know the datasets; see `enable_zoo`."""

__all__ = ["DATASETS", "MANIFEST", "enable_zoo"]


def enable_zoo() -> None:
    """Tell FiftyOne of the model and the datasets in this process.

    To have them told in every process, name `MANIFEST` in the environment variable
    ``FIFTYONE_MODEL_ZOO_MANIFEST_PATHS`` and `DATASETS` in
    ``FIFTYONE_DATASET_ZOO_MANIFEST_PATHS``.
    """
    from s3fo.datasets import configure

    configure()
    import fiftyone as fo

    for setting, path in (
        ("model_zoo_manifest_paths", MANIFEST),
        ("dataset_zoo_manifest_paths", DATASETS),
    ):
        known = list(getattr(fo.config, setting) or [])
        if str(path) not in known:
            setattr(fo.config, setting, [*known, str(path)])

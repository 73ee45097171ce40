"""S3 as a FiftyOne zoo model, and the benchmarks as zoo datasets.

In a process that imports s3fo:

>>> from s3fo.plugin.zoo import enable_zoo
>>> enable_zoo()
>>> dataset = foz.load_zoo_dataset(
...     "s3fo-davis-2017", split="val", source_dir="/data/DAVIS"
... )
>>> model = foz.load_zoo_model("s3-video-torch")
>>> dataset.apply_model(
...     model, label_field="s3", prompt_field="frames.ground_truth"
... )

This folder is also a remote source of models, for `foz.register_zoo_model_source`:
FiftyOne copies it, and calls `download_model` and `load_model`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s3fo.plugin.zoo.model import VideoObjectSegmenter

MANIFEST = Path(__file__).with_name("manifest.json")
"""What FiftyOne must read to know the model; see `enable_zoo`."""

DATASETS = Path(__file__).with_name("datasets.json")
"""What FiftyOne must read to know the datasets; see `enable_zoo`."""

__all__ = ["DATASETS", "MANIFEST", "download_model", "enable_zoo", "load_model"]


def enable_zoo() -> None:
    """Tell FiftyOne of the model and the datasets in this process.

    To have them told in every process, name `MANIFEST` in the environment variable
    ``FIFTYONE_MODEL_ZOO_MANIFEST_PATHS`` and `DATASETS` in
    ``FIFTYONE_DATASET_ZOO_MANIFEST_PATHS``.
    """
    from s3fo.datasets import configure

    configure()
    import fiftyone as fo

    told = {"dataset_zoo_manifest_paths": DATASETS}
    if not _is_registered(Path(fo.config.model_zoo_dir)):
        told["model_zoo_manifest_paths"] = MANIFEST
    for setting, path in told.items():
        known = list(getattr(fo.config, setting) or [])
        if str(path) not in known:
            setattr(fo.config, setting, [*known, str(path)])


def _is_registered(zoo: Path) -> bool:
    """Whether FiftyOne's zoo has the models from `register_zoo_model_source` already.

    It would warn of every model that it is told of twice.
    """
    name = json.loads(MANIFEST.read_text())["name"]
    return (zoo / name / MANIFEST.name).is_file()


def download_model(model_name: str, model_path: str) -> None:
    """Make a model of this source known as downloaded; FiftyOne calls it.

    S3's weights come with the package, those of other models are named when the model
    is loaded, so nothing is fetched: the file says which method the model is.

    Args:
        model_name: one of the manifest's models.
        model_path: file to write.
    """
    from evaluation._utils.atomic import write_atomically

    told = {"model": model_name, "method": _method_of(model_name)}
    write_atomically(Path(model_path), json.dumps(told).encode())


def load_model(
    model_name: str, model_path: str | None = None, **options: object
) -> VideoObjectSegmenter:
    """Load a model of this source.

    Args:
        model_name: one of the manifest's models.
        model_path: what `download_model` wrote; not needed.
        **options: of `VideoObjectSegmenterConfig`, such as ``weights``.

    Raises:
        InputError: there is no such model.
    """
    from s3fo.plugin.zoo.model import VideoObjectSegmenter, VideoObjectSegmenterConfig

    settings = {"method": _method_of(model_name), **options}
    return VideoObjectSegmenter(VideoObjectSegmenterConfig(settings))


def _method_of(model_name: str) -> str:
    """The method behind a model of the manifest, with or without a version.

    Raises:
        InputError: there is no such model.
    """
    from evaluation.errors import InputError

    models = json.loads(MANIFEST.read_text())["models"]
    configs = {
        item["base_name"]: item["default_deployment_config_dict"]["config"]
        for item in models
    }
    if model_name.split("@")[0] not in configs:
        raise InputError(
            "model",
            repr(model_name),
            f"one of {', '.join(configs)}",
            "Use one of these as the name of the model.",
        )
    return str(configs[model_name.split("@")[0]].get("method", "s3"))

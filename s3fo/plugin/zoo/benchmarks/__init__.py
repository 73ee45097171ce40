"""All benchmarks as one remote dataset of FiftyOne's zoo, ``s3fo/vos-benchmarks``.

>>> foz.load_zoo_dataset(
...     "https://github.com/OWNER/s3fo", split="val", benchmark="mose-v1",
...     source_dir="/data/MOSE",
... )

FiftyOne copies this folder into its zoo and runs it there: all that it does is in the
package, which has to be installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import fiftyone as fo

_DEFAULT = "davis-2017"


def download_and_prepare(
    dataset_dir: str,
    split: str,
    benchmark: str = _DEFAULT,
    source_dir: str | None = None,
) -> tuple[None, int, None]:
    """Get a split of a benchmark, or look whether it is there; remember where.

    Args:
        dataset_dir: the dataset's folder in FiftyOne's zoo.
        split: of the benchmark.
        benchmark: name in the catalog (``s3fo benchmarks``).
        source_dir: the unpacked benchmark; None downloads it where that is possible.

    Returns:
        As FiftyOne wants it: no dataset type, the number of videos, no classes.

    Raises:
        InputError: no such benchmark or split, or it is not there.
    """
    from s3fo.plugin.zoo.datasets import BenchmarkDataset

    return BenchmarkDataset.of(benchmark, source_dir=source_dir).prepare(
        Path(dataset_dir) / benchmark / split, split
    )


def load_dataset(
    dataset: fo.Dataset,
    dataset_dir: str,
    split: str,
    benchmark: str = _DEFAULT,
    masks: str = "auto",
    video: str = "mp4",
    max_samples: int | None = None,
) -> None:
    """Fill the empty dataset that FiftyOne has made.

    Args:
        dataset: to fill.
        dataset_dir: the dataset's folder in FiftyOne's zoo.
        split: of the benchmark.
        benchmark: name in the catalog.
        masks: as in `s3fo.load_benchmark`.
        video: as in `s3fo.load_benchmark`.
        max_samples: load only so many videos, the first of the split; None for all.
    """
    from s3fo.plugin.zoo.datasets import BenchmarkDataset

    own = BenchmarkDataset.of(
        benchmark, masks=masks, video=video, max_samples=max_samples
    )
    own.fill(dataset, Path(dataset_dir) / benchmark / split, split)

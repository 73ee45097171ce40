"""The benchmarks as FiftyOne zoo datasets.

>>> foz.load_zoo_dataset("s3fo-davis-2017", split="val", source_dir="/data/DAVIS")

Nothing is downloaded: every benchmark asks its users to accept terms on a page of its
own. Without `source_dir` the error says what to get from where.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import fiftyone as fo
import fiftyone.zoo.datasets as fozd

from evaluation.errors import InputError
from evaluation.labelmap import write_atomically
from s3fo.benchmarks import catalog, open_benchmark


class BenchmarkDataset(fozd.ZooDataset):
    """A benchmark of the catalogue that its user has downloaded.

    Args:
        source_dir: the unpacked benchmark; needed once a split, then remembered.
        masks: as in `s3fo.load_benchmark`.
        video: as in `s3fo.load_benchmark`.
    """

    benchmark: ClassVar[str]

    def __init__(
        self, source_dir: str | None = None, masks: str = "auto", video: str = "mp4"
    ) -> None:
        self.source_dir = source_dir
        self.masks = masks
        self.video = video

    @property
    def name(self) -> str:
        """Name in the zoo."""
        return f"s3fo-{self.benchmark}"

    @property
    def license(self) -> str:
        """Of the data."""
        return catalog.get_entry(self.benchmark).licence

    @property
    def tags(self) -> tuple[str, ...]:
        """What it is for."""
        return ("video", "segmentation", "tracking", "manual")

    @property
    def supported_splits(self) -> tuple[str, ...]:
        """Splits in the catalogue."""
        return tuple(catalog.splits(self.benchmark))

    @property
    def requires_manual_download(self) -> bool:
        """Always."""
        return True

    @property
    def supports_partial_downloads(self) -> bool:
        """So that FiftyOne asks each time, and another `source_dir` counts."""
        return True

    def _download_and_prepare(
        self, dataset_dir: str, scratch_dir: str, split: str
    ) -> tuple[None, int, None]:
        """Look whether the benchmark is there, and remember where."""
        remembered = _remembered(dataset_dir)
        if self.source_dir is None and remembered is None:
            raise self._missing(split)
        source = self.source_dir or str(remembered)
        found = open_benchmark(self.benchmark, source, split=split)
        root = json.dumps({"source_dir": str(Path(source).absolute())})
        write_atomically(_record(dataset_dir), root.encode())
        return None, len(found), None

    def _load_dataset(self, dataset: fo.Dataset, split_dir: str, split: str) -> None:
        """Fill the empty dataset that FiftyOne has made."""
        from s3fo.datasets import load_benchmark

        try:
            if len(dataset):
                raise InputError(
                    self.name,
                    "more than one split",
                    f"one of {', '.join(self.supported_splits)}",
                    "Give `split`: each is scored by itself.",
                )
            load_benchmark(
                self.benchmark,
                _remembered(split_dir),
                split=split,
                dataset_name=dataset.name,
                masks=self.masks,  # type: ignore[arg-type]  # checked there
                video=self.video,  # type: ignore[arg-type]
            )
        except BaseException:
            # Else FiftyOne would take the empty dataset for the loaded one.
            dataset.delete()
            raise

    def _missing(self, split: str) -> InputError:
        entry = catalog.get_entry(self.benchmark, split)
        return InputError(
            f"zoo dataset {self.name}, split {split}",
            "no source_dir",
            f"the folder of {entry.title}: {entry.layout}",
            f"Download it by hand from {entry.download} (licence: {entry.licence}). "
            f"{entry.unpack} Then give that folder as `source_dir`, and `split`.",
        )


def _record(split_dir: str) -> Path:
    return Path(split_dir) / "source.json"


def _remembered(split_dir: str) -> str | None:
    """The folder that was given for a split before."""
    record = _record(split_dir)
    return json.loads(record.read_text())["source_dir"] if record.is_file() else None


class Davis2016(BenchmarkDataset):
    """DAVIS 2016."""

    benchmark = "davis-2016"


class Davis2017(BenchmarkDataset):
    """DAVIS 2017."""

    benchmark = "davis-2017"


class Davis2017Unsupervised(BenchmarkDataset):
    """DAVIS 2017, unsupervised annotations."""

    benchmark = "davis-2017-unsupervised"


class YouTubeVOS2018(BenchmarkDataset):
    """YouTube-VOS 2018."""

    benchmark = "youtube-vos-2018"


class YouTubeVOS2019(BenchmarkDataset):
    """YouTube-VOS 2019."""

    benchmark = "youtube-vos-2019"


class MOSEv1(BenchmarkDataset):
    """MOSE."""

    benchmark = "mose-v1"


class MOSEv2(BenchmarkDataset):
    """MOSE v2."""

    benchmark = "mose-v2"


class LVOSv1(BenchmarkDataset):
    """LVOS."""

    benchmark = "lvos-v1"


class LVOSv2(BenchmarkDataset):
    """LVOS v2."""

    benchmark = "lvos-v2"


class SAV(BenchmarkDataset):
    """SA-V."""

    benchmark = "sa-v"


class BURST(BenchmarkDataset):
    """BURST."""

    benchmark = "burst"

"""The benchmarks as FiftyOne zoo datasets.

>>> foz.load_zoo_dataset("s3fo-davis-2017", split="val")
>>> foz.load_zoo_dataset("s3fo-mose-v1", split="train", source_dir="/data/MOSE")

Without `source_dir` a split is downloaded, if its host gives it to everybody
(`s3fo.benchmarks.download.archives`); else the error says what to get from where, and
where to put it. The licence is that of the benchmark either way.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, ClassVar

import fiftyone as fo
import fiftyone.zoo.datasets as fozd

from evaluation._utils.atomic import write_atomically
from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from s3fo.benchmarks import catalog, fetch_benchmark, open_benchmark
from s3fo.benchmarks.download.archives import files_of

_LOGGER = logging.getLogger(__name__)


class BenchmarkDataset(fozd.ZooDataset):
    """A benchmark of the catalog.

    Args:
        source_dir: the unpacked benchmark; then remembered. None downloads it where
            that is possible.
        masks: as in `s3fo.load_benchmark`.
        video: as in `s3fo.load_benchmark`.
        max_samples: load only so many videos, the first of the split; None for all.
    """

    benchmark: ClassVar[str]

    def __init__(
        self,
        source_dir: str | None = None,
        masks: str = "auto",
        video: str = "mp4",
        max_samples: int | None = None,
    ) -> None:
        self.source_dir = source_dir
        self.masks = masks
        self.video = video
        self.max_samples = max_samples

    @staticmethod
    def of(benchmark: str, **options: str | int | None) -> BenchmarkDataset:
        """The dataset of a benchmark by the benchmark's name.

        Args:
            benchmark: name in the catalog.
            **options: of the dataset.

        Raises:
            InputError: no such benchmark.
        """
        known = {own.benchmark: own for own in BenchmarkDataset.__subclasses__()}
        if benchmark not in known:
            raise InputError(
                "benchmark",
                repr(benchmark),
                f"one of {', '.join(known)}",
                "Pass benchmark=NAME to load_zoo_dataset.",
            )
        return known[benchmark](**options)

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
        manual = ("manual",) if self.requires_manual_download else ()
        return ("video", "segmentation", "tracking", *manual)

    @property
    def supported_splits(self) -> tuple[str, ...]:
        """Splits in the catalog."""
        return tuple(catalog.splits(self.benchmark))

    @property
    def requires_manual_download(self) -> bool:
        """Whether no split can be had without a person."""
        return not any(
            file.url
            for split in self.supported_splits
            for file in files_of(self.benchmark, split)
        )

    @property
    def supports_partial_downloads(self) -> bool:
        """So that FiftyOne asks each time, and another `source_dir` counts."""
        return True

    def _download_and_prepare(
        self, dataset_dir: str, scratch_dir: str, split: str
    ) -> tuple[None, int, None]:
        """Get the split, or look whether it is there; remember where."""
        return self.prepare(Path(dataset_dir), split)

    def prepare(self, split_dir: Path, split: str) -> tuple[None, int, None]:
        """Get the split, or look whether it is there; remember where.

        Args:
            split_dir: the split's folder in FiftyOne's zoo.
            split: of the benchmark.

        Returns:
            As FiftyOne wants it: no dataset type, the number of videos, no classes.
        """
        source = self.source_dir or _remembered_split(split_dir)
        if source is None:
            entry = catalog.get_entry(self.benchmark, split)
            _LOGGER.info("%s. Licence: %s", entry.title, entry.licence)
            # Splits that come in one archive share it.
            home = split_dir.parent
            source = str(
                fetch_benchmark(self.benchmark, home, split=split, progress=_bars())
            )
        found = open_benchmark(self.benchmark, source, split=split)
        root = json.dumps({"source_dir": str(Path(source).absolute())})
        write_atomically(_record(split_dir), root.encode())
        return None, len(found), None

    def _load_dataset(self, dataset: fo.Dataset, split_dir: str, split: str) -> None:
        """Fill the empty dataset that FiftyOne has made."""
        self.fill(dataset, Path(split_dir), split)

    def fill(self, dataset: fo.Dataset, split_dir: Path, split: str) -> None:
        """Fill an empty dataset with a prepared split.

        Args:
            dataset: to fill.
            split_dir: the split's folder in FiftyOne's zoo.
            split: of the benchmark.

        Raises:
            InputError: the dataset holds another split already.
        """
        from s3fo.datasets import load_benchmark

        try:
            if len(dataset):
                raise InputError(
                    self.name,
                    "more than one split",
                    f"one of {', '.join(self.supported_splits)}",
                    "Give `split`: each is scored by itself.",
                )
            root = _remembered_split(split_dir)
            assert root is not None, "the split was prepared"
            benchmark = open_benchmark(self.benchmark, root, split=split)
            names = [sequence.name for sequence in benchmark][: self.max_samples]
            load_benchmark(
                benchmark.subset(names),
                dataset_name=dataset.name,
                masks=self.masks,  # type: ignore[arg-type]  # checked there
                video=self.video,  # type: ignore[arg-type]
            )
        except BaseException:
            # Else FiftyOne would take the empty dataset for the loaded one.
            dataset.delete()
            raise


def _bars() -> ProgressCallback:
    """Progress as FiftyOne shows it: one bar for each thing that is done."""
    bars: dict[str, Any] = {}

    def report(done: int, total: int, label: str) -> None:
        if label not in bars:
            bars[label] = fo.ProgressBar(total=total, iters_str=label)
            bars[label].start()
        bars[label].set_iteration(done)
        if done == total:
            bars[label].close()

    return report


def _record(split_dir: Path) -> Path:
    return split_dir / "source.json"


def _remembered_split(split_dir: Path) -> str | None:
    """The folder that a split was loaded from before, if it is still there."""
    record = _record(split_dir)
    if not record.is_file():
        return None
    try:
        folder = json.loads(record.read_text())["source_dir"]
    except (OSError, ValueError, TypeError, KeyError):
        return None  # damaged: the folder is asked for again
    return folder if isinstance(folder, str) and Path(folder).is_dir() else None


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


class VOST(BenchmarkDataset):
    """VOST."""

    benchmark = "vost"


class VISOR(BenchmarkDataset):
    """VISOR."""

    benchmark = "visor"


class PUMaVOS(BenchmarkDataset):
    """PUMaVOS."""

    benchmark = "pumavos"


class SeCVOS(BenchmarkDataset):
    """SeCVOS."""

    benchmark = "secvos"


class YouTubeVIS2019(BenchmarkDataset):
    """YouTube-VIS 2019."""

    benchmark = "youtube-vis-2019"


class YouTubeVIS2021(BenchmarkDataset):
    """YouTube-VIS 2021."""

    benchmark = "youtube-vis-2021"


class OVIS(BenchmarkDataset):
    """OVIS."""

    benchmark = "ovis"


class LVVIS(BenchmarkDataset):
    """LV-VIS."""

    benchmark = "lv-vis"


class MeViS(BenchmarkDataset):
    """MeViS."""

    benchmark = "mevis"

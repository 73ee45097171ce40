"""Where the videos of a job lie: names and paths that any machine can open."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.errors import InputError

if TYPE_CHECKING:
    from s3fo.benchmarks import Benchmark

_EXPECTED = "a benchmark with its root, folders of images and masks, or of masks alone"
_FIX = 'Pass e.g. Source(benchmark="davis-2017", root="DAVIS").'


@dataclass(frozen=True)
class Source:
    """Videos, or their ground truth, told by names and paths.

    Attributes:
        benchmark: catalog name, e.g. ``"davis-2017"``; with `root`.
        root: folder of the benchmark.
        split: of the benchmark; None for its usual one.
        options: further options of `s3fo.benchmarks.open_benchmark`.
        images: instead of a benchmark: ``<images>/<sequence>/<frame>.jpg``.
        masks: beside `images`: ``<masks>/<sequence>/<frame>.png``.
        gt: ground truth alone: ``<gt>/<sequence>/<frame>.png``, or a JSON file.

    Example:
        >>> Source(benchmark="davis-2017", root="DAVIS").title
        'davis-2017 in DAVIS'
    """

    benchmark: str | None = None
    root: str | None = None
    split: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    images: str | None = None
    masks: str | None = None
    gt: str | None = None

    @classmethod
    def of(
        cls,
        source: Source | Benchmark | str | os.PathLike[str],
        root: str | os.PathLike[str] | None = None,
        split: str | None = None,
    ) -> Source:
        """A source of what the functions of s3fo take.

        Args:
            source: a source; the name of a benchmark, with `root`; a folder of ground
                truth, without; or a benchmark that lies in one folder.
            root: folder of the named benchmark.
            split: of the named benchmark.
        """
        if isinstance(source, Source):
            return source.absolute()
        if isinstance(source, (str, os.PathLike)):
            path = os.fspath(source)
            named = cls(path, os.fspath(root), split) if root else cls(gt=path)
            return named.absolute()
        place, options = os.fspath(source.root), dict(source.options)
        return cls(source.name, place, source.split, options).absolute()

    @property
    def title(self) -> str:
        """What it is, for people."""
        if self.benchmark is not None:
            return f"{self.benchmark} in {self.root}"
        return str(self.images or self.gt)

    def absolute(self) -> Source:
        """The same source with absolute paths, for whoever works elsewhere."""
        paths = {key: getattr(self, key) for key in ("root", "images", "masks", "gt")}
        return replace(
            self, **{key: path and os.path.abspath(path) for key, path in paths.items()}
        )

    def open(self) -> Benchmark | Path:
        """The benchmark, or the path of the ground truth.

        Raises:
            InputError: it is not there, or not told how it lies.
        """
        from s3fo.benchmarks import open_benchmark, open_folders

        if self.benchmark is not None and self.root is not None:
            return open_benchmark(
                self.benchmark, self.root, split=self.split, **self.options
            )
        if self.images is not None:
            return open_folders(self.images, self.masks)
        if self.gt is None:
            raise InputError("source", "nothing", _EXPECTED, _FIX)
        return Path(self.gt)

    def open_videos(self) -> Benchmark:
        """The benchmark; a method needs images.

        Raises:
            InputError: it has none, or is not there.
        """
        opened = self.open()
        if isinstance(opened, Path):
            raise InputError(
                self.title, "masks without images", "a benchmark or images", _FIX
            )
        return opened

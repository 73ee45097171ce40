"""Masks written behind the method's back, in threads, all or nothing per video."""

from __future__ import annotations

import shutil
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import numpy as np

from evaluation._utils.atomic import require_inside
from evaluation.masks.label_map import write_label_map

_THREADS = 2
_BEHIND = 8


class MaskWriter:
    """Writes the label maps of one video; its folder appears when all are there.

    Use it as a context manager: leaving it normally waits for the last file and
    renames the folder; leaving it by an exception removes what was written.

    Args:
        folder: ``<out>/<sequence>``; the files in it become ``<frame>.png``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = require_inside(folder, folder.parent)
        self._partial = folder.with_name(f".{folder.name}.part")
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> MaskWriter:
        shutil.rmtree(self._partial, ignore_errors=True)
        self._partial.mkdir(parents=True)
        self._pool = ThreadPoolExecutor(_THREADS, "write")
        return self

    @property
    def unfinished(self) -> Path:
        """The folder that holds the files until all are there; it exists inside."""
        return self._partial

    def write(self, frame: str, label_map: np.ndarray) -> None:
        """Queue one label map [H, W]; waits while too many are queued.

        Raises:
            OSError: an earlier file could not be written (disk full, ...).
        """
        path = self._partial / f"{frame}.png"
        self._waiting.append(self._pool.submit(write_label_map, path, label_map))
        while len(self._waiting) > _BEHIND:
            self._waiting.popleft().result()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                for written in self._waiting:
                    written.result()
                self._pool.shutdown()
                shutil.rmtree(self.folder, ignore_errors=True)
                self._partial.rename(self.folder)
        finally:
            self._pool.shutdown(cancel_futures=True)
            shutil.rmtree(self._partial, ignore_errors=True)


def is_finished(folder: Path, frames: tuple[str, ...]) -> bool:
    """Whether the results of a video are complete."""
    return folder.is_dir() and all(
        (folder / f"{name}.png").is_file() for name in frames
    )

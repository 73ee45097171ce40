"""Write the masks of one video in background threads, all or nothing."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import numpy as np

from evaluation._utils.atomic import part_path, require_inside
from evaluation.masks.label_map import write_label_map
from s3fo.inference.running.mask_folders import put_in_place

_THREADS = 2
_BEHIND = 8


class MaskWriter:
    """Writes the label maps of one video; its folder appears when all are there.

    Use it as a context manager: leaving it normally waits for the last file and
    renames the folder; leaving it by an exception removes what was written.

    Args:
        folder: ``<out>/<sequence>``; the files in it become ``<frame>.png``.
        publish: gives the finished folder its name; None refuses where something is.
    """

    def __init__(
        self,
        folder: Path,
        publish: Callable[[Path], None] | None = None,
    ) -> None:
        self.folder = require_inside(folder, folder.parent)
        self._publish = publish or self._put_in_place
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> MaskWriter:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self._partial = part_path(self.folder.parent)
        self._partial.mkdir()
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
                self._publish(self._partial)
        finally:
            self._pool.shutdown(cancel_futures=True)
            shutil.rmtree(self._partial, ignore_errors=True)

    def _put_in_place(self, made: Path) -> None:
        put_in_place(made, self.folder, replaces=False)

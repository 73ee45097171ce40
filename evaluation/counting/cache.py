"""Remember the pixel counts of sequences that have not changed."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from pathlib import Path

import numpy as np

from evaluation._utils.atomic import write_atomically
from evaluation._utils.cache_dir import user_cache
from evaluation.counting.overlaps import Overlaps
from evaluation.counting.video import SequenceCounts
from evaluation.masks.pairs import SequencePair
from evaluation.options import InputOptions
from evaluation.protocols import Protocol

FORMAT = 3
"""Raised whenever counting changes, so that older counts are not taken up."""

_ARRAYS = (
    "object_ids",
    "counts",
    "first_ids",
    "gt_labels",
    "pred_labels",
    "proposal_ids",
    "pairs",
)


_OVERLAPS = ("gt_ids", "track_ids", "gt_area", "track_area", "intersection")
"""Arrays of the overlaps, kept where the protocol has tracking metrics."""


class CountsCache:
    """Pixel counts by content of the masks and rules of counting.

    A sequence is known again by the bytes of its files, wherever they lie; a changed
    mask, another protocol or other input options is another entry.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(
        self, pair: SequencePair, protocol: Protocol, options: InputOptions
    ) -> SequenceCounts | None:
        """Counts of an earlier run; None if there are none that can be read."""
        try:
            with np.load(self._path(pair, protocol, options)) as arrays:
                known = {name: arrays[name] for name in _ARRAYS}
                remarks = tuple(arrays["remarks"].tolist())
                overlaps = None
                if protocol.tracking != "none":
                    overlaps = Overlaps(*(arrays[f"overlaps_{k}"] for k in _OVERLAPS))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return SequenceCounts(
            pair.name, pair.frames, **known, remarks=remarks, overlaps=overlaps
        )

    def store(
        self,
        pair: SequencePair,
        protocol: Protocol,
        options: InputOptions,
        counts: SequenceCounts,
    ) -> None:
        """Keep the counts of one sequence."""
        buffer = io.BytesIO()
        arrays = {name: getattr(counts, name) for name in _ARRAYS}
        if counts.overlaps is not None:
            arrays |= {f"overlaps_{k}": getattr(counts.overlaps, k) for k in _OVERLAPS}
        np.savez_compressed(buffer, remarks=np.array(counts.remarks, str), **arrays)
        write_atomically(self._path(pair, protocol, options), buffer.getvalue())

    def _path(
        self, pair: SequencePair, protocol: Protocol, options: InputOptions
    ) -> Path:
        rules = (
            protocol.boundary, protocol.matching, protocol.void, protocol.objects,
            protocol.tracking,
        )  # fmt: skip
        key = repr((FORMAT, rules, options, pair.fingerprint()))
        digest = hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
        return self._folder / digest[:2] / f"{digest}.npz"


def open_cache(cache: bool | str | os.PathLike[str]) -> CountsCache | None:
    """Open the cache that `score` was asked for.

    Args:
        cache: False for none, True for the user's cache folder, or a folder.
    """
    if cache is False:
        return None
    return CountsCache(user_cache("counts") if cache is True else Path(cache))

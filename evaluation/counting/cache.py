"""Remember the pixel counts of sequences that have not changed."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
import zipfile
from pathlib import Path

import numpy as np

from evaluation._utils.atomic import remove_left_behind, write_atomically
from evaluation._utils.cache_dir import user_cache, why_unwritable
from evaluation._utils.fingerprint import digest, digest_bytes
from evaluation.counting.overlaps import Overlaps
from evaluation.counting.video import SequenceCounts
from evaluation.errors import InputWarning
from evaluation.masks.pairs import SequencePair
from evaluation.options import InputOptions
from evaluation.protocols import ScoringProtocol

FORMAT = 8
"""Raised whenever counting changes, so that older counts are not taken up."""

_DIGEST = 16
"""Bytes at the end of a file: digest of the rest, so that damage is noticed."""

_ARRAYS = (
    "object_ids",
    "counts",
    "first_ids",
    "gt_labels",
    "pred_labels",
    "proposal_ids",
    "pairs",
    "background",
    "large",
    "resized",
    "digests",
    "shared",
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
        self, pair: SequencePair, protocol: ScoringProtocol, options: InputOptions
    ) -> SequenceCounts | None:
        """Counts of an earlier run; None if there are none that can be read.

        A damaged file counts as none, and is written anew.
        """
        try:
            data = self._path(pair, protocol, options).read_bytes()
            if digest_bytes(data[:-_DIGEST]) != data[-_DIGEST:]:
                return None
            with np.load(io.BytesIO(data[:-_DIGEST])) as arrays:
                known = {name: arrays[name] for name in _ARRAYS}
                overlaps = None
                if protocol.tracking != "none":
                    overlaps = Overlaps(*(arrays[f"overlaps_{k}"] for k in _OVERLAPS))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return SequenceCounts(pair.name, pair.frames, **known, overlaps=overlaps)

    def store(
        self,
        pair: SequencePair,
        protocol: ScoringProtocol,
        options: InputOptions,
        counts: SequenceCounts,
    ) -> None:
        """Keep the counts of one sequence, if there is room.

        Not where there is something to remark on its files: remarks name the files,
        and the same masks may lie elsewhere next time.
        """
        if counts.remarks:
            return
        buffer = io.BytesIO()
        arrays = {name: getattr(counts, name) for name in _ARRAYS}
        if counts.overlaps is not None:
            arrays |= {f"overlaps_{k}": getattr(counts.overlaps, k) for k in _OVERLAPS}
        np.savez_compressed(buffer, **arrays)
        data = buffer.getvalue()
        with contextlib.suppress(OSError):  # full or lost meanwhile: only slower
            path = self._path(pair, protocol, options)
            write_atomically(path, data + digest_bytes(data))

    def _path(
        self, pair: SequencePair, protocol: ScoringProtocol, options: InputOptions
    ) -> Path:
        rules = (
            protocol.boundary, protocol.matching, protocol.void, protocol.objects,
            protocol.tracking, protocol.reads_label_maps,
        )  # fmt: skip
        key = repr((FORMAT, rules, options, pair.fingerprint()))
        name = digest(key)
        return self._folder / name[:2] / f"{name}.npz"


def open_cache(cache: bool | str | os.PathLike[str]) -> CountsCache | None:
    """Open the cache that `score` was asked for.

    Args:
        cache: False for none, True for the user's cache folder, or a folder.
    """
    if cache is False:
        return None
    folder = user_cache("counts") if cache is True else Path(cache)
    reason = why_unwritable(folder)
    if reason is not None:
        warnings.warn(
            f"The cache folder {folder} cannot be written to ({reason}): nothing is "
            "kept for the next time.",
            InputWarning,
            stacklevel=3,
        )
    remove_left_behind(folder)
    return CountsCache(folder)

"""`open_benchmark`: a name and a folder become a `Benchmark`."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache, partial
from os import PathLike
from pathlib import Path

from evaluation._utils.input_files import is_folder
from evaluation.errors import InputError
from evaluation.masks.encoding import RIMMED
from evaluation.notes import Note
from evaluation.runs.split_check import is_drawn
from s3fo.benchmarks.benchmark import Benchmark
from s3fo.benchmarks.catalog import Entry, get_entry
from s3fo.benchmarks.layouts.burst import read_burst
from s3fo.benchmarks.layouts.davis import read_davis
from s3fo.benchmarks.layouts.expressions import read_expressions
from s3fo.benchmarks.layouts.instances import read_instances
from s3fo.benchmarks.layouts.layout import Found, shorten
from s3fo.benchmarks.layouts.listed import read_listed
from s3fo.benchmarks.layouts.meta import ObjectMeta
from s3fo.benchmarks.layouts.sa_v import read_sa_v
from s3fo.benchmarks.layouts.scenes import with_strata
from s3fo.benchmarks.layouts.split_folders import SPLIT_FOLDERS
from s3fo.benchmarks.layouts.video_tree import TreeRules, read_video_tree
from s3fo.benchmarks.synthetic import open_synthetic
from s3fo.benchmarks.video import VideoSequence

_ALL_FRAMES = "-all-frames"
_SHOWN = 3
_SOME_CLASSES = ("common", "uncommon")
_LOOKED_AT = 6
"""Videos whose masks are looked at, evenly spread."""


def open_benchmark(
    name: str,
    root: str | PathLike[str],
    *,
    split: str | None = None,
    **options: object,
) -> Benchmark:
    """Open one split of a benchmark that lies in a folder.

    Args:
        name: catalog name, e.g. ``"davis-2017"``, or ``"synthetic"``.
        root: the unpacked benchmark; one level too high or low is noticed.
        split: e.g. ``"val"``, which is the default.
        options: ``resolution`` of DAVIS (``"480p"``, ``"full"``), ``annotations`` of
            BURST (``"all"``, ``"common"``, ``"uncommon"``, ``"first-frame"``).

    Raises:
        InputError: no such benchmark, or the folder is not what it should be.
    """
    if is_drawn(name):
        return open_synthetic(root)
    entry = get_entry(name, split)
    read = _READERS[name]
    try:
        inspect.signature(read).bind(root, entry.split, **options)
    except TypeError as error:
        raise InputError(
            f"options of {name}", str(error), "options it has", "Leave the others out."
        ) from error
    found = read(Path(root), entry.split, **options)
    published = _published(entry, found, options)
    return Benchmark(
        name,
        entry.split,
        found.root,
        found.sequences,
        entry.protocol,
        (
            *found.notes,
            *_note_fewer(entry, len(found.sequences), published),
            *_summary(found.missing_files),
            *_note_interpolated(found.sequences),
        ),
        options,
        found.missing_files,
        strata=found.strata,
        of_published=published,
    )


def _published(entry: Entry, found: Found, options: dict[str, object]) -> int:
    """How many videos the catalog lists, where fewer were found; else 0."""
    listed = entry.counts.sequences or 0
    # Files of some of BURST's classes name only the videos that have them.
    chosen = options.get("annotations") in _SOME_CLASSES
    if found.is_of_its_own or chosen or len(found.sequences) >= listed:
        return 0
    return listed


def _note_fewer(entry: Entry, here: int, published: int) -> Iterator[str]:
    """A note on a folder that holds a part of a split alone."""
    if published:
        yield Note(
            f"{here} of the {published} videos of {entry.title} {entry.split} "
            f"{'is' if here == 1 else 'are'} here: was everything unpacked?",
            "few-videos",
        )


def _summary(missing_files: tuple[str, ...]) -> Iterator[str]:
    """A note on the first few missing files; `validate` lists all."""
    if missing_files:
        more = len(missing_files) - _SHOWN
        tail = f"; and {more} more, which `--validate` lists" if more > 0 else ""
        yield f"seems incomplete: {'; '.join(missing_files[:_SHOWN])}{tail}"


def _note_interpolated(sequences: tuple[VideoSequence, ...]) -> Iterator[str]:
    """A note on videos whose ids were resized with averages; a few are looked at.

    Nobody publishes such masks: where one is, somebody resized all of them.
    """
    # Here: it brings what measures videos, which opening does not need.
    from evaluation.attributes.video import odd_masks

    with_masks = [video for video in sequences if video.annotated_frames]
    found = []
    for video in with_masks[:: max(1, len(with_masks) // _LOOKED_AT)][:_LOOKED_AT]:
        with suppress(InputError, OSError):  # whoever reads them tells what is wrong
            if RIMMED in odd_masks(video):
                found.append(video.name)
    if found:
        yield f"{shorten(found)}: {RIMMED}"


def _read_tree(rules: TreeRules, root: Path, split: str) -> Found:
    all_frames = split.endswith(_ALL_FRAMES)
    return read_video_tree(
        root, split.removesuffix(_ALL_FRAMES), rules, all_frames=all_frames
    )


def _read_lists(title: str, fps: float | None, root: Path, split: str) -> Found:
    """Lists and flat folders, as published; or a tree per split, as some repack it."""
    folders = SPLIT_FOLDERS.get(split, [split])
    if any(is_folder(root / folder / "JPEGImages") for folder in folders):
        return read_video_tree(root, split, TreeRules(title, fps, late_objects=True))
    return read_listed(root, split, title=title, fps=fps)


def _read_secvos(root: Path, split: str) -> Found:
    return with_strata(_read_lists("SeCVOS", None, root, split))


@lru_cache(maxsize=2)
def _read_list(file: str, key: str) -> frozenset[str]:
    path = Path(__file__).parent / "data" / file
    return frozenset(json.loads(path.read_text())[key])


def _youtube_vos_seen(video: str, item: ObjectMeta) -> bool | None:
    """By category; validation metas need not tell it."""
    if item.category is None:
        return None
    return item.category in _read_list("youtube_vos.json", "seen_categories")


def _lvos_seen(video: str, item: ObjectMeta) -> bool:
    """By video, one list for all splits and both versions."""
    return video not in _read_list("lvos.json", "unseen_videos")


def _youtube_vos(year: int) -> TreeRules:
    return TreeRules(
        f"YouTube-VOS {year}",
        fps=6,
        late_objects=True,
        listed=True,
        all_frames_fps=30,
        seen=_youtube_vos_seen,
    )


def _lvos(version: int) -> TreeRules:
    return TreeRules(
        f"LVOS v{version}",
        fps=6,
        late_objects=True,
        public=("train", "val"),
        seen=_lvos_seen,
    )


_READERS: dict[str, Callable[..., Found]] = {
    "davis-2016": partial(read_davis, year=2016),
    "davis-2017": partial(read_davis, year=2017),
    "davis-2017-unsupervised": partial(
        read_davis, year=2017, annotations="Annotations_unsupervised"
    ),
    "youtube-vos-2018": partial(_read_tree, _youtube_vos(2018)),
    "youtube-vos-2019": partial(_read_tree, _youtube_vos(2019)),
    "mose-v1": partial(_read_tree, TreeRules("MOSE v1", None, late_objects=False)),
    "mose-v2": partial(_read_tree, TreeRules("MOSE v2", None, late_objects=False)),
    "lvos-v1": partial(_read_tree, _lvos(1)),
    "lvos-v2": partial(_read_tree, _lvos(2)),
    "sa-v": read_sa_v,
    "burst": read_burst,
    "vost": partial(_read_lists, "VOST", 5.0),
    "visor": partial(_read_lists, "VISOR", None),
    "secvos": _read_secvos,
    "pumavos": partial(_read_lists, "PUMaVOS", None),
    "youtube-vis-2019": partial(read_instances, title="YouTube-VIS 2019", fps=6),
    "youtube-vis-2021": partial(read_instances, title="YouTube-VIS 2021", fps=6),
    "ovis": partial(read_instances, title="OVIS", fps=None),
    "lv-vis": partial(read_instances, title="LV-VIS", fps=None),
    "mevis": partial(read_expressions, title="MeViS"),
}

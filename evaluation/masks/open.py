"""Open results and ground truth in any of the forms in which people have them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from evaluation._utils.json_files import parse, read_json
from evaluation.errors import InputError
from evaluation.formats import (
    FORMS,
    EncodedVideo,
    FormError,
    JsonForm,
    ListedVideo,
    read_result_list,
)
from evaluation.formats.mots import mots_files, read_mots
from evaluation.formats.sa_v import sa_v_files
from evaluation.frame_rules import Ranges
from evaluation.masks.folders import (
    open_ground_truth_folder,
    open_results_folder,
    remark_alike,
    remark_name,
    subfolders,
)
from evaluation.masks.label_map import has_channels_last, plain_array
from evaluation.masks.names import frame_number, match_sequences
from evaluation.masks.numbering import has_object_zero, number_objects
from evaluation.masks.sequence import (
    ArraySequence,
    FileSequence,
    MaskSequence,
    RleSequence,
    is_one_array,
    remark_reused,
)

Source = str | os.PathLike[str] | Mapping[str, Any] | Any
"""A folder, a JSON file of run-length encodings, arrays by sequence and frame, or
(ground truth) an object with `sequences`, such as a `Benchmark`."""


_EXPECTED_JSON = "masks as JSON of " + ", ".join(form.name for form in FORMS[:-1])
_EXPECTED_JSON += f", or {FORMS[-1].name}"
_FIX_JSON = "Convert or write the file again, or give a folder of PNG masks."

Classes = Mapping[int, tuple[str, str]]
"""Object id -> class and group of the class; empty group for none."""


@dataclass(frozen=True)
class GroundTruth:
    """What is to be scored against.

    Attributes:
        sequences: masks by sequence name.
        label: what to call it in messages.
        ranges: sequence -> object id -> frame numbers in which it is scored
            (first, and the one to stop before), where a meta file says so.
        unseen: ``"sequence/object"`` of objects whose kind is not in training data.
        classes: sequence -> object id -> class and group of the class, where the
            benchmark scores class by class.
        notes: what was left out of it.
        of_sequences: how many sequences it has, those that were left out by choice
            before it was opened included.
    """

    sequences: Mapping[str, MaskSequence]
    label: str
    ranges: Mapping[str, Ranges] = field(default_factory=dict)
    unseen: frozenset[str] = frozenset()
    classes: Mapping[str, Classes] = field(default_factory=dict)
    notes: Sequence[str] = ()
    of_sequences: int = 0

    def __post_init__(self) -> None:
        if not self.of_sequences:
            object.__setattr__(self, "of_sequences", len(self.sequences))

    @property
    def place(self) -> str:
        """The folder around the videos' folders, or the file; "" for arrays."""
        if os.path.isfile(self.label):
            return os.path.abspath(self.label)
        folders = {masks.folder for masks in self.sequences.values()}
        if not folders or None in folders:
            return ""
        around = {os.path.dirname(os.path.abspath(str(f))) for f in folders}
        try:
            return os.path.commonpath(around)
        except ValueError:  # on two drives
            return ""


def open_ground_truth(source: Source) -> GroundTruth:
    """Open a ground truth.

    Raises:
        InputError: there is nothing to score against.
    """
    if hasattr(source, "sequences"):
        return _from_benchmark(source)
    if isinstance(source, Mapping):
        return GroundTruth(_from_arrays(source, {}), "arrays")
    path = _as_path(source, "the ground truth")
    if path.suffix == ".json" and path.is_file():
        read = read_mask_json(path)
        classes = {k: masks.classes for k, masks in read.items() if masks.classes}
        return GroundTruth(read, str(path), classes=classes)
    encoded = read_encoded_folder(path)
    if encoded:
        return GroundTruth(encoded, str(path))
    notes: list[str] = []
    sequences = open_ground_truth_folder(path, notes)
    return GroundTruth(sequences, str(path), notes=notes)


def open_results(
    source: Source,
    truth: Mapping[str, MaskSequence],
    *,
    by_id: bool = True,
    binarize: bool = False,
    others: list[str] | None = None,
) -> tuple[dict[str, MaskSequence], str]:
    """Open the predictions for the sequences of a ground truth.

    Args:
        source: of the predictions.
        truth: the ground truth by sequence.
        by_id: whether objects are compared by their ids, so that these must count as
            the ground truth's do.
        binarize: how masks are read that must be looked at for that.
        others: gets the names of sequences that only the source has; None where nobody
            asks.

    Returns:
        Those of the sequences that are there, and what to call the source.

    Raises:
        InputError: none of the sequences is there, or they count objects in two ways.
    """
    found, label = _find_results(source, truth, others)
    for name, masks in found.items():
        remark_reused(masks, truth[name])
    if binarize:
        truth = {name: masks.binarized() for name, masks in truth.items()}
        found = {name: masks.binarized() for name, masks in found.items()}
    if by_id:
        return number_objects(truth, found, label), label
    # Numbers of tracks are names only, but 0 is no name in a label map.
    return {
        name: masks.renumbered(1) if has_object_zero(masks) else masks
        for name, masks in found.items()
    }, label


def _find_results(
    source: Source, truth: Mapping[str, MaskSequence], others: list[str] | None
) -> tuple[dict[str, MaskSequence], str]:
    if isinstance(source, Mapping):
        return _from_arrays(source, truth, others), "arrays"
    path = _as_path(source, "the results")
    is_json = path.suffix == ".json" and path.is_file()
    found = read_mask_json(path, truth) if is_json else read_encoded_folder(path)
    if is_json or found:
        # Folders may have the data set before the name ("LaSOT_-_cat") where the
        # file does not.
        match = match_sequences(truth, found)
        names = _with_short_names(match.names, truth, found, path)
        there = {
            k: _without_ignored(found[name])
            for k, name in names.items()
            if name in found
        }
        for name, masks in there.items():
            remark_name(masks, name, names[name], match.rule)
        left = remark_alike(there, names.values(), found)
        if others is not None:
            others += left
        return there, str(path)
    return open_results_folder(path, truth, others), str(path)


def _with_short_names(
    names: Mapping[str, str],
    truth: Collection[str],
    found: Collection[str],
    path: Path,
) -> dict[str, str]:
    """Names of videos in a file that may lack the data set before them.

    Args:
        names: those that were matched, by name in the ground truth.
        truth: names in the ground truth.
        found: names in the file.
        path: of the file.

    Raises:
        InputError: videos of two data sets would take one video of the file.
    """
    joined = {name: names.get(name, name.rpartition("_-_")[2]) for name in truth}
    owners: dict[str, str] = {}
    for name, own in joined.items():
        if own in found and owners.setdefault(own, name) != name:
            raise InputError(
                path,
                f"one video {own!r}, where {owners[own]} and {name} are two",
                "masks of each video under a name of its own",
                "Write the names with their data sets, as in the ground truth.",
            )
    return joined


def _without_ignored(masks: MaskSequence) -> MaskSequence:
    """Predictions without regions to ignore, which only a ground truth can have."""
    return masks if masks.ignores is None else masks.renumbered(0, drop=masks.ignores)


def _as_path(source: Source, role: str) -> Path:
    """A source that is neither arrays nor a benchmark, as a path.

    Raises:
        InputError: it is something else, such as a list.
    """
    if isinstance(source, str | os.PathLike):
        return Path(source)
    raise InputError(
        role,
        f"an object of type {type(source).__name__}",
        "a path, or masks by sequence and frame",
        "Pass the path of one folder or file, or {sequence: {frame: mask}}.",
    )


def read_mask_json(
    path: Path, truth: Mapping[str, MaskSequence] | None = None
) -> dict[str, MaskSequence]:
    """Read all sequences of a JSON file of run-length encodings.

    Args:
        path: a file of one of the `evaluation.formats`.
        truth: the ground truth of a file of results: lists of results name videos and
            frames as the ground truth's own file does.

    Raises:
        InputError: the file is no JSON, or has none of these forms.
    """
    return read_document(read_json(path, _FIX_JSON, _EXPECTED_JSON), path, truth)


def read_encoded_folder(
    folder: Path, *, whole_ids: bool = False
) -> dict[str, MaskSequence]:
    """Read a folder that has one file of run-length encodings per video.

    Args:
        folder: with files of one of the benchmarks that keep masks so, and no folders.
        whole_ids: leave the class in ids that tell it.

    Returns:
        Masks by sequence; none where it is no such folder.

    Raises:
        InputError: a file is not as its form wants it.
    """
    if not folder.is_dir() or subfolders(folder):
        return {}
    read: dict[str, MaskSequence] = {}
    for path, remark in sa_v_files(folder).items():
        for name, masks in read_mask_json(path).items():
            if remark:
                masks.remark(remark)
            read[name] = masks
    if read or not mots_files(folder):
        return read
    return _as_sequences(read_mots(folder, whole_ids=whole_ids), folder)


def read_document(
    document: object, path: Path, truth: Mapping[str, MaskSequence] | None = None
) -> dict[str, MaskSequence]:
    """The same of a file that is parsed already."""
    if isinstance(document, list):
        videos = _read_list(document, path, truth or {})
    elif isinstance(document, dict):
        form = next(form for form in FORMS if form.recognises(document))
        videos = _read_form(form, document, path)
    else:
        raise InputError(path, "no JSON object at the top", _EXPECTED_JSON, _FIX_JSON)
    return _as_sequences(videos, path)


def _as_sequences(
    videos: Mapping[str, EncodedVideo], path: Path
) -> dict[str, MaskSequence]:
    read: dict[str, MaskSequence] = {}
    for name, video in videos.items():
        read[name] = RleSequence(name, video.frames, str(path))
        read[name].classes = video.classes
        read[name].size = video.size
        read[name].video_id = video.video_id
        read[name].listed = tuple(video.frames)
        read[name].identified = video.identified
        read[name].ignores = video.ignores
        read[name].annotation_ids = video.annotation_ids
        for note in video.notes:
            read[name].remark(note)
    return read


def _read_list(
    entries: list[Any], path: Path, truth: Mapping[str, MaskSequence]
) -> dict[str, EncodedVideo]:
    """The videos of a list of results, by the ids in the ground truth's own file."""
    videos = {
        masks.video_id: ListedVideo(
            name, masks.listed, masks.size, masks.annotation_ids
        )
        for name, masks in truth.items()
        if masks.video_id is not None
    }
    try:
        return read_result_list(entries, videos)
    except FormError as error:
        fix = error.fix or _FIX_JSON
        raise InputError(path, error.found, error.expected, fix) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        found = f"results of another form ({error!r})"
        raise InputError(path, found, _EXPECTED_JSON, _FIX_JSON) from error


def _read_form(
    form: JsonForm, document: Mapping[str, object], path: Path
) -> dict[str, EncodedVideo]:
    try:
        return form.read(document)
    except FormError as error:
        fix = error.fix or _FIX_JSON
        raise InputError(path, error.found, error.expected, fix) from None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        # Comparing it with its schema names the place where it differs.
        nested = form is FORMS[-1]
        parse(
            {"sequences": document} if nested else document,
            form.schema,
            path,
            _FIX_JSON,
        )
        raise InputError(
            path, f"JSON of another form ({error!r})", _EXPECTED_JSON, _FIX_JSON
        ) from error


def _from_benchmark(benchmark: Any) -> GroundTruth:
    sequences: dict[str, MaskSequence] = {}
    ranges: dict[str, Ranges] = {}
    unseen: set[str] = set()
    classes: dict[str, dict[int, tuple[str, str]]] = {}
    for video in benchmark.sequences:
        masks = getattr(video, "object_masks", None)
        if masks is None:
            masks = FileSequence(video.name, dict(video.annotations))
        sequences[video.name] = masks
        for item in getattr(video, "known_objects", None) or ():
            if getattr(item, "seen", None) is False:
                unseen.add(f"{video.name}/{item.object_id}")
            kind = getattr(item, "tracking_class", None)
            if kind is not None:
                classes.setdefault(video.name, {})[item.object_id] = kind
            if getattr(item, "frame_range", None):
                own = ranges.setdefault(video.name, {})
                assert isinstance(own, dict)
                own[item.object_id] = item.frame_range
    label = str(getattr(benchmark, "name", "benchmark"))
    return GroundTruth(
        sequences,
        label,
        ranges,
        frozenset(unseen),
        classes,
        of_sequences=getattr(benchmark, "of_sequences", 0),
    )


def _from_arrays(
    source: Mapping[str, object],
    truth: Mapping[str, MaskSequence],
    others: list[str] | None = None,
) -> dict[str, MaskSequence]:
    named = _by_name(source)
    wanted: Collection[str] = truth or named
    match = match_sequences(wanted, named)
    found: dict[str, MaskSequence] = {}
    for name, own in match.names.items():
        masks = ArraySequence(name, _frames(name, named[own], truth.get(name)))
        remark_name(masks, name, own, match.rule)
        found[name] = masks
    left = remark_alike(found, match.names.values(), named)
    if others is not None:
        others += left
    return found


def _by_name(source: Mapping[Any, object]) -> dict[str, object]:
    """Arrays by the name of their sequence; a whole number is its own name.

    Raises:
        InputError: a key is no name, or two keys are one name.
    """
    named: dict[str, object] = {}
    for key, masks in source.items():
        whole = isinstance(key, int | np.integer) and not isinstance(key, bool)
        if not (isinstance(key, str) or whole) or str(key) in named:
            again = ", a name that is there already" if str(key) in named else ""
            raise InputError(
                "arrays",
                f"a sequence called {key!r} ({type(key).__name__}){again}",
                "names of sequences: text or whole numbers, each once",
                "Name the sequences by text, as the other side does, e.g. path.name "
                "in place of a path.",
            )
        named[str(key)] = masks
    return named


def _frames(
    name: str, masks: object, truth: MaskSequence | None
) -> Mapping[str, object]:
    """Masks by frame name; a [T, H, W] array takes the names of the ground truth."""
    if isinstance(masks, Mapping):
        where = f"array of sequence {name}"
        named: dict[str, object] = {}
        for frame, mask in masks.items():
            own = _frame_name(frame, where)
            if own in named:
                raise InputError(
                    where,
                    f"frame {own} twice, as a number and as text",
                    "each frame once",
                    "Name all frames by text, or number them all.",
                )
            named[own] = mask
        return named
    stack = plain_array(masks, f"array of sequence {name}")
    if stack.ndim != 3:
        raise InputError(
            f"array of sequence {name}",
            f"shape {stack.shape}",
            "label maps [T, H, W], or a mapping from frame name to label map",
            "Stack one label map per frame.",
        )
    if has_channels_last(stack.shape):
        raise InputError(
            f"array of sequence {name}",
            f"shape {stack.shape}, which is {len(stack)} frames of "
            f"{stack.shape[1:]}: does it count frames last?",
            "label maps [T, H, W]",
            "Put frames first (masks.transpose(2, 0, 1)), or pass a mapping from frame "
            "name to label map.",
        )
    names = truth.frames if truth else [f"{t:05d}" for t in range(len(stack))]
    if len(names) != len(stack):
        raise InputError(
            f"array of sequence {name}",
            f"{len(stack)} frames",
            f"the {len(names)} frames of the ground truth",
            "Name the frames (a mapping from frame name to label map) if some are "
            "left out on purpose.",
        )
    given: Iterable[Any] = stack
    if isinstance(masks, list | tuple) and is_one_array(masks):
        given = masks
    return dict(zip(names, given, strict=True))


def _frame_name(frame: object, where: str) -> str:
    """The name of a frame that a mapping gives; its number without a fraction."""
    if isinstance(frame, Real):
        return str(frame_number(frame, where))
    return str(frame)

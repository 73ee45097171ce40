"""Are results fit for a server, and can the file for it be written?"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from evaluation._utils.atomic import require_writable
from evaluation._utils.fingerprint import digest_bytes
from evaluation.errors import InputError, InputWarning, convert_command
from evaluation.masks.folders import describe, find_holder, open_sequence
from evaluation.masks.label_map import LabelMap
from evaluation.masks.names import shown
from evaluation.masks.numbering import mask_iou, name_video_frames
from evaluation.masks.open import open_ground_truth
from evaluation.masks.png import read_header
from evaluation.masks.sequence import FileSequence
from evaluation.results.checks.misreadings import flipped, told_of
from s3fo.benchmarks.benchmark import Benchmark
from s3fo.benchmarks.submission.mask_files import MaskFiles, VideoFiles
from s3fo.benchmarks.video import VideoSequence

_MAX_LISTED = 20

_FITS = 0.7
"""IoU from which masks are where they were given."""

MOVED = 0.5
"""IoU with the given masks that those of their frame have at least."""

_ELSEWHERE = 0.1
"""IoU with the given masks below which those of the next frame are others: only small
objects move so fast."""

OF_OTHER = 0.65
"""IoU from which masks of a frame are those of another video, or flipped: the first
masks of 573 pairs of videos agree less."""

Wanted = Callable[[VideoSequence], Iterable[str]]
"""Names of the frames of a video that a server wants."""


def writable(out: Path) -> Path:
    """The file to write, after a look at its place: checking masks takes long.

    Raises:
        InputError: it cannot be written there.
    """
    if out.is_dir():
        raise InputError(
            out,
            "a folder",
            "a file to write",
            "Pass the name of a zip file in this folder.",
        )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(out, error) from error
    try:
        require_writable(out.parent)
    except InputError as error:
        raise InputError(out, error.found, error.expected, error.remedy) from error
    return out


def unwritable(out: Path, error: OSError) -> InputError:
    """What to say of a file that the system does not let us write."""
    return InputError(
        out,
        f"no way to write there ({error.strerror})",
        "a place for the file",
        "Give another place, or make room.",
    )


def find_results(results: Path, benchmark: Benchmark) -> Path:
    """The folder with the videos' folders: the results, or the only such in them.

    Raises:
        InputError: there is none, or several.
    """
    if results.is_file() and results.suffix == ".json":
        raise InputError(
            results,
            "a JSON file of masks",
            "one folder for each video, with a PNG per frame",
            f"Run {convert_command(results, results.with_suffix(''), 'davis')}, and "
            f"submit {results.with_suffix('')}.",
        )
    holder = find_holder(results, {sequence.name for sequence in benchmark})
    if holder is not None:
        return holder
    raise InputError(
        results,
        describe(results),
        f"one folder for each video, such as {benchmark.sequences[0].name}",
        "Give the folder that holds these.",
    )


def frame_files(results: Path, benchmark: Benchmark) -> dict[str, VideoFiles]:
    """The mask files of all videos that are there, as `evaluate` finds them.

    What is odd about their names is told by an `InputWarning`.

    Args:
        results: holds one folder per video.
        benchmark: the videos.

    Raises:
        InputError: frames of some videos count from another number than the others'.
    """
    found: dict[str, VideoFiles] = {}
    named: dict[str, FileSequence] = {}
    for sequence in benchmark:
        folder = results / sequence.name
        masks = open_sequence(folder) if folder.is_dir() else None
        if isinstance(masks, FileSequence):
            named[sequence.name] = masks
        elif masks is not None:
            found[sequence.name] = _object_folders(folder)
    frames = {sequence.name: sequence.frames for sequence in benchmark}
    truth = open_ground_truth(benchmark).sequences
    matched = name_video_frames(truth, named, frames, str(results))
    for name, match in matched.items():
        for note in match.notes:
            warnings.warn(f"{name}: {note}", InputWarning, stacklevel=2)
        found[name] = MaskFiles(named[name], match.names, truth[name])
    return found


def _object_folders(folder: Path) -> InputError:
    out = f"{folder.parent}-davis"
    return InputError(
        folder,
        "one folder per object",
        "one label map per frame, as the server wants it",
        f"Run {convert_command(folder.parent, out, 'davis')}, and submit {out}.",
    )


def refuse_unfit(results: Path, benchmark: Benchmark, problems: list[str]) -> None:
    """Complain about all problems at once, if there are any.

    Raises:
        InputError: with one line for each of the first problems.
    """
    if not problems:
        return
    listed = "".join(f"\n  - {problem}" for problem in problems[:_MAX_LISTED])
    more = len(problems) - _MAX_LISTED
    if more > 0:
        listed += f"\n  - and {more} more"
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    raise InputError(
        results,
        f"{count}:{listed}\n",
        f"a mask of every frame that {benchmark.name} {benchmark.split or ''} wants",
        "Correct these and try again; nothing was written.",
    )


def check_sequence(
    files: VideoFiles | None,
    sequence: VideoSequence,
    wanted: Iterable[str],
    *,
    indexed: bool = True,
) -> list[str]:
    """What is wrong with the masks of one video, one sentence each.

    Args:
        files: its results, of `frame_files`; None where it has none.
        sequence: the video.
        wanted: names of the frames that must be there.
        indexed: whether masks must be PNGs with a palette.
    """
    if files is None:
        return [f"{sequence.name}: missing"]
    if isinstance(files, InputError):
        return [f"{sequence.name}: {files.found}. {files.remedy}"]
    missing = [f for f in wanted if f not in files or not files[f].is_file()]
    problems = []
    if missing:
        shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        problems.append(f"{sequence.name}: {len(missing)} frames missing ({shown})")
    prompts = sequence.prompt_frames()
    if not prompts:
        return [f"{sequence.name}: the benchmark has no first mask of it"]
    shape = sequence.read_annotation(next(iter(prompts))).shape
    last = ""
    for frame in wanted:
        if frame in missing:
            continue
        path = files[frame]
        if last in prompts and frame not in prompts and not problems:
            _warn_of_next(files, frame, sequence, last)
        last = frame
        kind = _kind_of(path) if indexed else "indexed"
        if kind == "indexed":
            problems += _mask_problems(files, frame, sequence, shape)
        else:
            place = f"{sequence.name}/{path.name}"
            problems.append(
                f"{place}: no 8-bit indexed PNG ({kind}), as `s3fo convert RESULTS OUT "
                "--to davis` writes them"
            )
    return problems


def _mask_problems(
    files: MaskFiles, frame: str, sequence: VideoSequence, shape: tuple[int, ...]
) -> Iterator[str]:
    place = f"{sequence.name}/{files[frame].name}"
    try:
        label_map = files.read(frame)
    except InputError as error:
        yield f"{place}: {error.found}"
        return
    if label_map.shape != shape:
        found = f"{label_map.shape[1]}x{label_map.shape[0]}"
        yield f"{place}: {found} pixels, not {shape[1]}x{shape[0]}"
    elif frame in sequence.prompt_frames():
        yield from _exchanged_ids(place, label_map, sequence, frame)
        yield from _drawn_otherwise(place, label_map, sequence, frame)
        _warn_of_absent(label_map, sequence, frame)
    extra = {int(value) for value in np.unique(label_map)} - {0, *sequence.object_ids}
    if extra:
        yield f"{place}: ids {sorted(extra)} that no first mask has"


def _exchanged_ids(
    place: str, label_map: LabelMap, sequence: VideoSequence, frame: str
) -> Iterator[str]:
    """Objects that carry each other's ids where their masks were given.

    One object that is lost to another is a bad result, but no mistake.
    """
    exchanged = _exchanged(label_map, sequence, frame)
    if exchanged:
        yield f"{place}: ids {exchanged} are not those of the first mask, but exchanged"


def _exchanged(label_map: LabelMap, sequence: VideoSequence, frame: str) -> list[int]:
    """Ids of objects most of whose given masks lie under each other's ids."""
    given = sequence.read_prompt(frame)
    called = {
        object_id: int(np.bincount(label_map[given == object_id]).argmax())
        for object_id in sequence.prompt_frames()[frame]
        if (given == object_id).any()
    }
    return [
        object_id
        for object_id, name in called.items()
        if name != object_id and called.get(name, name) != name
    ]


def _warn_of_absent(label_map: LabelMap, sequence: VideoSequence, frame: str) -> None:
    """Warn where masks have nothing of an object in the frame in which it is given."""
    given = sequence.read_prompt(frame)
    absent = [
        object_id
        for object_id in sequence.prompt_frames()[frame]
        if 2000 * np.count_nonzero(given == object_id) > given.size
        and not (label_map == object_id).any()
    ]
    if absent and label_map.any():
        which = f"object{'' if len(absent) == 1 else 's'} {', '.join(map(str, absent))}"
        warnings.warn(
            f"{sequence.name}: the mask of {frame}, in which {which} is given, has no "
            "pixel of it: are all objects one in these masks, or was it left out?",
            InputWarning,
            stacklevel=3,
        )


def _warn_of_next(
    files: MaskFiles, frame: str, sequence: VideoSequence, given: str
) -> None:
    """Warn where the frame after that of the given masks belongs to something else.

    The first masks may be copies of what was given, beside which a method's own have
    other ids, or are those of another video.

    Args:
        files: of the video.
        frame: name of that frame.
        sequence: the video.
        given: name of the frame of the given masks.
    """
    try:
        label_map = files.read(frame)
    except InputError:
        return  # told as damaged
    first = sequence.read_prompt(given)
    if label_map.shape != first.shape:
        return
    own = np.isin(label_map, list(sequence.prompt_frames()[given]))
    if not own.any():
        return
    fit = mask_iou(first != 0, own)
    exchanged = _exchanged(label_map, sequence, given)
    turned = None
    if fit < MOVED:
        turned = flipped("", [(first, np.where(own, label_map, 0))])
    turned = turned if turned and turned[0] >= OF_OTHER else None
    what = ""
    if fit > MOVED and len(exchanged) > 1:
        what = f"objects {exchanged} lie under each other's ids, unlike those given"
    elif turned:
        fits = turned[1].removeprefix(": ").partition(" (")[0]
        what = fits.replace("the ground truth", "those given")
    elif fit < _ELSEWHERE and _may_not_jump(first, frame, sequence, given):
        what = "masks lie elsewhere than those given"
    if what:
        warnings.warn(
            f"{sequence.name}: in {files[frame].name}, the frame after {given}, {what}"
            f"{': were images flipped?' if turned else _MIXED}",
            InputWarning,
            stacklevel=3,
        )


_MIXED = " there: were masks of another run or video mixed in?"


def _may_not_jump(
    first: LabelMap, frame: str, sequence: VideoSequence, given: str
) -> bool:
    """Whether objects are too large to be elsewhere in a frame: it is the very next."""
    names = list(sequence.frames)
    follows = names.index(frame) == names.index(given) + 1
    return follows and 200 * int(np.count_nonzero(first)) > first.size


def _drawn_otherwise(
    place: str, label_map: LabelMap, sequence: VideoSequence, frame: str
) -> Iterator[str]:
    """Masks that fit those that were given only if they are drawn in another way."""
    ids = list(sequence.prompt_frames()[frame])
    given = np.asarray(sequence.read_prompt(frame))
    true = np.where(np.isin(given, ids), given, 0)
    own = np.where(np.isin(label_map, ids), label_map, 0)
    if not true.any() or mask_iou(true != 0, own != 0) > _FITS:
        return
    if mask_iou(true != 0, label_map == 0) > _FITS:
        yield f"{place}: the background is an object, and the first mask background"
        return
    told = told_of(place, true, own)
    yield from told
    fit = mask_iou(true != 0, own != 0)
    if not told and own.any() and fit < MOVED:
        warnings.warn(
            f"{sequence.name}: masks of frame {frame} hardly fit those given there: "
            "are they of another video, or of images that were shifted, scaled or "
            "turned?",
            InputWarning,
            stacklevel=3,
        )


def find_exchanged(found: Mapping[str, VideoFiles], benchmark: Benchmark) -> list[str]:
    """Complain of videos whose first masks are those given for another video.

    Args:
        found: the mask files of all videos.
        benchmark: the videos.
    """
    handed_in: dict[str, bytes] = {}
    for sequence in benchmark:
        frame, files = first_prompt(sequence), found.get(sequence.name)
        if frame is None or not isinstance(files, MaskFiles) or frame not in files:
            continue
        try:
            own = files.read(frame)
        except InputError:
            continue  # told as damaged
        if own.any() and not np.array_equal(own, sequence.read_prompt(frame)):
            handed_in[sequence.name] = _content(own)
    if not handed_in:
        return []
    given = {
        _content(sequence.read_prompt(frame)): sequence.name
        for sequence in benchmark
        if (frame := first_prompt(sequence)) is not None
    }
    return [
        f"{name}: its first masks are, to the pixel, those given for "
        f"{given[content]}: are the folders of videos exchanged?"
        for name, content in handed_in.items()
        if content in given
    ]


def first_prompt(sequence: VideoSequence) -> str | None:
    """The first frame of which masks are given; None where there is none."""
    return next(iter(sequence.prompt_frames()), None)


def _content(label_map: LabelMap) -> bytes:
    """The same for masks of the same size and pixels only."""
    pixels = np.asarray(label_map, np.uint16).tobytes()
    return digest_bytes(str(label_map.shape).encode() + pixels)


def note_empty(
    found: Mapping[str, VideoFiles], benchmark: Benchmark, wanted: Wanted
) -> list[str]:
    """Tell videos whose masks are empty but for the first, by an `InputWarning`.

    The first is given, and most methods hand it in as it is.

    Args:
        found: the mask files of all videos.
        benchmark: the videos.
        wanted: which frames of a video are handed in.

    Returns:
        The complaint, where all masks of all videos are empty.
    """
    empty: list[str] = []
    shown_first = False
    for sequence in benchmark:
        files = found.get(sequence.name)
        if not isinstance(files, MaskFiles):
            continue
        names = [frame for frame in wanted(sequence) if frame in files]
        if names and not any(_shows_something(files, frame) for frame in names[1:]):
            first = _shows_something(files, names[0])
            shown_first |= first
            if len(names) > 1 or not first:
                empty.append(sequence.name)
    if empty and len(empty) == len(benchmark) and not shown_first:
        return ["the masks of all videos are empty in every frame"]
    if empty:
        shown = ", ".join(empty[:5]) + (", ..." if len(empty) > 5 else "")
        warnings.warn(
            f"the masks of {len(empty)} of {len(benchmark)} videos are empty in every "
            f"frame{' but the first' if shown_first else ''}: {shown}",
            InputWarning,
            stacklevel=2,
        )
    return []


def note_readings(found: Mapping[str, VideoFiles]) -> None:
    """Tell how masks were read that are not what they seem, by an `InputWarning`.

    Args:
        found: the mask files of all videos, after they were read.
    """
    told: dict[str, list[str]] = {}
    for name, files in found.items():
        for remark in files.remarks() if isinstance(files, MaskFiles) else ():
            told.setdefault(remark, []).append(name)
    for remark, videos in told.items():
        warnings.warn(
            f"{shown(videos)}: {remark}; the file for the server holds these ids",
            InputWarning,
            stacklevel=3,
        )


def _shows_something(files: MaskFiles, frame: str) -> bool:
    try:
        return bool(files.read(frame).any())
    except InputError:
        return True  # it is told as damaged


def _kind_of(path: Path) -> str:
    """``"indexed"`` for PNGs with a palette, else words that say what the file is."""
    try:
        return read_header(path).kind
    except InputError as error:
        return error.found

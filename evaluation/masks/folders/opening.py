"""Find sequences of masks in a folder tree, whatever lies around them."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from evaluation.errors import InputError
from evaluation.masks.encoding import is_soft
from evaluation.masks.folders.listing import (
    describe,
    list_folder,
    names_missing,
    png_files,
    refuse_dangling,
    subfolders,
)
from evaluation.masks.folders.sequences import (
    OBJECTS_BY_NAME,
    is_generic,
    is_sequence,
    object_folders,
    object_number,
    open_sequence,
)
from evaluation.masks.label_map import LabelMap, read_label_map
from evaluation.masks.names import (
    Match,
    fold_name,
    match_names,
    match_sequences,
    shown,
)
from evaluation.masks.sequence import MaskSequence, ObjectFolderSequence
from evaluation.protocols import VOID

MAX_DEPTH = 3
"""How many folders may lie between the folder given and those of the sequences."""

_PREFERRED = ("Annotations", "Annotations_6fps", "480p")
"""Folders to go into where there are several, in the benchmarks' own layouts."""


def open_ground_truth_folder(
    root: Path, notes: list[str] | None = None
) -> dict[str, MaskSequence]:
    """Find the annotated sequences below a folder.

    Takes the folder of the sequences itself, or one a few levels above, such as the
    root of a benchmark. Sequences hold one PNG per frame, or numbered object
    folders that do.

    Args:
        root: the folder.
        notes: gets a sentence about every folder that is left out.

    Raises:
        InputError: there are no sequences, more than one place could be meant, or a
            sequence is a link that leads nowhere.
    """
    _must_be_folder(root)
    level = root
    for _ in range(MAX_DEPTH + 1):
        folders = subfolders(level)
        if any(is_sequence(level / name) for name in folders):
            inside = _folder_of_videos(level, folders)
            if inside is None:
                refuse_dangling(level)
                every = {name: open_sequence(level / name) for name in folders}
                found = {name: one for name, one in every.items() if one.frames}
                _tell_guess(level, found)
                if notes is not None:
                    notes += _left_out(level, every)
                return found
            level = inside
            continue
        level = _step_down(root, level, folders)
    raise _no_sequences(root)


def _left_out(level: Path, sequences: Mapping[str, MaskSequence]) -> list[str]:
    """What to say about folders beside the sequences that are not scored."""
    notes = [
        f"{name} of the ground truth was skipped: {'; '.join(one.remarks())}"
        for name, one in sequences.items()
        if not one.frames
    ]
    hidden = sorted(n for n in list_folder(level) if n.startswith("."))
    return notes + [
        f"{name} of the ground truth was skipped: a hidden folder, though it holds "
        f"masks; rename it if it is a sequence"
        for name in hidden
        if is_sequence(level / name)
    ]


def open_results_folder(
    root: Path, truth: Mapping[str, MaskSequence], others: list[str] | None = None
) -> dict[str, MaskSequence]:
    """Find the named sequences below a results folder.

    One or more folders may lie around them (as after unpacking an archive).

    Args:
        root: results folder.
        truth: the ground truth by sequence.
        others: gets the names of further sequences that are there; None where nobody
            asks.

    Returns:
        Those of the named sequences that are there; others are not looked at.

    Raises:
        InputError: none of the sequences is there, or several sets of them.
    """
    holder = find_holder(root, truth, folders_of(truth.values()))
    match = match_sequences(truth, subfolders(holder)) if holder else Match({}, "")
    if holder is None:
        holder, match = _find_nearly_named(root, truth)
    if holder is None:
        raise _none_of_the_sequences(root, truth)
    found = {}
    for name, folder in match.names.items():
        found[name] = open_sequence(holder / folder, truth[name])
        remark_name(found[name], name, folder, match.rule)
    there = subfolders(holder)
    left = remark_alike(found, match.names.values(), there)
    if others is not None:
        others += [name for name in left if is_sequence(holder / name)]
    _tell_other_results(holder, found, set(match.names.values()))
    return found


def _tell_other_results(
    holder: Path, found: Mapping[str, MaskSequence], taken: Collection[str]
) -> None:
    """Tell folders beside the sequences that hold sequences of the same names.

    Args:
        holder: folder of the sequences.
        found: those that are read.
        taken: names of their folders.
    """
    for name in subfolders(holder):
        if name in taken or not found:
            continue
        there = [own for own in subfolders(holder / name) if own in found]
        same = [own for own in there if is_sequence(holder / name / own)]
        if same:
            found[same[0]].remark(
                f"masks in the folder {name} beside it were not read, though folders "
                "there are called like the sequences; give it if they are meant"
            )


def folders_of(sequences: Iterable[MaskSequence]) -> set[Path]:
    """Folders around the folders of videos whose masks are files of their own."""
    found: set[Path] = set()
    for masks in sequences:
        if masks.of_files and masks.frames:
            path = Path(masks.where(masks.frames[0]))
            own = next((p for p in path.parents if p.name == masks.name), path.parent)
            found.add(own.parent)
    return found


def remark_alike(
    found: Mapping[str, MaskSequence], taken: Collection[str], there: Collection[str]
) -> list[str]:
    """Tell names that differ from a video's by case, spaces or Unicode form alone.

    Args:
        found: the videos that are read, by name in the ground truth.
        taken: their own names.
        there: all names that are there.

    Returns:
        Those that are neither taken nor told.
    """
    videos = {fold_name(name): masks for name, masks in found.items()}
    left = []
    for name in sorted(set(there) - set(taken)):
        masks = videos.get(fold_name(name))
        if masks is None:
            left.append(name)
        else:
            masks.remark(
                f"masks of {name!a} were not read, which is called alike but "
                "for upper and lower case, spaces or Unicode form; are they of another "
                "run?"
            )
    return left


def remark_name(masks: MaskSequence, name: str, own: str, rule: str) -> None:
    """Tell which name the masks of a video have, if it is not that of the video."""
    if own == name:
        return
    masks.remark(f"sequences were matched {rule}: {_describe(own, rule)} for {name}")


def _describe(name: str, rule: str) -> str:
    """A name; the characters where it looks the same as another."""
    return ascii(name) if "Unicode" in rule else name


def find_holder(
    root: Path, names: Collection[str], truth: Collection[Path] = ()
) -> Path | None:
    """The folder below `root`, or itself, with folders called like the sequences.

    The highest level that has any counts, at most `MAX_DEPTH` below `root`.

    Args:
        root: where to look.
        names: of the sequences.
        truth: folders of the ground truth, of which no remedy speaks.

    Returns:
        The folder; None if there is none.

    Raises:
        InputError: there is no such folder, or there are several sets of sequences.
    """
    _must_be_folder(root)
    levels = [root]
    for _ in range(MAX_DEPTH + 1):
        holders = [folder for folder in levels if not names_missing(folder, names)]
        if len(holders) > 1:
            raise _several_sets(root, holders, truth)
        if holders:
            return holders[0]
        levels = [folder / name for folder in levels for name in subfolders(folder)]
    return None


def _find_nearly_named(root: Path, names: Collection[str]) -> tuple[Path | None, Match]:
    """The highest folder whose folders are called nearly like the sequences."""
    levels = [root]
    for _ in range(MAX_DEPTH + 1):
        for folder in levels:
            there = subfolders(folder)
            for match in (
                match_sequences(names, there),
                match_names(sorted(names), there),
            ):
                if match.names:
                    return folder, match
        levels = [folder / name for folder in levels for name in subfolders(folder)]
    return None, Match({}, "")


def _folder_of_videos(level: Path, folders: list[str]) -> Path | None:
    """The only folder of a level, if its numbered folders are videos, not objects.

    Videos may be called ``01`` and ``02``, as objects are. They are videos if the
    folder around them is called like a kind of content, a mask in them has several
    ids, or their masks have several sizes.
    """
    numbered = [name for name in folders if object_folders(level / name)]
    if len(numbered) != 1 or any(png_files(level / name) for name in folders):
        return None
    folder = level / numbered[0]
    objects = object_folders(folder)
    if len(objects) == 1 and not is_generic(folder.name):
        return None
    return folder if is_generic(folder.name) or _are_videos(objects) else None


def _tell_guess(level: Path, found: dict[str, MaskSequence]) -> None:
    """Tell where a single video's numbered folders could have been videos as well."""
    (one,) = found.values() if len(found) == 1 else (None,)
    if not isinstance(one, ObjectFolderSequence):
        return
    names = [n for n in subfolders(level / one.name) if object_number(n) is not None]
    if len(names) > 1 and all(name.isdecimal() and len(name) < 3 for name in names):
        one.remark(
            f"its folders {shown(names)} were read as objects of one video; if they "
            f"are videos, give {level / one.name}"
        )


def _are_videos(objects: dict[int, dict[str, str]]) -> bool:
    """Whether masks in numbered folders are those of whole videos."""
    shapes, several = set(), False
    for files in objects.values():
        frames = sorted(files)
        for frame in {frames[0], frames[len(frames) // 2], frames[-1]}:
            with contextlib.suppress(OSError, InputError):
                mask = read_label_map(files[frame], notice=lambda text: None)
                shapes.add(mask.shape)
                several = several or _has_ids(mask)
    return several or len(shapes) > 1


def _has_ids(mask: LabelMap) -> bool:
    """Whether a mask has several objects; grey levels of one object are none."""
    labels = set(np.unique(mask).tolist())
    return 0 in labels and len(labels - {0, VOID}) > 1 and not is_soft(mask)


def _step_down(root: Path, level: Path, folders: list[str]) -> Path:
    preferred = [name for name in _PREFERRED if name in folders]
    if preferred:
        return level / preferred[0]
    inside = [name for name in folders if subfolders(level / name)]
    if not inside:
        raise _no_sequences(root)
    if len(inside) > 1:
        fix = "Give the folder of the sequences."
        if all(name.isdecimal() for k in inside for name in subfolders(level / k)):
            fix += (
                " If the numbered folders in them are objects of these sequences, call "
                f"them obj_{subfolders(level / inside[0])[0]} and the like."
            )
        elif all(
            png_files(level / k / name)
            for k in inside
            for name in subfolders(level / k)
        ):
            held = ", ".join(subfolders(level / inside[0])[:3])
            fix += f" In them are folders of masks ({held}). {OBJECTS_BY_NAME}"
        raise InputError(
            level,
            f"several folders that hold folders ({', '.join(inside[:5])})",
            "one folder per sequence, with the masks of its frames",
            fix,
        )
    return level / inside[0]


_ARCHIVES = {
    ".zip": "unzip FILE -d results",
    ".tar": "tar xf FILE",
    ".tar.gz": "tar xzf FILE",
    ".tgz": "tar xzf FILE",
    ".7z": "7z x FILE",
}
"""Endings of archives, and how to unpack each."""


def _must_be_folder(root: Path) -> None:
    if root.is_dir():
        return
    found, fix = "a file" if root.exists() else "no such folder", "Check the path."
    archive = next((e for e in _ARCHIVES if root.name.lower().endswith(e)), None)
    if archive and root.is_file():
        found = f"a {archive} archive"
        fix = f"Unpack it first ({_ARCHIVES[archive]}), and give the folder it makes."
    elif root.is_file():
        fix = (
            "Give the folder of the results, or a JSON file of run-length encodings "
            f"(call it {root.name}.json, if it is one)."
        )
    raise InputError(root, found, "a folder with one folder of masks per sequence", fix)


def _no_sequences(root: Path) -> InputError:
    files = _json_files(root)
    if files:
        return InputError(
            root,
            f"{len(files)} JSON files such as {files[0]}, and no PNG masks",
            "one folder per sequence with PNG masks in it",
            _DRAW.format(Path(files[0]).with_suffix(".png")),
        )
    return InputError(
        root,
        describe(root),
        "one folder per sequence with PNG masks in it",
        _way_out(
            root, f"Give the folder that holds the sequences of masks, not {root}."
        ),
    )


_DRAW = (
    "If each holds the polygons of one image, as files of LabelMe do, draw them into a "
    "label map per frame, in which pixels are ids of objects, and each object has one "
    'id through the video: cv2.fillPoly(mask, [np.int32(shape["points"])], object_id) '
    'for each shape, then evaluation.masks.label_map.write_label_map("{}", mask).'
)
"""What to do about JSON files that are no run lengths."""


def _json_files(root: Path) -> list[str]:
    """JSON files in a folder and the folders in it, where these have nothing else."""
    found: list[str] = []
    for name in ("", *subfolders(root)):
        names = [n for n in list_folder(root / name) if not n.startswith(".")]
        files = [n for n in names if (root / name / n).is_file()]
        if any(not one.lower().endswith(".json") for one in files):
            return []
        found += [str(Path(name, one)) for one in sorted(files)]
    return found


def _several_sets(
    root: Path, holders: Sequence[Path], truth: Collection[Path]
) -> InputError:
    """The complaint about several folders that hold the sequences."""
    true = {folder.resolve() for folder in truth}
    own = [one for one in holders if one.resolve() not in true and _holds_masks(one)]
    fix = "Give the folder that holds the folders of the predicted sequences"
    fix += f", such as {own[0]}." if own else "; none of these does."
    if all(object_number(folder.name) is not None for folder in holders):
        fix += (
            " If each of them is of one object, put them into the sequences: "
            "<sequence>/<object>/<frame>.png."
        )
    return InputError(
        root,
        "more than one set of results "
        f"({', '.join(str(folder.relative_to(root)) for folder in holders)})",
        "one folder per sequence",
        fix,
    )


def _holds_masks(holder: Path) -> bool:
    """Whether any folder in a folder holds masks, directly or by object."""
    return any(is_sequence(holder / name) for name in subfolders(holder))


def _none_of_the_sequences(root: Path, names: Collection[str]) -> InputError:
    wanted = sorted(names)[:5]
    more = f" and {len(names) - len(wanted)} more" if len(names) > len(wanted) else ""
    return InputError(
        root,
        f"none of the sequences of the ground truth, but {describe(root)}",
        f"one folder per sequence ({', '.join(wanted)}{more})",
        _way_out(
            root,
            "Check that results and ground truth belong to one benchmark.",
            names,
        ),
    )


def _way_out(root: Path, otherwise: str, names: Collection[str] = ()) -> str:
    """What to do about a folder without sequences.

    Args:
        root: the folder.
        otherwise: what to do if nothing better can be said.
        names: sequences that were looked for; none where any would do.
    """
    if any("\\" in name for name in list_folder(root)):
        return (
            "Unpack the archive again with a tool that knows Windows zips, e.g. 7-Zip."
        )
    files = png_files(root)
    if not files:
        return otherwise
    first = min(files)
    whole = f"Give the folder above it, {root.resolve().parent}, or its like."
    if root.resolve().name in names:
        return whole
    own = next((n for n in sorted(names, key=len)[::-1] if first.startswith(n)), "")
    frame = first[len(own) :].lstrip("_-. ") or first
    moved = f"{root / (own or '<sequence>') / frame}.png"
    apart = (
        f"Put the masks of each sequence into a folder called like it, {first}.png as "
        f"{moved}, and give {root}."
    )
    return apart if names else f"{whole} If it holds several sequences: {apart}"

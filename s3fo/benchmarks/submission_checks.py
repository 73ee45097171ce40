"""Are the masks of one video fit for a server?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from evaluation.errors import InputError
from evaluation.labelmap import LabelMap, read_label_map
from s3fo.benchmarks.video import VideoSequence

_COLOUR_TYPES = {0: "grey", 2: "colour", 3: "indexed", 4: "grey", 6: "colour"}
"""Of the PNG specification, W3C 2003, section 11.2.2; 4 and 6 are with alpha."""

_INDEXED = 3


def check_sequence(
    folder: Path, sequence: VideoSequence, wanted: Iterable[str]
) -> list[str]:
    """What is wrong with the masks of one video, one sentence each.

    Args:
        folder: its results.
        sequence: the video.
        wanted: names of the frames that must be there.
    """
    if not folder.is_dir():
        return [f"{sequence.name}: missing"]
    missing = [frame for frame in wanted if not (folder / f"{frame}.png").is_file()]
    problems = []
    if missing:
        shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        problems.append(f"{sequence.name}: {len(missing)} frames missing ({shown})")
    prompts = sequence.prompt_frames()
    if not prompts:
        return [f"{sequence.name}: the benchmark has no first mask of it"]
    shape = sequence.read_annotation(next(iter(prompts))).shape
    for frame in wanted:
        if frame not in missing:
            problems += _mask_problems(folder / f"{frame}.png", sequence, shape)
    return problems


def _mask_problems(
    path: Path, sequence: VideoSequence, shape: tuple[int, ...]
) -> Iterator[str]:
    place = f"{sequence.name}/{path.name}"
    kind = png_kind(path)
    if kind != "indexed":
        yield f"{place}: no 8-bit indexed PNG ({kind})"
        return
    try:
        label_map = read_label_map(path)
    except InputError as error:
        yield f"{place}: {error.found}"
        return
    if label_map.shape != shape:
        found = f"{label_map.shape[1]}x{label_map.shape[0]}"
        yield f"{place}: {found} pixels, not {shape[1]}x{shape[0]}"
    elif path.stem in sequence.prompt_frames():
        yield from _exchanged_ids(place, label_map, sequence, path.stem)
    extra = {int(value) for value in np.unique(label_map)} - {0, *sequence.object_ids}
    if extra:
        yield f"{place}: ids {sorted(extra)} that no first mask has"


def _exchanged_ids(
    place: str, label_map: LabelMap, sequence: VideoSequence, frame: str
) -> Iterator[str]:
    """Objects that carry each other's ids where their masks were given.

    One object that is lost to another is a bad result, but no mistake.
    """
    given = sequence.read_prompt(frame)
    called = {
        object_id: int(np.bincount(label_map[given == object_id]).argmax())
        for object_id in sequence.prompt_frames()[frame]
        if (given == object_id).any()
    }
    exchanged = [
        object_id
        for object_id, name in called.items()
        if name != object_id and called.get(name, name) != name
    ]
    if exchanged:
        yield f"{place}: ids {exchanged} are not those of the first mask, but exchanged"


def png_kind(path: Path) -> str:
    """What kind of image a file holds.

    Returns:
        ``"indexed"`` for PNGs with a palette (which have at most 8 bits a pixel),
        else words such as ``"16-bit grey"``.
    """
    with path.open("rb") as file:
        header = file.read(33)
    if header[12:16] != b"IHDR" or len(header) < 26:
        return "something else than a PNG"
    bits, colour_type = header[24], header[25]
    if colour_type == _INDEXED:
        return "indexed"
    return f"{bits}-bit {_COLOUR_TYPES.get(colour_type, 'strange')}"

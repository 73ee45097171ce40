"""What was corrected in each video, beside the masks that came of it.

One JSON file per video, written when the video is complete: so that an interrupted run
goes on, and several processes share one.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from evaluation._utils.atomic import write_atomically
from evaluation._utils.json_files import parse, read_json

_FIX = "Remove this file and run the same command again."


@dataclass(frozen=True)
class Prompted:
    """One correction that was made.

    Attributes:
        object_id: the object.
        frame: name of the frame.
        J: of the object in the frame before it was corrected, 0..1.
        clicks: how many were made; 0 for other prompts.
    """

    object_id: int
    frame: str
    J: float
    clicks: int = 0


@dataclass(frozen=True)
class VideoPrompts:
    """What was corrected in one video.

    Attributes:
        key: digest of everything that the choice of corrections rests on.
        prompts: in order of time.
    """

    key: str
    prompts: tuple[Prompted, ...]


def write_prompts(folder: Path, sequence: str, prompts: VideoPrompts) -> None:
    """Write the file of a video."""
    content = json.dumps(asdict(prompts), indent=1)
    write_atomically(folder / f"{sequence}.json", content.encode())


def read_prompts(folder: Path, sequence: str) -> VideoPrompts | None:
    """Read the file of a video; None where there is none.

    Raises:
        InputError: it is damaged.
    """
    path = folder / f"{sequence}.json"
    if not path.is_file():
        return None
    found = read_json(path, _FIX, "the corrections of a video")
    return parse(found, VideoPrompts, path, _FIX)

"""How the App must be told to read mask files that labels refer to.

FiftyOne and its App read a palette PNG as colours, not as indices: of a plain
integer mask they would look at the red channel, in which DAVIS's object 2 (dark
green) is 0, invisible. Such files get colours as mask targets; grey files get
integers.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

_OBJECTS_TOLD = 30


def mask_targets(path: Path) -> dict[str, str] | dict[int, str]:
    """What the pixels of a mask file, and of others like it, mean in the App.

    Args:
        path: a palette or grey PNG.

    Returns:
        ``{"#800000": "object 1", ...}`` for palette files, else
        ``{1: "object 1", ...}``.
    """
    with Image.open(path) as image:
        palette = image.getpalette() if image.mode == "P" else None
    names = {key: f"object {key}" for key in range(1, _OBJECTS_TOLD + 1)}
    if palette is None:
        return names
    colours: dict[str, str] = {}
    for key, name in names.items():
        channels = palette[3 * key : 3 * key + 3]
        if len(channels) == 3:
            # Palettes may repeat a colour for ids that they do not use.
            colours.setdefault("#{:02x}{:02x}{:02x}".format(*channels), name)
    return colours

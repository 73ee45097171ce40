"""Make the plugin known to FiftyOne.

FiftyOne finds plugins only as folders with a ``fiftyone.yml`` under its plugins
folder. The folder written here holds that file, the icon, and one line of Python
that takes everything else from the installed package.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from evaluation.labelmap import write_atomically

_ENTRY = b'''"""Everything is in the installed package s3fo."""

from s3fo.plugin import register  # noqa: F401
'''


def install(plugins_dir: str | Path | None = None) -> Path:
    """Write the plugin's folder, or bring it up to date.

    Args:
        plugins_dir: where FiftyOne looks for plugins; None means its own setting.

    Returns:
        The plugin's folder.
    """
    if plugins_dir is None:
        from s3fo.datasets import configure

        configure()
        import fiftyone as fo

        plugins_dir = fo.config.plugins_dir
    folder = Path(plugins_dir) / "@s3fo" / "vos"
    source = resources.files("s3fo.plugin")
    files = {
        "__init__.py": _ENTRY,
        "assets/icon.svg": (source / "assets" / "icon.svg").read_bytes(),
        # Last: FiftyOne looks for this file, so it must find the others there.
        "fiftyone.yml": (source / "fiftyone.yml").read_bytes(),
    }
    for name, content in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            write_atomically(path, content)
    return folder

"""Make the plugin known to FiftyOne.

FiftyOne finds plugins only as folders with a ``fiftyone.yml`` under its plugins
folder. Ours is `FOLDER`: written there by `install`, or taken from the repository by
``fiftyone plugins download``. It takes everything else from the installed package.
"""

from __future__ import annotations

from pathlib import Path

from evaluation._utils.atomic import write_atomically

FOLDER = Path(__file__).with_name("vos")
"""The plugin's folder as FiftyOne wants it."""

_LAST = "fiftyone.yml"  # FiftyOne looks for it, so it must find the others there.


def install(plugins_dir: str | Path | None = None) -> Path:
    """Write the plugin's folder, or bring it up to date.

    Args:
        plugins_dir: where FiftyOne looks for plugins; None means its own setting.

    Returns:
        The plugin's folder.
    """
    if plugins_dir is None:
        from s3fo._extras import require
        from s3fo.datasets import configure

        require("app")
        configure()
        import fiftyone as fo

        plugins_dir = fo.config.plugins_dir
    folder = Path(plugins_dir) / "@s3fo" / "vos"
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    for source in sorted(files, key=lambda path: path.name == _LAST):
        path, content = folder / source.relative_to(FOLDER), source.read_bytes()
        if source.suffix == ".pyc" or (path.is_file() and path.read_bytes() == content):
            continue
        write_atomically(path, content)
    return folder

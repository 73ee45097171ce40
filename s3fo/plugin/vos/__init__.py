"""What FiftyOne loads from its plugins folder; everything is in the package s3fo.

This folder is all that ``fiftyone plugins download`` copies. FiftyOne only notes that
a plugin failed, not why: so the reason is said here.
"""

import logging
import sys

try:
    from s3fo.plugin import register
except ModuleNotFoundError as error:
    _MESSAGE = (
        f"The plugin @s3fo/vos needs the package s3fo in the Python that runs "
        f"FiftyOne, {sys.executable}: {error}. Install it there from the repository "
        f"that this plugin comes from: pip install CHECKOUT, or pip install "
        f"git+ADDRESS. Then start FiftyOne again."
    )
    logging.getLogger(__name__).error(_MESSAGE)
    raise ImportError(_MESSAGE) from error

__all__ = ["register"]

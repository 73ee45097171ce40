"""What FiftyOne loads from its plugins folder; everything is in the package s3fo.

This folder is all that ``fiftyone plugins download`` copies. FiftyOne only notes that
a plugin failed, not why: so the reason is said here.
"""

import logging
import sys

try:
    from s3fo._extras import require
    from s3fo.plugin import register

    require("app", "model")
except ImportError as error:
    _MESSAGE = (
        f"The plugin @s3fo/vos needs the package s3fo with its extras app and model in "
        f"the Python that runs FiftyOne, {sys.executable}: {error}. Install it there: "
        f"pip install 's3fo[app,model]', or from the repository that this plugin comes "
        f"from: pip install 's3fo[app,model] @ git+ADDRESS'. Then start FiftyOne again."
    )
    logging.getLogger(__name__).error(_MESSAGE)
    raise ImportError(_MESSAGE) from error

__all__ = ["register"]

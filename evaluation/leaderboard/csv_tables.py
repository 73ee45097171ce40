"""Tables in CSV files, read to the last digit."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import pandas as pd
from packaging.version import Version

# Before 3.1 pandas takes the nearest number only when asked; from then on it always
# does, and asking is deprecated.
_ASKS = Version(pd.__version__) < Version("3.1")
_EXACTLY: dict[str, Any] = {"float_precision": "round_trip"} if _ASKS else {}


def read_csv(file: IO[str] | Path) -> pd.DataFrame:
    r"""Read a table whose numbers are those that were written, to the last bit.

    >>> import io
    >>> float(read_csv(io.StringIO("J&F\n0.1234567890123456789"))["J&F"][0])
    0.12345678901234568

    Args:
        file: an open file, or its path.
    """
    table: pd.DataFrame = pd.read_csv(file, **_EXACTLY)
    return table

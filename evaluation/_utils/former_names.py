"""Former public names keep working for one version, with a deprecation warning."""

from __future__ import annotations

import warnings
from collections.abc import Mapping


def warn_renamed(former: str, present: str, stacklevel: int = 2) -> None:
    """Say that a public name has changed.

    Args:
        former: the name in the last version, e.g. ``"evaluation.Protocol"``.
        present: what it is called now.
        stacklevel: 2 points at the caller of the function that calls this one.
    """
    warnings.warn(
        f"{former} is now {present}; the old name goes in the next version",
        DeprecationWarning,
        stacklevel=stacklevel + 1,
    )


def present_name(module: str, name: str, renamed: Mapping[str, str]) -> str:
    """The present name of what is asked of a module, for its `__getattr__`.

    Args:
        module: the module's `__name__`.
        name: the name asked for; a former one is warned about.
        renamed: former name -> present name.
    """
    if name not in renamed:
        return name
    warn_renamed(f"{module}.{name}", renamed[name], stacklevel=3)
    return renamed[name]
